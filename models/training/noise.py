"""What else is heard on a line: noises, each of root mean square 1 and made of a seed."""

from collections.abc import Callable, Sequence
from types import MappingProxyType

import numpy as np
import scipy.fft

from hackles.config import SAMPLE_RATE
from hackles.types import AnyArray, Array

_TALKERS = 6
_HUM_HZ = (50.0, 60.0)
_HUM_HARMONICS = 16


def pink_noise(rng: np.random.Generator, n_samples: int) -> Array:
    """Return noise of power 1/f and root mean square 1, shape (n_samples,)."""
    # A length with small prime factors: others take the FFT a hundred times as long.
    length = scipy.fft.next_fast_len(n_samples, real=True)
    spectrum: AnyArray = scipy.fft.rfft(rng.standard_normal(length))
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    spectrum[0] = 0.0
    return _unit(scipy.fft.irfft(spectrum, length)[:n_samples])


def white_noise(rng: np.random.Generator, n_samples: int) -> Array:
    """Return white noise of root mean square 1, shape (n_samples,)."""
    return _unit(rng.standard_normal(n_samples))


def hum(rng: np.random.Generator, n_samples: int) -> Array:
    """Return mains hum: 50 or 60 Hz and its harmonics, the odd ones 6 dB stronger.

    The mains drift by some hundredths of a hertz, and so does this.
    """
    mains_hz = rng.choice(_HUM_HZ) + rng.normal(0.0, 0.03)
    t = np.arange(n_samples) / SAMPLE_RATE
    orders = np.arange(1, _HUM_HARMONICS + 1)
    level = np.where(orders % 2, 1.0, 0.5) / orders * rng.uniform(0.5, 1.5, len(orders))
    phase = rng.uniform(0.0, 2 * np.pi, len(orders))
    sound = np.zeros(n_samples)
    for order, amplitude, start in zip(orders, level, phase, strict=True):
        sound += amplitude * np.sin(2 * np.pi * mains_hz * order * t + start)
    return _unit(sound)


def babble(rng: np.random.Generator, n_samples: int, voices: Sequence[Array]) -> Array:
    """Return six other people talking at once, each clip at one level, one after the other.

    Args:
        rng: draws who says what, and where each one begins.
        n_samples: how long.
        voices: clips of other speakers than the one it is put under.

    Raises:
        ValueError: if there are no voices.
    """
    if not any(len(voice) for voice in voices):
        raise ValueError("babble is made of voices; give it some")
    sound = np.zeros(n_samples)
    for _ in range(_TALKERS):
        parts: list[Array] = []
        length = 0
        skipped = int(rng.integers(SAMPLE_RATE))
        while length < n_samples + skipped:
            voice = voices[int(rng.integers(len(voices)))]
            parts.append(_unit(voice))
            length += len(voice)
        sound += np.concatenate(parts)[skipped : skipped + n_samples]
    return _unit(sound)


NOISES: MappingProxyType[str, Callable[[np.random.Generator, int], Array]] = MappingProxyType(
    {"pink": pink_noise, "white": white_noise, "hum": hum}
)
"""The noises that need nothing but a seed, by name; beside them there is babble."""


def _unit(sound: AnyArray) -> Array:
    """Return a sound at root mean square 1."""
    result: Array = (sound / (np.sqrt(np.mean(np.square(sound))) + 1e-12)).astype(np.float32)
    return result
