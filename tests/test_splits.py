"""Splits: nobody is on both sides of one, whatever the clips are."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.training.corpora import EMOTIONS, NEVER_TRAINED, Clip
from models.training.splits import (
    Fold,
    a_fifth,
    divide,
    hold_out,
    leave_one_corpus_out,
    leave_one_speaker_out,
    save,
)


def clip(number, corpus, speaker, emotion="anger"):
    return Clip(Path(f"{number}.wav"), corpus, f"{corpus}:{speaker}", "", "", emotion, "", "")


LABELS = st.tuples(
    st.sampled_from(["cremad", "own", "tess", "turev"]),
    st.integers(1, 6),
    st.sampled_from(sorted(EMOTIONS)),
)
CLIPS = st.lists(LABELS, max_size=40).map(
    lambda labels: [clip(number, *label) for number, label in enumerate(labels)]
)
SPLITS = st.sampled_from([leave_one_speaker_out, leave_one_corpus_out])


@given(CLIPS, SPLITS)
def test_no_speaker_is_on_both_sides(clips, split):
    for fold in split(clips):
        train, test = divide(clips, fold)
        assert not {c.speaker for c in train} & {c.speaker for c in test}


@given(CLIPS)
def test_no_corpus_is_on_both_sides_when_it_is_left_out(clips):
    for fold in leave_one_corpus_out(clips):
        train, test = divide(clips, fold)
        assert {c.corpus for c in test} == {fold.name}
        assert fold.name not in {c.corpus for c in train}


@given(CLIPS, SPLITS)
def test_every_clip_is_tested_on_once(clips, split):
    tested = [c for fold in split(clips) for c in divide(clips, fold)[1]]
    assert sorted(tested, key=str) == sorted(clips, key=str)


@given(CLIPS, SPLITS)
def test_everything_else_that_may_be_is_trained_on(clips, split):
    for fold in split(clips):
        train, test = divide(clips, fold)
        assert train == [c for c in clips if c not in test and c.corpus not in NEVER_TRAINED]


@given(CLIPS, st.randoms(), SPLITS)
def test_the_order_of_the_clips_does_not_matter(clips, chance, split):
    mixed = chance.sample(clips, len(clips))
    assert split(mixed) == split(clips)
    assert hold_out(mixed, a_fifth(mixed)) == hold_out(clips, a_fifth(clips))


@given(CLIPS, SPLITS)
def test_folds_come_sorted(clips, split):
    names = [fold.name for fold in split(clips)]
    assert names == sorted(set(names))


@given(CLIPS)
def test_held_out_are_speakers_of_whom_calls_can_be_composed_and_never_most_of_them(clips):
    out = hold_out(clips, a_fifth(clips))
    for corpus in {c.corpus for c in clips}:
        own = [c for c in clips if c.corpus == corpus]
        angry = {c.speaker for c in own if c.emotion == "anger"}
        calm = {c.speaker for c in own if c.emotion in {"neutral", "calm"}}
        assert {name for name in out if name.startswith(corpus)} <= angry & calm
        assert 2 * len(out & angry & calm) <= len(angry & calm)


def test_a_speaker_of_two_corpora_cannot_be_left_out_with_one():
    clips = [clip(1, "own", 1), Clip(Path("2.wav"), "new", "own:1", "", "", "calm", "", "")]
    with pytest.raises(ValueError, match="own:1"):
        leave_one_corpus_out(clips)


def test_a_recording_under_two_names_is_not_divided():
    clips = [clip(1, "own", 1), clip(1, "own", 2)]
    with pytest.raises(ValueError, match=r"1\.wav"):
        divide(clips, Fold("one", frozenset({"own:1"})))


@pytest.mark.parametrize(
    ("speakers", "held_out"), [(1, 0), (2, 1), (9, 1), (10, 2), (24, 4), (91, 18)]
)
def test_a_fifth_is_rounded_down_and_one_of_two(speakers, held_out):
    clips = [clip(n, "own", n) for n in range(speakers)]
    assert a_fifth(clips) == {"own": held_out}


def test_what_is_written_says_who_is_left_out(tmp_path):
    clips = [clip(1, "own", 2), clip(2, "own", 1), clip(3, "tess", "OAF")]
    save(tmp_path / "splits.json", {"by corpus": leave_one_corpus_out(clips)})
    read = json.loads((tmp_path / "splits.json").read_text(encoding="utf-8"))
    assert read == {"by corpus": {"own": ["own:1", "own:2"], "tess": ["tess:OAF"]}}
