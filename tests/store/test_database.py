"""Opening the record: its tables, its key, and what is said when it cannot be opened."""

import contextlib
import os
import signal
import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from hackles.errors import StoreError, UsageError
from hackles.settings import Store
from hackles.store import recorder as recorder_module
from hackles.store import steps
from hackles.store.database import open_database
from hackles.store.recorder import Recorder
from hackles.store.tables import metadata
from hackles.store.verifying import verify
from tests.store.made import batches, several


def test_the_steps_make_the_tables_that_the_code_speaks_of(database):
    with database.reading() as connection:
        found = compare_metadata(MigrationContext.configure(connection), metadata)
    assert found == []


def test_the_last_step_is_the_one_that_the_code_knows():
    config = Config()
    config.set_main_option("script_location", str(steps._FOLDER))
    assert ScriptDirectory.from_config(config).get_current_head() == steps.LAST


def test_a_record_that_a_later_version_made_is_not_touched(section):
    database = open_database(section)
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    with pytest.raises(UsageError, match="later version"):
        open_database(section)


def test_a_record_can_be_opened_many_times(section):
    for _ in range(3):
        open_database(section).close()


def test_a_record_that_was_begun_with_another_key_is_not_touched(section):
    open_database(section).close()
    with open(os.path.join(section.folder, "key"), "w") as key:
        key.write("ab" * 32)
    with pytest.raises(UsageError, match="another key"):
        open_database(section)


def test_nobody_else_may_read_the_files(tmp_path):
    section = Store(folder=str(tmp_path / "record"))
    kept = Recorder(section)
    kept.take(several(kept.folder.names))
    modes = {path.name: path.stat().st_mode & 0o777 for path in kept.folder.path.iterdir()}
    kept.close()
    assert set(modes.values()) == {0o600}
    assert {"key", "head", "hackles.db", "hackles.db-wal"} <= set(modes)
    assert kept.folder.path.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://hackles:sEcr3t@127.0.0.1:1/hackles",
        "postgresql://hackles:sEcr3t@no-such-host.invalid/hackles",
        "postgresql://hackles:a@sEcr3t@127.0.0.1/hackles",
        "postgresql://hackles:a/sEcr3t@127.0.0.1/hackles",
        "postgresql://hackles@127.0.0.1:1/hackles?password=sEcr3t",
        "postgresql://hackles@127.0.0.1:1/hackles?sEcr3t=1&password=sEcr3t",
        "postgresql://hackles:sEcr3t%40@127.0.0.1:sEcr3t/hackles",
    ],
)
def test_no_message_shows_a_password(url, tmp_path, caplog):
    section = Store(folder=str(tmp_path / "record"), database=url)
    with pytest.raises((UsageError, StoreError)) as said:
        open_database(section)
    assert "sEcr3t" not in str(said.value)
    with contextlib.suppress(UsageError):
        Recorder(section).close()
    assert "sEcr3t" not in caplog.text


def test_without_psycopg_it_is_said_how_to_get_it(tmp_path):
    script = """
import sys
sys.modules["psycopg"] = None
from hackles.errors import UsageError
from hackles.settings import Store
from hackles.store.database import open_database
try:
    open_database(Store(folder=sys.argv[1], database="postgresql://somebody@127.0.0.1/x"))
except UsageError as error:
    print(error)
"""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", script, str(tmp_path)]
    said = subprocess.run(command, env=env, capture_output=True, check=True).stdout.decode()
    assert "pip install 'hackles[postgresql]'" in said


def test_who_has_no_store_does_not_import_its_library():
    script = "import sys, hackles.sinks.opened, hackles.cli; print('sqlalchemy' in sys.modules)"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", script]
    assert subprocess.run(command, env=env, capture_output=True).stdout == b"False\n"


def test_a_server_that_hangs_holds_nobody_up_for_ever(server, tmp_path, monkeypatch):
    monkeypatch.setattr(recorder_module, "_DEADLINE_S", 0.5)
    section = Store(folder=str(tmp_path / "record"), database=server.database())
    kept = Recorder(section)
    first, *others = batches(several(kept.folder.names), 10)
    kept.take(first)
    pids = server.pids()
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        for part in others:
            kept.take(part)
        assert kept.is_behind
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    while kept.is_behind:
        kept.rest()
    found = verify(kept.database)
    kept.close()
    assert (found.faults, found.entries) == ([], 30)
