"""A board, engines that say things to it, and a clock that stands still unless it is set."""

import msgspec

from hackles.exchange.messages import Beat, Heard, Message, Standing
from hackles.records import Acknowledgement, CallNews, LiveRecord, live_line
from hackles.types import Alert, Evidence, Gap, Reading, Reason, State, Summary
from hackles.wallboard import floor as floors
from hackles.wallboard.book import Book
from hackles.wallboard.floor import Floor
from hackles.wallboard.settings import Escalation, Settings, Team
from hackles.wallboard.viewer import ALL_TEAMS, Role, Viewer

NOON = 1_750_000_000.0
PITCH = Evidence("pitch", "semitones", 2.0, 5.2)

TEAMS = (Team("Sales", queues=("sales",)), Team("Help", queues=("help",), agents=("a9",)))
ANNA = Viewer("anna", frozenset({Role.SUPERVISOR}), frozenset({ALL_TEAMS}))
BEN = Viewer("ben", frozenset({Role.SUPERVISOR}), frozenset({"Sales"}))
HEDY = Viewer("hedy", frozenset({Role.SUPERVISOR}), frozenset({"Help"}))
CLERK = Viewer("carl", frozenset({Role.AGENT}), frozenset(), agent="a7")
ANALYST = Viewer("ada", frozenset({Role.ANALYST}), frozenset({ALL_TEAMS}))
ADMINISTRATOR = Viewer("root", frozenset({Role.ADMINISTRATOR}), frozenset({ALL_TEAMS}))

RULES = (
    Escalation(after_s=20, do="notify_supervisor"),
    Escalation(after_s=60, do="hand_over", left="unhelped", state="rising"),
)


class World:
    """All of it."""

    def __init__(self, folder, rules=RULES, teams=TEAMS):
        self.folder, self.now = folder, NOON
        self.settings = Settings(team=teams, escalation=rules)
        self.happenings, self.acknowledged = [], []
        self.seqs, self.times = {}, {}
        self.run = "run 1"
        self.open()

    def open(self):
        """Start the board."""
        self.book = Book(self.folder, [floors.TABLES])
        self.floor = Floor(
            self.settings,
            self.book,
            self.happenings.append,
            lambda *said: self.acknowledged.append(said),
            lambda: self.now,
        )

    def restart(self):
        """Start the board anew."""
        self.book.close()
        self.open()

    def say(self, said, engine="north"):
        """Have an engine say something."""
        self.seqs[engine] = self.seqs.get(engine, 0) + 1
        self.floor.take(
            Message(engine=engine, run=self.run, seq=self.seqs[engine], at=self.now, said=said)
        )

    def beat(self, engine="north", **values):
        """Have an engine say that it is there, and let the board look at its clock."""
        self.say(Beat(**({"calls": 0} | values)), engine)
        self.floor.tick()

    def wait(self, seconds, *engines):
        """Let time pass, second by second, while these engines are heard."""
        for _ in range(int(seconds)):
            self.now += 1.0
            for engine in engines:
                self.beat(engine)
            self.floor.tick()

    def record(self, session, event, engine="north", queue="sales", agent="a7", withheld=None):
        """Have an engine tell what happened in a call, as its record has it."""
        live = LiveRecord(
            f"call of {session}", session, queue, agent, self.now, event, withheld=withheld
        )
        line = msgspec.json.decode(live_line(live))
        self.say(Heard(line=line, queue=queue, agent=agent), engine)
        return line.get("id", "")

    def begin(self, session, **where):
        """Begin a call."""
        self.record(session, CallNews("begun"), **where)

    def read(self, session, irritation=0.2, **where):
        """Have the customer speak for a second."""
        time = self._time(session)
        self.record(session, Reading(time, irritation, 0.5, 0.9), **where)

    def alert(self, session, state="rising", **where):
        """Have a caller's state change, and return the alert's id."""
        time = self._time(session)
        alert = Alert(time, time - 2, State(state), 0.7, 0.1, 0.8, (PITCH,))
        return self.record(session, alert, **where)

    def gap(self, session, reason="music", **where):
        """Have something that cannot be scored."""
        time = self._time(session)
        self.record(session, Gap(time, time - 1, Reason(reason)), **where)

    def end(self, session, **where):
        """End a call."""
        self.record(session, Summary(60.0, 30.0, 0.5, 0.3, 1, None), **where)

    def withdraw(self, session, engine="north"):
        """Have a caller withdraw consent: the line bears no session."""
        live = LiveRecord(f"call of {session}", "", "", "", self.now, CallNews("withdrawn"))
        self.say(Heard(line=msgspec.json.decode(live_line(live))), engine)

    def stand(self, session, engine="north", **known):
        """Have an engine tell how a call stands."""
        values = {"begun_at": self.now - 60, "queue": "sales", "agent": "a7"} | known
        self.say(Standing(call=f"call of {session}", session=session, **values), engine)

    def answer(self, session, alert, verdict):
        """Have the agent say something of an alert."""
        self.record(session, Acknowledgement(self._time(session), alert, verdict))

    def row(self, session, viewer=ANNA):
        """Return a call's row."""
        return next(row for row in self.view(viewer).rows if row.session == session)

    def view(self, viewer=ANNA, language="en"):
        """Return the board."""
        return self.floor.view(viewer, language)

    def kinds(self):
        """Return what happened."""
        return [happening.kind for happening in self.happenings]

    def _time(self, session):
        self.times[session] = self.times.get(session, 0.0) + 1.0
        return self.times[session]
