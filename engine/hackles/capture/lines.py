"""Lines to devices: open streams that tell on which source they really are."""

import sys
from typing import Protocol

from hackles.capture.device_stream import Piece
from hackles.capture.route import Route


class Line(Protocol):
    """An open stream from one source."""

    def take(self) -> list[Piece]:
        """Return what has come since it was last asked; none of it is confirmed yet."""

    def check(self) -> Route:
        """Return where it is now, and whether it was elsewhere since it was last asked.

        Raises:
            AwayError: if the sound server went away.
        """

    def close(self) -> None:
        """End it."""


class Lines(Protocol):
    """All lines of this process, over one connection to the sound server."""

    def open(self, name: str, is_output: bool) -> Line:
        """Open a line to what somebody named.

        Args:
            name: a source's name or description.
            is_output: whether it must be what is played; else it must be a microphone.

        Raises:
            AwayError: if there is none of that name now, or no server.
            UsageError: if it is of the other kind, or something is not installed.
        """

    def wait(self, seconds: float) -> None:
        """Let time pass; less, if something happened at the sound server.

        Raises:
            AwayError: if the sound server went away.
        """

    def close(self) -> None:
        """Let go of the server; lines are to be closed before."""


def lines() -> Lines:
    """Connect to the sound server of this system.

    Raises:
        AwayError: if none answers.
        UsageError: if something is not installed.
    """
    if sys.platform == "linux":
        from hackles.capture.pulse_lines import PulseLines

        return PulseLines()
    if sys.platform == "win32":
        from hackles.capture.loopback_lines import LoopbackLines

        return LoopbackLines()
    from hackles.capture.virtual_lines import VirtualLines

    return VirtualLines()
