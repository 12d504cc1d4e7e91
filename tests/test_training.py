"""Training without a network, on a small corpus of made-up voices."""

import json
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from joblib import parallel_config

from hackles.baseline import Baseline
from hackles.classifier import SENSITIVITIES, Classifier
from hackles.tracker import probability
from models.training.__main__ import main
from models.training.baselines import draw_baselines
from models.training.corpora import read_clips
from models.training.crossed import EVERYTHING, crossed
from models.training.examples import examples
from models.training.export import export, metadata, unmeasured
from models.training.fit import PRIOR
from models.training.measure import measure_clips, measure_runs, roughly
from models.training.splits import hold_out
from models.training.tune import START, TARGETS
from tests.voices import write_corpora


@pytest.fixture(scope="module")
def corpora(tmp_path_factory):
    return write_corpora(tmp_path_factory.mktemp("corpora"))


@pytest.fixture(scope="module")
def data(corpora):
    clips = read_clips(corpora)
    return examples(clips, measure_clips(clips), measure_runs(clips))


@pytest.fixture(scope="module")
def model(data):
    return crossed(data, 0, 1)[EVERYTHING]


def test_the_graph_says_what_the_fit_says(data, model, tmp_path):
    export(model, metadata(model, unmeasured(START), ["made up"], []), tmp_path / "m.onnx")
    baselines = draw_baselines(data, model.prior_mean, 0.5, seed=3)
    quality = np.full((len(data.clip), 3), 10, np.float32)
    said = Classifier(tmp_path / "m.onnx").run(data.values, data.contours, baselines, quality)
    logits = model.logits(data.values, data.contours, baselines)
    even_to_prior = np.log(PRIOR / (1 - PRIOR))
    assert np.allclose(said.irritation, probability(logits[:, 0] + even_to_prior), atol=1e-4)
    assert np.allclose(said.arousal, probability(logits[:, 1]), atol=1e-4)


def test_it_learns_what_can_be_learned(data, model):
    baselines = draw_baselines(data, model.prior_mean, 0.0, seed=3)
    logits = model.logits(data.values, data.contours, baselines)[:, 0]
    assert logits[data.angry].mean() > logits[~data.angry].mean() + 2


def test_training_takes_off_what_the_engine_takes_off(model):
    """Of a caller's own calm logit, whether much of it was heard or little."""
    some = replace(model, own_share=0.6)
    baseline = Baseline(1, some.prior_mean, some.calm_logit, some.own_share)
    slot, calm = np.zeros(1, dtype=np.int64), np.ones(1, np.bool_)
    for heard in range(20):
        now = np.array([1.5], np.float32)
        taken = some.relative(now, np.array([0.8]), np.array([heard]))
        assert baseline.relative(slot, now) == pytest.approx(taken, abs=1e-3)
        baseline.learn(slot, some.prior_mean[None], np.array([0.8], np.float32), calm)


def test_the_same_data_give_the_same_model(data, model, tmp_path):
    for name, one in (("a", model), ("b", crossed(data, 0, 1)[EVERYTHING])):
        export(one, metadata(one, unmeasured(START), [], []), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_baseline_never_holds_the_clip_that_is_judged(data):
    """Else the model would learn to compare a neutral clip with itself."""
    one = data.rows((data.speaker == "nemo:0") & (data.emotion == "neutral"))
    alone = one.rows(one.clip == one.clip[0])
    prior = np.zeros(data.values.shape[1], np.float32)
    assert not draw_baselines(alone, prior, 0.0, seed=0).any()


def test_who_must_not_be_heard_is_heard_behind_nobody(corpora):
    """Nor does anything else of them reach the others' clips."""
    clips = [clip for clip in read_clips(corpora) if clip.corpus == "nemo"]
    unheard = {"nemo:0", "nemo:3"}
    loud = [clip.path for clip in clips if clip.speaker == "nemo:0" and clip.emotion == "anger"]
    changed = [replace(c, path=loud[0]) if c.speaker in unheard else c for c in clips]
    before, after = (list(roughly(some, unheard, seed=2)) for some in (clips, changed))
    for clip, one, other in zip(clips, before, after, strict=True):
        assert np.array_equal(one, other) or clip.speaker in unheard
    again = roughly(clips, set(), seed=2)
    assert not all(np.array_equal(one, other) for one, other in zip(before, again, strict=True))


@pytest.fixture
def one_process():
    """A worker that stops early is warned of, which waits for ever where warnings are errors."""
    with parallel_config("sequential"):
        yield


@pytest.mark.usefixtures("one_process")
def test_one_command_trains_and_reports(tmp_path, capsys):
    corpora = write_corpora(tmp_path, emotions=("neutral", "anger"), speakers=2, takes=2)
    out, report, splits = (tmp_path / name for name in ("m.onnx", "report.json", "splits.json"))
    files = ["--out", str(out), "--report", str(report), "--splits", str(splits)]
    assert main(["--corpora", str(corpora), *files, "--steps", "0", "--calls", "1"]) == 0
    about = Classifier(out).metadata
    assert about.training_data == ("nemo", "emodb", "ased")
    assert about.measured_on
    assert all(one.false_per_hour_below > 0 for one in about.sensitivities.values())
    left_out = json.loads(splits.read_text())
    assert left_out["held_out"]["held_out"] == list(about.held_out)
    assert list(left_out["left_out_in_turn"]) == ["ased", "emodb", "nemo"]
    told = json.loads(report.read_text())
    assert list(told["auc"]) == ["held_out_speakers_cold", "held_out_speakers_with_baseline"]
    assert list(told["composed_calls_of_strangers"]) == list(SENSITIVITIES)
    of_strangers = told["composed_calls_of_strangers"]
    for found in of_strangers.values():
        assert list(found) == ["all", "ased", "emodb", "nemo"]
    came_to = [of_strangers[name]["all"]["false_per_hour"] for name in SENSITIVITIES]
    assert came_to == sorted(came_to)
    assert all(came <= TARGETS[name] for name, came in zip(SENSITIVITIES, came_to, strict=True))
    assert capsys.readouterr().out.startswith("{")


def test_a_folder_without_labels_is_told_in_a_sentence(tmp_path, capsys):
    assert main(["--corpora", str(tmp_path)]) == 2
    assert "has no labels.csv" in capsys.readouterr().err


def test_a_folder_of_corpora_for_tests_only_is_told(tmp_path, capsys):
    soundfile.write(tmp_path / "OAF_back_angry.wav", np.zeros(80), 8000)
    assert main(["--corpora", str(tmp_path)]) == 2
    assert "tess and turev are for tests only" in capsys.readouterr().err


def test_held_out_speakers_do_not_depend_on_the_order_of_the_clips(corpora):
    clips = read_clips(corpora)
    assert hold_out(clips, {"nemo": 2}) == hold_out(clips[::-1], {"nemo": 2})
    assert len(hold_out(clips, {"nemo": 2, "ased": 1})) == 3
