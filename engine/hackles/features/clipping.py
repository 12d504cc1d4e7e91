"""Flat tops: sound that was too strong for the road it came on."""

import numpy as np

from hackles.types import Array

_FULL_SCALE = np.float32(0.975)
"""The top codes of mu-law (0.980), A-law (0.984) and 16-bit PCM (1.0) all lie above this."""


def clipped_ratio(frames: Array) -> Array:
    """Return the share of each frame's samples that sit on a flat top at full scale.

    Args:
        frames: shape (n_frames, frame_length), samples.

    Returns:
        Shape (n_frames,), 0 to 1. Zero where the peak is below full scale, or beyond it: float
        samples over 1 have head-room and are not clipped.
    """
    if max(float(frames.max(initial=0.0)), -float(frames.min(initial=0.0))) < _FULL_SCALE:
        return np.zeros(len(frames), dtype=np.float32)
    magnitude = np.abs(frames)
    peak = magnitude.max(axis=1)
    at_top = (magnitude >= np.float32(0.99) * peak[:, None]).mean(axis=1, dtype=np.float32)
    full = (peak >= _FULL_SCALE) & (peak <= np.float32(1.0))
    result: Array = np.where(full, at_top, np.float32(0.0)).astype(np.float32)
    return result
