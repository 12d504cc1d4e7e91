"""The life of one alert: what happened to it, and what may happen next."""

from dataclasses import dataclass, field
from typing import Final

import msgspec

from hackles.errors import HacklesError
from hackles.wallboard.shapes import Step

_PLACE: Final = {Step.RAISED: 0, Step.SEEN: 1, Step.HELPING: 2}
_END: Final = 3

AGENT: Final = "agent"
"""Whoever takes the call; nobody is named."""


class NotThere(HacklesError):  # noqa: N818 - as people say it
    """There is no such call or alert, or none that this viewer may see."""


class NotPossible(HacklesError):  # noqa: N818
    """That step cannot be taken now."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened to an alert.

    Attributes:
        what: a step, or what fell due.
        by: who did it; "" for the clock and the engine.
        at: when, in seconds since 1970.
        rule: the rule by which it fell due, or "".
        left: how the alert was left alone then: unseen, unhelped; or "".
    """

    what: str
    by: str
    at: float
    rule: str = ""
    left: str = ""


@dataclass(slots=True)
class AlertLife:
    """One alert, from its first warning to its end.

    Attributes:
        alert: its id.
        engine: which told it.
        session: of the call.
        teams: whose call it was as it was raised.
        caller: the digest of the call's name.
        entries: what happened, the oldest first; the first is that it was raised.
    """

    alert: str
    engine: str
    session: str
    teams: frozenset[str]
    caller: str
    entries: list[Entry] = field(default_factory=list)

    @property
    def raised_at(self) -> float:
        """When it was raised."""
        return self.entries[0].at

    @property
    def last(self) -> Entry:
        """The step that was taken last."""
        return next(entry for entry in reversed(self.entries) if not entry.rule)

    @property
    def step(self) -> Step:
        """Where it stands."""
        return Step(self.last.what)

    @property
    def fired(self) -> set[str]:
        """The rules by which something fell due."""
        return {entry.rule for entry in self.entries if entry.rule}

    @property
    def is_over(self) -> bool:
        """Whether it has come to its end."""
        return self.step not in _PLACE

    @property
    def escalated(self) -> Entry | None:
        """What fell due last and is not done; it is done once nobody leaves it alone so."""
        return next((one for one in reversed(self.entries) if self.is_left(one.left)), None)

    def is_left(self, left: str) -> bool:
        """Return whether it is left alone so: unseen, or unhelped."""
        step = self.step
        return (step is Step.RAISED and left == "unseen") or (
            step in (Step.RAISED, Step.SEEN) and left == "unhelped"
        )

    def is_behind(self, step: Step) -> bool:
        """Return whether it has not come so far."""
        return _PLACE.get(self.step, _END) < _PLACE.get(step, _END)

    def take(self, step: Step, by: str, at: float) -> bool:
        """Take a step, and return whether that changed anything.

        Raises:
            NotPossible: if it has come further, or to another end.
        """
        now = self.last
        if now.what == step and (step is not Step.HELPING or now.by == by):
            return False
        if now.what != step and not self.is_behind(step):
            raise NotPossible("This alert has come further.")
        self.entries.append(Entry(what=step.value, by=by, at=max(at, now.at)))
        return True
