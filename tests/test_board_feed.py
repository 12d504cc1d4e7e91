"""What wallboards are told: what people may see, each thing until it is confirmed, no wish lost."""

import asyncio
import http.server
import socket
import threading
import time
from typing import ClassVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hackles.exchange.direct import DirectLink
from hackles.exchange.link import LinkError
from hackles.exchange.messages import Acknowledge, Answer, Beat, Heard, Message, Standing, Tell
from hackles.exchange.outbox import Outbox
from hackles.guidance import load
from hackles.live.cues import Cues
from hackles.live.curve import EASED_S
from hackles.live.desk import Desk
from hackles.live.lookups import Lookups
from hackles.live.metrics import Metrics
from hackles.live.news import Begun, Ended, Report, Session, Timed, Told
from hackles.live.showing import Showing
from hackles.records import CallNews, Earlier, Note, Outcome, Timing, event_id
from hackles.settings import Alerts
from hackles.sinks.board import BoardSink, said
from hackles.sinks.sink import Feed
from hackles.types import Alert, Evidence, Reading, State, Summary
from tests.boards import alert, reading
from tests.program import wait_until
from tests.test_desk import Kept

CALL = Session("s1", "call 1", "sales", "a7")
MOVED = (Evidence("pitch", "semitones", 20.0, 23.2), Evidence("tempo", "syllables/s", 4.0, 4.7))


