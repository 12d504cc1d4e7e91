"""A process that is killed in the middle: what it had handed over is there, once."""

import contextlib
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hackles.settings import Store
from hackles.store.database import open_database
from hackles.store.recorder import Recorder
from hackles.store.verifying import verify
from tests.store.made import content

_WRITES = """
import sys
from hackles.settings import Store
from hackles.store.recorder import Recorder
from tests.store.made import call_records, rows

kept = Recorder(Store(folder=sys.argv[1], database=sys.argv[2]))
number = int(sys.argv[3])
while True:
    number += 1
    kept.take(rows(call_records(number), kept.folder.names))
    kept.rest()
    print(number, flush=True)
"""
_ROOT = Path(__file__).parents[2]


def killed(section, first, away):
    """Let a process write calls, take the database away for a while, kill it; return the last."""
    command = [sys.executable, "-c", _WRITES, section.folder, section.database, str(first)]
    path = os.pathsep.join(sys.path)
    with subprocess.Popen(
        command, cwd=_ROOT, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}
    ) as process:
        lines = [process.stdout.readline() for _ in range(5)]
        with away():
            lines += [process.stdout.readline() for _ in range(5)]
        time.sleep(0.05)
        process.kill()
        lines += process.stdout.readlines()
    return max(int(line) for line in lines if line.endswith(b"\n"))


@contextlib.contextmanager
def locked(section):
    path = os.path.join(section.folder, "hackles.db")
    with contextlib.closing(sqlite3.connect(path, timeout=60, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


@pytest.fixture
def away(section, outage):
    return outage if section.database else lambda: locked(section)


def test_what_was_handed_over_before_the_last_batch_is_there_once(section, away):
    open_database(section).close()
    first = 0
    handed_over = []
    for _ in range(2):
        last = killed(section, first, away)
        handed_over += range(first + 1, last + 1)
        first = last + 100
    kept = Recorder(section)
    while kept.is_behind:
        kept.rest()
        time.sleep(0.05)
    found = content(kept.database)
    assert verify(kept.database).faults == []
    kept.close()
    number_of = {call[0]: int(call[1].removeprefix("session ")) for call in found["calls"]}
    per_call = dict.fromkeys(number_of, 0)
    for entry in found["entries"]:
        if entry[1] is not None:  # or it says that the batch in hand was cut within a line
            per_call[entry[1]] += 1
    whole = {number_of[n] for n, count in per_call.items() if count == 10}
    assert set(handed_over) <= whole
    assert len(set(number_of.values())) == len(number_of)
    assert len(found["readings"]) >= 6 * len(handed_over)


def test_a_folder_has_one_key_whoever_comes_first(tmp_path):
    folder = str(tmp_path / "record")
    script = "import sys; from hackles.store.folder import Folder; from hackles.settings import "
    script += "Store; print(Folder(Store(folder=sys.argv[1])).key.hex())"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", script, folder]
    running = [subprocess.Popen(command, env=env, stdout=subprocess.PIPE) for _ in range(4)]
    keys = {process.communicate()[0] for process in running}
    assert len(keys) == 1
    assert oct(os.stat(f"{folder}/key").st_mode)[-3:] == "600"
    assert oct(os.stat(folder).st_mode)[-3:] == "700"
    assert os.listdir(folder) == ["key"]
    assert Store(folder=folder)
