"""How much each part of a detector counts, and how it stands to the caller's own calm.

All of it is fitted on what detectors say of voices that they did not hear.
"""

from dataclasses import replace

import numpy as np
from sklearn.linear_model import LogisticRegression

from hackles.baseline import known
from hackles.types import AnyArray
from models.training.baselines import own_calm
from models.training.examples import Examples
from models.training.fit import Model, balance


def calibrated(model: Model, data: Examples, parts: AnyArray) -> Model:
    """Return a model with its calibration.

    Args:
        model: fitted on `data`.
        data: readings.
        parts: what regression and network of models that did not hear them said, shape (n, 2).
    """
    weight = balance(data.corpus, data.angry)
    shares = _shares(data, parts, weight) if model.network else np.array([1.0, 0.0])
    affine = LogisticRegression(C=1e6).fit(
        (parts @ shares)[:, None], data.angry, sample_weight=weight
    )
    regression, network = (float(share) for share in affine.coef_[0, 0] * shares)
    slopes, offset = (regression, network), float(affine.intercept_[0])
    logit = parts @ np.array(slopes) + offset
    calm = [logit[data.calm & (data.speaker == who)] for who in np.unique(data.speaker[data.calm])]
    calm_logit = float(np.mean([own.mean() for own in calm]))
    return replace(
        model,
        slopes=slopes,
        offset=offset,
        calm_logit=calm_logit,
        own_share=_own_share(data, logit, calm_logit),
    )


def _shares(data: Examples, parts: AnyArray, weight: AnyArray) -> AnyArray:
    """Return how much regression and network count, shape (2,).

    Fitted with an offset for each corpus: what moves a whole corpus is its line and its actors, and
    says nothing of which of the two knows anger.
    """
    corpora = np.unique(data.corpus)
    own = (data.corpus[:, None] == corpora[1:]).astype(np.float64)
    inputs = np.concatenate([parts, own], axis=1)
    found = LogisticRegression(C=1e6, max_iter=1000).fit(inputs, data.angry, sample_weight=weight)
    result: AnyArray = np.maximum(found.coef_[0, :2], 0.0)
    return result


def _own_share(data: Examples, logit: AnyArray, calm_logit: float) -> float:
    """Return how much of a caller's own calm logit is best taken off, 0 to 1."""
    own, count = own_calm(data, logit, 0.0, seed=1)
    rows = count > 0
    if len(np.unique(data.angry[rows])) < 2:
        return 0.0  # nobody was heard twice in calm: there is nothing to learn it from
    apart = known(count) * (own - calm_logit)
    both = np.stack([logit, apart], axis=1)[rows]
    weight = balance(data.corpus[rows], data.angry[rows])
    found = LogisticRegression(C=1e6).fit(both, data.angry[rows], sample_weight=weight).coef_[0]
    return float(np.clip(-found[1] / max(found[0], 1e-6), 0.0, 1.0))
