"""The caller's own calm: learned from calm readings, shrunk to the prior."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hackles.baseline import Baseline, known

PRIOR = np.array([1.0, -2.0], dtype=np.float32)
ONE = np.array([0])
YES, NO = np.array([True]), np.array([False])


def taught(*values, logit=0.0, own_share=1.0):
    baseline = Baseline(1, PRIOR, -2.0, own_share)
    for value in values:
        baseline.learn(ONE, np.array([value], np.float32), np.array([logit], np.float32), YES)
    return baseline


def test_nothing_heard_gives_the_prior():
    assert np.array_equal(taught().shrunk(ONE)[0], PRIOR)
    assert taught().relative(ONE, np.array([0.7], np.float32)) == pytest.approx(0.7)


def test_much_heard_gives_the_caller():
    assert taught(*[[5.0, 5.0]] * 60).shrunk(ONE)[0] == pytest.approx([5.0, 5.0], abs=0.5)


def test_the_mean_is_the_mean():
    baseline = taught([1, 1], [2, 4], [6, 1])
    assert baseline.own(ONE)[0] == pytest.approx([3.0, 2.0], abs=1e-5)
    assert baseline.readings[0] == 3


def test_what_is_not_calm_teaches_nothing():
    baseline = taught([1, 1])
    baseline.learn(ONE, np.full((1, 2), 9, np.float32), np.array([9.0], np.float32), NO)
    assert baseline.own(ONE)[0] == pytest.approx([1.0, 1.0])


def test_a_voice_that_always_sounds_irritated_is_judged_by_its_change():
    baseline = taught(*[[0, 0]] * 60, logit=1.0)
    same, more = baseline.relative(np.array([0, 0]), np.array([1.0, 3.0], np.float32))
    assert same == pytest.approx(-2.0, abs=0.3)
    assert more - same == pytest.approx(2.0, abs=1e-5)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_so_much_is_taken_off_of_what_sets_a_caller_apart_as_the_share_says(share):
    baseline = taught(*[[0, 0]] * 12, logit=1.0, own_share=share)
    taken = 2.0 - baseline.relative(ONE, np.array([2.0], np.float32))[0]
    assert taken == pytest.approx(share * 12 / 16 * 3.0, abs=1e-5)


def test_a_caller_s_own_calm_weighs_more_the_more_of_it_was_heard():
    weight = known(np.array([0, 1, 4, 60], np.float32))
    assert weight.tolist() == pytest.approx([0, 0.2, 0.5, 60 / 64])


def test_a_cleared_slot_remembers_nothing():
    baseline = taught([5, 5], logit=3.0)
    baseline.clear(0)
    assert np.array_equal(baseline.shrunk(ONE)[0], PRIOR)
    assert baseline.relative(ONE, np.array([0.7], np.float32)) == pytest.approx(0.7)


def settled(logits, calm_spread):
    """Return a baseline that has heard these calm logits."""
    baseline = Baseline(1, PRIOR, -2.0, 1.0, calm_spread)
    for logit in logits:
        baseline.learn(ONE, PRIOR[None], np.array([logit], np.float32), YES)
    return baseline


def change(baseline, logit):
    return float(baseline.relative(ONE, np.array([logit], np.float32))[0]) - -2.0


@settings(deadline=None)
@given(
    st.lists(st.floats(-1, 1), min_size=30, max_size=60).filter(lambda some: np.std(some) > 0.3),
    st.floats(1.1, 3.0),
)
def test_of_a_voice_that_moves_more_while_calm_a_change_says_less(moves, times):
    """The same moves, larger: one and the same change is told as smaller."""
    quiet = settled([-2.0 + move for move in moves], 0.7)
    lively = settled([-2.0 + times * move for move in moves], 0.7)
    own = np.mean(moves)
    assert change(lively, -2.0 + times * own + 1.0) < change(quiet, -2.0 + own + 1.0)
    assert change(lively, -2.0 + times * (own + 1.0)) > change(lively, -2.0 + times * own + 1.0)


def test_the_spread_of_calm_logits_is_what_numpy_says():
    logits = np.random.default_rng(0).normal(-2.0, 0.5, 40)
    baseline = settled(logits, 0.7)
    shrunk = np.sqrt((40 * np.var(logits) + 10 * 0.7**2) / 50)
    told = change(baseline, 1.0)
    moved = 1.0 - float(known(np.array(40.0))) * (np.mean(logits) + 2.0) + 2.0
    assert told == pytest.approx(moved * 0.7 / shrunk, rel=1e-4)


def test_without_a_spread_of_the_population_a_change_is_told_as_it_is():
    moves = [-2.5, -1.5] * 20
    assert change(settled(moves, 0.0), -1.0) == pytest.approx(1.0, abs=1e-5)


def test_one_who_never_moves_does_not_make_a_shout_of_every_breath():
    assert change(settled([-2.0] * 60, 0.7), -1.5) < 0.5 * 0.7 / 0.2 + 1e-5
