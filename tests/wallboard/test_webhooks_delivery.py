"""Webhooks get through: at least once, by the same id, whatever receivers do."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import closing
from email.utils import formatdate
from pathlib import Path

import pytest

from hackles.wallboard.webhooks import sending
from tests.wallboard.webhook_receivers import (
    NOON,
    Clock,
    opened,
    raised,
    receiving,
    until,
    verified,
    webhook,
    withdrawn,
)

HOUR = 3600.0
DAY = 24 * HOUR


@pytest.fixture
def receiver():
    with receiving() as one:
        yield one


@pytest.fixture
def clock():
    return Clock()


def run(coroutine_function, *arguments):
    """Run to the end, and close what is open."""

    async def whole():
        try:
            await coroutine_function(*arguments)
        finally:
            for one in arguments:
                if hasattr(one, "close") and hasattr(one, "settle"):
                    await one.close()

    asyncio.run(whole())


def test_an_alert_arrives_signed_and_is_not_sent_twice(tmp_path, receiver):
    hook = webhook(receiver.url, tmp_path)
    with opened(tmp_path, hook, clock=Clock(time.time())) as webhooks:
        webhooks.put(raised())
        webhooks.put(raised())
        run(lambda w: w.settle(), webhooks)
    (got,) = receiver.got
    assert got.id == "alert1:raised"
    assert got.headers["content-type"] == "application/cloudevents+json"
    assert verified(got, Path(hook.secret_file).read_text().strip())
    assert json.loads(got.body)["data"]["queue"] == "billing"


def test_a_receiver_that_is_down_for_an_hour_gets_everything_and_keeps_each_id_once(
    tmp_path, receiver, clock
):
    hook = webhook(receiver.url, tmp_path)
    secret = Path(hook.secret_file).read_text().strip()
    kept = Counter()

    def keep(got):
        assert verified(got, secret, clock())
        kept[got.id] += 1
        return 204, {}, b""

    async def an_hour(webhooks):
        receiver.down()
        for number in range(60):  # an alert each minute
            webhooks.put(raised(number))
            await until(webhooks, clock, NOON + 60.0 * (number + 1))
        assert kept.total() == 0
        receiver.answer = keep
        await until(webhooks, clock, NOON + HOUR + 15 * 60)

    with opened(tmp_path, hook, clock=clock) as webhooks:
        run(an_hour, webhooks)
        assert set(kept) == {f"alert{number}:raised" for number in range(60)}
        assert set(kept.values()) == {1}
        assert webhooks.next_at() is None


def test_with_nothing_new_an_address_that_is_back_is_found_within_half_an_hour(
    tmp_path, receiver, clock
):
    async def an_hour(webhooks):
        receiver.down()
        webhooks.put(raised())
        await until(webhooks, clock, NOON + HOUR + 60)
        receiver.up()
        await until(webhooks, clock, NOON + 1.7 * HOUR)

    with opened(tmp_path, webhook(receiver.url, tmp_path), clock=clock) as webhooks:
        run(an_hour, webhooks)
        assert webhooks.outbox.count("crm", "done") == 1


def test_after_a_day_it_is_a_dead_letter_which_can_be_replayed_by_the_same_id(
    tmp_path, receiver, clock
):
    async def two_days(webhooks):
        receiver.down()
        webhooks.put(raised(1))
        webhooks.put(raised(2))
        await until(webhooks, clock, NOON + 2 * DAY)
        assert webhooks.next_at() is None
        dead = webhooks.outbox.dead("crm", 10)
        assert {one.id for one in dead} == {"alert1:raised", "alert2:raised"}
        assert all(one.last_error == "answered 502" for one in dead)
        assert max(one.attempts for one in dead) > 20
        receiver.up()
        assert webhooks.replay("crm", ["alert2:raised", "nobody's"]) == 1
        await until(webhooks, clock, clock())
        assert receiver.ids[-1] == "alert2:raised"
        assert webhooks.replay("crm", None) == 1

    with opened(tmp_path, webhook(receiver.url, tmp_path), clock=clock) as webhooks:
        run(two_days, webhooks)


def test_what_waits_survives_a_restart_and_goes_after_thirty_days(tmp_path, receiver, clock):
    hook = webhook(receiver.url, tmp_path)
    with opened(tmp_path, hook, clock=clock) as webhooks:
        webhooks.put(raised())
    with opened(tmp_path, hook, clock=clock) as webhooks:
        run(lambda w: w.settle(), webhooks)
        assert receiver.ids == ["alert1:raised"]
        webhooks.outbox.purge(NOON + 29 * DAY)
        webhooks.put(raised())
        assert webhooks.outbox.count("crm", "done") == 1
        webhooks.outbox.purge(NOON + 31 * DAY)
        assert webhooks.outbox.count("crm", "done") == 0


_KILLED = """
import asyncio, os, signal, sys
from hackles.wallboard.book import Book
from hackles.wallboard.settings import Settings, Webhook
from hackles.wallboard.webhooks import TABLES, Webhooks
from tests.wallboard.webhook_receivers import raised

