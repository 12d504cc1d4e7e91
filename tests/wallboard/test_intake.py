"""However messages arrive, each is handed on once and in order; a hole is noticed."""

import http.client
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hackles.exchange.direct import DirectLink
from hackles.exchange.link import LinkError
from hackles.exchange.messages import Acknowledge, Answer, Beat, Heard, Message, Tell
from hackles.exchange.outbox import Outbox
from hackles.sinks.board import BoardSink
from hackles.wallboard.hearing import HOLE_S, Run
from hackles.wallboard.intake import LARGEST_BODY, Intake
from tests.boards import Board, board, engine, free_port, reading, times
from tests.program import wait_until


def heard(seq: int, run: str = "r", name: str = "a") -> Message:
    line = {"type": "reading", "call": "c", "time": float(seq)}
    return Message(engine=name, run=run, seq=seq, at=1.0, said=Heard(line=line))


def beat(seq: int, run: str = "r", **more) -> Message:
    return Message(engine="a", run=run, seq=seq, at=1.0, said=Beat(calls=1, **more))


class Hall:
    """An intake with a clock of its own, and what it handed on, beats aside."""

    def __init__(self) -> None:
        self.now, self.taken = 100.0, []
        self.intake = Intake(self._take, lambda: self.now)

    def _take(self, message: Message) -> None:
        if not isinstance(message.said, Beat):
            self.taken.append(message.seq)

    def hear(self, *messages: Message) -> None:
        for message in messages:
            self.intake.hear(message)

    def tells(self) -> int:
        return sum(isinstance(order, Tell) for order in self.intake.answer("a").orders)


@given(
    st.lists(st.integers(2, 30), max_size=120).map(lambda seqs: [1, *seqs]),
    st.integers(0, 20),
)
def test_in_whatever_order_and_how_often_they_come_each_is_handed_on_once_in_order(seqs, blank):
    hall = Hall()
    for seq in [*seqs, *range(1, 31)]:
        empty = msgspec.structs.replace(heard(seq), said=Heard(line={}))
        hall.hear(empty if seq == blank else heard(seq), beat(seq))
    assert hall.taken == [seq for seq in range(1, 31) if seq != blank]
    assert hall.intake.answer("a").heard == 30
    assert hall.tells() == 1


@given(st.sets(st.integers(2, 40)), st.lists(st.integers(0, 3), min_size=60, max_size=60))
def test_what_never_comes_is_waited_for_and_then_everything_is_asked_for(lost, pauses):
    hall = Hall()
    for seq, pause in zip(range(1, 42), pauses, strict=False):
        hall.now += pause
        if seq not in lost or seq == 41:
            hall.hear(heard(seq))
    hall.hear(beat(41, done={hall.intake.board: 1}))
    for _ in range(len(lost) + 1):
        hall.now += HOLE_S
        hall.hear(beat(41))
    assert hall.taken == [seq for seq in range(1, 42) if seq not in lost or seq == 41]
    holes = len(lost - {41})
    assert bool(hall.tells()) == bool(holes)
    assert hall.intake.answer("a").heard == 41


def test_a_hole_that_is_filled_in_time_is_none():
    hall = Hall()
    hall.hear(heard(1), beat(1, done={hall.intake.board: 1}), heard(3), heard(4))
    assert hall.taken == [1]
    assert hall.intake.answer("a").heard == 1
    hall.now += HOLE_S / 2
    hall.hear(heard(2))
    assert hall.taken == [1, 2, 3, 4]
    assert hall.tells() == 0


def test_what_waits_behind_a_hole_is_bounded():
    run = Run("r")
    run.put(heard(1), 0.0)
    got = [one for seq in range(3, 40_000) for one in run.put(heard(seq), 0.0)]
    assert [message.seq for message in got] == list(range(3, 40_000))


def test_another_run_begins_anew_and_what_the_one_before_left_behind_is_not_heard():
    hall = Hall()
    hall.hear(heard(1), heard(2))
    hall.intake.acknowledge("a", "s", "x", "seen", "anna", 5.0)
    hall.hear(heard(1, "new"), heard(3), heard(4), heard(2, "new"))
    assert hall.taken == [1, 2, 1, 2]
    answer = hall.intake.answer("a")
    assert (answer.run, answer.heard) == ("new", 2)
    assert [type(order) for order in answer.orders] == [Tell]


def test_two_engines_of_one_name_are_told_of_and_what_a_run_left_behind_is_not(caplog):
    hall = Hall()
    hall.hear(heard(1, run="a"), beat(1, run="a"), heard(1, run="b"))
    hall.hear(*[heard(seq, run="a") for seq in range(2, 30)], beat(1, run="a"))
    assert not caplog.text
    for _ in range(30):
        hall.hear(beat(30, run="a"), beat(1, run="b"))
    assert caplog.text.count("Two engines are named 'a'") == 1


def test_orders_are_told_until_they_are_confirmed_and_to_their_engine_alone():
    hall = Hall()
    hall.hear(heard(1), heard(1, name="b"))
    for verdict in ("seen", "helping"):
        hall.intake.acknowledge("a", "s", "x", verdict, "anna", 5.0)
    assert hall.intake.unsaid == {"a"}
    orders = hall.intake.answer("a").orders
    assert [type(order) for order in orders] == [Tell, Acknowledge, Acknowledge]
    assert hall.intake.answer("a").orders == orders
    assert hall.intake.unsaid == set()
    hall.hear(beat(1, done={"another board": 99, hall.intake.board: orders[1].seq}))
    assert hall.intake.answer("a").orders == orders[2:]
    assert [type(order) for order in hall.intake.answer("b").orders] == [Tell]


