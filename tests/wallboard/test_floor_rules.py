"""Whatever happens, in whatever order: what must be true of the board all the time."""

import tempfile
from collections import Counter

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hackles.wallboard.life import NotPossible, NotThere
from hackles.wallboard.scope import scope_of
from hackles.wallboard.shapes import View
from hackles.wallboard.views import Watch, view
from tests.wallboard.reader import Reader
from tests.wallboard.world import ANALYST, ANNA, BEN, CLERK, HEDY, World

SESSIONS = st.sampled_from(["s1", "s2", "s3", "s4"])
STATES = st.sampled_from(["rising", "irritated", "eased"])
STEPS = st.sampled_from(["seen", "helping", "resolved", "false_alarm"])
PLACE = {"raised": 0, "seen": 1, "helping": 2}
WHERE = {
    "s1": {"engine": "north", "queue": "sales", "agent": "a7"},
    "s2": {"engine": "north", "queue": "help", "agent": ""},
    "s3": {"engine": "south", "queue": "sales", "agent": "a9"},
    "s4": {"engine": "south", "queue": "", "agent": ""},
}


class Board(RuleBasedStateMachine):
    """Engines, people and the clock at one board, with a reader for each kind of viewer."""

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.world = World(self.folder.name)
        self.steps, self.places, self.alerts = {}, {}, []
        self.watch()

    def teardown(self):
        self.world.book.close()
        self.folder.cleanup()

    def watch(self):
        self.readers = []
        for who in (ANNA, BEN, HEDY, CLERK, ANALYST):
            watch, reader = Watch(self.world.floor, scope_of(who), "en"), Reader()
            reader.read("view", msgspec.json.encode(watch.view()))
            self.readers.append((watch, reader))

    @rule(session=SESSIONS)
    def begin(self, session):
        self.world.begin(session, **WHERE[session])

    @rule(session=SESSIONS, level=st.floats(0, 1), n=st.integers(1, 4))
    def read(self, session, level, n):
        for _ in range(n):
            self.world.read(session, level, **WHERE[session])

    @rule(session=SESSIONS)
    def read_after_a_long_time(self, session):
        self.world.times[session] = self.world.times.get(session, 0.0) + 100.04
        self.world.read(session, 0.5, **WHERE[session])

    @rule(session=SESSIONS, state=STATES, withheld=st.sampled_from([None, None, "snoozed"]))
    def alert(self, session, state, withheld):
        id_ = self.world.alert(session, state, withheld=withheld, **WHERE[session])
        self.alerts.append((session, id_))

    @rule(session=SESSIONS)
    def gap(self, session):
        self.world.gap(session, **WHERE[session])

    @rule(session=SESSIONS)
    def end(self, session):
        self.world.end(session, **WHERE[session])

    @rule(session=SESSIONS)
    def withdraw(self, session):
        self.world.withdraw(session, WHERE[session]["engine"])
        assert f"call of {session}" not in repr(self.world.view())

    @rule(session=SESSIONS, n=st.integers(0, 3), state=st.sampled_from(["calm", "rising"]))
    def stand(self, session, n, state):
        now = self.world.times.get(session, 0.0)
        points = [(now + i, 0.25 * i) for i in range(n)]
        self.world.times[session] = now + n
        since = next(
            (id_ for of, id_ in reversed(self.alerts) if of == session), f"unheard of {session}"
        )
        since = since if state == "rising" else ""
        known = {"points": points, "time": now + n, "state": state, "since_alert": since}
        self.world.stand(session, **WHERE[session], **known)

    @precondition(lambda self: self.alerts)
    @rule(step=STEPS, who=st.sampled_from([ANNA, BEN, HEDY, CLERK]), nth=st.integers(0, 30))
    def step(self, step, who, nth):
        try:
            self.world.floor.step(who, self.alerts[nth % len(self.alerts)][1], step, "en")
        except (NotPossible, NotThere):
            pass

    @precondition(lambda self: self.alerts)
    @rule(nth=st.integers(0, 30), verdict=st.sampled_from(["seen", "false_alarm"]))
    def answer(self, nth, verdict):
        self.world.answer(*self.alerts[nth % len(self.alerts)], verdict)

    @rule(
        seconds=st.sampled_from([1, 7, 25, 65]), who=st.sampled_from(["", "north", "north south"])
    )
    def wait(self, seconds, who):
        self.world.wait(seconds, *who.split())

    @rule(is_shadow=st.booleans())
    def beat(self, is_shadow):
        self.world.beat("north", shadow=is_shadow)

    @rule()
    def new_run(self):
        self.world.run += "+"
        self.world.beat("north")

    @rule()
    def restart(self):
        self.world.restart()
        self.places = {}
        self.watch()

    @invariant()
    def a_reader_who_applies_changes_has_the_board_as_it_is(self):
        for watch, reader in self.readers:
            told = watch.changes()
            if told is not None:
                name = "view" if isinstance(told, View) else "changes"
                reader.read(name, msgspec.json.encode(told))
            whole = msgspec.to_builtins(view(self.world.floor, watch._scope, "en"))
            for one in (whole, reader.view):
                one["rows"] = msgspec.json.decode(msgspec.json.encode(one["rows"]))
            moving = {"at", "version"}
            assert {k: v for k, v in reader.view.items() if k not in moving} == {
                k: v for k, v in whole.items() if k not in moving
            }

    @invariant()
    def the_order_has_exactly_the_rows(self):
        whole = self.world.view()
        assert Counter(whole.order) == Counter(row.session for row in whole.rows)

    @invariant()
    def a_life_never_goes_back(self):
        lives = {life.alert: life for call in self.world.floor.calls for life in call.lives}
        for id_, life in lives.items():
            before = self.steps.get(id_, "raised")
            place = PLACE.get(life.step, 3)
            assert place > PLACE.get(before, 3) or life.step == before
            self.steps[id_] = str(life.step)

    @invariant()
    def two_calls_whose_needs_stay_keep_their_order(self):
        calls = {call.session: call for call in self.world.floor.calls}
        order = self.world.view().order
        places = {id_: (order.index(id_), calls[id_].place.need) for id_ in order}
        same = [
            id_
            for id_ in places
            if id_ in self.places
            and self.places[id_][1:] == (calls[id_].place.need, calls[id_].begun_at)
        ]
        before = sorted(same, key=lambda id_: self.places[id_][0])
        assert before == [id_ for id_ in order if id_ in same]
        self.places = {
            id_: (place, need, calls[id_].begun_at) for id_, (place, need) in places.items()
        }

    @invariant()
    def nothing_is_told_twice(self):
        ids = Counter(one.id for one in self.world.happenings if one.kind.startswith("alert."))
        assert not [id_ for id_, n in ids.items() if n > 1]


TestBoard = Board.TestCase
TestBoard.settings = settings(
    max_examples=300,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
