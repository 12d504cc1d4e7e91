"""Labelled speech: which clips there are, and their samples."""

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hackles.config import SAMPLE_RATE
from hackles.errors import UsageError
from hackles.types import Array

TRAINED = ("nemo", "spanish", "ravdess", "emodb", "ased")
CALM = frozenset({"neutral", "calm"})
ANGER = "anger"
AROUSED = frozenset({"anger", "happiness", "fear", "surprise"})
UNAROUSED = frozenset({"neutral", "calm", "sadness", "boredom"})


@dataclass(frozen=True, slots=True)
class Clip:
    """One labelled utterance. `sex` is blank where it was not published."""

    path: Path
    corpus: str
    speaker: str
    sex: str
    emotion: str
    intensity: str


def read_labels(folder: Path) -> list[Clip]:
    """Return the clips that a `labels.csv` names.

    Raises:
        UsageError: if the folder has none, or it lacks a column.
    """
    table = folder / "labels.csv"
    if not table.is_file():
        raise UsageError(f"{folder} has no labels.csv; name the folder of the corpora.")
    with table.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    try:
        return [
            Clip(
                path=folder / row["file"],
                corpus=row["corpus"],
                speaker=row["speaker"],
                sex=row["sex"],
                emotion=row["emotion"],
                intensity=row["intensity"],
            )
            for row in rows
        ]
    except KeyError as error:
        raise UsageError(f"{table} has no column {error}.") from error


def read_samples(clip: Clip) -> Array:
    """Return a clip's samples at the engine's rate, shape (n_samples,)."""
    import soundfile
    import soxr

    samples, rate = soundfile.read(clip.path, dtype="float32", always_2d=True)
    mono = samples.mean(axis=1)
    result: Array = soxr.resample(mono, rate, SAMPLE_RATE).astype(np.float32)
    return result


def hold_out(clips: list[Clip], per_corpus: dict[str, int]) -> frozenset[str]:
    """Return speakers to keep out of training: the first of each corpus in a fixed shuffle.

    Only those of whom there is calm and angry speech, so that calls can be composed of it, and at
    most half of them, so that the rest can be trained on. The shuffle is by a hash of the speaker's
    name, so that it does not change with the clips.
    """

    def place(speaker: str) -> str:
        return hashlib.sha256(f"hackles {speaker}".encode()).hexdigest()

    chosen: set[str] = set()
    for corpus, count in per_corpus.items():
        own = [clip for clip in clips if clip.corpus == corpus]
        angry = {clip.speaker for clip in own if clip.emotion == ANGER}
        calm = {clip.speaker for clip in own if clip.emotion in CALM}
        both = sorted(angry & calm, key=place)
        chosen.update(both[: min(count, len(both) // 2)])
    return frozenset(chosen)
