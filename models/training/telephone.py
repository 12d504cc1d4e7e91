"""What a telephone does to a voice: level, noise, G.711."""

import numpy as np
import scipy.fft

from hackles.types import AnyArray, Array

_MU = 255.0


def mu_law(samples: Array) -> Array:
    """Return samples after mu-law coding and decoding (the continuous law in 256 steps).

    Source:
        ITU-T G.711: y = sgn(x) ln(1 + mu |x|) / ln(1 + mu), mu = 255.
    """
    x = np.clip(samples.astype(np.float64), -1.0, 1.0)
    coded = np.round(np.sign(x) * np.log1p(_MU * np.abs(x)) / np.log1p(_MU) * 127.0) / 127.0
    decoded = np.sign(coded) * np.expm1(np.abs(coded) * np.log1p(_MU)) / _MU
    result: Array = decoded.astype(np.float32)
    return result


def pink_noise(rng: np.random.Generator, n_samples: int) -> Array:
    """Return noise of power 1/f and root mean square 1, shape (n_samples,)."""
    # A length with small prime factors: others take the FFT a hundred times as long.
    length = scipy.fft.next_fast_len(n_samples, real=True)
    spectrum: AnyArray = scipy.fft.rfft(rng.standard_normal(length))
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    spectrum[0] = 0.0
    noise = scipy.fft.irfft(spectrum, length)[:n_samples]
    noise /= np.sqrt(np.mean(noise**2)) + 1e-12
    result: Array = noise.astype(np.float32)
    return result


def at_level(samples: Array, level_db: float) -> Array:
    """Return samples scaled so that their loudest quarter (of 0.1 s each) has an RMS in dBFS.

    Measured there, and not over the whole clip, so that pauses do not count.
    """
    n = len(samples) // 800
    if n == 0:
        return samples
    power = np.sort(np.mean(samples[: n * 800].reshape(n, 800) ** 2, axis=1))
    loud = np.sqrt(np.mean(power[-max(1, n // 4) :])) + 1e-9
    return (samples * np.float32(10 ** (level_db / 20) / loud)).astype(np.float32)


def telephone(rng: np.random.Generator, samples: Array, level_db: float, snr_db: float) -> Array:
    """Return a clip as a telephone would give it: level, pink noise, mu-law."""
    clip = at_level(samples, level_db)
    noise = pink_noise(rng, len(clip)) * np.float32(10 ** ((level_db - snr_db) / 20))
    return mu_law(clip + noise)
