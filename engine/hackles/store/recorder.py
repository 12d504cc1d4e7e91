"""Keeping a record whatever becomes of the database: what it does not take waits, in order.

New rows go straight into the database as long as nothing waits. If it cannot be reached, they go
into the spool, and behind what is in there until all of that has been taken. If even the disk is
full, some wait in memory. What has no room anywhere is counted, and the count is told in the log.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from hackles.errors import StoreError, UsageError
from hackles.settings import Store
from hackles.store.compacting import Compacting
from hackles.store.database import RefusedError, opened
from hackles.store.folder import Folder
from hackles.store.losses import Losses
from hackles.store.purging import expire, purge
from hackles.store.rows import GapRow, PurgeRow, ReadingRow, Row
from hackles.store.spool import Spool
from hackles.store.writing import Writer

_log = logging.getLogger(__name__)

_PATIENCE_S: Final = 0.5
"""For others who write; then rows go into the spool, which costs little."""

_DEADLINE_S: Final = 20.0
"""For a transaction; a server that takes longer is lost."""

_AT_ONCE: Final = 500
_STRETCH_S: Final = 1.0
"""So long is caught up before new rows are looked after."""

_RETRY_S: Final = 1.0
_TRIES_SHARE: Final = 0.25
"""Of the time, at most so much goes into asking a database that does not answer."""

_ROOM: Final = 20_000
_SCORES_ROOM: Final = 15_000
_EXPIRY_S: Final = 3600.0
_SAID_EVERY_S: Final = 60.0


class Recorder:
    """Takes rows, and sees that they end up in the database. For one thread."""

    def __init__(
        self,
        section: Store,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Open the record; a database that cannot be reached yet is waited for.

        Args:
            section: `[store]` of the settings.
            clock: seconds from any start.
            wall: seconds since 1970.

        Raises:
            UsageError: if the settings are wrong.
        """
        self._section, self._clock, self._wall = section, clock, wall
        self.folder = Folder(section)
        self._spool = Spool(self.folder.spool, round(section.spool_mb * 2**20))
        self._losses = Losses(self.folder.path / "lost")
        self._waiting: list[Row] = []
        self.database = opened(self.folder, section, _PATIENCE_S, _DEADLINE_S)
        self._writer = Writer(self.database)
        self._is_prepared = self._is_behind = False
        self._next_try = self._said = self._next_expiry = -_SAID_EVERY_S
        self._compacting = Compacting(self.database, clock)
        self._is_away = False
        self._begin()

    @property
    def is_behind(self) -> bool:
        """Whether rows wait, or would have to."""
        return self._is_behind

    def take(self, rows: Sequence[Row]) -> None:
        """Take rows in; each is in the database, waits, or is counted as lost."""
        if not self._is_behind:
            try:
                self._write(rows)
            except StoreError as error:
                self._fall_behind(error)
            else:
                return
        self._put_aside(rows)

    def forget(self, call: str) -> None:
        """Delete all that is kept of a call, or see to it that it will be.

        Args:
            call: the digest of its name.

        Raises:
            OSError: if not even the order to delete it can be kept.
        """
        self._waiting = [row for row in self._waiting if row.call != call]
        if not self._is_behind:
            try:
                purge(self.database, call, "withdrawn")
            except StoreError as error:
                self._fall_behind(error)
            else:
                return
        self._spool.order(PurgeRow("", call, self._wall(), "withdrawn"))

    def rest(self) -> None:
        """Do what was put off: catch up, delete what is too old."""
        if self._is_behind and self._clock() >= self._next_try and not self._compacting.is_running:
            self._catch_up()
        if not self._is_behind:
            began = self._clock()
            try:
                self._tidy()
            except StoreError as error:
                self._say(f"What is due beside it is not done now. {error}")
                self._wait_since(began)
        self._losses.keep()

    def close(self) -> None:
        """Let what waits in memory go to the disk, or else to the database."""
        if self._waiting:
            self._put_aside(())
        if self._waiting:
            try:
                self._write(self._waiting)
            except StoreError:
                _log.error("%d rows of the record are lost: no disk has room.", len(self._waiting))
                self._losses.count(self._waiting)
        self._losses.keep()
        self._compacting.close()
        self.database.close()

    def _begin(self) -> None:
        try:
            self.database.prepare()
        except StoreError as error:
            self._fall_behind(error)
        except UsageError:
            self.database.close()
            raise
        else:
            self._is_prepared = True
            self._is_behind = not self._spool.is_empty()

    def _write(self, rows: Sequence[Row]) -> None:
        """Write rows; one that the database will never take holds up no other.

        Raises:
            StoreError: if the database cannot be written now.
        """
        try:
            if rows:
                self._writer.write(rows)
        except RefusedError as error:
            if len(rows) > 1:
                half = len(rows) // 2
                self._write(rows[:half])
                self._write(rows[half:])
            else:
                _log.warning("A row of the record is lost: %s", error)
                self._losses.count(rows)

    def _put_aside(self, rows: Sequence[Row]) -> None:
        """Write rows behind those that wait, on the disk if it has room."""
        waiting = [*self._waiting, *rows]
        try:
            left_out = self._spool.append(waiting)
        except OSError as error:
            self._waiting, left_out = _kept(waiting)
            self._say(f"Not even the disk has room for the record ({error.strerror}).")
        else:
            self._waiting = []
        if left_out:
            self._say("There is no more room for the record: some of it is lost, and counted.")
            self._losses.count(left_out)

    def _catch_up(self) -> None:
        """Hand what waits to the database, for a while."""
        began = self._clock()
        try:
            if not self._is_prepared:
                self.database.prepare()
                self._is_prepared = True
            while not self._spool.is_empty():
                broken = self._spool.pass_on(self._write, _AT_ONCE)
                self._losses.count_unreadable(broken, self._wall())
                if self._clock() - began > _STRETCH_S:
                    return
            self._write(self._waiting)
        except (StoreError, UsageError, OSError) as error:
            self._say(str(error))
            self._wait_since(began)
        else:
            self._waiting = []
            self._is_behind = False
            if self._is_away:
                self._is_away = False
                _log.info("The record is complete again: nothing waits for its database.")

    def _tidy(self) -> None:
        """Do what is due beside the writing.

        Raises:
            StoreError: if the database cannot be reached or written.
        """
        now = self._clock()
        if now < self._next_try:
            return
        if self._losses:
            self._write([self._losses.entry(self._wall())])
            self._losses.clear()
        self.database.keep_head()
        if now >= self._next_expiry:
            self._expire(now)
        elif self.database.is_scrub_due:
            self.database.scrub()
        elif self._compacting.begin():
            self._is_behind = True  # nobody can write meanwhile

    def _expire(self, now: float) -> None:
        """Delete some of what is too old; when nothing is left of it, wait for an hour."""
        section = self._section
        if not expire(self.database, section.scores_days, section.alerts_days, self._wall()):
            self._next_expiry = now + _EXPIRY_S

    def _fall_behind(self, error: StoreError) -> None:
        self._is_behind = self._is_away = True
        self._say(str(error))
        self._next_try = self._clock() + _RETRY_S

    def _wait_since(self, began: float) -> None:
        """Try again later: the longer an attempt took, the later."""
        now = self._clock()
        self._next_try = now + max(_RETRY_S, (now - began) / _TRIES_SHARE)

    def _say(self, what: str) -> None:
        """Say what is wrong, at most once a minute."""
        now = self._clock()
        if now - self._said >= _SAID_EVERY_S:
            self._said = now
            waits = f" What happens waits in {self.folder.spool}." if self._is_behind else ""
            _log.warning("%s%s", what, waits)


def _kept(rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Return the rows that memory has room for, and those that it has none for."""
    kept: list[Row] = []
    left_out: list[Row] = []
    for row in rows:
        room = _SCORES_ROOM if isinstance(row, ReadingRow | GapRow) else _ROOM
        (kept if len(kept) < room else left_out).append(row)
    return kept, left_out
