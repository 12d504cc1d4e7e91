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

FIRST_LAG = int(SAMPLE_RATE / F0_MAX_HZ)
LAST_LAG = int(np.ceil(SAMPLE_RATE / F0_MIN_HZ))
# One more lag at either end: a peak there is none.
_LAGS: Ints = np.arange(FIRST_LAG - 1, LAST_LAG + 2)

# Half width of the moving average that is taken for the envelope. 16 bins (250 Hz) still leave the
# harmonics of a voice at 500 Hz standing; with 10, voices above 355 Hz came out an octave low.
_ENVELOPE_BINS = 16
# A small preference for the longer of two nearly equal periods, per octave: a strong formant makes
# every second harmonic stand out. Chosen with the width above on 70 clips of five corpora against
# Praat on the unfiltered speech: gross errors 14.6 % (6 % above 300 Hz, 23 % below 130 Hz).
_OCTAVE_BONUS: Array = (0.96 * np.log2(_LAGS / FIRST_LAG)).astype(np.float32)

_BINS = np.arange(N_BINS)
_AVERAGED = np.minimum(_BINS + _ENVELOPE_BINS, N_BINS - 1) - np.maximum(_BINS - _ENVELOPE_BINS, 0)
_PER_BIN: Array = (1.0 / (_AVERAGED + 1)).astype(np.float32)


def lag_transform(spectrum: Array) -> Array:
    """Return the cosine transform of a band-limited spectrum: of power, its autocorrelation.

    Args:
        spectrum: shape (n_frames, N_BINS).

    Returns:
        Shape (n_frames, N_FFT // 2 + 1), indexed by lag in samples.
    """
    whole = np.empty((len(spectrum), N_FFT // 2 + 1), dtype=np.float32)
    whole[:, :FIRST_BIN] = 0.0
    whole[:, FIRST_BIN : LAST_BIN + 1] = spectrum
    whole[:, LAST_BIN + 1 :] = 0.0
    result: Array = scipy.fft.dct(whole, type=1, axis=1, overwrite_x=True)
    return result


def f0_st(power: Array) -> Array:
    """Return the best candidate for F0 in semitones re 27.5 Hz, shape (n_frames,).

    A candidate is given for every frame; whether it means anything is for
    `harmonicity.voicing` to say.
    """
    ripple = _without_envelope(np.sqrt(np.sqrt(power)))
    spread = np.sqrt(np.einsum("ij,ij->i", ripple, ripple))[:, None]
    score = lag_transform(ripple)
    lag = _LAGS[_best_peak(score[:, _LAGS[0] : _LAGS[-1] + 1] + spread * _OCTAVE_BONUS)]
    period: AnyArray = lag + parabolic_offset(score, lag)
    result: Array = (12.0 * np.log2(SAMPLE_RATE / (period * F0_REFERENCE_HZ))).astype(np.float32)
    return result


def _best_peak(score: Array) -> Ints:
    """Return where each row is highest; where that is its edge, the highest of its true peaks."""
    best: Ints = score.argmax(axis=1)
    last = score.shape[1] - 1
    edge = np.flatnonzero((best == 0) | (best == last))
    some = score[edge]
    peak = (some[:, 1:-1] >= some[:, :-2]) & (some[:, 1:-1] >= some[:, 2:])
    best[edge] = np.where(peak, some[:, 1:-1], -np.inf).argmax(axis=1) + 1
    return best


def _without_envelope(spectrum: Array) -> Array:
    """Return each row less its moving average over 33 bins (fewer at the edges of the band)."""
    n_rows, reach = len(spectrum), _ENVELOPE_BINS
    padded = np.zeros((n_rows, N_BINS + 2 * reach), dtype=np.float32)
    padded[:, reach:-reach] = spectrum
    # All rows as one long one: the zeros between them keep them apart. Sums of 2, 4, 8, 16 and
    # 32 neighbours; 33 = 32 + 1. A running sum takes twice as long.
    row = padded.reshape(-1)
    two = row[:-1] + row[1:]
    four = two[:-2] + two[2:]
    eight = np.add(four[:-4], four[4:], out=two[: len(four) - 4])
    sixteen = np.add(eight[:-8], eight[8:], out=four[: len(eight) - 8])
    sums = np.empty_like(padded)
    whole = sums.reshape(-1)
    np.add(sixteen[:-16], sixteen[16:], out=whole[: len(sixteen) - 16])
    whole[:-32] += row[32:]
    average: Array = sums[:, :N_BINS] * _PER_BIN
    np.subtract(spectrum, average, out=average)
    return average


def parabolic_offset(curve: Array, peak: Ints) -> Array:
    """Return where the parabola through a peak and its neighbours has its top, in [-0.5, 0.5]."""
    around = peak[:, None] + np.arange(-1, 2) + np.arange(len(peak))[:, None] * curve.shape[1]
    left, middle, right = np.take(curve, around).T
    bend = left - 2.0 * middle + right
    offset = np.where(bend < 0.0, 0.5 * (left - right) / np.where(bend < 0.0, bend, 1.0), 0.0)
    return np.clip(offset, -0.5, 0.5).astype(np.float32)
