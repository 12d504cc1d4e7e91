"""Of a call that is deleted nothing stays but the tombstone."""

import itertools
import random
from pathlib import Path

import pytest
from sqlalchemy import select

from hackles.records import CallNews, LiveRecord, Note
from hackles.settings import Store
from hackles.sinks.record import RecordSink
from hackles.sinks.sink import Feed
from hackles.store.database import open_database
from hackles.store.purging import DAY_S, expire, purge, spans
from hackles.store.recorder import Recorder
from hackles.store.tables import calls, entries, gaps, readings
from hackles.store.verifying import verify
from hackles.store.writing import Writer
from tests.program import wait_until
from tests.store.made import AT, SECRET, batches, call_records, content, record, rows, several


def in_files(section, *words):
    """Return which words are anywhere in the folder's files, in use or not."""
    data = b"".join(path.read_bytes() for path in Path(section.folder).rglob("*") if path.is_file())
    return [word for word in words if word.encode() in data]


def recorder(section):
    return Recorder(section, itertools.count(0, 5).__next__)


def test_nothing_of_a_deleted_call_is_in_any_row(database):
    some = several(database.names)
    Writer(database).write(some)
    name = database.names.call("call 2")
    assert purge(database, name, "withdrawn") == 1
    assert purge(database, name, "withdrawn") == 0
    found = content(database)
    assert [call[0] for call in found["calls"]] == [1, 3]
    for table in ("readings", "gaps"):
        assert {row[0] for row in found[table]} == {1, 3}
    assert f"{SECRET} 2" not in str(found)
    assert name not in str(found)
    left = [entry for entry in found["entries"] if entry[1] == 2]
    assert len(left) == 10
    assert all(entry[2:] == (None,) * 5 for entry in left)
    assert found["entries"][-1][-1] == '{"calls":[[2,2]],"reason":"withdrawn"}'
    checked = verify(database)
    assert (checked.faults, checked.tombstones, checked.deleted) == ([], 1, 10)


def test_the_others_stay_as_they_were(database):
    Writer(database).write(several(database.names))
    before = content(database)
    purge(database, database.names.call("call 2"), "purged")
    after = content(database)
    for table, number in (("calls", 0), ("readings", 0), ("gaps", 0), ("entries", 1)):
        others = [row for row in before[table] if row[number] != 2]
        assert [row for row in after[table] if row[number] in (1, 3)] == others


def test_all_sessions_of_a_call_go(database):
    told = [*call_records(1, name="same"), *call_records(2, name="same"), *call_records(3)]
    Writer(database).write(rows(told, database.names))
    assert purge(database, database.names.call("same"), "purged") == 2
    assert len(content(database)["calls"]) == 1
    assert verify(database).faults == []


def test_a_deleted_call_leaves_no_byte_in_the_files_of_sqlite(tmp_path):
    section = Store(folder=str(tmp_path / "record"))
    database = open_database(section)
    order = random.Random(7)
    names = [f"call {number}" for number in range(80)]
    told = [
        [
            LiveRecord(r.call, r.session, "sales", f"agent-{number}-of-it", r.at, r.event)
            for r in call_records(number, readings=4)
        ]
        for number in range(len(names))
    ]
    # As calls go on side by side, each with pauses of its own.
    mixed = sorted(
        (
            (n + 40 * order.random(), n, place)
            for n, one in enumerate(told)
            for place in range(len(one))
        ),
    )
    places = [0] * len(names)
    inorder = []
    for _, number, _ in mixed:
        inorder.append(told[number][places[number]])
        places[number] += 1
    for part in batches(rows(inorder, database.names), 10):
        Writer(database).write(part)
    gone = order.sample(range(len(names)), 50)
    for number in gone:
        purge(database, database.names.call(names[number]), "withdrawn")
        if order.random() < 0.1:
            database.compact()
    assert database.has_traces
    database.compact()
    assert not database.has_traces
    for number in gone:
        words = [f"agent-{number}-of-it", f'{SECRET} {number}"', database.names.call(names[number])]
        assert in_files(section, *words) == []
    stay = set(range(len(names))) - set(gone)
    assert len(in_files(section, *(f"agent-{number}-of-it" for number in stay))) == len(stay)
    assert verify(database).faults == []
    database.close()


