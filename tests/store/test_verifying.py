"""Whatever is altered in the record, added to it or taken from it is found."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from hackles.errors import StoreError
from hackles.store.purging import purge
from hackles.store.tables import calls, chain, entries, gaps, readings
from hackles.store.verifying import verify
from hackles.store.writing import Writer
from tests.store.made import several

_TABLES = (chain, calls, entries, readings, gaps)
ANY = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def written(database):
    """A record of three calls, one of them deleted since, and its tables as they were written."""
    Writer(database).write(several(database.names))
    assert purge(database, database.names.call("call 2"), "purged") == 1
    assert verify(database).faults == []
    return database, _kept(database)


def _kept(database):
    with database.reading() as connection:
        found = {t: select(t).order_by(*t.primary_key.columns) for t in _TABLES}
        return _Tables(
            {t: [dict(r) for r in connection.execute(q).mappings()] for t, q in found.items()}
        )


class _Tables(dict):
    """What is in them; too much to be printed."""

    __repr__ = object.__repr__


def _put_back(database, tables):
    with database.writing() as connection:
        for table in reversed(_TABLES):
            connection.execute(delete(table))
        for table, found in tables.items():
            if found:
                connection.execute(insert(table), found)


def _altered(value):
    """Return another value of the same kind."""
    match value:
        case None:
            return st.none()
        case bool():
            return st.just(not value)
        case bytes():
            return st.binary(min_size=1, max_size=32).filter(lambda other: other != value)
        case str():
            return st.sampled_from(["x" + value[1:], value[:-1], "x"]).filter(lambda o: o != value)
        case _:
            return st.sampled_from([value + 1, value - 1, value + 1000])


@given(data=st.data())
@ANY
def test_any_altered_column_of_an_entry_or_a_call_is_found(data, written):
    database, tables = written
    table = data.draw(st.sampled_from([entries, calls]))
    row = data.draw(st.sampled_from(tables[table]))
    column = data.draw(st.sampled_from([name for name, value in row.items() if value is not None]))
    value = data.draw(_altered(row[column]))
    taken = {other[column] for other in tables[table]}
    if (column in ("id", "seq", "session")) and value in taken:
        return  # the database itself forbids it
    others = {name: [dict(r) for r in found] for name, found in tables.items()}
    (it,) = [other for other in others[table] if other == row]
    it[column] = value
    if table is calls and column == "id":
        for scores in (readings, gaps):
            others[scores] = [one for one in others[scores] if one["call"] != row["id"]]
    _put_back(database, others)
    assert verify(database).faults
    _put_back(database, tables)


@given(data=st.data())
@ANY
def test_any_emptied_column_is_found(data, written):
    database, tables = written
    row = data.draw(st.sampled_from([row for row in tables[entries] if row["kind"]]))
    filled = [
        name for name in ("id", "call", "kind", "at", "time", "payload") if row[name] is not None
    ]
    names = data.draw(st.sets(st.sampled_from(filled), min_size=1))
    with database.writing() as connection:
        emptied = dict.fromkeys(names)
        connection.execute(update(entries).where(entries.c.seq == row["seq"]).values(emptied))
    assert verify(database).faults
    _put_back(database, tables)


@given(data=st.data())
@ANY
def test_rows_that_were_taken_out_or_swapped_are_found(data, written):
    database, tables = written
    some = list(tables[entries])
    one, other = sorted(
        data.draw(
            st.lists(
                st.sampled_from(some), min_size=2, max_size=2, unique_by=lambda row: row["seq"]
            )
        ),
        key=lambda r: r["seq"],
    )
    if data.draw(st.booleans()):
        some = [row for row in some if row["seq"] != one["seq"]]
    else:
        some[one["seq"] - 1] = other | {"seq": one["seq"]}
        some[other["seq"] - 1] = one | {"seq": other["seq"]}
    _put_back(database, tables | {entries: some})
    assert verify(database).faults
    _put_back(database, tables)


def test_a_record_that_is_put_back_is_whole_again(written):
    database, tables = written
    _put_back(database, tables | {entries: tables[entries][1:]})
    _put_back(database, tables)
    assert verify(database).faults == []


@pytest.mark.parametrize("how_many", [1, 29])
@pytest.mark.parametrize("also_the_end", [False, True])
def test_a_chain_that_was_cut_off_is_found_by_its_head(how_many, also_the_end, written):
    database, tables = written
    left = tables[entries][:-how_many]
    end = tables[chain][0] | {"seq": left[-1]["seq"], "link": left[-1]["link"]}
    _put_back(database, tables | {entries: left} | ({chain: [end]} if also_the_end else {}))
    said = "\n".join(verify(database).faults)
    assert f"ends at {len(left)}" in said
    if also_the_end:
        assert f"{database.head.path} says 31: entries were cut off" in said


def test_a_log_that_was_written_anew_is_found_by_its_head(database):
    some = several(database.names)
    Writer(database).write(some)
    head = database.head.path.read_bytes()
    with database.writing() as connection:
        for table in (entries, readings, gaps, calls):
            connection.execute(delete(table))
        connection.execute(update(chain).values(seq=0, link=bytes(32), calls=0))
    Writer(database).write(some)
    database.head.path.write_bytes(head)
    assert any("written anew" in fault for fault in verify(database).faults)


def test_a_head_that_is_gone_or_no_head_is_said(written):
    database, _ = written
    database.head.path.write_text("nonsense")
    assert any("holds no head" in fault for fault in verify(database).faults)
    database.head.path.unlink()
    assert any("is not there" in fault for fault in verify(database).faults)


def test_what_was_altered_is_named(written):
    database, tables = written
    (row,) = [r for r in tables[entries] if r["kind"] == "note" and r["call"] == 1]
    with database.writing() as connection:
        mine = entries.c.seq == row["seq"]
        connection.execute(update(entries).where(mine).values(payload='{"text":"another"}'))
    assert verify(database).faults == [
        f"Entry {row['seq']} (note of 2096-10-02 07:06) was altered."
    ]


def test_a_call_that_does_not_agree_with_its_entries_is_named(written):
    database, _ = written
    with database.writing() as connection:
        connection.execute(update(calls).where(calls.c.id == 1).values(alerts=7, peak="calm"))
    (fault,) = verify(database).faults
    assert fault == "The row of call 1 does not agree with its entries (alerts, peak)."


def test_a_payload_that_went_without_a_tombstone_is_named(written):
    database, _ = written
    nothing = dict.fromkeys(("id", "kind", "at", "time", "payload"))
    with database.writing() as connection:
        connection.execute(update(entries).where(entries.c.call == 1).values(nothing))
    assert "Entry 1 was emptied, and no tombstone says why." in verify(database).faults


def test_what_no_version_ever_wrote_is_a_fault_and_no_crash(tmp_path, section):
    if section.database:
        pytest.skip("PostgreSQL keeps to its types")
    from hackles.store.database import open_database

    database = open_database(section)
    Writer(database).write(several(database.names))
    for name in ("digest", "link", "payload", "at", "call", "kind"):
        with database.writing() as connection:
            connection.exec_driver_sql(f"UPDATE entries SET {name} = x'ff00' WHERE seq = 3")
        assert verify(database).faults, name
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE entries SET digest = 'text' WHERE seq = 4")
        connection.exec_driver_sql("UPDATE calls SET begun_at = 'text', key = 'text'")
    assert verify(database).faults
    database.close()


def test_a_database_that_is_away_is_one_sentence(database, outage, section):
    if not section.database:
        pytest.skip("who only reads an SQLite file is kept out by nobody")
    with outage(), pytest.raises(StoreError, match="cannot be reached or written now"):
        verify(database)
