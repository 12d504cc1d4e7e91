"""Audio that waits until it is sure where it was heard.

A sound server moves a stream whose device vanishes to another one, the agent's microphone say,
and tells nobody who listens to the stream. So what comes is held back for a while, and handed
over only when the server, asked later than that, still has the stream where it belongs.
"""

from collections import deque
from enum import Enum, auto
from typing import Final

from hackles.capture.device_stream import Piece

WAIT_S: Final = 0.15
"""So long audio waits at least; that a stream was moved is told within some 10 ms."""

SETTLE_S: Final = 0.8
"""What comes so soon after a route was first found right may have been heard before that."""


class Route(Enum):
    """Where a stream is."""

    RIGHT = auto()
    DISTURBED = auto()
    """Where it belongs, but it may have been elsewhere since it was last asked."""
    MUTED = auto()
    """Where it belongs, but silenced: what comes is no sound of it."""
    WRONG = auto()
    """Elsewhere, or nowhere."""


class Unconfirmed:
    """Pieces of one stream that wait."""

    def __init__(self) -> None:
        """Begin with nothing, and no trust."""
        self._pieces: deque[Piece] = deque()
        self._trusted_from: float | None = None

    def push(self, piece: Piece) -> None:
        """Let a piece wait."""
        self._pieces.append(piece)

    def confirm(self, asked: float) -> list[Piece]:
        """Take in that the route is right, and was so all the time since it was last confirmed.

        Args:
            asked: when the server was asked, in seconds of the clock of the pieces.

        Returns:
            The pieces that are sure by now.
        """
        if self._trusted_from is None:
            self._trusted_from = asked + SETTLE_S
        sure = []
        while self._pieces and self._pieces[0].arrived <= asked - WAIT_S:
            piece = self._pieces.popleft()
            if piece.arrived - piece.duration_s >= self._trusted_from:
                sure.append(piece)
        return sure

    def discard(self) -> None:
        """Take in that the route was, or may have been, another one: nothing that waits is sure."""
        self._pieces.clear()
        self._trusted_from = None

    @property
    def waiting(self) -> tuple[Piece, ...]:
        """What waits, the oldest first."""
        return tuple(self._pieces)
