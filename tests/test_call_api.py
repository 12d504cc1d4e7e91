"""`hackles call`, as a softphone's hook runs it, and the API that it talks to."""

import asyncio
import json
import socket
import threading
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection

import pytest

from hackles.live import device
from hackles.live.control import control
from hackles.live.news import CallBegins, CallEnds, Withdrawn
from hackles.live.pages import Page
from tests.program import hackles, wait_until
from tests.softphones import free_ports
from tests.test_call_line import WAITING, Office


class Front:
    """As much of a daemon as consent needs."""

    def __init__(self, office):
        self.withdraw = office.withdraw
        self.has_withdrawn = office.registry.has_withdrawn


@contextmanager
def served(office):
    """Serve the API of a line, and give its address."""
    listen = f"127.0.0.1:{free_ports(1)[0]}"
    with ExitStack() as stack:
        page = Page(control(Front(office), device.routes(office.line)), stack, listen)
        thread = threading.Thread(target=lambda: asyncio.run(page.serve()))
        thread.start()
        try:
            wait_until(lambda: page.started)
            yield listen
        finally:
            page.end()
            thread.join()


@pytest.fixture
def desk():
    """An office whose line is told of calls, and where its API listens."""
    office = Office()
    with served(office) as listen:
        yield office, listen


def call(listen, *words):
    return hackles("call", *words, "--control", f"http://{listen}")


def post(listen, road, said):
    connection = HTTPConnection(listen, timeout=30)
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    connection.request("POST", road, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    told = answer.status, json.loads(answer.read())
    connection.close()
    return told


def test_a_hook_tells_of_a_call_from_beginning_to_end(desk):
    office, listen = desk
    begun = call(listen, "start", "--call", "c/1 ü", "--queue", "sales", "--customer", "+49 30 1")
    assert (begun.code, begun.out) == (0, "c/1 ü\n")
    said = office.orders[0].registration
    assert (said.queue, said.agent, said.customer, said.consent) == (
        "sales",
        "a7",
        "+49 30 1",
        None,
    )
    assert call(listen, "end").out == "c/1 ü\n"
    assert office.orders[1:] == [CallEnds("c/1 ü")]


def test_what_cannot_be_done_now_is_one_sentence_and_exit_code_1(desk):
    _, listen = desk
    none = call(listen, "end")
    assert (none.code, none.out, none.err) == (
        1,
        "",
        "hackles: No call is under way on this device.\n",
    )
    call(listen, "start", "--call", "c1")
    twice = call(listen, "start")
    assert twice.code == 1
    assert "The call c1 is under way" in twice.err


def test_consent_is_told_and_withdrawn(desk):
    office, listen = desk
    call(listen, "start", "--call", "c1", "--consent", "yes")
    assert office.orders[0].registration.consent
    assert call(listen, "consent", "yes").out == "c1\n"
    assert call(listen, "withdraw").out == "c1\n"
    assert office.orders[1:] == [Withdrawn("c1")]
    assert call(listen, "consent", "yes", "c1").code == 1
    assert call(listen, "end", "c1").code == 0


def test_a_call_that_this_device_does_not_have_is_withdrawn_by_its_name(desk):
    office, listen = desk
    assert call(listen, "withdraw", "a/b c?").out == "a/b c?\n"
    assert office.orders == [Withdrawn("a/b c?")]


def test_the_api_says_what_it_did():
    office = Office(WAITING)
    with served(office) as listen:
        assert post(listen, "/device/start", {"call": "c1"}) == (201, {"call": "c1"})
        assert not office.orders
        said = {"call": "c1", "consent": True}
        assert post(listen, "/device/consent", {"consent": True}) == (200, said)
        assert isinstance(office.orders[0], CallBegins)
        assert post(listen, "/device/consent", {"call": "c2", "consent": True})[0] == 409
        assert post(listen, "/device/end", {}) == (200, {"call": "c1"})
        assert post(listen, "/device/end", {})[0] == 409


@pytest.mark.parametrize(
    ("road", "said"),
    [
        ("start", {"calls": "c1"}),
        ("start", {"call": "c" * 201}),
        ("start", {"consent": "yes"}),
        ("start", []),
        ("end", {"call": None}),
        ("consent", {"call": "c1"}),
        ("consent", b"\xff"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(desk, road, said):
    office, listen = desk
    status, told = post(listen, f"/device/{road}", said)
    assert status == 422
    assert told["error"].endswith(".")
    assert not office.orders


def test_without_a_device_nothing_can_be_told():
    with served(Office(None)) as listen:
        assert post(listen, "/device/start", {})[0] == 409
        done = call(listen, "start")
    assert (done.code, "[device]" in done.err) == (1, True)


def test_without_a_daemon_it_is_said_how_to_start_one():
    listen = f"127.0.0.1:{free_ports(1)[0]}"
    done = call(listen, "start")
    assert done.code == 1
    assert done.err == (
        f"hackles: No hackles daemon answers at http://{listen} (Connection refused); start it "
        "with `hackles live`.\n"
    )


def test_what_answers_otherwise_than_a_daemon_is_a_sentence():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            connected, _ = server.accept()
            with connected:
                connected.recv(65536)
                connected.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n[]")

        thread = threading.Thread(target=answer)
        thread.start()
        done = call(f"127.0.0.1:{server.getsockname()[1]}", "end")
        thread.join()
    assert done.code == 1
    assert "no hackles daemon" in done.err


def test_the_settings_say_where_the_daemon_is(tmp_path, desk):
    _, listen = desk
    (tmp_path / "hackles.toml").write_text(f'[control]\nlisten = "{listen}"\n')
    assert hackles("call", "start", cwd=tmp_path).code == 0
    assert hackles("call", "end", "--config", tmp_path / "hackles.toml").code == 0


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "There is no file"),
        ("[control", "cannot be read"),
        ("control = 7", "cannot be read"),
        ("[control]\nlisten = 7", "names no address"),
        ('[control]\nlisten = "9300"', "no address of a daemon"),
    ],
)
def test_settings_that_cannot_be_used_are_one_sentence_and_exit_code_2(tmp_path, text, sentence):
    path = tmp_path / "hackles.toml"
    if text is not None:
        path.write_text(text)
    done = hackles("call", "end", "--config", path)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert sentence in done.err
