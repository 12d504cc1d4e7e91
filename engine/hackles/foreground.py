"""Which of what sounds like speech is the caller's, and not that of people behind the caller.

Who talks in the background is heard best when the caller is silent. Each call remembers how loud
its talk has been, and whatever lies far under that, hardly stands out of what is beside it and
never pauses is not the caller. Before the caller has spoken loudness cannot tell them apart: the
first to speak sets the mark, and whoever is louder takes over.
"""

from typing import Final, NamedTuple

import numpy as np

from hackles.config import FRAMES_PER_S
from hackles.framing import Batch
from hackles.types import AnyArray, Array, Bools, Ints

_FORGOTTEN_DB: Final = 1 / 256
"""By so much the mark falls with each frame that sounds like speech: 0.4 dB a second of it. With
the clock it would be gone after a hold; yet one who comes back softer must be heard again."""

_SURE_FRAMES: Final = 3 * FRAMES_PER_S // 2
"""Music is known for what it is after a second of it; until then it must not set the mark."""

TRAITS: Final = ("under", "high", "mean", "deep", "loud")
"""How far the highest level of the last second lies under the mark; the highest and the mean SNR
of the last 320 ms; how far the lowest level of the last three seconds lies under the mark, all in
dB; and how many frames of the last two seconds stood out clearly."""

_MOST: Final = (30, 40, 40, 60, 200)

# A logistic rule: bias, weights, and weights of the products of two, in the order of TRAITS, each
# with itself and those after it. Fitted by benchmarks/fit_foreground.py.
_BIAS = 5.571
_WEIGHTS = (-0.3787, 0.5571, -0.4084, 0.0771, -0.08326)
_PRODUCTS = (
    (0.0002422, 0.005249, -0.00705, 0.002676, 0.0002255),
    (-0.006787, 0.004955, -0.003005, 0.0003668),
    (-0.002892, 0.006829, 0.000497),
    (-0.00389, 0.0006069),
    (6.549e-05,),
)

# In whole numbers, whose sums are exact in whichever order: the mark in 65536ths of a dB, since a
# change of gain must not move it, traits in 16ths.
FRACTION: Final = 16
_FINE, _BITS = 2**16, 30
_STEP: Final = round(_FINE * _FORGOTTEN_DB)
_NOTHING_DB, _NEVER = -1000.0, -(2**62)
_NO_MARK = round(_FINE * _NOTHING_DB)
_LIMITS: AnyArray = FRACTION * np.array(_MOST, dtype=np.float64)[:, None]
_WHOLE_BIAS = round(2.0**_BITS * _BIAS)
_WHOLE: AnyArray = np.rint(2.0**_BITS / FRACTION * np.array(_WEIGHTS))[:, None]
_WHOLE_PRODUCTS: AnyArray = np.zeros((len(TRAITS), len(TRAITS)))
_WHOLE_PRODUCTS[np.triu_indices(len(TRAITS))] = np.rint(
    2.0**_BITS / FRACTION**2 * np.concatenate(_PRODUCTS)
)


class Heard(NamedTuple):
    """What is heard of each frame; shape (n_frames,), flat, levels in dB.

    Attributes:
        held_db: mean level of the last 80 ms; what clicks does not set the mark.
        high_db, low_db: highest of these in the last second, lowest in the last three.
        high_snr_db, mean_snr_db: over the noise floor, of the last 320 ms.
        n_loud: how many frames of the last two seconds stood out clearly.
    """

    held_db: AnyArray
    high_db: AnyArray
    low_db: AnyArray
    high_snr_db: AnyArray
    mean_snr_db: AnyArray
    n_loud: AnyArray


