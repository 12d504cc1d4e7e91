"""What the board's API says, as JSON: the types behind its OpenAPI and AsyncAPI documents.

Times `*_at` are seconds since 1970; `time`, `*_s` are seconds of a call's audio. Texts are in the
reader's language. Nothing here says anything of an agent but an opaque name.
"""

from enum import StrEnum
from typing import Literal, TypeAlias

import msgspec


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What all shapes have in common."""


class Step(StrEnum):
    """Where the life of an alert stands. The last three are its end."""

    RAISED = "raised"
    SEEN = "seen"
    HELPING = "helping"
    RESOLVED = "resolved"
    FALSE_ALARM = "false_alarm"
    ENDED = "ended"
    """The call was over before anybody said what came of the alert."""


Taken: TypeAlias = Literal["seen", "helping", "resolved", "false_alarm"]
"""Steps that people take."""

Escalated: TypeAlias = Literal["notify_supervisor", "offer_call_back", "hand_over"]


What: TypeAlias = Literal[
    "raised",
    "seen",
    "helping",
    "resolved",
    "false_alarm",
    "ended",
    "notify_supervisor",
    "offer_call_back",
    "hand_over",
]
"""A `Step`, or what is `Escalated`."""


class Moment(Shape, frozen=True):
    """One step of an alert's life: `what` is a step, or an escalation that fell due.

    `by` is who did it ("" for the clock and the engine; "agent" for whoever takes the call).
    """

    what: What
    text: str
    by: str
    at: float


class Life(Shape, frozen=True):
    """The life of one alert: an episode from its first warning to its end.

    Attributes:
        alert: its id, which is that of the episode's first alert.
        step: where it stands ...
        text: ... in words ...
        by: ... who took that step ("" for the engine) ...
        at: ... and when.
        raised_at: when it was raised.
        escalated: what fell due of the escalation policy, and is not done: the newest, or None.
        moments: all that happened to it, the oldest first.
    """

    alert: str
    step: Step
    text: str
    by: str
    at: float
    raised_at: float
    escalated: Moment | None
    moments: list[Moment]


class Row(Shape, frozen=True):
    """One live call on the board.

    Attributes:
        session: names it in the API.
        call: the telephone system's name.
        host: the engine that listens to it.
        is_heard: whether that engine is heard; if not, all below stands as it did then.
        queue: which it waited in, or "".
        agent: an opaque name of who takes it, or "".
        teams: whose it is.
        begun_at: when it began.
        state: calm, rising, irritated or eased.
        state_text: the same in words.
        since_at: since when.
        level: the smoothed level, 0 to 1; None while nothing was scored.
        trend: up, flat, down.
        points: (time, level) of the last three minutes; in `changes` only those that are new.
        because: the evidence of the newest alert of this episode, a phrase each.
        confidence: of that alert, 0 to 1.
        silent_since_at: since when the customer has said nothing that could be scored; None
            while the customer speaks.
        quiet_text: why nothing was scored last, or "".
        talk_over_s: seconds in which both spoke; None where the agent's side is not heard.
        earlier_text: what came of the customer's last call, or "".
        life: of the newest alert; None while there was none in this call.
    """

    session: str
    call: str
    host: str
    is_heard: bool
    queue: str
    agent: str
    teams: list[str]
    begun_at: float
    state: str
    state_text: str
    since_at: float
    level: float | None
    trend: Literal["up", "flat", "down"]
    points: list[tuple[float, float]]
    because: list[str]
    confidence: float | None
    silent_since_at: float | None
    quiet_text: str
    talk_over_s: float | None
    earlier_text: str
    life: Life | None


class Host(Shape, frozen=True):
    """One engine, as the board hears it."""

    name: str
    is_heard: bool
    since_at: float
    calls: int
    behind_s: float
    shadow: bool
    lost: int


class Day(Shape, frozen=True):
    """Counts since midnight, of the calls that the reader may see.

    Attributes:
        since_at: midnight of the board's time zone.
        calls: that were listened to.
        warned: calls with at least one alert.
        alerts: that were raised.
        seen: of these, seen by anybody.
        answered: of these, whose end people told (resolved or false alarm).
        false_alarms: of these, false alarms.
        seen_after_s: median from raised to seen; None before the tenth that was seen.
        false_alarm_rate: false alarms of those answered; None before the tenth answer: fewer say
            nothing.
    """

    since_at: float
    calls: int
    warned: int
    alerts: int
    seen: int
    answered: int
    false_alarms: int
    seen_after_s: float | None
    false_alarm_rate: float | None


class View(Shape, frozen=True):
    """The whole board, as one reader may see it: the event `view`.

    `version` grows with each change; `order` has the sessions, those who need help first; `day`
    is None for who sees own calls alone: there are no counts of one agent.
    """

    version: int
    at: float
    rows: list[Row]
    order: list[str]
    hosts: list[Host]
    day: Day | None
    teams: list[str]
    queues: list[str]


class Changes(Shape, frozen=True, omit_defaults=True):
    """What is another than in version `after`: the event `changes`; what is None is as before.

    A reader who has another version than `after` asks for the whole view anew. New points go
    behind those that a row had; those more than 180 s before the newest then leave it.
    """

    after: int
    version: int
    at: float
    rows: list[Row] = []
    gone: list[str] = []
    order: list[str] | None = None
    hosts: list[Host] | None = None
    day: Day | None = None
    queues: list[str] | None = None


class ToldAlert(Shape, frozen=True):
    """One alert within a call, as it was told."""

    id: str
    time: float
    at: float
    state: str
    state_text: str
    level: float
    confidence: float
    because: list[str]


class ToldGap(Shape, frozen=True):
    """A stretch that was not scored, and why."""

    since: float
    time: float
    reason: str
    text: str


class ToldCard(Shape, frozen=True):
    """A card of the guidance that the agent was shown."""

    time: float
    id: str
    title: str


class ToldNote(Shape, frozen=True):
    """What the agent wrote down during the call."""

    time: float
    text: str


class ToldEarlier(Shape, frozen=True):
    """What came of an earlier call of this customer."""

    at: float
    result: str
    result_text: str
    what: str
    promised: str
    by_when: str


class CallPage(Shape, frozen=True):
    """All that the board knows of one call: its whole curve, and what happened."""

    row: Row
    points: list[tuple[float, float]]
    alerts: list[ToldAlert]
    gaps: list[ToldGap]
    cards: list[ToldCard]
    notes: list[ToldNote]
    earlier: list[ToldEarlier]
    lives: list[Life]
    is_over: bool


class Me(Shape, frozen=True):
    """Who asks, and what they may do.

    `csrf` is to be sent back in the header `X-CSRF-Token` with whatever is not a GET.
    """

    name: str
    roles: list[str]
    teams: list[str]
    csrf: str
    sign_in: Literal["nobody", "password", "header"]


class Fault(Shape, frozen=True):
    """What was wrong, as one sentence that says what to do."""

    error: str
