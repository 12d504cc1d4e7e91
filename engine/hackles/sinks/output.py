"""Whole lines or nothing: writing results so that no interruption leaves half a line."""

import errno
import os
import signal
import sys
from types import FrameType, TracebackType
from typing import Self

from hackles.errors import HacklesError


class OutputError(HacklesError):
    """The results cannot be written."""


class Lines:
    """Writes whole lines to standard output; Ctrl-C waits for the line under way."""

    def __init__(self) -> None:
        """Take over Ctrl-C once entered."""
        self._writing = False
        self._interrupted = False
        self._previous: object = None

    def __enter__(self) -> Self:
        """Begin to hold Ctrl-C back while a line is written."""
        self._previous = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give Ctrl-C back."""
        signal.signal(signal.SIGINT, self._previous)  # type: ignore[arg-type]

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self._interrupted = True
        if not self._writing:
            raise KeyboardInterrupt

    def write(self, lines: bytes) -> None:
        """Write lines, all of them, now.

        Raises:
            OutputError: if there is no room, or nobody to read them.
        """
        self._writing = True
        try:
            rest = memoryview(lines)
            while rest:
                rest = rest[os.write(sys.stdout.fileno(), rest) :]
        except OSError as error:
            raise _refusal(error) from error
        finally:
            self._writing = False
        if self._interrupted:
            raise KeyboardInterrupt


def _refusal(error: OSError) -> OutputError:
    """Return our error for one of the system's."""
    # What Python still holds for standard output would fail again as it ends.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if error.errno == errno.EPIPE:
        return OutputError("whoever read the results has gone; not all were written.")
    reason = os.strerror(error.errno) if error.errno else str(error)
    return OutputError(f"the results cannot be written ({reason}); make room and score again.")
