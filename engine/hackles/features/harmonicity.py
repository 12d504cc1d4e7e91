"""How periodic the sound is."""

import numpy as np

from hackles.config import N_FFT
from hackles.features.pitch import FIRST_LAG, LAGS, LAST_LAG, parabolic_offset
from hackles.features.spectrum import (
    FIRST_BIN,
    LAST_BIN,
    POWER_FLOOR,
    WINDOW,
    decibels,
    total,
)
from hackles.features.transforms import dct
from hackles.types import Array, Bools, Ints

VOICED = np.float32(0.5)
"""Voicing strength from which a frame counts as voiced."""

REPEATS = np.float32(0.45)
"""How strongly a voiced frame must repeat with its F0; with less, it has none (as in Praat)."""

# A period of 78.5 samples falls between two lags, where a peak 3 kHz wide is a third lower: the
# correlation is interpolated there (Boersma does so too), from this many lags on either side.
_REACH = 8


# What is looked through, one lag and the reach of interpolation more on either side.
_COLUMNS = slice(FIRST_LAG - 1 - _REACH, LAST_LAG + 1 + _REACH)


def _window_autocorrelation() -> Array:
    """Return the normalised autocorrelation of the analysis window at the lags in use."""
    lags = np.arange(_COLUMNS.start, _COLUMNS.stop) + 0.5
    power = np.abs(np.fft.fft(WINDOW.astype(np.float64), 2 * N_FFT)) ** 2
    turns = np.outer(np.fft.fftfreq(2 * N_FFT), lags)
    used: Array = ((power @ np.cos(2 * np.pi * turns)) / power.sum()).astype(np.float32)
    return used


def _sinc_weights() -> Array:
    """Return weights that interpolate near the middle of 2 _REACH + 1 lags.

    Returns:
        Shape (5, 3, 2 _REACH + 1): -2 to 2 quarter lags off the middle, and the quarter lags on
        either side of each.
    """
    offsets = (np.arange(-2, 3)[:, None] + np.arange(-1, 2))[:, :, None] / 4.0
    distance = np.arange(-_REACH, _REACH + 1) - offsets
    taper = 0.5 + 0.5 * np.cos(np.pi * distance / (_REACH + 1))
    return (np.sinc(distance) * taper).astype(np.float32)


_BETWEEN = _sinc_weights()
_NEIGHBOURS = np.arange(2 * _REACH + 1)
_PER_WINDOW_CORRELATION: Array = np.float32(1.0) / _window_autocorrelation()

# Columns of the autocorrelation in which the exact period is looked for, for each rough one, and
# those of them that are more than 8 % away, or off the edge.
_SPAN = np.arange(-9, 11)
_DISTANCE = np.abs(_SPAN - 0.5) + 0.0 * LAGS[:, None]
_PLACE = LAGS[:, None] - FIRST_LAG + _SPAN
_TOO_FAR: Bools = (np.maximum(0.08 * LAGS[:, None], 1.5) < _DISTANCE) | (_PLACE < 0)
_TOO_FAR |= _PLACE > LAST_LAG - FIRST_LAG + 1
_NEAR: Ints = np.clip(_PLACE, 0, LAST_LAG - FIRST_LAG + 1) + _REACH


def half_lags(power: Array) -> Array:
    """Return the autocorrelation of each frame half-way between the lags.

    A cosine transform of type III gives these in two thirds of the time that type I takes for
    the whole lags, and the peak is interpolated anyway.

    Returns:
        Shape (n_frames, N_FFT // 2), the lags 0.5, 1.5, 2.5, ... samples.
    """
    whole = np.empty((len(power), N_FFT // 2), dtype=np.float32)
    whole[:, :FIRST_BIN] = 0.0
    whole[:, FIRST_BIN : LAST_BIN + 1] = power
    whole[:, LAST_BIN + 1 :] = 0.0
    return dct(whole, 3)


def autocorrelation(power: Array) -> Array:
    """Return the normalised autocorrelation of each frame, free of the window's own.

    Returns:
        Shape (n_frames, n), half-way between the lags; what lies beyond the longest and the
        shortest period is there for interpolation alone.

    Source:
        Boersma 1993, "Accurate short-term analysis of the fundamental frequency and the
        harmonics-to-noise ratio of a sampled sound": r_x(lag) = r_xw(lag) / r_w(lag).
    """
    at_no_lag = np.float32(2.0) * total(power)
    heard = at_no_lag > POWER_FLOOR
    scale = np.where(heard, np.float32(1.0) / np.where(heard, at_no_lag, 1.0), np.float32(0.0))
    result = half_lags(power)[:, _COLUMNS] * _PER_WINDOW_CORRELATION
    result *= scale[:, None]
    return result


def voicing(correlation: Array) -> Array:
    """Return the voicing strength: the highest normalised autocorrelation of each frame.

    Args:
        correlation: output of `autocorrelation`.

    Returns:
        Shape (n_frames,), 0 (noise, silence) to 1 (perfectly periodic).
    """
    lag = correlation[:, _REACH:-_REACH].argmax(axis=1)
    return _top(correlation, lag)[1]


def at_period(correlation: Array, lag: Ints) -> tuple[Array, Array]:
    """Return the exact period near a given one, and how strong the sound repeats with it.

    Args:
        correlation: output of `autocorrelation`.
        lag: whole samples, shape (n_frames,), `FIRST_LAG` to `LAST_LAG`.

    Returns:
        Periods in samples, and strengths from 0 to 1, both of shape (n_frames,).
    """
    row, at = np.arange(len(lag)), lag - FIRST_LAG
    near = np.take(correlation, row[:, None] * correlation.shape[1] + _NEAR[at])
    np.putmask(near, _TOO_FAR[at], np.float32(-1.0))
    best = _NEAR[at, near.argmax(axis=1)] - _REACH
    offset, strength = _top(correlation, best)
    return (best + offset + np.float32(FIRST_LAG - 0.5)).astype(np.float32), strength


def hnr_db(voicing: Array) -> Array:
    """Return the harmonics-to-noise ratio in dB, r / (1 - r), within -20 and 40 dB.

    Source:
        Boersma 1993; eGeMAPS HNRdBACF.
    """
    ratio = voicing / np.maximum(np.float32(1.0) - voicing, np.float32(1e-6))
    return np.clip(decibels(ratio), np.float32(-20.0), np.float32(40.0))


def _top(correlation: Array, lag: Ints) -> tuple[Array, Array]:
    """Return where near a peak the interpolated correlation is highest, and how high.

    An eighth of a lag beside the top, a strong voice seems 15 dB over its noise, however clean it
    is: between quarter lags a second parabola tells the height.
    """
    quarters = np.rint(4.0 * parabolic_offset(correlation, lag + _REACH))
    first = np.arange(len(correlation)) * correlation.shape[1] + lag
    around = np.take(correlation, first[:, None] + _NEIGHBOURS)
    near = np.einsum("ij,ikj->ik", around, _BETWEEN[quarters.astype(np.int64) + 2])
    offset = parabolic_offset(near, np.ones_like(lag))
    best = near[:, 1] + np.float32(0.25) * (near[:, 2] - near[:, 0]) * offset
    # The window of one frame lets r pass 1 by a little; as in Praat, that is as far from 1.
    np.divide(np.float32(1.0), best, out=best, where=best > 1.0)
    place = (quarters + offset) * np.float32(0.25)
    return place.astype(np.float32), np.clip(best, 0.0, 1.0).astype(np.float32)
