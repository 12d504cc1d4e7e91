"""The network: what it learns, what it must not mind, and that the engine runs the same.

PyTorch trains it and is no part of what the other tests need.
"""

from dataclasses import replace

import numpy as np
import pytest
from joblib import parallel_config

from hackles.classifier import Classifier
from hackles.config import CONTOUR_FRAMES
from hackles.features import N_CONTOURS, N_FUNCTIONALS
from hackles.features.contours import PITCH, VOICING
from hackles.tracker import probability
from models.training.__main__ import main
from models.training.calibrating import calibrated
from models.training.crossed import EVERYTHING, crossed
from models.training.examples import Examples
from models.training.export import export, metadata, unmeasured
from models.training.fit import PRIOR_LOGIT, fit
from models.training.learning import _places, train
from models.training.network import FLOOR_DB
from models.training.tune import START
from tests.voices import write_corpora

pytest.importorskip("torch")

STEPS = 60
MOVED = slice(4, 9)
"""Bands that go up and down in made-up anger."""


def windows(rng, angry, least=CONTOUR_FRAMES):
    """Return contours of windows: bands at some height, of which anger moves a few."""
    n = len(angry)
    codes = rng.integers(95, 111, (n, CONTOUR_FRAMES, N_CONTOURS))
    codes[:, :, PITCH] = rng.integers(90, 120, (n, CONTOUR_FRAMES)) * (
        rng.random((n, CONTOUR_FRAMES)) < 0.6
    )
    codes[:, :, VOICING] = rng.integers(0, 201, (n, CONTOUR_FRAMES))
    time = np.arange(CONTOUR_FRAMES) / 50 + rng.random((n, 1))
    move = np.rint(12 * np.sin(2 * np.pi * 3 * time)).astype(int)
    codes[:, :, MOVED] += (move * angry[:, None])[:, :, None]
    for window, length in zip(codes, rng.integers(least, CONTOUR_FRAMES + 1, n), strict=True):
        window[: CONTOUR_FRAMES - length] = 0
    return codes.astype(np.uint8)


def made(n=600, least=CONTOUR_FRAMES, seed=0):
    """Return readings of three corpora; their functionals tell little, their contours much."""
    rng = np.random.default_rng(seed)
    emotion = rng.choice(["anger", "happiness", "neutral", "sadness"], n)
    corpus = rng.choice(["nemo", "emodb", "ased"], n)
    whose = rng.integers(0, 4, n).astype(str)
    speaker = np.char.add(np.char.add(corpus, ":"), whose)
    values = rng.standard_normal((n, N_FUNCTIONALS)).astype(np.float32)
    angry = emotion == "anger"
    values[angry] += np.float32(0.1)
    contours = windows(rng, angry, least)
    return Examples(values, contours, np.arange(n), np.arange(n), corpus, speaker, emotion)


def trained(data, steps=STEPS, seed=0):
    return train(data.contours, data.corpus, data.speaker, data.emotion, seed, steps)


@pytest.fixture(scope="module")
def data():
    return made(least=40)


@pytest.fixture(scope="module")
def network(data):
    return trained(data)


@pytest.fixture(scope="module")
def model(data, network):
    fitted = replace(fit(data, steps=0), network=network)
    parts = fitted.parts(data.values, data.contours, data.values[::-1])
    return replace(calibrated(fitted, data, parts[:, :, 0]), slopes=(0.4, 0.7))


def extremes():
    """Return windows of nothing, of one frame at either end, and full ones at every limit."""
    found = np.zeros((8, CONTOUR_FRAMES, N_CONTOURS), np.uint8)
    found[1, -1] = 120
    found[2, -2:] = 1
    found[3, :1] = 255
    found[4] = 255
    found[5, :, :PITCH] = 1
    found[6, ::2] = 255
    found[6, 1::2] = 1
    found[7] = 120
    found[7, :, PITCH] = 0
    return found


def test_the_engine_says_what_the_training_framework_says(model, data, tmp_path):
    export(model, metadata(model, unmeasured(START), ["made up"], []), tmp_path / "m.onnx")
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 256, (40, CONTOUR_FRAMES, N_CONTOURS), dtype=np.uint8)
    contours = np.concatenate([data.contours[:40], noise, extremes()])
    values, baselines = (
        rng.standard_normal((len(contours), N_FUNCTIONALS)).astype(np.float32) for _ in range(2)
    )
    quality = np.full((len(contours), 3), 10, np.float32)
    said = Classifier(tmp_path / "m.onnx").run(values, contours, baselines, quality)
    logits = model.logits(values, contours, baselines)
    assert np.ptp(said.irritation) > 0.5
    assert np.allclose(said.irritation, probability(logits[:, 0] + PRIOR_LOGIT), atol=1e-4)
    assert np.allclose(said.arousal, probability(logits[:, 1]), atol=1e-4)


def test_a_model_with_a_network_says_so(model):
    assert "network" in metadata(model, unmeasured(START), [], []).name
    assert "network" not in metadata(replace(model, network=None), unmeasured(START), [], []).name


def test_the_same_data_give_the_same_network_whatever_else_is_drawn(data):
    import torch

    one = trained(data, steps=5)
    torch.manual_seed(99)
    again, other = trained(data, steps=5), trained(data, steps=5, seed=1)
    assert np.array_equal(one.logits(data.contours), again.logits(data.contours))
    for mine, yours in zip(one.convolutions, again.convolutions, strict=True):
        assert np.array_equal(mine.weights, yours.weights)
        assert np.array_equal(mine.bias, yours.bias)
    assert not np.array_equal(one.out.weights, other.out.weights)


