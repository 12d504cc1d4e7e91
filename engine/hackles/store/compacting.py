"""Leaving no trace in an SQLite file: it is written anew after calls were deleted.

SQLite writes zeros over what is deleted, but while pages are split and merged it leaves copies of
rows in bytes that no table uses. Only writing the whole file anew takes these away. That may take
seconds, in which nobody else can write: so it has a thread of its own, and what happens meanwhile
waits on disk as if the database were away.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from hackles.errors import StoreError
from hackles.store.database import Database

_log = logging.getLogger(__name__)

_SHARE: Final = 0.05
"""Of the time, at most so much goes into it, however many calls are deleted."""

_FAILED_S: Final = 60.0
_PATIENCE_S: Final = 30.0


class Compacting:
    """Writes a database's file anew when that is due."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        """Look after a database."""
        self._database, self._clock = database, clock
        self._thread: threading.Thread | None = None
        self._next = -_FAILED_S

    @property
    def is_running(self) -> bool:
        """Whether it is at work now."""
        return self._thread is not None and self._thread.is_alive()

    def begin(self) -> bool:
        """Begin, if it is due; return whether it is at work."""
        if self.is_running:
            return True
        if not self._database.has_traces or self._clock() < self._next:
            return False
        self._thread = threading.Thread(target=self._run, name="compacting", daemon=True)
        self._thread.start()
        return True

    def close(self) -> None:
        """Wait for its end; if it has to be left, the file is as it was before."""
        if self._thread is not None:
            self._thread.join(_PATIENCE_S)

    def _run(self) -> None:
        began = self._clock()
        try:
            self._database.compact()
        except StoreError as error:
            _log.warning("Traces of deleted calls are still in the database's file: %s", error)
            self._next = self._clock() + _FAILED_S
        else:
            now = self._clock()
            self._next = now + (now - began) / _SHARE
