"""How periodic the sound is."""

import numpy as np
import scipy.fft

from hackles.features.pitch import F0_MAX_HZ, F0_MIN_HZ, lag_transform
from hackles.features.spectrum import POWER_FLOOR, WINDOW
from hackles.config import SAMPLE_RATE
from hackles.types import Array

_FIRST_LAG = int(SAMPLE_RATE / F0_MAX_HZ)
_LAST_LAG = int(np.ceil(SAMPLE_RATE / F0_MIN_HZ))


def _window_autocorrelation() -> Array:
    """Return the normalised autocorrelation of the analysis window at the lags in use."""
    spectrum = np.abs(scipy.fft.rfft(WINDOW.astype(np.float64), 1024)) ** 2
    correlation = scipy.fft.irfft(spectrum)
    return (correlation[_FIRST_LAG : _LAST_LAG + 1] / correlation[0]).astype(np.float32)


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
    best = (correlation[:, _FIRST_LAG : _LAST_LAG + 1] * _PER_WINDOW_CORRELATION).max(axis=1)
    total = correlation[:, 0]
    ratio = np.where(total > POWER_FLOOR, best / np.maximum(total, POWER_FLOOR), 0.0)
    return np.clip(ratio, 0.0, 1.0).astype(np.float32)