folder, url, secret, how = sys.argv[1:]
hook = Webhook(name="crm", url=url, secret_file=secret, allow_private=True)
webhooks = Webhooks(Settings(webhook=(hook,)), Book(folder, [TABLES]))
if how == "dies":
    webhooks.outbox.done = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
    webhooks.put(raised())
asyncio.run(webhooks.settle())
os._exit(0)
"""


def test_killed_between_the_receivers_200_and_our_note_it_is_sent_again_by_the_same_id(
    tmp_path, receiver
):
    hook = webhook(receiver.url, tmp_path)
    here = [str(tmp_path / "board"), receiver.url, hook.secret_file]
    command = [sys.executable, "-c", _KILLED, *here]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    died = subprocess.run([*command, "dies"], env=environment, timeout=60, check=False)
    assert died.returncode == -signal.SIGKILL
    assert receiver.ids == ["alert1:raised"]
    subprocess.run([*command, "lives"], env=environment, timeout=60, check=True)
    subprocess.run([*command, "lives"], env=environment, timeout=60, check=True)
    assert receiver.ids == ["alert1:raised"] * 2
    assert receiver.got[0].body == receiver.got[1].body


def test_410_switches_off_and_an_administrator_switches_on_again(tmp_path, receiver, clock, caplog):
    async def gone(webhooks):
        receiver.answer = lambda _: (410, {}, b"")
        webhooks.put(raised(1))
        await until(webhooks, clock, NOON + DAY)
        webhooks.put(raised(2))
        await until(webhooks, clock, NOON + 2 * DAY)
        assert receiver.ids == ["alert1:raised"]
        assert not webhooks.endpoints.health("crm").is_enabled
        assert webhooks.outbox.count("crm", "dead") == 2
        receiver.up()
        webhooks.enable("crm")
        webhooks.put(raised(3))
        await until(webhooks, clock, clock())
        assert receiver.ids[1:] == ["alert3:raised"]
        assert webhooks.replay("crm", None) == 2
        await until(webhooks, clock, clock())
        assert sorted(receiver.ids[2:]) == ["alert1:raised", "alert2:raised"]

    with opened(tmp_path, webhook(receiver.url, tmp_path), clock=clock) as webhooks:
        run(gone, webhooks)
    assert "Webhook crm answered 410" in caplog.text


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("as_date", [False, True], ids=["seconds", "date"])
def test_retry_after_is_honoured_for_the_whole_endpoint(tmp_path, receiver, clock, status, as_date):
    said = formatdate(NOON + 2 * HOUR, usegmt=True) if as_date else "7200"

    async def asked(webhooks):
        receiver.answer = lambda _: (status, {"retry-after": said}, b"")
        webhooks.put(raised(1))
        await until(webhooks, clock, NOON + 60)
        assert len(receiver.got) == 1
        webhooks.put(raised(2))
        receiver.up()
        await until(webhooks, clock, NOON + 2 * HOUR - 1)
        assert len(receiver.got) == 1
        await until(webhooks, clock, NOON + 2 * HOUR + 60)
        assert sorted(receiver.ids[1:]) == ["alert1:raised", "alert2:raised"]

    with opened(tmp_path, webhook(receiver.url, tmp_path), clock=clock) as webhooks:
        run(asked, webhooks)


@pytest.mark.parametrize("said", ["999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_retry_after_is_a_day_at_most(tmp_path, receiver, clock, said):
    async def asked(webhooks):
        receiver.answer = lambda _: (503, {"retry-after": said}, b"")
        webhooks.put(raised())
        await webhooks.settle()
        assert webhooks.next_at() == pytest.approx(NOON + DAY, abs=1)

    with opened(tmp_path, webhook(receiver.url, tmp_path), clock=clock) as webhooks:
        run(asked, webhooks)


@pytest.mark.parametrize("said", ["soon", "-5", "", "Fri, 99 Foo 2026"])
def test_a_retry_after_that_says_nothing_is_no_fault(tmp_path, receiver, clock, said):
    async def asked(webhooks):
        receiver.answer = lambda _: (503, {"retry-after": said}, b"")
        webhooks.put(raised())
        await webhooks.settle()
        assert NOON + 5 <= webhooks.next_at() <= NOON + 10

    with opened(tmp_path, webhook(receiver.url, tmp_path), clock=clock) as webhooks:
        run(asked, webhooks)


def test_a_redirect_is_not_followed(tmp_path, receiver, clock):
    with (
        receiving() as inside,
        opened(tmp_path, webhook(receiver.url, tmp_path), clock=clock) as webhooks,
    ):
        receiver.answer = lambda _: (307, {"location": inside.url}, b"")
        webhooks.put(raised())
        run(lambda w: w.settle(), webhooks)
        assert inside.got == []
        assert webhooks.outbox.count("crm", "waiting") == 1
        assert webhooks.endpoints.health("crm").last_status == 307


def test_while_an_address_fails_one_at_a_time_is_tried_and_it_is_left_in_peace(
    tmp_path, receiver, clock
):
    under_way, most = [0], [0]

    def slow(_):
        under_way[0] += 1
        most[0] = max(most[0], under_way[0])
        time.sleep(0.02)
        under_way[0] -= 1
        return 500, {}, b""

    async def failing(webhooks):
        receiver.answer = slow
        webhooks.put(raised(0))
        await webhooks.settle()
        most[0] = 0
        for number in range(1, 200):
            webhooks.put(raised(number))
        await until(webhooks, clock, NOON + HOUR)
        assert most[0] == 1
        assert len(receiver.got) <= 70  # one a minute, but for the first

    with opened(tmp_path, webhook(receiver.url, tmp_path), clock=clock) as webhooks:
        run(failing, webhooks)


def test_a_message_that_never_gets_through_holds_up_no_other(tmp_path, receiver, clock):
    async def a_day(webhooks):
        receiver.answer = lambda got: (500 if "alert0:" in got.id else 200, {}, b"")
        for number in range(288):  # one in five minutes
            webhooks.put(raised(number))
            await until(webhooks, clock, NOON + 300.0 * (number + 1))
        assert webhooks.outbox.count("crm", "done") == 287
        assert webhooks.outbox.count("crm", "dead") == 1
        assert Counter(receiver.ids)["alert0:raised"] < 100

    with opened(tmp_path, webhook(receiver.url, tmp_path), clock=clock) as webhooks:
        run(a_day, webhooks)


@pytest.mark.parametrize(("format_", "pace_s"), [("slack", 1.0), ("teams", 0.5)])
def test_once_it_is_back_all_that_waits_follows_at_the_pace_that_the_service_takes(
    tmp_path, receiver, clock, format_, pace_s
):
    times = []

    async def back(webhooks):
        receiver.down()
        for number in range(10):
            webhooks.put(raised(number))
        await until(webhooks, clock, NOON + HOUR)
        receiver.answer = lambda _: (times.append(clock()), (200, {}, b""))[1]
        await until(webhooks, clock, NOON + 2 * HOUR)

    hook = webhook(receiver.url, tmp_path, format=format_, secret_file="")
    with opened(tmp_path, hook, clock=clock) as webhooks:
        run(back, webhooks)
    assert len(times) == 10
    assert times[-1] - times[0] >= 8 * pace_s  # some may be under way together
    assert times[-1] - times[0] < 60
    assert all("webhook-signature" not in got.headers for got in receiver.got)


def silent_server(says=b"", each_s=0.0):
    """Return a socket that takes connections, and says a byte at a time, or nothing."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=drip, args=(connection,), daemon=True).start()

    def drip(connection):
        with connection:
            try:
                for sign in says:
                    connection.send(bytes([sign]))
                    time.sleep(each_s)
                connection.recv(1 << 20)
                while connection.recv(1 << 20):
                    pass
            except OSError:
                pass

    threading.Thread(target=serve, daemon=True).start()
    return server


