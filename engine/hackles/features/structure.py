"""The fine structure of a spectrum: harmonics and formant peaks, without level and envelope.

Two frames of the same sound have the same structure, whatever line it came over; those of two
people who speak at a time are unlike, be their voices ever so similar.
"""

import numpy as np

from hackles.config import N_FFT, SAMPLE_RATE
from hackles.features.spectrum import N_BINS
from hackles.types import AnyArray, Array

_BINS = 2
N_STRUCTURE = N_BINS // _BINS
"""Bands of 31 Hz: the harmonics of a low voice are still apart."""

_ENVELOPE_HZ = 500.0
_HALF = round(_ENVELOPE_HZ / (SAMPLE_RATE / N_FFT) / _BINS / 2)
_DOUBLING = (1, 2, 4, 8)
"""Which come to 2 * _HALF: to add pairs is faster than a running sum, and as exact for each row."""
_AT = np.arange(N_STRUCTURE)
_COUNT = np.minimum(_AT + _HALF + 1, N_STRUCTURE) - np.maximum(_AT - _HALF, 0)
_SHARE: Array = (1.0 / _COUNT).astype(np.float32)

_NORM = np.float32(400.0)
_LARGEST = np.float32(127.0)
_LEAST = np.float32(1e-12)


def structure(power: Array) -> AnyArray:
    """Return the fourth root of the power less its local mean, scaled to one norm.

    In whole numbers, small enough that products of two rows sum up without rounding in float32,
    in any order: matrix products of them are exact.

    Args:
        power: output of `power_spectrum`, shape (n_frames, N_BINS).

    Returns:
        Shape (n_frames, N_STRUCTURE), int8; zeros for digital silence.
    """
    pairs = power[:, : N_STRUCTURE * _BINS]
    root: Array = pairs[:, ::_BINS] + pairs[:, 1::_BINS]
    np.sqrt(root, out=root)
    np.sqrt(root, out=root)
    envelope = _sums(root)
    envelope *= _SHARE
    root -= envelope
    # einsum, not matmul: a row's result must not depend on the rows beside it.
    norm = np.sqrt(np.einsum("ij,ij->i", root, root))
    root *= (_NORM / np.maximum(norm, _LEAST))[:, None]
    np.rint(root, out=root)
    np.clip(root, -_LARGEST, _LARGEST, out=root)
    return root.astype(np.int8)


def likeness(products: Array) -> AnyArray:
    """Return the correlation of two structures in percent, from their inner product, as int16."""
    result: AnyArray = np.rint(products * (np.float32(100.0) / _NORM**2)).astype(np.int16)
    return result


def _sums(values: Array) -> Array:
    """Return the sum of each value and its _HALF neighbours on either side, zero past the ends."""
    padded = np.zeros((len(values), N_STRUCTURE + 2 * _HALF), dtype=np.float32)
    padded[:, _HALF:-_HALF] = values
    result: Array = padded
    for width in _DOUBLING:
        result = result[:, width:] + result[:, :-width]
    return result[:, :-1] + padded[:, 2 * _HALF :]
