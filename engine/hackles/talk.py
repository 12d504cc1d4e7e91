"""How much what is heard sounds like talk, and not like music, a tone or noise.

What each frame shows is written down in whole numbers (`marks`), whose sums over the last half
second are exact in whichever order they are added up. A logistic rule on the means (`likeness`)
says how much more those look like talk than like anything else.
"""

from typing import Final, Protocol

import numpy as np

from hackles.features import LLD, VOICED
from hackles.features.statistics import trailing
from hackles.framing import Batch
from hackles.types import AnyArray, Array, Bools, Ints

UNIT: Final = 16
"""A likeness of 1, in natural logarithms of odds, as a whole number."""

_LEAST_LOUD = 10
_FRACTION = 64
_LEAST, _MOST = -6, 5
"""One bar that sounds like talk must not outweigh a second of music."""

# mark: weight of its mean, weight of the mean's square. Fitted by benchmarks/fit_activity.py on
# speakers, music and tones that no figure is reported of.
_WEIGHTS: dict[str, tuple[float, float]] = {
    "pitch held": (-17.627, 10.945),
    "pitch glides": (14.651, -9.3448),
    "pitch after pitch": (5.3157, -4.6131),
    "voiced": (-4.5127, 2.0435),
    "voiced at the top": (7.7298, -9.1006),
    "voicing": (-1.3809, 0.010428),
    "voicing squared": (0.044076, 0.00013819),
    "voiced when soft": (-0.71362, -0.1071),
    "level moves": (-0.19896, -0.0017347),
    "rises": (8.3776, 3.1555),
    "drops": (21.833, 2.4204),
    "alpha ratio": (-0.08289, -0.0091133),
    "alpha ratio moves": (0.27006, -0.0043718),
    "Hammarberg squared": (0.0029477, -2.4334e-06),
    "centre": (0.48959, -0.039375),
    "centre squared": (0.0051732, 3.3342e-05),
}
_BIAS = 0.3911

MARKS = tuple(_WEIGHTS)
_SOFT = 1 + MARKS.index("voiced when soft")
N_SUMS: Final = 1 + len(MARKS)
"""The frames that stand out are counted first."""

_BITS = 30
_WHOLE: Ints = np.rint(
    2.0**_BITS * UNIT * np.array([*_WEIGHTS.values()]).T / np.array([[_FRACTION], [_FRACTION**2]])
).astype(np.int64)


class Stands(Protocol):
    """How frames stand to the last seconds, as `activity.Standing` says it."""

    @property
    def loud(self) -> Bools:
        """Return which stand out clearly."""

    @property
    def worth(self) -> Bools:
        """Return which stand out."""

    @property
    def below_db(self) -> Array:
        """Return how far each lies under the loudest of the last third of a second."""

    @property
    def step_db(self) -> Array:
        """Return how the level has changed within 20 ms."""


def marks(
    batch: Batch, standing: Stands, llds: Array, f0_st: AnyArray, alpha_db: AnyArray
) -> AnyArray:
    """Return what each frame shows, shape (N_SUMS, n_frames).

    Args:
        batch: whose frames they are.
        standing: how they stand.
        llds: shape (n_frames, N_LLDS).
        f0_st: at least three frames of before and the new ones, shape (n_rows, 3 + width).
        alpha_db: the alpha ratio, 15 frames of before and the new ones.
    """
    steps = np.abs(f0_st[:, 1:] - f0_st[:, :-1])
    far = np.abs(f0_st[:, 3:] - f0_st[:, :-3])
    pitches = (trailing(np.minimum, f0_st, 4) > 0.0) & (trailing(np.maximum, steps, 3) < 1.0)
    pair = (f0_st[:, 3:] > 0.0) & (f0_st[:, 2:-1] > 0.0)
    moved = trailing(np.maximum, alpha_db, 16) - trailing(np.minimum, alpha_db, 16)
    inside, voicing = batch.inside, llds[:, LLD["voicing"]]
    voiced = voicing >= VOICED
    strength = np.rint(16.0 * voicing)
    hammarberg = np.rint(_within(llds[:, LLD["hammarberg_db"]], -20.0, 40.0))
    centre = np.rint(llds[:, LLD["centroid_hz"]] / 100.0)
    result = np.empty((N_SUMS, len(voicing)), dtype=np.int32)
    for row, shown in enumerate(
        (
            1,
            (pitches & (far <= 0.1))[inside],
            (pitches & (far > 0.15) & (far < 2.0))[inside],
            pair[inside],
            voiced,
            voiced & (standing.below_db < 6.0),
            strength,
            strength * strength,
            0,
            np.rint(4.0 * np.minimum(np.abs(standing.step_db), 20.0)),
            standing.step_db > 1.5,
            standing.step_db < -6.0,
            np.rint(_within(llds[:, LLD["alpha_ratio_db"]], -30.0, 20.0)),
            np.rint(np.minimum(moved[inside], 40.0)),
            hammarberg * hammarberg,
            centre,
            centre * centre,
        )
    ):
        result[row] = shown
    result *= standing.loud
    # Speech is soft where it has no voice; what rings on is as periodic as it was.
    soft = _within(standing.below_db, 0.0, 20.0)
    result[_SOFT] = np.rint(soft * (voicing - 0.5)) * standing.worth
    return result


def _within(values: Array, least: float, most: float) -> Array:
    """Return values held in bounds; np.clip goes through five calls for it."""
    result: Array = np.minimum(np.maximum(values, np.float32(least)), np.float32(most))
    return result


def means(sums: AnyArray) -> Ints:
    """Return the mean marks of the loud frames in 64ths, shape (len(MARKS), n_frames)."""
    result: Ints = sums[1:].astype(np.int64) * _FRACTION // np.maximum(sums[0], _LEAST_LOUD)
    return result


def likeness(sums: AnyArray) -> Ints:
    """Return how much more like talk than like anything else it is, in `UNIT`s, held in bounds.

    Args:
        sums: of `marks` over the last half second, shape (N_SUMS, n_frames).
    """
    mean = means(sums)
    odds = ((_WHOLE[0] @ mean + _WHOLE[1] @ (mean * mean)) >> _BITS) + round(UNIT * _BIAS)
    result: Ints = np.minimum(np.maximum(odds, UNIT * _LEAST), UNIT * _MOST)
    return result
