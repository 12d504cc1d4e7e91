"""How a call's level is shown to people: as a smoothed line of the last three minutes."""

from collections import deque
from typing import Final, Literal, TypeAlias

LINE_S: Final = 180.0
"""So much of a call is shown as a line."""

EASED_S: Final = 30.0
"""So long it is said that the caller has eased; then the page is at rest again."""

_SMOOTH: Final = 0.3
_TREND_S: Final = 15.0
_TREND: Final = 0.05
"""A change of the level, over so many seconds, that is worth an arrow."""

Trend: TypeAlias = Literal["up", "flat", "down"]
Point: TypeAlias = tuple[float, float]


def draw(line: deque[Point], time: float, irritation: float) -> Point:
    """Add a reading to a line of (time, smoothed level), and return what was added."""
    last = line[-1][1] if line else irritation
    point = (round(time, 1), round(last + _SMOOTH * (irritation - last), 3))
    line.append(point)
    while line[0][0] < point[0] - LINE_S:
        line.popleft()
    return point


def trend(line: deque[Point]) -> Trend:
    """Return where the level goes."""
    if not line:
        return "flat"
    now, level = line[-1]
    before = level
    for time, past in reversed(line):
        if time < now - _TREND_S:
            break
        before = past
    if abs(level - before) < _TREND:
        return "flat"
    return "up" if level > before else "down"
