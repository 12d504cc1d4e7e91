"""How well clips are told apart, on speakers and on corpora that the model did not see."""

from collections.abc import Sequence

import numpy as np
from sklearn.metrics import roc_auc_score

from hackles.types import AnyArray
from models.training.baselines import draw_baselines
from models.training.examples import Examples
from models.training.fit import INPUTS, Inputs, fit
from models.training.splits import Fold


def auc_by_corpus(data: Examples, logit: AnyArray) -> dict[str, float]:
    """Return the AUC of anger against all else per corpus, their mean, and pooled.

    A clip's score is the mean over its readings.
    """
    clip, first = np.unique(data.clip, return_index=True)
    score = np.array([logit[data.clip == c].mean() for c in clip])
    angry, corpus = data.angry[first], data.corpus[first]
    each = {
        str(name): float(roc_auc_score(angry[corpus == name], score[corpus == name]))
        for name in np.unique(corpus)
    }
    pooled = float(roc_auc_score(angry, score))
    return each | {"mean": float(np.mean(list(each.values()))), "pooled": pooled}


def unseen_logits(
    data: Examples, test: Examples, folds: Sequence[Fold], cold: bool, inputs: Inputs = INPUTS
) -> AnyArray:
    """Return logits of the regression alone, each from one fitted without the speakers of its fold.

    Args:
        data: what to fit on.
        test: what to judge, of the same clips.
        folds: whom to leave out in turn; every speaker is of one.
        cold: judge without a caller's baseline; else with one of up to 40 s of other clips.
        inputs: what the model looks at.
    """
    logits = np.zeros(len(test.clip))
    for fold in folds:
        out = test.spoken_by(fold.speakers)
        if not out.any():
            continue
        model = fit(data.rows(~data.spoken_by(fold.speakers)), inputs=inputs, steps=0)
        # The baselines of a speaker come from the speaker's own clips, all of them left out.
        seen = test.rows(out)
        baselines = draw_baselines(seen, model.prior_mean, 1.0 if cold else 0.0, seed=1)
        logits[out] = model.logits(seen.values, seen.contours, baselines)[:, 0]
    return logits
