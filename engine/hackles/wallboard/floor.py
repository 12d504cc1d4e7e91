"""The floor: all live calls of all engines, and what people do about their alerts.

It is told what happens and what time it is; nothing is read or written here but the board's book.
"""

import time
from collections.abc import Callable
from typing import Final, TypeAlias

from hackles.exchange.messages import Beat, Heard, Message, Standing
from hackles.wallboard import day, lives, telling, views
from hackles.wallboard.alerts import Alerts
from hackles.wallboard.book import Book
from hackles.wallboard.calls import Calls
from hackles.wallboard.happenings import Happening
from hackles.wallboard.hosts import FORGOTTEN_S, GONE_S, Engine
from hackles.wallboard.ledger import Ledger
from hackles.wallboard.life import AGENT, NotPossible, NotThere
from hackles.wallboard.live_call import SILENCE_S
from hackles.wallboard.scope import scope_of
from hackles.wallboard.settings import Settings
from hackles.wallboard.shapes import CallPage, Day, Life, Step, Taken, View
from hackles.wallboard.viewer import Viewer

TABLES: Final = lives.TABLES + day.TABLES

Acknowledge: TypeAlias = Callable[[str, str, str, Taken, str, float], None]

_AGENTS_STEPS: Final = ("seen", "false_alarm")


class Floor:
    """What the board knows."""

    def __init__(
        self,
        settings: Settings,
        book: Book,
        on_happening: Callable[[Happening], None],
        acknowledge: Acknowledge,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Begin with no call.

        Args:
            settings: teams and the escalation policy.
            book: holds the lives of alerts and the counts of the day.
            on_happening: is told what happens.
            acknowledge: tells an engine what people did about an alert: its name, the session,
                the alert, the step, by whom, when.
            clock: seconds since 1970.
        """
        self.settings, self.clock = settings, clock
        self._acknowledge = acknowledge
        self.calls = Calls()
        self._alerts = Alerts(settings.escalation, book, on_happening, clock)
        self._ledger = Ledger(self.calls, self._alerts, settings.team)
        self.counts = self._alerts.counts

    @property
    def version(self) -> int:
        """Grows with each change."""
        return self.calls.version + self.counts.version

    def take(self, message: Message) -> None:
        """Take in a message; each of a run once, in their order."""
        now = self.clock()
        engine = self._hear(message, now)
        at = min(message.at, now)  # nothing comes from the future, whatever a clock says
        match message.said:
            case Beat() as beat:
                self.calls.version += engine.say(beat)
            case Standing() as said:
                self._ledger.stand(engine, said, at)
            case Heard() as said:
                self._ledger.take(engine, said, at)

    def tick(self) -> None:
        """Note what the clock brings: silence, what falls due, calls to let go."""
        now = self.clock()
        for engine in list(self.calls.engines.values()):
            self._look_after(engine, now)
        for call in self.calls:
            engine = self.calls.engines[call.engine]
            if not engine.is_heard or engine.beat.shadow:
                continue
            is_silent = engine.said_at - call.heard_at >= SILENCE_S
            if is_silent and call.silent_since_at is None:
                call.silent_since_at = call.heard_at
                self.calls.change(call)
            if self._alerts.escalate(call, engine.back_at, now):
                self.calls.change(call)
        self.calls.expire(now)
        self._alerts.tick(now)

    def step(self, viewer: Viewer, alert: str, step: Taken, language: str) -> Life:
        """Take a step of an alert's life.

        Raises:
            NotThere: if there is no such alert, or the viewer may not see it.
            NotPossible: if it has come further, or the step is not the viewer's.
        """
        scope, found = scope_of(viewer), self.calls.find_alert(alert)
        faults = telling.texts(language)["faults"]
        if found is None or not self.calls.sees(scope, found[0]):
            raise NotThere(faults["not_there"])
        call, life = found
        leads = scope.leads(call.teams)
        if not leads and step not in _AGENTS_STEPS:
            raise NotPossible(faults["not_yours"])
        by, now = viewer.name if leads else AGENT, self.clock()
        try:
            is_new = self._ledger.step(call, life, Step(step), by, now)
        except NotPossible as error:
            said = telling.entry_text(life.last, language)
            fault = faults["is_over" if life.is_over else "is_back"]
            raise NotPossible(fault.format(step=said)) from error
        if is_new:
            self._acknowledge(call.engine, call.session, life.alert, step, by, now)
        return telling.life_of(life, language)

    def view(self, viewer: Viewer, language: str) -> View:
        """Return the whole board, as somebody may see it."""
        return views.view(self, scope_of(viewer), language)

    def page(self, viewer: Viewer, session: str, language: str) -> CallPage:
        """Return all that is known of a call.

        Raises:
            NotThere: if there is no such call, or the viewer may not see it.
        """
        call = self.calls.find(session)
        if call is None or not self.calls.sees(scope_of(viewer), call):
            raise NotThere(telling.texts(language)["faults"]["not_there"])
        return telling.page_of(call, self.calls.is_heard(call), language)

    def day(self, viewer: Viewer) -> Day:
        """Return the counts of the day.

        Raises:
            NotThere: if the viewer may not see any.
        """
        counted = self.counts.of(scope_of(viewer))
        if counted is None:
            raise NotThere("There are no counts for you; ask a supervisor.")
        return counted

    def _hear(self, message: Message, now: float) -> Engine:
        """Return the engine that says something."""
        engine = self.calls.engines.get(message.engine)
        if engine is None:
            engine = Engine(message.engine, message.run, now, message.at, since_at=now)
            self.calls.engines[message.engine] = engine
            self.calls.version += 1
        elif engine.run != message.run:
            kept = message.said.session if isinstance(message.said, Standing) else None
            self._lose_calls(engine, now, kept)
            engine.run, engine.said_at = message.run, message.at
        engine.arrived_at, engine.said_at = now, max(engine.said_at, message.at)
        if not engine.is_heard:
            engine.come_back(now)
            self._tell_of(engine, now)
        return engine

    def _look_after(self, engine: Engine, now: float) -> None:
        """Note that an engine is not heard."""
        if engine.is_heard and engine.is_silent(now):
            engine.lose(now)
            self._tell_of(engine, now)
        if now - engine.arrived_at >= GONE_S:
            self._lose_calls(engine, now)
        if now - engine.arrived_at >= FORGOTTEN_S:
            del self.calls.engines[engine.name]
            self.calls.version += 1

    def _tell_of(self, engine: Engine, now: float) -> None:
        """Tell that an engine is heard no longer, or again; its calls say so too."""
        self._alerts.say.engine(engine, engine.is_heard, now)
        self.calls.version += 1
        for call in self.calls.of(engine.name):
            self.calls.change(call)

    def _lose_calls(self, engine: Engine, now: float, kept: str | None = None) -> None:
        for call in self.calls.of(engine.name):
            if call.session != kept:
                self._ledger.let_go(call, now, was_lost=True)
