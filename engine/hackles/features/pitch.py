"""Fundamental frequency of band-limited speech.

A telephone passes no fundamental below 300 Hz, so F0 is taken from the spacing of the
harmonics that are left: the cosine transform of the compressed spectrum. Compression (fourth
root) and the removal of the spectral envelope keep the formants from posing as a pitch.
"""

import numpy as np
import scipy.fft

from hackles.config import N_FFT, SAMPLE_RATE
from hackles.features.spectrum import FIRST_BIN, LAST_BIN, N_BINS
from hackles.types import AnyArray, Array, Ints

F0_MIN_HZ = 70.0
F0_MAX_HZ = 500.0
F0_REFERENCE_HZ = 27.5

_FIRST_LAG = int(SAMPLE_RATE / F0_MAX_HZ)
_LAST_LAG = int(np.ceil(SAMPLE_RATE / F0_MIN_HZ))
_LAGS: Ints = np.arange(_FIRST_LAG, _LAST_LAG + 1)

# Half width of the moving average that is taken for the envelope: 10 bins (156 Hz) leave one
# harmonic of a low voice standing and still follow a formant. Measured against Praat on 70
# clips of five corpora: gross errors .15, with 6 bins .25, with 16 bins .18.
_ENVELOPE_BINS = 10
_LOW = np.maximum(np.arange(N_BINS) - _ENVELOPE_BINS, 0)
_HIGH = np.minimum(np.arange(N_BINS) + _ENVELOPE_BINS + 1, N_BINS)
_WIDTH: Array = (_HIGH - _LOW).astype(np.float32)

# A small preference for the shorter of two equally good periods, per octave.
_OCTAVE_COST: Array = (0.02 * np.log2(_LAGS / _FIRST_LAG)).astype(np.float32)


def lag_transform(spectrum: Array) -> Array:
    """Return the cosine transform of a band-limited spectrum: of power, its autocorrelation.

    Args:
        spectrum: shape (n_frames, N_BINS).

    Returns:
        Shape (n_frames, N_FFT // 2 + 1), indexed by lag in samples.
    """
    whole = np.zeros((len(spectrum), N_FFT // 2 + 1), dtype=np.float32)
    whole[:, FIRST_BIN : LAST_BIN + 1] = spectrum
    result: Array = scipy.fft.dct(whole, type=1, axis=1, overwrite_x=True)
    return result


def f0_st(power: Array) -> Array:
    """Return the best candidate for F0 in semitones re 27.5 Hz, shape (n_frames,).

    A candidate is given for every frame; whether it means anything is for
    `harmonicity.voicing` to say.
    """
    compressed = np.sqrt(np.sqrt(power))
    sums = np.zeros((len(power), N_BINS + 1), dtype=np.float32)
    np.cumsum(compressed, axis=1, out=sums[:, 1:])
    compressed -= (sums[:, _HIGH] - sums[:, _LOW]) / _WIDTH
    ripple = lag_transform(compressed)
    inner = ripple[:, _FIRST_LAG : _LAST_LAG + 1]
    peak = (inner >= ripple[:, _FIRST_LAG - 1 : _LAST_LAG]) & (
        inner >= ripple[:, _FIRST_LAG + 1 : _LAST_LAG + 2]
    )
    spread = np.sqrt(np.einsum("ij,ij->i", compressed, compressed))[:, None]
    score = np.where(peak, inner - _OCTAVE_COST * spread * np.float32(16.0), -np.inf)
    lag = score.argmax(axis=1) + _FIRST_LAG
    period: AnyArray = lag + parabolic_offset(ripple, lag)
    result: Array = (12.0 * np.log2(SAMPLE_RATE / (period * F0_REFERENCE_HZ))).astype(np.float32)
    return result


def parabolic_offset(curve: Array, peak: Ints) -> Array:
    """Return where the parabola through a peak and its neighbours has its top, in [-0.5, 0.5]."""
    rows = np.arange(len(peak))
    left, middle, right = curve[rows, peak - 1], curve[rows, peak], curve[rows, peak + 1]
    bend = left - 2.0 * middle + right
    offset = np.where(bend < 0.0, 0.5 * (left - right) / np.where(bend < 0.0, bend, 1.0), 0.0)
    return np.clip(offset, -0.5, 0.5).astype(np.float32)
