"""Events as JSON lines: the contract with whoever reads them, schema 1."""

import hashlib
from dataclasses import fields

import msgspec

from hackles.types import SCHEMA, Event, Summary

_encoder = msgspec.json.Encoder()


def event_id(source: str, event: Event) -> str:
    """Return an id that is the same whenever the same recording is scored again.

    Stores insert by it, so a second run adds nothing.
    """
    state = getattr(event, "state", getattr(event, "reason", ""))
    text = f"{source}\0{event.type}\0{event.time:.4f}\0{state}"
    return hashlib.blake2b(text.encode(errors="surrogateescape"), digest_size=12).hexdigest()


def line(file: str, event: Event | Summary) -> bytes:
    """Return one event of a recording as a line of JSON, with its line end."""
    record: dict[str, object] = {"schema": SCHEMA, "type": event.type}
    if not isinstance(event, Summary):
        record["id"] = event_id(file, event)
    # A name that is no valid text in this locale is told as well as text can.
    record["file"] = file.encode(errors="surrogateescape").decode(errors="replace")
    record |= {f.name: getattr(event, f.name) for f in fields(event) if f.name != "type"}
    return _encoder.encode(record) + b"\n"
