"""What is kept of a record: rows for the database, without any name in clear.

They can lie on disk for a while (`spool.py`) before a database takes them, so they are all that is
needed, and travel as JSON.
"""

from dataclasses import fields
from hashlib import blake2b
from typing import Any, Final, TypeAlias

import msgspec

from hackles.records import CallNews, LiveRecord, record_id
from hackles.store.names import Names
from hackles.store.units import ratio, ticks
from hackles.types import Alert, Gap, Reading, Summary


class _Row(msgspec.Struct, frozen=True, array_like=True):
    """What all rows have.

    Attributes:
        session: by which the call was heard; "" if only the call's name is known.
        call: a digest of the call's name.
        at: when it was told.
    """

    session: str
    call: str
    at: float


class ReadingRow(_Row, frozen=True, array_like=True, tag="reading"):
    """A reading, in whole numbers."""

    time: int
    irritation: int
    arousal: int
    confidence: int


class GapRow(_Row, frozen=True, array_like=True, tag="gap"):
    """A gap, in whole numbers."""

    time: int
    since: int
    reason: str


class EntryRow(_Row, frozen=True, array_like=True, tag="entry"):
    """An entry of the log; `payload` is JSON."""

    id: str
    kind: str
    time: float | None
    payload: str


class PurgeRow(_Row, frozen=True, array_like=True, tag="purge"):
    """An order: all sessions of the call are to be deleted."""

    reason: str


Row: TypeAlias = ReadingRow | GapRow | EntryRow | PurgeRow

_BY_NAME: Final = (Reading, Alert, Gap)
_encoder: Final = msgspec.json.Encoder(order="deterministic")


def row(
    record: LiveRecord, names: Names, model: str = "", configuration: str = ""
) -> ReadingRow | GapRow | EntryRow | None:
    """Return what is kept of a record; None if that is nothing.

    Args:
        record: what happened.
        names: makes the digests.
        model: a hash of the model, to be kept with alerts.
        configuration: a hash of the settings, to be kept with alerts.
    """
    event, session, at = record.event, record.session, record.at
    call = names.call(record.call)
    match event:
        case Reading():
            levels = ratio(event.irritation), ratio(event.arousal), ratio(event.confidence)
            return ReadingRow(session, call, at, ticks(event.time), *levels)
        case Gap():
            time, since = ticks(event.time), ticks(event.since)
            return GapRow(session, call, at, time, since, str(event.reason))
        case CallNews() if event.state != "begun" or not session:
            return None
    said = {f.name: getattr(event, f.name) for f in fields(event) if f.name not in ("type", "time")}
    match event:
        case CallNews():
            said = begun(record, call, event)
        case Alert():
            said |= {"withheld": record.withheld, "card": record.card}
            said |= {"model": model, "configuration": configuration}
    kind = "begun" if isinstance(event, CallNews) else event.type
    own = record_id(record)
    id_ = own if isinstance(event, _BY_NAME) else names.entry(own)
    moment = None if isinstance(event, CallNews | Summary) else getattr(event, "time", None)
    return EntryRow(session, call, at, id_, kind, moment, payload(said))


def begun(record: LiveRecord, call: str, event: CallNews) -> dict[str, Any]:
    """Return what is kept of a beginning."""
    return {
        "session": record.session,
        "call": call,
        "queue": record.queue,
        "agent": record.agent,
        "customer": event.customer or None,
        "consent": event.consent,
    }


def payload(said: dict[str, Any]) -> str:
    """Return JSON that is the same for the same contents, and that every database takes."""
    return _encoder.encode(_whole(msgspec.to_builtins(said))).decode()


def _whole(value: Any) -> Any:
    """Return a value without what cannot be written: halves of signs, and NUL in PostgreSQL."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode().replace("\0", "\ufffd")
    if isinstance(value, dict):
        return {name: _whole(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_whole(one) for one in value]
    return value


def missed(row: ReadingRow | GapRow | EntryRow) -> EntryRow:
    """Return the beginning of a call of which this is the first that is known."""
    said = {"session": row.session, "call": row.call, "queue": "", "agent": "", "missed": True}
    said |= {"customer": None, "consent": None}
    id_ = blake2b(f"missed {row.session}".encode(), digest_size=12).hexdigest()
    return EntryRow(row.session, row.call, row.at, id_, "begun", None, payload(said))
