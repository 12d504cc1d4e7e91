"""What could not be kept: counted, and written into the log once that can be written again."""

import logging
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from hackles.store.rows import EntryRow, GapRow, PurgeRow, ReadingRow, Row, payload

_log = logging.getLogger(__name__)

_FILE_MODE: Final = 0o600


class _Counted(msgspec.Struct):
    """As it lies on disk.

    Attributes:
        id: of the entry that will tell it.
        since: when the first that was lost was told.
        until: when the last was.
        counts: how many of each kind.
    """

    id: str
    since: float
    until: float
    counts: dict[str, int]


class Losses:
    """Counts by kind; they outlive the process, if the disk has room for them."""

    def __init__(self, path: Path) -> None:
        """Go on with what was counted before."""
        self._path = path
        self._counted: _Counted | None = None
        self._is_kept = True
        try:
            self._counted = msgspec.json.decode(path.read_bytes(), type=_Counted)
        except FileNotFoundError:
            pass
        except (OSError, msgspec.DecodeError) as error:
            _log.warning("What was lost before cannot be read in %s (%s).", path, error)

    def __bool__(self) -> bool:
        """Return whether anything was lost."""
        return self._counted is not None

    def count(self, rows: Iterable[Row]) -> None:
        """Count rows that are lost."""
        for row in rows:
            self._add(_kind(row), row.at, 1)

    def count_unreadable(self, lines: int, at: float) -> None:
        """Count lines on disk that nobody can read any longer."""
        if lines:
            self._add("unreadable", at, lines)

    def keep(self) -> None:
        """Write the counts down; what cannot be written is tried again."""
        if self._is_kept or self._counted is None:
            return
        other = self._path.with_name(f"{self._path.name}.new")
        try:
            file = os.open(other, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _FILE_MODE)
            try:
                os.write(file, msgspec.json.encode(self._counted))
                os.fsync(file)
            finally:
                os.close(file)
            other.replace(self._path)
        except OSError as error:
            _log.debug("The count of what was lost cannot be kept (%s).", error)
        else:
            self._is_kept = True

    def entry(self, at: float) -> EntryRow:
        """Return what tells it in the log.

        Raises:
            ValueError: if nothing was lost.
        """
        if self._counted is None:
            raise ValueError("nothing was lost")
        told = self._counted
        said = payload({"since": told.since, "until": told.until, "counts": told.counts})
        return EntryRow("", "", at, told.id, "lost", None, said)

    def clear(self) -> None:
        """Begin anew: it was told."""
        self._counted, self._is_kept = None, True
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            _log.debug("The count of what was lost cannot be deleted (%s).", error)

    def _add(self, kind: str, at: float, count: int) -> None:
        if self._counted is None:
            self._counted = _Counted(secrets.token_hex(12), at, at, {})
        counted, self._is_kept = self._counted, False
        counted.since, counted.until = min(counted.since, at), max(counted.until, at)
        counted.counts[kind] = counted.counts.get(kind, 0) + count


def _kind(row: Row) -> str:
    match row:
        case ReadingRow():
            return "reading"
        case GapRow():
            return "gap"
        case PurgeRow():
            return "purge"
    return row.kind
