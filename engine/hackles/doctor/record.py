"""The record: where it is, who may read it, how long it is kept, and whether it was looked at."""

import os
import stat
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from hackles.configuration.addresses import is_loopback
from hackles.doctor.told import Telling, Told, doubt, fault, well
from hackles.errors import HacklesError
from hackles.settings import Settings, Store

_DAY_S: Final = 86_400
_VERIFIED_DAYS: Final = 31
_FOR_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_MEGABYTE: Final = 2**20


def record(settings: Settings) -> Telling:
    """Tell where the record stands, without changing anything of it."""
    store = settings.store
    if store is None:
        text = "none is kept; add [store], or alerts leave no trace (the law asks for six months)"
        yield doubt("record", text)
        return
    folder = Path(store.folder)
    yield well(
        "record",
        f"scores are kept {store.scores_days} days, alerts and all else {store.alerts_days}",
    )
    if not os.path.exists(folder / "key"):
        yield _not_begun(store, folder)
        return
    yield from _rights(folder)
    yield from _database(store)
    yield _head(store)
    yield _waiting(store, folder / "spool")
    yield _verified(folder)


def _not_begun(store: Store, folder: Path) -> Told:
    if store.database:
        text = (
            f"there is no key in {folder}: `hackles live` makes one, but machines that share a "
            "database need the same; copy it from the first"
        )
        return doubt("record", text)
    return doubt("record", f"there is none in {folder} yet; `hackles live` begins it")


def _rights(folder: Path) -> Telling:
    """Tell whether anybody else may read what only the daemon should."""
    is_well = True
    for path in (folder, folder / "key", folder / "hackles.db"):
        try:
            found = path.stat()
        except OSError:
            continue  # whoever needs it says so
        if found.st_mode & _FOR_OTHERS:
            mode = "700" if stat.S_ISDIR(found.st_mode) else "600"
            yield fault("record", f"{path} may be read by others; chmod {mode} it")
            is_well = False
        elif os.geteuid() not in (found.st_uid, 0):
            yield doubt("record", f"{path} is another user's; run the doctor as that user")
            is_well = False
    if is_well:
        yield well("record", f"{folder} and the key in it are their owner's alone")


def _database(store: Store) -> Telling:
    place = _place(store)
    try:
        yield well("record", f"{place}: {_contents(store)}")
    except HacklesError as error:
        yield fault("record", f"{place}: {error}")


def _place(store: Store) -> str:
    """Return where the database is, without a password."""
    if not store.database:
        path = Path(store.folder) / "hackles.db"
        size = f" ({path.stat().st_size / _MEGABYTE:.1f} MB)" if path.exists() else ""
        return f"SQLite in {path}{size}"
    parts = urlsplit(store.database)
    return f"PostgreSQL on {parts.hostname or 'this machine'}, database {parts.path.strip('/')}"


def _contents(store: Store) -> str:
    """Return what is in the database.

    Raises:
        UsageError: if it cannot be opened so.
        StoreError: if it cannot be reached now.
    """
    from hackles.store import standing

    found = standing.look(store)
    if found is None:
        return "no tables yet, or older ones; `hackles live` makes them as it starts"
    since = f" since {_day(found.oldest)}" if found.oldest else ""
    return f"{found.calls:,} call{'' if found.calls == 1 else 's'}{since}"


def _head(store: Store) -> Told:
    """Return where the head of the chain is kept; on the database's own disk it proves little."""
    head = store.head or os.path.join(store.folder, "head")
    if _is_elsewhere(store, head):
        return well("record", f"the head of the chain is kept apart from the database, in {head}")
    return doubt(
        "record",
        f"the head of the chain is kept beside the database, in {head}: whoever can alter the one "
        "can alter the other; set [store] head to a file on another machine's disk, or copy it to "
        "one every day",
    )


def _is_elsewhere(store: Store, head: str) -> bool:
    """Return whether the head is on another disk than the database, as far as can be told."""
    if store.database:
        host = urlsplit(store.database).hostname or ""
        return not is_loopback(host) if host else False
    return _disk(head) != _disk(store.folder)


def _disk(path: str) -> int | None:
    """Return which disk a file is on, or will be on."""
    for place in (path, os.path.dirname(path)):
        try:
            return os.stat(place).st_dev
        except OSError:
            continue
    return None


def _waiting(store: Store, spool: Path) -> Told:
    waiting = sum(_sizes(spool)) / _MEGABYTE
    if not waiting:
        return well("record", f"nothing waits for the database ({store.spool_mb:g} MB may)")
    text = f"{waiting:.1f} MB of {store.spool_mb:g} wait for the database; see that it is reached"
    return doubt("record", text)


def _sizes(spool: Path) -> Iterator[int]:
    for path in spool.glob("[0-9]*.jsonl"):
        try:
            yield path.stat().st_size
        except OSError:  # it was written meanwhile
            continue


def _verified(folder: Path) -> Told:
    from hackles.store.verified import last

    at = last(folder)
    if at is None:
        return doubt("record", "was never found whole; run `hackles verify`, best every day")
    text = f"was last found whole on {_day(at)}"
    if time.time() - at > _VERIFIED_DAYS * _DAY_S:
        return doubt("record", f"{text}; run `hackles verify`, best every day")
    return well("record", text)


def _day(at: float) -> str:
    return datetime.fromtimestamp(at).strftime("%Y-%m-%d")
