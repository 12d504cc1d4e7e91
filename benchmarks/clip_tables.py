"""Figures of judged clips, by corpus, by kind of speaker and by codec, and how sure they are.

Where several corpora come together, "mean" is the mean over corpora and "pooled" all their clips
under one threshold.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from benchmarks import figures
from benchmarks.figures import Scores, Tally, ranged, resampled, tally
from benchmarks.record import Figures
from hackles.types import AnyArray, Bools
from models.training.corpora import ANGER, CALM, Clip

DRAWN: Mapping[str, Callable[[Tally, AnyArray], AnyArray]] = MappingProxyType(
    {
        "auc": figures.auc,
        "auc_against_calm": figures.auc_against_calm,
        "uar": figures.uar,
        "recall": figures.recall,
        "ece": figures.ece,
    }
)
"""Figures with an interval; `uar` and `recall` (of anger) are at the shipped threshold."""
_POINTS: Mapping[str, Callable[[Scores], float]] = MappingProxyType(
    {"eer": figures.equal_error_rate, "recall_at_5_percent_false": figures.recall_at}
)
_OF_GROUPS = ("auc", "uar", "recall")

Values: TypeAlias = dict[str, AnyArray]
"""By figure: as measured and, where it has an interval, of each draw, shape (1 + draws,)."""


class Judged:
    """Clips that several systems judged, and draws of their speakers."""

    def __init__(self, clips: Sequence[Clip], said: Mapping[str, AnyArray]) -> None:
        """Keep the clips of which every system said something.

        Args:
            clips: with their labels.
            said: by system: calibrated logits, shape (n_clips,), nan where it said nothing.
        """
        every = np.all([np.isfinite(one) for one in said.values()], axis=0)
        self.clips = [clip for clip, kept in zip(clips, every, strict=True) if kept]
        self.unjudged = len(clips) - len(self.clips)
        emotion = np.array([clip.emotion for clip in self.clips])
        self.corpus = np.array([clip.corpus for clip in self.clips])
        self.speaker = np.array([clip.speaker for clip in self.clips])
        labels = (emotion == ANGER, np.isin(emotion, list(CALM)), self.corpus, self.speaker)
        self.scores = {name: Scores(one[every], *labels) for name, one in said.items()}
        self.speakers, first = np.unique(self.speaker, return_index=True)
        self.corpora = self.corpus[first]
        self.counts = resampled(self.corpora)

    def values(self, system: str, chosen: Bools | None = None) -> dict[str, Values]:
        """Return every figure of a system: by corpus, as their mean, and pooled.

        Args:
            system: which.
            chosen: which clips; else all.
        """
        scores = self.scores[system]
        scores = scores if chosen is None else scores.rows(chosen)
        every = tally(scores, self.speakers, self.corpora)
        found = {
            corpus: self._values(every.of_corpus(corpus), scores.rows(scores.corpus == corpus))
            for corpus in np.unique(scores.corpus).tolist()
        }
        mean = {
            what: _mean(np.array([one[what] for one in found.values()]))
            for what in (*DRAWN, *_POINTS)
        }
        return {**found, "mean": mean, "pooled": self._values(every, scores)}

    def _values(self, sums: Tally, scores: Scores) -> Values:
        found = {what: figure(sums, self.counts) for what, figure in DRAWN.items()}
        both = 0 < scores.angry.sum() < len(scores.angry)
        points = {what: figure(scores) if both else np.nan for what, figure in _POINTS.items()}
        return found | {what: np.array([value]) for what, value in points.items()}


def _mean(each: AnyArray) -> AnyArray:
    """Return the mean over corpora, of those that have the figure, for each draw."""
    known = np.isfinite(each)
    count = known.sum(axis=0)
    total = np.where(known, each, 0.0).sum(axis=0)
    result: AnyArray = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return result


def against(judged: Judged, system: str, other: str) -> dict[str, dict[str, Figures]]:
    """Return the figures of two systems and of the one less the other, by corpus and together."""
    one, two = judged.values(system), judged.values(other)
    less = {
        where: {what: values[what] - two[where][what] for what in values}
        for where, values in one.items()
    }
    return {
        name: {where: _ranged(values) for where, values in found.items()}
        for name, found in ((system, one), (other, two), (f"{system} less {other}", less))
    }


def _ranged(values: Values) -> Figures:
    return {what: ranged(of) for what, of in values.items()}


def in_every_group(judged: Judged, groups: Mapping[str, Bools]) -> dict[str, Bools]:
    """Return groups of clips without the corpora that lack angry or other clips of one of them.

    Else groups would differ by the corpora that they are of.
    """
    angry = np.array([clip.emotion == ANGER for clip in judged.clips])
    shared = [
        corpus
        for corpus in np.unique(judged.corpora)
        if all(
            (one & side & (judged.corpus == corpus)).any()
            for one in groups.values()
            for side in (angry, ~angry)
        )
    ]
    own = np.isin(judged.corpus, shared)
    return {name: one & own for name, one in groups.items()}


def by_group(judged: Judged, groups: Mapping[str, Bools], system: str) -> dict[str, Figures]:
    """Return a system's figures for groups of clips, each the mean over the corpora in it."""
    found = {}
    for name, chosen in groups.items():
        if not chosen.any():
            continue
        mean = judged.values(system, chosen)["mean"]
        found[name] = {
            "speakers": len(set(judged.speaker[chosen])),
            "corpora": len(set(judged.corpus[chosen])),
            "clips": int(chosen.sum()),
            **_ranged({what: mean[what] for what in _OF_GROUPS}),
        }
    return found


def gap(judged: Judged, one: Bools, other: Bools, system: str) -> Figures:
    """Return by how much a system's figures for one group of clips are above those for another."""
    first, second = (judged.values(system, chosen)["mean"] for chosen in (one, other))
    return _ranged({what: first[what] - second[what] for what in _OF_GROUPS})


def by_codec(judged: Judged, systems: Mapping[str, str], usual: str) -> dict[str, Figures]:
    """Return the figures for each codec, and their change against the usual one.

    Args:
        judged: the same clips through every codec.
        systems: by codec, the name that what was said of it has in `judged`.
        usual: the codec that was trained with.
    """
    before = judged.values(systems[usual])["mean"]
    found = {}
    for codec, system in systems.items():
        mean = judged.values(system)["mean"]
        change = {f"{what}_change": mean[what] - before[what] for what in _OF_GROUPS}
        own = {what: mean[what] for what in _OF_GROUPS}
        found[codec] = _ranged(own if codec == usual else own | change)
    return found
