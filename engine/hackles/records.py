"""Events as JSON lines: the contract with whoever reads them, schema 1."""

import hashlib
import math
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias

import msgspec

from hackles.types import SCHEMA, Alert, Event, Gap, Reading, State, Summary

_encoder = msgspec.json.Encoder()
_ODD: Final = "surrogateescape"


@dataclass(frozen=True, slots=True)
class CallNews:
    """What became of a live call, other than what was heard.

    The end of a call that was listened to is its summary.

    Attributes:
        state: begun, refused, or withdrawn.
        reason: why it was refused.
        consent: whether the caller agreed, as it began; None where that was not said.
        customer: a keyed digest of the customer's number, "" where none was said. Of the sinks
            only the store keeps it.
    """

    state: Literal["begun", "refused", "withdrawn"]
    reason: str | None = None
    consent: bool | None = None
    customer: str = ""
    type: Literal["call"] = field(default="call", init=False)


Verdict: TypeAlias = Literal["seen", "helping", "resolved", "false_alarm"]
"""What people say of an alert; `helping` and `resolved` are said at a wallboard alone."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A person saw an alert, or did something about it, or says that it was none.

    Attributes:
        time: in seconds of the call.
        alert: its id.
        verdict: what was said of it.
        by: the account of who said so at a wallboard; "" for whoever takes the call.
    """

    time: float
    alert: str
    verdict: Verdict
    by: str = ""
    type: Literal["acknowledgement"] = field(default="acknowledgement", init=False)


@dataclass(frozen=True, slots=True)
class CardShown:
    """An agent was shown a card of the guidance, in this language."""

    time: float
    card: str
    stage: str
    language: str
    type: Literal["card"] = field(default="card", init=False)


@dataclass(frozen=True, slots=True)
class Note:
    """What an agent wrote down during a call."""

    time: float
    text: str
    type: Literal["note"] = field(default="note", init=False)


Result: TypeAlias = Literal["resolved", "promised", "passed_on", "unresolved", "ended_by_rule"]
"""What came of a call; `ended_by_rule`: the agent ended it because of abuse, as the rule says."""

Cause: TypeAlias = Literal[
    "", "our_error", "product", "delivery", "billing", "unclear_offer", "misunderstanding", "other"
]
"""Where the trouble came from; "" if nobody said."""

View: TypeAlias = Literal["", "helped", "too_late", "wrong", "not_needed"]
"""What the agent thinks of the warnings of this call; never how the agent felt."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an agent wrote down after a call; a later one of the same call takes its place.

    Attributes:
        time: how long the call was, in seconds.
        result: what came of it.
        what: what it was about.
        promised: what was promised, or "".
        by_when: by when, as it was said, or "".
        cause: where the trouble came from.
        view: what the agent thinks of the warnings.
    """

    time: float
    result: Result
    what: str = ""
    promised: str = ""
    by_when: str = ""
    cause: Cause = ""
    view: View = ""
    type: Literal["outcome"] = field(default="outcome", init=False)


@dataclass(frozen=True, slots=True)
class Satisfaction:
    """A customer's answer to whatever survey is used.

    Attributes:
        score: 0 is the worst answer that could be given, 1 the best.
        answer: as it was given ("4 of 1 to 5").
        comment: in the customer's words, or "".
        source: which survey, or "".
    """

    score: float
    answer: str
    comment: str = ""
    source: str = ""
    type: Literal["satisfaction"] = field(default="satisfaction", init=False)


def satisfaction(
    score: float, best: float, worst: float, comment: str = "", source: str = ""
) -> Satisfaction:
    """Return an answer that was given on a scale from `worst` to `best`.

    Raises:
        ValueError: if it is not on that scale, or that is none.
    """
    if not (math.isfinite(best) and math.isfinite(worst)) or best == worst:
        raise ValueError("best and worst must be two different numbers.")
    share = (score - worst) / (best - worst)
    if not 0 <= share <= 1:
        raise ValueError(f"{score:g} is not between {worst:g} (worst) and {best:g} (best).")
    answer = f"{score:g} of {worst:g} to {best:g}"
    return Satisfaction(round(share, 4), answer, comment, source)


