"""Callers' baselines, drawn at random: as in a call, from nothing to 40 s of their calm speech."""

from collections.abc import Iterator

import numpy as np

from hackles.baseline import shrink
from hackles.types import AnyArray, Array, Ints
from models.training.examples import Examples

COLD = 0.3
"""Share of rows that are trained without a baseline: every call begins so."""

_LONGEST_BASELINE = 40


def calm_mean(data: Examples) -> Array:
    """Return the mean over speakers of each one's mean calm functionals."""
    calm = data.rows(data.calm)
    speakers = np.unique(calm.speaker)
    each = [calm.values[calm.speaker == speaker].mean(axis=0) for speaker in speakers]
    result: Array = np.mean(each, axis=0).astype(np.float32)
    return result


def draw_baselines(
    data: Examples, prior_mean: Array, cold: float, seed: int, seconds: Array | None = None
) -> Array:
    """Return a random baseline for each row: from none (with probability `cold`) to 40 s long.

    Args:
        data: whose rows; a baseline is drawn from the speaker's other calm ones.
        prior_mean: the population's, shape (n_functionals,).
        cold: share of rows without a baseline.
        seed: of the draws.
        seconds: of speech that each row stands for, shape (n,); else one, as a reading does.
    """
    mean = np.tile(prior_mean, (len(data.clip), 1))
    count = np.zeros(len(data.clip), dtype=np.float32)
    for row, chosen in _drawn(data, cold, seed):
        lasting = None if seconds is None else seconds[chosen]
        mean[row], count[row] = _mean(data.values[chosen], lasting)
    return shrink(mean, count, prior_mean)


def own_calm(data: Examples, logit: AnyArray, cold: float, seed: int) -> tuple[AnyArray, AnyArray]:
    """Return the mean logit of the calm readings that `draw_baselines` draws, and their number."""
    mean, count = np.zeros(len(logit)), np.zeros(len(logit))
    for row, chosen in _drawn(data, cold, seed):
        mean[row], count[row] = logit[chosen].mean(), len(chosen)
    return mean, count


def _drawn(data: Examples, cold: float, seed: int) -> Iterator[tuple[int, Ints]]:
    """Yield rows that are given a baseline, and the calm rows of the speaker that it is of."""
    rng = np.random.default_rng(seed)
    calm = data.calm
    for speaker in np.unique(data.speaker):
        own = data.speaker == speaker
        pool = np.flatnonzero(own & calm)
        others = {part: pool[data.part[pool] != part] for part in np.unique(data.part[own])}
        for row in np.flatnonzero(own):
            other = others[data.part[row]]
            if len(other) and rng.random() >= cold:
                wanted = rng.integers(1, _LONGEST_BASELINE)
                yield int(row), other[rng.integers(0, len(other), wanted)]


def _mean(values: Array, seconds: Array | None) -> tuple[Array, float]:
    """Return the mean of rows, and how many seconds it is of.

    Of rows that last longer than a second each, as many are taken as last as long as there are
    rows.
    """
    if seconds is None:
        # What `mean` says, bit by bit, in half of the time.
        return np.add.reduce(values, axis=0) / np.float32(len(values)), len(values)
    enough = np.cumsum(seconds) - seconds < len(seconds)
    weight = seconds[enough]
    result: Array = np.average(values[enough], axis=0, weights=weight)
    return result, float(weight.sum())
