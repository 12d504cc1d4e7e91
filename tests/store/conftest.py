"""What the store's tests share: a record on each kind of database, and what can happen to it."""

import contextlib
import os
import sqlite3

import pytest

from benchmarks.postgresql import Server, programs
from hackles.settings import Store
from hackles.store.database import open_database


@pytest.fixture(scope="session")
def server():
    """A PostgreSQL server."""
    found = programs()
    if found is None:
        if os.environ.get("HACKLES_REQUIRE_ALL") == "1":
            pytest.fail("there is no PostgreSQL here")
        pytest.skip("there is no PostgreSQL here")
    running = Server(found)
    yield running
    running.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def section(request, tmp_path):
    """Settings of a record that is empty, on either database."""
    url = ""
    if request.param == "postgresql":
        url = request.getfixturevalue("server").database()
    return Store(folder=str(tmp_path / "record"), database=url)


@pytest.fixture
def database(section):
    """The database of a record that is empty."""
    opened = open_database(section)
    yield opened
    opened.close()


@pytest.fixture
def outage(section, request):
    """A way to take the database away for a while."""
    if section.database:
        return lambda: _stopped(request.getfixturevalue("server"))
    return lambda: _locked(section)


@contextlib.contextmanager
def _stopped(server):
    server.stop("immediate")
    try:
        yield
    finally:
        server.start()


@contextlib.contextmanager
def _locked(section):
    path = os.path.join(section.folder, "hackles.db")
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")
