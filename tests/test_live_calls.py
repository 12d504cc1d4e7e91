"""Calls over real connections, through the bank, to events: what a pipeline gives for each."""

import itertools
import socket
import struct
import time
import uuid
from collections import Counter, deque
from contextlib import ExitStack, closing

import numpy as np
import pytest

from hackles.bank import Bank
from hackles.capture import g711
from hackles.capture.audiosocket_server import AudioSockets
from hackles.capture.intake import Offer, Received, Refusal
from hackles.capture.media_websocket import MediaWebSockets
from hackles.capture.sockets import Listener
from hackles.classifier import default_classifier
from hackles.live.calls import LiveCalls
from hackles.live.news import Begun, Ended, Forgotten, Refused, Registration, Told
from hackles.live.registry import Registry
from hackles.types import Gap, Reason, Role
from tests.conftest import customer
from tests.events import assert_same, run
from tests.test_media_websocket import STOP, UPGRADE, media, message, start
from tests.test_pace import Clock

SECONDS = 20


def hurried() -> float:
    """Return seconds that pass so fast that whoever sends at once sends at the pace of speech."""
    return 50 * time.monotonic()


class AudioSocketCaller:
    """Sends calls as Asterisk does."""

    def __init__(self, n_lines: int, max_samples: int):
        door = Listener("127.0.0.1", 0)
        self.port = door.port
        self.intake = AudioSockets(door, n_lines, max_samples, Role.CUSTOMER, clock=hurried)

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
        door = Listener("127.0.0.1", 0)
        self.port = door.port
        self.intake = MediaWebSockets(door, max_samples, clock=hurried)

    def hello(self, name: str) -> bytes:
        return UPGRADE + message(start(name))

    def packet(self, samples: np.ndarray, number: int) -> bytes:
        table = g711.decode(np.arange(256, dtype=np.uint8), g711.Encoding.MU_LAW)
        order = np.argsort(table, kind="stable")
        codes = order[np.searchsorted(table[order], samples)].astype(np.uint8)
        return message(media(codes.tobytes(), number))

    def goodbye(self) -> bytes:
        return message(STOP)


class Heard:
    """What was told of each call, by its name."""

    def __init__(self, calls: LiveCalls):
        self.calls = calls
        self.names: dict[str, str] = {}
        self.events: dict[str, list] = {}
        self.ended: dict[str, Ended] = {}
        self.refused: list[tuple[str, Refusal]] = []
        self.forgotten: list[str] = []
        self.delays_s: list[float] = []

    def tick(self, until=lambda: True) -> None:
        """Tick, at least once, until something is so."""
        for tick in itertools.count():
            self.take(self.calls.tick())
            if until():
                return
            assert tick < 10_000

    def take(self, news) -> None:
        for new in news:
            if isinstance(new, Begun):
                self.names[new.session.id] = new.session.call
                self.events[new.session.call] = []
            elif isinstance(new, Told):
                self.events[self.names[new.session]].append(new.event)
                self.delays_s.append(new.delay_s)
            elif isinstance(new, Ended):
                self.ended[self.names[new.session]] = new
            elif isinstance(new, Refused):
                self.refused.append((new.call, new.reason))
            elif isinstance(new, Forgotten):
                self.forgotten.append(new.call)


@pytest.fixture(params=[AudioSocketCaller, MediaCaller])
def caller(request):
    bank = Bank(3, default_classifier())
    caller = request.param(8, bank.max_samples)
    with closing(caller.intake):
        caller.bank = bank
        yield caller


def heard_by(caller) -> Heard:
    return Heard(LiveCalls(caller.bank, 3, [caller.intake], behind_s=1e9))


def connect(caller, stack: ExitStack) -> socket.socket:
    line = stack.enter_context(socket.create_connection(("127.0.0.1", caller.port)))
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return line


def name_of(number: int) -> str:
    return str(uuid.UUID(int=number + 1))


