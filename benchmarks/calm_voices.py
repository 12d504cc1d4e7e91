"""Voices in which nobody is irritated: prompts of telephone systems, and espeak-ng; and music.

The prompts are those of Debian's asterisk-core-sounds-* and asterisk-prompt-* packages. What
espeak-ng says stands in `texts/`.
"""

import hashlib
import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from joblib import Parallel, delayed
from scipy.signal import fftconvolve

from audio_samples.make import EspeakError, at_level, espeak, naturalness
from benchmarks import speech_material
from benchmarks.cache import digest
from benchmarks.record import ROOT
from hackles.config import SAMPLE_RATE
from hackles.errors import UsageError
from hackles.types import Array

PROMPTS, ESPEAK, RAW = "prompts", "espeak-ng", "espeak-ng, its own spectrum"
"""What may be said: recorded; spoken with the average spectrum of speech; spoken as it is."""

SHORTEST_S = 0.5
NO_SPEECH = frozenset({*speech_material.BEEPS, "tt-monkeys"})
"""By name; beside it, whatever lies in a folder `silence`."""

_PROMPT_FILES = (".wav", ".gsm")
_MUSIC_FILES = frozenset({".wav", ".ogg", ".flac"})
_GSM_BLOCK, _GSM_BLOCK_SAMPLES = 33, 160

_GROUP = re.compile(r"\(([^)]*)\)")
_TEXTS = ROOT / "benchmarks" / "texts"
_MAKER = ROOT / "audio_samples" / "make.py"
_SPEECH_DB = -26.0
_RANGE_PERCENT = 100
SPEAKERS = (
    ("en", "en-us+m1", 40, 160),
    ("en", "en-us+f2", 50, 175),
    ("en", "en-gb-x-rp+m4", 45, 150),
    ("en", "en-gb+f4", 45, 165),
    ("pl", "pl+m2", 40, 165),
    ("pl", "pl+f1", 50, 155),
    ("pl", "pl+m7", 55, 180),
    ("pl", "pl+f3", 40, 170),
    ("es", "es+m3", 45, 160),
    ("es", "es+f4", 50, 150),
    ("es", "es-419+m5", 40, 175),
    ("es", "es-419+f2", 55, 165),
)
"""Language, espeak-ng's voice, its `-p` and its `-s`."""


@dataclass(frozen=True, slots=True)
class Voice:
    """One voice, and the recordings of all that it says; or one piece of music.

    Attributes:
        kind: `PROMPTS`, `ESPEAK`, `RAW` or "music".
        name: whose voice.
        language: ISO 639-1; blank for music.
        paths: in a fixed order.
    """

    kind: str
    name: str
    language: str
    paths: tuple[Path, ...]


def prompts(folder: Path) -> list[Voice]:
    """Return the voices below a folder of unpacked packages, each with every prompt once.

    A voice is a folder below `sounds`. Of a prompt in several formats the WAV is taken.

    Raises:
        UsageError: if there are none.
    """
    files: dict[str, dict[str, Path]] = {}
    for path in sorted(folder.resolve().rglob("*")) if folder.is_dir() else ():
        parts = path.with_suffix("").parts
        if path.suffix in _PROMPT_FILES and "sounds" in parts[:-2]:
            below = parts[::-1].index("sounds")
            voice, *prompt = parts[-below:]
            same = files.setdefault(voice, {})
            if same.setdefault("/".join(prompt), path).suffix != ".wav":
                same["/".join(prompt)] = path
    voices = [
        Voice(PROMPTS, name, name[:2], tuple(_spoken(own.values())))
        for name, own in sorted(files.items())
    ]
    if not any(voice.paths for voice in voices):
        raise UsageError(
            f"{folder} holds no prompts; unpack asterisk-core-sounds-* into it, or name the folder "
            "above their `sounds`."
        )
    return [voice for voice in voices if voice.paths]


def _spoken(paths: Iterable[Path]) -> list[Path]:
    """Return the recordings that are speech, each once: some packages hold copies."""
    found: dict[bytes, Path] = {}
    for path in paths:
        if is_speech(path):
            found.setdefault(hashlib.sha256(path.read_bytes()).digest(), path)
    return list(found.values())


