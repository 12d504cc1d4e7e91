"""AudioSocket over real connections: every sample of every call, and never a word to Asterisk."""

import contextlib
import logging
import os
import socket
import struct
import time
from pathlib import Path

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from hackles.capture.audiosocket_server import AudioSockets
from hackles.capture.g711 import Encoding, decode
from hackles.capture.intake import Fate, Offer, Refusal
from hackles.capture.sockets import Listener, Unheard
from hackles.errors import UsageError
from hackles.types import Role

CAPTURE = Path(__file__).parent / "data" / "audiosocket-asterisk.bin"
PATIENCE_S = 60
DTMF = b"\x03\0\x015"
HANG_UP = b"\0\0\0"
RATES_HZ = {0x11: 12_000, 0x12: 16_000, 0x13: 24_000, 0x14: 32_000, 0x15: 44_100, 0x16: 48_000}
RATES_HZ |= {0x17: 96_000, 0x18: 192_000}


def message(kind: int, payload: bytes) -> bytes:
    return struct.pack(">BH", kind, len(payload)) + payload


def hello(number: int) -> bytes:
    return message(0x01, number.to_bytes(16, "big"))


def name(number: int) -> str:
    return f"00000000-0000-0000-0000-{number:012x}"


def sound(n_samples: int, seed: int = 0) -> np.ndarray:
    """Return int16 samples that are like nobody else's."""
    return np.random.default_rng(seed).integers(-32768, 32768, n_samples).astype("<i2")


def tone(n_samples: int, sample_rate: int) -> np.ndarray:
    """Return a loud int16 tone in some noise."""
    time_s = np.arange(n_samples) / sample_rate
    return (20_000 * np.sin(2 * np.pi * 440 * time_s) + sound(n_samples) / 8).astype("<i2")


def spoken(samples: np.ndarray, kind: int = 0x10, length: int = 160) -> bytes:
    """Return samples as messages of `length` samples, the last one shorter."""
    parts = (samples[at : at + length] for at in range(0, len(samples), length))
    return b"".join(message(kind, part.tobytes()) for part in parts)


def floats(samples: np.ndarray) -> np.ndarray:
    return samples.astype(np.float32) / np.float32(32768)


class Phone:
    """Asterisk's side of one call."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def say(self, data: bytes) -> None:
        self.socket.sendall(data)

    def reset(self) -> None:
        """Leave without saying so: the other side meets an error."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def heard(self) -> bytes | None:
        """Return what came from the other side: b"" if it hung up, None if nothing."""
        self.socket.setblocking(False)
        try:
            return self.socket.recv(1)
        except BlockingIOError:
            return None
        finally:
            self.socket.settimeout(PATIENCE_S)


