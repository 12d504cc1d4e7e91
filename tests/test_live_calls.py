"""Calls over real connections, through the bank, to events: what a pipeline gives for each."""

import itertools
import socket
import struct
import uuid
from contextlib import ExitStack, closing

import numpy as np
import pytest

from hackles import live
from hackles.bank import Bank
from hackles.capture import g711
from hackles.capture.audiosocket_server import AudioSockets
from hackles.capture.media_websocket import MediaWebSockets
from hackles.classifier import default_classifier
from hackles.live import LiveCalls
from hackles.types import Gap, Reason
from tests.conftest import customer
from tests.events import assert_same, run
from tests.test_live import Clock
from tests.test_media_websocket import STOP, UPGRADE, media, message, start

SECONDS = 20


class AudioSocketCaller:
    """Sends calls as Asterisk does."""

    def __init__(self, n_lines: int, max_samples: int):
        self.intake = AudioSockets("127.0.0.1", 0, n_lines, max_samples)

    def hello(self, name: str) -> bytes:
        return b"\x01\x00\x10" + uuid.UUID(name).bytes

    def packet(self, samples: np.ndarray, number: int) -> bytes:
        codes = (samples * 32768).astype("<i2").tobytes()
        return struct.pack(">BH", 0x10, len(codes)) + codes

    def goodbye(self) -> bytes:
        return b"\x00\x00\x00"


class MediaCaller:
    """Sends calls as Twilio does."""

    def __init__(self, n_lines: int, max_samples: int):
        self.intake = MediaWebSockets("127.0.0.1", 0, max_samples)

    def hello(self, name: str) -> bytes:
        return UPGRADE + message(start(name))

    def packet(self, samples: np.ndarray, number: int) -> bytes:
        table = g711.decode(np.arange(256, dtype=np.uint8), g711.Encoding.MU_LAW)
        order = np.argsort(table, kind="stable")
        codes = order[np.searchsorted(table[order], samples)].astype(np.uint8)
        return message(media(codes.tobytes(), number))

    def goodbye(self) -> bytes:
        return message(STOP)


@pytest.fixture(params=[AudioSocketCaller, MediaCaller])
def caller(request):
    bank = Bank(3, default_classifier())
    caller = request.param(8, bank.max_samples)
    with closing(caller.intake):
        caller.bank = bank
        yield caller


def connect(caller, stack: ExitStack) -> socket.socket:
    line = stack.enter_context(socket.create_connection(("127.0.0.1", caller.intake.port)))
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return line


def name_of(number: int) -> str:
    return str(uuid.UUID(int=number + 1))


def test_calls_that_come_and_go_give_what_each_gives_alone(caller):
    """Five calls on three slots: the fourth and fifth begin when others have ended."""
    names = ["en_rising_1", "es_rising_1", "pl_calm_1", "pl_rising_2", "en_calm_1"]
    speech = [customer(name)[8000 * n : 8000 * (n + SECONDS)] for n, name in enumerate(names)]
    waiting = list(range(len(speech)))
    calls, found = LiveCalls(caller.bank, caller.intake), {name_of(n): [] for n in waiting}
    chance = np.random.default_rng(0)
    with ExitStack() as stack:
        under_way: dict[int, tuple[socket.socket, int]] = {}
        while waiting or under_way or len(calls):
            while waiting and len(under_way) < 3 and len(calls) == len(under_way):
                number = waiting.pop(0)
                line = connect(caller, stack)
                line.sendall(caller.hello(name_of(number)))
                under_way[number] = line, 0
                listen(calls, found, lambda: len(calls) == len(under_way))
            for number, (line, sent) in tuple(under_way.items()):
                for _ in range(int(chance.integers(0, 12))):  # late, early, in bursts
                    some = speech[number][160 * sent : 160 * (sent + 1)]
                    if not len(some):
                        break
                    line.sendall(caller.packet(some, sent + 1))
                    sent += 1
                under_way[number] = line, sent
                if 160 * sent >= len(speech[number]):
                    line.sendall(caller.goodbye())
                    del under_way[number]
            listen(calls, found)
    for number, samples in enumerate(speech):
        assert_same(found[name_of(number)], run(samples))


