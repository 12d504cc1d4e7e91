"""How periodic the sound is."""

import numpy as np
import scipy.fft

from hackles.config import N_FFT
from hackles.features.pitch import FIRST_LAG, LAST_LAG, parabolic_offset
from hackles.features.spectrum import FIRST_BIN, LAST_BIN, POWER_FLOOR, WINDOW, total
from hackles.types import Array

VOICED = np.float32(0.5)
"""Voicing strength from which a frame counts as voiced."""

# A period of 78.5 samples falls between two lags, where a peak 3 kHz wide is a third lower: the
# correlation is interpolated there (Boersma does so too), from this many lags on either side.
_REACH = 8


# What is looked through, one lag and the reach of interpolation more on either side.
_COLUMNS = slice(FIRST_LAG - 1 - _REACH, LAST_LAG + 1 + _REACH)


def _window_autocorrelation() -> Array:
    """Return the normalised autocorrelation of the analysis window at the lags in use."""
    lags = np.arange(_COLUMNS.start, _COLUMNS.stop) + 0.5
    power = np.abs(scipy.fft.fft(WINDOW.astype(np.float64), 2 * N_FFT)) ** 2
    turns = np.outer(scipy.fft.fftfreq(2 * N_FFT), lags)
    used: Array = ((power @ np.cos(2 * np.pi * turns)) / power.sum()).astype(np.float32)
    return used


def _sinc_weights() -> Array:
    """Return weights that interpolate -2 to 2 quarter lags off the middle of 2 _REACH + 1 lags."""
    offsets = np.arange(-2, 3)[:, None] / 4.0
    distance = np.arange(-_REACH, _REACH + 1) - offsets
    taper = 0.5 + 0.5 * np.cos(np.pi * distance / (_REACH + 1))
    return (np.sinc(distance) * taper).astype(np.float32)


_BETWEEN = _sinc_weights()
_NEIGHBOURS = np.arange(2 * _REACH + 1)
_PER_WINDOW_CORRELATION: Array = np.float32(1.0) / _window_autocorrelation()


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
    result: Array = scipy.fft.dct(whole, type=3, axis=1, overwrite_x=True)
    return result


def voicing(power: Array) -> Array:
    """Return the voicing strength: the highest normalised autocorrelation of each frame.

    Returns:
        Shape (n_frames,), 0 (noise, silence) to 1 (perfectly periodic). r / (1 - r) is the
        harmonics-to-noise ratio.

    Source:
        Boersma 1993, "Accurate short-term analysis of the fundamental frequency and the
        harmonics-to-noise ratio of a sampled sound": r_x(lag) = r_xw(lag) / r_w(lag).
    """
    at_no_lag = np.float32(2.0) * total(power)
    normalised = half_lags(power)[:, _COLUMNS] * _PER_WINDOW_CORRELATION
    lag = normalised[:, _REACH:-_REACH].argmax(axis=1)
    between = np.rint(4.0 * parabolic_offset(normalised, lag + _REACH)).astype(np.int64) + 2
    first = np.arange(len(power)) * normalised.shape[1] + lag
    around = np.take(normalised, first[:, None] + _NEIGHBOURS)
    best = np.einsum("ij,ij->i", around, _BETWEEN[between])
    ratio = np.where(at_no_lag > POWER_FLOOR, best / np.maximum(at_no_lag, POWER_FLOOR), 0.0)
    return np.clip(ratio, 0.0, 1.0).astype(np.float32)
