"""The agent's microphone beside a call: opened to time who speaks when, and for nothing else."""

from typing import Final

from hackles.capture.tap import Sound
from hackles.capture.trail import Trail
from hackles.turns import Turns

_PATIENCE_S: Final = 1.5
"""Who says nothing for longer is not waited for: the microphone may be gone."""


class AgentSide:
    """What the agent says in a call, as far as turns are timed by it."""

    def __init__(self, source: Sound) -> None:
        """Begin without a call.

        Args:
            source: the microphone.
        """
        self._source, self._trail = source, Trail(source.until)
        self._turns = Turns()
        self._cursor = 0

    def begin(self, position: int) -> None:
        """Begin with a call, at a position of the customer's trail."""
        self._turns, self._cursor = Turns(), position

    def follow(self, customer: Trail, until: int, now: float) -> int:
        """Time the turns as far as both sides are known.

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
        count = until - self._cursor
        if count > 0:
            begin = self._trail.position(customer.clock(self._cursor))
            self._turns.push(customer.filled(self._cursor, count), self._trail.filled(begin, count))
            self._cursor = until
        self._trail.trim(min(self._trail.position(customer.clock(self._cursor)), self._trail.end))
        return self._cursor

    def end(self) -> Turns:
        """Return how the turns of the call were timed."""
        self._turns.flush()
        return self._turns
