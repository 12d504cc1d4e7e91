"""Somebody else holds the book, or it cannot be written: the board goes on, and forgets nothing."""

import sqlite3
import time
from contextlib import closing, contextmanager

import httpx

from tests.program import wait_until
from tests.wallboard.telling import Telling
from tests.wallboard.windows import free_port, running

SETTINGS = """
[[webhook]]
name = "crm"
url = "http://127.0.0.1:9/hook"
format = "slack"
allow_private = true
[[escalation]]
after_s = 1.0
state = "rising"
do = "notify_supervisor"
"""


@contextmanager
def book(folder):
    path = folder / "wallboard" / "board.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as found:
        yield found


@contextmanager
def held(folder):
    """Let nobody else write into the book."""
    with book(folder) as found:
        found.execute("BEGIN IMMEDIATE")
        yield
        found.execute("ROLLBACK")


def told(folder, sql):
    with book(folder) as found:
        return {row[0] for row in found.execute(sql)}


def row(client):
    (found,) = client.get("/api/view").json()["rows"]
    return found


def test_while_another_writes_all_is_shown_and_done_and_afterwards_written_and_told(tmp_path):
    with (
        running(tmp_path, free_port(), SETTINGS) as address,
        httpx.Client(base_url=address, timeout=30) as client,
        closing(Telling(address)) as engine,
    ):
        session = engine.begin("call 1")
        with held(tmp_path):
            alert = engine.alert(session, "irritated")
            until = time.monotonic() + 20
            while not row(client)["life"]["escalated"] and time.monotonic() < until:
                engine.beat()
                time.sleep(0.2)
            assert row(client)["life"]["escalated"]["what"] == "notify_supervisor"
            csrf = {"X-CSRF-Token": client.get("/api/me").json()["csrf"]}
            step = client.post(f"/api/alerts/{alert}/step", json={"step": "seen"}, headers=csrf)
            assert step.status_code == 200
        wanted = {"alert.raised", "alert.escalated", "alert.seen"}
        deliveries = "SELECT kind FROM webhook_delivery"
        wait_until(lambda: told(tmp_path, deliveries) == wanted)
        client.get("/api/audit")
        notes = told(tmp_path, "SELECT what FROM audit")
        assert {"escalated: notify_supervisor", "alert.seen"} <= notes
    assert "database is locked" in (tmp_path / "log").read_text()
