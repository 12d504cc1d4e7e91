"""Numbered packets, put in order: those ahead wait a little for those that are missing.

TCP keeps the order of what was sent. It was mixed up before: a telephone system forks the media
from RTP, and Telnyx says that it does not put them in order.
"""

from collections import deque
from typing import Final, TypeAlias

from hackles.capture.intake import Fate, Troubles
from hackles.capture.media_messages import UNNUMBERED

MOST_HELD: Final = 25
"""Packets that are held until one before them comes: half a second of 20 ms each."""

HELD_S: Final = 0.5
"""How long they are."""

_MOST_GIVEN_UP: Final = 16
"""Gaps that are remembered, so that what comes late can be told from what comes twice."""

Piece: TypeAlias = tuple[int, bytes]
"""Packets that are missing, and what comes right after them; b"" if nothing does yet."""


class Order:
    """The packets of one track.

    A number far ahead harms nothing: while the packets before it go on it waits by itself, and
    what is missing before it is a count, however great.

    Attributes:
        held: the packets that wait, by number: when they were spoken, and what they hold.
    """

    def __init__(self, troubles: Troubles, most_bytes: int, *, numbered: bool = True) -> None:
        """Begin without a packet.

        Args:
            troubles: counts what becomes of packets.
            most_bytes: that are held; with more, those missing are given up at once.
            numbered: whether the numbers mean anything; if not, all is in order as it comes.
        """
        self.held: dict[int, tuple[float, bytes]] = {}
        self._troubles = troubles
        self._most_bytes = most_bytes
        self._numbered = numbered
        self._expected = UNNUMBERED
        self._timestamp = 0.0
        self._given_up: deque[range] = deque(maxlen=_MOST_GIVEN_UP)
        self._waiting_for, self._since = UNNUMBERED, 0.0
        self._behind, self._n_behind = UNNUMBERED, 0

    def is_next(self, number: int, timestamp: float) -> bool:
        """Return whether a packet is simply the next one, and go on to the one after it."""
        if number != self._expected or timestamp < self._timestamp or self.held or number < 0:
            return False
        self._expected = number + 1
        self._timestamp = timestamp
        return True

    def push(self, number: int, timestamp: float, payload: bytes) -> list[Piece]:
        """Take in a packet that is not simply the next one; return what is in order now."""
        if number < 0 or not self._numbered:
            return [(0, payload)]
        if self._expected == UNNUMBERED:
            self._expected, self._timestamp = number, timestamp
            self._given_up.append(range(number))
        if number in self.held or (number < self._expected and not self._begins_anew(number)):
            was_given_up = any(number in numbers for numbers in self._given_up)
            self._troubles[Fate.LATE if was_given_up else Fate.DUPLICATE] += 1
            return []
        if self.held and number < max(self.held):
            self._troubles[Fate.REORDERED] += 1
        self.held[number] = timestamp, payload
        pieces = self._release(0)
        while self._is_full():
            pieces += self._give_up()
        return pieces

    def wait(self, now: float) -> list[Piece]:
        """Return what is not held any longer at this time, in seconds."""
        if not self.held or self._waiting_for != self._expected:
            self._waiting_for, self._since = self._expected, now
        elif now - self._since >= HELD_S:
            return self._give_up()
        return []

    def flush(self) -> list[Piece]:
        """Return all that is held: nothing more comes."""
        pieces = []
        while self.held:
            pieces += self._give_up()
        return pieces

    def _begins_anew(self, number: int) -> bool:
        """Return whether so many in a row are behind that the numbers must have begun anew.

        Without this a single number far ahead, once it was gone on with, would end the hearing.
        """
        if self._behind != self._expected:
            self._behind, self._n_behind = self._expected, 0
        self._n_behind += 1
        if self._n_behind <= MOST_HELD:
            return False
        self._given_up.clear()
        self.held.clear()
        self._expected, self._timestamp = number, 0.0
        return True

    def _is_full(self) -> bool:
        if len(self.held) > MOST_HELD:
            return True
        return sum(len(payload) for _, payload in self.held.values()) > self._most_bytes

    def _give_up(self) -> list[Piece]:
        """Go on with the first packet that is held."""
        first = min(self.held)
        missing = first - self._expected
        self._given_up.append(range(self._expected, first))
        self._expected = first
        return self._release(missing)

    def _release(self, missing: int) -> list[Piece]:
        """Return the packets that follow each other from the one expected."""
        pieces = []
        while self._expected in self.held:
            timestamp, payload = self.held.pop(self._expected)
            self._expected += 1
            if timestamp < self._timestamp:
                self._troubles[Fate.BROKEN] += 1
                continue
            self._timestamp = timestamp
            pieces.append((missing, payload))
            missing = 0
        return [*pieces, (missing, b"")] if missing else pieces
