"""What waits on disk for the database: rows in their order, in files of lines.

Each line is whole or it does not count: a process may die within one. Processes that share the
folder keep each other out while they read or write. A deleted call's lines are written over with
blanks where they are, which needs no room.
"""

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from hackles.store.rows import GapRow, PurgeRow, ReadingRow, Row

_FILE_BYTES: Final = 512 * 1024
_FOLDER_MODE: Final = 0o700
_FILE_MODE: Final = 0o600
_SCORES_SHARE: Final = 0.75
"""Readings and gaps may fill so much; what is left is for all else."""

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Row).decode


class Spool:
    """Rows in files; the oldest come out first."""

    def __init__(self, path: Path, most_bytes: int = 0) -> None:
        """Keep rows in a folder, which is made once there are some.

        Args:
            path: the folder.
            most_bytes: how much may wait.
        """
        self._path, self._most_bytes = path, most_bytes

    def append(self, rows: Sequence[Row]) -> list[Row]:
        """Write rows behind those that wait; return those that there is no room for.

        Raises:
            OSError: if nothing can be written; then none of them waits.
        """
        with self._alone(is_made=True):
            files = self._files()
            used = sum(file.stat().st_size for file in files)
            lines, left_out = self._chosen(rows, used)
            if lines:
                self._write(files, b"".join(lines), is_urgent=any(map(_is_urgent, rows)))
        return left_out

    def order(self, purge: PurgeRow) -> None:
        """Write an order to delete a call, whether there is room or not, and blank its rows.

        It ends its file, so that what comes of a later call of that name is not deleted with it
        if the file is handed over twice.

        Raises:
            OSError: if nothing can be written.
        """
        with self._alone(is_made=True):
            files = self._files()
            self._write_to(self._next(files, ".purge"), _encode(purge) + b"\n", is_urgent=True)
            for path in files:
                _blank(path, purge.call)

    def is_empty(self) -> bool:
        """Return whether nothing waits."""
        return not self._files()

    def pass_on(self, write: Callable[[Sequence[Row]], None], at_once: int) -> int:
        """Hand the oldest rows over, and delete their file once all of it was taken.

        If this ends within a file, it begins at that file again: they may be handed over twice.

        Args:
            write: takes rows; if it raises, they go on waiting.
            at_once: how many it takes at most.

        Returns:
            how many lines could not be read.

        Raises:
            OSError: if the file cannot be read or deleted.
        """
        with self._alone():
            files = self._files()
            if not files:
                return 0
            rows, broken = _read(files[0])
            for at in range(0, len(rows), at_once):
                write(rows[at : at + at_once])
            files[0].unlink()
            return broken

    def blank(self, call: str) -> None:
        """Write over all that waits of a call.

        Raises:
            OSError: if that cannot be done.
        """
        with self._alone():
            for path in self._files():
                _blank(path, call)

    def _chosen(self, rows: Sequence[Row], used: int) -> tuple[list[bytes], list[Row]]:
        """Return the lines that there is room for, and the rows that there is none for."""
        lines: list[bytes] = []
        left_out: list[Row] = []
        for row in rows:
            line = _encode(row) + b"\n"
            share = _SCORES_SHARE if isinstance(row, ReadingRow | GapRow) else 1.0
            if used + len(line) <= self._most_bytes * share:
                lines.append(line)
                used += len(line)
            else:
                left_out.append(row)
        return lines, left_out

    def _write(self, files: Sequence[Path], data: bytes, is_urgent: bool) -> None:
        """Write lines into the newest file, or a new one."""
        goes_on = files and not _ends(files[-1]) and files[-1].stat().st_size < _FILE_BYTES
        self._write_to(files[-1] if goes_on else self._next(files), data, is_urgent)

    def _write_to(self, path: Path, data: bytes, is_urgent: bool) -> None:
        """Write lines behind those in a file; all of them or none."""
        file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, _FILE_MODE)
        try:
            before = os.fstat(file).st_size
            if before and os.pread(file, 1, before - 1) != b"\n":
                data = b"\n" + data  # somebody died within a line
            try:
                rest = memoryview(data)
                while rest:
                    rest = rest[os.write(file, rest) :]
                if is_urgent:
                    os.fsync(file)
            except OSError:
                os.ftruncate(file, before)
                if not before:
                    path.unlink()
                raise
        finally:
            os.close(file)

    def _next(self, files: Sequence[Path], mark: str = "") -> Path:
        number = int(files[-1].name.partition(".")[0]) + 1 if files else 1
        return self._path / f"{number:012d}{mark}.jsonl"

    def _files(self) -> list[Path]:
        """Return the files, the oldest first."""
        return sorted(self._path.glob("[0-9]*.jsonl"))

    @contextlib.contextmanager
    def _alone(self, is_made: bool = False) -> Iterator[None]:
        """Keep others out; without a folder there is nothing to keep them from."""
        if is_made:
            self._path.mkdir(mode=_FOLDER_MODE, exist_ok=True)
        elif not self._path.is_dir():
            yield
            return
        lock = os.open(self._path / "lock", os.O_RDWR | os.O_CREAT, _FILE_MODE)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _ends(path: Path) -> bool:
    """Return whether nothing more is to be written into a file."""
    return path.name.endswith(".purge.jsonl")


def _is_urgent(row: Row) -> bool:
    """Return whether a row should outlive the loss of power from now on."""
    return not isinstance(row, ReadingRow | GapRow)


def _read(path: Path) -> tuple[list[Row], int]:
    """Return a file's rows, and how many lines are none."""
    rows: list[Row] = []
    broken = 0
    for line in path.read_bytes().split(b"\n"):
        if line.strip():
            try:
                rows.append(_decode(line))
            except msgspec.DecodeError:
                broken += 1
    return rows, broken


def _blank(path: Path, call: str) -> None:
    """Write blanks over a call's lines in a file, but not over the order to delete it."""
    content = path.read_bytes()
    if call.encode() not in content:
        return
    file = os.open(path, os.O_RDWR)
    try:
        at = 0
        for line in content.splitlines(keepends=True):
            if call.encode() in line and _is_to_go(line, call):
                os.pwrite(file, b" " * (len(line) - 1) + b"\n", at)
            at += len(line)
        os.fsync(file)
    finally:
        os.close(file)


def _is_to_go(line: bytes, call: str) -> bool:
    """Return whether a line is a call's; half a line that names it counts, too."""
    try:
        row = _decode(line)
    except msgspec.DecodeError:
        return True
    return row.call == call and not isinstance(row, PurgeRow)
