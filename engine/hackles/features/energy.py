"""How strong the sound is: the physical level, and how loud it would seem."""

import numpy as np

from hackles.features.spectrum import decibels, total
from hackles.types import Array


def level_db(power: Array) -> Array:
    """Return the band-limited level of each frame in dB re full scale, shape (n_frames,).

    A sine of amplitude 1 has -3.01 dB; digital silence has -120 dB.
    """
    return decibels(total(power))


def loudness(mel_db: Array) -> Array:
    """Return a perceptual loudness: the sum over mel bands of power to the 0.3.

    Args:
        mel_db: output of `log_mel_db`, shape (n_frames, N_MELS).

    Returns:
        Shape (n_frames,), arbitrary unit; 10 dB more doubles it. A change of gain is a factor.

    Source:
        Stevens' power law, exponent 0.3 (Zwicker & Fastl 1999); eGeMAPS loudness sums an
        auditory spectrum in the same way.
    """
    exponent = np.float32(0.3 * np.log(10.0) / 10.0)
    return total(np.exp(mel_db * exponent))
