"""How often somebody may do something: no more than so much within a while."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from starlette.exceptions import HTTPException

_MOST_KEYS: Final = 20_000
"""Beyond that who did nothing for longest is forgotten: memory must not grow with strangers."""


class Limits:
    """A bucket for each key: full at first, each deed takes one, and it fills up steadily."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """Prepare; the clock is in seconds."""
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def spend(self, key: str, most: int, within_s: float) -> float:
        """Take one, if there is one.

        Args:
            key: who does what.
            most: as many at once, and within ...
            within_s: ... so many seconds in the long run.

        Returns:
            0, or in how many seconds there is one again.
        """
        now = self._clock()
        left, since = self._buckets.get(key, (float(most), now))
        left = min(float(most), left + max(0.0, now - since) * most / within_s)
        wait_s = 0.0 if left >= 1.0 else (1.0 - left) * within_s / most
        self._buckets[key] = (left if wait_s else left - 1.0, now)
        self._buckets.move_to_end(key)
        if len(self._buckets) > _MOST_KEYS:
            self._buckets.popitem(last=False)
        return wait_s

    def give_back(self, key: str) -> None:
        """Put one back: the deed was not of the kind that is counted."""
        if key in self._buckets:
            left, since = self._buckets[key]
            self._buckets[key] = (left + 1.0, since)


def too_often(wait_s: float) -> HTTPException:
    """Return what somebody is told who has done something too often."""
    seconds = math.ceil(wait_s)
    sentence = f"This was asked for too often; try again in {seconds} s."
    return HTTPException(429, sentence, {"Retry-After": str(seconds)})