def listen(calls: LiveCalls, found: dict, until=lambda: True) -> None:
    """Tick, at least once, until something is so."""
    for tick in itertools.count():
        for name, event in calls.tick():
            found[name].append(event)
        if until():
            return
        assert tick < 10_000


def test_a_call_without_room_leaves_the_others_as_they_are(caller):
    calls, found = LiveCalls(caller.bank, caller.intake), {name_of(n): [] for n in range(4)}
    samples = customer("en_rising_1")[: 8000 * 8]
    with ExitStack() as stack:
        lines = [connect(caller, stack) for _ in range(4)]
        for number, line in enumerate(lines[:3]):
            line.sendall(caller.hello(name_of(number)))
        listen(calls, found, lambda: len(calls) == 3)
        lines[3].sendall(caller.hello(name_of(3)))
        for at in range(0, len(samples), 160):
            for line in lines:
                line.sendall(caller.packet(samples[at : at + 160], at // 160 + 1))
            listen(calls, found)
        for line in lines:
            line.sendall(caller.goodbye())
        listen(calls, found, lambda: not len(calls))
    assert not found.pop(name_of(3))
    for events in found.values():
        assert_same(events, run(samples))


def test_closing_says_what_is_left_to_say(caller):
    calls, found = LiveCalls(caller.bank, caller.intake), {name_of(0): []}
    with ExitStack() as stack:
        line = connect(caller, stack)
        line.sendall(caller.hello(name_of(0)) + caller.packet(np.zeros(800, np.float32), 1))
        listen(calls, found, lambda: caller.bank.heard(0) == 800)
        (told,) = calls.close()
    assert told == (name_of(0), Gap(time=0.1, since=0.0, reason=Reason.TOO_LITTLE_SPEECH))
    assert not len(calls)


def test_closing_hears_what_waits(caller):
    samples = customer("en_rising_1")[: 8000 * 4]
    calls, found = LiveCalls(caller.bank, caller.intake), {name_of(0): []}
    with ExitStack() as stack:
        line = connect(caller, stack)
        line.sendall(caller.hello(name_of(0)))
        listen(calls, found, lambda: len(calls) == 1)
        for at in range(0, len(samples), 160):
            line.sendall(caller.packet(samples[at : at + 160], at // 160 + 1))
        assert_same([event for _, event in calls.close()], run(samples))


def test_a_call_may_begin_in_the_tick_in_which_another_ends(caller):
    calls, found = LiveCalls(caller.bank, caller.intake), {name_of(n): [] for n in range(6)}
    with ExitStack() as stack:
        lines = [connect(caller, stack) for _ in range(3)]
        for number, line in enumerate(lines):
            line.sendall(caller.hello(name_of(number)))
        listen(calls, found, lambda: len(calls) == 3)
        for line in lines:
            line.sendall(caller.goodbye())
        again = [connect(caller, stack) for _ in range(3)]
        for number, line in enumerate(again, 3):
            line.sendall(caller.hello(name_of(number)))
        listen(calls, found, lambda: len(calls) == 3 and not any(map(found_end(found), range(3))))


def found_end(found: dict):
    """Return whether a call has not yet said its last."""
    return lambda number: not found[name_of(number)]


def test_ticks_are_a_tenth_of_a_second_apart_and_those_missed_are_left_out():
    clock = Clock()
    due = []
    for at in live.ticks(clock, clock.sleep):
        due.append(at - 1000.0)
        clock.now += 0.35 if len(due) == 2 else 0.02
        if len(due) == 5:
            break
    assert due == pytest.approx([0.0, 0.1, 0.45, 0.55, 0.65])
    assert clock.slept == pytest.approx([0.0, 0.08, 0.0, 0.08, 0.08])
