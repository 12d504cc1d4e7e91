"""A detector of all the data, and one without each fold; all calibrated on strangers to them.

The detector without A is calibrated on B, as one without both heard it, for each other fold B; the
same one serves B's side. Five folds take sixteen fits in place of thirty.
"""

from collections.abc import Collection, Mapping
from itertools import combinations
from typing import TypeAlias

import numpy as np
from joblib import Parallel, delayed

from hackles.types import AnyArray
from models.training.baselines import COLD, draw_baselines
from models.training.calibrating import calibrated
from models.training.examples import Examples
from models.training.fit import Model, fit, strangers
from models.training.learning import STEPS
from models.training.splits import Fold

Fitted: TypeAlias = tuple[Model, AnyArray]
"""A detector, and what its parts say of the rows of those who were left out, shape (n, 2)."""

EVERYTHING = ""
"""Goes by the name of the detector that left nobody out."""


def crossed(data: Examples, steps: int = STEPS, processes: int = -1) -> dict[str, Model]:
    """Return calibrated detectors, by the fold that each left out.

    Args:
        data: what to learn from; the folds are those of `strangers`.
        steps: how long networks learn; 0 for none.
        processes: how many at a time; -1 for one on each core.

    Raises:
        UsageError: if there are too few speakers.
    """
    folds = {fold.name: fold for fold in strangers(data)}
    outs = [frozenset(some) for size in (2, 1, 0) for some in combinations(sorted(folds), size)]
    found = Parallel(processes)(delayed(_fitted)(data, folds, out, steps) for out in outs)
    return _calibrated(data, folds, dict(zip(outs, found, strict=True)))


def _calibrated(
    data: Examples, folds: Mapping[str, Fold], fitted: Mapping[frozenset[str], Fitted]
) -> dict[str, Model]:
    """Return the detectors without one fold, and the whole one, calibrated by those without two."""
    result = {}
    for name in (EVERYTHING, *folds):
        out = frozenset({name} - {EVERYTHING})
        parts = np.full((len(data.clip), 2), np.nan)
        for other in folds.values():
            if other.name != name:
                rows = data.spoken_by(other.speakers)
                said = fitted[out | {other.name}][1]
                parts[rows] = said[rows]
        rows = np.isfinite(parts[:, 0])
        result[name] = calibrated(fitted[out][0], data.rows(rows), parts[rows])
    return result


def _fitted(data: Examples, folds: Mapping[str, Fold], out: Collection[str], steps: int) -> Fitted:
    """Return a detector without some folds, and what its parts say of those, else nan."""
    left_out = data.spoken_by(frozenset().union(*(folds[name].speakers for name in out)))
    model = fit(data.rows(~left_out), steps=steps)
    said = np.full((len(data.clip), 2), np.nan)
    if left_out.any():
        test = data.rows(left_out)
        baselines = draw_baselines(test, model.prior_mean, COLD, seed=1)
        said[left_out] = model.parts(test.values, test.contours, baselines)[:, :, 0]
    return model, said
