"""What every way in from a telephone system gives on each tick: samples, stacked for all calls."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from hackles.types import Array, Ints

OpenCall: TypeAlias = Callable[[str], int | None]
"""Asked with the name of a call that begins; gives its slot, or None where there is no room."""


@dataclass(frozen=True, slots=True)
class Received:
    """What came in since the last tick.

    Attributes:
        slots: whose, shape (n_calls,), each slot at most once.
        counts: samples of each, shape (n_calls,).
        samples: shape (sum of counts,), float32 at the engine's rate, call after call.
        ended: slots of the calls that end with these samples.
    """

    slots: Ints
    counts: Ints
    samples: Array
    ended: Sequence[int] = field(default=())


class Intake(Protocol):
    """A way in: it reads on the tick, and leaves everything in the kernel in between."""

    def receive(self, open_call: OpenCall) -> Received:
        """Take in what has come since the last tick, calls that begin among it."""

    def close(self) -> None:
        """Hang up on everybody and listen no longer."""
