"""What each call's last frames were, and statistics over them that look at the past only.

Everything that speech activity needs has a finite memory, so that it comes out the same
however the samples were cut, and needs no loop over frames.
"""

from collections.abc import Callable

import numpy as np

from hackles.framing import Batch
from hackles.types import AnyArray


class History:
    """The last `length` values of one quantity, with a row per call."""

    def __init__(self, n_slots: int, length: int, fill: float, dtype: type = np.float32) -> None:
        """Start every call with `length` times `fill`."""
        self._fill = fill
        self._values: AnyArray = np.full((n_slots, length), fill, dtype=dtype)

    def clear(self, slot: int) -> None:
        """Forget a call."""
        self._values[slot] = self._fill

    def extend(self, batch: Batch, new: AnyArray) -> AnyArray:
        """Return the old values followed by the new ones, and remember the last of them.

        Args:
            batch: whose frames they are.
            new: shape (n_rows, width), padded.

        Returns:
            Shape (n_rows, length + width).
        """
        old = self._values[batch.slots]
        whole = np.concatenate([old, new.astype(old.dtype, copy=False)], axis=1)
        last = batch.counts[:, None] + np.arange(old.shape[1])
        self._values[batch.slots] = np.take_along_axis(whole, last, axis=1)
        return whole


def trailing(
    pick: Callable[[AnyArray, AnyArray], AnyArray], values: AnyArray, width: int
) -> AnyArray:
    """Return `pick` (np.minimum or np.maximum) over each `width` neighbours of each row.

    Returns:
        Shape (n, length - width + 1); the last column covers the last `width` values.
    """
    covered = 1
    result = values
    while covered * 2 <= width:
        result = pick(result[:, covered:], result[:, :-covered])
        covered *= 2
    rest = width - covered
    return pick(result[:, rest:], result[:, :-rest]) if rest else result


def trailing_count(flags: AnyArray, width: int) -> AnyArray:
    """Return how many of each `width` neighbours of each row are set, as int32.

    Returns:
        Shape (n, length - width + 1).
    """
    sums = np.zeros((flags.shape[0], flags.shape[1] + 1), dtype=np.int32)
    np.cumsum(flags, axis=1, out=sums[:, 1:])
    result: AnyArray = sums[:, width:] - sums[:, :-width]
    return result
