"""Functionals: one number per window of a caller's speech, from the LLDs of its frames.

All but `level_db_mean`, and `f0_st_*` as a position, are free of gain by construction.
"""

import numpy as np

from hackles.features.descriptors import LLD, MEL_COLUMNS
from hackles.features.rhythm import syllable_rate, voiced_segments
from hackles.features.spectrum import N_MELS
from hackles.features.statistics import mean, moments, percentiles
from hackles.types import Array, Bools, Ints

FUNCTIONAL_NAMES: tuple[str, ...] = (
    "f0_st_p20",
    "f0_st_p50",
    "f0_st_p80",
    "f0_st_range",
    "f0_st_sd",
    "voiced_ratio",
    "voiced_s_mean",
    "voiced_segment_rate",
    "voicing_mean",
    "voicing_sd",
    "level_db_mean",
    "alpha_ratio_db_mean",
    "alpha_ratio_db_sd",
    "alpha_ratio_db_p80",
    "hammarberg_db_mean",
    "hammarberg_db_sd",
    "spread_hz_mean",
    "spread_hz_sd",
    "syllable_rate",
    "flux_db_mean",
    "flux_db_sd",
    *(f"mfcc{order}_mean" for order in range(1, 5)),
    *(f"mfcc{order}_sd" for order in range(1, 5)),
)
N_FUNCTIONALS = len(FUNCTIONAL_NAMES)
FUNCTIONAL = {name: column for column, name in enumerate(FUNCTIONAL_NAMES)}
"""Column of each functional in the array that `functionals` returns."""

_COSINES: Array = np.cos(
    np.pi * np.arange(1, 5)[:, None] * (np.arange(N_MELS) + 0.5) / N_MELS
).astype(np.float32)
_COSINES *= np.float32(np.sqrt(2.0 / N_MELS) * np.log(10.0) / 10.0)
"""Mel levels in dB to MFCC 1-4, natural logarithm, orthonormal."""

_TONAL = [LLD[name] for name in ("f0_st", "alpha_ratio_db", "hammarberg_db")]
_RANKED = [LLD[name] for name in ("f0_st", "alpha_ratio_db")]
_PLAIN = [LLD[name] for name in ("voicing", "level_db", "spread_hz")]


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
    level, f0, mel_db = rows[:, LLD["level_db"]], rows[:, LLD["f0_st"]], rows[:, MEL_COLUMNS]
    voiced = valid & (f0 > 0.0)
    adjacent = valid[:, 1:] & valid[:, :-1] & (frame[:, 1:] - frame[:, :-1] == 1)
    whole, tonal, pairs = (flags.astype(np.float32) for flags in (valid, voiced, adjacent))
    plain, plain_sd = moments(rows[:, _PLAIN], whole)
    toned, toned_sd = moments(rows[:, _TONAL], tonal)
    flux, flux_sd = moments(_flux(mel_db)[:, None], pairs)
    mfcc, mfcc_sd = moments(np.matmul(_COSINES, mel_db), whole)
    p20, p50, p80 = percentiles(rows[:, _RANKED], np.stack([voiced, voiced], 1), (20, 50, 80))
    columns = (
        p20[:, 0],
        p50[:, 0],
        p80[:, 0],
        p80[:, 0] - p20[:, 0],
        toned_sd[:, 0],
        mean(tonal, whole),
        *voiced_segments(voiced, adjacent, valid),
        plain[:, 0],
        plain_sd[:, 0],
        plain[:, 1],
        toned[:, 1],
        toned_sd[:, 1],
        p80[:, 1],
        toned[:, 2],
        toned_sd[:, 2],
        plain[:, 2],
        plain_sd[:, 2],
        syllable_rate(level, voiced, valid),
        flux[:, 0],
        flux_sd[:, 0],
        *mfcc.T,
        *mfcc_sd.T,
    )
    return np.stack(columns, axis=1)


def _flux(mel_db: Array) -> Array:
    """Return the mean change per band from frame to frame, shape (n, length - 1)."""
    change = mel_db[:, :, 1:] - mel_db[:, :, :-1]
    result: Array = np.abs(change, out=change).sum(axis=1)
    result *= np.float32(1.0 / N_MELS)
    return result
