"""Voicing: near 1 where the sound repeats, low in noise, and a harmonics-to-noise ratio between."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hackles.features.harmonicity import autocorrelation, half_lags, hnr_db, voicing
from hackles.features.spectrum import FIRST_BIN, N_BINS, power_spectrum
from tests.features import signals
from tests.features.signals import (
    band_limited,
    frames_of,
    harmonics,
    pink_noise,
    tone,
    white_noise,
)


def voicing_of(samples: np.ndarray) -> np.ndarray:
    return voicing(autocorrelation(power_spectrum(frames_of(samples))))


@pytest.mark.parametrize("hz", [80.0, 100.0, 125.0, 200.0, 250.0, 400.0])
def test_a_period_of_whole_samples_is_perfectly_periodic(hz):
    assert np.all(voicing_of(harmonics(hz)) > 0.99)


@pytest.mark.parametrize("hz", [155.0, 160.0, 310.0, 320.0])
def test_a_partial_on_the_edge_of_the_band_costs_a_little(hz):
    # Half of its peak is cut off; what is left repeats longer than the window lets it.
    assert np.all(voicing_of(harmonics(hz)) > 0.97)
    assert np.all(voicing_of(harmonics(hz, 1.0)) > 0.84)
    assert np.all(voicing_of(harmonics(hz, 2.0)) > 0.71)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(hz=st.floats(75.0, 500.0), tilt=st.floats(0.0, 2.0), seed=st.integers(0, 99))
def test_any_periodic_sound_is_voiced(hz, tilt, seed):
    assert np.all(voicing_of(harmonics(hz, tilt, 0.2, seed)) > 0.6)


@pytest.mark.parametrize("hz", [88.4, 101.9, 117.0, 150.0])
def test_any_period_is_perfectly_periodic(hz):
    assert np.all(voicing_of(harmonics(hz)) > 0.95)


@pytest.mark.parametrize("noise", [white_noise, pink_noise])
def test_noise_is_never_voiced(noise):
    strength = voicing_of(noise(10.0))
    assert np.median(strength) < 0.3
    assert strength.max() < 0.5


def test_silence_is_not_voiced():
    assert np.all(voicing_of(np.zeros(1600)) == 0.0)


def test_a_tone_is_periodic():
    assert np.all(voicing_of(tone(1000.0)) > 0.99)


@pytest.mark.parametrize("hz", [100.0, 160.0, 200.0])
@pytest.mark.parametrize("snr_db", [0.0, 5.0, 10.0, 15.0, 20.0])
def test_r_over_one_minus_r_is_the_harmonics_to_noise_ratio(hz, snr_db):
    noise = band_limited(white_noise(5.0))
    noise *= signals.gain(-snr_db) / np.sqrt(np.mean(noise**2))
    power_ratio = 10 ** (snr_db / 10)
    strength = voicing_of(harmonics(hz, 0.0, 5.0) + noise)
    # The maximum over lags likes noise a little: 0.04 too much at 0 dB.
    assert strength.mean() == pytest.approx(power_ratio / (1 + power_ratio), abs=0.045)


@pytest.mark.parametrize("hz", [89.0, 100.0, 145.0, 160.0, 200.0, 237.0, 400.0])
@pytest.mark.parametrize("snr_db", [0.0, 5.0, 10.0, 15.0])
def test_harmonics_in_noise_have_their_ratio_in_decibels(hz, snr_db):
    noise = band_limited(white_noise(5.0, 7))
    noise *= signals.gain(-snr_db) / np.sqrt(np.mean(noise**2))
    found = hnr_db(voicing_of(harmonics(hz, 0.0, 5.0) + noise))
    assert np.median(found) == pytest.approx(snr_db, abs=2.0)


@pytest.mark.parametrize("hz", [80.0, 89.0, 125.0, 158.0, 220.0, 300.0])
def test_a_clean_voice_has_a_high_ratio_wherever_its_period_falls(hz):
    # An eighth of a lag beside the top, it would be 14 dB.
    assert np.all(hnr_db(voicing_of(harmonics(hz, 0.0))) > 17.0)


@pytest.mark.parametrize("ratio_db", [-15.0, -3.0, 0.0, 10.0, 30.0])
def test_the_ratio_of_a_strength_is_r_over_one_minus_r(ratio_db):
    ratio = 10 ** (ratio_db / 10)
    strength = np.array([ratio / (1 + ratio)], dtype=np.float32)
    assert hnr_db(strength)[0] == pytest.approx(ratio_db, abs=0.01)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(hnp.arrays(np.float32, 20, elements=st.floats(0.0, 1.0, width=32)))
def test_the_ratio_rises_with_strength_and_stays_within_its_limits(strength):
    found = hnr_db(np.sort(strength))
    assert np.all(np.diff(found) >= 0.0)
    assert np.all((found >= -20.0) & (found <= 40.0))
    assert hnr_db(np.float32([0.0, 1.0])).tolist() == [-20.0, 40.0]


def test_more_noise_never_makes_it_more_voiced():
    noise = band_limited(white_noise(5.0))
    voice = harmonics(180.0, 1.0, 5.0)
    means = [voicing_of(voice + signals.gain(-snr) * noise).mean() for snr in (20, 15, 10, 5, 0)]
    assert means == sorted(means, reverse=True)


@pytest.mark.parametrize("db", [-12.0, 12.0])
def test_gain_keeps_voicing(db):
    voice = 0.05 * (harmonics(150.0) + white_noise(0.5))
    np.testing.assert_allclose(voicing_of(signals.gain(db) * voice), voicing_of(voice), atol=1e-5)


def test_the_half_lags_of_a_line_lie_on_its_cosine():
    power = np.zeros((1, N_BINS), dtype=np.float32)
    power[0, 64 - FIRST_BIN] = 1.0  # bin 64 of 512: 1 kHz, a period of 8 samples
    lags = np.arange(256) + 0.5
    np.testing.assert_allclose(half_lags(power)[0], 2 * np.cos(2 * np.pi * lags / 8), atol=1e-5)
