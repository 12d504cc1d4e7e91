"""Descriptors that are not in the engine: what of the voice they would add, `voice_quality` asks.

Every function takes `power` as the engine's own do, shape (n_frames, N_BINS), and a row's result
depends on no other row. Each could be moved into `hackles.features` as it stands.
"""

import numpy as np
import scipy.fft

from hackles.config import N_FFT, SAMPLE_RATE
from hackles.features.harmonicity import half_lags
from hackles.features.pitch import FIRST_LAG, LAST_LAG, lag_transform, parabolic_offset
from hackles.features.spectrum import BIN_HZ, BINS_HZ, N_BINS, POWER_FLOOR, WINDOW, total
from hackles.types import AnyArray, Array

_LAGS = np.arange(2 * LAST_LAG + 1)
_WHOLE = np.abs(scipy.fft.fft(WINDOW.astype(np.float64), 2 * N_FFT)) ** 2
_WINDOW_CORRELATION: AnyArray = scipy.fft.ifft(_WHOLE).real[: len(_LAGS)] / _WHOLE.mean()
_LAST_DOUBLE = 160.0
"""Two periods of 100 Hz: beyond that too little of the window overlaps itself."""

_TURNS: Array = (2.0 * np.pi / SAMPLE_RATE * BINS_HZ).astype(np.float32)
_SPLIT_1800 = int(np.searchsorted(BINS_HZ, 1800.0))

LPC_ORDER = 8
_GRID_HZ: Array = np.arange(312.5, 2700.0, 25.0, dtype=np.float32)


def period(power: Array) -> Array:
    """Return the lag of the highest normalised autocorrelation in samples, shape (n_frames,)."""
    lags = np.arange(FIRST_LAG - 1, LAST_LAG + 1)
    weight = 1.0 / np.interp(lags + 0.5, _LAGS, _WINDOW_CORRELATION)
    curve = half_lags(power)[:, lags[0] : lags[-1] + 1] * weight.astype(np.float32)
    best = curve[:, 1:-1].argmax(axis=1) + 1
    result: Array = (lags[0] + best + 0.5 + parabolic_offset(curve, best)).astype(np.float32)
    return result


def correlation_at(power: Array, lag: Array, bins: slice = slice(0, N_BINS)) -> Array:
    """Return the normalised autocorrelation at any lag (in samples), from some of the bins."""
    some = power[:, bins]
    there = np.einsum("ij,ij->i", some, np.cos(lag[:, None] * _TURNS[bins]))
    own = np.interp(lag, _LAGS, _WINDOW_CORRELATION).astype(np.float32)
    result: Array = there / (np.maximum(total(some), POWER_FLOOR) * own)
    return result


def two_periods(power: Array) -> Array:
    """Return r(2 T) / r(T): how much of the likeness of one period to the next lasts for two.

    nan below 100 Hz, where two periods do not fit into a frame.
    """
    lag = period(power)
    double = np.minimum(2.0 * lag, np.float32(_LAST_DOUBLE))
    best = np.maximum.reduce([correlation_at(power, double + d) for d in (-0.4, 0.0, 0.4)])
    ratio = best / np.maximum(correlation_at(power, lag), np.float32(0.1))
    return np.where(2.0 * lag <= _LAST_DOUBLE, ratio, np.nan).astype(np.float32)


def voicing_slope(power: Array) -> Array:
    """Return the voicing strength above 1800 Hz less that below.

    A period that varies by some per cent leaves the low harmonics and smears the high ones.
    """
    lag = period(power)
    low, high = slice(0, _SPLIT_1800), slice(_SPLIT_1800, N_BINS)
    slope: Array = correlation_at(power, lag, high) - correlation_at(power, lag, low)
    return slope


