"""Whether the record is whole: every entry as it was written, none missing, none added.

It reads the log twice, and holds no more of it than a call at a time: once in the order in which it
was written, along the chain; once call by call, against the row of each call.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, Select, select

from hackles.errors import StoreError
from hackles.store import figures
from hackles.store.chain import START, Links, digest
from hackles.store.database import Database
from hackles.store.head import Position
from hackles.store.tables import calls, chain, entries, gaps, readings

_AT_ONCE: Final = 1000
_MOST_FAULTS: Final = 100
_EMPTIED: Final = ("id", "kind", "at", "time", "payload")


@dataclass(slots=True)
class Verified:
    """What was found.

    Attributes:
        entries: how many there are, with those of deleted calls.
        deleted: of these, how many were emptied because their call was deleted.
        calls: how many there are.
        tombstones: how many deletions the log tells of.
        lost: how many times the log tells of losses.
        faults: what is wrong, in sentences; the first hundred.
        more_faults: how many there are beside.
    """

    entries: int = 0
    deleted: int = 0
    calls: int = 0
    tombstones: int = 0
    lost: int = 0
    faults: list[str] = field(default_factory=list)
    more_faults: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults

    def blame(self, fault: str) -> None:
        """Note what is wrong."""
        if len(self.faults) < _MOST_FAULTS:
            self.faults.append(fault)
        else:
            self.more_faults += 1


def verify(database: Database) -> Verified:
    """Return what is found in a record, as it is at this moment.

    Raises:
        StoreError: if the database cannot be reached or read.
    """
    found = Verified()
    head = _head(database, found)
    with database.reading() as connection:
        try:
            _Chain(connection, database.links, found).check(head, str(database.head.path))
            _check_calls(connection, found)
            _check_left(connection, found)
        except (TypeError, ValueError) as error:  # SQLite lets any column hold anything
            found.blame(f"The tables hold what no version of hackles writes ({error}).")
    return found


def _head(database: Database, found: Verified) -> Position | None:
    """Return the head that is kept elsewhere; read first, the chain may grow meanwhile."""
    try:
        return database.head.read()
    except StoreError as error:
        found.blame(str(error))
        return None


class _Chain:
    """The log in the order in which it was written."""

    def __init__(self, connection: Connection, links: Links, found: Verified) -> None:
        self._connection, self._links, self._found = connection, links, found
        self._end = Position(0, START)
        self._is_known = True  # the link of the end, from which the next follows
        self._calls = 0
        self._buried = bytearray()
        self._at_head: bytes | None = START

    def check(self, head: Position | None, path: str) -> None:
        """Check every entry, and the ends."""
        self._find_tombstones()
        self._at_head = START if head and head.seq == 0 else None
        wanted = select(entries, calls.c.key).join(
            calls, calls.c.id == entries.c.call, isouter=True
        )
        for row in _streamed(self._connection, wanted.order_by(entries.c.seq)):
            self._check(row)
            if head and row.seq == head.seq:
                self._at_head = row.link
        self._check_end()
        self._check_head(head, path)

    def _find_tombstones(self) -> None:
        """Note which calls were deleted, by tombstones that nobody altered."""
        wanted = select(entries).where(entries.c.kind == "tombstone").order_by(entries.c.seq)
        for row in _streamed(self._connection, wanted):
            if row.call is None and self._digest(row, None) == row.digest:
                self._found.tombstones += 1
                for first, last in msgspec.json.decode(row.payload)["calls"]:
                    self._bury(first, last)

    def _bury(self, first: int, last: int) -> None:
        missing = last + 1 - len(self._buried)
        self._buried.extend(bytes(max(missing, 0)))
        self._buried[first : last + 1] = b"\1" * (last + 1 - first)

    def _is_buried(self, call: int | None) -> bool:
        return call is not None and 0 <= call < len(self._buried) and bool(self._buried[call])

    def _check(self, row: Row[Any]) -> None:
        self._found.entries += 1
        self._calls = max(self._calls, row.call or 0)
        is_sound = self._check_contents(row)
        if row.seq != self._end.seq + 1:
            self._found.blame(_missing(self._end.seq + 1, row.seq - 1))
            self._is_known = False
        link = self._links.link(self._end.link, row.seq, row.call, row.digest)
        if self._is_known and is_sound and link != row.link:
            self._found.blame(f"{_named(row)} does not follow from the one before it.")
        self._end, self._is_known = Position(row.seq, row.link), True

    def _check_contents(self, row: Row[Any]) -> bool:
        """Return whether an entry holds what was written."""
        is_empty = all(getattr(row, name) is None for name in _EMPTIED)
        if is_empty:
            self._found.deleted += 1
            if not self._is_buried(row.call):
                self._found.blame(f"{_named(row)} was emptied, and no tombstone says why.")
                return False
            return True
        self._found.lost += row.kind == "lost" and row.call is None
        if self._is_buried(row.call):
            self._found.blame(f"{_named(row)} is there, though its call was deleted.")
            return False
        if row.call is not None and row.key is None:
            self._found.blame(f"{_named(row)} is of call {row.call}, which is not there.")
            return False
        if self._digest(row, row.key) != row.digest:
            self._found.blame(f"{_named(row)} was altered.")
            return False
        return True

    def _digest(self, row: Row[Any], key: bytes | None) -> bytes | None:
        if row.id is None or row.kind is None or row.at is None or row.payload is None:
            return None  # no entry was ever written so
        own = key or self._links.own_key
        return digest(own, row.kind, row.id, row.at, row.time, row.payload)

    def _check_end(self) -> None:
        """Hold the log against the row that every writer locks."""
        found = self._connection.execute(select(chain)).first()
        if found is None:
            self._found.blame("The table chain is empty: it should hold where the log ends.")
        elif (found.seq, bytes(found.link)) != self._end:
            self._found.blame(
                f"The log ends at {self._end.seq}, but the table chain says {found.seq}, or "
                "another link: entries were cut off, or added."
            )
        elif found.calls < self._calls:
            self._found.blame("The table chain says that there were fewer calls than there are.")

    def _check_head(self, head: Position | None, path: str) -> None:
        if head is None:
            if self._end.seq and not self._found.faults:
                self._found.blame(
                    f"The head in {path} is not there: nobody can tell if entries were cut off."
                )
        elif head.seq > self._end.seq:
            self._found.blame(
                f"The chain ends at {self._end.seq}, but the head kept in {path} says {head.seq}: "
                "entries were cut off."
            )
        elif self._at_head != head.link:
            self._found.blame(
                f"Entry {head.seq} has another link than the head kept in {path} says: the log was "
                "written anew."
            )


def _check_calls(connection: Connection, found: Verified) -> None:
    """Hold the row of every call against its entries."""
    wanted = (
        select(
            calls, *(entries.c[name].label(f"entry_{name}") for name in ("kind", "at", "payload"))
        )
        .join(entries, entries.c.call == calls.c.id, isouter=True)
        .order_by(calls.c.id, entries.c.seq)
    )
    rows = _streamed(connection, wanted)
    for number, group in groupby(rows, key=lambda row: row.id):
        found.calls += 1
        told = list(group)
        fault = _difference(told)
        if fault:
            found.blame(f"The row of call {number} does not agree with its entries ({fault}).")


def _difference(told: list[Row[Any]]) -> str:
    """Return in which columns a call's row differs from what its entries come to."""
    row = told[0]._mapping
    columns: dict[str, Any] = {}
    try:
        for entry in told:
            payload = msgspec.json.decode(entry.entry_payload)
            if not columns:
                columns = figures.begun(entry.entry_at, payload)
            else:
                kind, at, peak = entry.entry_kind, entry.entry_at, columns["peak"]
                columns |= figures.changes(kind, at, payload, peak)
    except (msgspec.DecodeError, KeyError, TypeError):
        return "they cannot be read"  # the chain says which
    return ", ".join(name for name, value in columns.items() if row[name] != value)


