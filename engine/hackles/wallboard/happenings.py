"""What happens on the board that others want to know of: webhooks, the audit log, the engines."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from hackles.wallboard.shapes import Escalated, Step

Kind: TypeAlias = Literal[
    "alert.raised",
    "alert.seen",
    "alert.helping",
    "alert.resolved",
    "alert.false_alarm",
    "alert.ended",
    "alert.escalated",
    "engine.lost",
    "engine.back",
    "call.withdrawn",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One thing that happened.

    Attributes:
        id: the same however often it is told: of the alert and the step, not random.
        kind: what happened.
        at: when, in seconds since 1970.
        by: who did it; "" for an engine or the clock, "agent" for whoever takes the call.
        host: the engine.
        call: the telephone system's name of the call; "" for an engine's.
        session: of the call, or "".
        queue: which the call waited in, or "".
        agent: an opaque name of who takes it, or "".
        teams: whose call it is.
        alert: the id of the alert, or "".
        step: where the alert's life stands, or None.
        escalated: what falls due, with `alert.escalated`.
        state: of the caller as people are shown it: rising, irritated, eased, calm; or "".
        level: smoothed, 0 to 1, or None.
        confidence: of the newest alert, 0 to 1, or None.
        because: its evidence by language ("en", "pl", "es"), a phrase each.
        state_text: the state in words, by language.
        raised_at: when the alert was raised, or None.
    """

    id: str
    kind: Kind
    at: float
    by: str = ""
    host: str = ""
    call: str = ""
    session: str = ""
    queue: str = ""
    agent: str = ""
    teams: tuple[str, ...] = ()
    alert: str = ""
    step: Step | None = None
    escalated: Escalated | None = None
    state: str = ""
    level: float | None = None
    confidence: float | None = None
    because: dict[str, tuple[str, ...]] | None = None
    state_text: dict[str, str] | None = None
    raised_at: float | None = None