class Hand:
    """A clock that is put forward by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Desk:
    """Where calls are taken: an intake, a few slots, and what each call brought."""

    def __init__(
        self, n_lines: int = 8, max_samples: int = 2560, n_slots: int = 8, **options
    ) -> None:
        self.door = Listener("127.0.0.1", 0)
        self.clock = options.get("clock", time.monotonic)
        self.intake = AudioSockets(self.door, n_lines, max_samples, **options)
        self.max_samples = max_samples
        self.free = list(range(n_slots))
        self.open: dict[int, str] = {}
        self.offers: list[Offer] = []
        self.blocks: dict[str, list[np.ndarray]] = {}
        self.lost: dict[str, list[int]] = {}
        self.drained: dict[str, list[bool]] = {}
        self.digits: dict[str, str] = {}
        self.ended: list[str] = []
        self.phones: list[Phone] = []

    def __enter__(self) -> "Desk":
        return self

    def __exit__(self, *exc: object) -> None:
        self.intake.close()
        for phone in self.phones:
            phone.socket.close()

    def phone(self) -> Phone:
        self.phones.append(Phone(self.door.port))
        return self.phones[-1]

    def open_call(self, offer: Offer) -> int | None:
        self.offers.append(offer)
        if not self.free:
            return None
        slot = self.free.pop()
        self.open[slot] = offer.call
        self.blocks[offer.call], self.lost[offer.call], self.drained[offer.call] = [], [], []
        self.digits[offer.call] = ""
        return slot

    def tick(self, seconds: float = 0.0) -> bool:
        """Put the clock forward, receive once, and return whether that brought any samples."""
        if seconds:
            self.clock.now += seconds
        received = self.intake.receive(self.open_call)
        n_rows = len(set(received.slots.tolist()))
        assert n_rows == len(received.slots) == len(received.counts)
        assert n_rows == len(received.lost) == len(received.drained)
        assert received.samples.dtype == np.float32
        assert received.counts.sum() == len(received.samples)
        assert received.counts.max(initial=0) <= self.max_samples
        blocks = np.split(received.samples, np.cumsum(received.counts))
        for slot, block, lost, drained in zip(
            received.slots.tolist(), blocks, received.lost, received.drained, strict=False
        ):
            self.blocks[self.open[slot]].append(block)
            self.lost[self.open[slot]].append(int(lost))
            self.drained[self.open[slot]].append(bool(drained))
        for slot, digit in received.digits:
            self.digits[self.open[slot]] += digit
        for slot in received.ended:  # a slot that ends twice is not open
            self.ended.append(self.open.pop(slot))
            self.free.append(slot)
        return len(received.samples) > 0

    def slot(self, number: int) -> int:
        return next(slot for slot, call in self.open.items() if call == name(number))

    def tick_until(self, is_done) -> None:
        until = time.monotonic() + PATIENCE_S
        while not is_done():
            assert time.monotonic() < until, "it never came"
            if not self.tick():
                time.sleep(0.001)

    def samples(self, number: int) -> np.ndarray:
        return np.concatenate([np.zeros(0, np.float32), *self.blocks.get(name(number), [])])

    def tick_until_heard(self, number: int, n_samples: int) -> None:
        self.tick_until(lambda: len(self.samples(number)) >= n_samples)

    def tick_until_over(self, *numbers: int) -> None:
        self.tick_until(lambda: {name(number) for number in numbers} <= set(self.ended))

    def lets_go_of(self, phone: Phone, data: bytes) -> None:
        """Say much more than sockets hold, which needs somebody who reads; then hang up."""
        phone.socket.setblocking(False)
        rest = memoryview(data * (1 + 8_000_000 // len(data)))
        while rest:
            self.tick()
            try:
                rest = rest[phone.socket.send(rest) :]
            except BlockingIOError:
                time.sleep(0.001)
        assert phone.heard() is None
        phone.socket.shutdown(socket.SHUT_WR)
        self.tick_until(lambda: phone.heard() == b"")


def test_a_call_from_a_real_asterisk():
    data = CAPTURE.read_bytes()
    said = b"".join(data[at + 3 : at + 323] for at in range(19, len(data), 323))
    expected = floats(np.frombuffer(said, "<i2"))
    assert len(expected) == 330 * 160 + 155
    with Desk() as desk:
        phone = desk.phone()
        for at in range(0, len(data), 1615):
            phone.say(data[at : at + 1615])
            desk.tick()
        phone.socket.shutdown(socket.SHUT_WR)
        desk.tick_until(lambda: desk.ended)
        assert desk.ended == ["40325ec2-5efd-4bd3-805f-53576e581d13"]
        assert np.array_equal(np.concatenate(desk.blocks[desk.ended[0]]), expected)
        assert phone.heard() == b""


payloads = st.one_of(st.integers(0, 40), st.sampled_from([160, 161, 320, 640, 1400]))
kinds = st.sampled_from([0x10, 0x10, 0x10, 0x03, 0xFF])
messages = st.lists(st.tuples(kinds, payloads), max_size=12)


@settings(derandomize=True, deadline=None, max_examples=120)
@given(
    calls=st.lists(messages, min_size=1, max_size=4),
    cuts=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 700), st.booleans()), max_size=40),
    max_samples=st.integers(1, 900),
)
def test_any_cutting_gives_the_same_samples(calls, cuts, max_samples):
    """Any messages, cut anywhere into segments, with ticks anywhere in between."""
    waiting, expected = [], []
    for number, sizes in enumerate(calls):
        parts = [(kind, sound(size, number).tobytes()[:size]) for kind, size in sizes]
        waiting.append(hello(number) + b"".join(message(*part) for part in parts))
        own = b"".join(part[: len(part) & ~1] for kind, part in parts if kind == 0x10)
        expected.append(floats(np.frombuffer(own, "<i2")))
    with Desk(max_samples=max_samples) as desk:
        phones = [desk.phone() for _ in calls]
        for number, length, is_tick in cuts:
            if number < len(calls):
                phones[number].say(waiting[number][:length])
                waiting[number] = waiting[number][length:]
            if is_tick:
                desk.tick()
        for phone, rest in zip(phones, waiting, strict=True):
            phone.say(rest)
            phone.socket.shutdown(socket.SHUT_WR)
        desk.tick_until_over(*range(len(calls)))
        assert sorted(desk.ended) == [name(number) for number in range(len(calls))]
        for number, own in enumerate(expected):
            assert np.array_equal(desk.samples(number), own)


def test_many_calls_with_messages_of_their_own_length():
    said = {number: sound(3000 + number, number) for number in range(60)}
    with Desk(n_lines=60, n_slots=60, max_samples=1000) as desk:
        for number, samples in said.items():
            length = 160 if number % 3 else 7 * number + 31
            desk.phone().say(hello(number) + spoken(samples, length=length) + HANG_UP)
        desk.tick_until_over(*said)
        assert len(desk.ended) == 60
        for number, samples in said.items():
            assert np.array_equal(desk.samples(number), floats(samples))


def test_keys_pressed_between_the_audio_are_passed_over():
    samples = sound(800)
    with Desk() as desk:
        desk.phone().say(
            hello(1) + DTMF + spoken(samples).replace(b"\x10\x01\x40", DTMF + b"\x10\x01\x40")
        )
        desk.tick_until_heard(1, 800)
        assert np.array_equal(desk.samples(1), floats(samples))


@pytest.mark.parametrize("end", ["hang-up", "close", "reset"])
@pytest.mark.parametrize("half", [b"", b"\x10\x01", b"\x10\x01\x40abc"])
def test_a_call_ends_once_however_it_ends(end, half):
    samples = sound(1000)
    with Desk() as desk:
        phone = desk.phone()
        phone.say(hello(1) + spoken(samples))
        desk.tick_until_heard(1, 1000)
        assert not desk.ended
        if end == "hang-up":
            phone.say(HANG_UP)
        elif end == "close":
            phone.say(half)
            phone.socket.close()
        else:
            phone.say(half)
            phone.reset()
        desk.tick_until_over(1)
        for _ in range(5):
            desk.tick()
        assert desk.ended == [name(1)]
        assert np.array_equal(desk.samples(1)[:1000], floats(samples))
        assert end != "hang-up" or phone.heard() == b""


def test_a_call_may_begin_and_end_within_a_tick():
    samples = sound(320)
    with Desk() as desk:
        desk.phone().say(hello(1) + spoken(samples) + HANG_UP + spoken(samples))
        desk.tick_until_over(1)
        assert np.array_equal(desk.samples(1), floats(samples))


@pytest.mark.parametrize(
    "first",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        message(0x10, bytes(320)),
        message(0x01, bytes(15)),
        message(0x01, bytes(300)),
        DTMF,
        b"\x01\x01",
    ],
)
def test_who_does_not_begin_with_a_name_is_not_heard_and_not_hung_up_on(first, caplog):
    with Desk() as desk:
        phone = desk.phone()
        phone.say(first)
        desk.lets_go_of(phone, spoken(sound(160)))
        assert not desk.blocks
        assert [record.levelno for record in caplog.records] == [logging.WARNING]
        assert "begins with no UUID" in caplog.text
        assert desk.intake.troubles == {Refusal.GREETING: 1}


@pytest.mark.parametrize("count", [0, 1, 2, 18])
def test_who_leaves_before_saying_a_name_was_never_a_call(count, caplog):
    with Desk() as desk:
        phone = desk.phone()
        phone.say(hello(1)[:count])
        desk.tick()
        phone.socket.shutdown(socket.SHUT_WR)
        desk.tick_until(lambda: phone.heard() == b"")
        assert not desk.blocks
        assert not caplog.records


@pytest.mark.parametrize("kind", [0x00, 0x01, 0x02, 0x0F, 0x19, 0xFE])
def test_an_unknown_message_ends_the_analysis_but_not_the_call(kind, caplog):
    samples = sound(700)
    with Desk() as desk:
        phone = desk.phone()
        phone.say(hello(1) + spoken(samples) + message(kind, b"what") + spoken(samples))
        desk.tick_until_over(1)
        assert np.array_equal(desk.samples(1), floats(samples))
        if kind:  # a hang-up that brings something is a hang-up
            desk.lets_go_of(phone, spoken(samples))
            assert [record.levelno for record in caplog.records] == [logging.WARNING]
            assert name(1) in caplog.text
            assert f"{kind:#x}" in caplog.text
            assert desk.intake.troubles == {Refusal.PROTOCOL: 1}
        assert desk.ended == [name(1)]


def test_a_call_without_a_slot_is_let_go_on(caplog):
    samples = sound(5000)
    with Desk(n_slots=1) as desk:
        first = desk.phone()
        first.say(hello(1) + spoken(samples[:3000]))
        desk.tick_until_heard(1, 2560)
        second = desk.phone()
        second.say(hello(2))
        desk.lets_go_of(second, spoken(samples))
        first.say(spoken(samples[3000:]) + HANG_UP)
        desk.tick_until_over(1)
        assert np.array_equal(desk.samples(1), floats(samples))
        assert list(desk.blocks) == [name(1)]
        assert not caplog.records  # whoever refuses a call says why
        assert not desk.intake.troubles


def test_a_call_without_a_line_is_let_go_on(caplog):
    with Desk(n_lines=1) as desk:
        desk.phone().say(hello(1) + spoken(sound(160)))
        desk.tick_until_heard(1, 160)
        second = desk.phone()
        second.say(hello(2))
        desk.lets_go_of(second, spoken(sound(160)))
        assert list(desk.blocks) == [name(1)]
        assert len(caplog.records) == 1
        assert "all lines are taken" in caplog.text
        assert desk.intake.troubles == {Refusal.NO_ROOM: 1}


@pytest.mark.parametrize("n_bytes", [65_534, 65_535])
def test_the_longest_message_is_heard_in_pieces(n_bytes):
    samples = sound(32_767)
    with Desk(max_samples=1000) as desk:
        payload = (samples.tobytes() + b"?")[:n_bytes]
        desk.phone().say(hello(1) + message(0x10, payload) + spoken(samples[:500]) + HANG_UP)
        desk.tick_until_over(1)
        expected = floats(np.concatenate([samples, samples[:500]]))
        assert np.array_equal(desk.samples(1), expected)


def test_what_piled_up_is_handed_over_bit_by_bit():
    samples = sound(16_000)
    with Desk(max_samples=1600) as desk:
        phone = desk.phone()
        phone.say(hello(1) + spoken(samples) + HANG_UP)
        desk.tick_until_over(1)
        assert np.array_equal(desk.samples(1), floats(samples))
        assert len(desk.blocks[name(1)]) >= 10


def test_what_the_sockets_cannot_hold_waits_at_the_sender():
    samples = sound(8_000_000)
    data = memoryview(hello(1) + spoken(samples))
    with Desk(max_samples=100_000, clock=Hand()) as desk:
        phone = desk.phone()
        phone.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
        phone.socket.setblocking(False)
        n_refused = 0
        while data:
            try:
                data = data[phone.socket.send(data) :]
            except BlockingIOError:
                n_refused += 1
                desk.tick(100.0)
        phone.socket.shutdown(socket.SHUT_WR)
        desk.tick_until_over(1)
        assert n_refused
        assert np.array_equal(desk.samples(1), floats(samples))


@settings(derandomize=True, deadline=None, max_examples=50)
@given(
    calls=st.lists(
        st.tuples(st.integers(0, 900), st.sampled_from([0, 1, 2, 3, 4, 7, 100]), st.booleans()),
        min_size=3,
        max_size=12,
    )
)
def test_calls_that_come_and_go_leave_nothing_on_their_line(calls):
    """Two lines; each call leaves in the middle of a message, at one rate or the other."""
    said = {}
    with Desk(n_lines=2, n_slots=2) as desk:
        for number, (n_samples, n_bytes, is_fast) in enumerate(calls):
            samples, kind = tone(n_samples + 50, 8000), 0x12 if is_fast else 0x10
            unfinished = message(kind, samples[n_samples:].tobytes())[:n_bytes]
            phone = desk.phone()
            phone.say(hello(number) + spoken(samples[:n_samples], kind) + unfinished)
            said[number] = floats(samples[: n_samples + max(0, n_bytes - 3) // 2])
            if number % 2:
                desk.tick()
            phone.socket.close()
            if number % 3 or len(desk.open) == 2:
                desk.tick_until_over(number)
        desk.tick_until_over(*said)
        for number, own in said.items():
            expected = soxr.resample(own, 16_000, 8000) if calls[number][2] else own
            assert np.allclose(desk.samples(number), np.clip(expected, -1, 1), rtol=0, atol=1e-6)
        assert sorted(desk.ended) == [name(number) for number in said]


def test_nothing_is_ever_said_to_asterisk():
    with Desk(n_slots=2) as desk:
        greetings = [hello(1), hello(2), hello(3), b"HTTP", hello(4)[:7], b""]
        phones = [desk.phone() for _ in greetings]
        for phone, greeting in zip(phones, greetings, strict=True):
            phone.say(greeting)
        for kind in (0x10, 0x03, 0x12, 0xFF, 0x10, 0x44):
            for phone, greeting in zip(phones, greetings, strict=True):
                if len(greeting) == 19:
                    phone.say(message(kind, bytes(321)))
            desk.tick()
            assert [phone.heard() for phone in phones] == [None] * len(phones)


@pytest.mark.parametrize(("kind", "sample_rate"), RATES_HZ.items())
@pytest.mark.parametrize("max_samples", [2560, 900])
def test_other_rates_give_what_soxr_gives_offline(kind, sample_rate, max_samples):
    samples = tone(2 * sample_rate + 123, sample_rate)
    with Desk(max_samples=max_samples) as desk:
        phone = desk.phone()
        data = hello(1) + spoken(samples, kind, sample_rate // 50) + HANG_UP
        for at in range(0, len(data), sample_rate // 5):
            phone.say(data[at : at + sample_rate // 5])
            desk.tick()
        desk.tick_until_over(1)
        expected = soxr.resample(floats(samples), sample_rate, 8000)
        assert len(desk.samples(1)) == len(expected)
        assert np.allclose(desk.samples(1), expected, rtol=0, atol=1e-6)


def test_a_call_at_a_high_rate_is_read_in_as_few_ticks():
    with Desk(max_samples=1600) as desk:
        desk.phone().say(hello(1) + spoken(tone(96_000, 48_000), 0x16, 960))
        desk.tick_until_heard(1, 15_000)
        assert len(desk.blocks[name(1)]) < 30


def test_a_resampled_call_keeps_within_full_scale():
    samples = np.repeat(np.array([32767, -32768], "<i2"), 200)
    with Desk() as desk:
        desk.phone().say(hello(1) + spoken(np.tile(samples, 20), 0x12) + HANG_UP)
        desk.tick_until_over(1)
        assert np.abs(desk.samples(1)).max() == 1.0


def test_the_rate_may_change_within_a_call():
    slow, fast = tone(4000, 8000), tone(16_000, 16_000)
    parts = [(slow, 0x10), (fast, 0x12), (slow, 0x10), (fast, 0x13), (fast, 0x12)]
    with Desk() as desk:
        said = b"".join(spoken(samples, kind) for samples, kind in parts)
        desk.phone().say(hello(1) + said + HANG_UP)
        desk.tick_until_over(1)
        rates = {0x10: 8000} | RATES_HZ
        expected = [soxr.resample(floats(samples), rates[kind], 8000) for samples, kind in parts]
        assert np.allclose(desk.samples(1), np.concatenate(expected), rtol=0, atol=1e-6)


def test_calls_at_all_rates_at_once():
    rates = {0x10: 8000} | RATES_HZ
    said = {kind: tone(rate, rate) for kind, rate in rates.items()}
    with Desk(n_lines=9, n_slots=9) as desk:
        phones = {kind: desk.phone() for kind in rates}
        for kind, phone in phones.items():
            phone.say(hello(kind))
        for tick in range(10):
            for kind, phone in phones.items():
                own = np.array_split(said[kind], 10)[tick]
                phone.say(spoken(own, kind, rates[kind] // 50))
            desk.tick()
        for phone in phones.values():
            phone.socket.close()
        desk.tick_until_over(*rates)
        for kind, rate in rates.items():
            expected = soxr.resample(floats(said[kind]), rate, 8000)
            assert np.allclose(desk.samples(kind), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "payload", "kept", "what"),
    [
        (0x10, b"abc", b"ab", "half a sample"),
        (0x10, b"a", b"", "half a sample"),
        (0xFF, b"\2", b"", "an error"),
        (0xFF, b"", b"", "an error"),
    ],
)
def test_a_fault_is_told_once_and_the_call_goes_on(kind, payload, kept, what, caplog):
    said = sound(320).tobytes()
    fault = message(kind, payload)
    with Desk() as desk:
        phone = desk.phone()
        phone.say(hello(1) + fault)
        desk.tick_until(lambda: caplog.records)
        phone.say(fault + message(0x10, said) + fault + HANG_UP)
        desk.tick_until_over(1)
        expected = np.frombuffer(kept + kept + said + kept, "<i2")
        assert np.array_equal(desk.samples(1), floats(expected))
        assert len(caplog.records) == 1
        assert what in caplog.text
        assert name(1) in caplog.text
        assert desk.intake.troubles == {Fate.BROKEN: 3}


@pytest.mark.skipif(os.name == "nt", reason="it has no such limit")
def test_calls_wait_while_no_more_files_can_be_opened(caplog):
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with Desk() as desk:
        phone = desk.phone()
        phone.say(hello(1) + spoken(sound(160)))
        resource.setrlimit(resource.RLIMIT_NOFILE, (phone.socket.fileno() + 1, hard))
        try:
            desk.tick_until(lambda: caplog.records)
            desk.tick()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert len(caplog.records) == 1
        assert not desk.blocks
        desk.tick_until_heard(1, 160)


def test_an_address_that_is_taken_is_refused():
    with Desk() as desk, pytest.raises(UsageError, match="Cannot listen on 127"):
        Listener("127.0.0.1", desk.door.port)


def test_an_address_that_does_not_exist_is_refused():
    with pytest.raises(UsageError, match="Cannot listen on no such host port 0"):
        Listener("no such host", 0)
    for port in (-1, 65_536):
        with pytest.raises(UsageError, match=f"There is no port {port}"):
            Listener("127.0.0.1", port)


def test_closing_hangs_up_on_everybody():
    with Desk(n_slots=1) as desk:
        phones = [desk.phone() for _ in range(3)]
        for number, phone in enumerate(phones):
            phone.say(hello(number) + spoken(sound(160)))
        desk.tick_until(lambda: desk.blocks and len(desk.samples(int(next(iter(desk.blocks))[-1]))))
        desk.tick()
        desk.intake.close()
        for phone in phones:
            assert phone.socket.recv(1) == b""
        with pytest.raises(ConnectionRefusedError):
            Phone(desk.door.port)


def test_a_flood_of_empty_messages_ends_that_call_alone(caplog):
    samples = sound(1600)
    with Desk() as desk:
        quiet, loud = desk.phone(), desk.phone()
        quiet.say(hello(1))
        loud.say(hello(2))
        desk.tick_until_heard(1, 0)
        loud.say(b"\x10\x00\x00" * 1500)
        quiet.say(spoken(samples))
        desk.tick_until_heard(1, 1600)
        quiet.say(HANG_UP)
        desk.tick_until_over(1, 2)
        assert np.array_equal(desk.samples(1), floats(samples))
        assert "floods" in caplog.text
        assert desk.intake.troubles == {Refusal.FLOOD: 1}


def test_a_call_is_offered_with_its_name_and_role():
    with Desk(role=Role.CUSTOMER) as desk:
        desk.phone().say(hello(7))
        desk.tick_until(lambda: desk.offers)
        assert desk.offers == [Offer(call=name(7), role=Role.CUSTOMER)]
    with Desk() as desk:
        desk.phone().say(hello(7))
        desk.tick_until(lambda: desk.offers)
        assert desk.offers[0].role is Role.UNKNOWN


# Keys.


@pytest.mark.parametrize("cut", range(1, 5))
def test_every_key_is_told_wherever_its_message_is_cut(cut):
    samples = sound(320)
    with Desk() as desk:
        phone = desk.phone()
        phone.say(hello(1) + spoken(samples[:160]))
        desk.tick_until_heard(1, 160)
        for digit in "0123456789*#ABCD":
            data = message(0x03, digit.encode())
            phone.say(data[:cut])
            desk.tick()
            phone.say(data[cut:])
            desk.tick_until(lambda told=digit: desk.digits[name(1)].endswith(told))
        phone.say(spoken(samples[160:]) + HANG_UP)
        desk.tick_until_over(1)
        assert desk.digits[name(1)] == "0123456789*#ABCD"
        assert np.array_equal(desk.samples(1), floats(samples))


def test_what_is_no_key_is_not_told():
    samples = sound(320)
    with Desk() as desk:
        keys = b"".join(message(0x03, other) for other in (b"", b"E", b"\xff", b"a", b"12"))
        desk.phone().say(hello(1) + spoken(samples[:160]) + keys + spoken(samples[160:]) + HANG_UP)
        desk.tick_until_over(1)
        assert desk.digits[name(1)] == ""
        assert np.array_equal(desk.samples(1), floats(samples))


def test_a_key_pressed_just_before_the_end_is_told():
    with Desk() as desk:
        desk.phone().say(hello(1) + spoken(sound(160)) + DTMF + HANG_UP)
        desk.tick_until_over(1)
        assert desk.digits[name(1)] == "5"


# What waits, and what is dropped of it.


def settled(desk: Desk, number: int, kind: int = 0x10, length: int = 160) -> Phone:
    """Return a phone whose call has begun, with one packet of digital silence."""
    phone = desk.phone()
    phone.say(hello(number) + message(kind, bytes(2 * length)))
    desk.tick_until(lambda: desk.drained.get(name(number)))
    desk.blocks[name(number)].clear()
    desk.drained[name(number)].clear()
    desk.lost[name(number)].clear()
    return phone


def arrived(desk: Desk, phone: Phone, data: bytes) -> None:
    """Say something, and wait until the kernel has it at the other end."""
    phone.say(data)
    time.sleep(0.05)


@pytest.mark.parametrize(("kind", "length"), [(0x10, 160), (0x12, 320)])
def test_a_call_is_drained_once_nothing_more_of_it_waits(kind, length):
    with Desk(max_samples=800) as desk:
        phone = settled(desk, 1, kind, length)
        arrived(desk, phone, spoken(sound(14 * length), kind, length))
        for _ in range(6):
            desk.tick()
        drained = desk.drained[name(1)]
        assert drained == sorted(drained)
        assert not drained[0]
        assert drained[-1]
        assert not any(desk.lost[name(1)])


def test_a_call_that_just_filled_its_room_is_told_to_be_drained_at_the_next_tick():
    with Desk(max_samples=808) as desk:  # five packets with their heads are 1615 bytes
        phone = settled(desk, 1)
        arrived(desk, phone, spoken(sound(800)))
        desk.tick()
        desk.tick()
        desk.tick()
        assert desk.drained[name(1)] == [False, True]
        assert [len(block) for block in desk.blocks[name(1)]] == [800, 0]


def test_skipping_hands_over_the_newest_and_tells_how_much_is_lost():
    samples, later = sound(20_000), sound(1600, 2)
    with Desk(max_samples=1600) as desk:
        phone = settled(desk, 1)
        arrived(desk, phone, spoken(samples))
        desk.intake.skip([desk.slot(1)])
        desk.tick()
        assert desk.lost[name(1)] == [20_000 - 1600]
        assert desk.drained[name(1)] == [True]
        assert np.array_equal(desk.samples(1), floats(samples[-1600:]))
        phone.say(spoken(later) + HANG_UP)
        desk.tick_until_over(1)
        assert np.array_equal(desk.samples(1)[1600:], floats(later))
        assert sum(desk.lost[name(1)]) == 20_000 - 1600


def test_skipping_loses_nothing_of_who_is_not_behind():
    samples = sound(1600)
    with Desk() as desk:
        phone = settled(desk, 1)
        arrived(desk, phone, spoken(samples[:800]))
        desk.intake.skip([desk.slot(1), 99])
        desk.tick()
        phone.say(spoken(samples[800:]) + HANG_UP)
        desk.tick_until_over(1)
        assert np.array_equal(desk.samples(1), floats(samples))
        assert not any(desk.lost[name(1)])


def test_skipping_a_resampled_call_counts_at_the_rate_of_the_engine():
    samples = tone(64_000, 16_000)
    expected = soxr.resample(floats(samples), 16_000, 8000)
    with Desk(max_samples=1600) as desk:
        phone = desk.phone()
        phone.say(hello(1) + spoken(samples[:320], 0x12, 320))
        desk.tick_until(lambda: desk.drained.get(name(1)))
        arrived(desk, phone, spoken(samples[320:], 0x12, 320))
        desk.intake.skip([desk.slot(1)])
        desk.tick()
        assert sum(desk.lost[name(1)]) > 28_000
        phone.say(HANG_UP)
        desk.tick_until_over(1)
        heard = desk.samples(1)
        assert len(heard) + sum(desk.lost[name(1)]) == len(expected)
        assert np.allclose(heard[-1600:], expected[-1600:], rtol=0, atol=1e-6)


def test_skipping_much_takes_several_ticks_and_none_takes_all_of_it():
    samples = sound(160_000)
    with Desk(max_samples=1600, clock=Hand()) as desk:
        phone = settled(desk, 1)
        desk.clock.now += 100.0
        arrived(desk, phone, spoken(samples))
        slot, n_ticks = desk.slot(1), 0
        while not desk.drained[name(1)] or not desk.drained[name(1)][-1]:
            desk.intake.skip([slot])
            desk.tick()
            n_ticks += 1
        assert n_ticks > 1
        assert sum(desk.lost[name(1)]) + len(desk.samples(1)) == len(samples)
        assert np.array_equal(desk.samples(1)[-1600:], floats(samples[-1600:]))


def test_keys_and_the_end_are_told_of_what_is_skipped():
    samples = sound(10_000)
    with Desk(max_samples=1600) as desk:
        phone = settled(desk, 1)
        arrived(desk, phone, DTMF + spoken(samples) + DTMF + HANG_UP)
        desk.intake.skip([desk.slot(1)])
        desk.tick()
        assert desk.ended == [name(1)]
        assert desk.digits[name(1)] == "55"
        assert np.array_equal(desk.samples(1), floats(samples[-1600:]))


def test_others_lose_nothing_while_one_call_skips():
    samples = sound(8000)
    with Desk(max_samples=1600) as desk:
        behind, beside = settled(desk, 1), settled(desk, 2)
        arrived(desk, behind, spoken(samples))
        arrived(desk, beside, spoken(samples) + HANG_UP)
        desk.intake.skip([desk.slot(1)])
        desk.tick_until_over(2)
        assert np.array_equal(desk.samples(2), floats(samples))
        assert not any(desk.lost[name(2)])


# Calls that are forgotten.


@pytest.mark.parametrize(("kind", "length"), [(0x10, 160), (0x12, 320), (0x10, 80)])
def test_a_forgotten_call_is_not_heard_and_not_hung_up_on(kind, length, caplog):
    samples = sound(6000)
    with Desk(max_samples=800) as desk:
        phone = desk.phone()
        phone.say(hello(1) + spoken(samples, kind, length))
        desk.tick_until(lambda: desk.open)
        slot = desk.slot(1)
        desk.intake.forget(slot)
        heard = len(desk.samples(1))
        desk.free.append(slot)
        del desk.open[slot]
        desk.lets_go_of(phone, spoken(samples, kind, length))
        assert len(desk.samples(1)) == heard
        assert not desk.ended
        assert not caplog.records
        second = desk.phone()
        second.say(hello(2) + spoken(samples) + HANG_UP)
        desk.tick_until_over(2)
        assert np.array_equal(desk.samples(2), floats(samples))


def test_a_call_is_forgotten_even_when_it_is_over_and_some_of_it_waits():
    with Desk(max_samples=400) as desk:
        phone = settled(desk, 1, 0x12, 320)
        arrived(desk, phone, spoken(sound(1600), 0x12, 800) + HANG_UP)
        desk.tick_until(lambda: phone.heard() == b"")
        assert not desk.ended
        slot = desk.slot(1)
        desk.intake.forget(slot)
        desk.intake.forget(slot)
        heard = len(desk.samples(1))
        for _ in range(5):
            desk.tick()
        assert len(desk.samples(1)) == heard
        assert not desk.ended


# Whoever sends faster than people speak.


def test_a_call_far_ahead_of_the_clock_waits_for_it_and_loses_nothing(caplog):
    samples, calm = sound(80_000), sound(32_000, 2)
    with Desk(max_samples=1600, clock=Hand()) as desk:
        ahead, beside = settled(desk, 1), settled(desk, 2)
        ahead.say(spoken(samples) + HANG_UP)
        time.sleep(0.1)
        for at in range(0, 32_000, 800):
            beside.say(spoken(calm[at : at + 800]))
            desk.tick(0.1)
        heard_s = len(desk.samples(1)) / 8000
        assert 4.0 + 2.0 <= heard_s <= 4.0 * 1.1 + 2.0 + 0.2
        assert all(desk.drained[name(1)][-3:])
        beside.say(HANG_UP)
        desk.tick_until_over(2)
        assert np.array_equal(desk.samples(2), floats(calm))
        while name(1) not in desk.ended:
            desk.tick(0.1)
        assert 7.0 <= desk.clock.now - 1000.0 <= 8.5  # ten seconds of audio, two of them ahead
        assert np.array_equal(desk.samples(1), floats(samples))
        assert len(caplog.records) == 1
        assert f"{name(1)} brings its audio faster than it is spoken" in caplog.text
        assert not desk.intake.troubles


def test_a_call_that_was_held_up_on_the_way_is_not_held_back(caplog):
    samples = sound(80_000)
    with Desk(max_samples=1600, clock=Hand()) as desk:
        phone = settled(desk, 1)
        desk.clock.now += 10.0
        arrived(desk, phone, spoken(samples))
        desk.tick_until_heard(1, 80_000)
        assert np.array_equal(desk.samples(1), floats(samples))
        assert not caplog.records


@pytest.mark.parametrize("kind", [0x10, 0x16])
def test_a_call_that_is_held_back_may_be_skipped_and_forgotten(kind):
    with Desk(max_samples=1600, clock=Hand()) as desk:
        phone = settled(desk, 1, kind, 160 if kind == 0x10 else 960)
        phone.say(spoken(sound(300_000), kind, 960))
        for _ in range(40):
            desk.tick()
        heard = len(desk.samples(1))
        desk.intake.skip([desk.slot(1)])
        desk.tick()
        assert not any(desk.lost[name(1)])
        desk.intake.forget(desk.slot(1))
        phone.say(spoken(sound(3000), kind, 960))
        desk.tick(1000.0)
        assert len(desk.samples(1)) == heard


# Audio that is not what its messages say.


def codes(n_samples: int) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, n_samples).astype(np.uint8)


def in_time(desk: Desk, phone: Phone, data: bytes, kind: int, length: int, seconds: float) -> None:
    """Say audio in messages of `length` bytes, one every so many seconds."""
    for at in range(0, len(data), length):
        phone.say(message(kind, data[at : at + length]))
        desk.tick(seconds)


SLIN = [
    (0x10, 8000, 10),
    (0x10, 8000, 30),
    (0x10, 8000, 40),
    (0x10, 8000, 60),
    (0x10, 12_000, 20),
    (0x10, 16_000, 20),
    (0x10, 16_000, 40),
    (0x10, 24_000, 20),
    (0x10, 32_000, 20),
    (0x10, 44_100, 20),
    (0x10, 48_000, 20),
    (0x10, 8000, 100),
    (0x10, 8000, 37),
    (0x11, 12_000, 20),
    (0x11, 12_000, 40),
    (0x11, 16_000, 20),
    (0x11, 16_000, 40),
]


@pytest.mark.parametrize(("kind", "sample_rate", "packet_ms"), SLIN)
def test_audio_at_another_rate_than_it_says_is_told_by_how_fast_it_comes(
    kind, sample_rate, packet_ms
):
    samples = tone(3 * sample_rate, sample_rate)
    length = 2 * sample_rate * packet_ms // 1000
    with Desk(clock=Hand()) as desk:
        phone = desk.phone()
        phone.say(hello(1))
        in_time(desk, phone, samples.tobytes(), kind, length, packet_ms / 1000)
        phone.say(HANG_UP)
        desk.tick_until_over(1)
        if sample_rate == 8000:
            assert np.array_equal(desk.samples(1), floats(samples))
        else:
            expected = soxr.resample(floats(samples), sample_rate, 8000)
            assert len(desk.samples(1)) == len(expected)
            assert np.allclose(desk.samples(1), np.clip(expected, -1.0, 1.0), rtol=0, atol=1e-6)


@pytest.mark.parametrize("law", Encoding)
@pytest.mark.parametrize("packet_ms", [20, 30, 60])
def test_g711_under_a_wrong_name_is_heard_by_the_law_that_was_set(law, packet_ms, caplog):
    said = codes(24_000)
    with Desk(clock=Hand(), g711=law) as desk:
        phone = desk.phone()
        phone.say(hello(1))
        in_time(desk, phone, said.tobytes(), 0x10, 8 * packet_ms, packet_ms / 1000)
        phone.say(HANG_UP)
        desk.tick_until_over(1)
        assert np.array_equal(desk.samples(1), decode(said, law))
        assert not caplog.records


def test_g711_without_a_law_is_not_guessed_and_not_hung_up_on(caplog):
    with Desk(clock=Hand()) as desk:
        phone = desk.phone()
        phone.say(hello(1))
        in_time(desk, phone, codes(16_000).tobytes(), 0x10, 160, 0.02)
        desk.tick_until_over(1)
        assert len(desk.samples(1)) == 0
        desk.lets_go_of(phone, message(0x10, bytes(160)))
        assert desk.intake.troubles == {Refusal.CODEC: 1}
        assert len(caplog.records) == 1
        assert 'Set g711 = "ulaw" or "alaw" under [audiosocket]' in caplog.text


def test_a_law_that_was_set_does_not_touch_what_is_no_g711():
    samples = sound(16_000)
    with Desk(clock=Hand(), g711=Encoding.A_LAW) as desk:
        phone = desk.phone()
        phone.say(hello(1))
        in_time(desk, phone, samples.tobytes(), 0x10, 160, 0.01)
        phone.say(HANG_UP)
        desk.tick_until_over(1)
        assert np.array_equal(desk.samples(1), floats(samples))


def test_silence_that_is_left_out_does_not_make_g711_of_a_call():
    samples = sound(32_000)
    with Desk(clock=Hand()) as desk:
        phone = desk.phone()
        phone.say(hello(1))
        for at in range(0, 32_000, 2400):  # 0.3 s, then silence for as long
            in_time(desk, phone, samples[at : at + 2400].tobytes(), 0x10, 160, 0.01)
            desk.tick(0.3)
        in_time(desk, phone, samples.tobytes(), 0x10, 160, 0.01)
        phone.say(HANG_UP)
        desk.tick_until_over(1)
        expected = floats(np.concatenate([samples, samples]))
        assert np.array_equal(desk.samples(1), expected)
        assert not desk.intake.troubles


def test_a_short_first_message_does_not_matter():
    samples = sound(16_000)
    with Desk(clock=Hand()) as desk:
        phone = desk.phone()
        phone.say(hello(1) + message(0x10, samples[:30].tobytes()))
        in_time(desk, phone, samples[30:].tobytes(), 0x10, 320, 0.02)
        desk.tick_until_heard(1, 15_000)
        phone.say(HANG_UP)
        desk.tick_until_over(1)
        assert np.array_equal(desk.samples(1), floats(samples))


def test_a_call_too_short_to_be_measured_is_what_it_says():
    samples = sound(800)
    with Desk() as desk:
        desk.phone().say(hello(1) + spoken(samples, length=80) + HANG_UP)
        desk.tick_until_over(1)
        assert np.array_equal(desk.samples(1), floats(samples))


def test_who_sends_much_before_it_can_be_measured_is_believed_and_held_back():
    samples = sound(1_000_000)
    with Desk(clock=Hand()) as desk:
        phone = desk.phone()
        phone.socket.setblocking(False)
        data = memoryview(hello(1) + spoken(samples, length=320))
        until = time.monotonic() + PATIENCE_S
        while not desk.samples(1).size and time.monotonic() < until:
            with contextlib.suppress(BlockingIOError):
                data = data[phone.socket.send(data) :]
            desk.tick()
        for _ in range(300):
            desk.tick()
        heard = desk.samples(1)
        assert 2 * 8000 < len(heard) < 300_000
        assert np.array_equal(heard, floats(samples[: len(heard)]))


@pytest.mark.parametrize(("share", "is_told"), [(1, False), (2, True)])
def test_a_call_that_brings_half_of_what_is_due_is_told_of_once(share, is_told, caplog):
    samples = sound(24_000)
    with Desk(clock=Hand()) as desk:
        phone = desk.phone()
        phone.say(hello(1))
        in_time(desk, phone, samples.tobytes(), 0x10, 320, 0.02 * share)
        phone.say(HANG_UP)
        desk.tick_until_over(1)
        assert np.array_equal(desk.samples(1), floats(samples))
        assert [name(1) in record.getMessage() for record in caplog.records] == [True] * is_told
        assert ("G.711 in packets of 40 ms" in caplog.text) is is_told


# Who connects, and is no call.


@pytest.mark.parametrize("said", [b"", b"\x01", hello(1)[:18]])
def test_who_does_not_say_its_name_gives_its_line_up_and_is_not_hung_up_on(said, caplog):
    samples = sound(800)
    with Desk(n_lines=1, clock=Hand()) as desk:
        slow = desk.phone()
        slow.say(said)
        time.sleep(0.02)
        desk.tick()
        desk.tick(9.9)
        assert not desk.intake.troubles
        desk.tick(0.2)
        assert desk.intake.troubles == {Refusal.GREETING: 1}
        assert "did not come in time" in caplog.text
        desk.phone().say(hello(2) + spoken(samples) + HANG_UP)
        desk.tick_until_over(2)
        assert np.array_equal(desk.samples(2), floats(samples))
        desk.lets_go_of(slow, spoken(samples))
        assert not desk.samples(1).size


def test_strangers_are_counted_each_and_logged_once_a_minute(caplog):
    with Desk(clock=Hand()) as desk:
        for number in range(1, 6):
            desk.phone().say(b"GET / HTTP/1.1\r\n\r\n")
            desk.tick_until(lambda so_far=number: desk.intake.troubles.total() == so_far)
            desk.clock.now += 20.0
        assert desk.intake.troubles == {Refusal.GREETING: 5}
        assert len(caplog.records) == 2


def pair() -> tuple[socket.socket, socket.socket]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    return ours, theirs


def is_closed(theirs: socket.socket) -> bool:
    try:
        return theirs.recv(1) == b""
    except BlockingIOError:
        return False


def test_of_too_many_unheard_connections_the_oldest_that_is_no_call_is_closed():
    unheard = Unheard(1000, b"\x01\0\x10", most=3)
    pairs = [pair() for _ in range(6)]
    # A call; a stranger; one who says so late that it is a call; one who never says; two more.
    kinds = [True, False, None, None, None, None]
    pairs[2][1].send(hello(1))
    for (ours, _), kind in zip(pairs, kinds, strict=True):
        unheard.add(ours, kind)
        unheard.drain()
    assert [is_closed(theirs) for _, theirs in pairs] == [False, True, False, True, True, False]
    unheard.close()
    assert all(is_closed(theirs) for _, theirs in pairs)
    for _, theirs in pairs:
        theirs.close()


def test_calls_are_kept_however_many_they_are():
    unheard = Unheard(1000, b"\x01\0\x10", most=1)
    pairs = [pair() for _ in range(5)]
    for ours, _ in pairs:
        unheard.add(ours, is_call=True)
    assert not any(is_closed(theirs) for _, theirs in pairs)
    unheard.close()
    for _, theirs in pairs:
        theirs.close()


# Whatever comes.

noise = st.one_of(
    st.binary(max_size=60),
    st.builds(message, st.sampled_from([*range(0x20), 0xFE, 0xFF]), st.binary(max_size=400)),
    st.sampled_from([hello(3), DTMF, HANG_UP, message(0x10, bytes(160)), message(0x16, bytes(96))]),
)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(
    pieces=st.lists(st.tuples(noise, st.booleans()), max_size=25),
    greets=st.booleans(),
    skips=st.sets(st.integers(0, 24), max_size=3),
)
def test_a_healthy_call_is_heard_bit_for_bit_beside_anything(pieces, greets, skips):
    samples = sound(25 * 160 + 800)
    with Desk(max_samples=900, clock=Hand()) as desk:
        healthy, wild = desk.phone(), desk.phone()
        healthy.say(hello(1) + spoken(samples[:800]))
        wild.say(hello(2) * greets)
        for number, (piece, is_tick) in enumerate(pieces):
            wild.say(piece)
            at = 800 + 160 * number
            healthy.say(spoken(samples[at : at + 160]))
            if number in skips:
                desk.intake.skip([slot for slot, call in desk.open.items() if call != name(1)])
            if is_tick:
                desk.tick(0.1)
        healthy.say(HANG_UP)
        wild.socket.shutdown(socket.SHUT_WR)
        desk.tick_until_over(1)
        desk.tick_until(lambda: not desk.open)
        assert np.array_equal(desk.samples(1), floats(samples[: 800 + 160 * len(pieces)]))
        assert not any(desk.lost[name(1)])
        assert desk.ended.count(name(1)) == 1
