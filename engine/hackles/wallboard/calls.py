"""The calls on the board and those that have just left it, in the order of who needs help."""

from collections.abc import Iterator
from typing import Final

from hackles.wallboard.hosts import Engine
from hackles.wallboard.life import AlertLife
from hackles.wallboard.live_call import LiveCall
from hackles.wallboard.order import NEW, Need, Place, need_of
from hackles.wallboard.scope import Scope

KEPT_S: Final = 3600.0
"""So long the page of a call that is over can be looked at."""

_MOST_WITHDRAWN: Final = 10_000


class Calls:
    """All of them.

    Attributes:
        engines: by their names.
        version: grows with each change.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self.engines: dict[str, Engine] = {}
        self.version = 1
        self._live: dict[str, LiveCall] = {}
        self._over: dict[str, LiveCall] = {}
        self._withdrawn: dict[str, None] = {}
        self._nth = 0
        self._sorted_at = 0
        self._sorted: list[LiveCall] = []
        self._by_agent: dict[str, list[LiveCall]] = {}

    def __iter__(self) -> Iterator[LiveCall]:
        """Yield those on the board."""
        return iter(list(self._live.values()))

    def all(self) -> list[LiveCall]:
        """Return also those that are over."""
        return [*self._live.values(), *self._over.values()]

    def of(self, engine: str) -> list[LiveCall]:
        """Return those on the board that an engine listens to."""
        return [call for call in self if call.engine == engine]

    def named(self, engine: str, call: str) -> list[LiveCall]:
        """Return those of a name, also those that are over."""
        return [one for one in self.all() if one.engine == engine and one.call == call]

    def find(self, session: str) -> LiveCall | None:
        """Return a call that is on the board, or has just left it."""
        return self._live.get(session) or self._over.get(session)

    def may_begin(self, session: str) -> bool:
        """Return whether a call is not known, and its caller did not withdraw consent."""
        return session not in self._withdrawn and self.find(session) is None

    def find_alert(self, alert: str) -> tuple[LiveCall, AlertLife] | None:
        """Return the call and the life of an alert."""
        lives = ((call, life) for call in self.all() for life in call.lives)
        return next((found for found in lives if found[1].alert == alert), None)

    def put(self, call: LiveCall) -> None:
        """Put a call on the board, or back on it."""
        self._over.pop(call.session, None)
        call.over_at, call.was_lost = None, False
        self._live[call.session] = call
        self.change(call)

    def let_go(self, call: LiveCall, at: float, was_lost: bool) -> None:
        """Take a call from the board; its page stays for a while."""
        call.over_at, call.was_lost = at, was_lost
        self._over[call.session] = self._live.pop(call.session)
        self.change(call)

    def withdraw(self, call: LiveCall) -> None:
        """Know nothing more of a call, whatever is still said of it."""
        self._withdrawn[call.session] = None
        if len(self._withdrawn) > _MOST_WITHDRAWN:
            del self._withdrawn[next(iter(self._withdrawn))]
        self._live.pop(call.session, None)
        self._over.pop(call.session, None)
        self.version += 1

    def expire(self, now: float) -> None:
        """Forget calls that have been over for long enough."""
        while self._over:
            oldest = next(iter(self._over.values()))
            if oldest.over_at is not None and now - oldest.over_at < KEPT_S:
                break
            del self._over[oldest.session]

    def change(self, call: LiveCall) -> None:
        """Note that a call is another than before, and what it needs now."""
        self.version += 1
        call.version = self.version
        need = need_of(call.state, call.life)
        if call.place is NEW or need is not call.place.need:
            self._nth += 1
            call.place = Place(need, _since(call, need), self._nth)

    def seen_by(self, scope: Scope) -> list[LiveCall]:
        """Return those that somebody may see, who needs help first."""
        self._sort()
        calls = self._sorted if scope.is_supervisor else self._by_agent.get(scope.agent, [])
        return [call for call in calls if self.sees(scope, call)]

    def sees(self, scope: Scope, call: LiveCall) -> bool:
        """Return whether somebody may see a call; while an engine is on trial, nobody may."""
        engine = self.engines.get(call.engine)
        is_shown = engine is not None and not engine.beat.shadow
        return is_shown and scope.sees(call.teams, call.agent)

    def is_heard(self, call: LiveCall) -> bool:
        """Return whether the engine that listens to a call is heard."""
        engine = self.engines.get(call.engine)
        return engine is not None and engine.is_heard

    def _sort(self) -> None:
        """Put them in order, once for all who look."""
        if self._sorted_at == self.version:
            return
        self._sorted_at = self.version
        self._sorted = sorted(self._live.values(), key=lambda call: call.place)
        self._by_agent = {}
        for call in self._sorted:
            self._by_agent.setdefault(call.agent, []).append(call)


def _since(call: LiveCall, need: Need) -> float:
    """Return since when a call has needed that."""
    life = call.life
    if need is Need.NONE or life is None:
        return call.begun_at
    if need is Need.ESCALATED:
        return life.entries[-1].at
    return max(life.last.at, call.since_at)
