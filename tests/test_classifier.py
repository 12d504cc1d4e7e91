"""The model that travels with hackles, and models that must be refused."""

import json
from importlib import resources

import numpy as np
import onnx
import pytest
from onnx import helper

import hackles_models
from hackles.classifier import SENSITIVITIES, Classifier, default_classifier, digest
from hackles.config import CONTOUR_FRAMES
from hackles.errors import ModelError, UsageError
from hackles.features import N_CONTOURS, N_FUNCTIONALS


@pytest.fixture
def model():
    return onnx.load_from_string((resources.files(hackles_models) / "default.onnx").read_bytes())


def told_by(model):
    return json.loads({prop.key: prop.value for prop in model.metadata_props}["hackles"])


def saved(model, path, **changes):
    told = told_by(model) | changes
    helper.set_model_props(model, {"hackles": json.dumps(told)})
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sample_rate", 16000),
        ("hop_length", 160),
        ("window_frames", 200),
        ("functionals", ["f0_st_p50"]),
        ("format", 1),
    ],
)
def test_a_model_made_for_something_else_is_refused(model, tmp_path, field, value):
    path = saved(model, tmp_path / "m.onnx", **{field: value})
    with pytest.raises(ModelError, match=f"does not fit this engine .*{field}"):
        Classifier(path)


def test_a_model_of_another_version_is_refused(model, tmp_path):
    path = saved(model, tmp_path / "m.onnx", novelty=1)
    with pytest.raises(ModelError, match="another version"):
        Classifier(path)


def test_a_model_that_says_nothing_of_itself_is_refused(model, tmp_path):
    del model.metadata_props[:]
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match="says nothing about hackles"):
        Classifier(tmp_path / "m.onnx")


def test_what_is_no_model_is_refused(tmp_path):
    (tmp_path / "m.onnx").write_text("not a model")
    with pytest.raises(ModelError, match="not an ONNX model"):
        Classifier(tmp_path / "m.onnx")
    with pytest.raises(ModelError, match="no model at"):
        Classifier(tmp_path / "none.onnx")


def test_a_model_that_lacks_a_sensitivity_or_has_them_in_disorder_is_refused(model, tmp_path):
    found = told_by(model)["sensitivities"]
    for wrong in ({"low": found["low"]}, dict(reversed(found.items()))):
        path = saved(model, tmp_path / "m.onnx", sensitivities=wrong)
        with pytest.raises(ModelError, match=r"does not fit this engine \(sensitivities differ"):
            Classifier(path)


def test_each_sensitivity_has_its_own_settings_and_medium_is_the_usual_one():
    classifier = default_classifier()
    rising = [classifier.at(name).tracker.rising for name in SENSITIVITIES]
    assert rising == sorted(rising, reverse=True)
    assert classifier.tracker == classifier.at("medium").tracker == classifier.metadata.tracker
    with pytest.raises(UsageError, match='"loud"; choose low, medium or high'):
        classifier.at("loud")


def test_a_model_that_was_read_needs_its_file_no_longer_and_has_one_digest(model, tmp_path):
    path = saved(model, tmp_path / "m.onnx")
    content = path.read_bytes()
    kept = Classifier(path).digest
    path.unlink()
    assert Classifier(path, content).digest == digest(content) == kept


def test_its_answers_are_probabilities_whatever_it_is_fed():
    rng = np.random.default_rng(0)
    values = (rng.standard_normal((200, N_FUNCTIONALS)) * 1e4).astype(np.float32)
    quality = np.abs(rng.standard_normal((200, 3)) * 10).astype(np.float32)
    contours = rng.integers(0, 256, (200, CONTOUR_FRAMES, N_CONTOURS), dtype=np.uint8)
    said = default_classifier().run(values, contours, values[::-1].copy(), quality)
    for answer in (said.irritation, said.arousal, said.confidence):
        assert answer.shape == (200,)
        assert np.isfinite(answer).all()
        assert answer.min() >= 0
        assert answer.max() <= 1


def test_confidence_falls_with_little_and_with_noisy_speech():
    classifier = default_classifier()
    values = classifier.baseline_prior[None]
    contours = np.zeros((1, CONTOUR_FRAMES, N_CONTOURS), np.uint8)
    confidence = [
        float(
            classifier.run(values, contours, values, np.array([quality], np.float32)).confidence[0]
        )
        for quality in ([5, 3.0, 25.0], [5, 1.0, 25.0], [5, 3.0, 8.0])
    ]
    assert confidence[0] > confidence[1]
    assert confidence[0] > confidence[2]


def test_the_model_says_what_it_was_trained_on_and_its_terms():
    about = default_classifier().metadata
    assert about.training_data
    assert len(about.held_out) == 20
    assert "non-commercial" in about.licence
