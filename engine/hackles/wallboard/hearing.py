"""What one run of an engine says, each thing once and in its order, however it arrives."""

from typing import Final

from hackles.exchange.messages import Beat, Heard, Message

HOLE_S: Final = 3.0
"""What is missing is waited for so long: an engine that is not answered sends it again."""

MOST_EARLY: Final = 25_000
"""Of what came before its turn no more than this waits; an engine keeps fewer."""


class Run:
    """One run of an engine, as a board hears it.

    Attributes:
        id: the engine's, of this run.
        heard: all up to this number was handed on, or was waited for in vain.
        has_missed: whether something was waited for in vain; somebody clears it.
    """

    def __init__(self, id_: str) -> None:
        """Begin with nothing heard: whatever comes first is the beginning."""
        self.id, self.heard, self.has_missed = id_, 0, False
        self._has_begun = False
        self._early: dict[int, Message] = {}
        self._since = 0.0

    def put(self, message: Message, now: float) -> list[Message]:
        """Take in a message, and return those whose turn it is.

        Args:
            message: of this run.
            now: in seconds of any clock.
        """
        if isinstance(message.said, Beat):
            return [*self._overdue(now), message]
        if not self._has_begun:
            self._has_begun, self.heard = True, message.seq - 1
        if message.seq <= self.heard:
            return self._overdue(now)
        if not self._early:
            self._since = now
        self._early[message.seq] = message
        ready = self._ready()
        if ready:
            self._since = now
        return ready or self._overdue(now)

    def _overdue(self, now: float) -> list[Message]:
        """Return what waits behind a hole that nobody filled in time."""
        if not self._early or (now - self._since < HOLE_S and len(self._early) < MOST_EARLY):
            return []
        self.has_missed = True
        self.heard, self._since = min(self._early) - 1, now
        return self._ready()

    def _ready(self) -> list[Message]:
        """Return what follows what was heard, without what is told no longer."""
        found = []
        while message := self._early.pop(self.heard + 1, None):
            self.heard += 1
            if not isinstance(message.said, Heard) or message.said.line:
                found.append(message)
        return found
