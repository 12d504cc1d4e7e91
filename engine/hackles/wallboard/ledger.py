"""What engines say of calls, taken in: line by line, or as a whole."""

from hackles.exchange.messages import Heard, Standing
from hackles.types import State
from hackles.wallboard import heard
from hackles.wallboard.alerts import Alerts
from hackles.wallboard.calls import Calls
from hackles.wallboard.hosts import Engine
from hackles.wallboard.life import AGENT, AlertLife
from hackles.wallboard.live_call import LiveCall
from hackles.wallboard.scope import teams_of
from hackles.wallboard.settings import Team
from hackles.wallboard.shapes import Step


class Ledger:
    """Makes of it what the board knows."""

    def __init__(self, calls: Calls, alerts: Alerts, teams: tuple[Team, ...]) -> None:
        """Take in what is said of these calls."""
        self._calls, self._alerts, self._teams = calls, alerts, teams

    def take(self, engine: Engine, said: Heard, at: float) -> None:
        """Take in a line of a call's record."""
        line = heard.read_line(said.line)
        if isinstance(line, heard.CallLine):
            if line.state == "begun" and self._calls.may_begin(line.session):
                self._begin(LiveCall(engine.name, line.session, line.call, at), said)
            elif line.state == "withdrawn":
                self._withdraw(engine, line.call, at)
            return
        call = self._calls.find(line.session) if line is not None else None
        if line is None or call is None or call.engine != engine.name:
            return
        self._place(call, said)
        if call.was_lost:
            self._calls.put(call)  # only its engine was away
        if call.over_at is None:
            self._take_live(call, line, at)
        self._take_note(call, line)
        self._calls.change(call)

    def stand(self, engine: Engine, said: Standing, at: float) -> None:
        """Take in how a call stands."""
        if self._calls.may_begin(said.session):
            begun_at = min(said.begun_at, at)
            self._begin(LiveCall(engine.name, said.session, said.call, begun_at), said)
        call = self._calls.find(said.session)
        if call is None or call.engine != engine.name:
            return
        if call.was_lost:
            self._calls.put(call)
        self._place(call, said)
        is_redrawn = call.stand(said, at)
        self._resume(call, said, at)
        self._calls.change(call)
        if is_redrawn:
            call.redrawn = call.version

    def let_go(self, call: LiveCall, at: float, was_lost: bool = False) -> None:
        """Take a call from the board, and end its alerts."""
        self._alerts.end(call, at)
        call.episode = None
        self._calls.let_go(call, at, was_lost)

    def step(self, call: LiveCall, life: AlertLife, step: Step, by: str, at: float) -> bool:
        """Take a step of an alert's life, and return whether that changed anything.

        Raises:
            NotPossible: if it has come further, or to another end.
        """
        is_new = self._alerts.step(call, life, step, by, at)
        if is_new:
            self._rest_if_false(call, at)
            self._calls.change(call)
        return is_new

    def _begin(self, call: LiveCall, said: Heard | Standing) -> None:
        self._place(call, said)
        self._alerts.adopt(call)
        self._alerts.counts.begin(call.session, call.teams, call.begun_at)
        self._calls.put(call)

    def _place(self, call: LiveCall, said: Heard | Standing) -> None:
        """Note where a call waits and who takes it, as far as that is said."""
        queue, agent = said.queue or call.queue, said.agent or call.agent
        if (queue, agent) != (call.queue, call.agent):
            call.queue, call.agent = queue, agent
            call.teams = teams_of(self._teams, queue, agent)

    def _resume(self, call: LiveCall, said: Standing, at: float) -> None:
        """Take up the episode that is under way."""
        call.episode, alert = None, said.since_alert
        if alert and call.state in (State.RISING, State.IRRITATED):
            newest = str(said.alert.get("id")) if said.alert is not None else alert
            known = call.by_alert.get(newest)
            call.episode = known or self._alerts.start(call, alert, call.since_at)
            call.by_alert[newest] = call.episode
            self._rest_if_false(call, at)

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
                self.let_go(call, at)

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
        is_open = call.episode is not None and call.episode.step is not Step.RESOLVED
        if line.state is not State.EASED and not is_open:
            # Whoever said that it is resolved could not know of what came after.
            call.episode = self._alerts.start(call, line.id, at)
        if call.episode is not None:
            call.by_alert[line.id] = call.episode
        self._rest_if_false(call, at)
        if line.state is State.EASED:
            call.episode = None

    def _answered(self, call: LiveCall, line: heard.AnswerLine, at: float) -> None:
        """Take in what an engine has recorded of an alert; that may have come from here."""
        life, step = call.by_alert.get(line.alert), Step(line.verdict)
        if life is not None and life.is_behind(step):
            self.step(call, life, step, line.by or AGENT, at)

    def _rest_if_false(self, call: LiveCall, at: float) -> None:
        """Show calm where people say that the alert is none, as the agent's page does."""
        if call.episode is not None and call.episode.step is Step.FALSE_ALARM:
            call.enter(State.CALM, at)

    def _withdraw(self, engine: Engine, name: str, at: float) -> None:
        """Know nothing more of a call whose caller withdrew consent."""
        gone = self._calls.named(engine.name, name)
        for call in gone:
            self._calls.withdraw(call)
        for call in self._calls.all():
            if call.earlier:  # among which that call may have been
                call.earlier = []
                self._calls.change(call)
        self._alerts.withdraw(engine.name, name, [call.session for call in gone], at)
        self._calls.version += 1
