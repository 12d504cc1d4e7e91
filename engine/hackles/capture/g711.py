"""G.711, the telephone's own coding: eight bits a sample, by mu-law or by A-law."""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from hackles.types import Array


class Encoding(StrEnum):
    """Which of the two laws: mu-law in North America and Japan, A-law elsewhere."""

    MU_LAW = "mu-law"
    A_LAW = "A-law"


def decode(codes: NDArray[np.uint8], encoding: Encoding) -> Array:
    """Return the samples that G.711 codes stand for.

    Args:
        codes: as they are sent, shape (n_samples,); the bytes of many calls may be stacked.
        encoding: the law by which all of them were coded.

    Returns:
        Shape (n_samples,), float32; within 32124/32768 (mu-law) or 32256/32768 (A-law).

    Source:
        ITU-T Recommendation G.711 (11/88), tables 1 and 2, on the scale of 16 bits.
    """
    # The codes cannot leave the table; told to clip, numpy need not look for those that do.
    return _TABLES[encoding].take(codes, mode="clip")


def _mu_law() -> Array:
    codes = ~np.arange(256, dtype=np.uint8)  # sent with every bit inverted
    segment, step = codes >> 4 & 7, codes & 15
    magnitudes = ((step.astype(np.int32) * 8 + 132) << segment) - 132
    return _signed(magnitudes, codes < 128)


def _a_law() -> Array:
    codes = np.arange(256, dtype=np.uint8) ^ 0x55  # sent with every other bit inverted
    segment, step = codes >> 4 & 7, codes & 15
    # The first two segments have steps of the same size; only from the second does 256 count.
    magnitudes = step.astype(np.int32) * 16 + 8 + 256 * (segment > 0)
    return _signed(magnitudes << np.maximum(segment, 1) - 1, codes >= 128)


def _signed(magnitudes: NDArray[np.int32], positive: NDArray[np.bool_]) -> Array:
    return (np.where(positive, magnitudes, -magnitudes) / 32768).astype(np.float32)


_TABLES = {Encoding.MU_LAW: _mu_law(), Encoding.A_LAW: _a_law()}
