"""Level, against closed forms."""

import numpy as np
import pytest

from hackles.features.energy import level_db
from hackles.features.spectrum import power_spectrum
from tests.features import signals
from tests.features.signals import band_limited, frames_of, tone, white_noise


def level_of(samples: np.ndarray) -> np.ndarray:
    return level_db(power_spectrum(frames_of(samples)))


@pytest.mark.parametrize("hz", [350.0, 1000.0, 1234.5, 3300.0])
def test_a_sine_of_amplitude_one_has_minus_three_decibels(hz):
    np.testing.assert_allclose(level_of(tone(hz)), -3.0103, atol=0.01)


@pytest.mark.parametrize("amplitude", [1e-4, 0.01, 0.5, 1.0])
def test_the_level_follows_the_amplitude(amplitude):
    expected = signals.decibels(amplitude) - 3.0103
    np.testing.assert_allclose(level_of(tone(1000.0, amplitude)), expected, atol=0.01)


@pytest.mark.parametrize(
    ("hz", "at_most"),
    [
        (50.0, -75.0),
        (100.0, -70.0),
        (200.0, -50.0),
        (250.0, -35.0),
        (3450.0, -35.0),
        (3600.0, -65.0),
    ],
)
def test_a_tone_outside_the_band_is_rejected(hz, at_most):
    assert np.all(level_of(tone(hz)) < at_most)


def test_a_constant_offset_of_full_scale_is_rejected_by_seventy_decibels():
    assert np.all(level_of(np.ones(1600)) < -70.0)


def test_an_offset_does_not_change_the_level_of_a_tone():
    np.testing.assert_allclose(level_of(0.1 * tone(1000.0) + 0.5), -23.01, atol=0.01)


def test_band_limited_noise_has_the_level_of_its_mean_square():
    noise = band_limited(white_noise(20.0))
    power = power_spectrum(frames_of(noise)).sum(axis=1).mean()
    assert power == pytest.approx(float(np.mean(noise**2)), rel=0.02)


def test_digital_silence_has_the_floor():
    assert np.all(level_of(np.zeros(1600)) == -120.0)


@pytest.mark.parametrize("db", [-12.0, 12.0])
def test_gain_moves_the_level_by_itself(db):
    noise = 0.05 * white_noise(0.5)
    moved = level_of(noise * signals.gain(db))
    np.testing.assert_allclose(moved, level_of(noise) + db, atol=1e-3)
