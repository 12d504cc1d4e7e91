"""The low-level descriptors (LLDs): one row of numbers for each frame.

To add one: write a pure function `(n_frames, ...) -> (n_frames,)` in the module of its kind,
add its name here and its column in `low_level_descriptors`, and its functionals in
`functionals` (after which a model must be trained again).
"""

import numpy as np

from hackles.config import TILE_FRAMES
from hackles.features import clipping, energy, harmonicity, pitch, spectrum
from hackles.types import Array

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


def low_level_descriptors(frames: Array) -> Array:
    """Return all descriptors of one tile of frames.

    Args:
        frames: shape (n_frames, FRAME_LENGTH), samples; a row depends on no other row.

    Returns:
        Shape (n_frames, N_LLDS), float32, finite for finite input, columns as `LLD_NAMES`.
        `f0_st` is 0 where a frame is not voiced.
    """
    power = spectrum.power_spectrum(frames)
    mel_db = spectrum.log_mel_db(power)
    result = np.empty((len(frames), N_LLDS), dtype=np.float32)
    result[:, LLD["level_db"]] = energy.level_db(power)
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
    result[:, LLD["clipped_ratio"]] = clipping.clipped_ratio(frames)
    result[:, MEL_COLUMNS] = mel_db
    return result


def in_tiles(frames: Array) -> Array:
    """Return the descriptors of any number of frames, worked out tile by tile."""
    if len(frames) <= TILE_FRAMES:
        return low_level_descriptors(frames)
    tiles = range(0, len(frames), TILE_FRAMES)
    return np.concatenate([low_level_descriptors(frames[at : at + TILE_FRAMES]) for at in tiles])