def url_of(server):
    return f"http://127.0.0.1:{server.getsockname()[1]}/"


@pytest.mark.parametrize("says", [b"", b"HTTP/1.1 200 OK\r\nx: " + b"y" * 10_000])
def test_a_receiver_that_hangs_or_drips_holds_up_no_other(
    tmp_path, receiver, clock, monkeypatch, says
):
    monkeypatch.setattr(sending, "TIMEOUT_S", 0.6)

    async def both(webhooks):
        task = asyncio.create_task(webhooks.settle())
        await asyncio.sleep(0.3)
        assert len(receiver.got) == 5  # while the other still hangs
        assert not task.done()
        await task

    with closing(silent_server(says, 0.01)) as server:
        hooks = webhook(url_of(server), tmp_path, name="slow"), webhook(receiver.url, tmp_path)
        with opened(tmp_path, *hooks, clock=clock) as webhooks:
            for number in range(5):
                webhooks.put(raised(number))
            run(both, webhooks)
            assert webhooks.outbox.count("slow", "waiting") == 5
            assert "no answer within" in webhooks.outbox.due("slow", NOON + DAY, 9)[-1].last_error


def test_of_a_huge_answer_hardly_anything_is_read(tmp_path, clock):
    sent = []

    def serve(server):
        connection, _ = server.accept()
        with connection:
            connection.recv(1 << 16)
            try:
                connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n")
                while len(sent) < 10_000:
                    sent.append(connection.send(bytes(65536)))
            except OSError:
                pass

    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        with opened(tmp_path, webhook(url_of(server), tmp_path), clock=clock) as webhooks:
            webhooks.put(raised())
            run(lambda w: w.settle(), webhooks)
            assert webhooks.outbox.count("crm", "done") == 1
        thread.join()
    assert sum(sent) < 50e6  # what the kernel's memory holds


