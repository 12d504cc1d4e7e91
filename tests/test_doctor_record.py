"""What the doctor says of the record; it changes nothing of it."""

import os
import time

import pytest

from hackles.doctor import installation
from hackles.doctor.record import record
from hackles.settings import Compliance, Settings, Store
from hackles.store import verified
from hackles.store.database import open_database
from hackles.store.rows import PurgeRow
from hackles.store.spool import Spool
from tests.store.asked import write_calls


def told(**store):
    """Return what is said of a record with these settings, as lines."""
    found = record(Settings(compliance=Compliance(notice="n", basis="b"), store=Store(**store)))
    return [f"{one.mark.value} {one.text}" for one in found]


def line(lines, part):
    """Return the one line that has this in it."""
    (found,) = [one for one in lines if part in one]
    return found


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("doctor") / "record"
    database = open_database(Store(folder=str(folder)))
    write_calls(database)
    database.close()
    return folder


def test_no_record_at_all_is_to_be_looked_at():
    (said,) = record(Settings(compliance=Compliance(notice="n", basis="b")))
    assert (said.mark.value, "add [store]" in said.text) == ("!", True)


def test_a_record_that_has_not_begun_is_not_begun_by_looking(tmp_path):
    lines = told(folder=str(tmp_path / "record"))
    assert line(lines, "there is none").startswith("! ")
    lines = told(folder=str(tmp_path / "record"), database="postgresql://db.example/hackles")
    assert "copy it from the first" in line(lines, "there is no key")
    assert not (tmp_path / "record").exists()


def test_a_record_that_is_well_is_told_of(written):
    lines = told(folder=str(written), scores_days=7)
    assert "✓ scores are kept 7 days, alerts and all else 200" in lines
    assert line(lines, "owner's alone").startswith("✓ ")
    assert line(lines, "SQLite in").endswith("): 5 calls since 2026-11-20")
    assert "✓ nothing waits for the database (64 MB may)" in lines


def test_what_others_may_read_is_a_fault(written):
    for name, mode in (("", 0o700), ("key", 0o600), ("hackles.db", 0o600)):
        path = written / name
        path.chmod(mode | 0o040)
        lines = told(folder=str(written))
        path.chmod(mode)
        assert line(lines, "may be read by others") == (
            f"✗ {path} may be read by others; chmod {mode:o} it"
        )


def test_a_head_beside_the_database_is_to_be_looked_at(written, tmp_path):
    for head in ("", str(tmp_path / "head")):
        assert line(told(folder=str(written), head=head), "whoever can alter").startswith("! ")


def test_a_head_on_another_disk_or_another_machine_is_well(written, tmp_path):
    other = "/dev/shm"
    if not os.path.isdir(other) or os.stat(other).st_dev == written.stat().st_dev:
        pytest.skip("there is no other disk here")
    lines = told(folder=str(written), head=f"{other}/head")
    assert line(lines, "apart from the database").startswith("✓ ")


def test_a_server_that_does_not_answer_is_a_fault_without_its_password(written):
    url = "postgresql://hackles:secret@127.0.0.1:1/hackles"
    said = line(told(folder=str(written), database=url), "PostgreSQL on")
    assert said.startswith("✗ PostgreSQL on 127.0.0.1, database hackles: ")
    assert "secret" not in said


def test_a_file_that_is_no_database_is_a_fault(tmp_path):
    database = open_database(Store(folder=str(tmp_path / "record")))
    database.close()
    (tmp_path / "record" / "hackles.db").write_bytes(b"no database at all, but a text" * 100)
    assert line(told(folder=str(tmp_path / "record")), "SQLite in").startswith("✗ ")


def test_another_key_is_a_fault(tmp_path):
    open_database(Store(folder=str(tmp_path / "record"))).close()
    (tmp_path / "record" / "key").write_text("ab" * 32)
    said = line(told(folder=str(tmp_path / "record")), "SQLite in")
    assert said.startswith("✗ ")
    assert "another key" in said


def test_what_waits_for_the_database_is_to_be_looked_at(tmp_path):
    open_database(Store(folder=str(tmp_path / "record"))).close()
    Spool(tmp_path / "record" / "spool", 2**20).append([PurgeRow("", "c", 0.0, "purged")] * 999)
    assert line(told(folder=str(tmp_path / "record")), "wait for").startswith("! 0.")


def test_when_it_was_last_found_whole_is_told(tmp_path):
    open_database(Store(folder=str(tmp_path / "record"))).close()
    store = {"folder": str(tmp_path / "record")}
    assert line(told(**store), "found whole").startswith("! was never found whole; run ")
    assert verified.note(tmp_path / "record")
    assert line(told(**store), "found whole").startswith("✓ was last found whole on 20")
    long_ago = time.time() - 40 * 86_400
    os.utime(tmp_path / "record" / "verified", (long_ago, long_ago))
    assert line(told(**store), "found whole").startswith("! ")


def test_what_a_record_in_postgresql_needs_is_a_fault_if_it_is_missing(monkeypatch):
    there = installation.util.find_spec
    monkeypatch.setattr(
        installation.util, "find_spec", lambda name: None if name == "psycopg" else there(name)
    )
    for url, mark in (("", "!"), ("postgresql://db.example/hackles", "✗")):
        settings = Settings(compliance=Compliance(notice="n", basis="b"), store=Store(database=url))
        (said,) = [one for one in installation.parts(settings) if "psycopg" in one.text]
        assert said.mark.value == mark
        assert "pip install 'hackles[postgresql]'" in said.text
