"""Running the engine in tests, and saying when two runs gave the same."""

from dataclasses import astuple, is_dataclass, replace
from itertools import pairwise, repeat

import msgspec
import numpy as np

from hackles.classifier import default_classifier
from hackles.pipeline import CallPipeline
from hackles.types import Alert, Block

TOLERANCE = 1e-4


def blocks(samples, cuts):
    """Cut samples at the given places; blocks may be empty."""
    places = [0, *sorted(cuts), len(samples)]
    return [Block(samples[a:b], a) for a, b in pairwise(places)]


BRISK = {"rising": 0.7, "irritated": 1.2, "irritated_level": 0.25}
"""Thresholds at which a synthetic voice, too, brings a call through all states within seconds."""
BRISK_TOML = "[thresholds]\n" + "".join(f"{name} = {value}\n" for name, value in BRISK.items())


def brisk():
    """Return the shipped model at these thresholds."""
    model = default_classifier()
    return model.with_tracker(msgspec.structs.replace(model.tracker, **BRISK))


def run(samples, cuts=(), flush=True, agent=None, classifier=None):
    """Return the events of one call."""
    pipeline = CallPipeline(classifier)
    beside = repeat(None) if agent is None else blocks(agent, cuts)
    events = []
    for block, other in zip(blocks(samples, cuts), beside, strict=False):
        events += pipeline.push(block, other)
    return events + (pipeline.flush() if flush else [])


def _flat(value):
    """Return all numbers and words inside an event, in order."""
    if is_dataclass(value):
        value = astuple(value)
    if isinstance(value, tuple):
        return [leaf for item in value for leaf in _flat(item)]
    return [value]


def assert_same(left, right, tolerance=TOLERANCE):
    """Fail unless both are the same events: kinds, states and times alike, numbers nearly so."""
    assert [(type(e), e.time) for e in left] == [(type(e), e.time) for e in right]
    for one, other in zip(left, right, strict=True):
        if isinstance(one, Alert):
            # A probability that lies between two ten-thousandths moves the trend, per minute, more.
            assert np.isclose(one.trend_per_min, other.trend_per_min, rtol=0, atol=10 * tolerance)
            one = replace(one, trend_per_min=other.trend_per_min)
        for a, b in zip(_flat(one), _flat(other), strict=True):
            if isinstance(a, float) and isinstance(b, float):
                assert np.isclose(a, b, rtol=0, atol=2 * tolerance), (one, other)
            else:
                assert a == b, (one, other)
