"""The database goes and comes back: nothing is missing, nothing is there twice, all in order."""

import contextlib
import itertools
import os
import sqlite3
from contextlib import contextmanager

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hackles.errors import UsageError
from hackles.settings import Store
from hackles.sinks.record import RecordSink
from hackles.sinks.sink import Feed
from hackles.store.database import open_database
from hackles.store.recorder import Recorder
from hackles.store.verifying import verify
from hackles.store.writing import Writer
from tests.program import wait_until
from tests.store.made import batches, call_records, content, empty, several
from tests.test_sinks import no_file_larger_than


def recorder(section):
    """Return a recorder for which a long time passes between any two looks at the clock."""
    return Recorder(section, itertools.count(0, 5).__next__)


def told(section):
    """Return what a record says."""
    database = open_database(section)
    assert verify(database).faults == []
    found = content(database)
    database.close()
    return found


def expected(section):
    """Return what a record says into which several calls are written without any trouble."""
    database = open_database(section)
    Writer(database).write(several(database.names))
    found = content(database)
    empty(database)
    database.close()
    return found


@pytest.mark.parametrize("size", [2, 9])
def test_what_happens_while_the_database_is_away_is_there_afterwards_once(section, outage, size):
    whole = expected(section)
    kept = recorder(section)
    parts = batches(several(kept.folder.names), size)
    third = len(parts) // 3
    for part in parts[:third]:
        kept.take(part)
    with outage():
        for part in parts[third : 2 * third]:
            kept.take(part)
            if size > 2:
                kept.rest()
        assert kept.is_behind
    for part in parts[2 * third : -1]:
        kept.take(part)
    while kept.is_behind:
        kept.rest()
    kept.take(parts[-1])
    kept.close()
    assert told(section) == whole
    assert list((kept.folder.spool).glob("*.jsonl")) == []


def test_what_waits_when_the_process_ends_is_taken_up_by_the_next(section, outage):
    whole = expected(section)
    first = recorder(section)
    some = several(first.folder.names)
    with outage():
        first.take(some[:20])
        first.close()
        second = recorder(section)
        second.take(some[20:30])
        second.rest()
        second.close()
    third = recorder(section)
    third.take(some[30:])
    while third.is_behind:
        third.rest()
    third.close()
    assert told(section) == whole


def test_a_database_that_is_away_from_the_beginning_is_waited_for(tmp_path, server):
    section = Store(folder=str(tmp_path / "record"), database=server.database())
    server.stop()
    kept = recorder(section)
    kept.take(several(kept.folder.names))
    kept.rest()
    assert kept.is_behind
    server.start()
    while kept.is_behind:
        kept.rest()
    kept.close()
    assert len(told(section)["calls"]) == 3


def test_a_disk_that_is_full_for_a_while_costs_nothing(tmp_path):
    section = Store(folder=str(tmp_path / "record"))
    whole = expected(section)
    kept = recorder(section)
    parts = batches(several(kept.folder.names), 5)
    kept.take(parts[0])
    with no_file_larger_than(64):
        for part in parts[1:6]:
            kept.take(part)
            kept.rest()
    for part in parts[6:]:
        kept.take(part)
    while kept.is_behind:
        kept.rest()
    kept.close()
    assert told(section) == whole


def test_a_full_disk_of_the_head_holds_up_nothing(tmp_path, caplog):
    if not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full here")
    head = tmp_path / "elsewhere" / "head"
    section = Store(folder=str(tmp_path / "record"), head=str(head))
    kept = recorder(section)
    some = several(kept.folder.names)
    kept.take(some[:20])
    assert "head of the chain cannot be kept" in caplog.text
    head.parent.mkdir()
    kept.rest()
    assert int(head.read_text().split()[0]) > 0
    kept.take(some[20:])
    kept.close()
    assert told(section)["calls"]


