"""Whose turn it is: headsets, loudspeakers, and both parties at once."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hackles.config import SAMPLE_RATE
from hackles.turns import Turns
from tests.conftest import agent, channel, customer, truth
from tests.features.signals import gain, tone, white_noise

CALL = "en_rising_1"


def room(samples, db=-65.0, seed=1):
    """Return what a microphone hears in a quiet room."""
    noise = gain(db) * white_noise(len(samples) / SAMPLE_RATE, seed)
    return (samples + noise[: len(samples)]).astype(np.float32)


def later(samples, delay_s, db=0.0):
    """Return samples as they come later by whole samples, and quieter."""
    late = round(delay_s * SAMPLE_RATE)
    return gain(db) * np.concatenate([np.zeros(late, np.float32), samples])[: len(samples)]


def timed(customers, agents, cuts=(), flush=True):
    turns = Turns()
    for begin, end in pairwise([0, *sorted(cuts), len(customers)]):
        turns.push(customers[begin:end], agents[begin:end])
    if flush:
        turns.flush()
    return turns


def figures(turns):
    return turns.customer_s, turns.agent_s, turns.talk_over_s, turns.hears_customer


def said_s(name, whose):
    return sum(end - start for start, end, who, _ in truth(name)["turns"] if who == whose)


def test_with_a_headset_each_party_has_its_own_turns(sample):
    turns = timed(customer(sample), room(agent(sample)))
    assert turns.customer_s == pytest.approx(truth(sample)["speech_s"], rel=0.2)
    assert turns.agent_s == pytest.approx(said_s(sample, "agent"), rel=0.25)
    assert turns.talk_over_s == 0.0
    assert not turns.hears_customer


@pytest.mark.parametrize("delay_s", [0.02, 0.08, 0.15, 0.25])
@pytest.mark.parametrize("db", [-10.0, -17.0, -25.0])
def test_a_microphone_before_loudspeakers_hears_the_customer(delay_s, db):
    own, other = agent(CALL), customer(CALL)
    turns = timed(other, room(own + later(other, delay_s, db)))
    assert turns.hears_customer
    assert turns.agent_s < said_s(CALL, "agent") + 0.1 * turns.customer_s
    assert turns.talk_over_s < 2.0


@pytest.mark.parametrize("early_s", [0.02, 0.05])
def test_the_microphone_s_clock_may_go_before(early_s):
    other = customer(CALL)
    turns = timed(later(other, early_s), room(agent(CALL) + 0.1 * other))
    assert turns.hears_customer
    assert turns.talk_over_s < 2.0


def test_an_agent_who_is_silent_before_loudspeakers_has_hardly_a_turn():
    other = customer(CALL)
    turns = timed(other, room(later(other, 0.1, -15.0)))
    assert turns.hears_customer
    assert turns.agent_s < 0.1 * turns.customer_s


def test_who_puts_on_a_headset_is_heard_alone_again():
    other = np.tile(customer(CALL), 3)
    own = np.tile(agent(CALL), 3)
    loudspeakers = later(other, 0.1, -15.0) * (np.arange(len(other)) < 30 * SAMPLE_RATE)
    turns = Turns()
    microphone, warned = room(own + loudspeakers), []
    for at in range(0, len(other), SAMPLE_RATE):
        turns.push(other[at : at + SAMPLE_RATE], microphone[at : at + SAMPLE_RATE])
        warned.append(turns.hears_customer)
    assert warned[30]
    assert not warned[-1]


def both_talk(overlap_s):
    """Return two parties who speak by turns; the second comes in before the first has done."""
    (start, end, _), *_ = truth(CALL)["segments"]
    first = customer(CALL)[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)]
    (start, end), *_ = [turn[:2] for turn in truth("es_calm_1")["turns"] if turn[2] == "agent"]
    second = agent("es_calm_1")[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)]
    n_before, n = (
        len(first) - round(overlap_s * SAMPLE_RATE),
        len(first) + len(second) + SAMPLE_RATE,
    )
    own, other = np.zeros(n, np.float32), np.zeros(n, np.float32)
    own[: len(first)] = first
    other[n_before : n_before + len(second)] = second
    return tuple(room(np.tile(side, 3), seed=k) for k, side in enumerate((own, other)))


def test_who_comes_in_while_the_other_speaks_talks_over():
    turns = timed(*both_talk(2.2))
    assert 3.0 <= turns.talk_over_s <= 3 * 2.4
    assert not turns.hears_customer


@pytest.mark.parametrize("overlap_s", [-0.5, 0.0, 0.6])
def test_a_moment_of_both_is_no_talk_over(overlap_s):
    turns = timed(*both_talk(overlap_s))
    assert turns.agent_s > 3.0
    assert turns.talk_over_s == 0.0


def test_tones_and_noise_are_nobody_s_turn():
    ring = (0.1 * tone(425.0, seconds=20.0)).astype(np.float32)
    turns = timed(ring, room(np.zeros_like(ring), -40.0))
    assert figures(turns) == (0.0, 0.0, 0.0, False)


def test_samples_of_different_times_are_refused():
    with pytest.raises(ValueError, match="same time"):
        Turns().push(np.zeros(10, np.float32), np.zeros(9, np.float32))


OTHER = customer(CALL)[: 40 * SAMPLE_RATE]
OWN = room(channel(CALL, 0)[: 40 * SAMPLE_RATE] + later(OTHER, 0.06, -18.0))


@pytest.mark.parametrize("length", [80, 333, 4000, 99_999])
def test_the_size_of_the_blocks_does_not_matter(length):
    expected = figures(timed(OTHER, OWN))
    assert expected[3]
    assert figures(timed(OTHER, OWN, range(length, len(OTHER), length))) == expected


@settings(max_examples=10, deadline=None, derandomize=True)
@given(cuts=st.lists(st.integers(0, len(OTHER)), max_size=60), end=st.integers(0, len(OTHER)))
def test_cuts_do_not_matter_wherever_it_ends(cuts, end):
    whole = figures(timed(OTHER[:end], OWN[:end]))
    cuts = [cut for cut in cuts if cut <= end]
    assert figures(timed(OTHER[:end], OWN[:end], cuts)) == whole
