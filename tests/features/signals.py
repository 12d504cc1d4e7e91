"""Signals whose features are known beforehand, all at the engine's rate."""

import io
from collections.abc import Callable

import numpy as np
import soundfile

from hackles.config import BAND_HZ, FRAME_LENGTH, HOP_LENGTH, SAMPLE_RATE


def clock(seconds: float) -> np.ndarray:
    """Return the time of each sample in seconds."""
    return np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE


def tone(hz: float, amplitude: float = 1.0, seconds: float = 0.5) -> np.ndarray:
    """Return a sine."""
    return amplitude * np.sin(2 * np.pi * hz * clock(seconds))


def harmonics(f0_hz: float, tilt: float = 0.0, seconds: float = 0.5, seed: int = 0) -> np.ndarray:
    """Return the partials of `f0_hz` that a telephone passes, at random phases, of unit RMS.

    Args:
        tilt: the amplitude of partial k is k to the power of minus this.
    """
    chance = np.random.default_rng(seed)
    partials = [k for k in range(1, 60) if BAND_HZ[0] <= k * f0_hz <= BAND_HZ[1]]
    at = 2 * np.pi * f0_hz * clock(seconds)
    whole = sum(np.cos(k * at + chance.uniform(0, 2 * np.pi)) / k**tilt for k in partials)
    normal: np.ndarray = whole / np.sqrt(np.mean(whole**2))
    return normal


def white_noise(seconds: float, seed: int = 0) -> np.ndarray:
    """Return Gaussian noise of unit RMS."""
    return np.random.default_rng(seed).standard_normal(round(seconds * SAMPLE_RATE))


def pink_noise(seconds: float, seed: int = 0) -> np.ndarray:
    """Return noise of unit RMS that falls by 3 dB an octave from 50 Hz on."""
    spectrum = np.fft.rfft(white_noise(seconds, seed))
    hz = np.fft.rfftfreq(round(seconds * SAMPLE_RATE), 1 / SAMPLE_RATE)
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(hz, 50.0)), round(seconds * SAMPLE_RATE))
    normal: np.ndarray = noise / np.sqrt(np.mean(noise**2))
    return normal


def band_limited(samples: np.ndarray) -> np.ndarray:
    """Return `samples` with everything outside the telephone band set to zero."""
    spectrum = np.fft.rfft(samples)
    hz = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE)
    spectrum[(hz < BAND_HZ[0]) | (hz > BAND_HZ[1])] = 0.0
    return np.fft.irfft(spectrum, len(samples))


def frames_of(samples: np.ndarray) -> np.ndarray:
    """Return all whole frames of `samples`, shape (n_frames, FRAME_LENGTH), float32."""
    windows = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float32), FRAME_LENGTH)
    return np.ascontiguousarray(windows[::HOP_LENGTH])


def decibels(ratio: float) -> float:
    """Return a ratio of amplitudes in dB."""
    return float(20.0 * np.log10(ratio))


def gain(db: float) -> np.float32:
    """Return the factor on amplitudes that is worth `db`."""
    return np.float32(10.0 ** (db / 20.0))


def through_g711(samples: np.ndarray) -> np.ndarray:
    """Return what is left of `samples` behind mu-law."""
    file = io.BytesIO()
    soundfile.write(file, np.clip(samples, -1.0, 1.0), SAMPLE_RATE, format="WAV", subtype="ULAW")
    file.seek(0)
    heard: np.ndarray = soundfile.read(file)[0]
    return heard


def loud_frames(samples: np.ndarray, below_db: float) -> np.ndarray:
    """Return which frames lie no further below the loudest one, shape (n_frames,)."""
    level = 10.0 * np.log10(np.mean(np.square(frames_of(samples)), axis=1) + 1e-12)
    loud: np.ndarray = level > level.max() - below_db
    return loud


def in_noise(samples: np.ndarray, snr_db: float, seed: int = 0) -> np.ndarray:
    """Return band-limited speech in pink noise this far below it, both behind mu-law."""
    speech = band_limited(samples)
    spoken = frames_of(speech)[loud_frames(speech, 30.0)]
    noise = band_limited(pink_noise(len(samples) / SAMPLE_RATE, seed))
    noise *= gain(-snr_db) * np.sqrt(np.mean(np.square(spoken)) / np.mean(np.square(noise)))
    return through_g711(speech + noise)


CONDITIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "band": band_limited,
    "noisy": lambda samples: in_noise(samples, 15.0),
}
"""How an oracle and a feature hear a sample call."""
