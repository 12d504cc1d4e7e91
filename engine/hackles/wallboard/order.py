"""Who needs help first. Nobody is ranked by how irritated they are."""

from enum import IntEnum
from typing import Final, NamedTuple

from hackles.types import State
from hackles.wallboard.life import AlertLife
from hackles.wallboard.shapes import Step


class Need(IntEnum):
    """How calls stand among each other, the most pressing first."""

    ESCALATED = 0
    IRRITATED = 1
    RISING = 2
    IRRITATED_SEEN = 3
    RISING_SEEN = 4
    HELPED = 5
    NONE = 6


class Place(NamedTuple):
    """Where a call stands: what has an equal need stands as it came to it.

    Attributes:
        need: see `Need`.
        since: when the call came to it, in seconds since 1970; without need, when it began.
        nth: tells apart those that came to it at the same time.
    """

    need: Need
    since: float
    nth: int


NEW: Final = Place(Need.NONE, -1.0, 0)


def need_of(state: State, life: AlertLife | None) -> Need:
    """Return what a call needs."""
    if life is None or life.is_over:
        return Need.NONE
    if life.step is Step.HELPING:
        return Need.HELPED
    if state not in (State.RISING, State.IRRITATED):
        return Need.NONE
    if life.step is Step.SEEN:
        return Need.IRRITATED_SEEN if state is State.IRRITATED else Need.RISING_SEEN
    if life.escalated is not None:
        return Need.ESCALATED
    return Need.IRRITATED if state is State.IRRITATED else Need.RISING
