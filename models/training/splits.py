"""Who is left out of training: the same speakers every time, and no speaker on both sides."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.training.corpora import ANGER, CALM, NEVER_TRAINED, Clip


@dataclass(frozen=True, slots=True)
class Fold:
    """The speakers that are left out together."""

    name: str
    speakers: frozenset[str]


def leave_one_speaker_out(clips: Iterable[Clip]) -> tuple[Fold, ...]:
    """Return a fold for each speaker, sorted by name."""
    return tuple(Fold(name, frozenset({name})) for name in sorted({c.speaker for c in clips}))


def leave_one_corpus_out(clips: Iterable[Clip]) -> tuple[Fold, ...]:
    """Return a fold for each corpus, sorted by name.

    Raises:
        ValueError: if a speaker is of two corpora; leaving out one would leave the speaker in.
    """
    corpus_of: dict[str, str] = {}
    for clip in clips:
        if corpus_of.setdefault(clip.speaker, clip.corpus) != clip.corpus:
            raise ValueError(f"{clip.speaker} is of {corpus_of[clip.speaker]} and {clip.corpus}")
    return tuple(
        Fold(corpus, frozenset(who for who, own in corpus_of.items() if own == corpus))
        for corpus in sorted(set(corpus_of.values()))
    )


def divide(clips: Sequence[Clip], fold: Fold) -> tuple[list[Clip], list[Clip]]:
    """Return what to train on and what to test on: the clips of others, and of the fold's speakers.

    Clips of corpora that must not be trained on are on the first side of no fold.

    Raises:
        ValueError: if one recording is listed under two names, and would be on both sides.
    """
    test = [clip for clip in clips if clip.speaker in fold.speakers]
    train = [
        clip
        for clip in clips
        if clip.speaker not in fold.speakers and clip.corpus not in NEVER_TRAINED
    ]
    if both := {clip.path for clip in train} & {clip.path for clip in test}:
        raise ValueError(f"{min(both)} is on both sides of the fold {fold.name}")
    return train, test


def hold_out(clips: Sequence[Clip], per_corpus: Mapping[str, int]) -> frozenset[str]:
    """Return speakers to keep out of training: the first of each corpus in a fixed shuffle.

    Only those of whom there is calm and angry speech, so that calls can be composed of it, and at
    most half of them, so that the rest can be trained on. The shuffle is by a hash of the speaker's
    name, so that it does not change with the clips.

    Args:
        clips: of all speakers.
        per_corpus: how many of each corpus; none of those that it does not name.
    """
    chosen: set[str] = set()
    for corpus, count in per_corpus.items():
        own = [clip for clip in clips if clip.corpus == corpus]
        both = sorted(_calm_and_angry(own), key=_place)
        chosen.update(both[: min(count, len(both) // 2)])
    return frozenset(chosen)


def a_fifth(clips: Iterable[Clip]) -> dict[str, int]:
    """Return a fifth of the number of speakers per corpus, rounded down; one of two to nine."""
    number = Counter(corpus for corpus, _ in {(clip.corpus, clip.speaker) for clip in clips})
    return {corpus: max(n // 5, min(n - 1, 1)) for corpus, n in sorted(number.items())}


def _calm_and_angry(clips: Iterable[Clip]) -> set[str]:
    """Return the speakers of whom there is calm and angry speech."""
    moods: dict[str, set[bool]] = {}
    for clip in clips:
        if clip.emotion == ANGER or clip.emotion in CALM:
            moods.setdefault(clip.speaker, set()).add(clip.emotion == ANGER)
    return {speaker for speaker, angry in moods.items() if len(angry) == 2}


def _place(speaker: str) -> str:
    return hashlib.sha256(f"hackles {speaker}".encode()).hexdigest()


def as_json(folds: Iterable[Fold]) -> dict[str, list[str]]:
    """Return which speakers are left out in which fold, sorted."""
    return {fold.name: sorted(fold.speakers) for fold in folds}


def save(path: Path, splits: Mapping[str, Iterable[Fold]]) -> None:
    """Write splits, by name, as JSON."""
    text = json.dumps({name: as_json(folds) for name, folds in splits.items()}, indent=1)
    path.write_text(text + "\n", encoding="utf-8")
