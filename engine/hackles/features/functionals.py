"""Functionals: one number per window of a caller's speech, from the LLDs of its frames.

All but `level_db_mean`, and `f0_st_*` as a position, are free of gain by construction.
"""

import numpy as np

from hackles.features.descriptors import LLD, MEL_COLUMNS
from hackles.features.harmonicity import VOICED
from hackles.features.rhythm import syllable_rate
from hackles.features.spectrum import N_MELS
from hackles.features.statistics import mean, moments, percentiles
from hackles.types import Array, Bools, Ints

FUNCTIONAL_NAMES: tuple[str, ...] = (
    "f0_st_p20",
    "f0_st_p50",
    "f0_st_p80",
    "f0_st_range",
    "f0_st_sd",
    "f0_st_step",
    "voiced_ratio",
    "voicing_mean",
    "voicing_sd",
    "level_db_mean",
    "level_db_range",
    "level_db_sd",
    "level_db_step",
    "loudness_cv",
    "alpha_ratio_db_mean",
    "alpha_ratio_db_sd",
    "alpha_ratio_db_p80",
    "hammarberg_db_mean",
    "hammarberg_db_sd",
    "centroid_hz_mean",
    "centroid_hz_sd",
    "syllable_rate",
    "flux_db_mean",
    "flux_db_sd",
    *(f"mel{band:02d}_db_mean" for band in range(N_MELS)),
    *(f"mel{band:02d}_db_sd" for band in range(N_MELS)),
)
N_FUNCTIONALS = len(FUNCTIONAL_NAMES)
FUNCTIONAL = {name: column for column, name in enumerate(FUNCTIONAL_NAMES)}
"""Column of each functional in the array that `functionals` returns."""

_TONAL = [LLD[name] for name in ("f0_st", "alpha_ratio_db", "hammarberg_db")]
_RANKED = [LLD[name] for name in ("f0_st", "level_db", "alpha_ratio_db")]


def functionals(llds: Array, frame: Ints, valid: Bools) -> Array:
    """Return the functionals of each window.

    Args:
        llds: shape (n, length, N_LLDS), descriptors of the speech frames, oldest first.
        frame: shape (n, length), the place of each on the clock, in frames.
        valid: shape (n, length), which entries belong to the window.

    Returns:
        Shape (n, N_FUNCTIONALS), float32, finite; columns as `FUNCTIONAL_NAMES`.
    """
    # A row per descriptor: all that follows runs along it.
    rows = np.ascontiguousarray(llds.transpose(0, 2, 1))
    level, f0, voicing = (rows[:, LLD[name]] for name in ("level_db", "f0_st", "voicing"))
    voiced = valid & (voicing >= VOICED)
    adjacent = valid[:, 1:] & valid[:, :-1] & (frame[:, 1:] - frame[:, :-1] == 1)
    whole, tonal, pairs = (flags.astype(np.float32) for flags in (valid, voiced, adjacent))
    average, spread = moments(rows, whole)
    tonal_average, tonal_spread = moments(rows[:, _TONAL], tonal)
    p20, p50, p80 = percentiles(
        rows[:, _RANKED], np.stack([voiced, valid, voiced], 1), (20, 50, 80)
    )
    loudness = LLD["loudness"]
    flux, flux_spread = moments(_flux(rows[:, MEL_COLUMNS])[:, None], pairs)
    columns = [
        p20[:, 0],
        p50[:, 0],
        p80[:, 0],
        p80[:, 0] - p20[:, 0],
        tonal_spread[:, 0],
        _f0_step(f0, pairs * tonal[:, 1:] * tonal[:, :-1]),
        mean(tonal, whole),
        average[:, LLD["voicing"]],
        spread[:, LLD["voicing"]],
        average[:, LLD["level_db"]],
        p80[:, 1] - p20[:, 1],
        spread[:, LLD["level_db"]],
        mean(np.abs(level[:, 1:] - level[:, :-1]), pairs),
        spread[:, loudness] / np.maximum(average[:, loudness], np.float32(1e-9)),
        tonal_average[:, 1],
        tonal_spread[:, 1],
        p80[:, 2],
        tonal_average[:, 2],
        tonal_spread[:, 2],
        average[:, LLD["centroid_hz"]],
        spread[:, LLD["centroid_hz"]],
        syllable_rate(level, voiced, valid),
        flux[:, 0],
        flux_spread[:, 0],
    ]
    bands = average[:, MEL_COLUMNS]
    shape = bands - bands.mean(axis=1, keepdims=True)
    return np.concatenate([np.stack(columns, axis=1), shape, spread[:, MEL_COLUMNS]], axis=1)


def _f0_step(f0: Array, pairs: Array) -> Array:
    """Return the mean movement of F0 from one voiced frame to the next."""
    jumps = np.abs(f0[:, 1:] - f0[:, :-1])
    # An octave error is not a movement.
    return mean(jumps, pairs * (jumps < np.float32(3.0)))


def _flux(mel_db: Array) -> Array:
    """Return the mean change per band from frame to frame, shape (n, length - 1)."""
    change = mel_db[:, :, 1:] - mel_db[:, :, :-1]
    result: Array = np.abs(change, out=change).sum(axis=1)
    result *= np.float32(1.0 / N_MELS)
    return result
