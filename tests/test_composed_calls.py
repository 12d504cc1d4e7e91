"""Composed calls are what the evaluation says they are, and their alerts are counted right."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from hackles.classifier import default_classifier
from hackles.config import SAMPLE_RATE
from hackles.errors import UsageError
from hackles.pipeline import CallPipeline
from hackles.rejudging import judge
from hackles.types import Alert, Block, State
from models.training.calls import KINDS, compose, draw_line, plan, speakers_of
from models.training.corpora import Clip
from models.training.dialogue import LEVEL_DB
from models.training.measure import measure
from models.training.telephone import Line, at_level, level_of
from models.training.truth import Truth, episodes, verdict
from tests.voices import voice

EMOTIONS = ("neutral", "anger", "happiness", "sadness")


@pytest.fixture(scope="module")
def speakers(tmp_path_factory):
    """Three made-up speakers, three takes of each mood, at levels that give the mood away."""
    folder = tmp_path_factory.mktemp("voices")
    rng = np.random.default_rng(0)
    clips = []
    for speaker in ("a", "b", "c"):
        f0_hz = rng.uniform(110, 220)
        for emotion in EMOTIONS:
            for take in range(3):
                angry = emotion == "anger"
                samples = voice(rng, f0_hz * (1.3 if angry else 1.0), 5 if angry else 10, 1.5)
                path = folder / f"{speaker}_{emotion}_{take}.wav"
                soundfile.write(path, at_level(samples, -14 if angry else -30), 8000)
                intensity = "strong" if angry and take == 0 else "normal"
                clips.append(
                    Clip(path, "made-up", f"made-up:{speaker}", "", "", emotion, intensity, "")
                )
    return speakers_of(clips)


@pytest.fixture(scope="module")
def calls(speakers):
    """One call of each kind."""
    return {kind: compose(speakers, "made-up:a", kind, 0, 1) for kind in KINDS}


def test_the_same_arguments_give_the_same_call(speakers, calls):
    again = compose(speakers, "made-up:a", "escalating", 0, 1)
    assert again.truth == calls["escalating"].truth
    assert np.array_equal(again.customer, calls["escalating"].customer)
    assert np.array_equal(again.agent, calls["escalating"].agent)
    other = compose(speakers, "made-up:a", "escalating", 1, 1)
    assert other.truth.segments != again.truth.segments


def test_the_line_does_not_change_what_is_said(speakers, calls):
    clean = compose(speakers, "made-up:a", "escalating", 0, 1, Line())
    assert clean.truth.segments == calls["escalating"].truth.segments


def test_an_escalating_call_is_calm_first_then_ever_angrier(calls):
    truth = calls["escalating"].truth
    calm = [emotion for start, _, emotion in truth.segments if start < truth.onset_s]
    assert "anger" not in calm
    assert truth.speech_between(0, truth.onset_s) >= 30
    plateau = [e for s, _, e in truth.segments if truth.plateau_s <= s < truth.end_s]
    assert set(plateau) == {"anger"}
    assert 20 <= truth.speech_between(truth.plateau_s, truth.end_s) <= 35 + 1.5


def test_a_calm_call_holds_no_anger_and_other_moods_now_and_then(calls):
    moods = [emotion for _, _, emotion in calls["calm"].truth.segments]
    assert "anger" not in moods
    assert calls["calm"].truth.onset_s is None
    assert 0.1 < np.mean([m != "neutral" for m in moods]) < 0.5


def test_another_person_takes_over(calls):
    truth = calls["taken_over"].truth
    assert truth.second not in (None, truth.speaker)
    assert truth.speech_between(0, truth.handed_over_s) >= 30


@pytest.mark.parametrize("kind", KINDS)
def test_the_truth_says_where_the_customer_speaks(calls, kind):
    """And the agent speaks where the customer does not."""
    call = calls[kind]
    truth = call.truth
    assert truth.speech_s == pytest.approx(sum(b - a for a, b, _ in truth.segments), abs=0.01)
    assert len(call.customer) == len(call.agent)
    spoken = np.zeros(len(call.agent), bool)
    for start, end, _ in truth.segments:
        spoken[int(start * SAMPLE_RATE) : int(end * SAMPLE_RATE)] = True
    quiet = np.sqrt(np.mean(call.agent[spoken] ** 2))
    loud = np.sqrt(np.mean(call.agent[~spoken] ** 2))
    assert 20 * np.log10(loud / quiet) > 20


def test_level_does_not_tell_the_mood_unless_it_is_kept(speakers):
    def by_mood(keep):
        call = compose(speakers, "made-up:b", "escalating", 0, 1, Line(), keep_levels=keep)
        found = {"anger": [], "neutral": []}
        for start, end, emotion in call.truth.segments:
            part = call.customer[int(start * SAMPLE_RATE) : int(end * SAMPLE_RATE)]
            if emotion in found:
                found[emotion].append(level_of(part))
        return {mood: np.array(levels) for mood, levels in found.items()}

    drawn, kept = by_mood(False), by_mood(True)
    assert abs(drawn["anger"].mean() - drawn["neutral"].mean()) < 3
    for levels in drawn.values():
        assert (np.abs(levels - LEVEL_DB) < 6 + 0.5).all()
    # They were 16 dB apart, and the band takes more of a voice that falls off steeply.
    assert kept["anger"].mean() - kept["neutral"].mean() > 15


def test_strong_anger_comes_last(speakers, monkeypatch):
    from models.training import dialogue

    said = []
    sound = dialogue.sound
    monkeypatch.setattr(dialogue, "sound", lambda clip: said.append(clip) or sound(clip))
    compose(speakers, "made-up:a", "escalating", 0, 1)
    angry = [c.intensity for c in said if c.emotion == "anger" and c.speaker == "made-up:a"]
    assert "strong" in angry
    assert angry == sorted(angry)  # normal, then strong


def test_a_call_needs_two_people(speakers):
    with pytest.raises(UsageError, match="made-up:a is the only one"):
        compose({"made-up:a": speakers["made-up:a"]}, "made-up:a", "calm", 0, 1)


@given(st.integers(0, 10_000), st.sampled_from(KINDS))
@settings(max_examples=50, deadline=None)
def test_plans_and_lines_keep_to_what_was_agreed(seed, kind):
    rng = np.random.default_rng(seed)
    stretches = plan(rng, kind)
    if kind in ("escalating", "calm", "taken_over"):
        assert stretches[0].anger == 0
        assert stretches[0].speech_s >= 30
    assert all(20 <= s.speech_s <= 35 for s in stretches if s.anger == 1)
    line = draw_line(rng)
    assert -12 <= line.gain_db <= 3
    assert 12 <= line.snr_db <= 30
    assert line.loss in (0.0, 0.01)


def test_an_unknown_kind_is_named():
    with pytest.raises(ValueError, match=r"no kind of call 'angry'; known are escalating"):
        plan(np.random.default_rng(0), "angry")


def test_judging_many_calls_at_once_is_what_the_engine_says_of_each(calls):
    """The figures are those of the product: the same alerts at the same times."""
    some = [calls[kind].customer for kind in KINDS]
    together = judge(list(measure(some)), default_classifier())
    for samples, alerts in zip(some, together, strict=True):
        pipeline = CallPipeline()
        events = [
            event
            for start in range(0, len(samples), 8000)
            for event in pipeline.push(Block(samples[start : start + 8000], start))
        ]
        events += pipeline.flush()
        told = [event for event in events if isinstance(event, Alert)]
        assert [(a.time, a.state) for a in alerts] == [(a.time, a.state) for a in told]


def test_a_call_on_disk_is_the_one_that_is_judged(calls, tmp_path):
    from benchmarks.calls import write_call

    call = calls["escalating"]
    path = write_call(call, tmp_path)
    samples, rate = soundfile.read(path, dtype="float32")
    assert rate == SAMPLE_RATE
    assert np.array_equal(samples[:, 1], call.customer)
    assert np.array_equal(samples[:, 0], call.agent)
    told = json.loads(Path(path).with_suffix(".json").read_text())
    assert {"speaker", "onset_s", "plateau_s", "end_s", "speech_s", "codec"} <= set(told)


def truth(onset_s=50.0, plateau_s=60.0, end_s=90.0):
    """A call in which every second second is spoken."""
    segments = tuple((float(s), s + 1.0, "neutral") for s in range(0, 100, 2))
    return Truth(
        corpus="c",
        speaker="c:1",
        sex="",
        language="",
        agent="c:2",
        second=None,
        kind="",
        number=0,
        escalates=onset_s is not None,
        onset_s=onset_s,
        plateau_s=plateau_s,
        end_s=end_s,
        speech_s=50.0,
        handed_over_s=None,
        gain_db=0.0,
        noise="pink",
        snr_db=20.0,
        codec="mu-law",
        loss=0.0,
        segments=segments,
    )


def alerts(*told):
    return [Alert(time, 0.0, state, 0.5, 0.0, 1.0, ()) for time, state in told]


RISING, IRRITATED, EASED = State.RISING, State.IRRITATED, State.EASED


def test_an_episode_is_counted_once_however_often_it_is_told():
    told = alerts((1, RISING), (2, IRRITATED), (3, EASED), (4, IRRITATED), (5, EASED))
    assert episodes(told) == [1, 4]


def test_delay_is_counted_in_the_customers_own_speech():
    found = verdict(truth(), alerts((70.0, RISING)))
    assert found.delay_s == 10.0  # twenty seconds of the call
    assert (found.false_alerts, found.early, found.calm_s) == (0, False, 25.0)


@pytest.mark.parametrize(
    ("at", "false", "warned", "early"),
    [(10, 1, False, False), (55, 0, True, True), (75, 0, True, False), (95, 0, False, False)],
)
def test_an_alert_counts_by_when_it_begins(at, false, warned, early):
    """Before the onset it is false, after the anger it is too late."""
    found = verdict(truth(), alerts((at, RISING)))
    assert (found.false_alerts, found.delay_s is not None, found.early) == (false, warned, early)


def test_an_episode_that_began_before_the_onset_warns_of_nothing():
    found = verdict(truth(), alerts((40, RISING), (60, IRRITATED)))
    assert (found.false_alerts, found.delay_s) == (1, None)


def test_every_alert_in_a_calm_call_is_false():
    found = verdict(truth(None, None, 100.0), alerts((10, RISING), (20, EASED), (101, IRRITATED)))
    assert (found.false_alerts, found.delay_s, found.calm_s) == (2, None, 50.0)
    assert found.early is None
