"""The database of the record: SQLite in a file beside the key, or PostgreSQL by its URL."""

import contextlib
import logging
from collections.abc import Iterator
from typing import Any, Final

from hackles.errors import StoreError, UsageError
from hackles.settings import Store
from hackles.store.chain import START
from hackles.store.folder import Folder
from hackles.store.head import Position

try:
    from sqlalchemy import Connection, Engine, insert, select, text
    from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

    from hackles.store.deadline import deadline
    from hackles.store.engines import Reasons, make_engine
    from hackles.store.steps import is_up_to_date, upgrade
    from hackles.store.tables import calls, chain, entries, gaps, readings
except ModuleNotFoundError as missing:
    raise UsageError(
        f"The record needs {missing.name}, which is not installed; pip install 'hackles[live]'."
    ) from missing

_log = logging.getLogger(__name__)

_PATIENCE_S: Final = 10.0


class RefusedError(StoreError):
    """The database can be reached, but does not take what it was given."""


class Database:
    """A record that is open. Any thread may use it."""

    def __init__(
        self, folder: Folder, engine: Engine, reasons: Reasons, deadline_s: float | None = None
    ) -> None:
        """Use an engine; see `opened`."""
        self.folder, self.engine, self._reasons = folder, engine, reasons
        self._deadline_s = deadline_s
        self.names, self.links, self.head = folder.names, folder.links, folder.head
        self.is_file = engine.dialect.name == "sqlite"
        self.is_scrub_due = False
        self._traces = folder.path / "traces"
        self._head_due: Position | None = None

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the record, whatever is written meanwhile.

        Raises:
            StoreError: if the database cannot be reached or read.
        """
        options: dict[str, Any] = {} if self.is_file else {"isolation_level": "REPEATABLE READ"}
        with self._translated(), self.engine.connect() as connection:
            connection = connection.execution_options(**options)
            with self._limited(connection), connection.begin():
                yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection whose changes are kept together, or not at all.

        Raises:
            RefusedError: if the database does not take a row.
            StoreError: if it cannot be reached or written.
        """
        with self._translated(), self.engine.connect() as connection:
            connection = connection.execution_options(writes=True)
            with self._limited(connection), connection.begin():
                yield connection

    def prepare(self) -> None:
        """Make or change the tables as this version needs them, and see that the key is theirs.

        Raises:
            UsageError: if they were made by a later version, or with another key.
            StoreError: if the database cannot be reached or written.
        """
        with self.reading() as connection:
            is_ready = is_up_to_date(connection)
        if not is_ready:
            with self.writing() as connection:
                upgrade(connection)
        with self.reading() as connection:
            check = connection.scalar(select(chain.c.key_check))
        if check is None:
            check = self._begin_chain()
        if check != self.links.check:
            raise UsageError(
                f"The record was begun with another key than that in {self.folder.path}; put the "
                "key with which it was begun there (all machines need the same)."
            )

    def keep_head(self, position: Position | None = None) -> bool:
        """Keep the end of the chain outside of the database, or try again if that failed before.

        Returns:
            whether it is kept; if not, it is logged.
        """
        position = position or self._head_due
        if position is None:
            return True
        try:
            self.head.write(position)
        except (OSError, StoreError) as error:
            if self._head_due is None:
                _log.warning("The head of the chain cannot be kept (%s).", error)
            self._head_due = position
        else:
            self._head_due = None
        return self._head_due is None

    def scrub(self) -> None:
        """Let nothing that was deleted stay in what the database's files no longer use.

        Raises:
            StoreError: if that cannot be done now, because somebody still reads it, say.
        """
        with self._plain() as connection:
            if self.is_file:
                is_busy, _, _ = connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)")).one()
                if is_busy:
                    raise StoreError("Somebody still reads what was deleted; try again.")
            else:
                for table in (entries, calls, readings, gaps):
                    connection.execute(text(f"VACUUM {table.name}"))
        self.is_scrub_due = False

    @property
    def has_traces(self) -> bool:
        """Whether traces of what was deleted may stay in unused bytes of an SQLite file."""
        return self._traces.exists()

    def note_deleted(self) -> None:
        """Note that something was deleted; `scrub` is due."""
        self.is_scrub_due = True
        if self.is_file:
            with contextlib.suppress(OSError):
                self._traces.touch(mode=0o600)

    def compact(self) -> None:
        """Write an SQLite file anew, which leaves no trace in it; see `compacting.py`.

        Raises:
            StoreError: if there is no room, or somebody else writes.
        """
        if self.is_file:
            with self._plain() as connection:
                connection.execute(text("VACUUM"))
        self.scrub()
        self._traces.unlink(missing_ok=True)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def _begin_chain(self) -> bytes:
        """Write the row that all who write lock; return the check of the key that is in it."""
        with self.writing() as connection:
            check = connection.scalar(select(chain.c.key_check))
            if check is None:
                check = self.links.check
                first = {"id": 1, "key_check": check, "seq": 0, "link": START, "calls": 0}
                connection.execute(insert(chain).values(first))
            return bytes(check)

    @contextlib.contextmanager
    def _plain(self) -> Iterator[Connection]:
        """Give a connection without a transaction."""
        with self._translated(), self.engine.connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT", plain=True)

    def _limited(self, connection: Connection) -> contextlib.AbstractContextManager[None]:
        """Give a server no longer than the deadline, if there is one."""
        if self.is_file or self._deadline_s is None:
            return contextlib.nullcontext()
        return deadline(connection, self._deadline_s)

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn the library's errors into ours, without any word that nobody should read."""
        driver = self.engine.dialect.loaded_dbapi
        try:
            yield
        except (DataError, IntegrityError) as error:
            raise RefusedError(
                f"the database does not take it ({self._reasons(error)})."
            ) from error
        except (SQLAlchemyError, driver.Error) as error:
            raise StoreError(
                f"The record's database cannot be reached or written now ({self._reasons(error)})."
            ) from error


def open_database(section: Store, patience_s: float = _PATIENCE_S) -> Database:
    """Open the database that the settings name; make its tables if they are not there.

    Args:
        section: `[store]` of the settings.
        patience_s: how long to wait for others who write.

    Raises:
        UsageError: if it cannot be opened with these settings.
        StoreError: if it cannot be reached now.
    """
    database = opened(Folder(section), section, patience_s)
    try:
        database.prepare()
    except BaseException:
        database.close()
        raise
    return database


def opened(
    folder: Folder, section: Store, patience_s: float, deadline_s: float | None = None
) -> Database:
    """Return the database that the settings name, not yet asked for anything.

    Args:
        folder: of the record.
        section: `[store]` of the settings.
        patience_s: how long to wait for others who write.
        deadline_s: how long a transaction may take on a server; None for as long as it likes.

    Raises:
        UsageError: if it cannot be opened with these settings.
    """
    engine, reasons = make_engine(section.database, folder, patience_s, deadline_s is None)
    return Database(folder, engine, reasons, deadline_s)
