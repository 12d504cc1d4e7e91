"""Fit the detector: a regression on functionals, and a network on contours, to one logit.

The regression sees standardised functionals, absolute and relative to the caller's calm voice.
Loudness is left out on purpose (a telephone's gain is unknown), and pitch enters only relative to
the caller: a high voice is not irritated. The network sees how the voice goes up and down
(`network`). How much each of them counts is fitted on voices that neither has heard.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sklearn.linear_model import LogisticRegression

from hackles.baseline import known, shrink
from hackles.errors import UsageError
from hackles.features import FUNCTIONAL_NAMES
from hackles.types import AnyArray, Array, Bools, Ints
from models.training.corpora import ANGER, AROUSED, CALM, UNAROUSED, Clip
from models.training.learning import STEPS, train
from models.training.measure import Readings
from models.training.network import Network
from models.training.splits import Fold

PRIOR = 0.2
"""Stated prior of irritation: what the shown probability assumes."""

PRIOR_LOGIT = float(np.log(PRIOR / (1 - PRIOR)))

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
        contours: shape (n, CONTOUR_FRAMES, N_CONTOURS), uint8.
        clip: index of the clip that each reading is of.
        part: which clips share audio with it: those of the same part may not be its baseline.
        corpus, speaker, emotion: of that clip.
    """

    values: Array
    contours: AnyArray
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
    values, contours = (
        np.concatenate([getattr(r, name) for r in readings]) for name in ("values", "contours")
    )
    return Examples(values, contours, clip, part, *labels)


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
