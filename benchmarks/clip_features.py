"""Clips on the telephone as both systems measure them: hackles' readings, and eGeMAPS.

Both get the same samples: level, noise and codec of a clip depend on its place in the list only.
"""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from joblib import Parallel, delayed

from benchmarks.cache import digest, kept
from benchmarks.record import ROOT
from hackles.config import SAMPLE_RATE
from hackles.types import AnyArray, Array
from models.training.corpora import Clip, read_samples
from models.training.fit import Examples, examples
from models.training.measure import Readings, measure_runs, readings_of, runs_of
from models.training.telephone import at_level, mu_law, pink_noise

CODECS = ("mu-law",)
MU_LAW = "mu-law"
PROCESSES = 2
_CHUNK = 512  # a multiple of the 32 calls that `measure` hears at a time: the same batches
_TRAINING = ROOT / "models" / "training"
_SAMPLES = [_TRAINING / "corpora.py", _TRAINING / "telephone.py", Path(__file__)]
_ENGINE = [*_SAMPLES, _TRAINING / "measure.py", ROOT / "engine" / "hackles"]
_PACKAGES = ("numpy", "scipy", "soundfile", "soxr")

Placed: TypeAlias = tuple[int, Clip]


@dataclass(frozen=True, slots=True)
class Heard:
    """Clips, and what was measured of each alone.

    Attributes:
        clips: with their labels.
        readings: hackles' windows; `readings.clip` counts in `clips`.
        egemaps: eGeMAPSv02 functionals, shape (n_clips, 88).
        seconds: how long each clip is, shape (n_clips,).
    """

    clips: tuple[Clip, ...]
    readings: Readings
    egemaps: Array
    seconds: Array

    @property
    def windows(self) -> Examples:
        """What hackles judges: a row per reading."""
        return examples(self.clips, self.readings)

    @property
    def functionals(self) -> Examples:
        """What the reference judges: a row per clip."""
        n = len(self.clips)
        whole = Readings(np.arange(n), runs_of(self.clips), np.zeros(n), np.zeros(n), self.egemaps)
        return examples(self.clips, whole)


def hear(index: int, clip: Clip, codec: str) -> Array:
    """Return a clip as heard on a telephone; by mu-law what `as_telephone` yields with seed 0."""
    rng = np.random.default_rng([0, index])
    samples = read_samples(clip)
    level_db, snr_db = rng.uniform(-32, -20), rng.uniform(12, 40)
    clean = at_level(samples, level_db)
    noise = pink_noise(rng, len(clean)) * np.float32(10 ** ((level_db - snr_db) / 20))
    return mu_law(clean + noise)


def measure_all(
    sets: Sequence[tuple[Sequence[Placed], str]], folder: Path
) -> list[tuple[AnyArray, AnyArray]]:
    return []


def _alone(chunk: Sequence[Placed], codec: str) -> dict[str, AnyArray]:
    readings = readings_of([clip for _, clip in chunk], (hear(*placed, codec) for placed in chunk))
    return {name: getattr(readings, name) for name in ("clip", "covered", "snr_db", "values")}


def _egemaps(chunk: Sequence[Placed], codec: str) -> dict[str, AnyArray]:
    heard = [hear(*placed, codec) for placed in chunk]
    rows = [_smile().process_signal(samples, SAMPLE_RATE).to_numpy()[0] for samples in heard]
    seconds = [len(samples) / SAMPLE_RATE for samples in heard]
    return {
        "values": np.nan_to_num(np.array(rows, dtype=np.float32)),
        "seconds": np.array(seconds, dtype=np.float32),
    }


@cache
def _smile() -> Any:
    opensmile = importlib.import_module("opensmile")
    return opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)
