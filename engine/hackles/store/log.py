"""Appending to the log of entries: one writer at a time, each entry linked to the one before."""

import contextlib
import secrets
from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Connection, insert, select, update

from hackles.store.chain import KEY_BYTES, Links, digest
from hackles.store.database import Database
from hackles.store.head import Position
from hackles.store.rows import EntryRow
from hackles.store.tables import chain, entries

_AT_ONCE: Final = 500


class Log:
    """The end of the log, while nobody else may append."""

    def __init__(self, connection: Connection, links: Links) -> None:
        """Wait for others who append, and go on behind them."""
        self.connection = connection
        self._links = links
        end = connection.execute(select(chain).with_for_update()).one()
        self._seq, self._link, self._calls = end.seq, end.link, end.calls
        self._before = (end.seq, end.calls)
        self._new: list[dict[str, Any]] = []

    def new_call(self) -> tuple[int, bytes]:
        """Return a number that no call ever had, and a key for its entries."""
        self._calls += 1
        return self._calls, secrets.token_bytes(KEY_BYTES)

    def append(self, entry: EntryRow, call: int | None = None, key: bytes | None = None) -> None:
        """Append an entry: of a call by its key, or of none."""
        made = digest(
            key or self._links.own_key, entry.kind, entry.id, entry.at, entry.time, entry.payload
        )
        self._seq += 1
        self._link = self._links.link(self._link, self._seq, call, made)
        self._new.append(
            {
                "seq": self._seq,
                "call": call,
                "id": entry.id,
                "kind": entry.kind,
                "at": entry.at,
                "time": entry.time,
                "payload": entry.payload,
                "digest": made,
                "link": self._link,
            }
        )

    def known(self, ids: list[str]) -> set[str]:
        """Return which of some ids are in the log."""
        found: set[str] = set()
        for at in range(0, len(ids), _AT_ONCE):
            some = select(entries.c.id).where(entries.c.id.in_(ids[at : at + _AT_ONCE]))
            found.update(self.connection.scalars(some))
        return found

    def save(self) -> Position | None:
        """Write what was appended; return the new end, if there is one."""
        if self._new:
            self.connection.execute(insert(entries), self._new)
        if (self._seq, self._calls) != self._before:
            end = {"seq": self._seq, "link": self._link, "calls": self._calls}
            self.connection.execute(update(chain).values(end))
        return Position(self._seq, self._link) if self._new else None


@contextlib.contextmanager
def appending(database: Database) -> Iterator[Log]:
    """Give the end of the log; what is appended is kept once this is left well.

    Raises:
        RefusedError: if the database does not take a row.
        StoreError: if it cannot be reached or written.
    """
    with database.writing() as connection:
        log = Log(connection, database.links)
        yield log
        position = log.save()
    if position is not None:
        database.keep_head(position)
