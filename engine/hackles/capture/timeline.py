"""Where pieces of a device's sound lie on the clock, and what is missing between them."""

from collections.abc import Sequence
from typing import Final

from hackles.capture.device_stream import Piece

_HOLE_S: Final = 0.25
"""Less may be a scheduler's doing."""

_DRIFT: Final = 5e-4
"""A sound card's clock and ours go apart by no more than this."""


class Timeline:
    """One device's day.

    A piece that comes late is not missing: others come right behind it. Only if all that wait
    are late by as much, something was lost before them.
    """

    def __init__(self, begin: float) -> None:
        """Begin with nothing heard.

        Args:
            begin: when, in seconds of the clock of the pieces.
        """
        self.end = begin
        """Until when it is known what there was."""

    def place(self, pieces: Sequence[Piece]) -> float:
        """Put a piece behind those before it, and return the seconds that are missing in between.

        Args:
            pieces: it, and those that wait behind it.
        """
        duration_s = pieces[0].duration_s
        late_s, after = [], self.end
        for piece in pieces:
            after += piece.duration_s
            late_s.append(piece.arrived - after)
        least_s = min(late_s)
        is_hole = least_s > _HOLE_S
        self.end += duration_s + (least_s if is_hole else min(least_s, _DRIFT * duration_s))
        return least_s if is_hole else 0.0
