"""What the benchmark of single clips counts, and that nothing leaks in it."""

from dataclasses import replace
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.metrics import balanced_accuracy_score, roc_auc_score, roc_curve
from sklearn.svm import SVC

from benchmarks import figures
from benchmarks.cache import digest, kept
from benchmarks.clip_accuracy import shuffled
from benchmarks.clip_features import Heard
from benchmarks.clip_groups import for_codecs
from benchmarks.clip_judging import (
    BY_CORPUS,
    BY_SPEAKER,
    TRAINED,
    folds,
    judge_hackles,
    judge_reference,
    tasks,
)
from benchmarks.clip_report import chances
from benchmarks.clip_tables import Judged, against, by_group, in_every_group
from benchmarks.figures import Scores, equal_error_rate, ranged, recall_at, resampled, tally
from benchmarks.gaussian import GaussianMachine, Kernels
from benchmarks.reference import RECIPES
from hackles.features import N_FUNCTIONALS
from models.training.baselines import draw_baselines
from models.training.corpora import CALM, Clip
from models.training.fit import PRIOR

EMOTIONS = ("anger", "neutral", "happiness", "sadness")


def made_up(n_speakers, n_clips, moved, rng, corpora=3):
    """Clips of speakers with a voice of their own, and logits `moved` by anger."""
    clips, logit = [], []
    for number in range(n_speakers):
        own = rng.normal(0, 0.5)
        for take in range(n_clips):
            emotion = EMOTIONS[take % len(EMOTIONS)]
            corpus = f"c{number % corpora}"
            path = Path(f"{number}_{take}.wav")
            clips.append(Clip(path, corpus, f"{corpus}:{number}", "", "", emotion, "", ""))
            logit.append(own + rng.normal() + moved * (emotion == "anger"))
    return clips, np.array(logit)


def scores_of(clips, logit):
    emotion, corpus, speaker = (
        np.array([getattr(c, what) for c in clips]) for what in ("emotion", "corpus", "speaker")
    )
    return Scores(logit, emotion == "anger", np.isin(emotion, list(CALM)), corpus, speaker)


@pytest.fixture
def scores():
    clips, logit = made_up(9, 20, 1.5, np.random.default_rng(0))
    return scores_of(clips, np.round(logit, 1))  # rounded, so that there are ties


def tallied(scores):
    speakers, first = np.unique(scores.speaker, return_index=True)
    return speakers, tally(scores, speakers, scores.corpus[first])


def test_auc_and_uar_of_a_draw_are_those_of_clips_weighed_by_their_speakers(scores):
    speakers, sums = tallied(scores)
    counts = resampled(sums.corpus, draws=5, seed=1)
    for row, count in enumerate(counts):
        weight = count[np.searchsorted(speakers, scores.speaker)]
        wanted = roc_auc_score(scores.angry, scores.logit, sample_weight=weight)
        assert figures.auc(sums, counts)[row] == pytest.approx(wanted)
        against_calm = scores.angry | scores.calm
        wanted = roc_auc_score(
            scores.angry[against_calm],
            scores.logit[against_calm],
            sample_weight=weight[against_calm],
        )
        assert figures.auc_against_calm(sums, counts)[row] == pytest.approx(wanted)
        wanted = balanced_accuracy_score(scores.angry, scores.logit >= 0, sample_weight=weight)
        assert figures.uar(sums, counts)[row] == pytest.approx(wanted)


def test_what_is_counted_of_one_corpus_is_what_its_clips_alone_give(scores):
    _, sums = tallied(scores)
    own = scores.rows(scores.corpus == "c1")
    everybody = np.ones((1, 9))
    assert figures.auc(sums.of_corpus("c1"), everybody)[0] == pytest.approx(
        roc_auc_score(own.angry, own.logit)
    )
    _, alone = tallied(own)
    assert figures.ece(sums.of_corpus("c1"), everybody) == pytest.approx(
        figures.ece(alone, np.ones((1, 3)))
    )


