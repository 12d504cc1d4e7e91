"""How periodic the sound is."""

import numpy as np
import scipy.fft

from hackles.config import SAMPLE_RATE
from hackles.features.pitch import F0_MAX_HZ, F0_MIN_HZ, lag_transform, parabolic_offset
from hackles.features.spectrum import POWER_FLOOR, WINDOW
from hackles.types import Array

_FIRST_LAG = int(SAMPLE_RATE / F0_MAX_HZ)
_LAST_LAG = int(np.ceil(SAMPLE_RATE / F0_MIN_HZ))

VOICED = np.float32(0.5)
"""Voicing strength from which a frame counts as voiced."""

# A period of 78.5 samples falls between two lags, where a peak 3 kHz wide is a third lower: the
# correlation is interpolated there (Boersma does so too), from this many lags on either side.
_REACH = 8


def _window_autocorrelation() -> Array:
    """Return the normalised autocorrelation of the analysis window at the lags in use."""
    spectrum = np.abs(scipy.fft.rfft(WINDOW.astype(np.float64), 1024)) ** 2
    correlation = scipy.fft.irfft(spectrum)
    used: Array = correlation[_FIRST_LAG - _REACH : _LAST_LAG + _REACH + 1].astype(np.float32)
    return used / np.float32(correlation[0])


def _sinc_weights() -> Array:
    """Return weights that interpolate -2 to 2 quarter lags off the middle of 2 _REACH + 1 lags."""
    offsets = np.arange(-2, 3)[:, None] / 4.0
    distance = np.arange(-_REACH, _REACH + 1) - offsets
    taper = 0.5 + 0.5 * np.cos(np.pi * distance / (_REACH + 1))
    return (np.sinc(distance) * taper).astype(np.float32)


_BETWEEN = _sinc_weights()
_NEIGHBOURS = np.arange(2 * _REACH + 1)
_PER_WINDOW_CORRELATION: Array = np.float32(1.0) / _window_autocorrelation()


def voicing(power: Array) -> Array:
    """Return the voicing strength: the highest normalised autocorrelation of each frame.

    Returns:
        Shape (n_frames,), 0 (noise, silence) to 1 (perfectly periodic). r / (1 - r) is the
        harmonics-to-noise ratio.

    Source:
        Boersma 1993, "Accurate short-term analysis of the fundamental frequency and the
        harmonics-to-noise ratio of a sampled sound": r_x(lag) = r_xw(lag) / r_w(lag).
    """
    correlation = lag_transform(power)
    total = correlation[:, 0]
    normalised = correlation[:, _FIRST_LAG - _REACH : _LAST_LAG + _REACH + 1]
    normalised = normalised * _PER_WINDOW_CORRELATION
    lag = normalised[:, _REACH:-_REACH].argmax(axis=1)
    between = np.rint(4.0 * parabolic_offset(normalised, lag + _REACH)).astype(np.int64) + 2
    around = normalised[np.arange(len(power))[:, None], lag[:, None] + _NEIGHBOURS]
    best = np.einsum("ij,ij->i", around, _BETWEEN[between])
    ratio = np.where(total > POWER_FLOOR, best / np.maximum(total, POWER_FLOOR), 0.0)
    return np.clip(ratio, 0.0, 1.0).astype(np.float32)