def test_headers_without_end_are_a_failure(tmp_path, clock):
    def serve(server):
        connection, _ = server.accept()
        with connection:
            connection.recv(1 << 16)
            try:
                connection.send(b"HTTP/1.1 200 OK\r\n")
                for _ in range(10_000):
                    connection.send(b"x: " + b"y" * 10_000 + b"\r\n")
            except OSError:
                pass

    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        with opened(tmp_path, webhook(url_of(server), tmp_path), clock=clock) as webhooks:
            webhooks.put(raised())
            run(lambda w: w.settle(), webhooks)
            assert webhooks.outbox.count("crm", "waiting") == 1
        thread.join()


def test_webhooks_are_told_what_their_settings_ask_for(tmp_path, receiver, clock):
    hooks = (
        webhook(receiver.url, tmp_path, name="all"),
        webhook(receiver.url, tmp_path, name="south", teams=("south",)),
        webhook(receiver.url, tmp_path, name="ends", events=("alert.resolved", "engine.lost")),
    )
    with opened(tmp_path, *hooks, clock=clock) as webhooks:
        webhooks.put(raised(1))
        webhooks.put(raised(2, teams=("south", "east")))
        webhooks.put(raised(3, kind="alert.resolved"))
        webhooks.put(raised(4, kind="engine.lost", session="", call="", alert="", teams=()))
        waiting = {name: webhooks.outbox.count(name, "waiting") for name in webhooks.named}
    assert waiting == {"all": 4, "south": 2, "ends": 2}


