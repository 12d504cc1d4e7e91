"""`hackles live` as its user runs it: a process, real connections, and what it writes."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from hackles.types import Alert, Gap, Reading
from tests.conftest import customer, truth
from tests.events import BRISK_TOML, run
from tests.program import HACKLES, PATIENCE_S, Ended, finish, group, hackles, started, wait_until

BASIC = """
[compliance]
notice = "a test"
basis = "a test"
{compliance}
[engine]
calls = 20
workers = {workers}
[audiosocket]
listen = "127.0.0.1:{port}"
role = "{role}"
[media]
listen = "127.0.0.1:{media}"
[control]
listen = "127.0.0.1:{control}"
[output]
jsonl = "calls.jsonl"
{more}
"""


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


class Phone:
    """Asterisk's side of a call."""

    def __init__(self, port: int, call: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(b"\x01\x00\x10" + uuid.UUID(call).bytes)

    def say(self, samples: np.ndarray) -> None:
        codes = (samples * 32768).astype("<i2").tobytes()
        for at in range(0, len(codes), 320):
            some = codes[at : at + 320]
            self.socket.sendall(b"\x10" + len(some).to_bytes(2) + some)

    def press(self, digit: str) -> None:
        self.socket.sendall(b"\x03\x00\x01" + digit.encode())

    def hang_up(self) -> None:
        self.socket.sendall(b"\x00\x00\x00")
        self.socket.close()

    def is_up(self) -> bool:
        self.socket.setblocking(False)
        try:
            return self.socket.recv(1) != b""
        except BlockingIOError:
            return True
        finally:
            self.socket.setblocking(True)


@dataclass
class Daemon:
    """A daemon that runs."""

    process: subprocess.Popen
    folder: Path
    port: int
    media: int
    control: int
    phones: list[Phone] = field(default_factory=list)

    def phone(self, number: int) -> Phone:
        self.phones.append(Phone(self.port, name_of(number)))
        return self.phones[-1]

    def get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.control}{path}", timeout=30) as said:
            return said.read().decode()

    def post(self, path: str, body: object, **headers: str) -> tuple[int, dict]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.control}{path}",
            data,
            {"Content-Type": "application/json"} | headers,
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as said:
                return said.status, json.load(said)
        except urllib.error.HTTPError as error:
            text = error.read()
            return error.code, json.loads(text) if text.startswith(b"{") else {}

    def status(self) -> str:
        try:
            return json.loads(self.get("/health"))["status"]
        except urllib.error.HTTPError as error:  # all is not well
            return json.loads(error.read())["status"]

    def calls(self) -> list[dict]:
        return json.loads(self.get("/calls"))["calls"]

    def metric(self, name: str) -> float:
        lines = [line for line in self.get("/metrics").splitlines() if line.startswith(name)]
        return sum(float(line.rpartition(" ")[2]) for line in lines)

    def records(self, call: str | None = None) -> list[dict]:
        path = self.folder / "calls.jsonl"
        found = [json.loads(line) for line in path.read_bytes().splitlines()]
        return [one for one in found if call in (None, one["call"])]

    def stop(self) -> Ended:
        self.process.send_signal(signal.SIGTERM)
        done = finish(self.process)
        assert done.code == 0, done.err
        return done


@contextmanager
def daemon(folder: Path, role="customer", workers=1, compliance="", more=""):
    """Run one, and end it however it stands."""
    port, media, control = free_ports(3)
    text = BASIC.format(
        port=port,
        media=media,
        control=control,
        role=role,
        workers=workers,
        compliance=compliance,
        more=more,
    )
    (folder / "hackles.toml").write_text(text)
    with started(HACKLES, "live", "--config", folder / "hackles.toml") as process:
        running = Daemon(process, folder, port, media, control)
        wait_until(lambda: process.poll() is not None or answers(running))
        assert process.poll() is None, process.stderr.read()
        try:
            yield running
        finally:
            for phone in running.phones:
                phone.socket.close()


