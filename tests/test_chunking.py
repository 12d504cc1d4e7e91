"""How the audio is cut, how much of it there is, and what runs beside it never matter."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hackles.bank import Bank
from hackles.classifier import default_classifier
from hackles.types import Block, Role
from tests.conftest import customer
from tests.events import assert_same, run

CALL = "en_rising_1"
N = len(customer(CALL))


@pytest.mark.parametrize("length", [1, 7, 79, 80, 81, 160, 319, 320, 333, 1600, 8000, 41000])
def test_the_size_of_the_blocks_does_not_change_the_events(length):
    samples = customer(CALL)[: 8000 * (3 if length < 60 else 30)]
    assert_same(run(samples, range(length, len(samples), length)), run(samples))


@settings(max_examples=15, deadline=None)
@given(cuts=st.lists(st.integers(0, N), max_size=300))
def test_random_cuts_do_not_change_the_events(cuts):
    assert_same(run(customer(CALL), cuts), run(customer(CALL)))


@pytest.mark.parametrize("tick_s", [0.1, 0.5, 1.0, 2.0])
def test_how_long_a_tick_is_does_not_change_the_events(tick_s):
    samples = customer(CALL)[: 8000 * 45]
    bank = Bank(1, default_classifier(), max_frames=round(320 * tick_s) + 1)
    slot, length, found = bank.open(Role.CUSTOMER), round(8000 * tick_s), []
    for at in range(0, len(samples), length):
        some = samples[at : at + length]
        bank.receive(np.array([slot]), np.array([len(some)]), some)
        found += [event for _, event in bank.tick().events()]
    found += [event for _, event in bank.flush(slot).events()]
    assert_same(found, run(samples))


@settings(max_examples=15, deadline=None)
@given(end=st.integers(0, N))
def test_what_is_decided_does_not_depend_on_what_comes_later(end):
    whole = run(customer(CALL))
    cut = run(customer(CALL)[:end], flush=False)
    assert_same(cut, [event for event in whole if event.time * 8000 <= end])


def test_a_bank_of_fifty_calls_gives_what_fifty_pipelines_give():
    rng = np.random.default_rng(1)
    names = ["en_rising_1", "es_rising_1", "pl_rising_2", "en_calm_1", "pl_calm_1"]
    calls = []
    for index in range(50):
        whole = customer(names[index % len(names)])
        start = int(rng.integers(0, len(whole) - 8000))
        calls.append(whole[start : start + int(rng.integers(8000, 30 * 8000))])
    bank = Bank(len(calls), default_classifier())
    slots = [bank.open(Role.CUSTOMER) for _ in calls]
    found = {slot: [] for slot in slots}
    done = dict.fromkeys(slots, 0)
    while any(done[slot] < len(call) for slot, call in zip(slots, calls, strict=True)):
        for slot, call in zip(slots, calls, strict=True):
            length = int(rng.integers(0, 1800))  # late, early, in bursts
            at = done[slot]
            done[slot] += bank.push(slot, Block(call[at : at + length], at))
        for slot, event in bank.tick().events():
            found[slot].append(event)
    for slot, event in bank.tick().events():
        found[slot].append(event)
    for slot, call in zip(slots, calls, strict=True):
        found[slot] += [event for _, event in bank.flush(slot).events()]
        assert_same(found[slot], run(call))


def test_a_slot_that_is_used_again_remembers_nothing():
    bank = Bank(1, default_classifier(), max_frames=1024)

    def hear(samples):
        slot = bank.open(Role.CUSTOMER)
        events, at = [], 0
        while at < len(samples):
            at += bank.push(slot, Block(samples[at:], at))
            events += [event for _, event in bank.tick().events()]
        events += [event for _, event in bank.flush(slot).events()]
        bank.close(slot)
        return events

    for name in ("es_rising_1", "en_calm_1", "pl_calm_1"):
        assert_same(hear(customer(name)), run(customer(name)))


@pytest.mark.parametrize("gain_db", [-12, 12])
def test_a_change_of_gain_leaves_states_as_they_are(sample, gain_db):
    """Promise 4: states the same, times within one reading."""
    plain = run(customer(sample))
    other = run(customer(sample) * np.float32(10 ** (gain_db / 20)))

    def states(events):
        return [event.state for event in events if event.type == "alert"]

    def times(events):
        return [event.time for event in events if event.type == "alert"]

    def readings(events):
        return [event for event in events if event.type == "reading"]

    assert states(other) == states(plain)
    assert np.allclose(times(other), times(plain), atol=2.0)
    assert len(readings(other)) == len(readings(plain))
