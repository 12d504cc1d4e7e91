"""Which of what sounds like speech is the caller's, and not that of people behind the caller.

Who talks in the background is heard best when the caller is silent. Each call remembers how loud
its talk has been, and whatever lies far under that, hardly stands out of what is beside it and
never pauses is not the caller. Before the caller has spoken loudness cannot tell them apart: the
first to speak sets the mark, and whoever is louder takes over.
"""

from typing import Final, NamedTuple

import numpy as np

from hackles.framing import Batch
from hackles.types import AnyArray, Bools, Ints

_FORGOTTEN_DB: Final = 1 / 256
"""By so much the mark falls with each frame that sounds like speech: 0.4 dB a second of it. With
the clock it would be gone after a hold; yet one who comes back softer must be heard again."""

TRAITS: Final = ("under", "high", "mean", "deep", "loud")
"""How far the highest level of the last second lies under the mark; the highest and the mean SNR
of the last 320 ms; how far the lowest level of the last three seconds lies under the mark, all in
dB; and how many frames of the last two seconds stood out clearly."""

_MOST: Final = (30, 40, 40, 60, 200)

# A logistic rule: bias, weights, and weights of the products of two, in the order of TRAITS, each
# with itself and those after it. Fitted by benchmarks/fit_foreground.py.
_BIAS = 5.303
_WEIGHTS = (-0.4443, 0.5116, -0.4231, 0.1538, -0.08614)
_PRODUCTS = (
    (-0.0002774, 0.006223, -0.008661, 0.003976, 0.000358),
    (-0.006381, 0.005466, -0.003095, 0.0006384),
    (-0.002682, 0.006889, 0.0004178),
    (-0.00485, 0.0004935),
    (6.661e-05,),
)

# In whole numbers, whose sums are exact in whichever order: levels for the mark in 65536ths of a
# dB, since a change of gain must not move them, traits in 16ths.
_FINE, _FRACTION, _BITS = 2**16, 2**4, 30
_STEP: Final = round(_FINE * _FORGOTTEN_DB)
_NEVER = -(2**40)
_LIMITS: Ints = _FRACTION * np.array(_MOST, dtype=np.int64)[:, None]
_WHOLE_BIAS = round(2.0**_BITS * _BIAS)
_WHOLE: Ints = np.rint(2.0**_BITS / _FRACTION * np.array(_WEIGHTS)).astype(np.int64)[:, None]
_WHOLE_PRODUCTS: Ints = np.zeros((len(TRAITS), len(TRAITS)), dtype=np.int64)
_WHOLE_PRODUCTS[np.triu_indices(len(TRAITS))] = np.rint(
    2.0**_BITS / _FRACTION**2 * np.concatenate([np.array(row) for row in _PRODUCTS])
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
        self._mark: Ints = np.full(n_slots, _NEVER, dtype=np.int64)

    def clear(self, slot: int) -> None:
        """Forget a call."""
        self._mark[slot] = _NEVER

    def update(self, batch: Batch, talk: Bools, heard: Heard) -> Bools:
        """Return which frames of talk are the caller's, shape (n_frames,).

        Args:
            batch: whose frames they are.
            talk: which sound like speech, shape (n_frames,).
            heard: what is heard of each.
        """
        mark = self._marks(batch, talk, heard.held_db)
        at = np.flatnonzero(talk)
        caller = np.zeros_like(talk)
        caller[at] = odds(traits(mark[at], Heard(*(column[at] for column in heard)))) > 0
        return caller

    def _marks(self, batch: Batch, talk: Bools, held_db: AnyArray) -> Ints:
        """Return how loud the call's talk has been up to each frame; of no use before any talk."""
        talks = batch.pad(talk)
        fallen = _STEP * np.cumsum(talks, axis=1)
        level = batch.pad(np.rint(_FINE * held_db.astype(np.float64)).astype(np.int64))
        raised = np.where(talks, level + fallen, _NEVER)
        raised[:, 0] = np.maximum(raised[:, 0], self._mark[batch.slots])
        mark = np.maximum.accumulate(raised, axis=1) - fallen
        self._mark[batch.slots] = mark[:, -1]
        result: Ints = mark[batch.inside]
        return result


def traits(mark: Ints, heard: Heard) -> Ints:
    """Return `TRAITS` in 16ths, each within its bounds, shape (len(TRAITS), n_frames)."""
    result = np.empty((len(TRAITS), len(mark)), dtype=np.int64)
    mark_db = mark / _FINE
    for row, value in enumerate(
        (
            mark_db - heard.high_db,
            heard.high_snr_db,
            heard.mean_snr_db,
            mark_db - heard.low_db,
            heard.n_loud,
        )
    ):
        result[row] = np.rint(_FRACTION * value)
    np.maximum(result, 0, out=result)
    np.minimum(result, _LIMITS, out=result)
    return result


def odds(traits: Ints) -> Ints:
    """Return how much more likely the caller's it is than not, as logarithms in 2**-30."""
    result: Ints = (traits * (_WHOLE + _WHOLE_PRODUCTS @ traits)).sum(axis=0) + _WHOLE_BIAS
    return result
