"""Flat tops, against the share of time that a sine spends above its clipping level."""

import io

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from hackles.features.clipping import clipped_ratio
from tests.features.signals import frames_of, harmonics, tone, white_noise


def clipped(samples: np.ndarray, top: float = 1.0) -> np.ndarray:
    return np.clip(samples, -top, top)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(drive=st.floats(1.1, 10.0), top=st.floats(0.98, 1.0))
def test_a_clipped_sine_lies_at_its_top_for_the_known_share_of_time(drive, top):
    found = clipped_ratio(frames_of(clipped(tone(321.0, drive), top)))
    expected = 1.0 - 2.0 / np.pi * np.arcsin(0.99 * top / drive)
    np.testing.assert_allclose(found, expected, atol=0.05)
    assert found.mean() == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("amplitude", [0.0, 0.1, 0.5, 0.97])
def test_a_sine_below_full_scale_is_not_clipped(amplitude):
    assert np.all(clipped_ratio(frames_of(tone(321.0, amplitude))) == 0.0)


def test_a_voice_that_only_touches_full_scale_hardly_counts():
    voice = harmonics(150.0, 1.0, 2.0)
    assert np.all(clipped_ratio(frames_of(voice / np.abs(voice).max())) <= 0.03)


def test_samples_beyond_full_scale_have_head_room():
    assert np.all(clipped_ratio(frames_of(tone(321.0, 1.5))) == 0.0)
    assert np.all(clipped_ratio(frames_of(clipped(tone(321.0, 3.0), 1.5))) == 0.0)


@pytest.mark.parametrize("subtype", ["ULAW", "ALAW", "PCM_16"])
def test_clipping_is_seen_behind_every_line_code(subtype):
    file = io.BytesIO()
    soundfile.write(file, clipped(tone(321.0, 2.0)), 8000, format="WAV", subtype=subtype)
    file.seek(0)
    samples, _ = soundfile.read(file, dtype="float32")
    assert np.all(clipped_ratio(frames_of(samples)) > 0.6)


def test_one_side_is_enough():
    samples = np.minimum(tone(321.0, 2.0) - 0.9, 1.0)
    samples = np.maximum(samples, -0.9)
    assert np.all(clipped_ratio(frames_of(samples)) > 0.05)


def test_clipping_that_was_turned_down_afterwards_is_not_seen():
    assert np.all(clipped_ratio(frames_of(0.5 * clipped(tone(321.0, 2.0)))) == 0.0)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(factors=st.lists(st.floats(0.0, 3.0), min_size=1, max_size=8), seed=st.integers(0, 99))
def test_a_frame_knows_nothing_of_the_frames_beside_it(factors, seed):
    noise = white_noise(0.04 * len(factors), seed).astype(np.float32).reshape(-1, 320)
    frames = clipped(noise * np.array(factors, dtype=np.float32)[:, None])
    alone = [clipped_ratio(frame[None])[0] for frame in frames]
    assert np.array_equal(clipped_ratio(frames), alone)
    assert np.all((np.array(alone) >= 0.0) & (np.array(alone) <= 1.0))


def test_nothing_gives_nothing():
    assert clipped_ratio(np.zeros((0, 320), dtype=np.float32)).shape == (0,)
