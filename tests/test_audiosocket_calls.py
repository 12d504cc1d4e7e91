"""Calls over AudioSocket that are behind, ahead, forgotten or none: what is told, and to whom."""

import socket
import time

import numpy as np
import pytest
import soxr

from hackles.capture.intake import AHEAD_S, Offer, Refusal
from hackles.capture.sockets import Unheard
from hackles.types import Role
from tests.audiosocket_desk import (
    DTMF,
    HANG_UP,
    Desk,
    Hand,
    arrived,
    floats,
    hello,
    message,
    name,
    settled,
    sound,
    spoken,
    tone,
)


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
    samples = tone(24_000, 16_000)
    expected = soxr.resample(floats(samples), 16_000, 8000)
    with Desk(max_samples=1600) as desk:
        phone = desk.phone()
        phone.say(hello(1) + spoken(samples[:320], 0x12, 320))
        desk.tick_until(lambda: desk.drained.get(name(1)))
        arrived(desk, phone, spoken(samples[320:], 0x12, 320))
        desk.intake.skip([desk.slot(1)])
        desk.tick()
        assert sum(desk.lost[name(1)]) > 9_000
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
        while sum(desk.lost[name(1)]) + len(desk.samples(1)) < len(samples):
            desk.intake.skip([slot])
            desk.tick()
            n_ticks += 1
        assert n_ticks > 1
        assert sum(desk.lost[name(1)]) + len(desk.samples(1)) == len(samples)
        assert desk.drained[name(1)][-1]
        last = desk.blocks[name(1)][-1]
        assert np.array_equal(last, floats(samples[-len(last) :]))


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


def test_a_call_does_not_skip_because_the_one_before_it_in_its_slot_was_to():
    samples = sound(4000)
    with Desk(n_slots=1, max_samples=1600) as desk:
        first = settled(desk, 1)
        slot = desk.slot(1)
        arrived(desk, first, HANG_UP)
        desk.tick_until_over(1)
        desk.intake.skip([slot])
        second = desk.phone()
        desk.tick()
        desk.intake.skip([slot])
        arrived(desk, second, hello(2) + spoken(samples) + HANG_UP)
        desk.tick_until_over(2)
        assert np.array_equal(desk.samples(2), floats(samples))


def test_a_call_skips_once_for_each_time_that_it_is_told_to():
    samples = sound(4000)
    with Desk(max_samples=1600) as desk:
        phone = settled(desk, 1)
        arrived(desk, phone, spoken(samples))
        desk.intake.skip([desk.slot(1)])
        desk.tick()
        arrived(desk, phone, spoken(samples) + HANG_UP)
        desk.tick_until_over(1)
        assert np.array_equal(desk.samples(1)[1600:], floats(samples))
        assert sum(desk.lost[name(1)]) == 4000 - 1600


def test_a_call_in_the_slot_of_a_forgotten_one_does_not_skip_for_it():
    samples = sound(4000)
    with Desk(n_slots=1, max_samples=1600) as desk:
        settled(desk, 1)
        slot, second = desk.slot(1), desk.phone()
        desk.tick()
        arrived(desk, second, hello(2) + spoken(samples) + HANG_UP)
        desk.intake.skip([slot])
        desk.intake.forget(slot)
        desk.free.append(slot)
        desk.tick_until_over(2)
        assert np.array_equal(desk.samples(2), floats(samples))


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
    samples, calm = sound(320_000), sound(144_000, 2)
    with Desk(max_samples=1600, clock=Hand()) as desk:
        ahead, beside = settled(desk, 1), settled(desk, 2)
        ahead.say(spoken(samples) + HANG_UP)
        time.sleep(0.1)
        for at in range(0, 144_000, 800):
            beside.say(spoken(calm[at : at + 800]))
            desk.tick(0.1)
        heard_s = len(desk.samples(1)) / 8000
        assert 18.0 + AHEAD_S <= heard_s <= 18.0 * 1.1 + AHEAD_S + 0.2
        assert all(desk.drained[name(1)][-3:])
        beside.say(HANG_UP)
        desk.tick_until_over(2)
        assert np.array_equal(desk.samples(2), floats(calm))
        while name(1) not in desk.ended:
            desk.tick(0.1)
        assert 26.5 <= desk.clock.now - 1000.0 <= 28.5  # of forty seconds, ten are ahead
        assert np.array_equal(desk.samples(1), floats(samples))
        assert len(caplog.records) == 1
        assert f"{name(1)} brings its audio faster than it is spoken" in caplog.text
        assert desk.intake.troubles == {Refusal.FLOOD: 1}


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
        phone.say(spoken(sound(600_000), kind, 960))
        for _ in range(120):
            desk.tick()
        heard = len(desk.samples(1))
        desk.intake.skip([desk.slot(1)])
        desk.tick()
        assert not any(desk.lost[name(1)])
        desk.intake.forget(desk.slot(1))
        phone.say(spoken(sound(3000), kind, 960))
        desk.tick(1000.0)
        assert len(desk.samples(1)) == heard


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


def test_strangers_are_counted_each_and_logged_a_few_times_a_minute(caplog):
    with Desk(clock=Hand()) as desk:
        for number in range(1, 31):
            desk.phone().say(b"GET / HTTP/1.1\r\n\r\n")
            desk.tick_until(lambda so_far=number: desk.intake.troubles.total() == so_far)
            desk.clock.now += 3.0
        assert desk.intake.troubles == {Refusal.GREETING: 30}
        assert len(caplog.records) == 20
        assert "No more of these" in caplog.records[9].getMessage()


def test_who_says_nothing_gives_its_line_to_who_does(caplog):
    samples = sound(1600)
    with Desk(clock=Hand(), n_lines=2) as desk:
        silent = [desk.phone() for _ in range(2)]
        desk.tick_until(lambda: len(desk.intake._connections) == 2)
        desk.clock.now += 1.0
        desk.phone().say(hello(1) + spoken(samples) + HANG_UP)
        desk.tick_until_over(1)
        assert np.array_equal(desk.samples(1), floats(samples))
        assert desk.intake.troubles == {Refusal.GREETING: 1}
        assert len(silent) == 2


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
