"""The level of a whole call, thinned out where it is long."""

from array import array
from bisect import bisect_left
from typing import Final

from hackles.live.curve import Point

_MOST: Final = 2000


class WholeCurve:
    """Points of (time, level), held in few bytes: thousands of calls may be looked at."""

    def __init__(self) -> None:
        """Begin with none."""
        self._times, self._levels = array("d"), array("d")

    def add(self, point: Point) -> None:
        """Add a point; once there are too many, every other one goes."""
        self._times.append(point[0])
        self._levels.append(point[1])
        if len(self._times) > _MOST:
            self._times, self._levels = self._times[::2], self._levels[::2]

    def cut(self, time: float) -> None:
        """Take away what is from this time on."""
        n_kept = bisect_left(self._times, time)
        del self._times[n_kept:], self._levels[n_kept:]

    def points(self) -> list[Point]:
        """Return all points."""
        return list(zip(self._times, self._levels, strict=True))