def prominence_db(power: Array) -> Array:
    """Return how far the highest cepstral peak of a pitch stands over the rest, in dB.

    Source:
        After Hillenbrand et al. 1994 (cepstral peak prominence), over the mean of the quefrencies
        instead of a regression line.
    """
    floor = np.float32(1e-4) * total(power)[:, None] / N_BINS + POWER_FLOOR
    logs = np.log(power + floor)
    logs -= logs.mean(axis=1, keepdims=True)
    cepstrum = np.abs(lag_transform(logs)[:, FIRST_LAG : LAST_LAG + 1])
    ratio = cepstrum.max(axis=1) / np.maximum(cepstrum.mean(axis=1), np.float32(1e-9))
    result: Array = (np.float32(20.0 / np.log(10.0)) * np.log(ratio + 1e-9)).astype(np.float32)
    return result


def _selective() -> tuple[Array, Array]:
    """Return the cosines from power to LPC's autocorrelation, and from that to its envelope.

    The band is stretched over 0 to pi (Makhoul 1975, selective linear prediction); the power is
    raised by 3 dB per octave, and each lag widened by 60 Hz against single harmonics.
    """
    width = N_BINS * BIN_HZ
    turns = np.pi * (np.arange(N_BINS) + 0.5) / N_BINS
    lags = np.arange(LPC_ORDER + 1)
    widen = np.exp(-0.5 * (np.pi * 60.0 / width * lags) ** 2)
    forward = BINS_HZ[:, None] / 1000.0 * np.cos(np.outer(turns, lags)) * widen
    place = np.pi * (_GRID_HZ - BINS_HZ[0] + BIN_HZ / 2) / width
    return forward.astype(np.float32), np.cos(np.outer(lags, place)).astype(np.float32)


_TO_LAGS, _TO_GRID = _selective()


def formants_lpc(power: Array) -> Array:
    """Return F1 and F2 in Hz, shape (n_frames, 2): peaks of an LPC envelope, without its roots."""
    r = power @ _TO_LAGS
    r[:, 0] = r[:, 0] * np.float32(1.0001) + POWER_FLOOR
    a = np.zeros_like(r)
    a[:, 0] = 1.0
    error = r[:, 0].copy()
    for order in range(1, LPC_ORDER + 1):  # Levinson-Durbin, all frames at a time
        k = -np.einsum("ij,ij->i", a[:, :order], r[:, order:0:-1]) / error
        a[:, 1 : order + 1] += k[:, None] * a[:, order - 1 :: -1][:, :order]
        error *= 1.0 - k * k
    # 1 / |A|^2 on the grid, from the autocorrelation of A.
    own = np.stack(
        [np.einsum("ij,ij->i", a[:, : LPC_ORDER + 1 - d], a[:, d:]) for d in range(LPC_ORDER + 1)],
        axis=1,
    )
    own[:, 1:] *= 2.0
    envelope = -np.log(np.maximum(own @ _TO_GRID, np.float32(1e-9)))
    first = _first_peak(envelope, np.full(len(power), 300.0), 1000.0)
    second = _first_peak(envelope, np.maximum(first + 150.0, 700.0), 2600.0)
    return np.stack([first, second], axis=1).astype(np.float32)


def _first_peak(envelope: Array, low_hz: AnyArray, high_hz: float) -> AnyArray:
    """Return where the envelope has its lowest true peak in a range; else where it is highest."""
    inside = (low_hz[:, None] <= _GRID_HZ) & (high_hz >= _GRID_HZ)
    true = np.zeros_like(inside)
    true[:, 1:-1] = (envelope[:, 1:-1] >= envelope[:, :-2]) & (envelope[:, 1:-1] > envelope[:, 2:])
    true &= inside
    highest = np.where(inside, envelope, -np.inf).argmax(axis=1)
    best = np.where(true.any(axis=1), true.argmax(axis=1), highest)
    best = np.clip(best, 1, len(_GRID_HZ) - 2)
    found: AnyArray = _GRID_HZ[best] + 25.0 * parabolic_offset(envelope, best)
    return found


def centroid_between(power: Array, low_hz: float, high_hz: float) -> Array:
    """Return the centre of gravity of the amplitudes in a range of Hz, shape (n_frames,)."""
    first, last = np.searchsorted(BINS_HZ, (low_hz, high_hz))
    some = np.sqrt(power[:, first:last])
    moment = np.einsum("ij,j->i", some, BINS_HZ[first:last])
    result: Array = moment / np.maximum(total(some), np.float32(1e-9))
    return result