def answers(running: Daemon) -> bool:
    try:
        return json.loads(running.get("/health"))["status"] == "ok"
    except (urllib.error.URLError, ConnectionError):
        return False


def name_of(number: int) -> str:
    return str(uuid.UUID(int=number + 1))


def as_event(record: dict) -> tuple:
    kind = {"reading": Reading, "alert": Alert, "gap": Gap}[record["type"]]
    return kind, record["time"], record.get("state"), record.get("reason"), record.get("irritation")


def assert_told(records: list[dict], samples: np.ndarray) -> None:
    """Fail unless the records are those of the pipeline on the same samples."""
    events = [r for r in records if r["type"] in ("reading", "alert", "gap")]
    expected = run(samples)
    assert [as_event(r)[:4] for r in events] == [
        (type(e), e.time, getattr(e, "state", None), getattr(e, "reason", None)) for e in expected
    ]
    for record, event in zip(events, expected, strict=True):
        if isinstance(event, Reading):
            assert record["irritation"] == pytest.approx(event.irritation, abs=2e-4)


def test_calls_that_come_at_once_are_told_as_each_is_told_alone_with_a_summary_at_the_end(tmp_path):
    names = ["en_rising_1", "pl_calm_1", "es_rising_1"]
    calls = [customer(name)[: 8000 * 9] for name in names]
    with daemon(tmp_path) as running:
        phones = [running.phone(number) for number in range(3)]
        for at in range(0, 8000 * 9, 800):
            for phone, samples in zip(phones, calls, strict=True):
                phone.say(samples[at : at + 800])
        wait_until(lambda: len(running.calls()) == 3)
        for phone in phones:
            phone.hang_up()
        wait_until(lambda: not running.calls())
        running.stop()
    for number, samples in enumerate(calls):
        records = running.records(name_of(number))
        assert records[0]["type"] == "call"
        assert records[0]["state"] == "begun"
        assert_told(records, samples)
        assert records[-1]["type"] == "summary"
        assert records[-1]["duration_s"] == 9.0
        assert records[-1]["error"] is None
        assert len({record["id"] for record in records[1:-1]}) == len(records) - 2


def test_told_to_stop_it_tells_what_is_left_and_ends_well(tmp_path):
    samples = talk(4)
    with daemon(tmp_path) as running:
        phone = running.phone(0)
        phone.say(samples)
        wait_until(lambda: running.metric("hackles_audio_seconds_total") >= 4)
        done = running.stop()
    records = running.records(name_of(0))
    assert_told(records, samples)
    assert records[-1]["type"] == "summary"
    assert "Stopped." in done.err


def test_nobody_listens_without_a_notice_and_a_legal_basis(tmp_path):
    (tmp_path / "hackles.toml").write_text('[audiosocket]\nlisten = "127.0.0.1:0"\n')
    done = hackles("live", "--config", tmp_path / "hackles.toml")
    assert done.code == 2
    assert "notice" in done.err
    assert "basis" in done.err


def test_a_port_that_is_taken_is_one_sentence(tmp_path):
    with daemon(tmp_path):
        done = hackles("live", "--config", tmp_path / "hackles.toml")
    assert done.code == 2
    assert "Cannot listen on 127.0.0.1 port" in done.err


def test_whoever_is_not_registered_is_not_heard_and_stays_connected(tmp_path):
    with daemon(tmp_path, role="registered") as running:
        said = {"id": name_of(0), "role": "customer", "call": "call 7", "queue": "q", "agent": "a7"}
        assert running.post("/calls", said) == (201, {"id": name_of(0), "call": "call 7"})
        assert running.post("/calls", {"id": name_of(2), "role": "agent"})[0] == 201
        said = {"id": name_of(3), "role": "customer", "consent": False}
        assert running.post("/calls", said)[0] == 201
        phones = [running.phone(number) for number in range(4)]
        for phone in phones:
            phone.say(np.zeros(8000, np.float32))
        wait_until(lambda: running.metric('hackles_calls_total{state="refused"}') == 3)
        (call,) = running.calls()
        assert (call["call"], call["queue"], call["agent"]) == ("call 7", "q", "a7")
        # Whoever withdraws may be named as the way in names the call, too.
        assert running.post(f"/calls/{name_of(0)}/consent", {"consent": False})[0] == 200
        wait_until(lambda: not running.calls())
        assert all(phone.is_up() for phone in phones)
        wait_until(lambda: [r["state"] for r in running.records("call 7")] == ["withdrawn"])
    refused = {r["call"]: r["reason"] for r in running.records() if r.get("state") == "refused"}
    assert refused == {name_of(1): "role", name_of(2): "role", name_of(3): "consent"}


