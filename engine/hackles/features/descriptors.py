"""The low-level descriptors (LLDs): one row of numbers for each frame.

In two steps, because most frames of a call are silence: the power spectrum and the level of
every frame, then all else for those that are worth it.

To add one: write a pure function `(n_frames, ...) -> (n_frames,)` in the module of its kind,
add its name here and its column in `_describe`, and its functionals in `functionals` (after
which a model must be trained again).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from hackles.config import TILE_FRAMES
from hackles.features import clipping, energy, harmonicity, pitch, spectrum
from hackles.types import Array, Bools

LLD_NAMES: tuple[str, ...] = (
    "level_db",
    "f0_st",
    "voicing",
    "alpha_ratio_db",
    "hammarberg_db",
    "centroid_hz",
    "loudness",
    "clipped_ratio",
    *(f"mel{band:02d}_db" for band in range(spectrum.N_MELS)),
)
N_LLDS = len(LLD_NAMES)
LLD = {name: column for column, name in enumerate(LLD_NAMES)}
"""Column of each descriptor in the array that `low_level_descriptors` returns."""
MEL_COLUMNS = slice(LLD["mel00_db"], LLD["mel00_db"] + spectrum.N_MELS)


class Frames(Protocol):
    """Frames in rows, or what gives them tile by tile."""

    def __len__(self) -> int:
        """Return how many there are."""

    def __getitem__(self, rows: slice, /) -> Array:
        """Return some, shape (n, FRAME_LENGTH)."""


@dataclass(frozen=True, slots=True)
class Spectra:
    """What is worked out of every frame.

    Attributes:
        power: as `spectrum.power_spectrum`, shape (n_frames, N_BINS).
        level_db: shape (n_frames,).
        clipped_ratio: shape (n_frames,).
    """

    power: Array
    level_db: Array
    clipped_ratio: Array


def spectra(frames: Frames) -> Spectra:
    """Return the spectra and levels of any number of frames.

    Args:
        frames: shape (n_frames, FRAME_LENGTH), samples; a row's result depends on no other row.
    """
    n_frames = len(frames)
    power = np.empty((n_frames, spectrum.N_BINS), dtype=np.float32)
    level_db, clipped = (np.empty(n_frames, dtype=np.float32) for _ in range(2))
    for tile in _tiles(n_frames):
        some = frames[tile]
        power[tile] = spectrum.power_spectrum(some)
        level_db[tile] = energy.level_db(power[tile])
        clipped[tile] = clipping.clipped_ratio(some)
    return Spectra(power, level_db, clipped)


def low_level_descriptors(frames: Spectra, chosen: Bools) -> Array:
    """Return the descriptors of the chosen frames; of the others, level and flat tops alone.

    Args:
        frames: output of `spectra`.
        chosen: shape (n_frames,).

    Returns:
        Shape (n_frames, N_LLDS), float32, finite for finite input, columns as `LLD_NAMES`.
        `f0_st` is 0 where a frame is not voiced; where one is not chosen, so is all else.
    """
    result = np.zeros((len(chosen), N_LLDS), dtype=np.float32)
    rows = np.flatnonzero(chosen)
    for tile in _tiles(len(rows)):
        result[rows[tile]] = _describe(frames.power[rows[tile]])
    result[:, LLD["level_db"]] = frames.level_db
    result[:, LLD["clipped_ratio"]] = frames.clipped_ratio
    return result


def _describe(power: Array) -> Array:
    """Return the descriptors of one tile of frames; the columns known before hold anything."""
    mel_db = spectrum.log_mel_db(power)
    result = np.empty((len(power), N_LLDS), dtype=np.float32)
    voicing = harmonicity.voicing(power)
    # A pitch means something in voiced frames alone, and takes a third of all the time.
    voiced = np.flatnonzero(voicing >= harmonicity.VOICED)
    result[:, LLD["voicing"]] = voicing
    result[:, LLD["f0_st"]] = 0.0
    result[voiced, LLD["f0_st"]] = pitch.f0_st(power[voiced])
    result[:, LLD["alpha_ratio_db"]] = spectrum.alpha_ratio_db(power)
    result[:, LLD["hammarberg_db"]] = spectrum.hammarberg_db(power)
    result[:, LLD["centroid_hz"]] = spectrum.centroid_hz(power)
    result[:, LLD["loudness"]] = energy.loudness(mel_db)
    result[:, MEL_COLUMNS] = mel_db
    return result


def _tiles(n_rows: int) -> Iterator[slice]:
    """Yield stretches of rows, few enough to stay in the processor's cache."""
    return (slice(at, at + TILE_FRAMES) for at in range(0, n_rows, TILE_FRAMES))


def in_tiles(frames: Frames) -> Array:
    """Return all descriptors of every frame."""
    return low_level_descriptors(spectra(frames), np.ones(len(frames), dtype=np.bool_))
