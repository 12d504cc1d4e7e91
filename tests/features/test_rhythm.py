"""Syllables: peaks of the level, where the number of peaks is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hackles.features import LLD, in_tiles
from hackles.features.rhythm import _smoothed, syllable_rate, voiced_segments
from tests.features.signals import clock, frames_of, harmonics, tone, white_noise


def rate_of(samples: np.ndarray) -> float:
    llds = in_tiles(frames_of(samples))[None]
    voiced = llds[:, :, LLD["f0_st"]] > 0.0
    return float(syllable_rate(llds[:, :, LLD["level_db"]], voiced, np.ones_like(voiced))[0])


def modulated(rate_hz: float, f0_hz: float, phase: float, depth: float) -> np.ndarray:
    """Return 3 s of a voice that swells and fades `rate_hz` times a second, in a little noise."""
    swell = (1.0 - depth * np.cos(2 * np.pi * rate_hz * clock(3.0) + phase)) / 2.0
    return 0.1 * harmonics(f0_hz, 1.0, 3.0) * swell + 1e-4 * white_noise(3.0)


@pytest.mark.parametrize("rate_hz", [3.0, 4.0, 5.0])
@pytest.mark.parametrize("f0", [100.0, 150.0, 220.0])
@pytest.mark.parametrize("phase", [0.0, 1.0, 2.5, 4.0])
@pytest.mark.parametrize("depth", [0.6, 0.9])
def test_swells_of_a_voice_are_syllables(rate_hz, f0, phase, depth):
    # A swell that the window's edge cuts may count or not: one in not quite three seconds.
    assert rate_of(modulated(rate_hz, f0, phase, depth)) == pytest.approx(rate_hz, abs=0.4)


def test_swells_of_noise_are_not_syllables():
    swell = (1.0 - 0.9 * np.cos(2 * np.pi * 4.0 * clock(3.0))) / 2.0
    assert rate_of(0.1 * white_noise(3.0) * swell) == 0.0


def test_a_held_vowel_is_no_stream_of_syllables():
    assert rate_of(0.1 * harmonics(150.0, 1.0, 3.0) + 1e-3 * white_noise(3.0)) == 0.0


def test_swells_under_two_decibels_do_not_count():
    at = np.arange(300)
    level = (-20.0 + 0.9 * np.sin(2 * np.pi * at / 25)).astype(np.float32)[None]
    every = np.ones((1, 300), dtype=bool)
    assert syllable_rate(level, every, every)[0] == 0.0
    assert syllable_rate(4 * level, every, every)[0] == pytest.approx(4.0, abs=0.4)


def test_a_syllable_with_a_level_top_counts_once():
    level = np.repeat([-60.0, -20.0, -60.0], [40, 20, 40]).astype(np.float32)[None]
    every = np.ones((1, 100), dtype=bool)
    assert syllable_rate(level, every, every)[0] == 1.0


def test_four_beeps_a_second_are_four_peaks_a_second():
    beeps = tone(1000.0, 0.1, 3.0) * (clock(3.0) % 0.25 < 0.15)
    assert rate_of(beeps) == pytest.approx(4.0, abs=0.4)


levels = hnp.arrays(np.int32, (3, 80), elements=st.integers(-800, 0)).map(
    lambda eighths: (eighths / 8).astype(np.float32)
)
flags = hnp.arrays(np.bool_, (3, 80))


@settings(derandomize=True, deadline=None, max_examples=60)
@given(level=levels, voiced=flags, valid=flags)
def test_rates_are_finite_and_never_above_a_peak_a_frame(level, voiced, valid):
    rate = syllable_rate(level, voiced, valid)
    assert np.all((rate >= 0.0) & (rate <= 100.0))


@settings(derandomize=True, deadline=None, max_examples=60)
@given(level=levels, voiced=flags, db=st.sampled_from([-12.0, 12.0]))
def test_gain_keeps_the_rate(level, voiced, db):
    every = np.ones_like(voiced)
    moved = syllable_rate(level + np.float32(db), voiced, every)
    assert np.array_equal(moved, syllable_rate(level, voiced, every))


@settings(derandomize=True, deadline=None, max_examples=60)
@given(level=levels, voiced=flags, valid=flags)
def test_a_row_knows_nothing_of_the_rows_beside_it(level, voiced, valid):
    together = syllable_rate(level, voiced, valid)
    alone = [syllable_rate(level[i : i + 1], voiced[i : i + 1], valid[i : i + 1]) for i in range(3)]
    assert np.array_equal(together, np.concatenate(alone))


@settings(derandomize=True, deadline=None, max_examples=60)
@given(level=levels, voiced=flags, valid=flags, garbage=st.floats(-100.0, 100.0, width=32))
def test_entries_outside_the_window_do_not_matter(level, voiced, valid, garbage):
    other = np.where(valid, level, np.float32(garbage))
    assert np.array_equal(syllable_rate(other, voiced, valid), syllable_rate(level, voiced, valid))


def test_an_empty_window_has_no_syllables():
    none = np.zeros((2, 50), dtype=bool)
    assert syllable_rate(np.zeros((2, 50), dtype=np.float32), none, none).tolist() == [0.0, 0.0]


@settings(derandomize=True, deadline=None, max_examples=60)
@given(voiced=flags, valid=flags)
def test_voiced_segments_hold_all_voiced_frames(voiced, valid):
    voiced = voiced & valid
    adjacent = valid[:, 1:] & valid[:, :-1]
    length_s, rate = voiced_segments(voiced, adjacent, valid)
    share = voiced.sum(axis=1) / np.maximum(valid.sum(axis=1), 1)
    np.testing.assert_allclose(length_s * rate, share, rtol=1e-4)


@pytest.mark.parametrize("n_valid", [0, 1, 2])
def test_hardly_a_frame_is_no_segment(n_valid):
    valid = np.arange(4)[None] >= 4 - n_valid
    none = np.zeros((1, 4), dtype=bool)
    assert [float(x[0]) for x in voiced_segments(none, none[:, 1:], valid)] == [0.0, 0.0]


def test_smoothing_is_the_mean_of_five_with_the_ends_held():
    values = np.arange(8, dtype=np.float32)[None] ** 2
    padded = np.concatenate([[0.0, 0.0], values[0], [49.0, 49.0]])
    expected = np.convolve(padded, np.full(5, 0.2), "valid")
    np.testing.assert_allclose(_smoothed(values)[0], expected, rtol=1e-5)
