"""All that is kept of a call, for whoever asks for their own data (GDPR, Art. 15)."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, TypeAlias

import msgspec
from sqlalchemy import Connection, Row, select

from hackles.settings import Store
from hackles.store.database import Database
from hackles.store.tables import calls, entries, gaps, readings
from hackles.store.units import RATIO, TICKS_PER_S
from hackles.types import SCHEMA

_DAY_S: Final = 86_400
_ABOUT: Final = (
    "All that hackles keeps of this call. It has no sound, no words that were spoken, no telephone "
    "number and no name of the call: 'call' and 'customer' are digests that lead back to them only "
    "with the record's key. Times within the call are in seconds since it began; irritation, "
    "arousal and confidence go from 0 to 1, and are measured from how the voice moved."
)

_KINDS: Final = {
    "begun": "beginnings",
    "alert": "alerts",
    "acknowledgement": "acknowledgements",
    "card": "cards",
    "note": "notes",
    "outcome": "outcomes",
    "satisfaction": "satisfaction_answers",
    "timing": "timings",
    "summary": "summaries",
}
_NAMES: Final = {"alerts": "warnings"}
"""A column's name, where it says something else here."""

_LINE: Final = 110

Document: TypeAlias = dict[str, Any]


def document(database: Database, section: Store, call: str) -> Document:
    """Return all that is kept of a call.

    Args:
        database: the record.
        section: says how long things are kept.
        call: a digest of its name.

    Raises:
        StoreError: if the record cannot be read now.
    """
    query = select(calls).where(calls.c.call == call).order_by(calls.c.begun_at, calls.c.id)
    with database.reading() as connection:
        sessions = [_session(connection, section, row) for row in connection.execute(query)]
    return {
        "schema": SCHEMA,
        "type": "export",
        "made": _local(datetime.now().timestamp()),
        "about": _ABOUT,
        "call": call,
        "sessions": sessions,
    }


def encoded(said: Document) -> bytes:
    """Return a document as JSON that people can read as well."""
    return (_laid_out(said, "") + "\n").encode()


def _laid_out(value: Any, indent: str) -> str:
    """Return JSON of which whatever fits on a line is on one."""
    flat = msgspec.json.format(msgspec.json.encode(value), indent=0).decode()
    if not isinstance(value, dict | list) or len(indent) + len(flat) <= _LINE:
        return flat
    deeper = f"{indent}  "
    if isinstance(value, list):
        parts = [_laid_out(one, deeper) for one in value]
        return f"[\n{deeper}" + f",\n{deeper}".join(parts) + f"\n{indent}]"
    parts = [f'"{name}": {_laid_out(one, deeper)}' for name, one in value.items()]
    return f"{{\n{deeper}" + f",\n{deeper}".join(parts) + f"\n{indent}}}"


def _session(connection: Connection, section: Store, row: Row[Any]) -> Document:
    """Return one session of a call: what it came to, and all that was told of it."""
    said = {_NAMES.get(name, name): value for name, value in row._mapping.items()}
    for name in ("id", "call", "key"):  # which lead to this place, and mean nothing elsewhere
        del said[name]
    for name in ("begun_at", "ended_at"):
        said[name] = None if said[name] is None else _local(said[name])
    over = row.begun_at if row.ended_at is None else row.ended_at
    return said | {
        "kept_until": _local(over + _DAY_S * section.alerts_days),
        "readings_kept_until": _local(over + _DAY_S * section.scores_days),
        **_told(connection, row.id),
        "readings": list(_readings(connection, row.id)),
        "gaps": list(_gaps(connection, row.id)),
    }


def _told(connection: Connection, number: int) -> Document:
    """Return what was told of a session and done about it, by its kind, each in its order."""
    said: Document = {name: [] for name in _KINDS.values()}
    query = select(entries).where(entries.c.call == number).order_by(entries.c.seq)
    for row in connection.execute(query):
        event = {"id": row.id, "at": _local(row.at)}
        event |= {} if row.time is None else {"time": row.time}
        event |= msgspec.json.decode(row.payload)
        said.setdefault(_KINDS.get(row.kind, row.kind), []).append(event)
    return said


def _readings(connection: Connection, number: int) -> Iterator[Document]:
    query = select(readings).where(readings.c.call == number).order_by(readings.c.time)
    for row in connection.execute(query):
        yield {
            "time": row.time / TICKS_PER_S,
            "irritation": row.irritation / RATIO,
            "arousal": row.arousal / RATIO,
            "confidence": row.confidence / RATIO,
        }


def _gaps(connection: Connection, number: int) -> Iterator[Document]:
    query = select(gaps).where(gaps.c.call == number).order_by(gaps.c.time)
    for row in connection.execute(query):
        since, time = row.since / TICKS_PER_S, row.time / TICKS_PER_S
        yield {"since": since, "time": time, "reason": row.reason}


def _local(at: float) -> str:
    """Return a moment in local time, with the difference from UTC."""
    return datetime.fromtimestamp(at).astimezone().isoformat(timespec="milliseconds")
