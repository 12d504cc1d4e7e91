"""The last seconds of a device's sound, by position: what calls are cut out of."""

from collections import deque

import numpy as np

from hackles.capture.tap import Heard
from hackles.config import SAMPLE_RATE
from hackles.types import Array

_NONE: Array = np.empty(0, np.float32)


class Trail:
    """Samples, and where they lie; positions count all there was, heard or lost.

    Attributes:
        end: the position behind all of it.
        end_s: when that was heard, in seconds of its clock.
    """

    def __init__(self, begin_s: float) -> None:
        """Begin with nothing.

        Args:
            begin_s: when, in seconds of the clock of what will be heard.
        """
        self.end, self.end_s = 0, begin_s
        self._stretches: deque[tuple[int, Array]] = deque()

    def append(self, heard: Heard) -> int:
        """Add what was heard; return how many samples are missing before it."""
        lost = round(heard.lost_s * SAMPLE_RATE)
        self._stretches.append((self.end + lost, heard.samples))
        self.end += lost + len(heard.samples)
        self.end_s = heard.end
        return lost

    def position(self, clock_s: float) -> int:
        """Return where a moment lies, in seconds of the clock of what was heard."""
        return max(0, self.end + round((clock_s - self.end_s) * SAMPLE_RATE))

    def clock(self, position: int) -> float:
        """Return when a position was heard, in seconds of that clock."""
        return self.end_s + (position - self.end) / SAMPLE_RATE

    def filled(self, position: int, count: int) -> Array:
        """Return so many samples from a position on, silence where nothing is known."""
        samples = np.zeros(count, np.float32)
        for start, some in self._stretches:
            first, last = max(start, position), min(start + len(some), position + count)
            if first < last:
                samples[first - position : last - position] = some[first - start : last - start]
        return samples

    def read(self, position: int, most: int, until: int) -> tuple[int, Array]:
        """Return what comes from a position on: how much is missing first, and samples.

        Args:
            position: from where.
            most: how many samples at most; fewer if something is missing behind them.
            until: where to stop, which may lie behind all that was heard.
        """
        first = until
        parts: list[Array] = []
        at = position
        for start, samples in self._stretches:
            end = start + len(samples)
            if end <= at:
                continue
            if not parts:
                first = min(max(start, position), until)
            elif start > at:
                break
            parts.append(samples[max(0, at - start) :])
            at = end
        found = np.concatenate([_NONE, *parts])[: max(0, min(most, until - first))]
        return first - position, found

    def trim(self, position: int) -> None:
        """Forget what lies before a position."""
        while self._stretches:
            start, samples = self._stretches[0]
            if start + len(samples) > position:
                return
            self._stretches.popleft()
