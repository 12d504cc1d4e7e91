"""What several tests share: the sample calls, and the customer's side of them."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile

SAMPLES = Path(__file__).parents[1] / "audio_samples"
NAMES = sorted(path.stem for path in SAMPLES.glob("*_*.wav"))


@cache
def customer(name):
    """Return the customer's samples of a sample call, float32, 8 kHz."""
    stereo, rate = soundfile.read(SAMPLES / f"{name}.wav", dtype="float32")
    assert rate == 8000
    samples = np.ascontiguousarray(stereo[:, 1])
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
