"""Measured once, judged again: the same alerts as the engine gives at once."""

import pytest

from hackles.batch import hear, hear_many
from hackles.capture.files import Channels
from hackles.classifier import default_classifier
from hackles.pipeline import CallPipeline
from hackles.rejudging import at_threshold, judge
from hackles.types import Alert, Block
from tests.conftest import SAMPLES, agent, customer

CALLS = ("en_rising_1", "es_calm_1", "pl_rising_2")


def alerts(classifier, name):
    """Return the alerts of a call that is heard and judged in one."""
    pipeline = CallPipeline(classifier)
    events = pipeline.push(Block(customer(name), 0), Block(agent(name), 0)) + pipeline.flush()
    return [event for event in events if isinstance(event, Alert)]


@pytest.mark.parametrize("sensitivity", ["low", "high"])
def test_calls_judged_together_are_judged_as_each_alone(sensitivity):
    classifier = default_classifier().at(sensitivity)
    measured = [hear(str(SAMPLES / f"{name}.wav"), Channels(1, 0)).measured for name in CALLS]
    found = judge(measured, classifier)
    expected = [alerts(classifier, name) for name in CALLS]
    assert any(expected)
    assert [[(a.time, a.state) for a in some] for some in found] == [
        [(a.time, a.state) for a in some] for some in expected
    ]


def test_nothing_heard_is_nothing_judged(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"")
    heard = hear(str(tmp_path / "a.wav"), Channels(1))
    assert "is empty" in heard.error
    assert (heard.speech_s, judge([heard.measured], default_classifier())) == (0.0, [[]])


def test_recordings_are_heard_in_their_order_on_several_cores():
    paths = [str(SAMPLES / f"{name}.wav") for name in CALLS[:2]]
    heard = list(hear_many(paths, Channels(1), 2))
    assert [one.path for one in heard] == paths
    assert [one.speech_s for one in heard] == [hear(path, Channels(1)).speech_s for path in paths]


def test_irritated_keeps_its_distance():
    settings = default_classifier().tracker
    moved = at_threshold(settings, 2 * settings.rising)
    assert moved.irritated == pytest.approx(2 * settings.irritated)
    assert moved.eased == settings.eased
