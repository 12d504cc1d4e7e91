"""How each webhook's address does, in the board's book: whether it answers, and wants to hear."""

from typing import Final, NamedTuple

from hackles.wallboard.book import Book
from hackles.wallboard.webhooks.schedule import gap_s

TABLES: Final = """
CREATE TABLE IF NOT EXISTS webhook_endpoint (
    name TEXT PRIMARY KEY,
    is_enabled INTEGER NOT NULL DEFAULT 1,
    failing_since REAL,
    failures INTEGER NOT NULL DEFAULT 0,
    next_at REAL NOT NULL DEFAULT 0,
    last_status INTEGER,
    last_at REAL
);
"""


class Health(NamedTuple):
    """How one does.

    Attributes:
        is_enabled: whether it is sent anything; not after it answered 410.
        failing_since: since when nothing gets through; None if the newest did.
        failures: attempts in a row that came to nothing.
        next_at: before this it is left in peace.
        last_status: of its newest answer, None if there was none.
        last_at: when that was tried, or None.
    """

    is_enabled: bool = True
    failing_since: float | None = None
    failures: int = 0
    next_at: float = 0.0
    last_status: int | None = None
    last_at: float | None = None


class Endpoints:
    """The addresses of all webhooks."""

    def __init__(self, book: Book) -> None:
        """Look after those of a book."""
        self._book = book

    def health(self, name: str) -> Health:
        """Return how one does."""
        columns = ", ".join(Health._fields)
        sql = f"SELECT {columns} FROM webhook_endpoint WHERE name = ?"  # noqa: S608
        found = self._book.rows(sql, name)
        return Health(bool(found[0][0]), *found[0][1:]) if found else Health()

    def succeeded(self, name: str, status: int | None, began_at: float, now: float) -> Health:
        """Note that something got through; return how it did before.

        What was under way before the newest failure says nothing of how it does since.
        """
        before = self.health(name)
        if before.next_at > began_at:
            return Health()
        self._write(name, Health(before.is_enabled, None, 0, 0.0, status, now))
        return before

    def failed(self, name: str, status: int | None, rest_s: float | None, now: float) -> Health:
        """Note that something did not, and for how long it asked to be left in peace, if it did."""
        before = self.health(name)
        failures = before.failures + 1
        after = Health(
            before.is_enabled,
            now if before.failing_since is None else before.failing_since,
            failures,
            max(before.next_at, now + max(gap_s(failures), rest_s or 0.0)),
            status,
            now,
        )
        self._write(name, after)
        return after

    def enable(self, name: str, is_enabled: bool) -> None:
        """Send to it again, as if it had never failed; or no more."""
        before = self.health(name)
        self._write(name, Health(is_enabled, *Health()[1:4], *before[4:]))

    def _write(self, name: str, health: Health) -> None:
        columns = ", ".join(Health._fields)
        sql = f"INSERT OR REPLACE INTO webhook_endpoint (name, {columns})"
        self._book.do(f"{sql} VALUES (?, ?, ?, ?, ?, ?, ?)", name, *health)
