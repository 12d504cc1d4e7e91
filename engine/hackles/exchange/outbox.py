"""What an engine says to wallboards: numbered, and kept until one of them has confirmed it."""

from collections import deque
from itertools import islice
from typing import Any, Final

from hackles.exchange.messages import Beat, Heard, Message, Said, Standing

ROOM: Final = 20_000
"""Messages that wait for a board; at a hundred calls these are some two minutes."""

_MOST_SPARED: Final = 100
"""Ends of calls that are not let go at one time."""

_WITHDRAWN: Final = "withdrawn"


class Outbox:
    """Keeps what no board has confirmed; it does no I/O.

    Attributes:
        run: an id of this run of the engine.
        lost: what had to be let go before a board confirmed it.
    """

    def __init__(self, engine: str, run: str, room: int = ROOM) -> None:
        """Begin with nothing said.

        Args:
            engine: its name.
            run: an id of this run.
            room: how many messages are kept.
        """
        self.run, self.lost = run, 0
        self._engine, self._room = engine, room
        self._kept: deque[Message] = deque()
        self._seq = self._sent = 0

    def __len__(self) -> int:
        """Return how many messages no board has confirmed."""
        return len(self._kept)

    def say(self, said: Said, at: float) -> None:
        """Take in what is to be said, and let the oldest go if there is no room.

        That a caller withdrew consent is not let go, nor that a call has ended, which would stay
        on the board for ever: it is said again, behind all else.
        """
        spared: list[Message] = []
        while len(self._kept) >= self._room:
            oldest = self._kept.popleft()
            is_end = _is_end(oldest.said) and len(spared) < _MOST_SPARED
            if is_end or _is_wish(oldest.said):
                spared.append(oldest)
            else:
                self.lost += 1
        for one in spared:
            self._keep(one.said, one.at)
        self._keep(said, at)

    def next(self, most: int) -> list[Message]:
        """Return what was not sent yet, and take it that it is under way now."""
        if not self._kept:
            return []
        first = max(self._sent + 1 - self._kept[0].seq, 0)
        found = list(islice(self._kept, first, first + most))
        if found:
            self._sent = found[-1].seq
        return found

    def beat(self, said: Beat, at: float) -> Message:
        """Return a beat: nobody keeps it, and it has the number of what is sent before it."""
        return self._message(self._sent, at, said)

    def again(self) -> None:
        """Take it that whatever no board has confirmed was lost on its way."""
        self._sent = self._kept[0].seq - 1 if self._kept else self._seq

    def confirm(self, seq: int) -> bool:
        """Let go what a board has taken in, and return whether that was anything."""
        before = len(self._kept)
        while self._kept and self._kept[0].seq <= seq:
            self._kept.popleft()
        return len(self._kept) < before

    def forget(self, call: str) -> list[int]:
        """Say nothing more of a call; return the numbers of what was to be said of it.

        Boards count what they hear, so each of these is said with nothing in it.
        """
        gone = []
        for place, message in enumerate(self._kept):
            if _call(message.said) == call:
                self._kept[place] = self._message(message.seq, message.at, Heard(line={}))
                gone.append(message.seq)
        if gone:
            self._sent = min(self._sent, gone[0] - 1)
        return gone

    def _keep(self, said: Said, at: float) -> None:
        self._seq += 1
        self._kept.append(self._message(self._seq, at, said))

    def _message(self, seq: int, at: float, said: Said) -> Message:
        return Message(engine=self._engine, run=self.run, seq=seq, at=at, said=said)


def _call(said: Said) -> Any:
    """Return whose call this tells of, unless it is that nothing may be told of it."""
    if isinstance(said, Heard):
        return None if _is_wish(said) else said.line.get("call")
    return said.call if isinstance(said, Standing) else None


def _is_end(said: Said) -> bool:
    return isinstance(said, Heard) and said.line.get("type") == "summary"


def _is_wish(said: Said) -> bool:
    return isinstance(said, Heard) and said.line.get("state") == _WITHDRAWN
