"""What is to be sent, in the board's book: it is there until the receiver has it.

A delivery is waiting, done or dead. Its body stands in the book only as long as it may be sent; of
what is done its id stays, so that the same happening is not sent twice.
"""

import sqlite3
from collections.abc import Sequence
from typing import Final, NamedTuple

from hackles.wallboard.book import Book
from hackles.wallboard.webhooks.schedule import DAY_S

TABLES: Final = """
CREATE TABLE IF NOT EXISTS webhook_delivery (
    number INTEGER PRIMARY KEY,
    endpoint TEXT NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    session TEXT NOT NULL,
    media_type TEXT NOT NULL,
    body BLOB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'dead')),
    since_at REAL NOT NULL,
    due_at REAL NOT NULL,
    changed_at REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    last_error TEXT NOT NULL DEFAULT '',
    UNIQUE (endpoint, id)
);
CREATE INDEX IF NOT EXISTS webhook_due ON webhook_delivery (endpoint, state, due_at);
CREATE INDEX IF NOT EXISTS webhook_session ON webhook_delivery (session);
"""

WITHDRAWN: Final = "call.withdrawn"
KEPT_S: Final = 30 * DAY_S
"""For so long it is kept that something was sent, or could not be."""

_TOLD: Final = "session = ? AND kind <> 'call.withdrawn' AND (state = 'done' OR attempts > 0)"


class Delivery(NamedTuple):
    """One message to one receiver.

    Attributes:
        endpoint: the webhook's name.
        id: the same at every attempt.
        kind: what happened.
        session: of the call, or "".
        media_type: of the body.
        body: what is sent.
        since_at: since when it waits; its day is counted from then.
        attempts: so far.
        last_error: why the newest came to nothing, or "".
    """

    endpoint: str
    id: str
    kind: str
    session: str
    media_type: str
    body: bytes
    since_at: float
    attempts: int = 0
    last_error: str = ""


