"""How fast and how evenly somebody speaks."""

import numpy as np

from hackles.config import FRAMES_PER_S
from hackles.features.statistics import trailing
from hackles.types import Array, Bools

_REACH = 6
_DIP = 12
_PROMINENCE_DB = np.float32(2.0)


def _running(pick: np.ufunc, values: Array, before: int, after: int) -> Array:
    """Return the running maximum (or minimum) over [t - before, t + after] of each row."""
    fill = np.float32(np.inf if pick is np.minimum else -np.inf)
    length = values.shape[1]
    padded = np.full((len(values), before + length + after), fill)
    padded[:, before : before + length] = values
    result: Array = trailing(pick, padded, before + 1 + after)
    return result


def _smoothed(values: Array) -> Array:
    """Return the running mean over five neighbours; the row's ends are held."""
    first, last = values[:, :1], values[:, -1:]
    padded = np.concatenate([first, first, values, last, last], axis=1)
    two = padded[:, 1:] + padded[:, :-1]
    total: Array = two[:, 2:-1] + two[:, :-3]
    total += padded[:, 4:]
    return total * np.float32(0.2)


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
    smooth = _smoothed(level)
    # Higher than all before it, and than none after it is lower: a level top counts once.
    peak = (smooth >= _running(np.maximum, smooth, 0, _REACH)) & valid & voiced
    peak[:, 1:] &= smooth[:, 1:] > _running(np.maximum, smooth, _REACH - 1, 0)[:, :-1]
    peak &= smooth - _running(np.minimum, smooth, _DIP, 0) >= _PROMINENCE_DB
    rate: Array = (peak.sum(axis=1) * FRAMES_PER_S / count).astype(np.float32)
    return rate


def voiced_segments(voiced: Bools, adjacent: Bools, valid: Bools) -> tuple[Array, Array]:
    """Return the mean length of voiced segments in s, and how many there are per second of speech.

    Args:
        voiced: shape (n, length).
        adjacent: shape (n, length - 1), where the next frame follows on the clock.
        valid: shape (n, length).

    Source:
        eGeMAPS MeanVoicedSegmentLengthSec, VoicedSegmentsPerSec.
    """
    begun = voiced.sum(axis=1) - (voiced[:, 1:] & voiced[:, :-1] & adjacent).sum(axis=1)
    length_s = voiced.sum(axis=1) / (np.maximum(begun, 1) * FRAMES_PER_S)
    rate = begun * FRAMES_PER_S / np.maximum(valid.sum(axis=1), 1)
    return length_s.astype(np.float32), rate.astype(np.float32)
