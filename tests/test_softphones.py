"""Real softphones tell where a call begins and ends; whatever else speaks to us breaks nothing."""

import asyncio
import json
import logging
import threading
from contextlib import contextmanager, suppress

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from hackles.errors import UsageError
from hackles.live.news import Registration
from hackles.live.softphones import Baresip, baresip, handset
from hackles.live.softphones import linphone as linphone_module
from hackles.live.softphones import softphones as clients
from hackles.live.softphones.baresip import BaresipCalls
from hackles.live.softphones.handset import Handset
from hackles.live.softphones.linphone import LinphoneCalls, said
from hackles.live.softphones.netstrings import Netstrings, netstring
from hackles.settings import Device
from hackles.types import Role
from tests.conftest import customer
from tests.program import wait_until
from tests.softphones import Linphone, likeness, recorded, sipp_call, softphones
from tests.sound import sound_server

NUMBER = "+4915112345"


class Line:
    """A line that writes down what it is told."""

    def __init__(self):
        self.told, self.on = [], ""

    def begin(self, call, *, customer, consent):
        if self.on:
            raise UsageError(f"The call {self.on} is under way.")
        self.on = call or f"made-{len(self.told)}"
        self.told.append(("begin", self.on, customer))
        return self.on

    def end(self, call):
        self.told.append(("end", call))
        self.on = ""
        return Registration(call, call, Role.CUSTOMER)


@contextmanager
def told(**named):
    """Listen to softphones as the daemon's front does, and give what is told."""
    line = Line()
    loop = asyncio.new_event_loop()
    section = Device(output="headset", calls="told", **named)

    async def listen():
        await asyncio.gather(*(phone.run() for phone in clients(section, line)))

    task = loop.create_task(listen())

    def run():
        try:
            loop.run_until_complete(task)
        except asyncio.CancelledError:
            pass
        finally:
            loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield line
        assert not task.done()
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()


def test_a_call_begins_when_it_is_answered_and_ends_when_somebody_hangs_up(tmp_path):
    with softphones(tmp_path, answers="manual") as phones, told(baresip=phones.agent_ctrl) as line:
        phones.dial()
        id_ = phones.wait_for("CALL_RINGING")
        assert not line.told
        phones.agent.type("/accept")
        assert phones.wait_for("CALL_ESTABLISHED") == id_
        wait_until(lambda: line.told)
        phones.agent.type("/hangup")
        assert phones.wait_for("CALL_CLOSED") == id_
        wait_until(lambda: not line.on)
        assert line.told == [("begin", f"call-{id_}", NUMBER), ("end", f"call-{id_}")]
        phones.dial()
        phones.wait_for("CALL_RINGING")
        phones.agent.type("/hangup")  # one that is not answered is none
        phones.wait_for("CALL_CLOSED")
        phones.dial()
        phones.wait_for("CALL_RINGING")
        phones.agent.type("/accept")
        wait_until(lambda: line.on)
        assert len(line.told) == 3


def test_a_call_under_way_begins_when_hackles_comes_and_ends_when_the_softphone_dies(tmp_path):
    with softphones(tmp_path) as phones:
        phones.call()
        with told(baresip=phones.agent_ctrl) as line:
            wait_until(lambda: line.told)
            assert line.told == [("begin", "made-0", NUMBER)]
            phones.agent.kill()
            phones.agent.start()
            wait_until(lambda: not line.on)
            phones.hang_up()
            id_ = phones.call()
            wait_until(lambda: line.on)
            assert line.told[1:] == [("end", "made-0"), ("begin", f"call-{id_}", NUMBER)]


def test_a_call_that_waits_behind_another_is_heard_when_it_is_answered(tmp_path):
    with softphones(tmp_path, answers="manual") as phones, told(baresip=phones.agent_ctrl) as line:
        phones.dial()
        first = phones.wait_for("CALL_RINGING")
        phones.agent.type("/accept")
        wait_until(lambda: line.on == f"call-{first}")
        samples = customer("en_calm_1")[:8000]
        with sipp_call(tmp_path, phones.agent, samples, 1.0) as sipp:
            wait_until(lambda: phones.agent.says("sip:+4930999@"))
            phones.agent.type("/accept")  # which puts the first one on hold
            wait_until(lambda: line.on not in ("", f"call-{first}"))
            assert line.told[-1][2] == "+4930999"
            assert sipp.wait(30) == 0
        wait_until(lambda: line.on == f"call-{first}")
        assert [one[0] for one in line.told] == ["begin", "end"] * 2 + ["begin"]