class Outbox:
    """The deliveries of all webhooks."""

    def __init__(self, book: Book) -> None:
        """Look after those of a book."""
        self._book = book

    def add(self, delivery: Delivery, dead_because: str = "") -> None:
        """Take a delivery, unless it is there already; as a dead letter, if nobody wants it now."""
        self._book.do(
            "INSERT OR IGNORE INTO webhook_delivery (endpoint, id, kind, session, media_type, "
            "body, state, since_at, due_at, changed_at, last_error) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *delivery[:6],
            "dead" if dead_because else "waiting",
            *[delivery.since_at] * 3,
            dead_because,
        )

    def due(self, endpoint: str, now: float, most: int) -> list[Delivery]:
        """Return what is to be sent now, the longest due first."""
        return self._found(
            "endpoint = ? AND state = 'waiting' AND due_at <= ? ORDER BY due_at, number LIMIT ?",
            *(endpoint, now, most),
        )

    def next_at(self, endpoint: str) -> float | None:
        """Return when the first of what waits is due; None if nothing waits."""
        sql = "SELECT MIN(due_at) FROM webhook_delivery WHERE endpoint = ? AND state = 'waiting'"
        found: float | None = self._book.rows(sql, endpoint)[0][0]
        return found

    def begins(self, delivery: Delivery) -> None:
        """Note that it is being sent: from now on the receiver may have it."""
        self._set(delivery, "attempts = attempts + 1")

    def done(self, delivery: Delivery, now: float) -> None:
        """Note that the receiver has it."""
        if delivery.kind == WITHDRAWN:  # nothing of that call stays
            sql = "DELETE FROM webhook_delivery WHERE endpoint = ? AND id = ?"
            self._book.do(sql, delivery.endpoint, delivery.id)
            return
        changes = "state = 'done', body = x'', last_error = '', changed_at = ?"
        self._set(delivery, changes, now)

    def again(self, delivery: Delivery, at: float, error: str) -> None:
        """Note that it has to be tried again."""
        self._set(delivery, "due_at = ?, last_error = ?", at, error)

    def died(self, delivery: Delivery, now: float, error: str) -> None:
        """Note that it is not tried again by itself."""
        self._set(delivery, "state = 'dead', changed_at = ?, last_error = ?", now, error)

    def all_died(self, endpoint: str, now: float, error: str, before_at: float) -> None:
        """Give up all of an endpoint that waited since before some time."""
        self._book.do(
            "UPDATE webhook_delivery SET state = 'dead', changed_at = ?, "
            "last_error = CASE last_error WHEN '' THEN ? ELSE last_error END "
            "WHERE endpoint = ? AND state = 'waiting' AND since_at <= ?",
            *(now, error, endpoint, before_at),
        )

    def all_due(self, endpoint: str, now: float) -> None:
        """Have all of an endpoint that waits sent now."""
        self._book.do(
            "UPDATE webhook_delivery SET due_at = ? "
            "WHERE endpoint = ? AND state = 'waiting' AND due_at > ?",
            *(now, endpoint, now),
        )

    def replay(self, endpoint: str, ids: Sequence[str] | None, now: float) -> int:
        """Have dead letters sent anew, by the ids that they had; return how many.

        Args:
            endpoint: whose.
            ids: which; None for all.
            now: from when on their day is counted.
        """
        sql = (
            "UPDATE webhook_delivery SET state = 'waiting', since_at = ?, due_at = ?, "
            "changed_at = ? WHERE endpoint = ? AND state = 'dead'"
        )
        if ids is None:
            return self._book.do(sql, now, now, now, endpoint)
        one = f"{sql} AND id = ?"
        return sum(self._book.do(one, now, now, now, endpoint, id_) for id_ in dict.fromkeys(ids))

    def dead(self, endpoint: str, most: int) -> list[Delivery]:
        """Return the newest dead letters."""
        order = "ORDER BY changed_at DESC, number DESC LIMIT ?"
        return self._found(f"endpoint = ? AND state = 'dead' {order}", endpoint, most)

    def count(self, endpoint: str, state: str) -> int:
        """Return how many are waiting, done or dead."""
        sql = "SELECT COUNT(*) FROM webhook_delivery WHERE endpoint = ? AND state = ?"
        return int(self._book.rows(sql, endpoint, state)[0][0])

    def told(self, session: str) -> set[str]:
        """Return the endpoints that have, or may have, heard of a call."""
        sql = f"SELECT DISTINCT endpoint FROM webhook_delivery WHERE {_TOLD}"  # noqa: S608
        return {str(row[0]) for row in self._book.rows(sql, session)}

    def forget(self, session: str) -> None:
        """Delete all of a call, but that it was withdrawn."""
        sql = "DELETE FROM webhook_delivery WHERE session = ? AND kind <> ?"
        self._book.do(sql, session, WITHDRAWN)

    def purge(self, now: float) -> None:
        """Delete what is too old."""
        self._book.do("DELETE FROM webhook_delivery WHERE changed_at < ?", now - KEPT_S)

    def compact(self) -> bool:
        """Write the book's file anew, so that no trace of what was deleted stays in it.

        Returns:
            Whether that was possible now: somebody else may be reading it.
        """
        try:
            self._book.do("VACUUM")
            return not self._book.rows("PRAGMA wal_checkpoint(TRUNCATE)")[0][0]
        except sqlite3.OperationalError:
            return False

    def _found(self, where: str, *values: float | str) -> list[Delivery]:
        columns = ", ".join(Delivery._fields)
        sql = f"SELECT {columns} FROM webhook_delivery WHERE {where}"  # noqa: S608
        return [Delivery(*row) for row in self._book.rows(sql, *values)]

    def _set(self, delivery: Delivery, changes: str, *values: float | str) -> None:
        """Change a delivery, if it is still there: its call may have been withdrawn meanwhile."""
        sql = f"UPDATE webhook_delivery SET {changes} WHERE endpoint = ? AND id = ?"  # noqa: S608
        self._book.do(sql, *values, delivery.endpoint, delivery.id)
