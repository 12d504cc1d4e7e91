"""How well logits tell anger from the rest: figures, and how far to trust them.

Clips of one speaker are alike, so the ranges come from resampling speakers, within corpora. All
figures that have a range are worked out from sums per speaker; a resampling then only weighs
speakers, and a thousand of them take a second.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import roc_curve

from hackles.types import AnyArray, Bools, Ints
from models.training.fit import PRIOR

DRAWS = 1000
N_BINS = 10
FALSE_POSITIVES = 0.05
_SEED = 2026


@dataclass(frozen=True, slots=True)
class Scores:
    """Judged clips; arrays of n.

    Attributes:
        logit: calibrated, at even odds.
        angry: which are anger.
        calm: which are neutral or calm.
        corpus, speaker: of whom they are.
    """

    logit: AnyArray
    angry: Bools
    calm: Bools
    corpus: AnyArray
    speaker: AnyArray

    def rows(self, chosen: Bools) -> "Scores":
        """Return some of the clips."""
        return Scores(*(getattr(self, name)[chosen] for name in self.__slots__))


def resampled(corpus: AnyArray, draws: int = DRAWS, seed: int = _SEED) -> AnyArray:
    """Return how often each speaker is drawn: as many of each corpus as there are.

    Args:
        corpus: of each speaker, shape (n_speakers,).
        draws: how often to draw.
        seed: of the draws.

    Returns:
        Shape (1 + draws, n_speakers); the first row is everybody once, as measured.
    """
    rng = np.random.default_rng(seed)
    counts = np.ones((1 + draws, len(corpus)))
    for name in np.unique(corpus):
        own = np.flatnonzero(corpus == name)
        counts[1:, own] = rng.multinomial(len(own), np.full(len(own), 1 / len(own)), size=draws)
    return counts


def ranged(values: AnyArray, digits: int = 4) -> dict[str, float]:
    """Return the figure as measured, and its 95 % interval if there are draws.

    Drawn twice, a speaker's clips are compared with themselves, and an AUC comes out higher; an
    error of calibration is the larger the fewer speakers differ. What the draws lie above (or
    below) the measured figure on average is therefore taken off the interval.

    Args:
        values: the figure as measured and of each draw, shape (1 + draws,).
        digits: to round to.
    """
    found = {"value": values[0]}
    drawn = values[1:][np.isfinite(values[1:])]
    if len(drawn):
        found["low"], found["high"] = np.percentile(drawn, [2.5, 97.5]) - drawn.mean() + values[0]
    return {name: round(float(value), digits) for name, value in found.items()}


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums over each speaker's clips.

    Attributes:
        corpus: of each speaker, shape (n_speakers,).
        wins: pairs of an angry clip of one speaker (row) and another clip of one (column) in which
            the angry one scores higher; half a win where they score the same.
        calm_wins: the same against neutral and calm clips.
        clips: other clips and angry ones, shape (2, n_speakers).
        calm: neutral and calm clips, shape (n_speakers,).
        right: those of `clips` that the shipped threshold (even odds) judges rightly.
        bins: clips by how probable anger was said to be, shape (2, N_BINS, n_speakers).
        said: the sum of those probabilities, at the stated prior, shape as `bins`.
    """

    corpus: AnyArray
    wins: AnyArray
    calm_wins: AnyArray
    clips: AnyArray
    calm: AnyArray
    right: AnyArray
    bins: AnyArray
    said: AnyArray

    def of_corpus(self, name: str) -> "Tally":
        """Return the sums with all other corpora left out."""
        own = (self.corpus == name).astype(np.float64)
        both = own[:, None] * own
        return Tally(
            self.corpus,
            self.wins * both,
            self.calm_wins * both,
            *(getattr(self, what) * own for what in ("clips", "calm", "right", "bins", "said")),
        )


def tally(scores: Scores, speakers: AnyArray, corpus: AnyArray) -> Tally:
    """Return the sums over each speaker's clips.

    Args:
        scores: judged clips.
        speakers: all speakers there are, sorted, some perhaps without a clip here.
        corpus: of each of them.
    """
    who = np.searchsorted(speakers, scores.speaker)
    n, angry = len(speakers), scores.angry
    probability = 1 / (1 + np.exp(-(scores.logit + np.log(PRIOR / (1 - PRIOR)))))
    place = np.minimum((probability * N_BINS).astype(np.int64), N_BINS - 1)
    right = (scores.logit >= 0) == angry
    clips, hits = np.zeros((2, n)), np.zeros((2, n))
    bins, said = np.zeros((2, N_BINS, n)), np.zeros((2, N_BINS, n))
    for side in (0, 1):
        own = angry == bool(side)
        np.add.at(clips[side], who[own], 1)
        np.add.at(hits[side], who[own & right], 1)
        np.add.at(bins[side], (place[own], who[own]), 1)
        np.add.at(said[side], (place[own], who[own]), probability[own])
    calm = np.bincount(who[scores.calm], minlength=n).astype(np.float64)
    wins = [_wins(scores.logit, who, angry, other, n) for other in (~angry, scores.calm)]
    return Tally(corpus, wins[0], wins[1], clips, calm, hits, bins, said)


