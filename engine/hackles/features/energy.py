"""How strong the sound is."""

from hackles.features.spectrum import decibels, total
from hackles.types import Array


def level_db(power: Array) -> Array:
    """Return the band-limited level of each frame in dB re full scale, shape (n_frames,).

    A sine of amplitude 1 has -3.01 dB; digital silence has -120 dB.
    """
    return decibels(total(power))
