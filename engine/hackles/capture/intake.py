"""What every way in gives on each tick: samples, stacked for all calls, and what went wrong."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol, TypeAlias, runtime_checkable

from hackles.turns import Turns
from hackles.types import Array, Bools, Ints, Role

AHEAD_S: Final = 10.0
"""So much audio may come at once: a network that stalled, or we, have it all at a time. Who goes on
bringing it faster than it can be spoken is read at the pace of speech."""


class Fate(StrEnum):
    """What became of a packet that was not simply taken in."""

    LOST = "lost"
    LATE = "late"
    REORDERED = "reordered"
    DUPLICATE = "duplicate"
    BROKEN = "broken"


class Refusal(StrEnum):
    """Why a call, or the rest of it, is not listened to. The list is fixed."""

    SOURCE = "source"
    SIGNATURE = "signature"
    GREETING = "greeting"
    CODEC = "codec"
    PROTOCOL = "protocol"
    FLOOD = "flood"
    ROLE = "role"
    CONSENT = "consent"
    DUPLICATE = "duplicate"
    NO_ROOM = "no_room"


Troubles: TypeAlias = Counter[Fate | Refusal]


@dataclass(frozen=True, slots=True)
class Offer:
    """A call that begins, as far as its way in knows it.

    Attributes:
        call: its name, as the telephone system says it.
        role: whose voice it carries; unknown where neither the wire nor the settings tell.
        queue: which it waits in, or "".
        agent: an opaque name of who takes it, or "".
        consent: whether the caller agreed; None where that was not said.
        customer: the customer's number, or "".
    """

    call: str
    role: Role = Role.UNKNOWN
    queue: str = ""
    agent: str = ""
    consent: bool | None = None
    customer: str = ""


OpenCall: TypeAlias = Callable[[Offer], int | None]
"""Asked when a call begins; gives its slot, or None if it is not to be listened to."""


@dataclass(frozen=True, slots=True)
class Received:
    """What came in since the last tick; arrays of n_calls rows, each slot at most once.

    Attributes:
        slots: whose.
        counts: samples of each.
        samples: shape (sum of counts,), float32 at the engine's rate, call after call.
        ended: slots of the calls that end with these samples.
        lost: samples of each that are missing right before these; none if left out.
        drained: of each, whether nothing more of it waits; all of them if left out.
        digits: the keys that were pressed: slot, and one of "0123456789*#ABCD".
        turns: how calls were timed by now, by slot, where both sides are heard.
    """

    slots: Ints
    counts: Ints
    samples: Array
    ended: Sequence[int] = field(default=())
    lost: Ints | None = field(default=None)
    drained: Bools | None = field(default=None)
    digits: Sequence[tuple[int, str]] = field(default=())
    turns: Mapping[int, Turns] = field(default_factory=dict)


class Intake(Protocol):
    """A way in: it reads on the tick, and leaves everything in the kernel in between.

    Attributes:
        troubles: what went wrong since somebody last cleared it.
    """

    troubles: Troubles

    def receive(self, open_call: OpenCall) -> Received:
        """Take in what has come since the last tick, calls that begin among it."""

    def skip(self, slots: Sequence[int]) -> None:
        """Drop the oldest of what waits of these calls, at the next `receive`; tell it as lost."""

    def forget(self, slot: int) -> None:
        """Hand over no more of a call, whose slot is free now; its connection stays open."""

    def close(self) -> None:
        """Hang up on everybody and listen no longer."""


@runtime_checkable
class Marked(Protocol):
    """A way in whose sound never stops: others may say where calls begin and end in it."""

    @property
    def unheard(self) -> str:
        """Why there is no sound now, in sentences for people; "" if all is well."""

    def begin(self, offer: Offer) -> None:
        """Take in that a call begins now; one that is under way is over."""

    def end(self, call: str) -> None:
        """Take in that a call is over now, if it is the newest."""
