"""Asking the record which calls there were. Newest first, always: nobody is ranked by it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Row, func, or_, select

from hackles.errors import UsageError
from hackles.records import Earlier
from hackles.store import words
from hackles.store.database import Database
from hackles.store.tables import calls as _calls
from hackles.store.tables import entries as _entries
from hackles.types import State

SESSION_SHOWN: Final = 8
"""So much of a session's name is shown, and so much of it must be said at least.

A call's own name may look like the beginning of a session; of so many signs it will not.
"""

_EARLIER: Final = 5
_HEX: Final = re.compile(r"[0-9a-fA-F]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which calls are asked for; what is "" or None does not matter.

    Attributes:
        since: begun then or later, in seconds since 1970.
        until: begun before then.
        queue: which they waited in.
        agent: who took them.
        is_warned: whether irritation must have risen.
        result: what came of them.
        call: the telephone system's name of the call, or how its session begins.
        customer: the number of the customer.
        words: all of them are in what was written down of the call.
        limit: so many at most.
    """

    since: float | None = None
    until: float | None = None
    queue: str = ""
    agent: str = ""
    is_warned: bool = False
    result: str = ""
    call: str = ""
    customer: str = ""
    words: tuple[str, ...] = ()
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Kept:
    """One session of a call, as it is listed: no scores.

    Attributes:
        session: of the connection by which it was heard.
        queue: which it waited in, or "".
        agent: who took it, or "".
        begun_at: in seconds since 1970.
        ended_at: the same; None while it is under way.
        duration_s: of what was heard; None while it is under way.
        warnings: how often irritation rose; None while it is under way.
        peak: where the caller stood at the highest.
        error: why it was not heard to its end, if so.
        result: of the latest outcome, or "".
        satisfaction: the latest answer, 0 to 1, if there is one.
    """

    session: str
    queue: str
    agent: str
    begun_at: float
    ended_at: float | None
    duration_s: float | None
    warnings: int | None
    peak: State
    error: str | None
    result: str
    satisfaction: float | None


def calls(database: Database, wanted: Wanted) -> list[Kept]:
    """Return the calls that are asked for, the newest first.

    Raises:
        StoreError: if the record cannot be read now.
    """
    conditions = list(_conditions(database, wanted))
    query = select(_calls).where(*conditions).order_by(_calls.c.begun_at.desc(), _calls.c.id.desc())
    found: list[Kept] = []
    with database.reading() as connection:
        if not wanted.words:
            return [_kept(row) for row in connection.execute(query.limit(wanted.limit))]
        told = words.found(connection, wanted.words, conditions)
        for row in connection.execute(query) if told else ():
            if row.id in told:
                found.append(_kept(row))
            if len(found) == wanted.limit:
                break
    return found


def named(database: Database, text: str) -> list[str]:
    """Return the digests of the calls that a text names: one, or none.

    Args:
        database: the record.
        text: the telephone system's name of a call, or how one of its sessions begins.

    Raises:
        UsageError: if sessions of several calls begin so.
        StoreError: if the record cannot be read now.
    """
    own = database.names.call(text)
    with database.reading() as connection:
        if connection.execute(select(_calls.c.call).where(_calls.c.call == own).limit(1)).first():
            return [own]
        begins = _begins(text)
        if begins is None:
            return []
        found = connection.scalars(select(_calls.c.call).where(begins).distinct()).all()
    if len(found) > 1:
        raise UsageError(f"Sessions of {len(found)} calls begin with {text}; give all of it.")
    return list(found)


def of_customer(database: Database, number: str) -> list[str]:
    """Return the digests of a customer's calls.

    Raises:
        StoreError: if the record cannot be read now.
    """
    customer = database.names.customer(number)
    if not customer:
        return []
    query = select(_calls.c.call).where(_calls.c.customer == customer).distinct()
    with database.reading() as connection:
        return list(connection.scalars(query))


def sessions(database: Database, named: Sequence[str]) -> list[Kept]:
    """Return all sessions of calls, the newest first.

    Raises:
        StoreError: if the record cannot be read now.
    """
    query = select(_calls).where(_calls.c.call.in_(named)).order_by(_calls.c.begun_at.desc())
    with database.reading() as connection:
        return [_kept(row) for row in connection.execute(query)]


def earlier(database: Database, customer: str, before_session: str) -> list[Earlier]:
    """Return what came of the last calls of a customer, the newest first.

    Args:
        database: the record.
        customer: a digest of the number, as `names.customer` gives it.
        before_session: of the call that is under way; it is not told itself.

    Raises:
        StoreError: if the record cannot be read now.
    """
    if not customer:
        return []
    own = select(_calls.c.call).where(_calls.c.session == before_session).scalar_subquery()
    query = (
        select(_calls.c.call, _entries.c.at, _entries.c.payload)
        .join(_entries, _entries.c.call == _calls.c.id)
        .where(_calls.c.customer == customer, _entries.c.kind == "outcome")
        .where(_calls.c.call != func.coalesce(own, ""))
        .order_by(_entries.c.at.desc(), _entries.c.seq.desc())
    )
    found: dict[str, Earlier] = {}
    with database.reading() as connection:
        for row in connection.execute(query):
            if row.call not in found:  # what was written down later takes the place of earlier
                found[row.call] = _outcome(row.at, row.payload)
            if len(found) == _EARLIER:
                break
    return list(found.values())


def _begins(text: str) -> ColumnElement[bool] | None:
    """Return that a session begins so, if enough of it is said."""
    enough = len(text) >= SESSION_SHOWN and _HEX.fullmatch(text)
    return _calls.c.session.startswith(text.lower()) if enough else None


def _conditions(database: Database, wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    names, table = database.names, _calls.c
    if wanted.since is not None:
        yield table.begun_at >= wanted.since
    if wanted.until is not None:
        yield table.begun_at < wanted.until
    if wanted.queue:
        yield table.queue == wanted.queue
    if wanted.agent:
        yield table.agent == wanted.agent
    if wanted.is_warned:
        yield table.peak != State.CALM
    if wanted.result:
        yield table.result == wanted.result
    if wanted.customer:
        yield table.customer == names.customer(wanted.customer)
    if wanted.call:
        by_name = table.call == names.call(wanted.call)
        begins = _begins(wanted.call)
        yield by_name if begins is None else or_(by_name, begins)


def _outcome(at: float, payload: str) -> Earlier:
    said = msgspec.json.decode(payload)
    return Earlier(at, said["result"], said["what"], said["promised"], said["by_when"])


def _kept(row: Row[Any]) -> Kept:
    return Kept(
        row.session,
        row.queue,
        row.agent,
        row.begun_at,
        row.ended_at,
        row.duration_s,
        row.alerts,
        State(row.peak),
        row.error,
        row.result or "",
        row.satisfaction,
    )
