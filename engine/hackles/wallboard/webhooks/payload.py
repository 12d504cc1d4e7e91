"""What a webhook of format "cloudevents" carries: CloudEvents 1.0, structured JSON.

The envelope has eight keys and no binary mode, so it is a struct of our own and no library.
"""

import hashlib
import re
import socket
from datetime import UTC, datetime
from typing import Final, Literal
from urllib.parse import quote

import msgspec

from hackles.wallboard.happenings import Happening
from hackles.wallboard.shapes import Escalated, Step

MEDIA_TYPE: Final = "application/cloudevents+json"
TEST: Final = "hackles.test"

_HARMLESS: Final = re.compile(r"[A-Za-z0-9_:-]{1,128}")
"""Ids that may stand in a header, and before a full stop in what is signed."""


class Payload(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What happened, under `data`; what is not known, or does not apply, is left out.

    Attributes:
        engine: which listens to the call.
        call: the telephone system's name of it.
        session: names the call at the board, and is never used again.
        queue: which it waited in.
        agent: an opaque name of who takes it.
        teams: whose call it is.
        alert: names the alert from its beginning to its end.
        state: of the caller's voice: rising, irritated, eased or calm.
        level: smoothed, 0 to 1.
        confidence: of the newest alert, 0 to 1.
        because: its evidence in English, a phrase each.
        step: where the life of the alert stands.
        by: who took that step; "agent" is whoever takes the call.
        escalated: what falls due by the escalation policy, for people to do.
        raised_at: when the alert was raised.
        url: the call's page at the board.
    """

    engine: str = ""
    call: str = ""
    session: str = ""
    queue: str = ""
    agent: str = ""
    teams: tuple[str, ...] = ()
    alert: str = ""
    state: str = ""
    level: float | None = None
    confidence: float | None = None
    because: tuple[str, ...] = ()
    step: Step | None = None
    by: str = ""
    escalated: Escalated | None = None
    raised_at: datetime | None = None
    url: str = ""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """The envelope; `subject` is the alert, the call's session, the engine, or "test"."""

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    data: Payload
    specversion: Literal["1.0"] = "1.0"
    datacontenttype: Literal["application/json"] = "application/json"


def source(public_url: str) -> str:
    """Return what names this board: where people find it, or else this machine."""
    return public_url or f"hackles/{quote(socket.gethostname(), safe='')}"


def event_id(id_: str) -> str:
    """Return a happening's id as receivers get it: the same whenever it is the same."""
    if _HARMLESS.fullmatch(id_):
        return id_
    return hashlib.sha256(id_.encode()).hexdigest()[:32]


def event(happening: Happening, public_url: str) -> Event:
    """Return what happened as an event; of a call that was withdrawn it says which, no more."""
    is_withdrawn = happening.kind == "call.withdrawn"
    data = Payload(session=happening.session) if is_withdrawn else _payload(happening, public_url)
    about = happening.alert or happening.session or happening.host
    return Event(
        id=event_id(happening.id),
        source=source(public_url),
        type=f"hackles.{happening.kind}",
        subject=happening.session if is_withdrawn else about,
        time=moment(happening.at),
        data=data,
    )


def test_event(id_: str, at: float, public_url: str) -> Event:
    """Return an event that says nothing but that it got through."""
    return Event(
        id=id_,
        source=source(public_url),
        type=TEST,
        subject="test",
        time=moment(at),
        data=Payload(),
    )


def call_url(session: str, public_url: str) -> str:
    """Return where a call's page is, or "" if it has none that could be told."""
    if not (public_url and session):
        return ""
    return f"{public_url.rstrip('/')}/?call={quote(session, safe='')}"


def moment(at: float) -> datetime:
    """Return a time since 1970 as it is told: RFC 3339, in UTC."""
    return datetime.fromtimestamp(at, UTC)


def _payload(happening: Happening, public_url: str) -> Payload:
    return Payload(
        engine=happening.host,
        call=happening.call,
        session=happening.session,
        queue=happening.queue,
        agent=happening.agent,
        teams=happening.teams,
        alert=happening.alert,
        state=happening.state,
        level=happening.level,
        confidence=happening.confidence,
        because=(happening.because or {}).get("en", ()),
        step=happening.step,
        by=happening.by,
        escalated=happening.escalated,
        raised_at=None if happening.raised_at is None else moment(happening.raised_at),
        url=call_url(happening.session, public_url),
    )
