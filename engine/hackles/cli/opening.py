"""Opening the record that a configuration names, beside a daemon that may be writing it."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hackles.errors import UsageError

if TYPE_CHECKING:
    from hackles.settings import Output, Store
    from hackles.store.database import Database


class Record(NamedTuple):
    """A record that is open, and the settings that name it."""

    database: "Database"
    store: "Store"
    output: "Output"


@contextmanager
def record(config: Path) -> Iterator[Record]:
    """Open the record that a configuration names.

    Raises:
        UsageError: if it names none, or one that cannot be opened so.
        StoreError: if it cannot be reached now.
    """
    from hackles.configuration import load

    settings = load(config)
    if settings.store is None:
        raise UsageError(
            f"{config} keeps no record; add the line [store] to it "
            "(`hackles config example` shows what may stand below)."
        )
    with record_of(settings.store, settings.output) as opened:
        yield opened


@contextmanager
def record_at(path: Path) -> Iterator[Record]:
    """Open a record by its folder, or by the configuration that names it.

    Raises:
        UsageError: if there is none.
        StoreError: if it cannot be reached now.
    """
    from hackles.settings import Output, Store

    is_folder = path.is_dir()
    with record_of(Store(folder=str(path)), Output()) if is_folder else record(path) as opened:
        yield opened


@contextmanager
def record_of(store: "Store", output: "Output") -> Iterator[Record]:
    """Open the record that settings name.

    Raises:
        UsageError: if there is none yet, or it is not this user's.
        StoreError: if it cannot be reached now.
    """
    key = Path(store.folder) / "key"
    owner = _owner(key)
    from hackles.store.database import open_database

    database = open_database(store)
    try:
        yield Record(database, store, output)
    finally:
        database.close()
        if owner is not None:
            _give_back([*key.parent.rglob("*"), database.head.path], owner)


def _owner(key: Path) -> tuple[int, int] | None:
    """Return to whom files that are made must be given; None if they are theirs anyway.

    Raises:
        UsageError: if there is no record, or it is not this user's.
    """
    try:
        found = key.stat()
    except FileNotFoundError as error:
        raise UsageError(
            f"There is no record in {key.parent} yet; `hackles live` begins it."
        ) from error
    except OSError as error:
        raise UsageError(_not_ours(key.parent)) from error
    if sys.platform == "win32" or found.st_uid == os.geteuid():
        return None
    if os.geteuid():
        raise UsageError(_not_ours(key.parent))
    return found.st_uid, found.st_gid


def _not_ours(folder: Path) -> str:
    return (
        f"The record in {folder} belongs to the user who runs `hackles live`; run this as that "
        "user, or with sudo."
    )


def _give_back(paths: list[Path], owner: tuple[int, int]) -> None:
    """Give what the superuser made to the daemon's user, who could not read it otherwise."""
    for path in paths:
        with suppress(FileNotFoundError):
            if path.lstat().st_uid == 0:
                os.chown(path, *owner, follow_symlinks=False)
