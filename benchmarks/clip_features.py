"""Clips on the telephone as both systems measure them: hackles' readings, and eGeMAPS.

Both get the same samples: the level, the noise and the codec of a clip depend on its place in the
list of clips and on nothing else. What was measured is kept on disk (`cache`).
"""

import importlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from joblib import Parallel, delayed

from benchmarks.cache import digest, kept
from benchmarks.record import ROOT
from hackles.config import SAMPLE_RATE
from hackles.types import AnyArray, Array, Ints
from models.training.corpora import Clip
from models.training.examples import Examples, examples
from models.training.measure import (
    ROUGH_SEEDS,
    Readings,
    measure_rough,
    measure_runs,
    on_telephone,
    readings_of,
    runs_of,
)

MU_LAW = "mu-law"
NOISY, NOISY_DB = "mu-law, 15 dB of noise", 15.0
CODECS = ("A-law", "GSM 6.10", "Opus 12 kbit/s", "Opus 6 kbit/s", NOISY)
"""What is compared with the usual telephone: other codecs, and pink noise."""

PROCESSES = 2
_CHUNK = 512  # a multiple of the 32 calls that `measure` hears at a time: the same batches
_TRAINING = ROOT / "models" / "training"
_SAMPLES = (
    *(_TRAINING / f"{name}.py" for name in ("coding", "corpora", "measure", "noise", "telephone")),
    ROOT / "engine" / "hackles" / "config.py",
    Path(__file__),
)
_ENGINE = (*_SAMPLES, ROOT / "engine" / "hackles")
_PACKAGES = ("av", "numpy", "scipy", "soundfile", "soxr")

Placed: TypeAlias = tuple[int, Clip]
"""A clip and its place in the list, which its level and noise are drawn by."""
CodedClips: TypeAlias = tuple[Sequence[Placed], str]


@dataclass(frozen=True, slots=True)
class Heard:
    """Clips, and what was measured of each alone.

    Attributes:
        clips: with their labels.
        values: hackles' functionals, a row per reading.
        contours: likewise.
        clip: the clip of each reading, by its place in `clips`.
        egemaps: eGeMAPSv02 functionals, shape (n_clips, 88).
        seconds: how long each clip is, shape (n_clips,).
    """

    clips: tuple[Clip, ...]
    values: Array
    contours: AnyArray
    clip: Ints
    egemaps: Array
    seconds: Array

    @property
    def windows(self) -> Examples:
        """What hackles judges: a row per reading."""
        return self._examples(self.clip, self.values, self.contours)

    @property
    def wholes(self) -> Examples:
        """What the reference judges: a row per clip."""
        nothing = np.zeros((len(self.clips), 0), dtype=np.uint8)
        return self._examples(np.arange(len(self.clips)), self.egemaps, nothing)

    def some(self, places: Sequence[int]) -> "Heard":
        """Return some of the clips."""
        new = np.full(len(self.clips), -1)
        new[places] = np.arange(len(places))
        kept = new[self.clip] >= 0
        order = np.argsort(new[self.clip][kept], kind="stable")
        return Heard(
            tuple(self.clips[place] for place in places),
            self.values[kept][order],
            self.contours[kept][order],
            new[self.clip][kept][order],
            self.egemaps[places],
            self.seconds[places],
        )

    def _examples(self, clip: Ints, values: Array, contours: AnyArray) -> Examples:
        part = runs_of(self.clips)[clip]
        covered, snr_db = np.zeros_like(clip), np.zeros(len(clip), np.float32)  # nobody asks
        return examples(self.clips, Readings(clip, part, covered, snr_db, values, contours))


