"""What each call's last frames were, and statistics over them that look at the past only.

Everything that speech activity needs has a finite memory, so that it comes out the same
however the samples were cut, and needs no loop over frames.
"""

import itertools

import numpy as np

from hackles.features.statistics import trailing
from hackles.framing import Batch
from hackles.types import AnyArray, Ints

SPAN_FRAMES = 10
"""A tenth of a second, the grain of `Lately`."""


class History:
    """The last `length` values of one quantity, or of several, with a row per call."""

    def __init__(
        self,
        n_slots: int,
        length: int,
        fill: float,
        dtype: type = np.float32,
        shape: tuple[int, ...] = (),
    ) -> None:
        """Start every call with `length` times `fill`; each value is of the given shape."""
        self._fill = fill
        self._values: AnyArray = np.full((n_slots, length, *shape), fill, dtype=dtype)

    def clear(self, slot: int) -> None:
        """Forget a call."""
        self._values[slot] = self._fill

    def extend(self, batch: Batch, new: AnyArray) -> AnyArray:
        """Return the old values followed by the new ones, and remember the last of them.

        Args:
            batch: whose frames they are.
            new: shape (n_rows, width, ...), padded.

        Returns:
            Shape (n_rows, length + width, ...).
        """
        old = self._values[batch.slots]
        whole = np.concatenate([old, new.astype(old.dtype, copy=False)], axis=1)
        last = batch.counts[:, None] + np.arange(old.shape[1])
        self._values[batch.slots] = whole[np.arange(len(last))[:, None], last]
        return whole


class Lately:
    """What the last seconds of every call came to: a minimum, or a count, at each frame.

    Counted in spans of ten frames, so that a tick costs what is new in it and not the seconds
    that it looks back on: each frame sees its own span so far and the `n_spans` before it.
    """

    def __init__(
        self,
        n_slots: int,
        shape: tuple[int, int],
        combine: np.ufunc,
        start: float,
        dtype: type,
        shorter: tuple[int, int] = (0, 1),
    ) -> None:
        """Start every call with nothing.

        Args:
            n_slots: how many calls at a time.
            shape: how many quantities there are, and how many spans it looks back on.
            combine: np.minimum or np.add.
            start: what `combine` leaves any value unchanged with.
            dtype: of the values; a count needs one that holds it.
            shorter: how many of the quantities, the last ones, look back on fewer spans, and on
                how many; for counts alone.
        """
        self._n_shorter, self._shorter_spans = shorter
        self._n_spans, self._combine, self._start = shape[1], combine, start
        # The last column is the span under way.
        self._spans: AnyArray = np.full((n_slots, shape[0], shape[1] + 1), start, dtype=dtype)

    def clear(self, slot: int) -> None:
        """Forget a call."""
        self._spans[slot] = self._start

    def update(self, batch: Batch, new: AnyArray) -> AnyArray:
        """Take in new values and return what it came to at each frame.

        Args:
            batch: whose frames they are.
            new: shape (n, n_frames), flat.

        Returns:
            Shape (n, n_frames).
        """
        # Counted, not read off the clock: where audio is lost, a span must still come to its end.
        begun = batch.taken % SPAN_FRAMES
        n_rows, after = len(begun), begun + batch.counts
        # One more than are begun: a span that is full is followed by an empty one.
        n_new = int(after.max(initial=0)) // SPAN_FRAMES + 1
        span, at = np.divmod((begun[:, None] + np.arange(batch.width))[batch.inside], SPAN_FRAMES)
        place = (at * n_new + span) * n_rows + np.repeat(np.arange(n_rows), batch.counts)
        old = self._spans[batch.slots]
        # Calls come last, so that each step below is one long loop over them.
        own = np.full((len(new), SPAN_FRAMES, n_new, n_rows), self._start, dtype=old.dtype)
        own.reshape(len(new), -1)[:, place] = new
        own[:, 0, 0] = self._combine(own[:, 0, 0], old[:, :, -1].T)
        for last, this in itertools.pairwise(own.transpose(1, 0, 2, 3)):
            self._combine(last, this, out=this)
        whole = np.concatenate([old[:, :, :-1], own[:, -1].transpose(2, 0, 1)], axis=2)
        earlier = self._over_spans(whole)[:, :, :n_new].transpose(1, 2, 0)
        self._combine(own, np.ascontiguousarray(earlier)[:, None], out=own)
        self._keep(batch.slots, whole, after // SPAN_FRAMES)
        return np.take(own.reshape(len(new), -1), place, axis=1)

    def _keep(self, slots: Ints, whole: AnyArray, done: Ints) -> None:
        """Keep the last spans of each call, `done` of which were finished in this tick."""
        for finished in np.unique(done):  # live, one or two different numbers
            rows = np.flatnonzero(done == finished)
            kept = slice(finished, finished + self._n_spans + 1)
            self._spans[slots[rows]] = whole[rows, :, kept]

    def _over_spans(self, whole: AnyArray) -> AnyArray:
        """Return what each `n_spans` neighbours come to, in the type of the values."""
        if self._combine is not np.add:
            return trailing(np.minimum, whole, self._n_spans)
        if not self._n_shorter:
            return trailing_count(whole, self._n_spans).astype(whole.dtype)
        long, skipped = whole.shape[1] - self._n_shorter, self._n_spans - self._shorter_spans
        shape = (*whole.shape[:2], whole.shape[2] - self._n_spans + 1)
        result = np.empty(shape, dtype=whole.dtype)
        result[:, :long] = trailing_count(whole[:, :long], self._n_spans)
        result[:, long:] = trailing_count(whole[:, long:, skipped:], self._shorter_spans)
        return result


def trailing_count(flags: AnyArray, width: int) -> AnyArray:
    """Return the sum of each `width` neighbours of each row (of flags: how many), as int32.

    Returns:
        Shape (..., length - width + 1).
    """
    sums = np.zeros((*flags.shape[:-1], flags.shape[-1] + 1), dtype=np.int32)
    np.cumsum(flags, axis=-1, out=sums[..., 1:])
    result: AnyArray = sums[..., width:] - sums[..., :-width]
    return result
