"""In which whole numbers the readings are kept: exact, since events are rounded to as much."""

from typing import Final

TICKS_PER_S: Final = 10_000
RATIO: Final = 10_000


def ticks(seconds: float) -> int:
    """Return a time as it is kept."""
    return round(seconds * TICKS_PER_S)


def ratio(value: float) -> int:
    """Return a level from 0 to 1 as it is kept."""
    return round(value * RATIO)