def _wins(logit: AnyArray, who: Ints, angry: Bools, other: Bools, n: int) -> AnyArray:
    """Return how many pairs the angry clips win, by speaker of the one and of the other."""
    high, found = logit[angry], np.zeros((n, n))
    for speaker in np.unique(who[other]):
        low = np.sort(logit[other & (who == speaker)])
        beaten = np.searchsorted(low, high, "left") + np.searchsorted(low, high, "right")
        found[:, speaker] = np.bincount(who[angry], beaten / 2, minlength=n)
    return found


def auc(of: Tally, counts: AnyArray) -> AnyArray:
    """Return the area under the ROC curve for each draw of speakers, shape (n_draws,)."""
    return _won(of.wins, of.clips[1], of.clips[0], counts)


def auc_against_calm(of: Tally, counts: AnyArray) -> AnyArray:
    """Return that area with neutral and calm clips alone on the other side, shape (n_draws,)."""
    return _won(of.calm_wins, of.clips[1], of.calm, counts)


def _won(wins: AnyArray, angry: AnyArray, others: AnyArray, counts: AnyArray) -> AnyArray:
    """Return the share of pairs won; a speaker drawn twice is in four times the pairs."""
    won = np.einsum("ds,ds->d", counts @ wins, counts)
    return _ratio(won, (counts @ angry) * (counts @ others))


def recall(of: Tally, counts: AnyArray) -> AnyArray:
    """Return the share of the angry clips found at the shipped threshold, shape (n_draws,)."""
    return _ratio(counts @ of.right[1], counts @ of.clips[1])


def uar(of: Tally, counts: AnyArray) -> AnyArray:
    """Return the unweighted average recall at the shipped threshold, shape (n_draws,)."""
    return (recall(of, counts) + _ratio(counts @ of.right[0], counts @ of.clips[0])) / 2


def ece(of: Tally, counts: AnyArray) -> AnyArray:
    """Return the expected calibration error, shape (n_draws,).

    Every corpus weighs the same, and anger has the stated prior in it, as the shown probability
    assumes.

    Source:
        Naeini et al. 2015, AAAI: the mean over bins of how far the mean probability is from the
        share of positives, weighed by the bin's clips.
    """
    share = np.array([1 - PRIOR, PRIOR])
    gap: AnyArray = np.zeros((len(counts), N_BINS))
    names = np.unique(of.corpus[of.clips.sum(axis=0) > 0])
    for name in names:
        own = of.corpus == name
        for side in (0, 1):
            here = (counts[:, own] @ of.clips[side, own])[:, None]
            weight = _ratio(share[side] / len(names), here)
            excess = of.said[side][:, own] - side * of.bins[side][:, own]
            gap = gap + weight * (counts[:, own] @ excess.T)
    result: AnyArray = np.abs(gap).sum(axis=1)
    return result


def _ratio(part: AnyArray, whole: AnyArray) -> AnyArray:
    """Return a share; nan where there is nothing to share."""
    result: AnyArray = np.where(whole > 0, part / np.where(whole > 0, whole, 1), np.nan)
    return result


def equal_error_rate(scores: Scores) -> float:
    """Return the share of errors where misses and false alarms are equally frequent."""
    false, found, _ = roc_curve(scores.angry, scores.logit, drop_intermediate=False)
    gap = (1 - found) - false
    after = int(np.argmax(gap <= 0))
    before = max(after - 1, 0)
    step = gap[before] - gap[after]
    part = gap[before] / step if step > 0 else 0.0
    return float(false[before] + part * (false[after] - false[before]))


def recall_at(scores: Scores, false_positives: float = FALSE_POSITIVES) -> float:
    """Return the largest recall with no more than so large a share of false positives."""
    false, found, _ = roc_curve(scores.angry, scores.logit, drop_intermediate=False)
    return float(found[false <= false_positives].max())
