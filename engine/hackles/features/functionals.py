"""Functionals: one number per window of a caller's speech, from the LLDs of its frames.

All but `level_db_mean` are free of gain by construction.
"""

import numpy as np

from hackles.features.descriptors import LLD
from hackles.features.rhythm import syllable_rate, voiced_segments
from hackles.features.spectrum import N_MFCCS
from hackles.features.statistics import mean, moments, percentiles
from hackles.types import Array, Bools, Ints

_MFCCS = tuple(f"mfcc{order}" for order in range(1, N_MFCCS + 1))

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
    *(f"{name}_mean" for name in _MFCCS),
)
N_FUNCTIONALS = len(FUNCTIONAL_NAMES)
FUNCTIONAL = {name: column for column, name in enumerate(FUNCTIONAL_NAMES)}
"""Column of each functional in the array that `functionals` returns."""

_TONAL = [LLD[name] for name in ("f0_st", "alpha_ratio_db", "hammarberg_db")]
_RANKED = [LLD[name] for name in ("f0_st", "alpha_ratio_db")]
_PLAIN = [LLD[n] for n in ("voicing", "level_db", "spread_hz", *_MFCCS)]


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
    level, f0, flux_db = (rows[:, LLD[name]] for name in ("level_db", "f0_st", "flux_db"))
    voiced = valid & (f0 > 0.0)
    adjacent = valid[:, 1:] & valid[:, :-1] & (frame[:, 1:] - frame[:, :-1] == 1)
    # There is a flux where the frame before was described, too.
    moving = valid & (flux_db > 0.0)
    whole, tonal, moved = (flags.astype(np.float32) for flags in (valid, voiced, moving))
    plain, plain_sd = moments(rows[:, _PLAIN], whole)
    toned, toned_sd = moments(rows[:, _TONAL], tonal)
    flux, flux_sd = moments(flux_db[:, None], moved)
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
        *plain[:, 3:].T,
    )
    return np.stack(columns, axis=1)
