"""Pacing: what is heard when, told by a clock of the test's own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hackles import pace
from hackles.config import SAMPLE_RATE
from hackles.types import Block


class Clock:
    """Time that passes only in sleep, and while somebody works."""

    def __init__(self):
        self.now = 1000.0
        self.slept = []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        assert seconds >= 0
        self.slept.append(seconds)
        self.now += seconds


def cut(n_samples, *lengths, start=0):
    """Return numbered samples as blocks of the given lengths in turn."""
    samples = np.arange(n_samples, dtype=np.float32)
    blocks, at = [], 0
    while at < n_samples:
        length = lengths[len(blocks) % len(lengths)]
        blocks.append(Block(samples[at : at + length], start + at))
        at += length
    return blocks


def play(blocks, speed, work_s=0.0):
    """Return what arrived and when, in seconds since the beginning; each takes some work."""
    clock = Clock()
    ticks = []
    for tick, agent in pace.paced([(b, None) for b in blocks], speed, clock, clock.sleep):
        assert agent is None
        ticks.append((clock.now - 1000.0, tick))
        clock.now += work_s
    return ticks


SIZES = [(80_000,), (160,), (1,), (317, 80, 4001), (800,), (801,)]


@pytest.mark.parametrize("speed", [1.0, 10.0, 0.5, 1000.0])
def test_a_tenth_of_a_second_arrives_at_a_time_speed_times_as_fast(speed):
    ticks = play(cut(20 * SAMPLE_RATE, 80_000), speed)
    assert [len(tick.samples) for _, tick in ticks] == [800] * 200
    due = [0.1 * (n + 1) / speed for n in range(200)]
    assert [time for time, _ in ticks] == pytest.approx(due, abs=1e-6)


@pytest.mark.parametrize("sizes", SIZES)
def test_never_more_than_a_tenth_of_a_second_arrives_at_once(sizes):
    lengths = [len(tick.samples) for _, tick in play(cut(12_345, *sizes), 1.0)]
    assert max(lengths) <= 800
    assert min(lengths) > 0


@pytest.mark.parametrize("speed", [1.0, 10.0])
@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("work_s", [0.0, 0.03, 0.5])
def test_nothing_arrives_before_it_was_spoken(speed, sizes, work_s):
    for time, tick in play(cut(12_345, *sizes), speed, work_s):
        end = tick.start + len(tick.samples)
        assert time >= end / SAMPLE_RATE / speed - 1e-9


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("total", [0, 1, 799, 800, 801, 12_345])
def test_every_sample_arrives_once_and_in_order(sizes, total):
    ticks = [tick for _, tick in play(cut(total, *sizes), 10.0)]
    heard = np.concatenate([np.zeros(0), *(tick.samples for tick in ticks)])
    assert np.array_equal(heard, np.arange(total))
    assert [tick.start for tick in ticks] == [tick.samples[0] for tick in ticks]


def test_who_works_too_long_is_not_made_to_wait_besides():
    clock = Clock()
    for _ in pace.paced([(b, None) for b in cut(8000, 800)], 1.0, clock, clock.sleep):
        clock.now += 0.25
    assert clock.slept == pytest.approx([0.1] + [0.0] * 9)


def test_a_pause_for_work_does_not_shift_what_comes_later():
    times = [time for time, _ in play(cut(8000, 800), 1.0, work_s=0.05)]
    assert times == pytest.approx([0.1 * (n + 1) for n in range(10)])


def test_lost_audio_takes_the_time_that_it_would_have_taken():
    ticks = play([*cut(800, 800), *cut(1600, 1600, start=4000)], 1.0)
    assert [time for time, _ in ticks] == pytest.approx([0.1, 0.6, 0.7])
    assert [tick.start for _, tick in ticks] == [0, 4000, 4800]


def test_the_agent_s_audio_arrives_with_the_customer_s():
    clock = Clock()
    pairs = [(b, Block(-b.samples, b.start)) for b in cut(12_345, 317, 4001)]
    for customer, agent in pace.paced(pairs, 1.0, clock, clock.sleep):
        assert agent.start == customer.start
        assert np.array_equal(agent.samples, -customer.samples)


@pytest.mark.parametrize("period_s", [0.1, 0.5, 1.0])
def test_ticks_are_a_period_apart_and_those_missed_are_left_out(period_s):
    clock = Clock()
    due = []
    for at in pace.ticks(period_s, clock, clock.sleep):
        due.append((at - 1000.0) / period_s)
        clock.now += period_s * (3.5 if len(due) == 2 else 0.2)
        if len(due) == 5:
            break
    assert due == pytest.approx([0.0, 1.0, 4.5, 5.5, 6.5])


def test_who_is_woken_ticks_at_once_and_then_a_whole_period_later():
    clock = Clock()
    wakes = {2: 0.25, 3: 0.5}

    def wait(seconds):
        clock.sleep(min(seconds, wakes.get(len(due), seconds)))

    due = []
    for at in pace.ticks(1.0, clock, wait):
        due.append(at - 1000.0)
        if len(due) == 6:
            break
    assert due == pytest.approx([0.0, 1.0, 1.25, 1.75, 2.75, 3.75])


@given(waits=st.lists(st.floats(0, 1), max_size=20), works=st.lists(st.floats(0, 3), max_size=20))
def test_no_more_than_a_period_passes_between_ticks_but_for_work(waits, works):
    clock = Clock()
    at, ended = [], [1000.0]
    ticks = pace.ticks(
        1.0, clock, lambda seconds: clock.sleep(seconds * (waits.pop() if waits else 1.0))
    )
    for _ in zip(range(20), ticks, strict=False):
        at.append(clock.now)
        clock.now += works.pop() if works else 0.0
        ended.append(clock.now)
    for began, before in zip(at, ended, strict=False):
        assert before <= began <= before + 1.0 + 1e-6
