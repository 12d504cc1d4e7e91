"""What engines tell wallboards, and what comes back.

An engine numbers what it says (`Message.seq`, from 1 in each run) and keeps it until a board has
confirmed it; whatever lies between may lose its memory. A board numbers its orders in the same
way, and an engine confirms those. Both sides leave out what they have had already.
"""

from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec

_Name = Annotated[str, msgspec.Meta(max_length=200)]
_Seq = Annotated[int, msgspec.Meta(ge=0, le=2**53)]

_Moment = Annotated[float, msgspec.Meta(ge=0.0, le=2.0**36)]
"""In seconds since 1970, as far as a date can be made of it: until the year 4147."""

BEAT_S: Final = 1.0
"""An engine says at least so often that it is there."""

SILENT_S: Final = 5.0
"""An engine that has said nothing for so long is told as not heard."""


class _Said(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What all kinds have in common."""


class Beat(_Said, frozen=True, tag="beat"):
    """The engine is there.

    Attributes:
        calls: how many it listens to.
        shadow: whether nobody is to be shown anything.
        behind_s: how far it is behind the telephone system, at worst.
        lost: messages that this run had to let go before a board confirmed them.
        done: the last order of each board that was carried out.
    """

    calls: int
    shadow: bool = False
    behind_s: float = 0.0
    lost: int = 0
    done: dict[str, int] = msgspec.field(default_factory=dict)


class Heard(_Said, frozen=True, tag="heard"):
    """Something happened in a call.

    Attributes:
        line: as in the JSON lines (`records.live_line`), an object with `type`, `call`,
            `session`, `at`; empty where what was said is told no longer, as its caller withdrew
            consent: it is counted, and not handed on.
        queue: which the call waits in, or "".
        agent: an opaque name of who takes it, or "".
        card: the id of the guidance card shown with an alert, or "".
    """

    line: dict[str, Any]
    queue: _Name = ""
    agent: _Name = ""
    card: str = ""


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an earlier call of the same customer; no score of it."""

    at: float
    result: str
    what: str = ""
    promised: str = ""
    by_when: str = ""


class Standing(_Said, frozen=True, tag="standing"):
    """All that is known of one call: for a board that comes later.

    Attributes:
        begun_at: in seconds since 1970.
        time: the last audio heard of, in seconds of the call.
        state: calm, rising, irritated or eased, as people are shown it.
        points: (time, smoothed level) of the last three minutes.
        alert: the line of the newest alert of this episode that people were shown, if any.
        since_alert: the id of the first alert of this episode, or "".
        notes: what the agent wrote down.
        earlier: what came of this customer's earlier calls.
    """

    call: _Name
    session: _Name
    begun_at: _Moment
    queue: _Name = ""
    agent: _Name = ""
    time: float = 0.0
    state: str = "calm"
    points: list[tuple[float, float]] = []
    alert: dict[str, Any] | None = None
    since_alert: str = ""
    card: str = ""
    notes: list[str] = []
    earlier: list[Earlier] = []


Said: TypeAlias = Beat | Heard | Standing


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that an engine says.

    Attributes:
        engine: its name, as its settings have it; each host has its own.
        run: an id of this run of it: another one means that its calls of before are gone.
        seq: counts this run's messages from 1; a beat has that of the message before it, since
            a lost beat is no loss.
        at: when it was said, in seconds since 1970.
    """

    engine: _Name
    run: _Name
    seq: _Seq
    at: _Moment
    said: Said


class Acknowledge(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="acknowledge"):
    """Somebody at the board did something about an alert; the engine keeps it in its record."""

    seq: _Seq
    session: _Name
    alert: _Name
    verdict: Literal["seen", "helping", "resolved", "false_alarm"]
    by: _Name
    at: float


class Tell(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="tell"):
    """The board wants a `Standing` of every call: it has just begun, or missed something."""

    seq: _Seq


Order: TypeAlias = Acknowledge | Tell


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a board says to an engine.

    Attributes:
        board: an id of this run of the board.
        run: the engine's run that is answered.
        heard: all of its messages up to this `seq` are taken in.
        orders: those that the engine did not yet confirm, in their order.
    """

    board: _Name
    run: _Name
    heard: _Seq
    orders: list[Order] = []