def test_calls_that_come_and_go_give_what_each_gives_alone(caller):
    """Five calls on three slots: the fourth and fifth begin when others have ended."""
    names = ["en_rising_1", "es_rising_1", "pl_calm_1", "pl_rising_2", "en_calm_1"]
    speech = [customer(name)[8000 * n : 8000 * (n + SECONDS)] for n, name in enumerate(names)]
    waiting = list(range(len(speech)))
    found = heard_by(caller)
    calls = found.calls
    chance = np.random.default_rng(0)
    with ExitStack() as stack:
        under_way: dict[int, tuple[socket.socket, int]] = {}
        while waiting or under_way or len(calls):
            while waiting and len(under_way) < 3 and len(calls) == len(under_way):
                number = waiting.pop(0)
                line = connect(caller, stack)
                line.sendall(caller.hello(name_of(number)))
                under_way[number] = line, 0
                found.tick(lambda: len(calls) == len(under_way))
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
            found.tick()
    for number, samples in enumerate(speech):
        assert_same(found.events[name_of(number)], run(samples))
        assert found.ended[name_of(number)].duration_s == SECONDS


def test_a_call_without_room_leaves_the_others_as_they_are(caller):
    found = heard_by(caller)
    samples = customer("en_rising_1")[: 8000 * 8]
    with ExitStack() as stack:
        lines = [connect(caller, stack) for _ in range(4)]
        for number, line in enumerate(lines[:3]):
            line.sendall(caller.hello(name_of(number)))
        found.tick(lambda: len(found.calls) == 3)
        lines[3].sendall(caller.hello(name_of(3)))
        for at in range(0, len(samples), 160):
            for line in lines:
                line.sendall(caller.packet(samples[at : at + 160], at // 160 + 1))
            found.tick()
        for line in lines:
            line.sendall(caller.goodbye())
        found.tick(lambda: not len(found.calls))
    assert found.refused == [(name_of(3), Refusal.NO_ROOM)]
    assert len(found.events) == 3
    for events in found.events.values():
        assert_same(events, run(samples))


def test_a_second_stream_of_a_call_is_refused_and_the_first_goes_on(caller):
    found = heard_by(caller)
    samples = customer("en_rising_1")[: 8000 * 8]
    with ExitStack() as stack:
        first, second = connect(caller, stack), connect(caller, stack)
        first.sendall(caller.hello(name_of(0)))
        found.tick(lambda: len(found.calls) == 1)
        second.sendall(caller.hello(name_of(0)))
        found.tick(lambda: found.refused)
        for at in range(0, len(samples), 160):
            for line in (first, second):
                line.sendall(caller.packet(samples[at : at + 160], at // 160 + 1))
            found.tick()
        first.sendall(caller.goodbye())
        found.tick(lambda: not len(found.calls))
    assert found.refused == [(name_of(0), Refusal.DUPLICATE)]
    assert_same(found.events[name_of(0)], run(samples))


def test_a_caller_who_withdraws_is_heard_no_longer_nor_when_the_stream_comes_again(caller):
    found = heard_by(caller)
    samples = customer("en_rising_1")[: 8000 * 8]
    with ExitStack() as stack:
        lines = [connect(caller, stack) for _ in range(2)]
        for number, line in enumerate(lines):
            line.sendall(caller.hello(name_of(number)))
        found.tick(lambda: len(found.calls) == 2)
        for at in range(0, len(samples), 160):
            if at == 8000 * 5:
                found.calls.withdraw(name_of(0))
                found.tick()
                before = len(found.events[name_of(0)])
            for line in lines:
                line.sendall(caller.packet(samples[at : at + 160], at // 160 + 1))
            found.tick()
        lines[1].sendall(caller.goodbye())
        found.tick(lambda: not len(found.calls))
        again = connect(caller, stack)
        again.sendall(caller.hello(name_of(0)))
        found.tick(lambda: found.refused)
    assert found.forgotten == [name_of(0)]
    assert len(found.events[name_of(0)]) == before
    assert name_of(0) not in found.ended
    assert found.refused == [(name_of(0), Refusal.CONSENT)]
    assert_same(found.events[name_of(1)], run(samples))


def test_closing_says_what_is_left_to_say(caller):
    found = heard_by(caller)
    with ExitStack() as stack:
        line = connect(caller, stack)
        line.sendall(caller.hello(name_of(0)))
        for number in range(5):
            line.sendall(caller.packet(np.zeros(160, np.float32), number + 1))
        found.tick(lambda: len(found.calls) and caller.bank.heard(0) == 800)
        found.take(found.calls.close())
    assert found.events[name_of(0)] == [Gap(time=0.1, since=0.0, reason=Reason.TOO_LITTLE_SPEECH)]
    assert found.ended[name_of(0)].duration_s == 0.1
    assert not len(found.calls)


def test_closing_hears_what_waits(caller):
    samples = customer("en_rising_1")[8000 * 4 : 8000 * 6]
    found = heard_by(caller)
    with ExitStack() as stack:
        line = connect(caller, stack)
        line.sendall(caller.hello(name_of(0)))
        found.tick(lambda: len(found.calls) == 1)
        for at in range(0, len(samples), 160):
            line.sendall(caller.packet(samples[at : at + 160], at // 160 + 1))
        found.take(found.calls.close())
    assert_same(found.events[name_of(0)], run(samples))


def test_a_call_may_begin_in_the_tick_in_which_another_ends(caller):
    found = heard_by(caller)
    with ExitStack() as stack:
        lines = [connect(caller, stack) for _ in range(3)]
        for number, line in enumerate(lines):
            line.sendall(caller.hello(name_of(number)))
        found.tick(lambda: len(found.calls) == 3)
        for line in lines:
            line.sendall(caller.goodbye())
        again = [connect(caller, stack) for _ in range(3)]
        for number, line in enumerate(again, 3):
            line.sendall(caller.hello(name_of(number)))
        found.tick(lambda: len(found.calls) == 3 and len(found.ended) == 3)


class Scripted:
    """A way in that hands over what a test says, tick by tick: offers, and what each brings."""

    def __init__(self, script):
        self.troubles = Counter()
        self.slots: dict[str, int | None] = {}
        self.skipped: list[list[int]] = []
        self.forgotten: list[int] = []
        self._script = deque(script)

    def receive(self, open_call) -> Received:
        offers, brought = self._script.popleft() if self._script else ((), {})
        for offer in offers:
            self.slots[offer.call] = open_call(offer)
        rows = [(self.slots[name], said) for name, said in brought.items()]
        rows = [(slot, said) for slot, said in rows if slot not in (None, *self.forgotten)]
        samples = [said.get("samples", np.zeros(800, np.float32)) for _, said in rows]
        return Received(
            np.array([slot for slot, _ in rows], np.int64),
            np.array([len(some) for some in samples], np.int64),
            np.concatenate([np.zeros(0, np.float32), *samples]),
            tuple(slot for slot, said in rows if said.get("ended")),
            np.array([said.get("lost", 0) for _, said in rows], np.int64),
            np.array([said.get("drained", True) for _, said in rows], np.bool_),
            [(slot, digit) for slot, said in rows for digit in said.get("digit", "")],
        )

    def skip(self, slots):
        self.skipped.append(list(slots))

    def forget(self, slot):
        self.forgotten.append(slot)

    def close(self):
        pass


def scripted(script, registry=None, clock=None, **settings) -> tuple[Scripted, Heard]:
    intake = Scripted(script)
    bank = Bank(3, default_classifier())
    given = {"clock": clock} if clock else {}
    return intake, Heard(LiveCalls(bank, 3, [intake], registry, **given, **settings))


def offer(call: str, role: Role = Role.CUSTOMER, **said) -> Offer:
    return Offer(call, role, **said)


def test_a_call_whose_role_nobody_named_is_refused():
    _, found = scripted([((offer("a", Role.UNKNOWN), offer("b", Role.AGENT), offer("c")), {})])
    found.tick()
    assert found.refused == [("a", Refusal.ROLE), ("b", Refusal.ROLE)]
    assert list(found.events) == ["c"]


def test_what_was_registered_names_role_call_queue_and_agent():
    registry = Registry()
    registry.add(Registration("uuid-1", "call 1", Role.CUSTOMER, "sales", "a7"))
    _, found = scripted([((offer("uuid-1", Role.UNKNOWN),), {})], registry)
    (news,) = found.calls.tick()
    assert (news.session.call, news.session.queue, news.session.agent) == ("call 1", "sales", "a7")


@pytest.mark.parametrize("said", [False, True, None])
@pytest.mark.parametrize("registered", [False, True, None])
def test_of_two_answers_the_one_that_protects_the_caller_counts(said, registered):
    registry = Registry()
    registry.add(Registration("a", "a", Role.CUSTOMER, consent=registered))
    _, found = scripted([((offer("a", consent=said),), {})], registry)
    found.tick()
    assert bool(found.refused) == (False in (said, registered))


def test_the_key_that_withdraws_consent_ends_the_analysis_and_no_other_key_does():
    script = [((offer("a"), offer("b")), {})]
    script += [((), {"a": {"digit": "9"}, "b": {"digit": "5"}}), ((), {"a": {}, "b": {}})]
    intake, found = scripted(script, withdraw_digit="9")
    for _ in script:
        found.tick()
    assert found.forgotten == ["a"]
    assert intake.forgotten == [intake.slots["a"]]
    assert len(found.calls) == 1


def test_the_key_pressed_twice_within_a_tick_withdraws_once():
    script = [((offer("a"), offer("b")), {}), ((), {"a": {"digit": "99"}, "b": {}})]
    _, found = scripted(script, withdraw_digit="9")
    for _ in script:
        found.tick()
    assert found.forgotten == ["a"]
    assert len(found.calls) == 1


def test_a_call_that_is_registered_without_consent_while_it_is_heard_is_forgotten():
    _, found = scripted([((offer("a"),), {})])
    found.tick()
    found.calls.register(Registration("a", "a", Role.CUSTOMER, consent=False))
    found.tick()
    assert found.forgotten == ["a"]
    assert not len(found.calls)


@pytest.mark.parametrize(
    "said",
    [
        Registration("a", "call 1", Role.CUSTOMER, consent=False),
        Registration("a", "call 1", Role.AGENT),
    ],
)
def test_a_call_that_came_before_its_registration_is_found_by_the_name_it_came_by(said):
    _, found = scripted([((offer("a"), offer("b")), {})])
    found.tick()
    found.calls.register(said)
    found.tick()
    assert found.forgotten == ["a"]
    assert len(found.calls) == 1


def test_lost_audio_is_a_gap_and_what_follows_keeps_its_time():
    samples = customer("en_rising_1")[: 8000 * 8]
    tenths = samples.reshape(-1, 800)
    script = [((offer("a"),), {})]
    script += [((), {"a": {"samples": some}}) for some in tenths]
    script[41][1]["a"]["lost"] = 12_344
    script.append(((), {"a": {"samples": np.zeros(0, np.float32), "ended": True}}))
    _, found = scripted(script)
    for _ in script:
        found.tick()
    gaps = [e for e in found.events["a"] if isinstance(e, Gap) and e.reason is Reason.LOST_AUDIO]
    assert gaps == [Gap(time=4 + 12_344 / 8000, since=4.0, reason=Reason.LOST_AUDIO)]
    assert found.calls.lost == 12_344
    assert found.ended["a"].duration_s == 8 + 12_344 / 8000


def test_a_call_is_behind_by_what_the_clock_goes_ahead_of_its_audio_until_nothing_waits():
    clock = Clock()
    script = [((offer("a"),), {}), ((), {"a": {}})]
    script += [((), {"a": {"drained": False}}) for _ in range(6)]
    script += [((), {"a": {"drained": True}})]
    intake, found = scripted(script, clock=clock, behind_s=1.1)
    behind_s = []
    for _ in script:
        found.tick()
        behind_s.append(found.calls.behind_s)
        clock.now += 0.35  # and each tick brings a tenth of a second
    assert behind_s == pytest.approx([0, 0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 0])
    assert intake.skipped == [[0], [0]]


def test_what_the_network_lost_is_not_what_was_dropped_for_being_behind():
    clock = Clock()
    script = [((offer("a"),), {}), ((), {"a": {"lost": 800}})]
    script += [((), {"a": {"drained": False}}), ((), {"a": {"lost": 1600}})]
    _, found = scripted(script, clock=clock, behind_s=0.5)
    for _ in script:
        found.tick()
        clock.now += 0.7
    assert (found.calls.lost, found.calls.dropped) == (2400, 1600)


def test_an_event_says_how_long_after_its_audio_it_was_told():
    clock = Clock()
    tenths = customer("en_rising_1")[: 8000 * 8].reshape(-1, 800)
    script = [((offer("a"),), {}), *(((), {"a": {"samples": some}}) for some in tenths)]
    _, found = scripted(script, clock=clock)
    for _ in script:
        found.tick()
        clock.now += 0.1
    assert found.delays_s
    assert all(-1e-6 <= delay_s <= 0.1 for delay_s in found.delays_s)