def test_a_fault_of_whoever_takes_a_message_keeps_out_no_other(caplog):
    taken = []

    def take(message):
        taken.append(message.seq)
        raise KeyError(message.seq)

    intake = Intake(take)
    for seq in (1, 2, 3):
        intake.hear(heard(seq))
    assert taken == [1, 2, 3]
    assert caplog.text.count("Left out") == 1


@pytest.mark.parametrize("at", ["-1e300", "1e300", "-1"])
def test_a_time_of_which_no_date_can_be_made_is_no_message(at):
    hall = Hall()
    said = b'{"engine":"a","run":"r","seq":1,"at":%s,"said":{"kind":"heard","line":{}}}'
    assert hall.intake.read(said % at.encode()) == ""
    assert hall.intake.read(said % b"1") == "a"


# Both ends, and a way between them that fails in all ways there are.


class Rough:
    """A broker that is cut, forgets, and whose answers get lost."""

    def __init__(self, hall: Hall) -> None:
        self.hall, self.fates, self.held = hall, iter(()), []

    def send(self, messages):
        fate = next(self.fates, "well")
        if fate == "cut":
            raise LinkError("cut")
        self.held += messages[: len(messages) // 2] if fate == "halved" else messages
        if fate == "forgotten":
            self.held = []
        if fate != "held":
            self.hall.hear(*self.held)
            self.held = []
        if fate != "well":
            raise LinkError("perhaps it arrived")
        return [self.hall.intake.answer("a")]

    def forget(self, seqs):
        self.held = [message for message in self.held if message.seq not in set(seqs)]

    def close(self):
        pass


FATES = st.lists(st.sampled_from(["well", "cut", "halved", "forgotten", "held", "unsaid"]))


@given(FATES, st.lists(st.sampled_from([1, 2, 250, "order", "rest", "withdraw"]), max_size=30))
def test_over_a_way_that_fails_in_every_way_all_arrives_once_and_orders_are_obeyed_once(
    fates, steps
):
    hall, obeyed, said, calls, ordered = Hall(), [], 0, 1, 0
    link, outbox = Rough(hall), Outbox("a", "r")
    sink = BoardSink(
        link, outbox, lambda order: obeyed.append(order) is None, lambda: hall.now, lambda: 1.0
    )
    link.fates = iter(fates)
    for step in [1, *steps, *["rest"] * (5 * len(fates) + 60)]:
        hall.now += 0.5
        if step == "order":
            hall.intake.acknowledge("a", "s", "x", "seen", "b", 1.0)
            ordered += 1
        elif step == "rest":
            sink.rest()
        elif step == "withdraw":
            sink.forget(f"call {calls}")
            calls, said = calls + 1, said + 1
        else:
            sink.write([reading(said + one, f"call {calls}") for one in range(step)])
            said += step
    assert not outbox
    assert hall.taken == sorted(set(hall.taken))
    if "withdraw" not in steps:
        assert hall.taken == list(range(1, said + 1))
    assert hall.intake.answer("a").heard == said
    assert [order for order in obeyed if isinstance(order, Acknowledge)] == sorted(
        {order for order in obeyed if isinstance(order, Acknowledge)}, key=lambda order: order.seq
    )
    assert sum(isinstance(order, Acknowledge) for order in obeyed) == ordered


# The direct way in.


@pytest.fixture(scope="module")
def served():
    port = free_port()
    with board() as wall:
        wall.serve(port)
        yield wall, port


def posted(port: int, body: bytes) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", "/feed", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    said = answer.read()
    connection.close()
    return answer.status, said


def test_messages_are_answered_with_what_was_heard_and_those_that_are_none_are_left_out(served):
    wall, port = served
    good = [json.loads(msgspec.json.encode(heard(seq, name="direct"))) for seq in (1, 2)]
    bad = [{}, 5, good[0] | {"said": {"kind": "new"}}, good[0] | {"engine": "x" * 300}]
    status, said = posted(port, json.dumps([*bad, good[0], *bad, good[1]]).encode())
    answer = msgspec.json.decode(said, type=Answer)
    assert (status, answer.heard, answer.run) == (200, 2, "r")
    assert times(wall.of("direct")) == [1, 2]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"{}", 422),
        (b"[]", 422),
        (b"[{}]", 422),
        (b"[" * 100_000, 422),
        (b"\xff", 422),
        (b" " * (LARGEST_BODY + 1), 413),
    ],
    ids=range(7),
)
def test_what_has_no_message_in_it_is_refused(served, body, status):
    assert posted(served[1], body)[0] == status


def test_a_board_that_is_started_again_gets_what_was_not_confirmed_and_asks_for_the_rest():
    port = free_port()
    first = Board()
    first.serve(port)
    with engine("a", DirectLink(f"http://127.0.0.1:{port}", "")) as one:
        one.say(0, 50)
        wait_until(lambda: len(first.messages) == 50 and not one.outbox)
        first.close()
        one.say(50, 50)
        wait_until(lambda: len(one.outbox) == 50)
        with board() as second:
            second.serve(port)
            wait_until(lambda: times(second.messages) == list(range(50, 100)))
            second.acknowledge("a", "s1", "x", "false_alarm", "anna", 5.0)
            wait_until(lambda: len(one.orders) == 3)
            wait_until(lambda: not second.intake.answer("a").orders)
    assert [type(order) for order in one.orders] == [Tell, Tell, Acknowledge]
