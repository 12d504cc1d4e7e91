"""Readings to states, on readings made up for the purpose."""

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hackles.tracker import CALM, EASED, IRRITATED, RISING, Settings, Tracker

SETTINGS = Settings(
    prior=0.2,
    calm_logit=-2.4,
    own_share=1.0,
    calm_spread=0.0,
    llr_limit=3.0,
    drift=0.0,
    rising=1.2,
    irritated=2.0,
    irritated_level=0.35,
    eased=1.0,
    calm_below=0.1,
    settling=3,
    settling_below=0.6,
    level_gain=0.4,
)


def follow(probabilities, settings=SETTINGS):
    """Return the steps of one call: a reading a second, windows of three seconds."""
    tracker = Tracker(1, settings)
    one = np.array([0])
    return [
        tracker.update(
            one, np.array([p]), np.array([100]), np.array([300]), np.array([8000 * index])
        )
        for index, p in enumerate(probabilities)
    ]


def entered(steps):
    return [int(step.entered[0]) for step in steps if step.entered[0] >= 0]


def test_a_call_that_stays_at_the_prior_stays_calm():
    assert entered(follow([0.2] * 500)) == []


def test_rising_comes_before_irritated_and_easing_ends_it():
    steps = follow([0.05] * 10 + [0.7] * 12 + [0.02] * 12)
    assert entered(steps) == [RISING, IRRITATED, EASED]


def test_an_eased_caller_becomes_calm_without_another_alert_and_may_rise_again():
    steps = follow([0.7] * 12 + [0.02] * 20 + [0.7] * 12)
    assert entered(steps) == [RISING, IRRITATED, EASED, RISING, IRRITATED]


def test_one_angry_reading_is_not_enough():
    assert entered(follow([0.05] * 10 + [0.95] + [0.05] * 10)) == []


def test_the_onset_is_where_the_evidence_began():
    steps = follow([0.05] * 10 + [0.7] * 6)
    (alert,) = [step for step in steps if step.entered[0] == RISING]
    assert alert.since[0] == 8000 * 10


def test_nothing_is_said_while_the_level_is_below_the_prior():
    assert entered(follow([0.15] * 200, msgspec.structs.replace(SETTINGS, drift=-0.8))) == []


def test_easing_began_within_its_episode():
    steps = follow([0.02] * 20 + [0.7] * 12 + [0.02] * 12)
    rising, _, eased = (step for step in steps if step.entered[0] >= 0)
    assert eased.since[0] > rising.since[0]
    assert eased.since[0] == 8000 * 32


def test_a_second_episode_has_its_own_onset():
    steps = follow([0.03] * 30 + [0.9] * 60 + [0.03] * 25 + [0.9] * 20)
    first, second = (step.since[0] for step in steps if step.entered[0] == IRRITATED)
    assert (first, second) == (8000 * 30, 8000 * 115)


def test_irritated_needs_a_high_level_too():
    steps = follow([0.3] * 60)
    assert entered(steps) == [RISING]


def test_the_baseline_learns_at_first_then_only_from_calm_and_never_while_rising():
    steps = follow([0.2, 0.2, 0.65, 0.3, 0.05, 0.05] + [0.6] * 12)
    assert [bool(step.calm[0]) for step in steps[:6]] == [True, True, False, False, True, True]
    rising = [index for index, step in enumerate(steps) if step.entered[0] == RISING]
    assert not any(step.calm[0] for step in steps[rising[0] :])


def test_overlapping_windows_are_not_fresh_evidence():
    tracker = Tracker(1, SETTINGS)
    for _ in range(10):  # the same three seconds, looked at ten times in 100 ms
        step = tracker.update(
            np.array([0]), np.array([0.9]), np.array([10]), np.array([300]), np.array([0])
        )
        assert step.entered[0] == -1


def test_level_follows_and_trend_has_its_sign():
    up = follow([0.1, 0.2, 0.3, 0.4, 0.5])
    assert up[-1].trend_per_min[0] > 0
    assert 0.1 < up[-1].level[0] < 0.5
    assert follow([0.5, 0.4, 0.3, 0.2])[-1].trend_per_min[0] < 0


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.floats(0, 1), min_size=1, max_size=30), min_size=2, max_size=6))
def test_calls_do_not_touch_each_other(calls):
    bank = Tracker(len(calls), SETTINGS)
    alone = [entered(follow(call)) for call in calls]
    together = [[] for _ in calls]
    for index in range(max(map(len, calls))):
        slots = np.array([slot for slot, call in enumerate(calls) if index < len(call)])
        step = bank.update(
            slots,
            np.array([calls[slot][index] for slot in slots]),
            np.full(len(slots), 100),
            np.full(len(slots), 300),
            np.full(len(slots), 8000 * index),
        )
        for slot, state in zip(slots, step.entered, strict=True):
            if state >= 0:
                together[slot].append(int(state))
    assert together == alone


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), max_size=200))
def test_states_follow_each_other_in_an_order_that_makes_sense(probabilities):
    allowed = {
        None: {RISING, IRRITATED},
        RISING: {IRRITATED, EASED},
        IRRITATED: {EASED},
        EASED: {RISING, IRRITATED},
    }
    before = None
    for state in entered(follow(probabilities)):
        assert state in allowed[before]
        before = state


def test_calm_is_never_said():
    assert CALM not in entered(follow([0.9] * 20 + [0.01] * 60))