def _check_left(connection: Connection, found: Verified) -> None:
    """See that no scores are left of calls that are not there."""
    for table, what in ((readings, "readings"), (gaps, "gaps")):
        is_there = select(calls.c.id).where(calls.c.id == table.c.call).exists()
        left = select(table.c.call).where(~is_there).limit(1)
        call = connection.scalar(left)
        if call is not None:
            found.blame(f"There are {what} of call {call}, which is not there.")


def _streamed(connection: Connection, wanted: Select[Any]) -> Iterator[Row[Any]]:
    """Yield rows, a thousand in memory at a time."""
    return iter(connection.execution_options(yield_per=_AT_ONCE).execute(wanted))


def _named(row: Row[Any]) -> str:
    """Return how people find an entry: "Entry 12 (alert of 2026-11-22 10:31)"."""
    if row.kind is None or row.at is None:
        return f"Entry {row.seq}"
    try:
        at = datetime.fromtimestamp(row.at, UTC).strftime("%Y-%m-%d %H:%M")
    except (OverflowError, ValueError, OSError):
        at = "no time that there is"
    return f"Entry {row.seq} ({row.kind} of {at})"


def _missing(first: int, last: int) -> str:
    if last < first:
        return f"Entry {last + 1} is there twice, or in a wrong place."
    return (
        f"Entry {first} is missing." if first == last else f"Entries {first} to {last} are missing."
    )
