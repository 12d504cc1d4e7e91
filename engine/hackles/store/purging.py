"""Deleting: what a caller no longer agrees to, what somebody wants gone, and what is too old.

Of a deleted call the log keeps where its entries stood, with digests that nobody can make again,
and a tombstone which says why. Nothing else stays: not in the tables, not in what waits for the
database, and not in what the database's files no longer use.
"""

import contextlib
import secrets
import time
from collections.abc import Iterable, Sequence
from typing import Final, Literal, TypeAlias

from sqlalchemy import delete, func, select, update

from hackles.errors import StoreError
from hackles.store.database import Database
from hackles.store.log import Log, appending
from hackles.store.rows import EntryRow, payload
from hackles.store.spool import Spool
from hackles.store.tables import calls, entries, gaps, readings

Reason: TypeAlias = Literal["withdrawn", "purged", "expired"]
"""The caller withdrew consent; somebody deleted it by hand; it had been kept for long enough."""

DAY_S: Final = 86_400.0
_CALLS_AT_ONCE: Final = 500
_SCORES_AT_ONCE: Final = 200
_EMPTY: Final = dict.fromkeys(("id", "kind", "at", "time", "payload"))


def purge(database: Database, call: str, reason: str) -> int:
    """Delete all sessions of a call, also of what waits for the database.

    Args:
        database: the record.
        call: the digest of its name.
        reason: see `Reason`.

    Returns:
        how many sessions there were.

    Raises:
        StoreError: if that cannot be done now.
    """
    try:
        Spool(database.folder.spool).blank(call)
    except OSError as error:
        raise StoreError(
            f"What waits for the database cannot be written over ({error.strerror}); try again."
        ) from error
    return purge_written(database, call, reason)


def purge_written(database: Database, call: str, reason: str) -> int:
    """Delete all sessions of a call that the database has; see `purge`."""
    with appending(database) as log:
        numbers = list(log.connection.scalars(select(calls.c.id).where(calls.c.call == call)))
        _erase(log, numbers, reason)
    if numbers:
        database.note_deleted()
        with contextlib.suppress(StoreError):  # somebody reads; it stays due
            database.scrub()
    return len(numbers)


def expire(database: Database, scores_days: int, alerts_days: int, now: float | None = None) -> int:
    """Delete some of what has been kept for long enough.

    Args:
        database: the record.
        scores_days: how long readings and gaps are kept.
        alerts_days: how long all else is.
        now: seconds since 1970.

    Returns:
        how many calls it concerned; 0 once nothing is left to delete.

    Raises:
        StoreError: if that cannot be done now.
    """
    now = time.time() if now is None else now
    age = func.coalesce(calls.c.ended_at, calls.c.begun_at)
    with appending(database) as log:
        old = select(calls.c.id).where(age < now - alerts_days * DAY_S)
        numbers = list(log.connection.scalars(old.order_by(calls.c.id).limit(_CALLS_AT_ONCE)))
        _erase(log, numbers, "expired", now)
    if numbers:
        database.note_deleted()
    scores = _expire_scores(database, now - scores_days * DAY_S)
    database.is_scrub_due |= scores > 0
    return len(numbers) + scores


def _expire_scores(database: Database, before: float) -> int:
    """Delete readings and gaps of some calls that ended before then."""
    age = func.coalesce(calls.c.ended_at, calls.c.begun_at)
    deleted: set[int] = set()
    with database.writing() as connection:
        for table in (readings, gaps):
            # Calls that were emptied before are not looked at again: there is an oldest left.
            oldest = select(func.min(table.c.call)).scalar_subquery()
            has_some = select(table.c.call).where(table.c.call == calls.c.id).exists()
            old = (
                select(calls.c.id)
                .where(calls.c.id >= oldest, age < before, has_some)
                .order_by(calls.c.id)
                .limit(_SCORES_AT_ONCE)
            )
            numbers = list(connection.scalars(old))
            connection.execute(delete(table).where(table.c.call.in_(numbers)))
            deleted.update(numbers)
    return len(deleted)


def _erase(log: Log, numbers: Sequence[int], reason: str, now: float | None = None) -> None:
    """Delete calls, and put up a tombstone if there were any."""
    if not numbers:
        return
    connection = log.connection
    connection.execute(update(entries).where(entries.c.call.in_(numbers)).values(_EMPTY))
    for table, column in ((readings, "call"), (gaps, "call"), (calls, "id")):
        connection.execute(delete(table).where(table.c[column].in_(numbers)))
    said = payload({"reason": reason, "calls": spans(numbers)})
    at = time.time() if now is None else now
    log.append(EntryRow("", "", at, secrets.token_hex(12), "tombstone", None, said))


def spans(numbers: Iterable[int]) -> list[list[int]]:
    """Return numbers as stretches, first and last of each."""
    found: list[list[int]] = []
    for number in sorted(numbers):
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return found
