"""Functionals: one number per window of a caller's speech, from the LLDs of its frames.

All but `level_db_mean`, and `f0_st_*` as a position, are free of gain by construction.
"""

import numpy as np

from hackles.config import FRAMES_PER_S
from hackles.features.descriptors import LLD, MEL_COLUMNS
from hackles.features.harmonicity import hnr_db
from hackles.features.rhythm import (
    pauses,
    syllabic_modulation,
    syllable_rate,
    voiced_segments,
)
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
    "f0_st_rise",
    "f0_st_fall",
    "voiced_ratio",
    "hnr_db_mean",
    "hnr_db_sd",
    "voicing_mean",
    "voicing_sd",
    "level_db_mean",
    "level_db_range",
    "level_db_sd",
    "level_db_step",
    "level_db_rise",
    "level_db_fall",
    "loudness_cv",
    "loudness_range",
    "alpha_ratio_db_mean",
    "alpha_ratio_db_sd",
    "alpha_ratio_db_p80",
    "hammarberg_db_mean",
    "hammarberg_db_sd",
    "slope_db_per_khz_mean",
    "slope_db_per_khz_sd",
    "centroid_hz_mean",
    "centroid_hz_sd",
    "spread_hz_mean",
    "spread_hz_sd",
    "syllable_rate",
    "voiced_s_mean",
    "voiced_segment_rate",
    "pause_s_mean",
    "pause_ratio",
    "syllabic_modulation",
    "flux_db_mean",
    "flux_db_sd",
    *(f"mfcc{order}_mean" for order in range(1, 5)),
    *(f"mfcc{order}_sd" for order in range(1, 5)),
    *(f"mel{band:02d}_db_mean" for band in range(N_MELS)),
    *(f"mel{band:02d}_db_sd" for band in range(N_MELS)),
)
N_FUNCTIONALS = len(FUNCTIONAL_NAMES)
FUNCTIONAL = {name: column for column, name in enumerate(FUNCTIONAL_NAMES)}
"""Column of each functional in the array that `functionals` returns."""

_COSINES: Array = np.cos(
    np.pi * np.arange(1, 5)[:, None] * (np.arange(N_MELS) + 0.5) / N_MELS
).astype(np.float32)
_COSINES *= np.float32(np.sqrt(2.0 / N_MELS) * np.log(10.0) / 10.0)
"""Mel levels in dB to MFCC 1-4, natural logarithm, orthonormal."""

_SPAN = 5
"""Frames over which the rise and the fall of the level are taken: 50 ms."""

_TONAL = [LLD[n] for n in ("f0_st", "alpha_ratio_db", "hammarberg_db", "slope_db_per_khz")]
_RANKED = [LLD[name] for name in ("f0_st", "level_db", "alpha_ratio_db", "loudness")]


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
    voiced = valid & (f0 > 0.0)
    adjacent = valid[:, 1:] & valid[:, :-1] & (frame[:, 1:] - frame[:, :-1] == 1)
    whole, tonal, pairs = (flags.astype(np.float32) for flags in (valid, voiced, adjacent))
    average, spread = moments(rows, whole)
    tonal_average, tonal_spread = moments(rows[:, _TONAL], tonal)
    hnr, hnr_spread = moments(hnr_db(voicing)[:, None], tonal)
    p20, p50, p80 = percentiles(
        rows[:, _RANKED], np.stack([voiced, valid, voiced, valid], 1), (20, 50, 80)
    )
    loudness = LLD["loudness"]
    flux, flux_spread = moments(_flux(rows[:, MEL_COLUMNS])[:, None], pairs)
    f0_moves = f0[:, 1:] - f0[:, :-1]
    # An octave error is not a movement.
    f0_pairs = pairs * tonal[:, 1:] * tonal[:, :-1] * (np.abs(f0_moves) < np.float32(3.0))
    # What the mean of five frames moves in one is a fifth of what the level does in five.
    level_moves = (level[:, _SPAN:] - level[:, :-_SPAN]) * np.float32(1.0 / _SPAN)
    spans = valid[:, _SPAN:] & valid[:, :-_SPAN] & (frame[:, _SPAN:] - frame[:, :-_SPAN] == _SPAN)
    mfcc, mfcc_spread = moments(np.matmul(_COSINES, rows[:, MEL_COLUMNS]), whole)
    columns = [
        p20[:, 0],
        p50[:, 0],
        p80[:, 0],
        p80[:, 0] - p20[:, 0],
        tonal_spread[:, 0],
        mean(np.abs(f0_moves), f0_pairs),
        *_rise_and_fall(f0_moves, f0_pairs),
        mean(tonal, whole),
        hnr[:, 0],
        hnr_spread[:, 0],
        average[:, LLD["voicing"]],
        spread[:, LLD["voicing"]],
        average[:, LLD["level_db"]],
        p80[:, 1] - p20[:, 1],
        spread[:, LLD["level_db"]],
        mean(np.abs(level[:, 1:] - level[:, :-1]), pairs),
        *_rise_and_fall(level_moves, spans.astype(np.float32)),
        spread[:, loudness] / np.maximum(average[:, loudness], np.float32(1e-9)),
        (p80[:, 3] - p20[:, 3]) / np.maximum(p50[:, 3], np.float32(1e-9)),
        tonal_average[:, 1],
        tonal_spread[:, 1],
        p80[:, 2],
        tonal_average[:, 2],
        tonal_spread[:, 2],
        tonal_average[:, 3],
        tonal_spread[:, 3],
        average[:, LLD["centroid_hz"]],
        spread[:, LLD["centroid_hz"]],
        average[:, LLD["spread_hz"]],
        spread[:, LLD["spread_hz"]],
        syllable_rate(level, voiced, valid),
        *voiced_segments(voiced, adjacent, valid),
        *pauses(frame, valid),
        syllabic_modulation(level, whole),
        flux[:, 0],
        flux_spread[:, 0],
    ]
    bands = average[:, MEL_COLUMNS]
    shape = bands - bands.mean(axis=1, keepdims=True)
    rest = [mfcc, mfcc_spread, shape, spread[:, MEL_COLUMNS]]
    return np.concatenate([np.stack(columns, axis=1), *rest], axis=1)


def _rise_and_fall(moves: Array, pairs: Array) -> tuple[Array, Array]:
    """Return the mean slope of what rises and of what falls, both positive, per second."""
    up = pairs * (moves > 0.0)
    down = pairs * (moves < 0.0)
    scale = np.float32(FRAMES_PER_S)
    return mean(moves, up) * scale, mean(-moves, down) * scale


def _flux(mel_db: Array) -> Array:
    """Return the mean change per band from frame to frame, shape (n, length - 1)."""
    change = mel_db[:, :, 1:] - mel_db[:, :, :-1]
    result: Array = np.abs(change, out=change).sum(axis=1)
    result *= np.float32(1.0 / N_MELS)
    return result
