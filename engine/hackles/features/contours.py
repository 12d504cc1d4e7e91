"""What a network sees of a window: how bands, pitch and voicing go up and down, a byte each.

Whole numbers take a quarter of the room, and 12 dB more gain are exactly 24 more in every band.
"""

import numpy as np

from hackles.features.spectrum import N_MELS
from hackles.types import AnyArray, Array, Bools

N_CONTOURS = N_MELS + 2
PITCH, VOICING = N_MELS, N_MELS + 1

STEPS_PER_DB, STEPS_PER_ST, VOICING_STEPS = 2, 4, 200
_FLOOR_DB = -120.0


def contour_codes(mel_db: Array, f0_st: Array, voicing: Array) -> AnyArray:
    """Return each frame in bytes.

    Args:
        mel_db: level in each band, shape (n_frames, N_MELS).
        f0_st: pitch in semitones re 27.5 Hz, shape (n_frames,); 0 where there is none.
        voicing: 0 to 1, shape (n_frames,).

    Returns:
        Shape (n_frames, N_CONTOURS), uint8: bands in half decibels over -120 dB, 1 at the least, so
        that a row of zeros is no frame; pitch in quarters of a semitone, 0 for none; voicing in
        200ths.
    """
    result = np.empty((len(mel_db), N_CONTOURS), dtype=np.uint8)
    result[:, :N_MELS] = _coded(STEPS_PER_DB * (mel_db - np.float32(_FLOOR_DB)), 1)
    result[:, PITCH] = _coded(STEPS_PER_ST * f0_st, 0)
    result[:, VOICING] = _coded(VOICING_STEPS * voicing, 0)
    return result


def _coded(values: Array, least: int) -> AnyArray:
    """Return values as whole numbers from `least` to 255."""
    held = np.minimum(np.maximum(values, np.float32(least)), np.float32(255.0))
    result: AnyArray = np.rint(held).astype(np.uint8)
    return result


def contours(codes: AnyArray, valid: Bools) -> AnyArray:
    """Return the contours of each window in steps of two frames (20 ms).

    Args:
        codes: of the speech frames, oldest first, shape (n, length, N_CONTOURS); `length` is even.
        valid: which belong to the window, shape (n, length).

    Returns:
        Shape (n, length // 2, N_CONTOURS), uint8: means of two frames, of pitch where there is one;
        zeros where there are not two.
    """
    n, length, _ = codes.shape
    pairs = codes.reshape(n, length // 2, 2, N_CONTOURS)
    first, second = pairs[:, :, 0], pairs[:, :, 1]
    # Halves are rounded up, as (a | b) - ((a ^ b) >> 1) does without leaving the byte.
    result: AnyArray = (first | second) - ((first ^ second) >> 1)
    one = (first[:, :, PITCH] == 0) | (second[:, :, PITCH] == 0)
    other = np.maximum(first[:, :, PITCH], second[:, :, PITCH])
    result[:, :, PITCH] = np.where(one, other, result[:, :, PITCH])
    both = valid[:, ::2] & valid[:, 1::2]
    result *= both[:, :, None]
    return result
