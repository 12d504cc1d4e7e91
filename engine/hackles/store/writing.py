"""Writing rows into the database: a batch at a time, each row once however often it comes."""

import logging
from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final

import msgspec
from sqlalchemy import bindparam, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from hackles.store import figures
from hackles.store.database import Database
from hackles.store.log import Log, appending
from hackles.store.purging import purge_written
from hackles.store.rows import EntryRow, GapRow, PurgeRow, ReadingRow, Row, missed
from hackles.store.tables import calls, gaps, readings

_log = logging.getLogger(__name__)

_TOLD: Final = ("begun", "alert", "timing", "summary")
"""What only the daemon tells. All else people did, and only of a call that is known."""


class Writer:
    """Writes rows; see `rows.py`."""

    def __init__(self, database: Database) -> None:
        """Write into a database."""
        self._database = database
        self.unknown = 0

    def write(self, rows: Sequence[Row]) -> None:
        """Write rows in their order; those that are there already change nothing.

        Raises:
            RefusedError: if the database does not take a row.
            StoreError: if it cannot be reached or written. Then it is not known whether the last
                of them were written: they can be written again.
        """
        for is_purge, some in groupby(rows, lambda row: isinstance(row, PurgeRow)):
            if is_purge:
                for row in some:
                    if isinstance(row, PurgeRow):
                        purge_written(self._database, row.call, row.reason)
            else:
                self._write([row for row in some if not isinstance(row, PurgeRow)])

    def _write(self, rows: Sequence[ReadingRow | GapRow | EntryRow]) -> None:
        with appending(self._database) as log:
            batch = _Batch(log, rows)
            for row in rows:
                batch.take(row)
            batch.save()
        if batch.unknown:
            if not self.unknown:
                _log.warning("Something was said of a call that is not in the record: left out.")
            self.unknown += batch.unknown


class _Batch:
    """Rows on their way into the tables, within one transaction."""

    def __init__(self, log: Log, rows: Sequence[ReadingRow | GapRow | EntryRow]) -> None:
        self._log = log
        self._calls: dict[str, dict[str, Any]] = {}
        self._latest: dict[str, dict[str, Any]] = {}
        self._numbers: dict[str, int] = {}
        self._load(rows)
        self._ids = log.known([row.id for row in rows if isinstance(row, EntryRow)])
        self._new_calls: dict[int, dict[str, Any]] = {}
        self._changed: dict[int, dict[str, Any]] = {}
        self._readings: list[dict[str, Any]] = []
        self._gaps: list[dict[str, Any]] = []
        self.unknown = 0

    def take(self, row: ReadingRow | GapRow | EntryRow) -> None:
        """Take in the next row."""
        if isinstance(row, EntryRow):
            self._take_entry(row)
            return
        at = {"call": self._number(row), "time": row.time}
        if isinstance(row, GapRow):
            self._gaps.append(at | {"since": row.since, "reason": row.reason})
        else:
            at |= {"irritation": row.irritation, "arousal": row.arousal}
            self._readings.append(at | {"confidence": row.confidence})

    def save(self) -> None:
        """Write all of it."""
        connection = self._log.connection
        dialect = connection.dialect.name
        if self._new_calls:
            connection.execute(insert(calls), list(self._new_calls.values()))
        if self._changed:
            new: dict[str, Any] = {name: bindparam(f"new_{name}") for name in figures.CHANGING}
            changed = [
                {"number": call["id"]} | {f"new_{name}": call[name] for name in new}
                for call in self._changed.values()
            ]
            its = calls.c.id == bindparam("number")
            connection.execute(update(calls).where(its).values(new), changed)
        make = sqlite.insert if dialect == "sqlite" else postgresql.insert
        for table, scores in ((readings, self._readings), (gaps, self._gaps)):
            if scores:
                connection.execute(make(table).on_conflict_do_nothing(), scores)

    def _load(self, rows: Sequence[ReadingRow | GapRow | EntryRow]) -> None:
        """Read as much as is needed of the calls that the rows speak of."""
        entries = [row for row in rows if isinstance(row, EntryRow)]
        sessions = {row.session for row in entries}
        ways = [calls.c.session.in_(sessions)]
        if "" in sessions:
            named = calls.c.call.in_({row.call for row in entries if not row.session})
            ways.append(calls.c.id.in_(select(func.max(calls.c.id)).where(named).group_by("call")))
        connection = self._log.connection
        if entries:
            known = select(calls).where(or_(*ways)).order_by(calls.c.id)
            for found in connection.execute(known).mappings():
                self._know(dict(found))
        others = {row.session for row in rows} - sessions
        numbers = select(calls.c.session, calls.c.id).where(calls.c.session.in_(others))
        self._numbers.update((session, id_) for session, id_ in connection.execute(numbers))

    def _know(self, call: dict[str, Any]) -> None:
        self._calls[call["session"]] = self._latest[call["call"]] = call
        self._numbers[call["session"]] = call["id"]

    def _number(self, row: ReadingRow | GapRow) -> int:
        """Return the number of a row's call; one whose beginning was lost is known from here."""
        number = self._numbers.get(row.session)
        return int(self._begin(missed(row))["id"]) if number is None else number

    def _take_entry(self, row: EntryRow) -> None:
        if row.id in self._ids:
            return
        self._ids.add(row.id)
        if row.kind == "lost":
            self._log.append(row)
            return
        if row.kind not in _TOLD:
            call = self._calls.get(row.session) if row.session else self._latest.get(row.call)
            if call is None:
                self.unknown += 1
                return
        elif row.kind == "begun" and row.session not in self._calls:
            self._begin(row)
            return
        else:
            call = self._calls.get(row.session) or self._begin(missed(row))
        self._append(row, call)

    def _begin(self, row: EntryRow) -> dict[str, Any]:
        number, key = self._log.new_call()
        call: dict[str, Any] = {"id": number, "key": key}
        call |= figures.begun(row.at, msgspec.json.decode(row.payload))
        self._new_calls[number] = call
        self._know(call)
        self._log.append(row, number, key)
        return call

    def _append(self, row: EntryRow, call: dict[str, Any]) -> None:
        self._log.append(row, call["id"], call["key"])
        said = msgspec.json.decode(row.payload)
        changes = figures.changes(row.kind, row.at, said, call["peak"])
        if changes:
            call |= changes
            if call["id"] not in self._new_calls:
                self._changed[call["id"]] = call
