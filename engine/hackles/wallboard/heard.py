"""The lines of a call's record that the board reads; others are left alone."""

from datetime import datetime
from typing import Any, Literal, TypeAlias

import msgspec

from hackles.types import Alert, Evidence, Reason, State


class _Line(msgspec.Struct, frozen=True, tag_field="type"):
    """What all lines have in common."""

    call: str
    session: str


class CallLine(_Line, frozen=True, tag="call"):
    """A call has begun, was refused, or its caller withdrew consent."""

    state: Literal["begun", "refused", "withdrawn"]


class ReadingLine(_Line, frozen=True, tag="reading"):
    """A reading."""

    time: float
    irritation: float


class AlertLine(_Line, frozen=True, tag="alert"):
    """An alert; `withheld` says why people are not shown it."""

    id: str
    at: datetime
    time: float
    since: float
    state: State
    level: float
    confidence: float
    trend_per_min: float = 0.0
    evidence: tuple[Evidence, ...] = ()
    withheld: str | None = None

    @property
    def alert(self) -> Alert:
        """The alert itself."""
        return Alert(
            self.time,
            self.since,
            self.state,
            self.level,
            self.trend_per_min,
            self.confidence,
            self.evidence,
        )


class GapLine(_Line, frozen=True, tag="gap"):
    """A stretch that was not scored."""

    time: float
    since: float
    reason: Reason


class SummaryLine(_Line, frozen=True, tag="summary"):
    """The call has ended."""

    duration_s: float


class AnswerLine(_Line, frozen=True, tag="acknowledgement"):
    """Somebody said something of an alert: the agent, or whom `by` names."""

    alert: str
    verdict: Literal["seen", "helping", "resolved", "false_alarm"]
    by: str = ""


class CardLine(_Line, frozen=True, tag="card"):
    """The agent was shown a card."""

    time: float
    card: str


class NoteLine(_Line, frozen=True, tag="note"):
    """The agent wrote something down."""

    time: float
    text: str


class TimingLine(_Line, frozen=True, tag="timing"):
    """Who spoke for how long."""

    talk_over_s: float


Line: TypeAlias = (
    CallLine
    | ReadingLine
    | AlertLine
    | GapLine
    | SummaryLine
    | AnswerLine
    | CardLine
    | NoteLine
    | TimingLine
)


def read_line(line: dict[str, Any]) -> Line | None:
    """Return a line of the record, or None of a kind that the board does not know."""
    try:
        return msgspec.convert(line, Line)  # type: ignore[no-any-return]
    except msgspec.ValidationError:
        return None


def read_alert(line: dict[str, Any] | None) -> AlertLine | None:
    """Return the line of an alert, or None if it is none."""
    read = read_line(line) if line is not None else None
    return read if isinstance(read, AlertLine) else None
