"""What falls due when an alert is left alone, as the table in the settings says."""

from collections.abc import Iterator, Sequence
from typing import Final

from hackles.types import State
from hackles.wallboard.life import AlertLife
from hackles.wallboard.live_call import LiveCall
from hackles.wallboard.settings import Escalation

_STATES: Final = {"rising": (State.RISING, State.IRRITATED), "irritated": (State.IRRITATED,)}


def due(
    rules: Sequence[Escalation], call: LiveCall, life: AlertLife, heard_at: float, now: float
) -> Iterator[tuple[str, Escalation]]:
    """Yield what falls due now of an alert, by the name of its rule; each once.

    Args:
        rules: of the settings.
        call: the alert's.
        life: the alert's.
        heard_at: since when the engine is heard again: nobody could know of what went on before.
        now: in seconds since 1970.
    """
    for rule in rules:
        if call.state not in _STATES[rule.state] or not life.is_left(rule.left):
            continue
        if rule.teams and call.teams.isdisjoint(rule.teams):
            continue
        since_at = call.irritated_at if rule.state == "irritated" else call.rising_at
        if now >= max(since_at, life.raised_at, heard_at) + rule.after_s:
            name = _name(rule)
            if name not in life.fired:
                yield name, rule


def _name(rule: Escalation) -> str:
    """Return what a rule is known by, also when the table was changed in between."""
    teams = ",".join(sorted(rule.teams))
    return f"{rule.state} {rule.left} {rule.after_s:g} {rule.do} {teams}"