def test_what_the_agent_hears_is_what_the_customer_says(tmp_path):
    samples = customer("en_rising_1")
    samples = samples[np.argmax(np.abs(samples) > 0.05) :]  # from the first word on
    soundfile.write(tmp_path / "said.wav", samples, 8000, subtype="PCM_16")
    (tmp_path / "sound").mkdir(mode=0o700)
    with (
        sound_server(tmp_path / "sound") as sound,
        softphones(tmp_path, sound, tmp_path / "said.wav") as phones,
    ):
        phones.call()
        heard = recorded(sound, 3.0)
    assert likeness(heard, soxr.resample(samples, 8000, 16_000), 16_000) >= 0.95


@pytest.fixture
def linphone(tmp_path):
    """A linphone-daemon that takes every call."""
    phone = Linphone(tmp_path / "linphone")
    phone.start()
    yield phone
    phone.kill()


def test_linphone_is_seen_to_take_a_call_hold_it_and_let_it_go(tmp_path, linphone, monkeypatch):
    looks = []
    look = LinphoneCalls.look

    async def counted(calls, ask):
        await look(calls, ask)
        looks.append(calls.calls)

    monkeypatch.setattr(LinphoneCalls, "look", counted)
    monkeypatch.setattr(linphone_module, "REST_S", 0.1)
    monkeypatch.setattr(handset, "GRACE_S", 0.3)
    with softphones(tmp_path) as phones, told(linphone=linphone.pipe) as line:
        phones.dial(linphone.uri)
        phones.wait_for("CALL_ESTABLISHED")
        wait_until(lambda: line.told)
        linphone.type("call-pause 1")
        wait_until(lambda: looks[-1] and looks[-1][0].is_held)
        linphone.type("call-resume 1")
        wait_until(lambda: looks[-1] and not looks[-1][0].is_held)
        phones.hang_up()
        wait_until(lambda: not line.on)
        assert line.told == [("begin", "made-0", NUMBER), ("end", "made-0")]
        phones.dial(linphone.uri)
        wait_until(lambda: line.on)
        linphone.kill()
        wait_until(lambda: not line.on)


def test_netstrings_come_out_as_they_went_in_however_they_were_cut():
    contents = [b"", b"hello", b"1:x,", bytes(range(256)) * 5]
    sent = b"".join(netstring(content) for content in contents)
    for step in (1, 2, 3, 7, len(sent)):
        netstrings, found = Netstrings(), []
        for at in range(0, len(sent), step):
            found += netstrings.push(sent[at : at + step])
        assert found == contents


@pytest.mark.parametrize(
    "sent", [b"x", b":", b",", b"5:hello;", b"-1:", b"9999999", b"999999", b"999999:", b" 1:x,"]
)
def test_what_is_no_netstring_is_told_from_one_that_is_not_yet_whole(sent):
    with pytest.raises(ValueError, match="netstring"):
        list(Netstrings().push(sent))


EVENTS = ["CALL_ESTABLISHED", "CALL_CLOSED", "CALL_HOLD", "CALL_LOCAL_SDP", "EXIT"]
MESSAGES = st.one_of(
    st.binary(),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda some: st.lists(some) | st.dictionaries(st.text(), some),
    ).map(lambda some: json.dumps(some).encode()),
    st.fixed_dictionaries(
        {"event": st.just(True), "type": st.sampled_from(EVENTS)},
        optional={
            "id": st.text() | st.none(),
            "peeruri": st.text() | st.integers(),
            "direction": st.sampled_from(["incoming", "outgoing"]),
        },
    ).map(lambda some: json.dumps(some).encode()),
    st.builds(
        lambda lines: json.dumps(
            {"response": True, "token": "hackles", "data": "\n".join(lines)}
        ).encode(),
        st.lists(
            st.text()
            | st.from_regex(r"> \[line [0-9](, id [a-z])?\]  0:00:01  ESTABLISHED  [!-~]{1,9}")
        ),
    ),
)


EMPTY = {"response": True, "token": "hackles", "data": "--- Active calls (0) ---"}
ESTABLISHED = {
    "event": True,
    "type": "CALL_ESTABLISHED",
    "id": "real",
    "peeruri": "sip:1@pbx",
    "direction": "incoming",
}


