"""JSON lines in a file that is put aside when it has grown large, or on standard output."""

import logging
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from hackles.errors import UsageError
from hackles.records import LiveRecord, live_line

_log = logging.getLogger(__name__)


class _Named(msgspec.Struct):
    """As much of a line as says whose it is."""

    call: str


_whose = msgspec.json.Decoder(_Named).decode


class JsonLines:
    """A file of JSON lines; what came before it is put aside as `calls.jsonl.1`, `.2` and so on."""

    name = "jsonl"
    for_people = False

    def __init__(self, path: str, rotate_bytes: int, keep: int) -> None:
        """Open the file, and go on behind what is in it.

        Raises:
            UsageError: if it cannot be written.
        """
        self._path, self._rotate_bytes, self._keep = Path(path), rotate_bytes, keep
        self._is_stuck = False
        try:
            self._file = self._open()
        except OSError as error:
            raise UsageError(
                f"{path} cannot be written ({error.strerror}); name another file under [output]."
            ) from error

    def write(self, records: Sequence[LiveRecord]) -> None:
        """Append whole lines.

        Raises:
            OSError: if there is no room; what was half written is taken back.
        """
        if self._size() > self._rotate_bytes:
            self._try_to_rotate()
        before = self._size()
        try:
            _write_all(self._file, b"".join(map(live_line, records)))
        except OSError:
            os.ftruncate(self._file, before)
            raise

    def forget(self, call: str) -> None:
        """Write every file anew without a call's lines, if it has any.

        Raises:
            OSError: if there is no room for that.
        """
        name = msgspec.json.encode(call)
        for path in [self._path, *map(self._aside, range(1, self._keep + 1))]:
            if path.exists():
                content = path.read_bytes()
                if name in content:
                    self._replace(path, content, call)

    def rest(self) -> None:
        """Nothing is put off."""

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _replace(self, path: Path, content: bytes, call: str) -> None:
        """Write a file anew without a call's lines: all of it or nothing."""
        lines = content.splitlines(keepends=True)
        left = b"".join(line for line in lines if not _is_of(call, line))
        other = path.with_name(f"{path.name}.new")
        try:
            with other.open("wb") as file:
                shutil.copymode(path, other)  # before anything is in it that others may not read
                file.write(left)
            other.replace(path)
        except OSError:
            other.unlink(missing_ok=True)
            raise
        if path == self._path:
            before, self._file = self._file, self._open()
            os.close(before)

    def _open(self) -> int:
        # Whose voice rose when is nobody's business but the readers' whom the owner lets in.
        file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o640)
        size = os.fstat(file).st_size
        if size and os.pread(file, 1, size - 1) != b"\n":
            os.write(file, b"\n")  # the last run ended within a line, which nobody else continues
        return file

    def _size(self) -> int:
        return os.fstat(self._file).st_size

    def _aside(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")

    def _try_to_rotate(self) -> None:
        """Put the file aside, and begin a new one; where that fails, the old one goes on."""
        try:
            self._rotate()
        except OSError as error:
            if not self._is_stuck:
                _log.warning("%s grows on: it cannot be put aside (%s).", self._path, error)
            self._is_stuck = True
        else:
            self._is_stuck = False

    def _rotate(self) -> None:
        if not self._path.exists():
            pass  # somebody took it away: there is only a new one to begin
        elif self._keep:
            for number in range(self._keep - 1, 0, -1):
                if self._aside(number).exists():
                    self._aside(number).replace(self._aside(number + 1))
            self._path.replace(self._aside(1))
        else:
            self._path.unlink()
        before, self._file = self._file, self._open()
        os.close(before)


class StandardOutput:
    """JSON lines on standard output, for whoever reads the pipe; nothing of them is kept."""

    name = "stdout"
    for_people = False

    def write(self, records: Sequence[LiveRecord]) -> None:
        """Write whole lines.

        Raises:
            OSError: if nobody reads them.
        """
        _write_all(sys.stdout.fileno(), b"".join(map(live_line, records)))

    def forget(self, call: str) -> None:
        """Nothing is kept; the call's last record tells readers to do the same."""

    def rest(self) -> None:
        """Nothing is put off."""

    def close(self) -> None:
        """Leave standard output as it is."""


def _write_all(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]


def _is_of(call: str, line: bytes) -> bool:
    """Return whether a line is a call's; one that cannot be read, because it was cut, is not."""
    try:
        return _whose(line).call == call
    except msgspec.DecodeError:
        return False