def test_it_learns_what_can_be_learned(network):
    unheard = made(200, least=100, seed=5)
    logit = network.logits(unheard.contours)[:, 0]
    angry = unheard.emotion == "anger"
    assert (logit[angry][:, None] > logit[~angry]).mean() > 0.95


def test_what_it_learned_counts_with_strangers(data, network):
    strangers = made(300, least=100, seed=6)
    model = replace(fit(data, steps=0), network=network)
    parts = model.parts(strangers.values, strangers.contours, strangers.values[::-1])
    regression, counted = calibrated(model, strangers, parts[:, :, 0]).slopes
    assert counted > max(0.3, regression)


def test_nothing_of_a_fold_reaches_the_network_that_left_it_out():
    data = made(150)
    contours = data.contours.copy()
    rows = data.corpus == "nemo"
    contours[rows] = contours[rows][::-1, ::-1]
    before, after = (crossed(one, 2, 1) for one in (data, replace(data, contours=contours.copy())))
    for name, same in (("nemo", True), ("ased", False), ("emodb", False), (EVERYTHING, False)):
        one, other = before[name], after[name]
        assert one.network is not None
        assert other.network is not None
        weights = zip(one.network.convolutions, other.network.convolutions, strict=True)
        assert same == all(np.array_equal(a.weights, b.weights) for a, b in weights)
        assert same == ((one.slopes, one.offset) == (other.slopes, other.offset))


def test_a_window_is_judged_as_if_it_were_alone(network, data):
    together = network.logits(data.contours[:30])
    for row in (0, 17):
        alone = network.logits(data.contours[row : row + 1])
        assert np.allclose(alone[0], together[row], atol=1e-4)
    assert network.logits(data.contours[:0]).shape == (0, 2)


def test_what_it_is_given_may_be_read_only(network, data):
    contours = data.contours[:5].copy()
    expected = network.logits(contours)
    contours.flags.writeable = False
    assert np.array_equal(network.logits(contours), expected)


def assert_told_alike(network, contours, changed):
    contours, changed = contours.astype(np.uint8), changed.astype(np.uint8)
    assert not np.array_equal(contours, changed)
    assert np.allclose(network.logits(contours), network.logits(changed), atol=1e-3)


def test_gain_is_not_heard(network, data):
    louder = data.contours[:50].astype(int)
    louder[:, :, :PITCH] += 24 * (louder[:, :, :PITCH] > 0)
    assert_told_alike(network, data.contours[:50], louder)


def test_the_line_s_colour_is_not_heard(network, data):
    """As long as no band sinks so deep under the mean that it is taken for noise."""
    contours = data.contours[:50].astype(int)
    some = contours[:, :, :1] > 0
    colour = np.random.default_rng(2).integers(-6, 7, PITCH)
    coloured = contours.copy()
    coloured[:, :, :PITCH] += colour * some
    lowest = np.where(some, coloured[:, :, :PITCH], 255).min()
    assert (102 - lowest) / 2 < FLOOR_DB, "the mean is about 102"
    assert_told_alike(network, contours, coloured)


def test_how_high_a_voice_is_is_not_heard(network, data):
    higher = data.contours[:50].astype(int)
    higher[:, :, PITCH] += 48 * (higher[:, :, PITCH] > 0)
    assert_told_alike(network, data.contours[:50], higher)


def test_very_short_windows_can_be_learned_from():
    data = made(200, least=1)
    short = data.contours.copy()
    short[:, :-3] = 0
    short[::5] = 0
    found = train(short, data.corpus, data.speaker, data.emotion, 0, 12)
    assert np.isfinite(found.logits(short)).all()


@pytest.mark.parametrize("steps", [1, 2, 5, 11])
def test_any_number_of_steps_gives_a_network(data, steps):
    assert np.isfinite(trained(data, steps).logits(data.contours[:5])).all()


def test_a_changed_window_holds_frames_of_the_old_one_in_order_and_at_its_end():
    rng = np.random.default_rng(0)
    for length in [0, 1, 25, 26, 50, 51, 149, 150] * 40:
        valid = np.arange(CONTOUR_FRAMES) >= CONTOUR_FRAMES - length
        found = _places(rng, valid)
        assert len(found) == CONTOUR_FRAMES
        some = found[found >= 0]
        assert valid[some].all()
        assert (np.diff(some) >= 0).all()
        assert (found[len(found) - len(some) :] == some).all()
        assert min(length, 20) <= len(some) or length == 0


def test_it_is_light(network):
    assert network.parameters <= 300_000


def test_one_command_trains_a_network_that_the_engine_runs(tmp_path):
    """In one process: a warning that a worker stopped would be an error here, and wait for ever."""
    corpora = write_corpora(tmp_path, emotions=("neutral", "anger"), speakers=2, takes=2)
    out = tmp_path / "m.onnx"
    with parallel_config("sequential"):
        files = ["--corpora", str(corpora), "--out", str(out)]
        assert main([*files, "--steps", "3", "--calls", "1"]) == 0
    classifier = Classifier(out)
    assert "network" in classifier.metadata.name
    rng = np.random.default_rng(0)
    values = np.repeat(classifier.baseline_prior[None], 20, axis=0)
    contours = windows(rng, rng.random(20) < 0.5)
    said = classifier.run(values, contours, values, np.full((20, 3), 10, np.float32))
    assert np.isfinite(said.irritation).all()
