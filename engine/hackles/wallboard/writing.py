"""Writing into the board's book, which may fail for a while: a full disk must not blind anybody."""

import logging
import sqlite3
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from hackles.wallboard.book import Book

_log = logging.getLogger(__name__)

_CANNOT: Final = (
    "The board's book cannot be written (%s); the board goes on and tries again. "
    "Make room on the disk: what waits is lost if the board is stopped."
)


class Writing:
    """Writes in the order of what was asked for; whatever cannot be written now waits."""

    def __init__(self, book: Book) -> None:
        """Write into this book."""
        self._book = book
        self._waiting: deque[Callable[[Book], object]] = deque()
        self._is_told = False

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """Return what a query finds."""
        return self._book.rows(sql, *values)

    def do(self, deed: Callable[[Book], object]) -> None:
        """Do it now, or once that is possible."""
        self._waiting.append(deed)
        self.retry()

    def retry(self) -> None:
        """Do what waits."""
        while self._waiting:
            try:
                self._waiting[0](self._book)
            except sqlite3.Error as error:
                if not self._is_told:
                    _log.warning(_CANNOT, error)
                self._is_told = True
                return
            except BaseException:
                self._waiting.popleft()  # a fault of ours must not keep out all that follows
                raise
            self._waiting.popleft()
        if self._is_told:
            _log.info("The board's book is written again; nothing of it was lost.")
            self._is_told = False