def test_calibration_error_is_nothing_where_what_is_said_is_so():
    """In each of two bins, the share of anger at the stated prior is the probability said."""
    angry = np.array([True] * 10 + [False] * 10)
    odds = np.log(PRIOR / (1 - PRIOR))
    # Of the angry, 8 get the high probability, of the others 2: by Bayes, at a prior of 0.2.
    high = PRIOR * 0.8 / (PRIOR * 0.8 + (1 - PRIOR) * 0.2)
    low = PRIOR * 0.2 / (PRIOR * 0.2 + (1 - PRIOR) * 0.8)
    said = np.array([high] * 8 + [low] * 2 + [high] * 2 + [low] * 8)
    logit = np.log(said / (1 - said)) - odds
    labels = (angry, ~angry, np.full(20, "c"), np.full(20, "c:1"))
    everybody = np.ones((1, 1))
    assert figures.ece(tallied(Scores(logit, *labels))[1], everybody) == pytest.approx(0, abs=1e-12)
    # Whoever always says 0.2 + 0.25 errs by 0.25.
    flat = np.full(20, np.log(0.45 / 0.55) - odds)
    assert figures.ece(tallied(Scores(flat, *labels))[1], everybody) == pytest.approx(0.25)


def test_in_the_calibration_error_every_corpus_weighs_the_same(scores):
    _, sums = tallied(scores)
    # A corpus of which every clip comes twice counts no more than before.
    twice = np.concatenate([np.arange(len(scores.logit)), np.flatnonzero(scores.corpus == "c0")])
    doubled = Scores(*(getattr(scores, name)[twice] for name in Scores.__slots__))
    everybody = np.ones((1, 9))
    assert figures.ece(tallied(doubled)[1], everybody) == pytest.approx(
        figures.ece(sums, everybody)
    )


def test_equal_error_rate_of_two_normal_distributions():
    place = (np.arange(2000) + 0.5) / 2000
    normal = np.array([NormalDist().inv_cdf(p) for p in place])
    logit = np.concatenate([normal, normal + 2])
    angry = np.repeat([False, True], 2000)
    of = Scores(logit, angry, ~angry, np.full(4000, "c"), np.full(4000, "c:1"))
    assert equal_error_rate(of) == pytest.approx(NormalDist().cdf(-1), abs=1e-3)
    at_threshold = NormalDist().inv_cdf(0.95)
    assert recall_at(of, 0.05) == pytest.approx(1 - NormalDist().cdf(at_threshold - 2), abs=2e-3)


def test_no_more_than_the_stated_share_of_false_positives(scores):
    false, found, threshold = roc_curve(scores.angry, scores.logit, drop_intermediate=False)
    recall = recall_at(scores, 0.05)
    at = threshold[found == recall][0]
    assert np.mean(scores.logit[~scores.angry] >= at) <= 0.05
    assert not np.any((found > recall) & (false <= 0.05))


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    rng, moved = np.random.default_rng(3), 1.0
    # Logits of one speaker share a voice of variance 1/4; pairs are mostly of two speakers.
    everybody = scores_of(*made_up(600, 20, moved, rng))
    truth = figures.auc(tallied(everybody)[1], np.ones((1, 600)))[0]
    held = 0
    for _ in range(60):
        of = scores_of(*made_up(30, 20, moved, rng))
        _, sums = tallied(of)
        found = ranged(figures.auc(sums, resampled(sums.corpus, 200)))
        held += found["low"] <= truth <= found["high"]
    assert 50 <= held <= 60


def test_draws_are_of_speakers_within_their_corpora():
    corpus = np.array(["a", "a", "a", "b", "b"])
    counts = resampled(corpus, draws=50)
    assert (counts[0] == 1).all()
    assert (counts[:, :3].sum(axis=1) == 3).all()
    assert (counts[:, 3:].sum(axis=1) == 2).all()
    assert (counts == resampled(corpus, draws=50)).all()


def test_a_difference_is_paired():
    clips, logit = made_up(9, 20, 1.0, np.random.default_rng(0))
    judged = Judged(clips, {"a": logit, "b": logit})
    less = against(judged, "a", "b")["a less b"]
    assert all(value == 0 for of in less.values() for one in of.values() for value in one.values())


