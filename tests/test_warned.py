"""Counts, rates and ranges of warnings."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.populations import Population
from benchmarks.warned import Curve, figures, upper_count
from hackles.classifier import default_classifier
from hackles.rejudging import at_threshold
from models.training.corpora import Clip
from models.training.truth import Verdict
from models.training.tune import START


def calm(speaker, false=0, hours=0.1):
    return Verdict(speaker, speaker[0], False, false, hours * 3600, None, None)


def angry(speaker, delay_s=None, early=False, false=0):
    return Verdict(speaker, speaker[0], True, false, 36.0, delay_s, early)


def test_figures_are_sums_over_calls():
    found = figures(
        [calm("a1", 1), calm("a2", 0), angry("a1", 4.0, True), angry("a2", 8.0), angry("b1")]
    )
    assert found["speakers"] == 3
    assert (found["escalating_calls"], found["warned"], found["recall"]) == (3, 2, 0.667)
    assert found["early_share"] == 0.333
    assert found["delay_median_s"] == 6.0
    assert found["calm_hours"] == 0.23  # 0.2, and three times 36 s
    assert found["false_per_hour"] == pytest.approx(1 / 0.23, abs=0.05)


def test_nothing_heard_is_said_as_nothing():
    found = figures([angry("a1")])
    assert found["delay_median_s"] is None
    assert figures([calm("a1")])["recall"] is None


@pytest.mark.parametrize(("count", "bound"), [(0, 3.0), (1, 4.74), (10, 16.96)])
def test_the_upper_bound_of_a_count_is_that_of_the_tables(count, bound):
    assert upper_count(count) == pytest.approx(bound, abs=0.01)


def test_a_range_covers_the_truth_in_nineteen_of_twenty_draws():
    """Speakers of whom 70 % of calls are warned of, each with a rate of their own."""
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(60):
        verdicts = [
            angry(f"a{speaker}", 5.0 if rng.random() < rate else None)
            for speaker, rate in enumerate(rng.beta(7, 3, 40))
            for _ in range(10)
        ]
        low, high = figures(verdicts)["recall_range"]
        inside += low <= 0.7 <= high
    assert 52 <= inside <= 60


def test_one_speaker_has_no_range_to_speak_of():
    assert figures([angry("a1", 3.0), angry("a1")])["recall_range"] == [0.5, 0.5]


def test_the_curve_finds_the_best_recall_at_a_rate():
    bold = [calm("a1", 3, 1.0), angry("a1", 2.0), angry("a1", 2.0)]
    fair = [calm("a1", 1, 1.0), angry("a1", 4.0), angry("a1", 4.0)]
    shy = [calm("a1", 0, 1.0), angry("a1", 9.0), angry("a1")]
    found = Curve((1.0, 2.0, 3.0), (bold, fair, shy)).at_rates()
    # 1.02 hours of calm speech: the fair setting has 0.98 false alerts in one.
    assert found["1_per_hour"]["rising"] == 2.0
    assert found["1_per_hour"]["recall"] == 1.0
    assert found["10_per_hour"]["rising"] == 1.0


def test_no_setting_may_be_quiet_enough():
    found = Curve((1.0,), ([calm("a1", 99), angry("a1", 2.0)],)).at_rates()
    assert found["1_per_hour"]["rising"] is None
    assert found["1_per_hour"]["recall"] == 0.0


def test_a_threshold_takes_the_one_above_it_along():
    moved = at_threshold(START, 2 * START.rising)
    assert moved.irritated == 2 * START.irritated


def test_no_speaker_is_judged_by_a_model_that_heard_this_voice():
    shipped = default_classifier()
    known, unknown = "nemo:known", shipped.metadata.held_out[0]
    corpus = unknown.split(":")[0]
    clips = {
        name: [Clip(Path(), corpus, name, "", "", "anger", "", "")] for name in (known, unknown)
    }
    Population("fine", {unknown: clips[unknown]}, {corpus: shipped})
    with pytest.raises(ValueError, match="nemo:known is on both sides"):
        Population("not", {known: clips[known]}, {corpus: shipped})