async def listens_after(connections):
    """Say things in one connection after another, then what baresip says; wait until it is heard.

    Each connection ends as soon as all is said in it.
    """
    line, left, heard = Line(), list(connections), asyncio.Event()
    begin = line.begin

    def begin_and_tell(call, **known):
        name = begin(call, **known)
        if name == "call-real":
            heard.set()
        return name

    line.begin = begin_and_tell

    async def serve(_reader, writer):
        real = [netstring(json.dumps(one).encode()) for one in (EMPTY, ESTABLISHED)]
        writer.writelines(left.pop() if left else real)
        with suppress(OSError):
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        client = Baresip(f"{host}:{port}", Handset(line, "call"))
        task = asyncio.create_task(client.run())
        async with asyncio.timeout(60):
            await heard.wait()
        assert not task.done()
        task.cancel()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(MESSAGES.map(netstring) | st.binary(), max_size=8), max_size=4))
def test_whatever_comes_instead_of_baresip_the_front_listens_on(connections):
    logging.disable()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(baresip, "REST_S", 0.0)
            asyncio.run(listens_after(connections))
    finally:
        logging.disable(logging.NOTSET)


LISTINGS = {
    "1.0": "\n--- Active calls (2) ---\n> [line 1]  0:00:01  ESTABLISHED  (on hold)  sip:a@pbx\n"
    "  [line 2]  0:00:00   INCOMING             sip:b@pbx\n\n",
    "3": "\n--- Active calls (2) ---\n"
    "> [line 1, id x1]  0:00:01  ESTABLISHED  (on hold)  sip:a@pbx\n"
    "  [line 2, id x2]  0:00:00   INCOMING             sip:b@pbx\n\n",
}


@pytest.mark.parametrize("version", LISTINGS)
def test_the_list_of_calls_is_understood_of_old_and_new_versions(version):
    calls = BaresipCalls()
    calls.take(json.dumps({"token": "hackles", "data": LISTINGS[version]}).encode())
    (call,) = calls.calls
    assert (call.peer, call.id, call.is_held) == (
        "sip:a@pbx",
        {"1.0": "", "3": "x1"}[version],
        True,
    )
    closed = {"event": True, "type": "CALL_CLOSED", "id": "x1", "peeruri": "sip:a@pbx"}
    calls.take(json.dumps(closed).encode())
    assert not calls.calls


def test_linphone_s_answers_are_read_whatever_they_are():
    assert said("Status: Ok\n\nState: LinphoneCallPaused\nFrom: <sip:a@b>\n\n") == {
        "Status": "Ok",
        "State": "LinphoneCallPaused",
        "From": "<sip:a@b>",
    }
    assert said("Status: Error\nReason: No current call available.\n") == {}


class Scripted:
    """What a linphone-daemon answers: its calls by number, of which one is the current one."""

    def __init__(self):
        self.calls, self.current = {}, None

    async def ask(self, command):
        number = command.removeprefix("call-status").strip() or self.current
        if number not in self.calls:
            return "Status: Error\nReason: No call with such id.\n"
        state, peer = self.calls[number]
        ways = "Direction: in\nDuration: 1\n" if state == "StreamsRunning" else ""
        return f"Status: Ok\n\nState: LinphoneCall{state}\nFrom: {peer}\n{ways}\n"

    def look(self, calls):
        asyncio.run(calls.look(self.ask))
        return [(call.key, call.peer, call.is_held) for call in calls.calls]


def test_a_call_that_linphone_holds_is_known_by_its_number():
    phone, calls = Scripted(), LinphoneCalls()
    phone.calls["7"], phone.current = ("IncomingReceived", "sip:a@b"), "7"
    assert phone.look(calls) == []
    phone.calls["7"] = "StreamsRunning", "sip:a@b"
    assert phone.look(calls) == [("7", "sip:a@b", False)]
    phone.calls["7"], phone.current = ("Paused", "sip:a@b"), None
    assert phone.look(calls) == [("7", "sip:a@b", True)]
    phone.calls["8"], phone.current = ("StreamsRunning", "sip:a@b"), "8"
    assert phone.look(calls) == [("7", "sip:a@b", True), ("8", "sip:a@b", False)]
    del phone.calls["7"]
    assert phone.look(calls) == [("8", "sip:a@b", False)]
    del phone.calls["8"]
    assert phone.look(calls) == []
    calls.restart()
    phone.calls["1"], phone.current = ("StreamsRunning", "sip:c@d"), "1"
    assert phone.look(calls) == [("1", "sip:c@d", False)]


@given(st.lists(st.text()))
def test_whatever_linphone_answers_can_be_read(answers):
    calls, left = LinphoneCalls(), list(answers)

    async def ask(command):
        assert command.startswith("call-status")
        return left.pop() if left else ""

    for _ in range(3):
        asyncio.run(calls.look(ask))
