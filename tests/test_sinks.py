"""Where events of live calls go: nothing half written, nothing lost silently, nobody held up."""

import errno
import io
import json
import os
import resource
import signal
import threading
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hackles.errors import UsageError
from hackles.records import CallNews, LiveRecord, live_line
from hackles.sinks.console import LiveConsole
from hackles.sinks.jsonl import JsonLines
from hackles.sinks.sink import Feed
from hackles.types import Alert, Evidence, Gap, Reading, Reason, State
from tests.program import wait_until

READING = Reading(time=3.0, irritation=0.25, arousal=0.5, confidence=0.75)
ALERT = Alert(
    time=63.0,
    since=60.0,
    state=State.RISING,
    level=0.6,
    trend_per_min=0.2,
    confidence=0.8,
    evidence=(Evidence("pitch", "semitones", 20.0, 23.2),),
)


def record(event=READING, call="call 1", session="s1", withheld=None) -> LiveRecord:
    return LiveRecord(call, session, "sales", "a7", 1_800_000_000.25, event, withheld)


def lines(path) -> list[dict]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_a_line_has_the_call_the_time_of_telling_and_the_event():
    said = json.loads(live_line(record(ALERT, withheld="shadow")))
    assert said["type"] == "alert"
    assert (said["schema"], said["call"], said["session"]) == (1, "call 1", "s1")
    assert said["at"] == "2027-01-15T08:00:00.250Z"
    assert (said["state"], said["time"], said["withheld"]) == ("rising", 63.0, "shadow")
    assert said["evidence"][0]["measure"] == "pitch"


def test_two_sessions_of_one_call_have_other_ids_for_the_same_event():
    one, other = (json.loads(live_line(record(session=s)))["id"] for s in ("s1", "s2"))
    assert one != other


def test_call_news_say_queue_and_agent():
    said = json.loads(live_line(record(CallNews("refused", "consent"))))
    assert (said["type"], said["state"], said["reason"]) == ("call", "refused", "consent")
    assert (said["queue"], said["agent"]) == ("sales", "a7")


def test_lines_go_on_behind_what_is_there_even_behind_half_a_line(tmp_path):
    path = tmp_path / "calls.jsonl"
    path.write_bytes(live_line(record()) + b'{"half')
    sink = JsonLines(str(path), 10**9, 3)
    sink.write([record(call="next")])
    sink.close()
    whole = path.read_bytes().split(b"\n")
    assert whole[1] == b'{"half'
    assert json.loads(whole[2])["call"] == "next"


@given(sizes=st.lists(st.integers(1, 30), min_size=1, max_size=12), keep=st.integers(0, 3))
@settings(max_examples=25, deadline=None)
def test_rotation_keeps_the_newest_lines_in_order_and_cuts_none(sizes, keep, tmp_path_factory):
    path = tmp_path_factory.mktemp("rotated") / "calls.jsonl"
    sink = JsonLines(str(path), 2000, keep)
    written = []
    for size in sizes:
        some = [record(call=f"call {len(written) + n}") for n in range(size)]
        written += [one.call for one in some]
        sink.write(some)
    sink.close()
    asides = [path.with_name(f"{path.name}.{number}") for number in range(keep, 0, -1)]
    assert not path.with_name(f"{path.name}.{keep + 1}").exists()
    found = [one["call"] for part in [*asides, path] if part.exists() for one in lines(part)]
    assert found == written[len(written) - len(found) :]
    assert found


def test_forgetting_takes_a_call_out_of_all_files_and_leaves_the_others(tmp_path):
    path = tmp_path / "calls.jsonl"
    sink = JsonLines(str(path), 1500, 50)
    for number in range(60):
        sink.write([record(call=f"call {number % 3}")])
    sink.forget("call 1")
    sink.write([record(CallNews("withdrawn"), call="call 1", session="")])
    sink.close()
    found = [one for part in tmp_path.iterdir() for one in lines(part)]
    assert [one["type"] for one in found if one["call"] == "call 1"] == ["call"]
    assert sum(one["call"] != "call 1" for one in found) == 40


def test_forgetting_a_call_leaves_those_whose_names_only_hold_its_name(tmp_path):
    path = tmp_path / "calls.jsonl"
    sink = JsonLines(str(path), 10**9, 3)
    odd = ["call 1", "call 11", 'x "call 1"', "CALL 1"]
    sink.write([record(call=name) for name in odd])
    sink.forget("call 1")
    sink.close()
    assert [one["call"] for one in lines(path)] == odd[1:]


def test_what_only_some_may_read_is_so_still_when_a_call_is_forgotten(tmp_path):
    path = tmp_path / "calls.jsonl"
    sink = JsonLines(str(path), 10**9, 3)
    sink.write([record(call="call 1"), record(call="call 2")])
    path.chmod(0o600)
    sink.forget("call 1")
    sink.close()
    assert path.stat().st_mode & 0o777 == 0o600


@contextmanager
def no_file_larger_than(size: int):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handled = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handled)