class Line:
    """A link that keeps what is sent, answers as it is told to, and may be cut."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.answers: list[Answer] = []
        self.forgotten: list[int] = []
        self.is_cut, self.confirms, self.tries = False, True, 0

    def send(self, messages):
        self.tries += 1
        if self.is_cut:
            raise LinkError("cut")
        self.sent += messages
        answers, self.answers = self.answers, []
        heard = messages[-1].seq if self.confirms else 0
        return [*answers, Answer(board="b", run="r", heard=heard)]

    def forget(self, seqs):
        self.forgotten += seqs

    def close(self):
        pass

    def seqs(self) -> list[int]:
        return [message.seq for message in self.sent if not isinstance(message.said, Beat)]

    def said(self) -> list:
        return [one.said for one in self.sent if not isinstance(one.said, Beat)]

    def beats(self) -> list[Beat]:
        return [message.said for message in self.sent if isinstance(message.said, Beat)]


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Sunk:
    """A sink called by hand, with a clock of its own."""

    def __init__(self, room: int = 20_000) -> None:
        self.clock, self.line, self.orders = Clock(), Line(), []
        self.outbox = Outbox("a", "r", room)
        self.is_ready = True
        self.sink = BoardSink(self.line, self.outbox, self._obey, self.clock, self.clock)

    def _obey(self, order) -> bool:
        if self.is_ready:
            self.orders.append(order)
        return self.is_ready

    def rest(self, seconds: float) -> None:
        for _ in range(round(2 * seconds)):
            self.clock.now += 0.5
            self.sink.rest()


def end():
    record = reading(0)
    summary = Summary(9.0, 4.0, None, None, 0, None)
    return type(record)("call 1", "s1", "", "", 1.0, summary)


def withdrawn(call="call 1"):
    record = reading(0, call)
    return type(record)(call, "", "", "", 1.0, CallNews("withdrawn"))


# What is kept, and what is told.


@given(st.lists(st.sampled_from(["say", "wish", "next", "again", "confirm"]), max_size=200))
def test_nothing_is_let_go_unconfirmed_but_the_oldest_and_no_wish_ever(steps):
    outbox, heard, wishes, told = Outbox("a", "r", room=10), set(), 0, 0
    for step in steps:
        if step == "say":
            outbox.say(said(reading(1)), 0.0)
            told += 1
        elif step == "wish":
            wishes += 1
            outbox.say(said(withdrawn(f"call {wishes}")), 0.0)
        elif step == "next":
            heard |= {m.said.line["call"] for m in outbox.next(3) if _is_wish(m)}
        elif step == "again":
            outbox.again()
        else:
            outbox.confirm(outbox.beat(Beat(calls=0), 0.0).seq)
    outbox.again()
    waiting = outbox.next(1000)
    assert [m.seq for m in waiting] == sorted({m.seq for m in waiting})
    heard |= {m.said.line["call"] for m in waiting if _is_wish(m)}
    assert heard == {f"call {number + 1}" for number in range(wishes)}
    assert len(waiting) <= 10 + wishes
    assert outbox.lost <= told


def _is_wish(message: Message) -> bool:
    return isinstance(message.said, Heard) and message.said.line.get("state") == "withdrawn"


def test_a_reading_travels_as_its_json_line_and_an_alert_with_its_card():
    one = Sunk()
    one.sink.write([reading(3), alert(9, card="listen")])
    first, second = (message.said for message in one.line.sent[:2])
    assert first.line["type"] == "reading"
    assert (first.line["time"], first.line["session"], first.queue, first.agent) == (
        3.0,
        "s1",
        "sales",
        "a7",
    )
    assert (second.line["state"], second.card) == ("rising", "listen")
    assert [message.seq for message in one.line.sent] == [1, 2, 2]
    assert not one.outbox


def test_what_no_board_shows_does_not_travel():
    one = Sunk()
    record = reading(3)
    form = type(record)("call 1", "s1", "", "", 1.0, Outcome(9.0, "resolved", "a parcel"))
    one.sink.write([form])
    assert one.line.seqs() == []


def test_readings_wait_for_others_for_a_moment_and_an_alert_for_nothing():
    one = Sunk()
    one.sink.write([reading(1)])
    one.sink.write([reading(2)])
    assert one.line.seqs() == [1]
    one.sink.write([alert(3)])
    assert one.line.seqs() == [1, 2, 3]


def test_while_the_board_is_away_all_is_kept_told_again_in_order_and_complained_of_once_a_minute(
    caplog,
):
    one = Sunk()
    caplog.set_level("INFO", "hackles")
    one.line.is_cut = True
    for number in range(500):
        one.sink.write([alert(number)])
        one.rest(1)
    assert len(one.outbox) == 500
    assert caplog.text.count("it cannot be reached (cut)") == pytest.approx(500 / 60, abs=1)
    assert one.line.tries <= 1.1 * 500
    one.line.is_cut = False
    one.rest(3)
    assert one.line.seqs() == list(range(1, 501))
    assert not one.outbox
    assert caplog.text.count("reached again") == 1


def test_a_board_that_is_away_while_nothing_happens_is_not_said_to_be_reached(caplog):
    one = Sunk()
    caplog.set_level("INFO", "hackles")
    one.line.is_cut = True
    one.rest(100)
    assert one.line.tries > 20
    assert "reached again" not in caplog.text
    one.line.is_cut = False
    one.rest(5)
    assert caplog.text.count("reached again") == 1


def test_more_than_there_is_room_for_goes_and_the_beats_say_how_much(caplog):
    one = Sunk(room=100)
    one.line.is_cut = True
    one.sink.forget("call 2")
    one.sink.write([end(), *(reading(number) for number in range(300))])
    one.line.is_cut = False
    one.rest(3)
    heard = [said.line["type"] for said in one.line.said()]
    assert (heard.count("call"), heard.count("summary")) == (1, 1)
    lost = 302 - len(heard)
    assert one.line.beats()[-1].lost == lost == pytest.approx(201, abs=2)
    assert caplog.text.count(f"{lost} messages it did not hear were let go") == 1


def test_what_nobody_confirms_is_sent_again_more_and_more_seldom():
    one = Sunk()
    one.line.confirms = False
    one.sink.write([alert(1)])
    counts = []
    for _ in range(6):
        one.rest(60)
        counts.append(one.line.seqs().count(1))
    assert 3 <= counts[0] <= 6
    assert counts[-1] - counts[-2] == 1


def test_an_order_is_obeyed_once_as_soon_as_it_can_be_and_the_beats_confirm_it():
    one = Sunk()
    orders = [
        Tell(seq=4),
        Acknowledge(seq=6, session="s1", alert="x", verdict="seen", by="b", at=1),
    ]
    one.is_ready = False
    one.line.answers = [Answer(board="b", run="r", heard=0, orders=orders)]
    one.rest(1)
    assert one.orders == []
    one.is_ready = True
    for answer in (
        Answer(board="b", run="another", heard=9, orders=[Tell(seq=9)]),
        Answer(board="b", run="r", heard=0, orders=orders),
        Answer(board="b", run="r", heard=0, orders=orders),
        Answer(board="c", run="r", heard=0, orders=[Tell(seq=1)]),
    ):
        one.line.answers = [answer]
        one.rest(1)
    assert one.orders == [*orders, Tell(seq=1)]
    one.rest(1)
    assert one.line.beats()[-1].done == {"b": 6, "c": 1}


def test_of_a_call_whose_caller_withdrew_nothing_waits_but_that_this_is_so():
    one = Sunk()
    one.line.confirms = False
    one.sink.write([reading(1), alert(2), reading(3, "another")])
    one.line.sent.clear()
    one.sink.forget("call 1")
    one.sink.write([withdrawn()])  # as the desk says it, too
    assert one.line.forgotten == [1, 2]
    one.outbox.again()
    calls = [message.said.line.get("call") for message in one.outbox.next(99)]
    assert calls == [None, None, "another", "call 1"]
    assert all("call 1" not in str(message) or _is_wish(message) for message in one.line.sent)


# The direct way.


class _Answers(http.server.BaseHTTPRequestHandler):
    status, said, protocol_version = 200, b"", "HTTP/1.1"
    bodies: ClassVar[list[bytes]] = []

    def do_POST(self):
        self.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        if self.status:
            self.send_response(self.status)
            self.send_header("Content-Length", str(len(self.said)))
            self.end_headers()
            self.wfile.write(self.said)

    def log_message(self, *said):
        pass


@pytest.fixture(scope="module")
def answering():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever).start()
        link = DirectLink(f"http://127.0.0.1:{server.server_port}/under/", "secret")
        yield link
        link.close()
        server.shutdown()


def message(seq: int, text: str = "") -> Message:
    return Message(engine="a", run="r", seq=seq, at=1.0, said=Heard(line={"text": text}))


@pytest.mark.parametrize(
    ("status", "answer", "why"),
    [
        (401, b"", "the board does not know the secret in token_file"),
        (404, b"", "correct url"),
        (302, b"", "the status 302"),
        (500, b"oh", "the status 500"),
        (200, b"<html>", "no board of this version"),
        (200, b"[" * 5000, "no board of this version"),
        (0, b"", "timed out"),
    ],
)
def test_whatever_answers_otherwise_than_a_board_is_a_link_error(answering, status, answer, why):
    _Answers.status, _Answers.said = status, answer
    if not status:
        answering._connection.timeout = 0.1
    with pytest.raises(LinkError, match=why):
        answering.send([message(1)])
    answering.close()


def test_much_is_sent_in_several_goes(answering):
    _Answers.bodies.clear()
    _Answers.status = 200
    _Answers.said = msgspec.json.encode(Answer(board="b", run="r", heard=0))
    messages = [message(seq, "x" * 300_000) for seq in range(1, 10)]
    assert len(answering.send(messages)) == len(_Answers.bodies) == 3
    sent = [msgspec.json.decode(body, type=list[Message]) for body in _Answers.bodies]
    assert [one for some in sent for one in some] == messages


def test_who_hangs_up_may_want_https():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            with server.accept()[0] as connection:
                connection.recv(65536)

        threading.Thread(target=hang_up).start()
        link = DirectLink(f"http://127.0.0.1:{server.getsockname()[1]}", "")
        with pytest.raises(LinkError, match="https://"):
            link.send([message(1)])


# The desk.


class Office:
    """A desk whose board is heard in."""

    def __init__(self, alerts: Alerts = Alerts(), earlier=None) -> None:  # noqa: B008
        self.line, self.withdrawn = Line(), set()
        self.outbox = Outbox("a", "r")
        self.feed = Feed(BoardSink(self.line, self.outbox, lambda _: True))
        self.desk = Desk(
            [],
            Cues(load(), Showing(alerts)),
            Metrics(),
            print,
            self.withdrawn.__contains__,
            lambda number: number,
            board=self.feed,
            lookups=Lookups(earlier) if earlier else None,
        )

    def take(self, *news) -> None:
        self.desk.take(0, Report(news))

    def heard(self) -> list:
        self.desk.close(10)
        return self.line.said()


def warning(time_s: float, state: State = State.RISING) -> Alert:
    return Alert(time_s, time_s - 5, state, 0.4, 1.0, 0.8, MOVED)


def told(time_s: float, state: State = State.RISING) -> Told:
    return Told("s1", warning(time_s, state), 0.1)


def level(time_s: float) -> Told:
    return Told("s1", Reading(time_s, 0.25, 0.5, 0.75), 0.1)


def kinds(heard) -> list[str]:
    return [one.line["type"] if isinstance(one, Heard) else "standing" for one in heard]


def test_a_board_is_told_of_a_call_and_nobody_takes_that_for_a_card_shown_to_its_agent():
    office = Office()
    office.take(Begun(CALL), level(3.0), told(9.0), Ended("s1", 12.0, 8.0))
    heard = office.heard()
    assert kinds(heard) == ["call", "reading", "alert", "summary"]
    assert heard[2].card
    assert (heard[0].queue, heard[0].agent) == ("sales", "a7")


@pytest.mark.parametrize("why", ["snoozed", "cap"])
def test_alerts_that_are_withheld_never_travel(why):
    office = Office(Alerts(most_per_hour=1))
    office.take(Begun(CALL), told(5.0), told(9.0, State.EASED))
    if why == "snoozed":
        office.desk.showing.snooze("a7", 60)
    office.take(told(30.0), told(40.0, State.IRRITATED), level(41.0))
    office.desk.stand()
    heard = office.heard()
    assert kinds(heard) == ["call", "alert", "alert", "reading", "standing"]
    assert (heard[-1].state, heard[-1].alert["state"]) == ("calm", "eased")


def test_in_shadow_mode_a_board_learns_that_there_are_calls_and_nothing_of_how_they_go():
    office = Office(Alerts(shadow=True))
    office.take(Begun(CALL), level(3.0), told(9.0))
    office.desk.stand()
    office.take(Ended("s1", 12.0, 8.0))
    heard = office.heard()
    assert kinds(heard) == ["call", "standing", "summary"]
    assert (heard[1].state, heard[1].points, heard[1].alert) == ("calm", [], None)


def test_a_board_that_asks_is_told_all_that_is_known_of_every_live_call():
    office = Office()
    office.take(Begun(CALL), Begun(Session("s2", "call 2", "", "")), level(3.0), told(9.0))
    office.take(told(20.0, State.IRRITATED), level(21.0))
    office.desk.cues.find("s1").note("two parcels")
    office.take(Ended("s2", 9.0, 4.0))
    office.desk.obey(Tell(seq=1))
    (standing,) = [one for one in office.heard() if isinstance(one, Standing)]
    assert (standing.call, standing.session, standing.queue, standing.agent) == (
        "call 1",
        "s1",
        "sales",
        "a7",
    )
    assert (standing.time, standing.state, len(standing.points)) == (21.0, "irritated", 2)
    assert standing.alert["id"] == event_id("s1", warning(20.0, State.IRRITATED))
    assert standing.since_alert == event_id("s1", warning(9.0))
    assert (standing.notes, standing.card != "") == (["two parcels"], True)


def test_an_episode_goes_by_its_first_alert_until_it_has_eased_and_another_begins():
    office = Office()

    def since() -> str:
        return office.desk.cues.find("s1").since_alert

    office.take(Begun(CALL), told(9.0), told(20.0, State.IRRITATED), told(40.0, State.EASED))
    assert since() == event_id("s1", warning(9.0))
    office.take(told(50.0, State.IRRITATED))
    assert since() == event_id("s1", warning(50.0, State.IRRITATED))
    office.take(told(60.0, State.EASED), level(61.0 + EASED_S))
    assert since() == ""
    office.heard()


def test_what_is_done_at_the_board_is_recorded_with_who_did_it_and_is_on_the_agent_s_page():
    office = Office()
    office.take(Begun(CALL), told(9.0), told(20.0, State.IRRITATED))
    first, cue = event_id("s1", warning(9.0)), office.desk.cues.find("s1")

    def do(verdict: str, by: str, alert: str = first) -> None:
        office.desk.obey(
            Acknowledge(seq=1, session="s1", alert=alert, verdict=verdict, by=by, at=1.0)
        )

    do("seen", "anna")
    assert (cue.alert.verdict, cue.state) == ("seen", "irritated")
    do("helping", "anna")
    do("helping", "ben")
    assert cue.alert.verdict == "seen"
    do("seen", "anna", alert="of no call")
    do("false_alarm", "ben")
    assert (cue.alert.verdict, cue.state) == ("false_alarm", "calm")
    office.take(told(40.0, State.EASED))
    heard = office.heard()
    assert kinds(heard) == ["call", "alert", "alert", *["acknowledgement"] * 4]
    assert [(one.line["verdict"], one.line["by"]) for one in heard[3:]] == [
        ("seen", "anna"),
        ("helping", "anna"),
        ("helping", "ben"),
        ("false_alarm", "ben"),
    ]


def test_what_is_done_at_the_board_as_the_call_ends_is_recorded_unless_its_caller_withdraws():
    for has_withdrawn in (False, True):
        office = Office()
        office.take(Begun(CALL), told(9.0), Ended("s1", 12.0, 8.0))
        if has_withdrawn:
            office.desk.withdraw("call 1")
        first = event_id("s1", warning(9.0))
        office.desk.obey(
            Acknowledge(seq=1, session="s1", alert=first, verdict="resolved", by="b", at=1.0)
        )
        last = office.heard()[-1].line
        assert last["type"] == ("call" if has_withdrawn else "acknowledgement")


def test_the_agent_s_own_answer_reaches_the_board_without_a_name():
    office = Office()
    office.take(Begun(CALL), told(9.0))
    office.desk.answer("s1", event_id("s1", warning(9.0)), "seen")
    office.desk.record(CALL, Note(9.5, "two parcels"))
    *_, answer, note = office.heard()
    assert (answer.line["verdict"], answer.line["by"]) == ("seen", "")
    assert note.line["text"] == "two parcels"


def test_who_speaks_while_a_call_goes_on_is_told_to_the_board_alone():
    office, kept = Office(), Kept()
    office.desk._feeds = (feed := Feed(kept), *office.desk._feeds)
    timing = Timing(5.0, 2.0, 1.5, 0.5, False)
    office.take(Begun(CALL), Timed("s1", timing), Timed("s9", timing), Ended("s1", 9.0, 4.0))
    assert kinds(office.heard()) == ["call", "timing", "summary"]
    assert feed.waiting() == 0
    assert [record.event.type for record in kept.records] == ["call", "summary"]


def test_a_page_that_shows_the_card_is_what_counts_as_shown_and_the_board_is_told():
    office = Office()
    office.take(Begun(CALL), told(9.0))
    office.desk.show_card("s1", "en")
    assert kinds(office.heard()) == ["call", "alert", "card"]


def test_withdrawal_reaches_a_board_that_knew_of_the_call():
    office = Office()
    office.take(Begun(CALL), level(3.0), told(9.0))
    office.withdrawn.add("call 1")
    office.desk.withdraw("call 1")
    office.take(level(10.0), Ended("s1", 12.0, 8.0))
    heard = [one for one in office.heard() if one.line]
    assert heard[-1].line["state"] == "withdrawn"


async def looked_up(withdraw: bool) -> list:
    go = threading.Event()

    def ask(customer, session):
        go.wait(10)
        return (Earlier(5.0, "promised", "a parcel", "a call", "Friday"),)

    office = Office(earlier=ask)
    for id_, call in (("s1", "call 1"), ("s2", "call 2")):
        office.take(Begun(Session(id_, call, "", "", customer="c1")))
    if withdraw:
        office.desk.withdraw("call 2")
    go.set()
    until = time.monotonic() + (0.3 if withdraw else 10)
    while time.monotonic() < until and not office.desk.cues.find("s1").earlier:
        await asyncio.sleep(0.01)
    return [one for one in office.heard() if isinstance(one, Standing) and one.session == "s1"]


@pytest.mark.parametrize("withdraw", [False, True])
def test_a_customer_s_earlier_calls_are_told_unless_one_of_them_is_withdrawn_meanwhile(withdraw):
    standings = asyncio.run(looked_up(withdraw))
    earlier = [one.what for standing in standings for one in standing.earlier]
    assert earlier == ([] if withdraw else ["a parcel"])


def test_a_link_that_hangs_holds_up_neither_the_desk_nor_its_end():
    class Hangs(Line):
        def send(self, messages):
            has_begun.set()
            go.wait()
            raise LinkError("too late")

    go, has_begun = threading.Event(), threading.Event()
    feed = Feed(BoardSink(Hangs(), Outbox("a", "r"), lambda _: True))
    desk = Desk([], Cues(load(), Showing(Alerts())), Metrics(), print, lambda _: False, board=feed)
    desk.take(0, Report((Begun(CALL),)))
    wait_until(has_begun.is_set)
    desk.take(0, Report(tuple(level(float(number)) for number in range(30_000))))
    assert feed.dropped >= 9_000
    desk.close(0.1)
    go.set()
    wait_until(lambda: not feed._thread.is_alive())
