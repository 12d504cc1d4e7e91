"""Detectors that leave others out: of whom nothing reaches them, and by whom they are calibrated.

On readings that are made up, and without a network: what holds of the one part holds of the other.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hackles.config import CONTOUR_FRAMES
from hackles.errors import UsageError
from hackles.features import N_CONTOURS, N_FUNCTIONALS
from models.training.baselines import COLD, draw_baselines
from models.training.calibrating import calibrated
from models.training.crossed import EVERYTHING, crossed
from models.training.examples import Examples
from models.training.fit import fit, strangers

CORPORA = ("emodb", "nemo", "ased")
EMOTIONS = ("anger", "happiness", "neutral", "sadness")


def made(corpora=CORPORA, speakers=4, takes=8, says=1.0, emotions=EMOTIONS, seed=0):
    """Return readings of chance, that move by `says` where somebody is angry."""
    rng = np.random.default_rng(seed)
    labels = [
        (corpus, f"{corpus}:{speaker}", emotion)
        for corpus in corpora
        for speaker in range(speakers)
        for emotion in emotions
        for _ in range(takes)
    ]
    corpus, speaker, emotion = (np.array(column) for column in zip(*labels, strict=True))
    n = len(labels)
    values = rng.standard_normal((n, N_FUNCTIONALS)).astype(np.float32)
    values[emotion == "anger"] += np.float32(says)
    contours = np.zeros((n, CONTOUR_FRAMES, N_CONTOURS), np.uint8)
    # Two clips in each run.
    return Examples(values, contours, np.arange(n), np.arange(n) // 2, corpus, speaker, emotion)


def same(one, other):
    """Return whether two detectors without a network are the same, bit by bit."""
    arrays = ("prior_mean", "mean", "scale", "weights", "bias")
    numbers = ("slopes", "offset", "calm_logit", "own_share", "network")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in arrays) and all(
        getattr(one, name) == getattr(other, name) for name in numbers
    )


@pytest.mark.parametrize("corpora", [CORPORA, CORPORA[:2], CORPORA[:1]])
def test_nothing_of_a_fold_reaches_the_detector_that_left_it_out(corpora):
    data = made(corpora, speakers=6)
    fold, *others = strangers(data)
    rows = data.spoken_by(fold.speakers)
    values, emotion = data.values.copy(), data.emotion.copy()
    values[rows] = 3 * values[rows][::-1] + 1
    emotion[rows & (data.emotion == "anger")] = "happiness"
    emotion[rows & (data.emotion == "happiness")] = "anger"
    before = crossed(data, 0, 1)
    after = crossed(replace(data, values=values, emotion=emotion), 0, 1)
    assert same(before[fold.name], after[fold.name])
    for name in (EVERYTHING, *(other.name for other in others)):
        assert not same(before[name], after[name])


def test_there_is_one_of_everything_and_one_without_each_fold():
    data = made()
    assert list(crossed(data, 0, 1)) == [EVERYTHING, *(fold.name for fold in strangers(data))]


def test_what_a_detector_learned_of_chance_counts_for_nothing_to_strangers():
    """Calibrated on what it heard itself, it would be sure of itself."""
    data = made(says=0.0, speakers=3, seed=2)
    alone = fit(data, steps=0)
    heard = alone.parts(
        data.values, data.contours, draw_baselines(data, alone.prior_mean, COLD, seed=1)
    )
    assert calibrated(alone, data, heard[:, :, 0]).slopes[0] > 1.2
    for model in crossed(data, 0, 1).values():
        assert model.slopes[0] < 0.6


def test_what_is_so_in_every_corpus_counts():
    for model in crossed(made(says=0.5), 0, 1).values():
        assert model.slopes[0] > 0.5
        assert model.slopes[1] == 0


@settings(max_examples=15, deadline=None)
@given(st.floats(0, 2), st.floats(-3, 3), st.integers(0, 99))
def test_no_more_is_taken_off_than_all_and_no_less_than_nothing(says, apart, seed):
    data = made(says=says, speakers=2, takes=4, seed=seed)
    rng = np.random.default_rng(seed)
    voices = {who: apart * rng.standard_normal() for who in np.unique(data.speaker)}
    own = np.array([voices[who] for who in data.speaker])
    logit = says * data.angry + own + 0.3 * rng.standard_normal(len(own))
    parts = np.stack([logit, np.zeros(len(logit))], axis=1)
    assert 0 <= calibrated(fit(data, steps=0), data, parts).own_share <= 1


@pytest.mark.parametrize(("apart", "least", "most"), [(3.0, 0.7, 1.0), (0.0, 0.0, 0.5)])
def test_of_voices_that_are_set_apart_more_is_taken_off(apart, least, most):
    data = made(speakers=8)
    rng = np.random.default_rng(1)
    voices = {who: apart * rng.standard_normal() for who in np.unique(data.speaker)}
    own = np.array([voices[who] for who in data.speaker])
    logit = 2.0 * data.angry + own + rng.standard_normal(len(own))
    parts = np.stack([logit, np.zeros(len(logit))], axis=1)
    assert least <= calibrated(fit(data, steps=0), data, parts).own_share <= most


def test_where_nobody_is_heard_twice_in_calm_nothing_is_taken_off():
    data = made(emotions=("anger", "neutral"), takes=2)
    for model in crossed(data, 0, 1).values():
        assert model.own_share == 0


@pytest.mark.parametrize("corpora", [("nemo",), ("emodb", "nemo")])
def test_few_corpora_are_left_out_by_their_speakers_each_once(corpora):
    data = made(corpora, speakers=7)
    folds = strangers(data)
    assert len(folds) == 5
    left_out = [name for fold in folds for name in fold.speakers]
    assert sorted(left_out) == sorted(set(data.speaker))
    assert all(fold.name.startswith(" and ".join(corpora)) for fold in folds)


@pytest.mark.parametrize("corpora", [("nemo",), ("emodb", "nemo")])
def test_three_speakers_who_are_calm_and_angry_are_enough_and_two_are_too_few(corpora):
    data = made(corpora)
    angry = {f"{corpora[n % len(corpora)]}:{n}" for n in range(3)}
    calm_only = ~data.spoken_by(angry) & data.angry
    enough = data.rows(~calm_only)
    assert len(crossed(enough, 0, 1)) == 1 + len(strangers(enough))
    too_few = data.rows(~calm_only & ~(data.spoken_by(sorted(angry)[:1]) & data.angry))
    with pytest.raises(UsageError, match=f"{corpora[-1]} alone: fewer than three speakers"):
        crossed(too_few, 0, 1)
