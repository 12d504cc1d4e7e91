"""Calls in which nobody is irritated hold what they should, and nothing else."""

import json
from itertools import islice

import numpy as np
import pytest
import soundfile
from joblib import parallel_config

from benchmarks import false_alarms
from benchmarks.calm_calls import CALL_S, Told, hear, music_calls, speech_calls
from benchmarks.calm_voices import ROOT, Voice, is_speech, music, prompts, read, sentences
from benchmarks.false_alarms import Judged, alerted_s, alerts, figures, judge
from hackles.classifier import default_classifier
from hackles.config import FRAMES_PER_S, SAMPLE_RATE
from hackles.errors import UsageError
from hackles.types import Alert, State
from tests.voices import voice as hummed

PROMPTS_EACH = 24


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two made-up voices, with what is no speech among their prompts, and a piece of music."""
    folder = tmp_path_factory.mktemp("asterisk")
    rng = np.random.default_rng(0)
    for name, f0_hz in (("en_US_f_Ann", 210.0), ("pl_PL_m_Jan", 115.0)):
        own = folder / "sounds" / name
        (own / "silence").mkdir(parents=True)
        hum = hummed(rng, f0_hz, 10, 30.0)
        for number in range(PROMPTS_EACH):
            start, length = rng.integers(20 * SAMPLE_RATE), rng.integers(24000, 72000)
            samples = hum[start : start + length]
            soundfile.write(own / f"said-{number}.wav", samples, SAMPLE_RATE)
        for other, seconds in (("beep", 1.0), ("tt-monkeys", 5.0), ("oh", 0.4), ("silence/1", 1.0)):
            noise = 0.1 * rng.standard_normal(round(seconds * SAMPLE_RATE))
            soundfile.write(own / f"{other}.wav", noise, SAMPLE_RATE)
        (own / "copy.wav").write_bytes((own / "said-0.wav").read_bytes())
        gsm = {"format": "RAW", "subtype": "GSM610"}
        soundfile.write(own / "said-1.gsm", np.zeros(16000), SAMPLE_RATE, **gsm)
        soundfile.write(own / "said-in-gsm.gsm", samples, SAMPLE_RATE, **gsm)
    (folder / "moh").mkdir()
    soundfile.write(folder / "moh" / "tune.wav", hummed(rng, 300.0, 6, 4.0), SAMPLE_RATE)
    return folder


@pytest.fixture(scope="module")
def voices(folder):
    return prompts(folder)


@pytest.fixture(scope="module")
def calls(voices):
    return list(speech_calls(voices[0], voices[1].paths))


def test_voices_are_the_folders_below_sounds(voices):
    assert [(v.name, v.language) for v in voices] == [("en_US_f_Ann", "en"), ("pl_PL_m_Jan", "pl")]


def test_what_is_no_speech_is_left_out_and_copies_are_taken_once(voices):
    stems = [path.stem for path in voices[0].paths]
    assert not {"beep", "tt-monkeys", "oh", "1"} & set(stems)
    assert len({"copy", "said-0"} & set(stems)) == 1
    assert len(stems) == len(set(stems)) == PROMPTS_EACH + 1


def test_of_two_formats_the_wav_is_taken(voices):
    suffixes = {path.stem: path.suffix for path in voices[0].paths}
    assert suffixes["said-1"] == ".wav"
    assert suffixes["said-in-gsm"] == ".gsm"


def test_gsm_is_read_as_long_as_the_prompt_is(voices):
    (gsm,) = [path for path in voices[0].paths if path.suffix == ".gsm"]
    wav = gsm.with_name(f"said-{PROMPTS_EACH - 1}.wav")
    assert len(read(gsm)) == pytest.approx(len(read(wav)), abs=320)
    assert np.std(read(gsm)) == pytest.approx(np.std(read(wav)), rel=0.2)


def test_half_a_second_is_enough_to_be_speech(tmp_path):
    for name, n_samples in (("no", SAMPLE_RATE // 2 - 1), ("yes", SAMPLE_RATE // 2)):
        soundfile.write(tmp_path / f"{name}.wav", np.zeros(n_samples), SAMPLE_RATE)
    assert not is_speech(tmp_path / "no.wav")
    assert is_speech(tmp_path / "yes.wav")


def test_every_prompt_is_said_once_over_all_calls(voices, calls):
    said = [name for call in calls for _, _, name in call.told.said]
    assert sorted(said) == sorted(f"en_US_f_Ann/{path.stem}" for path in voices[0].paths)


def test_calls_last_two_to_four_minutes_but_for_the_last(calls):
    for call in calls[:-1]:
        assert CALL_S[0] <= call.told.clock_s <= CALL_S[1] + 20  # the last prompt and pause
    assert len(calls) > 1


def test_turns_are_of_one_to_three_prompts(calls):
    (call, *_) = calls
    gaps = np.array([b[0] - a[1] for a, b in zip(call.told.said, call.told.said[1:], strict=False)])
    within = gaps < 1
    assert ((gaps[within] >= 0.09) & (gaps[within] <= 0.41)).all()
    assert ((gaps[~within] >= 3) & (gaps[~within] <= 9.5)).all()
    turns = np.diff(np.flatnonzero(np.concatenate([[True], ~within, [True]])))
    assert turns.min() >= 1
    assert turns.max() <= 3


def test_the_prompts_are_heard_where_they_are_said(calls):
    (call, *_) = calls
    said = np.zeros(len(call.samples), dtype=bool)
    for start, end, _ in call.told.said:
        said[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)] = True
    assert call.told.said_s == pytest.approx(said.sum() / SAMPLE_RATE, abs=0.01)
    ratio = np.mean(call.samples[said] ** 2) / np.mean(call.samples[~said] ** 2)
    assert 10 * np.log10(ratio) > 6


def test_the_same_seed_gives_the_same_calls(voices, calls):
    again = next(speech_calls(voices[0], voices[1].paths))
    assert again.told == calls[0].told
    assert np.array_equal(again.samples, calls[0].samples)
    other = next(speech_calls(voices[0], voices[1].paths, seed=1))
    assert other.told.said != calls[0].told.said


def test_one_voice_alone_can_be_heard_too(voices):
    assert all(np.isfinite(c.samples).all() for c in islice(speech_calls(voices[0], ()), 2))


def test_music_is_heard_plain_and_over_lines(folder, voices):
    (piece,) = music([folder])
    heard = list(music_calls(piece, voices[0].paths))
    assert heard[0].told.line is None
    assert all(call.told.line is not None and not call.told.said for call in heard[1:])


def test_what_was_measured_is_found_again(voices, tmp_path):
    few = Voice(voices[0].kind, "few", "en", voices[0].paths[:3])
    first, second = (hear(few, voices[1].paths, tmp_path) for _ in range(2))
    assert len(list(tmp_path.iterdir())) == 1
    assert [call.told for call in first] == [call.told for call in second]
    assert np.array_equal(first[0].measured.values, second[0].measured.values)
    (judged,) = judge(second, default_classifier())
    assert figures([judged])["readings"] == len(judged.readings) > 0


def test_figures_are_counted_per_hour_of_prompts_or_of_the_clock(voices, tmp_path):
    few = Voice(voices[0].kind, "few", "en", voices[0].paths[:3])
    (call,) = hear(few, voices[1].paths, tmp_path)
    object.__setattr__(call, "told", Told(0, 360.0, ((0.0, 36.0, "a"), (40.0, 76.0, "b")), None))
    some = [Judged(call, (0.1, 0.3), (50.0,), 72.0), Judged(call, (), (), 0.0)]
    found = figures(some)
    assert (found["calls"], found["false_alerts"], found["calls_with_one"]) == (2, 1, 1)
    assert (found["clock_hours"], found["said_hours"]) == (0.2, 0.04)
    assert found["heard_hours"] == round(2 * call.measured.fresh.sum() / FRAMES_PER_S / 3600, 2)
    assert (found["per_hour"], found["per_hour_below"]) == (25.0, 118.6)
    assert (found["mean"], found["alerted_share"]) == (0.2, 0.1)
    assert figures(some, by_clock=True)["per_hour"] == 5.0
    assert [(one["time_s"], one["said"]) for one in alerts(some)] == [(50.0, "a, b")]


def test_an_alert_lasts_until_calm_or_the_end():
    def entered(time, state):
        return Alert(time, time, state, 0.5, 0.0, 0.9, ())

    some = [entered(10.0, State.RISING), entered(12.0, State.IRRITATED), entered(20.0, State.EASED)]
    assert alerted_s(some, 60.0) == 10.0
    assert alerted_s([*some, entered(55.0, State.RISING)], 60.0) == 15.0
    assert alerted_s([], 60.0) == 0.0


def test_a_line_of_text_is_as_many_sentences_as_it_has_alternatives():
    text = "# (no|sentence)\nI live in (Leeds|Ghent|Turin), at (one|two).\n\nGoodbye.\n"
    assert sentences(text) == [
        "I live in Leeds, at one.",
        "I live in Ghent, at two.",
        "I live in Turin, at one.",
        "Goodbye.",
    ]


@pytest.mark.parametrize("language", ["en", "es", "pl"])
def test_a_text_has_two_hundred_different_sentences(language):
    path = ROOT / "benchmarks" / "texts" / f"{language}.txt"
    found = sentences(path.read_text(encoding="utf-8"))
    assert len(set(found)) == len(found) >= 200
    assert not any(set("()|!") & set(sentence) for sentence in found)


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_a_folder_without_prompts_is_told_in_a_sentence(tmp_path, capsys, name):
    (tmp_path / "empty").mkdir()
    code = false_alarms.main(["--asterisk", str(tmp_path / name), "--cache", str(tmp_path)])
    told = capsys.readouterr().err.strip()
    assert code == 2
    assert "holds no prompts" in told
    assert len(told.splitlines()) == 1


def test_missing_music_is_told_in_a_sentence(folder, tmp_path, capsys):
    missing = tmp_path / "missing"
    code = false_alarms.main(["--asterisk", str(folder), "--music", str(missing)])
    assert code == 2
    assert capsys.readouterr().err == f"{missing} is no folder; name one that holds music.\n"


def test_the_whole_writes_figures_of_every_kind(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(false_alarms, "spoken_texts", lambda cache: [])
    out = tmp_path / "out.json"
    options = ["--asterisk", str(folder), "--cache", str(tmp_path), "--out", str(out)]
    with parallel_config("sequential"):  # processes take longer to start than this to run
        assert false_alarms.main(options) == 0
    found = json.loads(out.read_text(encoding="utf-8"))
    assert found["prompts"]["by"]["voice"]["all"]["said_hours"] > 0
    assert found["music"]["by"]["line"]["plain"]["calls"] == 1


def test_files_that_are_no_sound_are_told(folder, tmp_path):
    own = tmp_path / "sounds" / "en"
    own.mkdir(parents=True)
    (own / "broken.wav").write_bytes(b"no sound")
    with pytest.raises(UsageError, match=r"broken\.wav cannot be read"):
        prompts(tmp_path)