def traces(tmp_path, *secrets: bytes) -> list[bytes]:
    """Return which of some words the files of the board hold."""
    held = b"".join(path.read_bytes() for path in (tmp_path / "board").iterdir())
    return [secret for secret in secrets if secret in held]


def test_of_a_call_that_is_withdrawn_nothing_stays_and_who_heard_of_it_is_told(
    tmp_path, receiver, clock
):
    with receiving() as other:
        hooks = webhook(receiver.url, tmp_path), webhook(other.url, tmp_path, name="other")

        async def withdraw(webhooks):
            for number in range(20):
                webhooks.put(raised(number))
            webhooks.put(raised(99, call="of-the-caller", queue="of-the-queue", session="session1"))
            assert traces(tmp_path, b"of-the-caller") == [b"of-the-caller"]
            receiver.down()
            other.server.socket.close()  # nothing was ever told there
            await webhooks._couriers["crm"].settle()
            webhooks.put(withdrawn(0))
            webhooks.put(withdrawn(0))  # an engine tells it twice
            webhooks.put(withdrawn(1))
            receiver.up()
            await until_done(webhooks)
            for _ in range(3):  # as `run` does, once nothing else is done to the book
                webhooks.outbox.compact()

        async def until_done(webhooks):
            courier = webhooks._couriers["crm"]
            while (at := courier.next_at()) is not None:
                clock.now = max(clock.now, at)
                await courier.settle()

        with opened(tmp_path, *hooks, clock=clock) as webhooks:
            run(withdraw, webhooks)
            assert traces(tmp_path, b"of-the-caller", b"of-the-queue", b"alert0:", b"alert99") == []
            assert webhooks.outbox.count("other", "waiting") == 18
            assert webhooks.outbox.told("session5") == {"crm"}
        (told,) = [json.loads(got.body) for got in receiver.got if got.id == "session0:withdrawn"]
        assert told["type"] == "hackles.call.withdrawn"
        assert told["data"] == {"session": "session0"}


def test_whoever_may_have_heard_of_a_call_is_told_that_it_is_withdrawn(
    tmp_path, clock, monkeypatch
):
    """A receiver that did not answer may have read it all the same."""
    monkeypatch.setattr(sending, "TIMEOUT_S", 5.0)

    async def withdraw(webhooks):
        task = asyncio.create_task(webhooks.settle())
        await asyncio.sleep(0.2)
        assert [*webhooks._couriers["crm"]._under_way] == ["alert1:raised"]
        webhooks.put(withdrawn())
        await asyncio.sleep(0.1)
        assert [*webhooks._couriers["crm"]._under_way] == ["session1:withdrawn"]  # broken off
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        (left,) = webhooks.outbox.due("crm", clock(), 10)
        assert (left.kind, left.session) == ("call.withdrawn", "session1")

    with (
        closing(silent_server()) as server,
        opened(tmp_path, webhook(url_of(server), tmp_path), clock=clock) as webhooks,
    ):
        webhooks.put(raised())
        run(withdraw, webhooks)


def test_a_board_that_runs_sends_at_once_and_sees_what_the_command_line_did(
    tmp_path, receiver, monkeypatch
):
    from hackles.wallboard.webhooks import courier

    monkeypatch.setattr(courier, "_LOOK_S", 0.1)

    async def board(webhooks):
        task = asyncio.create_task(webhooks.run())
        await asyncio.sleep(0.05)
        webhooks.put(raised(1))
        await seen(lambda: receiver.ids == ["alert1:raised"])
        webhooks.outbox.add(  # by another process
            webhooks.outbox._found("id = ?", "alert1:raised")[0]._replace(
                id="alert2:raised", kind="x"
            )
        )
        await seen(lambda: receiver.ids == ["alert1:raised", "alert2:raised"])
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def seen(is_so):
        async with asyncio.timeout(20):
            while not is_so():
                await asyncio.sleep(0.01)

    hook = webhook(receiver.url, tmp_path)
    with opened(tmp_path, hook, clock=Clock(NOON), rest=asyncio.sleep) as webhooks:
        run(board, webhooks)
