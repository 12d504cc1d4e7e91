"""AudioSocket over real connections: every sample of every call, and never a word to Asterisk."""

import contextlib
import logging
import os
import socket
from pathlib import Path

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from hackles.capture.intake import Fate, Refusal
from hackles.capture.sockets import Listener
from hackles.errors import UsageError
from tests.audiosocket_desk import (
    DTMF,
    HANG_UP,
    Desk,
    Hand,
    Phone,
    floats,
    hello,
    message,
    name,
    sound,
    spoken,
    tone,
)

CAPTURE = Path(__file__).parent / "data" / "audiosocket-asterisk.bin"
RATES_HZ = {0x11: 12_000, 0x12: 16_000, 0x13: 24_000, 0x14: 32_000, 0x15: 44_100, 0x16: 48_000}
RATES_HZ |= {0x17: 96_000, 0x18: 192_000}


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
            with contextlib.suppress(ConnectionError):  # once it has hung up, nobody reads it
                wild.say(piece)
            at = 800 + 160 * number
            healthy.say(spoken(samples[at : at + 160]))
            if number in skips:
                desk.intake.skip([slot for slot, call in desk.open.items() if call != name(1)])
            if is_tick:
                desk.tick(0.1)
        healthy.say(HANG_UP)
        with contextlib.suppress(OSError):
            wild.socket.shutdown(socket.SHUT_WR)
        desk.tick_until_over(1)
        desk.tick_until(lambda: not desk.open)
        assert np.array_equal(desk.samples(1), floats(samples[: 800 + 160 * len(pieces)]))
        assert not any(desk.lost[name(1)])
        assert desk.ended.count(name(1)) == 1