def test_groups_are_compared_over_the_corpora_that_all_of_them_are_of():
    clips, logit = made_up(9, 8, 1.0, np.random.default_rng(0))
    judged = Judged(clips, {"a": logit})
    even = np.array([int(clip.speaker.split(":")[1]) % 2 == 0 for clip in clips])
    low = even | (judged.corpus == "c0")
    groups = in_every_group(judged, {"low": low, "high": ~low})
    assert {name: set(judged.corpus[one]) for name, one in groups.items()} == {
        "low": {"c1", "c2"},
        "high": {"c1", "c2"},
    }
    assert {name: of["corpora"] for name, of in by_group(judged, groups, "a").items()} == {
        "low": 2,
        "high": 2,
    }


def test_clips_of_which_one_system_says_nothing_are_judged_by_neither():
    clips, logit = made_up(3, 8, 1.0, np.random.default_rng(0))
    silent = logit.copy()
    silent[:2] = np.nan
    judged = Judged(clips, {"a": logit, "b": silent})
    assert judged.unjudged == 2
    assert len(judged.scores["a"].logit) == len(judged.clips) == len(clips) - 2


@pytest.fixture(scope="module")
def heard():
    """Clips whose values move with anger, in all speakers alike."""
    rng = np.random.default_rng(5)
    clips, _ = made_up(9, 24, 0.0, rng)
    angry = np.array([clip.emotion == "anger" for clip in clips])
    clip = np.repeat(np.arange(len(clips)), 2)
    values = rng.normal(size=(len(clip), N_FUNCTIONALS)) + 0.8 * angry[clip, None]
    egemaps = rng.normal(size=(len(clips), 8)) + 0.8 * angry[:, None]
    seconds = np.full(len(clips), 2.0, np.float32)
    return Heard(
        clips=tuple(clips),
        values=values.astype(np.float32),
        contours=np.zeros((len(clip), 0), np.uint8),
        clip=clip,
        egemaps=egemaps.astype(np.float32),
        seconds=seconds,
    )


def judged_by_both(heard):
    todo = tasks({TRAINED: heard}, folds(heard.clips))
    with parallel_config("sequential"):
        return {
            "hackles": judge_hackles(heard, heard.windows, todo, steps=0),
            "reference": judge_reference(heard, todo, RECIPES[2::7])[0],
        }


def test_permuted_labels_are_told_apart_by_neither_and_true_ones_by_both(heard):
    mixed = [replace(heard, clips=tuple(shuffled(heard.clips, seed))) for seed in (1, 2)]
    chance = chances([(one.clips, judged_by_both(one)) for one in mixed], (1, 2))
    true = chances([(heard.clips, judged_by_both(heard))], [0])
    for name, of in chance[BY_CORPUS].items():
        assert of["mean"]["mean"] == pytest.approx(0.5, abs=0.08), name
        assert true[BY_CORPUS][name]["mean"]["mean"] > 0.9


def test_permuting_keeps_how_many_clips_of_an_emotion_a_speaker_has():
    clips, _ = made_up(4, 20, 0.0, np.random.default_rng(0))
    mixed = shuffled(clips, 1)
    assert [replace(clip, emotion="") for clip in mixed] == [
        replace(clip, emotion="") for clip in clips
    ]
    assert mixed != clips
    assert mixed == shuffled(clips, 1)
    for speaker in {clip.speaker for clip in clips}:
        before, after = (
            sorted(clip.emotion for clip in some if clip.speaker == speaker)
            for some in (clips, mixed)
        )
        assert before == after


def test_no_speaker_is_on_both_sides_of_a_model(heard):
    held_out = {heard.clips[0].speaker}
    todo = tasks({TRAINED: heard}, folds(heard.clips, held_out))
    assert len(todo) == 3 + 1
    everybody = {clip.speaker for clip in heard.clips}
    for split, wanted in ((BY_CORPUS, everybody), (BY_SPEAKER, held_out)):
        left_out = [task.fold.speakers for task in todo if task.split == split]
        judged = [who for speakers in left_out for who in speakers]
        assert sorted(judged) == sorted(wanted)
    for task in todo:
        trained = heard.wholes.rows(~heard.wholes.spoken_by(task.fold.speakers))
        assert not set(trained.speaker.tolist()) & task.fold.speakers