def test_a_call_withdrawn_while_the_database_is_away_is_gone_from_what_waits_and_then_from_it(
    section, outage
):
    kept = recorder(section)
    some = several(kept.folder.names)
    name = kept.folder.names.call("call 2")
    kept.take(some[:25])
    with outage():
        kept.take(some[25:40])
        kept.forget(name)
        kept.take([row for row in some[40:] if row.call != name])
        spooled = b"".join(path.read_bytes() for path in kept.folder.spool.glob("*.jsonl"))
        assert f"{SECRET} 1".encode() in spooled
        assert f"{SECRET} 2".encode() not in spooled
        assert spooled.count(name.encode()) == 1  # in the order itself
        kept.close()
        kept = recorder(section)
    while kept.is_behind or kept.database.has_traces:
        kept.rest()
    kept.close()
    database = open_database(section)
    found = content(database)
    assert [call[0] for call in found["calls"]] == [1, 3]
    assert name not in str(found)
    assert verify(database).faults == []
    assert in_files(section, f"{SECRET} 2") == []
    database.close()


def test_a_new_call_of_the_same_name_stays_though_its_row_waited_behind_the_order(section, outage):
    kept = recorder(section)
    names = kept.folder.names
    kept.take(rows(call_records(1, name="same"), names))
    with outage():
        kept.forget(names.call("same"))
        kept.take(rows(call_records(2, name="same"), names))
        kept.rest()
    while kept.is_behind:
        kept.rest()
    kept.close()
    database = open_database(section)
    assert [call[1] for call in content(database)["calls"]] == ["session 2"]
    assert verify(database).faults == []
    database.close()


def test_a_caller_who_withdraws_is_forgotten_by_the_sink_whatever_comes_after(section):
    feed = Feed(RecordSink(section, "model", "configuration"))
    told = list(call_records(1))
    for one in told[:-3]:
        feed.put(one)
    feed.forget("call 1")
    feed.put(record(CallNews("withdrawn"), session=""))
    for one in call_records(2):
        feed.put(one)
    wait_until(lambda: not feed.waiting())
    feed.close(30)
    database = open_database(section)
    assert [call[1] for call in content(database)["calls"]] == ["session 2"]
    assert in_files(section, f'{SECRET} 1"', database.names.call("call 1")) == []
    assert verify(database).faults == []
    database.close()


def test_scores_go_after_their_days_and_all_else_after_its_own(database):
    names = database.names
    for number, days in ((1, 0), (2, 20), (3, 40), (4, 150), (5, 230)):
        Writer(database).write(rows(call_records(number, at=AT - days * DAY_S), names))
    never_ended = [LiveRecord("x", "x", "", "", AT - 230 * DAY_S, CallNews("begun"))]
    Writer(database).write(rows(never_ended, names))
    while expire(database, 30, 200, AT + 100):
        pass
    found = content(database)
    assert [call[0] for call in found["calls"]] == [1, 2, 3, 4]
    assert {row[0] for row in found["readings"]} == {1, 2}
    assert {row[0] for row in found["gaps"]} == {1, 2}
    stones = [entry[-1] for entry in found["entries"] if entry[3] == "tombstone"]
    assert stones == ['{"calls":[[5,6]],"reason":"expired"}']
    assert verify(database).faults == []


def test_retention_runs_by_itself(section):
    now = [AT]
    kept = Recorder(section, itertools.count(0, 200).__next__, lambda: now[0])
    kept.take(several(kept.folder.names))

    def left(table):
        kept.rest()
        with kept.database.reading() as connection:
            return len(connection.execute(select(table)).all())

    kept.rest()
    now[0] = AT + 31 * DAY_S
    wait_until(lambda: not left(readings) and not left(gaps))
    assert left(calls) == 3
    now[0] = AT + 201 * DAY_S
    wait_until(lambda: not left(calls))
    assert left(entries) == 31
    assert verify(kept.database).faults == []
    wait_until(lambda: not left(calls) and not kept.database.has_traces)
    assert in_files(section, SECRET) == []
    kept.close()


def test_what_people_say_of_a_deleted_call_is_not_kept(section):
    kept = recorder(section)
    names = kept.folder.names
    kept.take(rows(call_records(1), names))
    kept.forget(names.call("call 1"))
    late = record(Note(50.0, "late"), "call 1", "session 1")
    kept.take(rows([late], names))
    assert content(kept.database)["calls"] == []
    kept.close()


@pytest.mark.parametrize(
    ("numbers", "found"),
    [([], []), ([5], [[5, 5]]), ([3, 1, 2, 7, 9, 8], [[1, 3], [7, 9]])],
)
def test_numbers_of_calls_are_told_as_stretches(numbers, found):
    assert spans(numbers) == found
