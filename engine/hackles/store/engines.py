"""Connections as the record needs them, by SQLite and by PostgreSQL."""

import os
from typing import Any, Final
from urllib.parse import quote, unquote

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from hackles.errors import UsageError
from hackles.store.folder import Folder

_CONNECT_S: Final = 5
_SILENT_S: Final = 15
"""A server that does not answer for so long is lost."""


class Reasons:
    """Says in a line what a driver complained of, and never a password."""

    def __init__(self, secrets: tuple[str, ...] = ()) -> None:
        """Leave these words out."""
        self._secrets = secrets

    def __call__(self, error: BaseException) -> str:
        """Return the reason; without the statement and its values, which are nobody's business."""
        origin = error.orig if isinstance(error, DBAPIError) and error.orig else error
        lines = str(origin).strip().splitlines() or [type(origin).__name__]
        reason = lines[0].rstrip(".:")
        for secret in self._secrets:
            reason = reason.replace(secret, "***")
        return reason


def make_engine(
    database: str, folder: Folder, patience_s: float, is_asked_first: bool = True
) -> tuple[Engine, Reasons]:
    """Return the engine of a database, and what says its errors.

    Args:
        database: a URL of PostgreSQL, or "" for a file in the folder.
        folder: of the record.
        patience_s: how long to wait for others who write.
        is_asked_first: whether a connection that was made before is tried before it is used.

    Raises:
        UsageError: if there can be none.
    """
    if database:
        return _server(database, patience_s, is_asked_first)
    return _file(folder, patience_s), Reasons()


def _file(folder: Folder, patience_s: float) -> Engine:
    # When the file is written anew, the copy belongs where nobody else looks, and where is room.
    os.environ.setdefault("SQLITE_TMPDIR", str(folder.path))
    url = URL.create("sqlite", database=str(folder.database))
    engine = create_engine(url, connect_args={"timeout": patience_s}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _: object) -> None:
        connection.isolation_level = None  # transactions begin below, when we say
        for pragma in (
            "journal_mode = WAL",
            # A commit outlives the loss of power: the head, which is kept elsewhere, must not be
            # ahead of the chain.
            "synchronous = FULL",
            "foreign_keys = ON",
            "secure_delete = ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if not options.get("plain"):
            # Whoever will write waits for others at once, not half way through.
            connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writes") else "BEGIN")

    return engine


def _server(database: str, patience_s: float, is_asked_first: bool) -> tuple[Engine, Reasons]:
    url = _url(database)
    timeouts = {
        "connect_timeout": _CONNECT_S,
        "keepalives_idle": _SILENT_S,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": _SILENT_S * 1000,
    }
    try:
        engine = create_engine(
            url,
            # What the URL says of these goes first.
            connect_args={name: n for name, n in timeouts.items() if name not in url.query},
            hide_parameters=True,
            pool_pre_ping=is_asked_first,
        )
    except ModuleNotFoundError as error:
        raise UsageError(
            "A PostgreSQL database needs psycopg, which is not installed; "
            "pip install 'hackles[postgresql]'."
        ) from error

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _: object) -> None:
        milliseconds = round(patience_s * 1000)
        connection.execute(f"SET lock_timeout = {milliseconds}")
        connection.commit()

    return engine, Reasons(_secrets(url))


def _url(database: str) -> URL:
    """Return the URL for our driver.

    Raises:
        UsageError: if it is none; a password with a sign that belongs in percent may be why.
    """
    wrong = UsageError(
        "[store] database is not a URL of the form postgresql://USER@HOST:PORT/NAME; a password "
        "does best in ~/.pgpass, or with signs such as @ and / written as %40 and %2F."
    )
    if database.count("@") > 1:
        raise wrong
    try:
        return make_url(database).set(drivername="postgresql+psycopg")
    except (ArgumentError, ValueError):
        raise wrong from None  # its cause would show the URL


def _secrets(url: URL) -> tuple[str, ...]:
    """Return all that no message may show, the longest first."""
    found = {url.password or ""}
    for name, value in url.query.items():
        if "password" in name:
            found |= {value} if isinstance(value, str) else set(value)
    forms = {form for word in found for form in (word, quote(word, safe=""), unquote(word))}
    return tuple(sorted(forms - {""}, key=len, reverse=True))
