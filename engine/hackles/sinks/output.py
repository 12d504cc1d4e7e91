"""Whole lines or nothing: writing results so that no interruption leaves half a line."""

import errno
import io
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Self, TextIO, cast

from rich.console import Console

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
        """Begin to hold Ctrl-C back while a line is written.

        Raises:
            OutputError: if there is no standard output.
        """
        _standard_output()
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

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
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
            with _refusals_told():
                while rest:
                    rest = rest[os.write(sys.stdout.fileno(), rest) :]
        finally:
            self._writing = False
        if self._interrupted:
            raise KeyboardInterrupt


class _Screen:
    """Standard output for rich, which would let the system's refusals through."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> int:
        with _refusals_told():
            return self._file.write(text)

    def flush(self) -> None:
        with _refusals_told():
            self._file.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def screen() -> Console:
    """Return a console on standard output; writing there may raise an `OutputError`.

    Raises:
        OutputError: if there is no standard output.
    """
    file = _standard_output()
    if isinstance(file, io.TextIOWrapper):
        # A sign, or a file's name, that cannot be shown there must not end the work.
        file.reconfigure(errors="replace")
    return Console(file=cast(TextIO, _Screen(file)))


def _standard_output() -> TextIO:
    if sys.stdout is None:
        raise OutputError("there is no standard output to write to; it was closed.")
    return sys.stdout


@contextmanager
def _refusals_told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _refusal(error) from error


def _refusal(error: OSError) -> OutputError:
    """Return our error for one of the system's."""
    # What Python still holds for standard output would fail again as it ends.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if error.errno == errno.EPIPE:
        return OutputError("whoever read the results has gone; not all were written.")
    reason = os.strerror(error.errno) if error.errno else str(error)
    return OutputError(f"the results cannot be written ({reason}); make room and score again.")
