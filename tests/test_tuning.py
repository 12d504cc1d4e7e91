"""Choosing the tracker's settings: by cost, among those that come to few enough false alerts."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.training.fit import INPUTS, PRIOR_LOGIT, Model
from models.training.truth import Verdict
from models.training.tune import MISSED_S, START, TARGETS, Tuned, _best, count, settings_of

FOLDS = ("ased", "emodb")


def escalating(delay_s, false_alerts=0, calm_s=300.0):
    early = None if delay_s is None else delay_s < 10
    return Verdict("s", "c", True, false_alerts, calm_s, delay_s, bool(early))


def calm(false_alerts, calm_s=300.0):
    return Verdict("s", "c", False, false_alerts, calm_s, None, None)


DELAYS = st.none() | st.floats(0, 120)
CALLS = st.lists(
    st.builds(escalating, DELAYS, st.integers(0, 3)) | st.builds(calm, st.integers(0, 3))
)
GRIDS = st.lists(st.fixed_dictionaries(dict.fromkeys(FOLDS, CALLS)), min_size=1, max_size=12)


def tuned(grid):
    return [
        Tuned(msgspec.structs.replace(START, rising=float(n)), verdicts)
        for n, verdicts in enumerate(grid)
    ]


def mean_cost(one):
    return np.mean([count(some).cost for some in one.verdicts.values()])


@given(GRIDS, st.floats(0, 40))
def test_no_more_false_alerts_come_than_may_unless_it_cannot_be_helped(grid, target):
    every = tuned(grid)
    chosen = _best(every, target).result.false_per_hour
    least = min(one.result.false_per_hour for one in every)
    assert chosen <= target or chosen == least


@given(GRIDS, st.floats(0, 40))
def test_of_those_that_may_be_none_costs_less(grid, target):
    every = tuned(grid)
    chosen = _best(every, target)
    for one in every:
        if one.result.false_per_hour <= target:
            assert mean_cost(chosen) <= mean_cost(one)


@given(GRIDS)
def test_a_bolder_sensitivity_never_comes_to_fewer_false_alerts(grid):
    every = tuned(grid)
    chosen = [_best(every, target) for target in TARGETS.values()]
    came_to = [one.result.false_per_hour for one in chosen]
    assert list(TARGETS.values()) == sorted(TARGETS.values())
    assert came_to == sorted(came_to)


def test_a_call_that_is_missed_costs_as_much_as_the_longest_delay_that_counts():
    assert count([escalating(None)]).cost == MISSED_S
    assert count([escalating(500.0)]).cost == MISSED_S
    assert count([escalating(10.0), escalating(None), calm(9)]).cost == (10 + MISSED_S) / 2
    assert count([calm(9)]).cost == 0


def test_false_alerts_are_counted_by_the_hour_of_speech_in_which_they_are_false():
    found = count([escalating(5.0, 1, calm_s=600.0), calm(2, calm_s=1200.0)])
    assert found.false_per_hour == pytest.approx(6.0)
    assert (found.calls, found.warned, found.early, found.recall) == (1, 1, 1, 1.0)


def test_a_fold_of_many_calls_weighs_no_more_than_one_of_few():
    slow_for_many = {"ased": [escalating(30.0)] * 10, "emodb": [escalating(5.0)]}
    slow_for_few = {"ased": [escalating(10.0)] * 10, "emodb": [escalating(27.0)]}
    assert _best(tuned([slow_for_few, slow_for_many]), 1.0).verdicts is slow_for_many


def test_settings_take_from_the_detector_what_is_calm_to_it_and_leave_the_rest():
    none = np.zeros(0)
    model = Model(none, none, none, none, none, calm_logit=-1.5, own_share=0.3, inputs=INPUTS)
    chosen = msgspec.structs.replace(START, rising=8.0)
    found = settings_of(model, chosen)
    assert found.calm_logit == pytest.approx(-1.5 + PRIOR_LOGIT)
    assert found.own_share == 0.3
    expected = msgspec.structs.replace(
        chosen, calm_logit=found.calm_logit, own_share=found.own_share
    )
    assert found == expected
