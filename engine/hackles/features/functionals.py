"""Functionals: one number per window of a caller's speech, from the LLDs of its frames.

All but `level_db_mean`, and `f0_st_*` as a position, are free of gain by construction.
"""

import numpy as np

from hackles.features.descriptors import LLD, MEL_COLUMNS
from hackles.features.harmonicity import VOICED
from hackles.features.rhythm import syllable_rate
from hackles.features.spectrum import N_MELS
from hackles.features.statistics import deviation, mean, percentiles
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


def functionals(llds: Array, frame: Ints, valid: Bools) -> Array:
    """Return the functionals of each window.

    Args:
        llds: shape (n, length, N_LLDS), descriptors of the speech frames, oldest first.
        frame: shape (n, length), the place of each on the clock, in frames.
        valid: shape (n, length), which entries belong to the window.

    Returns:
        Shape (n, N_FUNCTIONALS), float32, finite; columns as `FUNCTIONAL_NAMES`.
    """
    level, f0, voicing = (llds[:, :, LLD[name]] for name in ("level_db", "f0_st", "voicing"))
    voiced = valid & (voicing >= VOICED)
    adjacent = valid[:, 1:] & valid[:, :-1] & (np.diff(frame, axis=1) == 1)
    both_voiced = adjacent & voiced[:, 1:] & voiced[:, :-1]
    whole, tonal = valid.astype(np.float32), voiced.astype(np.float32)
    pairs = adjacent.astype(np.float32)
    parts = [
        *_pitch(f0, voiced, both_voiced),
        mean(tonal, whole),
        mean(voicing, whole),
        deviation(voicing, whole),
        *_level(level, llds[:, :, LLD["loudness"]], valid, pairs),
        *_balance(llds, voiced, whole),
        syllable_rate(level, voiced, valid),
        *_mel(llds[:, :, MEL_COLUMNS], whole, pairs),
    ]
    return np.stack(parts, axis=1)


def _pitch(f0: Array, voiced: Bools, both_voiced: Bools) -> list[Array]:
    """F0 in semitones: percentiles, their range, spread, and movement from frame to frame."""
    p20, p50, p80 = percentiles(f0, voiced, (20, 50, 80))
    jumps = np.abs(np.diff(f0, axis=1))
    smooth = both_voiced & (jumps < np.float32(3.0))  # an octave error is not a movement
    spread = deviation(f0, voiced.astype(np.float32))
    return [p20, p50, p80, p80 - p20, spread, mean(jumps, smooth.astype(np.float32))]


def _level(level: Array, loudness: Array, valid: Bools, pairs: Array) -> list[Array]:
    """Level: mean, range, spread, movement; loudness: coefficient of variation."""
    whole = valid.astype(np.float32)
    p20, p80 = percentiles(level, valid, (20, 80))
    variation = deviation(loudness, whole) / np.maximum(mean(loudness, whole), np.float32(1e-9))
    step = mean(np.abs(np.diff(level, axis=1)), pairs)
    return [mean(level, whole), p80 - p20, deviation(level, whole), step, variation]


def _balance(llds: Array, voiced: Bools, whole: Array) -> list[Array]:
    """Spectral balance in voiced frames; the centroid in all."""
    alpha, hammarberg, centroid = (
        llds[:, :, LLD[name]] for name in ("alpha_ratio_db", "hammarberg_db", "centroid_hz")
    )
    tonal = voiced.astype(np.float32)
    return [
        mean(alpha, tonal),
        deviation(alpha, tonal),
        *percentiles(alpha, voiced, (80,)),
        mean(hammarberg, tonal),
        deviation(hammarberg, tonal),
        mean(centroid, whole),
        deviation(centroid, whole),
    ]


def _mel(mel_db: Array, whole: Array, pairs: Array) -> list[Array]:
    """Flux (mean change per band from frame to frame), and the shape and spread of the bands."""
    count = np.maximum(np.einsum("nl->n", whole), np.float32(1.0))[:, None]
    flux = np.einsum("nlb->nl", np.abs(np.diff(mel_db, axis=1))) / np.float32(N_MELS)
    average = np.einsum("nlb,nl->nb", mel_db, whole) / count
    centred = mel_db - average[:, None, :]
    spread = np.sqrt(np.einsum("nlb,nlb,nl->nb", centred, centred, whole) / count)
    shape = average - average.mean(axis=1, keepdims=True)
    return [mean(flux, pairs), deviation(flux, pairs), *shape.T, *spread.T]
