"""The lives of all alerts, kept in the board's book.

No call's name stands there, but a keyed digest of it, so that what is kept of a call can be found
when its caller withdraws consent.
"""

import hashlib
import secrets
import sqlite3
from collections.abc import Iterable
from typing import Final

import msgspec

from hackles.wallboard.book import Book
from hackles.wallboard.life import AlertLife, Entry

TABLES: Final = """
CREATE TABLE IF NOT EXISTS lives (
    alert TEXT PRIMARY KEY,
    engine TEXT NOT NULL,
    session TEXT NOT NULL,
    teams TEXT NOT NULL,
    caller TEXT NOT NULL,
    raised_at REAL NOT NULL,
    is_over INTEGER NOT NULL,
    entries TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS lives_by_session ON lives (session);
CREATE INDEX IF NOT EXISTS lives_by_caller ON lives (caller);
CREATE TABLE IF NOT EXISTS callers_key (key BLOB NOT NULL) STRICT;
"""

_KEPT_S: Final = 7 * 86400.0
_TEAMS: Final = msgspec.json.Decoder(list[str])
_ENTRIES: Final = msgspec.json.Decoder(list[Entry])


class Lives:
    """Those on the board, and those of the last days."""

    def __init__(self, book: Book) -> None:
        """Keep them in this book."""
        self._book = book
        if not book.rows("SELECT 1 FROM callers_key"):
            book.do("INSERT INTO callers_key VALUES (?)", secrets.token_bytes(32))
        self._key: bytes = book.rows("SELECT key FROM callers_key")[0]["key"]

    def caller(self, engine: str, call: str) -> str:
        """Return the digest of a call's name."""
        said = f"{engine}\0{call}".encode(errors="surrogatepass")
        return hashlib.blake2b(said, key=self._key, digest_size=16).hexdigest()

    def keep(self, life: AlertLife) -> None:
        """Write down how a life stands."""
        self._book.do(
            "INSERT INTO lives VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (alert)"
            " DO UPDATE SET is_over = excluded.is_over, entries = excluded.entries",
            life.alert,
            life.engine,
            life.session,
            _json(sorted(life.teams)),
            life.caller,
            life.raised_at,
            int(life.is_over),
            _json(life.entries),
        )

    def of(self, session: str) -> list[AlertLife]:
        """Return the lives of a call, the oldest first."""
        rows = self._book.rows("SELECT * FROM lives WHERE session = ? ORDER BY raised_at", session)
        return [_life(row) for row in rows]

    def open(self) -> list[AlertLife]:
        """Return those that have not come to their end."""
        return [_life(row) for row in self._book.rows("SELECT * FROM lives WHERE is_over = 0")]

    def forget(self, caller: str, sessions: Iterable[str]) -> set[str]:
        """Delete those of a call, and return of which sessions they were."""
        gone = {
            row["session"]
            for row in self._book.rows("SELECT session FROM lives WHERE caller = ?", caller)
        }
        self._book.do("DELETE FROM lives WHERE caller = ?", caller)
        for session in {*gone, *sessions}:
            self._book.do("DELETE FROM lives WHERE session = ?", session)
        return gone

    def expire(self, now: float) -> None:
        """Delete those that are old enough."""
        self._book.do("DELETE FROM lives WHERE raised_at < ?", now - _KEPT_S)


def _life(row: sqlite3.Row) -> AlertLife:
    return AlertLife(
        alert=row["alert"],
        engine=row["engine"],
        session=row["session"],
        teams=frozenset(_TEAMS.decode(row["teams"])),
        caller=row["caller"],
        entries=_ENTRIES.decode(row["entries"]),
    )


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