Deed: TypeAlias = Acknowledgement | CardShown | Note | Outcome | Satisfaction
"""What people did about a call."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Who spoke for how long in a call, where both were heard; nothing else of the agent.

    Attributes:
        time: how long the call was, in seconds.
        customer_s: of the customer's speech.
        agent_s: of the agent's.
        talk_over_s: of both at once.
        is_loud: the agent's microphone heard the customer: a loudspeaker, not a headset.
    """

    time: float
    customer_s: float
    agent_s: float
    talk_over_s: float
    is_loud: bool
    type: Literal["timing"] = field(default="timing", init=False)


@dataclass(frozen=True, slots=True)
class Earlier:
    """What came of an earlier call of the same customer; no score of it.

    Attributes:
        at: when it was written down, in seconds since 1970.
        result: what came of it.
        what: what it was about.
        promised: what was promised, or "".
        by_when: by when, as it was said, or "".
    """

    at: float
    result: str
    what: str
    promised: str
    by_when: str


@dataclass(frozen=True, slots=True)
class Standing:
    """All that is known of a call, for a board that comes later; nothing else is told it.

    Attributes:
        time: the last audio heard of, in seconds of the call.
        begun_at: in seconds since 1970.
        state: as people are shown it.
        points: (time, smoothed level) of the last three minutes.
        alert: the newest of this episode that people were shown, if any.
        since_alert: the id of the episode's first, or "".
        card: the id of the card on the agent's page, or "".
        notes: what the agent wrote down.
        earlier: what came of this customer's earlier calls.
    """

    time: float
    begun_at: float
    state: State
    points: tuple[tuple[float, float], ...] = ()
    alert: "LiveRecord | None" = None
    since_alert: str = ""
    card: str = ""
    notes: tuple[str, ...] = ()
    earlier: tuple[Earlier, ...] = ()
    type: Literal["standing"] = field(default="standing", init=False)


LiveEvent: TypeAlias = Event | Summary | CallNews | Deed | Timing | Standing


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
        card: the id of the card that people are shown with an alert, or "".
    """

    call: str
    session: str
    queue: str
    agent: str
    at: float
    event: LiveEvent
    withheld: str | None = None
    card: str = ""


Record: TypeAlias = dict[str, object]


def event_id(source: str, event: Event) -> str:
    """Return an id that is the same whenever the same recording is scored again.

    Stores insert by it, so a second run adds nothing.
    """
    state = getattr(event, "state", getattr(event, "reason", ""))
    return _digest(f"{source}\0{event.type}\0{event.time:.4f}\0{state}".encode(errors=_ODD))


def record_id(live: LiveRecord) -> str:
    """Return the id of what happened in a live call, the same however often it is handed on."""
    event = live.event
    if isinstance(event, Reading | Alert | Gap):
        return event_id(live.session, event)
    said = f"{live.call}\0{live.session}\0{event.type}\0{live.at:.6f}\0".encode(errors=_ODD)
    return _digest(said + _encoder.encode(event))


def line(file: str, event: Event | Summary) -> bytes:
    """Return one event of a recording as a line of JSON, with its line end."""
    record: Record = {"schema": SCHEMA, "type": event.type}
    if not isinstance(event, Summary):
        record["id"] = event_id(file, event)
    # A name that is no valid text in this locale is told as well as text can.
    record["file"] = file.encode(errors=_ODD).decode(errors="replace")
    return _encoder.encode(record | _fields(event)) + b"\n"


def live_line(live: LiveRecord) -> bytes:
    """Return one event of a live call as a line of JSON, with its line end."""
    event = live.event
    record: Record = {"schema": SCHEMA, "type": event.type}
    if not isinstance(event, Summary | CallNews):
        record["id"] = record_id(live)
    told = datetime.fromtimestamp(live.at, UTC).isoformat(timespec="milliseconds")
    record |= {"call": live.call, "session": live.session, "at": told.replace("+00:00", "Z")}
    if isinstance(event, CallNews):
        record |= {"queue": live.queue, "agent": live.agent}
    record |= _fields(event)
    record.pop("customer", None)  # kept where it is deleted in time, or nowhere
    if isinstance(event, Alert):
        record["withheld"] = live.withheld
    return _encoder.encode(record) + b"\n"


def _fields(event: LiveEvent) -> Record:
    return {f.name: getattr(event, f.name) for f in fields(event) if f.name != "type"}


def _digest(said: bytes) -> str:
    return hashlib.blake2b(said, digest_size=12).hexdigest()
