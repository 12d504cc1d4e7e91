"""The floor: all live calls of all engines, and what people do about their alerts.

It is told what happens and what time it is; nothing is read or written here but the board's book.
"""

import time
from collections.abc import Callable
from typing import Final, TypeAlias

from hackles.exchange.messages import Beat, Heard, Message, Standing
from hackles.types import State
from hackles.wallboard import day, heard, lives, telling, views
from hackles.wallboard.alerts import Alerts
from hackles.wallboard.book import Book
from hackles.wallboard.calls import Calls
from hackles.wallboard.happenings import Happening
from hackles.wallboard.hosts import FORGOTTEN_S, GONE_S, Engine
from hackles.wallboard.life import AGENT, AlertLife, NotPossible, NotThere
from hackles.wallboard.live_call import SILENCE_S, LiveCall
from hackles.wallboard.scope import scope_of, teams_of
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
                self._stand(engine, said, at)
            case Heard() as said:
                self._take_line(engine, said, at)

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
            is_new = self._step(call, life, Step(step), by, now)
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
                self._let_go(call, now, was_lost=True)

    def _let_go(self, call: LiveCall, at: float, was_lost: bool = False) -> None:
        self._alerts.end(call, at)
        call.episode = None
        self.calls.let_go(call, at, was_lost)

    def _begin(self, call: LiveCall, said: Heard | Standing) -> None:
        self._place(call, said)
        self._alerts.adopt(call)
        self.counts.begin(call.session, call.teams, call.begun_at)
        self.calls.put(call)

    def _place(self, call: LiveCall, said: Heard | Standing) -> None:
        """Note where a call waits and who takes it, as far as that is said."""
        queue, agent = said.queue or call.queue, said.agent or call.agent
        if (queue, agent) != (call.queue, call.agent):
            call.queue, call.agent = queue, agent
            call.teams = teams_of(self.settings.team, queue, agent)

    def _stand(self, engine: Engine, said: Standing, at: float) -> None:
        """Take in how a call stands."""
        if self.calls.may_begin(said.session):
            begun_at = min(said.begun_at, at)
            self._begin(LiveCall(engine.name, said.session, said.call, begun_at), said)
        call = self.calls.find(said.session)
        if call is None or call.engine != engine.name:
            return
        if call.over_at is not None:
            self.calls.put(call)
        self._place(call, said)
        is_redrawn = call.stand(said, at)
        self._resume(call, said)
        self.calls.change(call)
        if is_redrawn:
            call.redrawn = call.version

    def _resume(self, call: LiveCall, said: Standing) -> None:
        """Take up the episode that is under way."""
        call.episode, alert = None, said.since_alert
        if alert and call.state in (State.RISING, State.IRRITATED):
            call.episode = self._alerts.start(call, alert, call.since_at)
            if said.alert is not None:
                call.by_alert[str(said.alert.get("id"))] = call.episode
            self._rest_if_false(call)

    def _take_line(self, engine: Engine, said: Heard, at: float) -> None:
        """Take in a line of a call's record."""
        line = heard.read_line(said.line)
        if isinstance(line, heard.CallLine):
            if line.state == "begun" and self.calls.may_begin(line.session):
                self._begin(LiveCall(engine.name, line.session, line.call, at), said)
            elif line.state == "withdrawn":
                self._withdraw(engine, line.call, at)
            return
        call = self.calls.find(line.session) if line is not None else None
        if line is None or call is None or call.engine != engine.name:
            return
        self._place(call, said)
        if call.was_lost and not isinstance(line, heard.SummaryLine):
            self.calls.put(call)  # only its engine was away
        if call.over_at is None:
            self._take_live(call, line, at)
        self._take_note(call, line)
        self.calls.change(call)

    def _take_live(self, call: LiveCall, line: heard.Line, at: float) -> None:
        match line:
            case heard.ReadingLine():
                call.read(line, at)
            case heard.GapLine():
                call.miss(line, at)
            case heard.AlertLine():
                self._warn(call, line, at)
            case heard.AnswerLine():
                self._answered(call, line, at)
            case heard.SummaryLine():
                self._let_go(call, at)

    def _take_note(self, call: LiveCall, line: heard.Line) -> None:
        """Take in what is of use on the page of a call, also when it is over."""
        match line:
            case heard.CardLine() if not call.cards or call.cards[-1][1] != line.card:
                call.cards.append((line.time, line.card))
            case heard.NoteLine():
                call.notes.append((line.time, line.text))
            case heard.TimingLine():
                call.talk_over_s = line.talk_over_s

    def _warn(self, call: LiveCall, line: heard.AlertLine, at: float) -> None:
        """Take in an alert."""
        if line.withheld is not None:
            call.enter(State.CALM, at)
            call.episode = None
            return
        call.warn(line, at)
        if line.state is not State.EASED and call.episode is None:
            call.episode = self._alerts.start(call, line.id, at)
        if call.episode is not None:
            call.by_alert[line.id] = call.episode
        self._rest_if_false(call)
        if line.state is State.EASED:
            call.episode = None

    def _answered(self, call: LiveCall, line: heard.AnswerLine, at: float) -> None:
        """Take in what an engine has recorded of an alert; that may have come from here."""
        life, step = call.by_alert.get(line.alert), Step(line.verdict)
        if life is not None and life.is_behind(step):
            self._step(call, life, step, line.by or AGENT, at)

    def _step(self, call: LiveCall, life: AlertLife, step: Step, by: str, at: float) -> bool:
        is_new = self._alerts.step(call, life, step, by, at)
        if is_new:
            self._rest_if_false(call)
            self.calls.change(call)
        return is_new

    def _rest_if_false(self, call: LiveCall) -> None:
        """Show calm where people say that the alert is none, as the agent's page does."""
        if call.episode is not None and call.episode.step is Step.FALSE_ALARM:
            call.enter(State.CALM, self.clock())

    def _withdraw(self, engine: Engine, name: str, at: float) -> None:
        """Know nothing more of a call whose caller withdrew consent."""
        gone = self.calls.named(engine.name, name)
        for call in gone:
            self.calls.withdraw(call)
        for call in self.calls:
            if call.earlier:  # among which that call may have been
                call.earlier = []
                self.calls.change(call)
        self._alerts.withdraw(engine.name, name, [call.session for call in gone], at)
        self.calls.version += 1
