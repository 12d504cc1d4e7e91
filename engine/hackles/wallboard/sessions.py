"""Who is signed in: a secret in a cookie, of which the book knows only the digest."""

import secrets
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from typing import Any, Final

from hackles.wallboard.book import Book
from hackles.wallboard.settings import SignIn

TABLES: Final = """
CREATE TABLE IF NOT EXISTS session (
    digest TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (key) ON DELETE CASCADE ON UPDATE CASCADE,
    begun_at REAL NOT NULL,
    used_at REAL NOT NULL
);
"""

_NOTED_S: Final = 30.0
"""That a session is in use is written down so often, not with each request."""


class Sessions:
    """The sessions of all who signed in."""

    def __init__(
        self, book: Book, settings: SignIn, clock: Callable[[], float] = time.time
    ) -> None:
        """Read and write a book that has `TABLES`, and those of accounts."""
        self._book, self._clock = book, clock
        self._idle_s, self._longest_s = 60.0 * settings.idle_minutes, 3600.0 * settings.hours

    def begin(self, name: str) -> str:
        """Begin one for an account, and return the secret; there is no other way to get one."""
        now = self._clock()
        self._book.do(
            "DELETE FROM session WHERE used_at < ? OR begun_at < ?",
            *(now - self._idle_s, now - self._longest_s),
        )
        secret = secrets.token_urlsafe(32)
        self._book.do(
            "INSERT INTO session SELECT ?, key, ?, ? FROM account WHERE name = ?",
            *(_digest(secret), now, now, name),
        )
        return secret

    def name(self, secret: str, is_use: bool) -> str:
        """Return whose session it is; "" if there is none, or it is over.

        Args:
            secret: from the cookie.
            is_use: whether somebody asks for something, so that it is not idle.
        """
        if not secret:
            return ""
        digest = _digest(secret)
        found = self._book.rows(
            "SELECT name, begun_at, used_at FROM session JOIN account ON account = key"
            " WHERE digest = ?",
            digest,
        )
        now = self._clock()
        for name, begun_at, used_at in found:
            if now - used_at > self._idle_s or now - begun_at > self._longest_s:
                self._try("DELETE FROM session WHERE digest = ?", digest)
                return ""
            if is_use and now - used_at > _NOTED_S:
                self._try("UPDATE session SET used_at = ? WHERE digest = ?", now, digest)
            return str(name)
        return ""

    def end(self, secret: str) -> None:
        """End one."""
        self._book.do("DELETE FROM session WHERE digest = ?", _digest(secret))

    def end_all(self, name: str) -> None:
        """End all of an account."""
        self._book.do(
            "DELETE FROM session WHERE account IN (SELECT key FROM account WHERE name = ?)", name
        )

    def _try(self, sql: str, *values: Any) -> None:
        """Write it down if that is possible now: a full disk must not sign anybody out."""
        with suppress(sqlite3.OperationalError):
            self._book.do(sql, *values)


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
