"""Rows in the tables: each once, in order, exact, and nobody's name among them."""

import threading

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hackles.records import CallNews, LiveRecord, Note, Outcome, Satisfaction
from hackles.store.database import open_database
from hackles.store.tables import calls
from hackles.store.verifying import verify
from hackles.store.writing import Writer
from hackles.types import Alert, Reading
from tests.store.made import AGENT, AT, batches, call_records, content, empty, record, rows, several

_CALL = [column.name for column in calls.c if column.name != "key"]
_KINDS = ["begun", "alert", "card", "acknowledgement", "alert", "note", "alert"]
_KINDS += ["summary", "outcome", "satisfaction"]


def test_a_call_comes_to_what_its_events_say(database):
    Writer(database).write(several(database.names))
    found = content(database)
    first = dict(zip(_CALL, found["calls"][0], strict=True))
    assert first["call"] == database.names.call("call 1")
    assert (first["queue"], first["agent"], first["consent"]) == ("sales", AGENT, True)
    assert (first["begun_at"], first["ended_at"]) == (AT, AT + 14)
    assert (first["duration_s"], first["speech_s"], first["alerts"]) == (40.0, 20.5, 1)
    assert (first["irritation_max"], first["irritation_mean"]) == (0.75, 0.5)
    assert (first["peak"], first["result"], first["satisfaction"]) == (
        "irritated",
        "promised",
        0.75,
    )
    assert found["readings"][1] == (1, 11237, 2512, 5000, 7500)
    assert found["gaps"][0] == (1, 95000, 72500, "music")
    kinds = [entry[3] for entry in found["entries"] if entry[1] == 1]
    assert kinds == _KINDS
    assert verify(database).faults == []


def test_an_alert_is_kept_with_its_evidence_and_what_it_came_from(database):
    Writer(database).write(several(database.names))
    (said,) = [e[6] for e in content(database)["entries"] if e[3] == "alert" and e[1] == 1][:1]
    payload = msgspec.json.decode(said)
    assert payload["evidence"][0] == {
        "measure": "pitch",
        "unit": "semitones",
        "baseline": 20.0,
        "now": 23.25,
    }
    assert (payload["model"], payload["configuration"]) == ("model hash", "configuration hash")
    told = {f for f in Alert.__dataclass_fields__ if f not in ("time", "type")}
    assert told | {"withheld", "card", "model", "configuration"} == set(payload)


def test_no_name_of_a_call_nor_what_was_refused_is_kept(database):
    told = [record(CallNews("refused", "consent"), session=""), *call_records(1)]
    told.append(record(CallNews("withdrawn"), session=""))
    Writer(database).write(rows(told, database.names))
    assert "call 1" not in str(content(database))
    assert "refused" not in str(content(database))
    assert len(content(database)["entries"]) == 10


@given(order=st.lists(st.integers(0, 5), max_size=15), size=st.integers(5, 20))
@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_batches_that_come_again_in_any_order_change_nothing(order, size, database):
    whole = several(database.names)
    empty(database)
    Writer(database).write(whole)
    expected = content(database)
    empty(database)
    parts, done = batches(whole, size), 0
    # Each part comes in its turn for the first time, and any that came before, any time again.
    for step in order:
        place = min(step, done)
        if place < len(parts):
            Writer(database).write(parts[place])
            done = max(done, place + 1)
    for part in parts:
        Writer(database).write(part)
    assert content(database) == expected
    assert verify(database).faults == []


def test_a_batch_that_comes_twice_is_there_once(database):
    some = several(database.names)
    Writer(database).write(some)
    before = content(database)
    Writer(database).write(some + some)
    assert content(database) == before


def test_a_call_whose_beginning_was_lost_is_kept_from_its_first_row(database):
    told = list(call_records(1))[3:]
    Writer(database).write(rows(told, database.names))
    found = content(database)
    assert found["calls"][0][7] == AT + 3
    assert found["calls"][0][8] == AT + 14
    assert msgspec.json.decode(found["entries"][0][6])["missed"] is True
    assert verify(database).faults == []


def test_what_is_said_of_a_call_that_is_not_there_is_left_out_and_counted(database, caplog):
    writer = Writer(database)
    told = [record(Satisfaction(1.0, "5"), "nobody", ""), record(Note(1.0, "?"), session="gone")]
    for _ in range(2):
        writer.write(rows(told, database.names))
    assert writer.unknown == 4
    assert len(caplog.records) == 1
    assert content(database)["entries"] == []


def test_an_answer_goes_to_the_latest_session_of_its_call(database):
    told = [*call_records(1, name="same"), *call_records(2, name="same", at=AT + 1000)]
    told.append(record(Satisfaction(0.25, "2"), "same", "", AT + 5000))
    Writer(database).write(rows(told, database.names))
    assert [call[-1] for call in content(database)["calls"]] == [0.75, 0.25]


def test_a_later_outcome_takes_the_place_of_an_earlier_one_and_both_stay(database):
    told = [*call_records(1), record(Outcome(50.0, "resolved"), session="session 1", at=AT + 99)]
    Writer(database).write(rows(told, database.names))
    found = content(database)
    assert found["calls"][0][-2] == "resolved"
    assert [entry[3] for entry in found["entries"]].count("outcome") == 2


@pytest.mark.parametrize("text", ["\0", "ż\0ó", "'; DROP TABLE calls; --"])
def test_any_text_can_be_kept(text, database):
    odd = text + "\udcff"  # as a file's name may be
    told = [
        LiveRecord(odd, "s1", odd, odd, AT, CallNews("begun")),
        LiveRecord(odd, "s1", odd, odd, AT, Note(1.0, text)),
    ]
    Writer(database).write(rows(told, database.names))
    assert len(content(database)["entries"]) == 2
    assert verify(database).faults == []


def test_writers_side_by_side_make_one_chain(section):
    def write(number):
        with_own = open_database(section)
        for part in batches(rows(call_records(number), with_own.names), 2):
            Writer(with_own).write(part)
        with_own.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(1, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    database = open_database(section)
    found = verify(database)
    assert (found.faults, found.calls, found.entries) == ([], 5, 50)
    assert len(content(database)["readings"]) == 30
    database.close()


def test_times_and_levels_come_back_as_they_were_told(database):
    told = [
        Reading(round(n * 0.1379, 4), n / 10_000, 1 - n / 10_000, 0.5) for n in range(0, 9999, 7)
    ]
    some = [record(CallNews("begun")), *map(record, told)]
    Writer(database).write(rows(some, database.names))
    found = content(database)["readings"]
    assert [(t / 1e4, i / 1e4, a / 1e4) for _, t, i, a, _ in found] == [
        (one.time, one.irritation, round(one.arousal, 4)) for one in told
    ]