@given(megabytes=st.floats(0.0005, 0.02))
@settings(max_examples=6, deadline=None)
def test_what_has_no_room_is_counted_and_scores_give_way_first(megabytes, tmp_path_factory):
    folder = tmp_path_factory.mktemp("record")
    section = Store(folder=str(folder), spool_mb=megabytes)
    kept = recorder(section)
    some = several(kept.folder.names, 8)
    database = folder / "hackles.db"
    with _locked(database):
        for part in batches(some, 9):
            kept.take(part)
        size = sum(path.stat().st_size for path in kept.folder.spool.glob("*.jsonl"))
        assert size <= megabytes * 2**20
        kept.close()  # the counts outlive the process
        kept = recorder(section)
    while kept.is_behind:
        kept.rest()
    kept.rest()
    kept.close()
    found = told(section)
    lost = [_said(entry) for entry in found["entries"] if entry[3] == "lost"]
    counts = lost[0]["counts"] if lost else {}
    there = {"reading": len(found["readings"]), "gap": len(found["gaps"])}
    for entry in found["entries"]:
        there[entry[3]] = there.get(entry[3], 0) + 1
    missed = sum(_said(entry).get("missed", False) for entry in found["entries"])
    there["begun"] = there.get("begun", 0) - missed
    asked = {}
    for row in some:
        kind = getattr(row, "kind", None) or type(row).__name__.removesuffix("Row").lower()
        asked[kind] = asked.get(kind, 0) + 1
    people = {"card", "acknowledgement", "note", "outcome", "satisfaction"}
    for kind, count in asked.items():
        known = there.get(kind, 0) + counts.get(kind, 0)
        # What was said of a call is of no use once nothing else of that call had room.
        assert known == count or (kind in people and known < count), kind
    if lost:
        assert len(lost) == 1
        assert min(r.at for r in some) <= lost[0]["since"] <= lost[0]["until"]
        assert lost[0]["until"] <= max(r.at for r in some)


def _said(entry):
    return msgspec.json.decode(entry[6])


@contextmanager
def _locked(path):
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


def test_a_row_that_the_database_refuses_holds_up_no_other_and_is_counted(section):
    kept = recorder(section)
    some = several(kept.folder.names)
    if section.database:
        bad = msgspec.structs.replace(some[0], session="x" * 99, id="bad")
    else:
        bad = msgspec.structs.replace(some[3], irritation=None)
    kept.take([*some[:10], bad, *some[10:]])
    assert not kept.is_behind
    kept.rest()
    kept.close()
    (lost,) = [_said(e) for e in told(section)["entries"] if e[3] == "lost"]
    assert sum(lost["counts"].values()) == 1


def test_a_feed_keeps_its_pace_while_the_database_is_away(section, outage):
    sink = RecordSink(section, "model", "configuration")
    feed = Feed(sink)
    with outage():
        for number in range(1, 40):
            for record in call_records(number):
                feed.put(record)
        wait_until(lambda: not feed.waiting())
    for number in range(40, 80):
        for record in call_records(number):
            feed.put(record)
    wait_until(lambda: not feed.waiting() and not sink._recorder.is_behind)
    feed.close(30)
    assert feed.dropped == 0
    found = told(section)
    assert len(found["calls"]) == 79
    assert len(found["readings"]) == 79 * 6
    assert len(found["entries"]) == 79 * 10


def test_settings_that_are_wrong_are_said_at_once(tmp_path, section):
    other = Store(folder=str(tmp_path / "other"), database=section.database)
    if section.database:
        open_database(section).close()
        with pytest.raises(UsageError, match="another key"):
            Recorder(other)
    (tmp_path / "other").mkdir(exist_ok=True)
    (tmp_path / "other" / "key").write_text("nonsense")
    with pytest.raises(UsageError, match="not the key of a record"):
        Recorder(other)


def test_the_lines_of_a_process_that_died_within_one_do_not_count(tmp_path):
    section = Store(folder=str(tmp_path / "record"))
    whole = expected(section)
    kept = recorder(section)
    some = several(kept.folder.names)
    with _locked(kept.folder.database):
        kept.take(some[:20])
        (file,) = kept.folder.spool.glob("*.jsonl")
        with file.open("ab") as half:
            half.write(b'["entry","s1","00')
        kept.take(some[20:])
    while kept.is_behind:
        kept.rest()
    kept.close()
    found = told(section)
    found["entries"] = [entry for entry in found["entries"] if entry[3] != "lost"]
    assert found == whole