@pytest.mark.parametrize("by", ["api", "key"])
def test_a_caller_who_withdraws_is_deleted_and_the_telephone_call_goes_on(tmp_path, by):
    samples = talk(4)
    with daemon(tmp_path, compliance='withdraw_digit = "9"') as running:
        phones = [running.phone(number) for number in range(2)]
        for phone in phones:
            phone.say(samples)
        wait_until(lambda: running.metric("hackles_readings_total") >= 2)
        if by == "api":
            assert running.post(f"/calls/{name_of(0)}/consent", {"consent": False})[0] == 200
        else:
            phones[0].press("9")
        wait_until(lambda: [r.get("state") for r in running.records(name_of(0))] == ["withdrawn"])
        assert len(running.calls()) == 1
        assert running.post(f"/calls/{name_of(0)}/consent", {"consent": True})[0] == 409
        phones[0].say(samples)
        assert phones[0].is_up()
        again = running.phone(0)
        wait_until(lambda: running.metric('hackles_refusals_total{reason="consent"}') == 1)
        assert again.is_up()
        phones[1].hang_up()
        wait_until(lambda: not running.calls())
        running.stop()  # what it had to say of that is written by then
    states = [(r["type"], r.get("state")) for r in running.records(name_of(0))]
    assert states == [("call", "withdrawn"), ("call", "refused")]
    assert_told(running.records(name_of(1)), samples)


def test_people_see_an_alert_and_what_to_say_but_nothing_in_shadow_mode(tmp_path):
    folders = [tmp_path / name for name in ("shown", "shadow")]
    for folder in folders:
        folder.mkdir()
    shadow = BRISK_TOML + "[alerts]\nshadow = true\n"
    with daemon(folders[0], more=BRISK_TOML) as shown, daemon(folders[1], more=shadow) as shadowed:
        for running in (shown, shadowed):
            running.phone(0).say(escalating())
        for running in (shown, shadowed):
            wait_until(lambda: running.metric("hackles_alerts_total") >= 1)  # noqa: B023
        lines = shown.stop().out.splitlines()
        assert shadowed.stop().out == ""
    assert "irritation" in lines[0]
    assert name_of(0) in lines[0]
    assert lines[1].strip().startswith("→")
    withheld = [
        {r["withheld"] for r in running.records() if r["type"] == "alert"}
        for running in (shown, shadowed)
    ]
    assert withheld == [{None}, {"shadow"}]


def speech(name: str) -> list[tuple[np.ndarray, float, float]]:
    """Return what a sample's customer says, turn by turn, and when each begins and ends."""
    samples, turns = customer(name), truth(name)["segments"]
    return [(samples[round(8000 * a) : round(8000 * b)], a, b) for a, b, _ in turns]


def escalating() -> np.ndarray:
    """Return a few seconds of calm, then irritated speech of one sample caller."""
    said, told = speech("en_rising_1"), truth("en_rising_1")
    angry = [some for some, begin, _ in said if begin >= told["plateau_s"]]
    return np.concatenate([said[0][0], *angry])[: 8000 * 17]


def talk(seconds: int) -> np.ndarray:
    """Return calm speech without pauses."""
    return np.concatenate([some for some, _, _ in speech("en_calm_1")])[: 8000 * seconds]


