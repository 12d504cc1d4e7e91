"""Audio over AudioSocket that is not what its messages say: measured before it is believed."""

import contextlib
import time

import numpy as np
import pytest
import soxr

from hackles.capture.g711 import Encoding, decode
from hackles.capture.intake import Refusal
from tests.audiosocket_desk import (
    HANG_UP,
    PATIENCE_S,
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


def test_the_length_of_its_messages_settles_what_gaps_leave_open():
    """16 kHz with a seventh missing comes as fast as 12 kHz would, but not in such packets."""
    samples = tone(48_000, 16_000)
    packets = [samples[at : at + 320] for at in range(0, len(samples), 320)]
    packets = [packet for number, packet in enumerate(packets) if number % 7]
    with Desk(clock=Hand()) as desk:
        phone = desk.phone()
        phone.say(hello(1))
        for number, packet in enumerate(packets):
            in_time(desk, phone, packet.tobytes(), 0x10, 640, 0.02 if number % 6 else 0.04)
        phone.say(HANG_UP)
        desk.tick_until_over(1)
        expected = soxr.resample(floats(np.concatenate(packets)), 16_000, 8000)
        assert np.allclose(desk.samples(1), np.clip(expected, -1.0, 1.0), rtol=0, atol=1e-6)


def test_what_is_kept_goes_before_what_comes_of_another_kind():
    slow, fast = sound(800), tone(3200, 16_000)
    with Desk(max_samples=10_000) as desk:
        said = spoken(slow, length=80) + spoken(fast, 0x12, 320)
        desk.phone().say(hello(1) + said + HANG_UP)
        desk.tick_until_over(1)
        expected = soxr.resample(floats(fast), 16_000, 8000)
        assert np.array_equal(desk.samples(1)[:800], floats(slow))
        assert np.allclose(desk.samples(1)[800:], expected, rtol=0, atol=1e-6)


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
