"""Events as JSON lines: the contract with whoever reads them, schema 1."""

import hashlib
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Literal, TypeAlias

import msgspec

from hackles.types import SCHEMA, Alert, Event, Summary

_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class CallNews:
    """What became of a live call, other than what was heard; `reason` says why it was refused.

    The end of a call that was listened to is its summary.
    """

    state: Literal["begun", "refused", "withdrawn"]
    reason: str | None = None
    type: Literal["call"] = field(default="call", init=False)


@dataclass(frozen=True, slots=True)
class LiveRecord:
    """An event of a live call, and what its readers need to know beside it.

    Attributes:
        call: its name.
        session: of the connection by which it was heard; "" if it was not.
        queue: which the call waited in, or "".
        agent: an opaque name of who took it, or "".
        at: when it was told, in seconds since 1970.
        event: what happened.
        withheld: why an alert is recorded but not shown to people; None if it is shown.
    """

    call: str
    session: str
    queue: str
    agent: str
    at: float
    event: "Event | Summary | CallNews"
    withheld: str | None = None


Record: TypeAlias = dict[str, object]


def event_id(source: str, event: Event) -> str:
    """Return an id that is the same whenever the same recording is scored again.

    Stores insert by it, so a second run adds nothing.
    """
    state = getattr(event, "state", getattr(event, "reason", ""))
    text = f"{source}\0{event.type}\0{event.time:.4f}\0{state}"
    return hashlib.blake2b(text.encode(errors="surrogateescape"), digest_size=12).hexdigest()


def line(file: str, event: Event | Summary) -> bytes:
    """Return one event of a recording as a line of JSON, with its line end."""
    record: Record = {"schema": SCHEMA, "type": event.type}
    if not isinstance(event, Summary):
        record["id"] = event_id(file, event)
    # A name that is no valid text in this locale is told as well as text can.
    record["file"] = file.encode(errors="surrogateescape").decode(errors="replace")
    return _encoder.encode(record | _fields(event)) + b"\n"


def live_line(live: LiveRecord) -> bytes:
    """Return one event of a live call as a line of JSON, with its line end."""
    event = live.event
    record: Record = {"schema": SCHEMA, "type": event.type}
    if not isinstance(event, Summary | CallNews):
        record["id"] = event_id(live.session, event)
    told = datetime.fromtimestamp(live.at, UTC).isoformat(timespec="milliseconds")
    record |= {"call": live.call, "session": live.session, "at": told.replace("+00:00", "Z")}
    if isinstance(event, CallNews):
        record |= {"queue": live.queue, "agent": live.agent}
    record |= _fields(event)
    if isinstance(event, Alert):
        record["withheld"] = live.withheld
    return _encoder.encode(record) + b"\n"


def _fields(event: "Event | Summary | CallNews") -> Record:
    return {f.name: getattr(event, f.name) for f in fields(event) if f.name != "type"}