def test_what_a_speaker_s_clips_are_labelled_does_not_change_who_else_is_judged_how(heard):
    """Leave one corpus out: other labels in the corpus that is left out, the same cold logits."""
    swapped = {"anger": "happiness", "happiness": "anger"}
    other = replace(
        heard,
        clips=tuple(
            # Calm clips stay calm: of those the baselines are drawn.
            replace(clip, emotion=swapped.get(clip.emotion, clip.emotion))
            if clip.corpus == "c0"
            else clip
            for clip in heard.clips
        ),
    )
    out = [task for task in tasks({TRAINED: heard}, folds(heard.clips)) if task.fold.name == "c0"]
    with parallel_config("sequential"):
        said = [
            judge_hackles(one, one.windows, out, steps=0)[BY_CORPUS]["cold"]
            for one in (heard, other)
        ]
    assert np.array_equal(*said, equal_nan=True)


def test_a_reference_s_own_machine_is_the_usual_one():
    rng = np.random.default_rng(0)
    inputs, angry, weight = rng.normal(size=(200, 6)), rng.random(200) < 0.3, rng.random(200)
    own = GaussianMachine.fit(Kernels(inputs), 0.1, 1.0, angry, weight)
    usual = SVC(C=1.0, gamma=0.1).fit(inputs, angry, sample_weight=weight)
    test = rng.normal(size=(50, 6))
    assert np.allclose(own.decide(test), usual.decision_function(test), atol=5e-3)


def test_baselines_of_rows_of_a_second_are_those_of_readings(heard):
    data = heard.windows
    prior = data.values.mean(axis=0)
    seconds = np.ones(len(data.clip), np.float32)
    of_readings = draw_baselines(data, prior, 0.3, 0)
    assert np.allclose(draw_baselines(data, prior, 0.3, 0, seconds), of_readings, atol=1e-6)
    longer = draw_baselines(data, prior, 0.0, 0, 4 * seconds)
    assert np.linalg.norm(longer - prior) > np.linalg.norm(of_readings - prior)


def test_clips_for_the_codecs_are_always_the_same_and_of_every_kind():
    clips, _ = made_up(9, 20, 0.0, np.random.default_rng(0))
    places = for_codecs(clips, each=5)
    assert places == sorted(set(places)) == for_codecs(clips, each=5)
    assert len(places) == 3 * 3 * 5


def test_some_of_what_was_heard_is_what_they_would_be_alone(heard):
    places = [5, 3, 40]
    some = heard.some(places)
    assert some.clips == tuple(heard.clips[place] for place in places)
    for new, place in enumerate(places):
        assert np.array_equal(some.values[some.clip == new], heard.values[heard.clip == place])
        assert np.array_equal(some.egemaps[new], heard.egemaps[place])


def test_a_key_changes_with_code_recordings_packages_and_facts(tmp_path):
    code, sound = tmp_path / "code", tmp_path / "a.wav"
    code.mkdir()
    (code / "a.py").write_text("1")
    sound.write_bytes(b"one")
    keys = [digest([code, sound], ["numpy"], ["mu-law"])]
    assert keys[0] == digest([code, sound], ["numpy"], ["mu-law"])
    (code / "a.py").write_text("2")
    keys.append(digest([code, sound], ["numpy"], ["mu-law"]))
    sound.write_bytes(b"two")
    keys.append(digest([code, sound], ["numpy"], ["mu-law"]))
    keys.append(digest([code, sound], ["numpy"], ["A-law"]))
    keys.append(digest([code, sound], ["scipy"], ["A-law"]))
    assert len(set(keys)) == len(keys)


def test_what_is_kept_is_made_once(tmp_path):
    made = []

    def make():
        made.append(1)
        return {"a": np.arange(3)}

    for _ in range(2):
        assert kept(tmp_path, "some", "key", make)["a"].tolist() == [0, 1, 2]
    kept(tmp_path, "some", "other key", make)
    assert len(made) == 2
    assert not list(tmp_path.glob("*.part"))