def is_speech(path: Path) -> bool:
    """Return whether a prompt is said by somebody: by name, and it lasts half a second."""
    if path.stem in NO_SPEECH or "silence" in path.parts:
        return False
    if path.suffix == ".gsm":
        samples = path.stat().st_size // _GSM_BLOCK * _GSM_BLOCK_SAMPLES
        return samples >= SHORTEST_S * SAMPLE_RATE
    try:
        return float(soundfile.info(path).duration) >= SHORTEST_S
    except soundfile.SoundFileError as error:
        raise UsageError(f"{path} cannot be read ({error}); leave it out.") from error


def read(path: Path) -> Array:
    """Return a recording's samples at the engine's rate, all channels together."""
    if path.suffix != ".gsm":
        return speech_material.read(path)
    raw = {"samplerate": SAMPLE_RATE, "channels": 1, "format": "RAW", "subtype": "GSM610"}
    samples: Array = soundfile.read(path, dtype="float32", **raw)[0]
    return samples


def music(folders: Sequence[Path]) -> list[Voice]:
    """Return the pieces of music below some folders; what lies below `sounds` is none.

    Raises:
        UsageError: if a folder is missing.
    """
    found: list[Path] = []
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"{folder} is no folder; name one that holds music.")
        every = sorted(path for path in folder.rglob("*") if path.suffix in _MUSIC_FILES)
        found += [path for path in every if "sounds" not in path.parts]
    return [Voice("music", path.stem, "", (path,)) for path in found]


def sentences(text: str) -> list[str]:
    """Return the sentences of a text: each line once for each of its alternatives, `(a|b|c)`."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [
        _alternative(line, number)
        for line in lines
        for number in range(max((len(g.split("|")) for g in _GROUP.findall(line)), default=1))
    ]


def _alternative(line: str, number: int) -> str:
    """Return a line with one of its alternatives; a group with fewer begins again."""

    def chosen(group: re.Match[str]) -> str:
        words = group[1].split("|")
        return words[number % len(words)]

    return _GROUP.sub(chosen, line)


def spoken_texts(cache: Path) -> list[Voice]:
    """Return espeak-ng's voices with the average spectrum of speech, and as they are.

    Raises:
        UsageError: if espeak-ng is missing or says nothing.
    """
    try:
        folders = Parallel(n_jobs=-1)(delayed(_speak)(cache, *speaker) for speaker in SPEAKERS)
    except EspeakError as error:
        raise UsageError(str(error)) from error
    return [
        Voice(kind, voice, language, tuple(sorted((folder / part).glob("*.wav"))))
        for kind, part in ((ESPEAK, "natural"), (RAW, "raw"))
        for (language, voice, _, _), folder in zip(SPEAKERS, folders, strict=True)
    ]


def _speak(cache: Path, language: str, voice: str, pitch: int, words_per_minute: int) -> Path:
    """Return the folder in which a voice has said its text, twice: natural and raw."""
    text = _TEXTS / f"{language}.txt"
    facts = (voice, str(pitch), str(words_per_minute))
    folder = cache / f"espeak-{voice}-{digest((text, _MAKER, Path(__file__)), (), facts)}"
    if folder.is_dir():
        return folder
    said = [
        espeak(sentence, voice, pitch, words_per_minute, _RANGE_PERCENT)
        for sentence in sentences(text.read_text(encoding="utf-8"))
    ]
    natural = naturalness(np.concatenate(said))
    unfinished = folder.with_suffix(".part")
    shutil.rmtree(unfinished, ignore_errors=True)
    for part in ("natural", "raw"):
        (unfinished / part).mkdir(parents=True)
        for number, samples in enumerate(said):
            heard = fftconvolve(samples, natural, "same") if part == "natural" else samples
            path = unfinished / part / f"{number:03d}.wav"
            soundfile.write(path, at_level(heard, _SPEECH_DB), SAMPLE_RATE, "FLOAT")
    unfinished.rename(folder)
    return folder
