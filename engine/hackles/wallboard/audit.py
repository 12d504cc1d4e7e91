"""Who did what, and when: a log that is only ever added to.

It names accounts, alerts, webhooks and addresses; no caller, no number and no words of a call. So
nothing of it need go when a caller withdraws consent.
"""

import time
from collections.abc import Callable
from typing import Final

import msgspec

from hackles.wallboard.book import Book
from hackles.wallboard.writing import Writing

KEPT_DAYS: Final = 400
"""Over a year, so that a year's review finds all of it."""

_DAY_S: Final = 86_400
_LONGEST: Final = 200

TABLES: Final = f"""
CREATE TABLE IF NOT EXISTS audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    "by" TEXT NOT NULL,
    what TEXT NOT NULL,
    about TEXT NOT NULL,
    address TEXT NOT NULL
);
CREATE TRIGGER IF NOT EXISTS audit_stays BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;
CREATE TRIGGER IF NOT EXISTS audit_is_kept BEFORE DELETE ON audit
WHEN OLD.at > strftime('%s', 'now') - {(KEPT_DAYS - 1) * _DAY_S}
BEGIN SELECT RAISE(ABORT, 'the audit log is kept for {KEPT_DAYS} days'); END;
"""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that somebody did.

    Attributes:
        id: grows from entry to entry.
        at: when, in seconds since 1970.
        by: the account; "" where nobody was signed in, "agent" for whoever takes the call.
        what: was done, in a word or two.
        about: the account, alert or webhook; or "".
        address: from where; "" if it was done on the board's own machine.
    """

    id: int
    at: float
    by: str
    what: str
    about: str
    address: str


class Entries(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the log, the newest first."""

    entries: list[Entry]


class Audit:
    """The log, in the board's book."""

    def __init__(self, book: Book, clock: Callable[[], float] = time.time) -> None:
        """Write into a book that has `TABLES`."""
        self._writing, self._clock = Writing(book), clock
        self._purged_at = float("-inf")

    def note(self, by: str, what: str, about: str = "", address: str = "") -> None:
        """Write down what somebody did.

        Args:
            by: the account, or "".
            what: in a word or two, such as "signed in".
            about: an account, an alert's id or a webhook's name; never a call's name.
            address: from where, or "".
        """
        now = self._clock()
        sql = 'INSERT INTO audit (at, "by", what, about, address) VALUES (?, ?, ?, ?, ?)'
        values = [_in_one_line(text) for text in (by, what, about, address)]
        self._writing.do(lambda book: book.do(sql, now, *values))
        if now - self._purged_at > _DAY_S:
            self._purged_at = now
            old = "DELETE FROM audit WHERE at < ?"
            self._writing.do(lambda book: book.do(old, now - KEPT_DAYS * _DAY_S))

    def entries(self, before: int | None = None, limit: int = 100) -> list[Entry]:
        """Return what was done, the newest first.

        Args:
            before: the id of an entry: only what is older.
            limit: so many at most.
        """
        self._writing.retry()
        found = self._writing.rows(
            "SELECT * FROM audit WHERE ? IS NULL OR id < ? ORDER BY id DESC LIMIT ?",
            before,
            before,
            limit,
        )
        return [Entry(**dict(row)) for row in found]


def _in_one_line(text: str) -> str:
    """Return a text of bounded length without newlines, and without signs that move a cursor."""
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in text[:_LONGEST])
