"""The board's own book on disk: one SQLite file for whatever must outlive a restart.

Each room that keeps something gives its tables (`CREATE TABLE IF NOT EXISTS …`); all of it is done
on the board's own thread, for these are few rows.
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from hackles.errors import UsageError


class Book:
    """An SQLite file with the tables of several rooms."""

    def __init__(self, folder: str | Path, tables: Sequence[str], patience_s: float = 5.0) -> None:
        """Open it, and make what is not there yet.

        Args:
            folder: in which it lies; it is made, for its owner alone, if it is not there.
            tables: SQL that makes tables, each of them only if it is not there.
            patience_s: so long is waited for whoever else writes into it.

        Raises:
            UsageError: if that cannot be done.
        """
        path = Path(folder) / "board.db"
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._connection = sqlite3.connect(path, isolation_level=None, timeout=patience_s)
            self._connection.row_factory = sqlite3.Row
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA secure_delete = ON")
            self._connection.execute("PRAGMA foreign_keys = ON")
            for sql in tables:
                self._connection.executescript(sql)
        except (OSError, sqlite3.Error) as error:
            raise UsageError(
                f"{path} cannot be opened ({error}); name another folder under [board]."
            ) from error

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """Return what a query finds."""
        with closing(self._connection.execute(sql, values)) as found:
            return found.fetchall()

    def do(self, sql: str, *values: Any) -> int:
        """Do something, and return how many rows it concerned."""
        with closing(self._connection.execute(sql, values)) as done:
            return done.rowcount

    @contextmanager
    def together(self) -> Iterator[None]:
        """Do what follows all of it or not at all."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def close(self) -> None:
        """Close it."""
        self._connection.close()
