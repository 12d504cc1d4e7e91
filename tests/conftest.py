"""What several tests share: the sample calls, and the customer's side of them."""

import json
import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile


def pytest_xdist_auto_num_workers(config):
    """Return how many tests run at a time: half of them wait for calls at the pace of speech."""
    return round(1.5 * len(os.sched_getaffinity(0)))


_LONG = (
    *("test_device_calls", "test_tap", "test_bank", "test_chunking", "test_leak"),
    *("test_agent_page", "test_daemon", "test_training"),
)
"""Files that take long: begun last, they would keep one worker busy while the others rest."""


def pytest_collection_modifyitems(items):
    """Begin with the files that take longest."""
    items.sort(key=lambda item: item.path.stem not in _LONG)


SAMPLES = Path(__file__).parents[1] / "audio_samples"

# Whichever model its developer has in use, hackles is tested with the one that travels with it.
os.environ["XDG_DATA_HOME"] = str(Path(__file__).parent / "nobody's data")
NAMES = sorted(path.stem for path in SAMPLES.glob("*_*.wav"))


def customer(name):
    """Return the customer's samples of a sample call, float32, 8 kHz."""
    return channel(name, 1)


def agent(name):
    """Return the agent's samples of a sample call."""
    return channel(name, 0)


@cache
def channel(name, column):
    """Return one channel of a sample call."""
    stereo, rate = soundfile.read(SAMPLES / f"{name}.wav", dtype="float32")
    assert rate == 8000
    samples = np.ascontiguousarray(stereo[:, column])
    samples.flags.writeable = False
    return samples


@cache
def truth(name):
    """Return what is true of a sample call."""
    return json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture(params=NAMES)
def sample(request):
    """Each sample call in turn."""
    return request.param
