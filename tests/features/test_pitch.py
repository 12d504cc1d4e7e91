"""F0 of band-limited sound whose F0 is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hackles.features.pitch import F0_MAX_HZ, F0_MIN_HZ, f0_st, lag_transform, parabolic_offset
from hackles.features.spectrum import N_BINS, power_spectrum
from tests.features import signals
from tests.features.signals import frames_of, harmonics, tone, white_noise


def f0_hz(samples: np.ndarray) -> np.ndarray:
    return 27.5 * 2.0 ** (f0_st(power_spectrum(frames_of(samples))) / 12.0)


@pytest.mark.parametrize("hz", [100.0, 150.0, 220.0, 350.0])
@pytest.mark.parametrize("tilt", [0.0, 1.0, 2.0])
def test_harmonics_without_their_fundamental_give_it(hz, tilt):
    np.testing.assert_allclose(f0_hz(harmonics(hz, tilt)), hz, rtol=0.01)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(hz=st.floats(72.0, 340.0), tilt=st.floats(0.0, 2.0), seed=st.integers(0, 99))
def test_any_f0_up_to_340_hertz_is_found_within_one_percent(hz, tilt, seed):
    np.testing.assert_allclose(f0_hz(harmonics(hz, tilt, 0.2, seed)), hz, rtol=0.01)


@pytest.mark.parametrize("hz", [400.0, 425.0, 450.0, 490.0])
def test_f0_is_found_up_to_the_ceiling(hz):
    np.testing.assert_allclose(f0_hz(harmonics(hz, 1.0)), hz, rtol=0.01)


@pytest.mark.parametrize("hz", [110.0, 180.0, 260.0])
def test_formants_do_not_pose_as_a_pitch(hz):
    time, voice = signals.clock(0.5), 0.0
    for k in range(1, 40):
        if 300.0 <= k * hz <= 3400.0:
            height = sum(1 / (1 + ((k * hz - f) / 60.0) ** 2) for f in (650.0, 1100.0, 2450.0))
            voice = voice + (height + 0.01) * np.cos(2 * np.pi * k * hz * time + k * k)
    np.testing.assert_allclose(f0_hz(voice), hz, rtol=0.01)


@pytest.mark.parametrize("hz", [100.0, 150.0, 220.0, 350.0])
def test_mains_hum_and_an_offset_do_not_move_f0(hz):
    disturbed = harmonics(hz) + tone(50.0) + 0.3
    np.testing.assert_allclose(f0_hz(disturbed), hz, rtol=0.01)


@pytest.mark.parametrize("hz", [100.0, 150.0, 220.0])
def test_noise_ten_decibels_below_hardly_moves_f0(hz):
    found = f0_hz(harmonics(hz, 1.0, 3.0) + signals.gain(-10.0) * white_noise(3.0))
    assert np.mean(np.abs(found / hz - 1.0) > 0.2) < 0.05


def test_halving_the_gain_keeps_f0():
    voice = harmonics(150.0, 1.0) + 0.01 * white_noise(0.5)
    np.testing.assert_allclose(f0_hz(0.5 * voice), f0_hz(voice), rtol=1e-4)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(db=st.floats(-12.0, 12.0), hz=st.floats(72.0, 340.0))
def test_gain_within_twelve_decibels_keeps_f0(db, hz):
    voice = 0.1 * harmonics(hz, 1.0, 0.2)
    np.testing.assert_allclose(f0_hz(signals.gain(db) * voice), f0_hz(voice), rtol=1e-3)


def test_a_fourfold_gain_keeps_f0_of_noise_to_the_bit():
    frames = frames_of(white_noise(2.0))
    before = f0_st(power_spectrum(frames))
    for factor in (0.25, 4.0):
        assert np.array_equal(f0_st(power_spectrum(np.float32(factor) * frames)), before)


def test_there_is_a_candidate_in_range_even_in_silence_and_noise():
    for samples in (np.zeros(8000), white_noise(1.0), tone(1000.0, seconds=1.0)):
        found = f0_hz(samples)
        assert np.all((found > 0.98 * F0_MIN_HZ) & (found < 1.04 * F0_MAX_HZ))


@given(top=st.floats(-0.5, 0.5), height=st.floats(0.1, 100.0), bend=st.floats(0.1, 100.0))
@settings(derandomize=True, deadline=None)
def test_the_top_of_a_parabola_is_found(top, height, bend):
    at = np.arange(-3, 4)
    curve = (height - bend * (at - top) ** 2).astype(np.float32)[None, :]
    found = parabolic_offset(curve, np.array([3]))
    assert found[0] == pytest.approx(top, abs=1e-3 + 1e-6 * height / bend)


def test_a_flat_curve_has_its_top_in_the_middle():
    assert parabolic_offset(np.ones((2, 5), dtype=np.float32), np.array([2, 2])).tolist() == [0, 0]


def test_the_lag_transform_of_a_line_is_a_cosine():
    spectrum = np.zeros((1, N_BINS), dtype=np.float32)
    spectrum[0, 64 - 20] = 1.0  # bin 64 of 512: 1 kHz, a period of 8 samples
    lags = np.arange(257)
    np.testing.assert_allclose(
        lag_transform(spectrum)[0], 2 * np.cos(2 * np.pi * lags / 8), atol=1e-5
    )