def test_while_there_is_no_room_nothing_is_half_written_and_then_all_goes_on(tmp_path):
    path = tmp_path / "calls.jsonl"
    sink = JsonLines(str(path), 10**9, 3)
    sink.write([record(call=f"call {number}") for number in range(3)])
    before = path.read_bytes()
    with no_file_larger_than(len(before) // 2):
        with pytest.raises(OSError, match="too large"):
            sink.forget("call 1")
        with pytest.raises(OSError, match="too large"):
            sink.write([record(call="call 3")])
    assert [part.name for part in tmp_path.iterdir()] == ["calls.jsonl"]
    assert path.read_bytes() == before
    sink.forget("call 1")
    sink.write([record(call="call 4")])
    sink.close()
    assert [one["call"] for one in lines(path)] == ["call 0", "call 2", "call 4"]


@pytest.mark.parametrize("keep", [0, 2])
def test_a_file_that_somebody_took_away_is_begun_anew_when_it_has_grown_large(tmp_path, keep):
    path = tmp_path / "calls.jsonl"
    sink = JsonLines(str(path), 100, keep)
    sink.write([record(call="first")])
    path.rename(tmp_path / "elsewhere")
    sink.write([record(call="second")])
    sink.close()
    assert [one["call"] for one in lines(path)] == ["second"]


def test_a_file_that_cannot_be_put_aside_grows_on(tmp_path):
    path = tmp_path / "calls.jsonl"
    (path.with_name("calls.jsonl.1") / "full").mkdir(parents=True)
    sink = JsonLines(str(path), 100, 1)
    for number in range(3):
        sink.write([record(call=f"call {number}")])
    sink.close()
    assert len(lines(path)) == 3


def test_a_file_that_cannot_be_written_is_one_sentence():
    with pytest.raises(UsageError, match="cannot be written"):
        JsonLines("/proc/calls.jsonl", 10**9, 3)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")
def test_a_full_disk_drops_whole_records_and_counts_them():
    feed = Feed(JsonLines("/dev/full", 10**9, 0))
    for _ in range(5):
        feed.put(record())
    feed.close(10)
    assert feed.dropped == 5


class Slow:
    """A sink that takes nothing in before it is let go."""

    name, for_people = "slow", True

    def __init__(self):
        self.go = threading.Event()
        self.taken = []
        self.deleted = []
        self.started = threading.Event()
        self.fails = 0
        self.faults = []

    def write(self, records):
        self.started.set()
        self.go.wait()
        if self.faults:
            raise self.faults.pop()
        self.taken += records

    def forget(self, call):
        if self.fails:
            self.fails -= 1
            raise OSError(errno.ENOSPC, "No space left on device")
        self.deleted.append((call, len(self.taken)))

    def rest(self):
        pass

    def close(self):
        pass


def test_a_sink_that_hangs_holds_up_nobody_and_what_it_has_no_room_for_is_counted():
    sink = Slow()
    feed = Feed(sink)
    for _ in range(25_000):
        feed.put(record())
    assert feed.dropped + feed.waiting() >= 24_000
    dropped = feed.dropped
    sink.go.set()
    feed.close(30)
    assert len(sink.taken) + dropped == 25_000
    assert dropped >= 4_000


def test_what_waits_of_a_call_when_it_is_forgotten_is_not_told_and_what_follows_is():
    sink = Slow()
    feed = Feed(sink)
    feed.put(record(call="other"))
    sink.started.wait()
    for call in ("call 1", "other", "call 1"):
        feed.put(record(call=call))
    feed.forget("call 1")
    feed.put(record(CallNews("withdrawn")))
    sink.go.set()
    feed.close(30)
    assert sink.deleted == [("call 1", 2)]
    assert [one.event.type for one in sink.taken] == ["reading", "reading", "call"]


def test_a_fault_of_a_sink_costs_the_records_at_hand_and_is_counted():
    sink = Slow()
    sink.faults = [ValueError("unforeseen")]
    feed = Feed(sink)
    feed.put(record())
    sink.started.wait()
    feed.put(record())
    sink.go.set()
    feed.close(30)
    assert (feed.dropped, len(sink.taken)) == (1, 1)


class Unread(io.StringIO):
    """A pipe whose reader has left."""

    def flush(self):
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")


def test_a_console_that_nobody_reads_any_longer_drops_and_counts():
    feed = Feed(LiveConsole(Unread()))
    for _ in range(2):
        feed.put(record(ALERT))
        wait_until(lambda: not feed.waiting())
    feed.close(30)
    assert feed.dropped == 2


def test_deleting_is_tried_until_it_succeeds():
    sink = Slow()
    sink.go.set()
    sink.fails = 1
    feed = Feed(sink)
    feed.forget("call 1")
    wait_until(lambda: sink.deleted)
    feed.close(30)


def test_what_is_lost_with_a_sink_that_hangs_is_counted_and_who_was_to_be_deleted_is_named(caplog):
    sink = Slow()
    feed = Feed(sink)
    feed.put(record())
    sink.started.wait()
    feed.put(record())
    feed.forget("call 2")
    feed.close(0.01)
    sink.go.set()
    assert feed.dropped == 2
    said = [one.getMessage() for one in caplog.records]
    assert any("2 records are lost" in one for one in said)
    assert any("NOT deleted" in one and "'call 2'" in one for one in said)


def test_people_see_state_call_evidence_and_what_to_say():
    out = io.StringIO()
    console = LiveConsole(out)
    console.write([record(READING), record(ALERT), record(Gap(9.0, 8.0, Reason.MUSIC))])
    said = out.getvalue()
    assert said.count("\n") == 2
    for part in (
        "▲ irritation rising",
        "call 1, sales, a7",
        "at 1:03",
        "pitch +3.2 semitones",
        "→",
    ):
        assert part in said
