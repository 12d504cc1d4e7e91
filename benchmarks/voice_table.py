"""Measures of many clips, and statistics within their speakers: for `voice_quality`."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import rankdata

from benchmarks.record import Figures
from benchmarks.voice_clips import Heard
from hackles.types import AnyArray, Bools
from models.training.corpora import ANGER, CALM

_SEED = 2026


class Table:
    """Measures of many clips as columns, and statistics within their speakers."""

    def __init__(self, heard: Sequence[Heard]) -> None:
        """Keep the clips and who speaks, by number."""
        self.heard = heard
        names = sorted({h.clip.speaker for h in heard})
        place = {name: at for at, name in enumerate(names)}
        self.speaker = np.array([place[h.clip.speaker] for h in heard])
        self.corpus_of = np.array([name.split(":")[0] for name in names])
        emotion = np.array([h.clip.emotion for h in heard])
        self.angry, self.calm = emotion == ANGER, np.isin(emotion, list(CALM))
        self.happy = emotion == "happiness"
        rng = np.random.default_rng(_SEED)
        own = [np.flatnonzero(self.corpus_of == corpus) for corpus in np.unique(self.corpus_of)]
        self.draws = np.concatenate([rng.choice(some, (1000, len(some))) for some in own], axis=1)
        self.weight = 1.0 / np.array([np.sum(self.corpus_of == c) for c in self.corpus_of])

    def column(self, road: str, name: str) -> AnyArray:
        """Return one measure of every clip, nan where there is none."""
        return np.array([h.values[road].get(name, np.nan) for h in self.heard])

    def correlation(self, x: AnyArray, y: AnyArray, *given: AnyArray) -> Figures:
        """Return Spearman's correlation within speakers, given other quantities or none."""
        good = np.isfinite(np.stack([x, y, *given])).all(axis=0)
        who, count = self.speaker[good], len(self.corpus_of)
        a, b, *known = (_centred(v[good], who) for v in (x, y, *given))
        if known:
            z = np.stack(known, axis=1)
            a, b = (v - z @ np.linalg.lstsq(z, v, rcond=None)[0] for v in (a, b))
        ab, aa, bb = (np.bincount(who, v, count) for v in (a * b, a * a, b * b))
        drawn = [ab[d].sum() / np.sqrt(aa[d].sum() * bb[d].sum()) for d in self.draws]
        return _ranged(float(ab.sum() / np.sqrt(aa.sum() * bb.sum())), np.array(drawn))

    def auc(self, score: AnyArray, others: Bools) -> AnyArray:
        """Return by speaker the share of pairs in which the angry clip scores higher; nan: none."""
        found = np.full(len(self.corpus_of), np.nan)
        for speaker in range(len(found)):
            own = (self.speaker == speaker) & np.isfinite(score)
            up, down = score[own & self.angry], score[own & others]
            if len(up) and len(down):
                pairs = up[:, None] - down
                found[speaker] = np.mean((pairs > 0) + 0.5 * (pairs == 0))
        return found

    def over_speakers(self, values: AnyArray) -> Figures:
        """Return the mean over speakers, every corpus with the same weight, and its range."""
        weight = np.where(np.isfinite(values), self.weight, 0.0)
        product = weight * np.nan_to_num(values)
        drawn = product[self.draws].sum(axis=1) / weight[self.draws].sum(axis=1)
        return _ranged(float(product.sum() / weight.sum()), drawn)

    def by_corpus(self, values: AnyArray) -> dict[str, float]:
        """Return the mean over each corpus' speakers, where any has a value."""
        own = {str(c): values[self.corpus_of == c] for c in np.unique(self.corpus_of)}
        return {c: short(np.nanmean(v)) for c, v in own.items() if np.isfinite(v).any()}

    def relative(self, values: AnyArray) -> AnyArray:
        """Return values less the mean of the speaker's calm clips, the clip itself left out."""
        n = np.bincount(self.speaker, self.calm, len(self.corpus_of))
        sums = np.zeros((len(n), values.shape[1]))
        np.add.at(sums, self.speaker[self.calm], values[self.calm])
        rest = sums[self.speaker] - values * self.calm[:, None]
        others = np.maximum(n[self.speaker] - self.calm, 1)
        result: AnyArray = values - rest / others[:, None]
        return result


def short(value: float) -> float:
    """Return a number to three places."""
    return round(float(value), 3)


def _ranged(value: float, drawn: AnyArray) -> Figures:
    low, high = np.percentile(drawn, (2.5, 97.5))
    return {"value": short(value), "low": short(low), "high": short(high)}


def _centred(values: AnyArray, who: AnyArray) -> AnyArray:
    """Return the ranks of the values less their speaker's mean rank."""
    ranks = rankdata(values)
    mean = np.bincount(who, ranks) / np.maximum(np.bincount(who), 1)
    centred: AnyArray = ranks - mean[who]
    return centred
