"""Who spoke for how long is kept with its call, given out with it, and goes with it."""

import msgspec

from hackles.records import Timing
from hackles.settings import Store
from hackles.store.export import document
from hackles.store.purging import purge
from hackles.store.verifying import verify
from hackles.store.writing import Writer
from tests.store.made import call_records, content, record, rows

TIMING = Timing(40.0, 20.5, 12.25, 1.5, is_loud=True)
KEPT = {"customer_s": 20.5, "agent_s": 12.25, "talk_over_s": 1.5, "is_loud": True}


def with_timing(number):
    """Return what is told of a call, with its timing before the summary."""
    told = list(call_records(number))
    at = next(place for place, one in enumerate(told) if one.event.type == "summary")
    timing = record(TIMING, f"call {number}", f"session {number}", told[at].at - 0.5)
    return [*told[:at], timing, *told[at:]]


def timings(database):
    return [entry for entry in content(database)["entries"] if entry[3] == "timing"]


def test_timing_is_kept_once_however_often_it_comes(database):
    told = rows([*with_timing(1), *with_timing(2)], database.names)
    for _ in range(2):
        Writer(database).write(told)
    kept = timings(database)
    assert [entry[1] for entry in kept] == [1, 2]
    assert [msgspec.json.decode(entry[6]) for entry in kept] == [KEPT, KEPT]
    assert verify(database).faults == []


def test_timing_of_a_call_whose_beginning_was_lost_is_kept(database):
    Writer(database).write(rows([record(TIMING)], database.names))
    assert len(timings(database)) == 1
    assert verify(database).faults == []


def test_an_export_has_the_timing(database):
    Writer(database).write(rows(with_timing(1), database.names))
    said = document(database, Store(), database.names.call("call 1"))
    (session,) = said["sessions"]
    (timing,) = session["timings"]
    assert {name: timing[name] for name in KEPT} == KEPT
    assert timing["time"] == TIMING.time


def test_timing_is_deleted_with_its_call(database):
    Writer(database).write(rows([*with_timing(1), *with_timing(2)], database.names))
    purge(database, database.names.call("call 1"), "withdrawn")
    assert [entry[1] for entry in timings(database)] == [2]
    assert "12.25" not in str([e for e in content(database)["entries"] if e[1] == 1])
    assert verify(database).faults == []
