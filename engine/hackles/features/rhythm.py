"""How fast and how evenly somebody speaks."""

import numpy as np

from hackles.config import FRAMES_PER_S
from hackles.types import Array, Bools

_SMOOTHING = 5
_REACH = 6
_DIP = 12
_PROMINENCE_DB = np.float32(2.0)


def _running(values: Array, before: int, after: int, smallest: bool) -> Array:
    """Return the running maximum (or minimum) over [t - before, t + after] of each row."""
    fill = np.inf if smallest else -np.inf
    padded = np.pad(values, ((0, 0), (before, after)), constant_values=fill)
    pick = np.minimum if smallest else np.maximum
    length = values.shape[1]
    result: Array = padded[:, :length]
    for shift in range(1, before + after + 1):
        result = pick(result, padded[:, shift : shift + length])
    return result


def syllable_rate(level_db: Array, voiced: Bools, valid: Bools) -> Array:
    """Return syllables per second of speech, as voiced peaks of the level.

    Args:
        level_db: shape (n, length), one value per speech frame.
        voiced: shape (n, length), frames in which F0 exists.
        valid: shape (n, length), frames that belong to the window.

    Returns:
        Shape (n,), peaks per second: voiced frames that stand highest within 60 ms on either
        side and at least 2 dB over the last 120 ms's lowest.

    Source:
        After de Jong & Wempe 2009, "Praat script to detect syllable nuclei".
    """
    count = np.maximum(valid.sum(axis=1), 1)
    level = np.where(valid, level_db, np.float32(-120.0))
    half = _SMOOTHING // 2
    padded = np.pad(level, ((0, 0), (half, half)), mode="edge")
    smooth: Array = np.zeros_like(level)
    for at in range(_SMOOTHING):
        smooth += padded[:, at : at + level.shape[1]]
    smooth /= np.float32(_SMOOTHING)
    # Higher than all before it, and than none after it is lower: a level top counts once.
    peak = (smooth >= _running(smooth, 0, _REACH, smallest=False)) & valid & voiced
    peak[:, 1:] &= smooth[:, 1:] > _running(smooth, _REACH - 1, 0, smallest=False)[:, :-1]
    peak &= smooth - _running(smooth, _DIP, 0, smallest=True) >= _PROMINENCE_DB
    rate: Array = (peak.sum(axis=1) * FRAMES_PER_S / count).astype(np.float32)
    return rate
