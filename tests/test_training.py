"""Training, on a small corpus of made-up voices: no recording is needed."""

import csv
import json

import numpy as np
import pytest
import soundfile

from hackles.classifier import Classifier
from hackles.errors import UsageError
from hackles.tracker import probability
from models.training.__main__ import main
from models.training.corpora import read_clips
from models.training.export import export, metadata, unmeasured
from models.training.fit import PRIOR, draw_baselines, examples, fit_calibrated, strangers
from models.training.measure import measure_clips, measure_runs
from models.training.splits import hold_out
from models.training.tune import START

EMOTIONS = ("neutral", "anger", "happiness", "sadness")


def voice(rng, f0_hz, tilt_db, seconds=2.0):
    """A hummed sentence: harmonics with an intonation, a tilt, and four syllables a second."""
    t = np.arange(int(seconds * 8000)) / 8000
    pitch = f0_hz * 2 ** (0.15 * np.sin(2 * np.pi * rng.uniform(0.4, 0.7) * t + rng.uniform(0, 6)))
    phase = 2 * np.pi * np.cumsum(pitch) / 8000
    harmonics = range(1, int(3600 / f0_hz))
    sound = sum(10 ** (-tilt_db * np.log2(k) / 20) * np.sin(k * phase) for k in harmonics)
    syllables = np.maximum(0.03, np.sin(2 * np.pi * 4 * t + rng.uniform(0, 6)))
    return (0.1 * syllables * sound + 1e-4 * rng.standard_normal(len(t))).astype(np.float32)


@pytest.fixture(scope="module")
def corpora(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpora")
    rng = np.random.default_rng(0)
    rows = []
    for corpus in ("nemo", "emodb", "ased"):
        for speaker in range(4):
            f0_hz = rng.uniform(100, 220)
            for emotion in EMOTIONS:
                for take in range(3):
                    angry = emotion == "anger"
                    samples = voice(
                        rng,
                        f0_hz * (1.4 if angry else 1.2 if emotion == "happiness" else 1.0),
                        5 if angry else 10,
                    )
                    file = f"{corpus}_{speaker}_{emotion}_{take}.flac"
                    soundfile.write(folder / file, samples, 8000)
                    row = (file, corpus, f"{corpus}:{speaker}", "", emotion, "")
                    rows.append(row)
    with (folder / "labels.csv").open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["file", "corpus", "speaker", "sex", "emotion", "intensity"])
        writer.writerows(rows)
    return folder


@pytest.fixture(scope="module")
def data(corpora):
    clips = read_clips(corpora)
    return examples(clips, measure_clips(clips), measure_runs(clips))


def test_the_graph_says_what_the_fit_says(data, tmp_path):
    model = fit_calibrated(data)
    export(model, metadata(model, unmeasured(START), ["made up"], []), tmp_path / "m.onnx")
    baselines = draw_baselines(data, model.prior_mean, 0.5, seed=3)
    quality = np.full((len(data.clip), 3), 10, np.float32)
    said = Classifier(tmp_path / "m.onnx").run(data.values, baselines, quality)
    logits = model.logits(data.values, baselines)
    even_to_prior = np.log(PRIOR / (1 - PRIOR))
    assert np.allclose(said.irritation, probability(logits[:, 0] + even_to_prior), atol=1e-4)
    assert np.allclose(said.arousal, probability(logits[:, 1]), atol=1e-4)


def test_it_learns_what_can_be_learned(data):
    model = fit_calibrated(data)
    logits = model.logits(data.values, draw_baselines(data, model.prior_mean, 0.0, seed=3))[:, 0]
    assert logits[data.angry].mean() > logits[~data.angry].mean() + 2


def test_one_corpus_alone_is_calibrated_on_some_of_its_speakers(data):
    one = data.rows(data.corpus == "nemo")
    names = [fold.speakers for fold in strangers(one)]
    assert sorted(name for fold in names for name in fold) == sorted(set(one.speaker))
    assert len(names) > 1
    assert fit_calibrated(one).slope > 0


def test_too_few_speakers_are_told(data):
    with pytest.raises(UsageError, match="nemo alone has fewer than two speakers"):
        fit_calibrated(data.rows(data.speaker == "nemo:0"))


def test_the_same_data_give_the_same_model(data, tmp_path):
    for name in ("a", "b"):
        model = fit_calibrated(data)
        export(model, metadata(model, unmeasured(START), [], []), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_baseline_never_holds_the_clip_that_is_judged(data):
    """Else the model would learn to compare a neutral clip with itself."""
    one = data.rows((data.speaker == "nemo:0") & (data.emotion == "neutral"))
    alone = one.rows(one.clip == one.clip[0])
    prior = np.zeros(data.values.shape[1], np.float32)
    assert not draw_baselines(alone, prior, 0.0, seed=0).any()


def test_one_command_trains_and_reports(corpora, tmp_path, capsys):
    out, report, splits = (tmp_path / name for name in ("m.onnx", "report.json", "splits.json"))
    files = ["--out", str(out), "--report", str(report), "--splits", str(splits)]
    assert main(["--corpora", str(corpora), *files, "--quick", "--calls", "1"]) == 0
    about = Classifier(out).metadata
    assert about.training_data == ("nemo", "emodb", "ased")
    left_out = json.loads(splits.read_text())
    assert left_out["held_out"]["held_out"] == list(about.held_out)
    assert list(left_out["leave_one_corpus_out"]) == ["ased", "emodb", "nemo"]
    assert '"leave_one_corpus_out_cold"' in report.read_text()
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