def test_settings_are_read_again_when_told_to_and_broken_ones_change_nothing(tmp_path):
    with daemon(tmp_path) as running:
        path = tmp_path / "hackles.toml"
        text = path.read_text()
        path.write_text(text + "[alerts]\nshadow = 7\n")
        running.process.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        assert not json.loads(running.get("/health"))["shadow"]
        path.write_text(text + "[alerts]\nshadow = true\n")
        running.process.send_signal(signal.SIGHUP)
        wait_until(lambda: json.loads(running.get("/health"))["shadow"])
        log = running.stop().err
    assert "The settings stay as they are" in log
    assert "Settings reloaded." in log


def test_the_api_says_in_one_sentence_what_is_wrong(tmp_path):
    with daemon(tmp_path) as running:
        bodies = [b"", b"{", b"[" * 10_000, b'{"id": 3}', b'{"id":"a","role":"boss"}']
        bodies += [b'{"id":"a","role":"customer","more":1}', b"\xff\xfe", b"null"]
        for body in bodies:
            status, said = running.post("/calls", body)
            assert (status, set(said)) == (422, {"error"}), body
        assert running.post("/calls", b" " * 20_000)[0] == 413
        status, said = running.post("/calls", {"id": "a", "role": "mixed"})
        assert status == 422
        assert "only the customer's voice" in said["error"]
        assert running.post("/snooze", {"minutes": 5})[0] == 422
        assert running.post("/snooze", {"minutes": 5, "agent": "a7"})[0] == 200
        # As a web page that happens to be open on this machine would try it.
        plain = {"Content-Type": "text/plain"}
        assert running.post("/calls", {"id": "a", "role": "customer"}, **plain)[0] == 415
        assert (
            running.post("/calls", {"id": "a", "role": "customer"}, Host="evil.example")[0] == 400
        )
        assert running.post("/nothing", {})[0] == 404


def test_half_a_request_is_given_up(tmp_path):
    head = b"POST /calls HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with (
        daemon(tmp_path) as running,
        socket.create_connection(("127.0.0.1", running.control)) as client,
    ):
        client.sendall(head + b'Content-Length: 100\r\n\r\n{"id":')
        client.settimeout(PATIENCE_S)
        assert client.recv(4096).startswith(b"HTTP/1.1 408")


def test_who_breaks_off_a_request_or_reads_no_answer_leaves_no_traceback(tmp_path):
    half = b"POST /calls HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    half += b"Content-Length: 9\r\n\r\n{"
    with daemon(tmp_path) as running, ExitStack() as stack:
        clients = [socket.create_connection(("127.0.0.1", running.control)) for _ in range(3)]
        broken_off, *unfinished = map(stack.enter_context, clients)
        for client in (broken_off, unfinished[0]):
            client.sendall(half)
        unfinished[1].sendall(b"GET /agent/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(0.1)
        broken_off.close()
        time.sleep(0.1)
        assert "error" not in running.stop().err


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="several workers need Linux")
def test_a_worker_that_hangs_is_told_of(tmp_path):
    with daemon(tmp_path, workers=2) as running:
        (worker, *_) = [pid for pid in group(running.process.pid) if is_worker(pid)]
        os.kill(worker, signal.SIGSTOP)
        try:
            wait_until(lambda: "has said nothing" in running.status())
        finally:
            os.kill(worker, signal.SIGCONT)
        wait_until(lambda: running.status() == "ok")


def test_metrics_name_no_call(tmp_path):
    with daemon(tmp_path) as running:
        phone = running.phone(0)
        phone.say(talk(4))
        wait_until(lambda: running.metric("hackles_readings_total") >= 1)
        page = running.get("/metrics")
        assert name_of(0) not in page
        assert "hackles_active_calls 1.0" in page
        assert running.metric("hackles_packet_to_event_seconds_count") >= 1
        assert running.metric("hackles_tick_seconds_count") >= 1


def test_who_comes_from_elsewhere_is_turned_away_and_counted(tmp_path):
    text = BASIC.replace('role = "{role}"', 'role = "{role}"\nallow_from = ["192.0.2.0/24"]')
    port, media, control = free_ports(3)
    (tmp_path / "hackles.toml").write_text(
        text.format(
            port=port,
            media=media,
            control=control,
            role="customer",
            workers=1,
            compliance="",
            more="",
        )
    )
    with started(HACKLES, "live", "--config", tmp_path / "hackles.toml") as process:
        running = Daemon(process, tmp_path, port, media, control)
        wait_until(lambda: answers(running))
        with socket.create_connection(("127.0.0.1", port)) as stranger:
            assert stranger.recv(1) == b""
        assert running.metric('hackles_refusals_total{reason="source"}') == 1


linux_only = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="several workers need Linux"
)


