"""What passes between the front and its workers: orders one way, news the other.

All of it is picklable, because a worker may be another process.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from hackles.capture.intake import Fate, Refusal
from hackles.records import Timing
from hackles.settings import Thresholds
from hackles.types import Event, Role


@dataclass(frozen=True, slots=True)
class Registration:
    """What the telephone system says of a call before (or while) it comes.

    Attributes:
        id: as the call's way in will name it: an AudioSocket UUID, a call's or a pipe's name.
        call: the name to tell it by.
        role: whose voice it carries.
        queue: which it waits in, or "".
        agent: an opaque name of who takes it, or "".
        consent: whether the caller agreed; None where that was not said.
        customer: the customer's number, or "". It is kept in memory alone.
    """

    id: str
    call: str
    role: Role
    queue: str = ""
    agent: str = ""
    consent: bool | None = None
    customer: str = ""

    @property
    def barred(self) -> tuple[str, ...]:
        """The names of calls that may be heard no longer, if they are under way by now.

        What came before its registration goes by the name that its way in gave it.
        """
        if self.consent is False:
            return self.call, self.id
        return () if self.role is Role.CUSTOMER else (self.id,)


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """An order: a caller wants to be analysed no longer."""

    call: str


@dataclass(frozen=True, slots=True)
class CallBegins:
    """An order: what [device] hears is a call from now on; what is said of it comes along."""

    registration: Registration


@dataclass(frozen=True, slots=True)
class CallEnds:
    """An order: the call that [device] hears is over, if it is this one."""

    call: str


@dataclass(frozen=True, slots=True)
class Reload:
    """An order: decide by these settings from now on."""

    sensitivity: str
    thresholds: Thresholds
    withdraw_digit: str


@dataclass(frozen=True, slots=True)
class Stop:
    """An order: hear what waits, say what is left to say, and end."""


Order: TypeAlias = Registration | Withdrawn | CallBegins | CallEnds | Reload | Stop


@dataclass(frozen=True, slots=True)
class Session:
    """One call as it is listened to: another connection of the same call is another session.

    Attributes:
        id: its own.
        call: the call's name.
        queue: which it waited in, or "".
        agent: an opaque name of who took it, or "".
        consent: whether the caller agreed; None where that was not said.
        customer: the customer's number, or ""; at the desk, a keyed digest of it.
    """

    id: str
    call: str
    queue: str
    agent: str
    consent: bool | None = None
    customer: str = ""


@dataclass(frozen=True, slots=True)
class Begun:
    """A call is listened to."""

    session: Session


@dataclass(frozen=True, slots=True)
class Told:
    """Something was decided, so long after its audio left the telephone system."""

    session: str
    event: Event
    delay_s: float


@dataclass(frozen=True, slots=True)
class Timed:
    """How the turns of a call were timed by now, where the agent's microphone is open for that."""

    session: str
    timing: Timing


@dataclass(frozen=True, slots=True)
class Ended:
    """A call is over; how the turns were timed, where the agent's microphone was open for that."""

    session: str
    duration_s: float
    speech_s: float
    timing: Timing | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """A call is not listened to, or no longer."""

    call: str
    reason: Refusal


@dataclass(frozen=True, slots=True)
class Forgotten:
    """A call is heard no longer, because its caller withdrew consent: nothing may stay of it."""

    call: str


@dataclass(frozen=True, slots=True)
class Unheard:
    """The device that the settings name is not heard, and why; or it is heard again ("")."""

    why: str


News: TypeAlias = Begun | Told | Timed | Ended | Refused | Forgotten | Unheard


@dataclass(frozen=True, slots=True)
class Report:
    """What a worker has to say after a tick, or after a second in which there was no news.

    Attributes:
        news: in the order in which it happened.
        troubles: packets and refusals of the ways in, counted since the last report.
        ticks_s: how long each tick took since then.
        calls: how many are listened to.
        behind_s: how far behind the telephone system the engine is, at worst.
        lost_s: seconds of audio lost since the last report.
        dropped_s: of these, what was let go because the engine was too far behind.
        audio_s: seconds of audio heard since then.
        cpu_s: of the worker since it began.
        has_stopped: whether this is its last.
    """

    news: tuple[News, ...] = ()
    troubles: Mapping[Fate | Refusal, int] = field(default_factory=dict)
    ticks_s: tuple[float, ...] = ()
    calls: int = 0
    behind_s: float = 0.0
    lost_s: float = 0.0
    dropped_s: float = 0.0
    audio_s: float = 0.0
    cpu_s: float = 0.0
    has_stopped: bool = False
