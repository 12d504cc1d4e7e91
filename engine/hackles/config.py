"""The engine's fixed numbers. The model carries them too, and loading refuses a mismatch."""

from typing import Final

SAMPLE_RATE: Final = 8000
"""The engine's rate in Hz, for every source: the same caller scores the same on every road."""

FRAME_LENGTH: Final = 320
"""Samples in an analysis frame (40 ms)."""

HOP_LENGTH: Final = 80
"""Samples from one frame to the next (10 ms)."""

N_FFT: Final = 512
"""Points of the FFT; a frame is padded with zeros to this."""

BAND_HZ: Final = (300.0, 3400.0)
"""The telephone band. Bins outside are zeroed once; every feature derives from what is left."""

TILE_FRAMES: Final = 512
"""Frames analysed together, few enough to stay in the processor's cache."""

FRAMES_PER_S: Final = SAMPLE_RATE // HOP_LENGTH

WINDOW_FRAMES: Final = 300
"""Speech frames under one reading (3 s of the customer's speech)."""

CONTOUR_FRAMES: Final = WINDOW_FRAMES // 2
"""Steps of 20 ms under one reading, in which a network sees how a voice goes up and down."""

READING_FRAMES: Final = 100
"""New speech frames from one reading to the next (1 s)."""

MIN_READING_FRAMES: Final = 50
"""New speech frames that a reading at the end of a turn, or at a flush, needs at least (0.5 s)."""

WINDOW_REACH_FRAMES: Final = 30 * FRAMES_PER_S
"""A window never reaches back further than this on the clock (30 s)."""

TURN_END_FRAMES: Final = 50
"""Frames without speech that end a turn (0.5 s)."""


def seconds(frame: int) -> float:
    """Return the time at which `frame` (counted from the start of the call) has been heard."""
    return (frame * HOP_LENGTH + FRAME_LENGTH) / SAMPLE_RATE
