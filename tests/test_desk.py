"""News of workers becomes records: in whatever order it comes, of whoever withdrew nothing is."""

import threading
import time

import pytest

from hackles.guidance import load
from hackles.live.cues import Cues
from hackles.live.desk import Desk
from hackles.live.metrics import Metrics
from hackles.live.news import Begun, Ended, Forgotten, Refused, Report, Session, Told, Unheard
from hackles.live.registry import Registry
from hackles.live.showing import Showing
from hackles.records import CallNews, Timing
from hackles.settings import Alerts
from hackles.sinks.sink import Feed
from hackles.types import Reading

CALL = Session("s1", "call 1", "sales", "a7")
TOLD = Told("s1", Reading(time=3.0, irritation=0.25, arousal=0.5, confidence=0.75), 0.1)
NEWS = [Begun(CALL), TOLD, TOLD, Ended("s1", 9.0, 4.0)]


class Kept:
    """A sink that keeps what it is given."""

    name, for_people = "kept", False

    def __init__(self):
        self.records = []

    def write(self, records):
        self.records += records

    def forget(self, call):
        self.records = [record for record in self.records if record.call != call]

    def rest(self):
        pass

    def close(self):
        pass


class Office:
    """A desk, and the registry beside it."""

    def __init__(self):
        self.sink, self.registry = Kept(), Registry()
        self.desk = Desk(
            [Feed(self.sink)],
            Cues(load(), Showing(Alerts())),
            Metrics(),
            self.withdraw,
            self.registry.has_withdrawn,
        )

    def withdraw(self, call: str) -> None:
        self.registry.withdraw(call)
        self.desk.withdraw(call)

    def kept(self) -> list:
        self.desk.close(60)
        return self.sink.records


def test_a_call_is_told_from_its_beginning_to_its_summary():
    office = Office()
    office.desk.take(0, Report(tuple(NEWS)))
    assert [record.event.type for record in office.kept()] == [
        "call",
        "reading",
        "reading",
        "summary",
    ]
    assert not list(office.desk.calls())


@pytest.mark.parametrize("is_loud", [False, True])
def test_who_spoke_for_how_long_is_told_before_the_summary_and_a_loudspeaker_once(is_loud, caplog):
    caplog.set_level("INFO", "hackles")
    office, timing = Office(), Timing(9.0, 4.0, 3.5, 0.5, is_loud)
    office.desk.take(0, Report((Begun(CALL), TOLD)))
    office.desk.cues.find("s1").was_seen = True
    office.desk.take(0, Report((Ended("s1", 9.0, 4.0, timing), Ended("s1", 9.0, 4.0, timing))))
    events = [record.event for record in office.kept()]
    assert [event.type for event in events] == ["call", "reading", "timing", "summary"]
    assert events[2] == timing
    assert office.desk.cues.find("s1").ended.is_loud is is_loud
    assert caplog.text.count("a loudspeaker?") == is_loud


def test_that_the_device_is_not_heard_is_on_the_pages_and_a_gauge_where_there_is_one():
    office = Office()
    assert "hackles_device_heard" not in office.desk.metrics.page({}).decode()
    for why in ("gone", "still gone", ""):
        version = office.desk.cues.version
        office.desk.take(0, Report((Unheard(why),)))
        assert office.desk.cues.unheard == why
        assert office.desk.cues.version > version
        page = office.desk.metrics.page({}).decode()
        assert f"\nhackles_device_heard {0.0 if why else 1.0}\n" in page
    assert not office.kept()


@pytest.mark.parametrize("before", range(len(NEWS) + 1))
@pytest.mark.parametrize("end", [[], [Forgotten("call 1")]])
def test_whenever_a_caller_withdraws_nothing_stays_nor_comes_that_was_under_way(before, end):
    office = Office()
    office.desk.take(0, Report(tuple(NEWS[:before])))
    office.withdraw("call 1")
    office.desk.take(0, Report((*NEWS[before:], *end, Refused("call 2", "role"))))
    office.desk.lose(0, "lost")
    assert not list(office.desk.calls())
    kept = [(record.call, record.event) for record in office.kept()]
    assert ("call 2", CallNews("refused", "role")) in kept
    assert {event for call, event in kept if call == "call 1"} == {CallNews("withdrawn")}


def test_a_call_of_a_worker_that_died_is_summed_up_with_the_reason():
    office = Office()
    office.desk.take(0, Report(tuple(NEWS[:2])))
    office.desk.take(1, Report((Begun(Session("s2", "call 2", "", "")),)))
    assert office.desk.lose(0, "why") == 1
    assert [call.session.call for call in office.desk.calls()] == ["call 2"]
    (end,) = [record for record in office.kept() if record.event.type == "summary"]
    assert (end.call, end.event.error) == ("call 1", "why")


def test_a_sink_that_hangs_takes_no_other_s_time_at_the_end():
    class Hangs(Kept):
        def write(self, records):
            go.wait()

    class Gathers(Kept):
        def close(self):
            time.sleep(0.3)
            is_whole.set()

    go, is_whole = threading.Event(), threading.Event()
    feeds = [Feed(Hangs()), Feed(Gathers())]
    desk = Desk(feeds, Cues(load(), Showing(Alerts())), Metrics(), print, lambda _: False)
    desk.take(0, Report(tuple(NEWS)))
    desk.close(1.5)
    assert is_whole.is_set()
    go.set()
