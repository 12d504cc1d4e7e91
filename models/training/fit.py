"""Fit the detector: functionals, absolute and relative to the caller's calm voice, to a logit.

Logistic regression on standardised functionals. Loudness is left out on purpose (a telephone's
gain is unknown), and pitch enters only relative to the caller: a high voice is not irritated.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from hackles.baseline import shrink
from hackles.errors import UsageError
from hackles.features import FUNCTIONAL_NAMES
from hackles.types import AnyArray, Array, Bools, Ints
from models.training.corpora import ANGER, AROUSED, CALM, UNAROUSED, Clip
from models.training.measure import Readings
from models.training.splits import Fold

PRIOR = 0.2
"""Stated prior of irritation: what the shown probability assumes."""

LIMIT = 5.0
"""Standardised values are held within plus and minus this: no input can run away."""

_STRENGTH = 0.02
_LONGEST_BASELINE = 40
COLD = 0.3
"""Share of rows that are trained without a baseline: every call begins so."""

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
class Examples:
    """Readings with their labels; arrays of n rows.

    Attributes:
        values: functionals, shape (n, n_functionals).
        clip: index of the clip that each reading is of.
        part: which clips share audio with it: those of the same part may not be its baseline.
        corpus, speaker, emotion: of that clip.
    """

    values: Array
    clip: Ints
    part: Ints
    corpus: AnyArray
    speaker: AnyArray
    emotion: AnyArray

    @property
    def angry(self) -> Bools:
        """Which rows are anger."""
        result: Bools = self.emotion == ANGER
        return result

    @property
    def calm(self) -> Bools:
        """Which rows a caller's baseline may be made of."""
        return np.isin(self.emotion, list(CALM))

    def spoken_by(self, speakers: Collection[str]) -> Bools:
        """Return which rows are of some speakers."""
        return np.isin(self.speaker, list(speakers))

    def rows(self, chosen: Bools) -> "Examples":
        """Return some of the rows."""
        return Examples(*(getattr(self, name)[chosen] for name in self.__slots__))


def examples(clips: Sequence[Clip], *readings: Readings) -> Examples:
    """Put labels to readings."""
    clip = np.concatenate([r.clip for r in readings])
    labels = [
        np.array([getattr(c, name) for c in clips])[clip]
        for name in ("corpus", "speaker", "emotion")
    ]
    part = np.concatenate([r.part for r in readings])
    return Examples(np.concatenate([r.values for r in readings]), clip, part, *labels)


@dataclass(frozen=True, slots=True)
class Model:
    """A fitted detector.

    Attributes:
        prior_mean: the population's calm functionals, shape (n_functionals,).
        mean, scale: standardise the inputs, shape (n_inputs,).
        weights: shape (n_inputs, 2), to the logits of irritation and arousal at even odds.
        bias: shape (2,).
        slope, offset: calibration of the logit of irritation, an affine.
        inputs: what it looks at.
    """

    prior_mean: Array
    mean: AnyArray
    scale: AnyArray
    weights: AnyArray
    bias: AnyArray
    slope: float = 1.0
    offset: float = 0.0
    inputs: Inputs = INPUTS

    def logits(self, values: Array, baseline: Array) -> AnyArray:
        """Return calibrated logits at even odds, shape (n, 2)."""
        standard = (self.inputs.seen(values, baseline) - self.mean) / self.scale
        raw = np.clip(standard, -LIMIT, LIMIT) @ self.weights + self.bias
        raw[:, 0] = self.slope * raw[:, 0] + self.offset
        return raw


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
    rng = np.random.default_rng(seed)
    mean = np.tile(prior_mean, (len(data.clip), 1))
    count = np.zeros(len(data.clip), dtype=np.float32)
    calm = data.calm
    for speaker in np.unique(data.speaker):
        own = data.speaker == speaker
        pool = np.flatnonzero(own & calm)
        others = {part: pool[data.part[pool] != part] for part in np.unique(data.part[own])}
        for row in np.flatnonzero(own):
            other = others[data.part[row]]
            if len(other) and rng.random() >= cold:
                wanted = rng.integers(1, _LONGEST_BASELINE)
                chosen = other[rng.integers(0, len(other), wanted)]
                lasting = None if seconds is None else seconds[chosen]
                mean[row], count[row] = _mean(data.values[chosen], lasting)
    return shrink(mean, count, prior_mean)


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


def balance(corpus: AnyArray, label: Bools) -> AnyArray:
    """Return weights under which every corpus weighs the same, and so do its two classes."""
    weight = np.zeros(len(label))
    for name in np.unique(corpus):
        for side in (False, True):
            group = (corpus == name) & (label == side)
            weight[group] = 1.0 / max(int(group.sum()), 1)
    weight *= len(weight) / weight.sum()
    return weight


def fit(data: Examples, seed: int = 0, inputs: Inputs = INPUTS) -> Model:
    """Fit a detector, not yet calibrated."""
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
    return Model(prior_mean, mean, scale, weights, bias, inputs=inputs)


def strangers(data: Examples) -> tuple[Fold, ...]:
    """Return who is left out in turn to judge how a detector does on voices unlike those it saw.

    A corpus at a time; of one corpus alone, a fifth of its speakers.

    Raises:
        UsageError: if there is one corpus, and fewer than two of its speakers are calm and angry.
    """
    corpora = np.unique(data.corpus).tolist()
    if len(corpora) > 1:
        return tuple(Fold(c, frozenset(data.speaker[data.corpus == c].tolist())) for c in corpora)
    both = np.intersect1d(data.speaker[data.angry], data.speaker[data.calm]).tolist()
    if len(both) < 2:
        raise UsageError(
            f"{' '.join(corpora)} alone has fewer than two speakers to train on with both calm and "
            "angry speech; add some."
        )
    # Those of both come first, so that each fold leaves one of them to fit on.
    order = both + np.setdiff1d(data.speaker, both).tolist()
    fifths = [frozenset(order[start::5]) for start in range(min(5, len(order)))]
    return tuple(Fold(f"{corpora[0]}, part {n}", who) for n, who in enumerate(fifths, 1))


def fit_calibrated(data: Examples) -> Model:
    """Fit a detector and calibrate it on strangers to it."""
    unseen = np.zeros(len(data.clip))
    for stranger in strangers(data):
        out = data.spoken_by(stranger.speakers)
        fold, test = fit(data.rows(~out)), data.rows(out)
        baselines = draw_baselines(test, fold.prior_mean, COLD, seed=1)
        unseen[out] = fold.logits(test.values, baselines)[:, 0]
    weight = balance(data.corpus, data.angry)
    affine = LogisticRegression(C=1e6).fit(unseen[:, None], data.angry, sample_weight=weight)
    model = fit(data)
    return Model(
        model.prior_mean,
        model.mean,
        model.scale,
        model.weights,
        model.bias,
        float(affine.coef_[0, 0]),
        float(affine.intercept_[0]),
    )