class Foreground:
    """Whose speech it is, in many calls. State: a mark per call, how loud its talk has been."""

    def __init__(self, n_slots: int) -> None:
        """Start every call without a mark."""
        self._talk: Array = np.full((n_slots, _SURE_FRAMES), _NOTHING_DB, dtype=np.float32)
        self._held: Ints = np.full(n_slots, _NEVER, dtype=np.int64)
        self._mark: Ints = np.full(n_slots, _NO_MARK, dtype=np.int64)

    def clear(self, slot: int) -> None:
        """Forget a call."""
        self._talk[slot] = _NOTHING_DB
        self._held[slot] = _NEVER
        self._mark[slot] = _NO_MARK

    def update(self, batch: Batch, talk: Bools, hold: Bools, heard: Heard) -> Bools:
        """Return which frames of talk are the caller's, shape (n_frames,).

        Args:
            batch: whose frames they are.
            talk: which sound like speech, shape (n_frames,).
            hold: which are music or a tone, shape (n_frames,).
            heard: what is heard of each.
        """
        mark = self.marks(batch, talk, hold, heard.held_db)
        at = np.flatnonzero(talk)
        caller = np.zeros_like(talk)
        caller[at] = odds(traits(mark[at], Heard(*(column[at] for column in heard)))) > 0
        return caller

    def marks(self, batch: Batch, talk: Bools, hold: Bools, held_db: AnyArray) -> Ints:
        """Return how loud talk has been up to each frame, in 65536ths of a dB."""
        place = batch.taken[:, None] + np.arange(batch.width)
        last = np.where(batch.pad(hold), place, _NEVER)
        last[:, 0] = np.maximum(last[:, 0], self._held[batch.slots])
        last = np.maximum.accumulate(last, axis=1)
        new = batch.pad(np.where(talk, held_db, np.float32(_NOTHING_DB)))
        sure = np.where(place - last > _SURE_FRAMES, self._delayed(batch, place, new), _NOTHING_DB)
        fallen = _STEP * np.cumsum(batch.pad(talk), axis=1)
        raised = np.rint(_FINE * sure).astype(np.int64) + fallen
        raised[:, 0] = np.maximum(raised[:, 0], self._mark[batch.slots])
        mark = np.maximum.accumulate(raised, axis=1) - fallen
        final = (np.arange(len(mark)), batch.counts - 1)
        self._held[batch.slots], self._mark[batch.slots] = last[final], mark[final]
        result: Ints = mark[batch.inside]
        return result

    def _delayed(self, batch: Batch, place: Ints, new: AnyArray) -> AnyArray:
        """Return what came `_SURE_FRAMES` before each frame, and remember the new ones."""
        rows, at = batch.slots[:, None], place % _SURE_FRAMES
        past = self._talk[rows, at]
        past[:, _SURE_FRAMES:] = new[:, :-_SURE_FRAMES]
        kept = batch.inside & (np.arange(batch.width) >= batch.counts[:, None] - _SURE_FRAMES)
        self._talk[np.broadcast_to(rows, at.shape)[kept], at[kept]] = new[kept]
        return past


def traits(mark: Ints, heard: Heard) -> AnyArray:
    """Return `TRAITS` in whole 16ths, each within its bounds, shape (len(TRAITS), n_frames)."""
    # What is louder than the mark may be the caller, of whom that is not sure yet.
    mark_db = np.maximum(mark / _FINE, heard.high_db)
    result = np.stack(
        [
            mark_db - heard.high_db,
            heard.high_snr_db,
            heard.mean_snr_db,
            mark_db - heard.low_db,
            heard.n_loud,
        ]
    )
    result *= FRACTION
    np.rint(result, out=result)
    np.maximum(result, 0.0, out=result)
    np.minimum(result, _LIMITS, out=result)
    return result


def odds(traits: AnyArray) -> AnyArray:
    """Return how much more likely the caller's it is than not, as logarithms in 2**-30.

    Whole numbers below 2**53, which are exact in float64, and whose products are so much faster.
    """
    result: AnyArray = (traits * (_WHOLE + _WHOLE_PRODUCTS @ traits)).sum(axis=0) + _WHOLE_BIAS
    return result