def measure_all(
    sets: Mapping[str, CodedClips], clips: Sequence[Clip], unheard: Collection[str], folder: Path
) -> tuple[dict[str, Heard], Examples]:
    """Return what was measured of each set of clips, heard through its codec, and of runs.

    Args:
        sets: clips and their codec, by name.
        clips: to be heard in runs too, which hackles trains on.
        unheard: speakers who are not heard behind others.
        folder: where it is kept.
    """
    parts = [
        (placed[at : at + _CHUNK], codec, measured)
        for placed, codec in sets.values()
        for measured in (_wholes, _windows)
        for at in range(0, len(placed), _CHUNK)
    ]
    jobs = [delayed(measured)(placed, codec, folder) for placed, codec, measured in parts]
    runs = [delayed(_joined)(clips, unheard, seed, folder) for seed in (None, *ROUGH_SEEDS)]
    done = Parallel(PROCESSES)([*runs, *jobs])
    left = iter(done[len(runs) :])
    heard = {}
    for name, (placed, _) in sets.items():
        starts = range(0, len(placed), _CHUNK)
        wholes, windows = [next(left) for _ in starts], [next(left) for _ in starts]
        heard[name] = Heard(
            tuple(clip for _, clip in placed),
            np.concatenate([some["values"] for some in windows]),
            np.concatenate([some["contours"] for some in windows]),
            np.concatenate([at + some["clip"] for at, some in zip(starts, windows, strict=True)]),
            np.concatenate([some["values"] for some in wholes]),
            np.concatenate([some["seconds"] for some in wholes]),
        )
    return heard, examples(clips, *(Readings(**some) for some in done[: len(runs)]))


def measure_joined(sets: Sequence[Sequence[Clip]], folder: Path) -> list[Examples]:
    """Return readings of runs of clips for each list of clips, which may differ in labels only."""
    found = Parallel(PROCESSES)(delayed(_joined)(clips, (), None, folder) for clips in sets)
    return [examples(clips, Readings(**one)) for clips, one in zip(sets, found, strict=True)]


def _joined(
    clips: Sequence[Clip], unheard: Collection[str], seed: int | None, folder: Path
) -> dict[str, AnyArray]:
    # Runs are of one speaker and emotion: other labels, other runs.
    labels = [f"{clip.speaker} {clip.emotion}" for clip in clips]
    facts = [*labels, *(sorted(unheard) if seed else ()), f"seed {seed}"]
    key = digest([*_ENGINE, *(clip.path for clip in clips)], _PACKAGES, facts)

    def make() -> dict[str, AnyArray]:
        runs = measure_rough(clips, unheard, seed) if seed else measure_runs(clips)
        return {name: getattr(runs, name) for name in Readings.__slots__}

    return kept(folder, "runs", key, make)


def _windows(placed: Sequence[Placed], codec: str, folder: Path) -> dict[str, AnyArray]:
    def make() -> dict[str, AnyArray]:
        found = readings_of([clip for _, clip in placed], _heard(placed, codec))
        return {"values": found.values, "contours": found.contours, "clip": found.clip}

    return kept(folder, "windows", _key(placed, codec, _ENGINE, _PACKAGES), make)


def _wholes(placed: Sequence[Placed], codec: str, folder: Path) -> dict[str, AnyArray]:
    def make() -> dict[str, AnyArray]:
        heard = list(_heard(placed, codec))
        rows = [_smile().process_signal(sound, SAMPLE_RATE).to_numpy()[0] for sound in heard]
        return {
            "values": np.nan_to_num(np.array(rows, dtype=np.float32)),
            "seconds": np.array([len(sound) / SAMPLE_RATE for sound in heard], dtype=np.float32),
        }

    return kept(folder, "wholes", _key(placed, codec, _SAMPLES, (*_PACKAGES, "opensmile")), make)


def _heard(placed: Sequence[Placed], codec: str) -> Iterator[Array]:
    if codec == NOISY:
        return (on_telephone(clip, index, 0, MU_LAW, NOISY_DB) for index, clip in placed)
    return (on_telephone(clip, index, 0, codec) for index, clip in placed)


def _key(
    placed: Sequence[Placed], codec: str, code: Sequence[Path], packages: Sequence[str]
) -> str:
    places = [str(index) for index, _ in placed]
    return digest([*code, *(clip.path for _, clip in placed)], packages, [codec, *places])


@cache
def _smile() -> Any:
    opensmile = importlib.import_module("opensmile")
    return opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)
