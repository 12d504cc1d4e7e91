"""Fit the detector: a regression on functionals, and a network on contours, to one logit.

The regression sees standardised functionals, absolute and relative to the caller's calm voice.
Loudness is left out on purpose (a telephone's gain is unknown), and pitch enters only relative to
the caller: a high voice is not irritated. The network sees how the voice goes up and down
(`network`). How much each of them counts is fitted on voices that neither has heard.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from hackles.baseline import known
from hackles.errors import UsageError
from hackles.features import FUNCTIONAL_NAMES
from hackles.types import AnyArray, Array, Bools, Ints
from models.training.baselines import COLD, calm_mean, draw_baselines
from models.training.corpora import AROUSED, UNAROUSED
from models.training.examples import Examples
from models.training.learning import STEPS, train
from models.training.network import Network
from models.training.splits import Fold

PRIOR = 0.2
"""Stated prior of irritation: what the shown probability assumes."""

PRIOR_LOGIT = float(np.log(PRIOR / (1 - PRIOR)))

LIMIT = 5.0
"""Standardised values are held within plus and minus this: no input can run away."""

_STRENGTH = 0.02

# A telephone's gain is unknown, and the tempo buys nothing (`benchmarks/ablation.py`): both are
# measured to be told to people.
_LEFT_OUT = {"level_db_mean", "syllable_rate"}
# A high voice is not irritated; and what a line, or a voice, is coloured like is no mood.
_NOT_ABSOLUTE = {"f0_st_p20", "f0_st_p50", "f0_st_p80"}
_NOT_ABSOLUTE |= {name for name in FUNCTIONAL_NAMES if name.startswith("mfcc")}


@dataclass(frozen=True, slots=True)
class Inputs:
    """Which functionals the regression sees, as they are and as differences to the baseline."""

    absolute: Ints
    relative: Ints

    @staticmethod
    def of(names: Collection[str]) -> "Inputs":
        """Return the inputs made of some functionals; pitch enters relative to the caller only."""
        relative = [i for i, n in enumerate(FUNCTIONAL_NAMES) if n in names]
        absolute = [i for i in relative if FUNCTIONAL_NAMES[i] not in _NOT_ABSOLUTE]
        return Inputs(np.array(absolute, dtype=np.int64), np.array(relative, dtype=np.int64))

    def seen(self, values: Array, baseline: Array) -> AnyArray:
        """Return what the regression sees of readings."""
        moved = (values - baseline)[:, self.relative]
        return np.concatenate([values[:, self.absolute], moved], axis=1)


USED = tuple(name for name in FUNCTIONAL_NAMES if name not in _LEFT_OUT)
INPUTS = Inputs.of(USED)


@dataclass(frozen=True, slots=True)
class Model:
    """A fitted detector.

    Attributes:
        prior_mean: the population's calm functionals, shape (n_functionals,).
        mean, scale: standardise the inputs, shape (n_inputs,).
        weights: shape (n_inputs, 2), to the logits of irritation and arousal at even odds.
        bias: shape (2,).
        slopes, offset: how much the regression's and the network's logit of irritation count: an
            affine, by which the sum is calibrated.
        network: None for the regression alone.
        calm_logit: of calm speech, at even odds, the mean over speakers.
        own_share: how much of what sets a caller's own calm speech apart from that is taken off.
        inputs: what the regression looks at.
    """

    prior_mean: Array
    mean: AnyArray
    scale: AnyArray
    weights: AnyArray
    bias: AnyArray
    slopes: tuple[float, float] = (1.0, 0.0)
    offset: float = 0.0
    network: Network | None = None
    calm_logit: float = 0.0
    own_share: float = 0.0
    inputs: Inputs = INPUTS

    def logits(self, values: Array, contours: AnyArray, baseline: Array) -> AnyArray:
        """Return calibrated logits of irritation and arousal at even odds, shape (n, 2)."""
        by_parts = self.parts(values, contours, baseline)
        irritation = by_parts[:, :, 0] @ np.array(self.slopes) + self.offset
        arousal = by_parts[:, : 2 if self.network else 1, 1].mean(axis=1)
        return np.stack([irritation, arousal], axis=1)

    def parts(self, values: Array, contours: AnyArray, baseline: Array) -> AnyArray:
        """Return what the regression and the network say, shape (n, 2, 2): who, of what."""
        standard = (self.inputs.seen(values, baseline) - self.mean) / self.scale
        result = np.zeros((len(values), 2, 2))
        result[:, 0] = np.clip(standard, -LIMIT, LIMIT) @ self.weights + self.bias
        if self.network:
            result[:, 1] = self.network.logits(contours)
        return result

    def relative(self, logit: AnyArray, own: AnyArray, readings: AnyArray) -> AnyArray:
        """Return logits less what sets the callers' own calm speech apart, as the engine does.

        Args:
            logit: of irritation, shape (n,).
            own: the mean logit of each caller's calm speech, shape (n,).
            readings: how many readings that is of, shape (n,).
        """
        return logit - self.own_share * known(readings) * (own - self.calm_logit)


def balance(corpus: AnyArray, label: Bools) -> AnyArray:
    """Return weights under which every corpus weighs the same, and so do its two classes."""
    weight = np.zeros(len(label))
    for name in np.unique(corpus):
        for side in (False, True):
            group = (corpus == name) & (label == side)
            weight[group] = 1.0 / max(int(group.sum()), 1)
    weight *= len(weight) / weight.sum()
    return weight


def fit(data: Examples, seed: int = 0, inputs: Inputs = INPUTS, steps: int = STEPS) -> Model:
    """Fit a detector, not yet calibrated.

    Args:
        data: what to learn from.
        seed: of the baselines that are drawn, and of the network.
        inputs: what the regression looks at.
        steps: how long the network learns; 0 for none.
    """
    prior_mean = calm_mean(data)
    seen = inputs.seen(data.values, draw_baselines(data, prior_mean, COLD, seed))
    mean, scale = seen.mean(axis=0), seen.std(axis=0) + 1e-6
    standard = np.clip((seen - mean) / scale, -LIMIT, LIMIT)
    aroused = np.isin(data.emotion, list(AROUSED))
    told = aroused | np.isin(data.emotion, list(UNAROUSED))
    heads = [
        LogisticRegression(C=_STRENGTH, max_iter=1000).fit(
            standard[rows], label[rows], sample_weight=balance(data.corpus[rows], label[rows])
        )
        for label, rows in ((data.angry, np.ones(len(told), np.bool_)), (aroused, told))
    ]
    weights = np.stack([head.coef_[0] for head in heads], axis=1)
    bias = np.array([head.intercept_[0] for head in heads])
    network = None
    if steps:
        network = train(data.contours, data.corpus, data.speaker, data.emotion, seed, steps)
    return Model(prior_mean, mean, scale, weights, bias, network=network, inputs=inputs)


def strangers(data: Examples) -> tuple[Fold, ...]:
    """Return who is left out in turn to judge how a detector does on voices unlike those it saw.

    A corpus at a time; of one or two corpora, a fifth of the speakers: a detector that leaves out
    two folds (see `crossed`) needs a third.

    Raises:
        UsageError: if there are one or two corpora, and fewer than three speakers in them are calm
            and angry.
    """
    corpora = np.unique(data.corpus).tolist()
    if len(corpora) > 2:
        return tuple(Fold(c, frozenset(data.speaker[data.corpus == c].tolist())) for c in corpora)
    both = np.intersect1d(data.speaker[data.angry], data.speaker[data.calm]).tolist()
    if len(both) < 3:
        raise UsageError(
            f"{' and '.join(corpora)} alone: fewer than three speakers to train on are calm at "
            "times and angry at others; add some."
        )
    # Those of both come first, so that any two folds leave one of them to fit on.
    order = both + np.setdiff1d(data.speaker, both).tolist()
    fifths = [frozenset(order[start::5]) for start in range(min(5, len(order)))]
    name = " and ".join(corpora)
    return tuple(Fold(f"{name}, part {n}", who) for n, who in enumerate(fifths, 1))
