"""The agent's microphone beside a call: opened to time who speaks when, and for nothing else."""

from typing import Final

from hackles.capture.tap import Sound
from hackles.capture.trail import Trail
from hackles.config import SAMPLE_RATE
from hackles.turns import Turns

_PATIENCE_S: Final = 1.5
"""Who says nothing for longer is not waited for: the microphone may be gone."""

_MOST: Final = 60 * SAMPLE_RATE
"""No more of the microphone is kept, nor of what was lost looked at in one go: the customer's
device may stay away for a night."""


class AgentSide:
    """What the agent says in a call, as far as turns are timed by it.

    Attributes:
        turns: of the call under way, None without one.
    """

    def __init__(self, source: Sound) -> None:
        """Begin without a call.

        Args:
            source: the microphone.
        """
        self._source, self._trail = source, Trail(source.until)
        self.turns: Turns | None = None
        self._cursor = 0

    def begin(self, position: int) -> None:
        """Begin with a call, at a position of the customer's trail."""
        self.turns, self._cursor = Turns(), position

    def follow(self, customer: Trail, until: int, now: float) -> int:
        """Time the turns as far as both sides are known; without a call, forget what is old.

        Args:
            customer: the other side.
            until: how far of it was heard in the call.
            now: in seconds of both sides' clock.

        Returns:
            From where on the customer's trail is still needed.
        """
        for heard in self._source.take():
            self._trail.append(heard)
        if now - self._trail.end_s < _PATIENCE_S:
            until = min(until, customer.position(self._trail.end_s))
        if self.turns is None:
            self._cursor = until
        while self.turns is not None and self._cursor < until:
            count = min(until - self._cursor, _MOST)
            begin = self._trail.position(customer.clock(self._cursor))
            self.turns.push(customer.filled(self._cursor, count), self._trail.filled(begin, count))
            self._cursor = max(self._cursor + count, until - _MOST)
        needed = min(self._trail.position(customer.clock(self._cursor)), self._trail.end)
        self._trail.trim(max(needed, self._trail.end - _MOST))
        return self._cursor

    def end(self) -> Turns | None:
        """Return how the turns of the call were timed, if there is one: it is over."""
        turns, self.turns = self.turns, None
        if turns is not None:
            turns.flush()
        return turns
