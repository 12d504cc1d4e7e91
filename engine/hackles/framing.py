"""Samples to frames, for many calls at once.

Every call has a row ("slot") in one ring of samples, divided into hops. A frame is four
neighbouring hops, so framing all calls is one gather. Positions count samples since the call
began; a sample's place in the ring is its position modulo the ring's length.
"""

from dataclasses import dataclass, field

import numpy as np

from hackles.config import FRAME_LENGTH, HOP_LENGTH
from hackles.errors import UsageError
from hackles.types import AnyArray, Array, Bools, Ints

_HOPS = FRAME_LENGTH // HOP_LENGTH


@dataclass(frozen=True, slots=True)
class Batch:
    """Which frames are looked at in this tick: `counts[i]` new frames of slot `slots[i]`.

    Frames of all calls lie one below the other ("flat", shape (n_frames, ...)); what needs a
    call's own order sees them as rows ("padded", shape (n_rows, widest, ...)).
    """

    slots: Ints
    first_frame: Ints
    """The place on the clock of each call's first new frame; lost audio makes it leap."""
    counts: Ints
    taken: Ints
    """Frames of each call that were looked at before, which never leaps."""
    width: int = field(init=False)
    """The largest number of new frames of any call."""
    inside: Bools = field(init=False)
    """Which places of the padded form hold a frame, shape (n_rows, width)."""
    frame: Ints = field(init=False)
    """The place on the clock of each padded frame, shape (n_rows, width)."""

    def __post_init__(self) -> None:
        """Work out once what every stage asks for."""
        places = np.arange(int(self.counts.max(initial=0)))
        object.__setattr__(self, "width", len(places))
        object.__setattr__(self, "inside", places < self.counts[:, None])
        object.__setattr__(self, "frame", self.first_frame[:, None] + places)

    def rows(self, chosen: Bools) -> "Batch":
        """Return some of the calls."""
        return Batch(
            self.slots[chosen], self.first_frame[chosen], self.counts[chosen], self.taken[chosen]
        )

    def pad(self, flat: AnyArray) -> AnyArray:
        """Return flat values as rows; places without a frame hold zero."""
        padded = np.zeros((len(self.slots), self.width, *flat.shape[1:]), dtype=flat.dtype)
        padded[self.inside] = flat
        return padded


class Frames:
    """Frames that lie in a ring still; each tile is gathered when it is asked for."""

    def __init__(self, hops: AnyArray, rows: Ints, first_hop: Ints) -> None:
        """Say where they lie.

        Args:
            hops: the ring, shape (n_slots, n_hops, HOP_LENGTH).
            rows: whose each frame is.
            first_hop: the first hop of each, counted since its call began.
        """
        self._hops, self._rows, self._first_hop = hops, rows, first_hop

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._rows)

    def __getitem__(self, rows: slice) -> AnyArray:
        """Return some, shape (n, FRAME_LENGTH)."""
        hops = (self._first_hop[rows, None] + np.arange(_HOPS)) % self._hops.shape[1]
        some: AnyArray = self._hops[self._rows[rows, None], hops].reshape(-1, FRAME_LENGTH)
        return some


class SampleRing:
    """The last samples of every call, and which frames of them have not been looked at."""

    def __init__(self, n_slots: int, max_frames: int, dtype: type = np.float32) -> None:
        """Make room for `max_frames` new frames a tick of each of `n_slots` calls."""
        self._n_hops = max_frames + _HOPS - 1
        self._capacity = self._n_hops * HOP_LENGTH
        self._max_frames = max_frames
        self._samples: AnyArray = np.zeros((n_slots, self._capacity), dtype=dtype)
        self.heard: Ints = np.zeros(n_slots, dtype=np.int64)
        """Samples heard of each call: the position of the next one."""
        self._next_frame: Ints = np.zeros(n_slots, dtype=np.int64)
        self._taken: Ints = np.zeros(n_slots, dtype=np.int64)

    def clear(self, slot: int) -> None:
        """Forget a call."""
        self._samples[slot] = 0.0
        self.heard[slot] = 0
        self._next_frame[slot] = 0
        self._taken[slot] = 0

    def write(self, slot: int, samples: Array) -> int:
        """Append as many samples as there is room for, and return how many."""
        position = int(self.heard[slot])
        count = min(len(samples), int(self.room(np.array([slot]))[0]))
        at = position % self._capacity
        head = min(count, self._capacity - at)
        row = self._samples[slot]
        row[at : at + head] = samples[:head]
        row[: count - head] = samples[head:count]
        self.heard[slot] = position + count
        return count

    def write_all(self, slots: Ints, counts: Ints, samples: Array) -> None:
        """Append samples of many calls.

        Args:
            slots: whose, shape (n_calls,), each once.
            counts: samples of each, shape (n_calls,); as many as there is `room` for.
            samples: shape (sum of counts,), call after call.

        Raises:
            UsageError: if there are more of a call than there is room for.
        """
        if np.any(counts > self.room(slots)):
            raise UsageError("More samples than there is room for; tick first.")
        position = self.heard[slots]
        # Packets hold whole hops, which go as one piece each; others go sample by sample.
        whole = (position % HOP_LENGTH == 0) & (counts % HOP_LENGTH == 0)
        for unit, some in ((HOP_LENGTH, whole), (1, ~whole)):
            if some.any():
                own = samples if some.all() else samples[np.repeat(some, counts)]
                self._write_units(unit, slots[some], position[some], counts[some], own)
        self.heard[slots] = position + counts

    def _write_units(
        self, unit: int, slots: Ints, position: Ints, counts: Ints, samples: Array
    ) -> None:
        """Write pieces of `unit` samples to their places in the ring."""
        n_units = counts // unit
        before = np.cumsum(n_units) - n_units
        place = np.arange(n_units.sum()) + np.repeat(position // unit - before, n_units)
        ring = self._samples.reshape(len(self._samples), -1, unit)
        ring[np.repeat(slots, n_units), place % ring.shape[1]] = samples.reshape(-1, unit)

    def room(self, slots: Ints) -> Ints:
        """Return how many more samples of each call fit before the next `take`."""
        result: Ints = self._next_frame[slots] * HOP_LENGTH + self._capacity - self.heard[slots]
        return result

    def skip_to(self, slot: int, position: int) -> None:
        """Go on at a later position; no frame spans the samples that were lost."""
        self.heard[slot] = position
        self._next_frame[slot] = -(-position // HOP_LENGTH)

    def pending(self, slot: int) -> bool:
        """Return whether a whole frame of this call waits to be looked at."""
        return bool(self.heard[slot] >= self._next_frame[slot] * HOP_LENGTH + FRAME_LENGTH)

    def take(self) -> tuple[Batch, Frames]:
        """Return all new frames of all calls and mark them as looked at.

        Returns:
            The batch, and its frames, to be read before the next `write`.
        """
        last = (self.heard - FRAME_LENGTH) // HOP_LENGTH + 1
        new = np.clip(last - self._next_frame, 0, self._max_frames)
        slots = np.flatnonzero(new)
        batch = Batch(slots, self._next_frame[slots], new[slots], self._taken[slots])
        self._next_frame[slots] += batch.counts
        self._taken[slots] += batch.counts
        return batch, self.frames(batch)

    def frames(self, batch: Batch) -> Frames:
        """Return frames that were taken last, of all calls or of some."""
        hops = self._samples.reshape(len(self._samples), self._n_hops, HOP_LENGTH)
        return Frames(hops, np.repeat(batch.slots, batch.counts), batch.frame[batch.inside])
