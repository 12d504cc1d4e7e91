"""What waits on disk comes out as it went in, in order, whoever else is at work there."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hackles.store import spool as spool_module
from hackles.store.names import Names
from hackles.store.purging import purge
from hackles.store.recorder import Recorder
from hackles.store.rows import EntryRow, GapRow, PurgeRow, ReadingRow
from hackles.store.spool import Spool
from tests.store.made import content, several

_text = st.text(st.characters(codec="utf-8"), max_size=20)
_at = st.floats(0, 4e9)
_names = st.sampled_from(["aa" * 16, "bb" * 16])
_rows = st.one_of(
    st.builds(ReadingRow, _text, _names, _at, *[st.integers(0, 9999)] * 4),
    st.builds(GapRow, _text, _names, _at, st.integers(0), st.integers(0), _text),
    st.builds(EntryRow, _text, _names, _at, _text, _text, st.none() | _at, _text),
)
_steps = st.lists(
    st.one_of(st.lists(_rows, max_size=6), st.just("pass"), _names.map(lambda n: ("order", n))),
    max_size=15,
)


@given(steps=_steps)
@settings(max_examples=100, deadline=None)
def test_rows_come_out_in_order_without_those_that_were_ordered_away(steps, tmp_path_factory):
    spool = Spool(tmp_path_factory.mktemp("spool"), 10**9)
    expected, found = [], []
    for step in steps:
        if step == "pass":
            spool.pass_on(found.extend, 3)
        elif isinstance(step, tuple):
            order = PurgeRow("", step[1], 1.0, "withdrawn")
            spool.order(order)
            waiting = expected[len(found) :]
            expected[len(found) :] = [
                row for row in waiting if row.call != step[1] or isinstance(row, PurgeRow)
            ]
            expected.append(order)
        else:
            assert spool.append(step) == []
            expected += step
    while not spool.is_empty():
        spool.pass_on(found.extend, 3)
    assert found == expected


def test_what_was_not_taken_comes_again(tmp_path):
    spool = Spool(tmp_path / "spool", 10**9)
    some = several(Names(bytes(32)))
    spool.append(some)

    def refuse(rows):
        raise OSError("away")

    with pytest.raises(OSError, match="away"):
        spool.pass_on(refuse, 10)
    found = []
    spool.pass_on(found.extend, 10)
    assert found == some
    assert spool.is_empty()


def test_files_are_small_and_follow_one_another(tmp_path, monkeypatch):
    monkeypatch.setattr(spool_module, "_FILE_BYTES", 1000)
    spool = Spool(tmp_path / "spool", 10**9)
    some = several(Names(bytes(32)), 10)
    for row in some:
        spool.append([row])
    assert len(list((tmp_path / "spool").glob("*.jsonl"))) > 10
    found = []
    while not spool.is_empty():
        spool.pass_on(found.extend, 10)
    assert found == some


def test_a_call_deleted_by_hand_does_not_come_back_from_what_waits(section, outage):
    kept = Recorder(section)
    some = several(kept.folder.names)
    kept.take(some[:10])
    with outage():
        kept.take(some[10:])
    name = kept.folder.names.call("call 2")
    assert purge(kept.database, name, "purged") == 1  # by another process, say
    while kept.is_behind:
        kept.rest()
    assert [call[0] for call in content(kept.database)["calls"]] == [1, 3]
    kept.close()
