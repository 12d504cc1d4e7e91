"""The band-limited power spectrum, from which every other feature derives, and its shape.

Bins outside the telephone band (300-3400 Hz) are left out once, here, so that a headset at
48 kHz and a G.711 line give the same numbers. `power` below is always the output of
`power_spectrum`, shape (n_frames, N_BINS).
"""

import numpy as np

from hackles.config import BAND_HZ, FRAME_LENGTH, N_FFT, SAMPLE_RATE
from hackles.features.transforms import rfft
from hackles.types import AnyArray, Array

BIN_HZ = SAMPLE_RATE / N_FFT
FIRST_BIN = int(np.ceil(BAND_HZ[0] / BIN_HZ))
LAST_BIN = int(np.floor(BAND_HZ[1] / BIN_HZ))
N_BINS = LAST_BIN - FIRST_BIN + 1
N_MELS = 20
N_MFCCS = 4
BINS_HZ: Array = (np.arange(FIRST_BIN, LAST_BIN + 1) * BIN_HZ).astype(np.float32)

# A periodic Hann window that is not zero at either end, so that all 320 samples count.
WINDOW: Array = np.hanning(FRAME_LENGTH + 2)[1:-1].astype(np.float32)

# One-sided spectrum (factor 2), Parseval's N and the window's own power: makes the sum over
# `power` the mean square of the frame.
_SCALED_WINDOW: Array = WINDOW * np.sqrt(2.0 / (N_FFT * np.sum(WINDOW.astype(np.float64) ** 2)))
_SCALED_WINDOW = _SCALED_WINDOW.astype(np.float32)

POWER_FLOOR = np.float32(1e-12)
"""Mean square under which a frame counts as digital silence (-120 dBFS)."""

_DECIBELS = np.float32(10.0 / np.log(10.0))
_SPLIT_1000 = int(np.searchsorted(BINS_HZ, 1000.0))
_SPLIT_2000 = int(np.searchsorted(BINS_HZ, 2000.0))

_MIDDLE_HZ = np.float32(sum(BAND_HZ) / 2)
_FROM_MIDDLE_HZ: Array = BINS_HZ - _MIDDLE_HZ


def power_spectrum(frames: Array) -> Array:
    """Return the power in each bin of the telephone band.

    Args:
        frames: shape (n_frames, FRAME_LENGTH), samples.

    Returns:
        Shape (n_frames, N_BINS), mean-square units: a row sums to the band-limited mean
        square of its frame, weighted by the window.
    """
    padded = np.empty((len(frames), N_FFT), dtype=np.float32)
    np.multiply(frames, _SCALED_WINDOW, out=padded[:, :FRAME_LENGTH])
    padded[:, FRAME_LENGTH:] = 0.0
    spectrum: AnyArray = rfft(padded)
    # Squared in place, real and imaginary parts side by side, and then added: the fewer large
    # arrays there are at a time, the fewer pages the allocator gives back and fetches anew.
    parts = spectrum.view(np.float32)
    parts *= parts
    band = parts[:, 2 * FIRST_BIN : 2 * (LAST_BIN + 1)]
    power: Array = band[:, ::2] + band[:, 1::2]
    return power


def total(power: Array) -> Array:
    """Return the sum of each row: `np.sum` takes three times as long, and matmul is not exact."""
    result: Array = np.einsum("ij->i", power)
    return result


def decibels(power: Array) -> Array:
    """Return 10 log10 of `power`, floored at -120 dB."""
    result: Array = np.log(np.maximum(power, POWER_FLOOR))
    result *= _DECIBELS  # log10 takes twice as long as log
    return result


def alpha_ratio_db(power: Array) -> Array:
    """Return the energy above 1 kHz over the energy below it, in dB, shape (n_frames,).

    A tenser, more effortful voice has more energy above: the ratio rises.

    Source:
        eGeMAPS alphaRatio, 300-1000 against 1000-3400 Hz in place of 50-1000 against 1000-5000;
        the sign is openSMILE's. The formula in Eyben et al. 2016 is the other way up.
    """
    low, high = total(power[:, :_SPLIT_1000]), total(power[:, _SPLIT_1000:])
    return decibels(high) - decibels(low)


def hammarberg_db(power: Array) -> Array:
    """Return the strongest bin in 300-2000 Hz over the strongest in 2000-3400 Hz, in dB.

    Source:
        Hammarberg et al. 1980; eGeMAPS hammarbergIndex, (0-2000)/(2000-5000 Hz), band-limited.
    """
    low = power[:, :_SPLIT_2000].max(axis=1)
    high = power[:, _SPLIT_2000:].max(axis=1)
    return decibels(low) - decibels(high)


def centre_and_spread_hz(power: Array) -> tuple[Array, Array]:
    """Return the centre of gravity of the power spectrum, and the spread around it, in Hz.

    Silence has its centre in the middle of the band, and no spread.

    Source:
        The mean, and the square root of the second central moment; openSMILE spectralCentroid and
        spectralVariance, band-limited.
    """
    whole = total(power)
    heard = whole > POWER_FLOOR
    weight = np.where(heard, np.float32(1.0) / np.where(heard, whole, 1.0), np.float32(0.0))
    # From the middle of the band: squares of small numbers lose less.
    mean = np.einsum("ij,j->i", power, _FROM_MIDDLE_HZ) * weight
    square = np.einsum("ij,j->i", power, _FROM_MIDDLE_HZ**2) * weight
    spread = np.sqrt(np.maximum(square - mean * mean, np.float32(0.0)))
    return (mean + _MIDDLE_HZ).astype(np.float32), spread.astype(np.float32)


def _mel(hz: AnyArray) -> AnyArray:
    """Convert Hz to mel (O'Shaughnessy 1987)."""
    return 2595.0 * np.log10(1.0 + hz / 700.0)


def _mel_filters() -> Array:
    """Return triangular filters, equal steps in mel over the band, shape (N_BINS, N_MELS)."""
    edges = np.linspace(_mel(np.array(BAND_HZ[0])), _mel(np.array(BAND_HZ[1])), N_MELS + 2)
    mel = _mel(BINS_HZ.astype(np.float64))[:, None]
    rise = (mel - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - mel) / (edges[2:] - edges[1:-1])
    return np.maximum(np.minimum(rise, fall), 0.0).astype(np.float32)


_MEL_FILTERS = _mel_filters()


def log_mel_db(power: Array) -> Array:
    """Return the level in each of N_MELS mel bands in dB, shape (n_frames, N_MELS)."""
    return decibels(power @ _MEL_FILTERS)


_COSINES = np.cos(np.pi * np.arange(1, N_MFCCS + 1) * (np.arange(N_MELS)[:, None] + 0.5) / N_MELS)
_TO_MFCC: Array = (_COSINES * np.sqrt(2.0 / N_MELS) * np.log(10.0) / 10.0).astype(np.float32)


def mfcc(mel_db: Array) -> Array:
    """Return the mel-frequency cepstral coefficients from the first on, shape (n_frames, N_MFCCS).

    Args:
        mel_db: output of `log_mel_db`.

    Source:
        Davis & Mermelstein 1980; orthonormal cosine transform of natural logarithms of power.
    """
    return mel_db @ _TO_MFCC


def flux_db(mel_db: Array, before: Array) -> Array:
    """Return how much the level of a band changes on average from one frame to the next, in dB.

    Args:
        mel_db: output of `log_mel_db`, shape (n, N_MELS).
        before: of the frames before those.
    """
    result = total(np.abs(mel_db - before))
    result *= np.float32(1.0 / N_MELS)
    return result