@linux_only
def test_a_worker_that_is_killed_takes_only_its_own_calls_along_and_comes_back(tmp_path):
    samples = customer("en_rising_1")[: 8000 * 8]
    with daemon(tmp_path, workers=2) as running:
        phones = [running.phone(number) for number in range(6)]
        for phone in phones:
            phone.say(samples[: 8000 * 4])
        wait_until(lambda: running.metric("hackles_audio_seconds_total") >= 24)
        workers = [pid for pid in group(running.process.pid) if is_worker(pid)]
        assert len(workers) == 2
        os.kill(workers[0], signal.SIGKILL)
        wait_until(lambda: running.metric('hackles_calls_total{state="lost"}') == 3)
        wait_until(lambda: answers(running))
        assert running.metric("hackles_worker_restarts_total") == 1
        for phone in phones:
            phone.say(samples[8000 * 4 :])
        assert all(phone.is_up() for phone in phones)
        another = running.phone(6)
        another.say(samples)
        wait_until(lambda: len(running.calls()) == 4)
        for phone in [*phones, another]:
            phone.hang_up()
        wait_until(lambda: not running.calls())
        running.stop()
    ends = {r["call"]: r for r in running.records() if r["type"] == "summary"}
    lost = [name for name, end in ends.items() if end["error"]]
    assert len(lost) == 3
    assert all("died" in ends[name]["error"] for name in lost)
    for name in set(ends) - set(lost):
        assert_told(running.records(name), samples)


def is_worker(pid: int) -> bool:
    """Return whether a process is one that multiprocessing made for work."""
    return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()


@linux_only
def test_what_was_said_before_a_worker_began_again_still_holds(tmp_path):
    with daemon(tmp_path, role="registered", workers=2) as running:
        assert running.post("/calls", {"id": name_of(0), "role": "customer"})[0] == 201
        assert running.post(f"/calls/{name_of(1)}/consent", {"consent": False})[0] == 200
        assert running.post("/calls", {"id": name_of(1), "role": "customer"})[0] == 201
        for pid in group(running.process.pid):
            if is_worker(pid):
                os.kill(pid, signal.SIGKILL)
        wait_until(lambda: running.metric("hackles_worker_restarts_total") == 2)
        wait_until(lambda: answers(running))
        phones = [running.phone(number) for number in range(2)]
        wait_until(lambda: len(running.calls()) == 1)
        wait_until(lambda: running.metric('hackles_refusals_total{reason="consent"}') == 1)
        assert all(phone.is_up() for phone in phones)
        assert running.calls()[0]["call"] == name_of(0)


@linux_only
def test_told_to_stop_twice_it_sums_up_whom_it_does_not_wait_for(tmp_path):
    with daemon(tmp_path, workers=2) as running:
        for number in range(2):
            running.phone(number).say(talk(1))
        wait_until(lambda: len(running.calls()) == 2)
        for pid in group(running.process.pid):
            if is_worker(pid):
                os.kill(pid, signal.SIGSTOP)
        running.process.send_signal(signal.SIGTERM)
        wait_until(lambda: not can_connect(running.port))
        running.stop()
    ends = [record for record in running.records() if record["type"] == "summary"]
    assert len(ends) == 2
    assert all("had to stop" in end["error"] for end in ends)


def can_connect(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionError:
        return False
    return True
