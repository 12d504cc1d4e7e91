"""Labelled speech: which clips there are, and their samples."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hackles.config import SAMPLE_RATE
from hackles.errors import UsageError
from hackles.types import Array
from models.training.layouts import Row
from models.training.published import read_rows

NEVER_TRAINED = frozenset({"tess", "turev"})
"""Corpora under CC BY-NC-ND 4.0, which allows nothing that is made of them: for tests only."""

CALM = frozenset({"neutral", "calm"})
ANGER = "anger"
AROUSED = frozenset({"anger", "happiness", "fear", "surprise"})
UNAROUSED = frozenset({"neutral", "calm", "sadness", "boredom"})
EMOTIONS = AROUSED | UNAROUSED | {"disgust"}

_REQUIRED = ("file", "corpus", "speaker", "emotion")


@dataclass(frozen=True, slots=True)
class Clip:
    """One labelled utterance.

    Attributes:
        path: its recording.
        corpus, speaker: a speaker is of one corpus.
        sex: male, female, or blank where it was not published.
        language: ISO 639-1, or blank.
        emotion: one of `EMOTIONS`.
        intensity: low, normal, strong, or blank.
        text_id: what was said, the same for everybody who said it; blank if that is not known.
    """

    path: Path
    corpus: str
    speaker: str
    sex: str
    language: str
    emotion: str
    intensity: str
    text_id: str


def read_clips(folder: Path) -> list[Clip]:
    """Return the clips of a folder: those of its `labels.csv`, else those named as published.

    Raises:
        UsageError: if there are none, or a row or a name cannot be understood.
    """
    if (folder / "labels.csv").exists():
        return read_labels(folder)
    return [_clip(folder, row) for row in read_rows(folder)]


def read_labels(folder: Path) -> list[Clip]:
    """Return the clips that a `labels.csv` names, in its order.

    Its columns are `file` (below the folder), `corpus`, `speaker` and `emotion`, and, where they
    are known, `sex`, `language`, `intensity` and `text_id`.

    Raises:
        UsageError: if there is none, it cannot be read, or a row says too little or what cannot be.
    """
    table = folder / "labels.csv"
    try:
        with table.open(newline="", encoding="utf-8-sig") as lines:
            rows = csv.DictReader(lines)
            for column in _REQUIRED:
                if column not in (rows.fieldnames or ()):
                    raise UsageError(f"{table}, line 1: there is no column {column}; add it.")
            numbered = [(rows.line_num, row) for row in rows]
    except FileNotFoundError as error:
        raise UsageError(f"{folder} has no labels.csv; name the folder of the corpora.") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{table} cannot be read ({error}); save it as CSV in UTF-8.") from error
    if not numbered:
        raise UsageError(f"{table} names no clips; give each a line.")
    clips: list[Clip] = []
    files: dict[Path, int] = {}
    corpora: dict[str, tuple[str, int]] = {}
    for line, row in numbered:
        where = f"{table}, line {line}"
        _check(row, where)
        clip = _clip(folder, row)
        if (first := files.setdefault(clip.path, line)) != line:
            raise UsageError(f"{where}: line {first} names the same file; keep one of them.")
        corpus, first = corpora.setdefault(clip.speaker, (clip.corpus, line))
        if corpus != clip.corpus:
            raise UsageError(
                f"{where}: in line {first} {clip.speaker} is a speaker of {corpus}; name speakers "
                "corpus:id, so that no two share a name."
            )
        clips.append(clip)
    return clips


def _check(row: Row, where: str) -> None:
    """Raise what is wrong with one row by itself."""
    for column in _REQUIRED:
        if not (row[column] or "").strip():
            raise UsageError(f"{where}: {column} is empty; fill it in.")
    if None in row:
        raise UsageError(f"{where}: there are more cells than columns; quote cells with commas.")
    if (emotion := row["emotion"].strip()) not in EMOTIONS:
        raise UsageError(
            f"{where}: {emotion!r} is no emotion known here; write {', '.join(sorted(EMOTIONS))}."
        )


def _clip(folder: Path, row: Row) -> Clip:
    """Return the clip of a row; blank is what the row does not say."""
    cells = {column: (cell or "").strip() for column, cell in row.items() if column != "file"}
    names = ("corpus", "speaker", "sex", "language", "emotion", "intensity", "text_id")
    return Clip(folder / row["file"].strip(), *(cells.get(name, "") for name in names))


def read_samples(clip: Clip) -> Array:
    """Return a clip's samples at the engine's rate, shape (n_samples,).

    Raises:
        UsageError: if its file cannot be read.
    """
    import soundfile
    import soxr

    try:
        samples, rate = soundfile.read(clip.path, dtype="float32", always_2d=True)
    except (OSError, soundfile.SoundFileError) as error:
        raise UsageError(f"{clip.path} cannot be read ({error}); make it WAV or FLAC.") from error
    mono = samples.mean(axis=1)
    result: Array = soxr.resample(mono, rate, SAMPLE_RATE).astype(np.float32)
    return result
