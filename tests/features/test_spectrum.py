"""The band-limited spectrum and its shape, against closed forms of tones."""

import numpy as np
import pytest
import scipy.fft
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hackles.config import BAND_HZ, FRAME_LENGTH, N_FFT, SAMPLE_RATE
from hackles.features.spectrum import (
    BINS_HZ,
    N_BINS,
    N_MELS,
    N_MFCCS,
    alpha_ratio_db,
    centre_and_spread_hz,
    decibels,
    flux_db,
    hammarberg_db,
    log_mel_db,
    mfcc,
    power_spectrum,
)
from tests.features import signals
from tests.features.signals import frames_of, tone, white_noise


def spectrum_of(samples: np.ndarray) -> np.ndarray:
    return power_spectrum(frames_of(samples))


def centre_of(samples: np.ndarray) -> np.ndarray:
    return centre_and_spread_hz(spectrum_of(samples))[0]


def spread_of(samples: np.ndarray) -> np.ndarray:
    return centre_and_spread_hz(spectrum_of(samples))[1]


def mel_edges_hz() -> np.ndarray:
    """Feet and tops of the triangles, by O'Shaughnessy's formula and its inverse."""
    low, high = (2595.0 * np.log10(1.0 + hz / 700.0) for hz in BAND_HZ)
    return 700.0 * (10.0 ** (np.linspace(low, high, N_MELS + 2) / 2595.0) - 1.0)


def test_only_bins_within_the_telephone_band_are_kept():
    assert BAND_HZ[0] <= BINS_HZ[0] < BAND_HZ[0] + SAMPLE_RATE / N_FFT
    assert BAND_HZ[1] - SAMPLE_RATE / N_FFT < BINS_HZ[-1] <= BAND_HZ[1]
    assert spectrum_of(tone(1000.0)).shape[1] == N_BINS == len(BINS_HZ)


def test_a_row_sums_to_the_windowed_mean_square_of_the_band():
    frames = frames_of(white_noise(0.5))
    window = np.hanning(FRAME_LENGTH + 2)[1:-1]
    whole = np.abs(np.fft.fft(frames.astype(np.float64) * window, N_FFT, axis=1)) ** 2
    hz = np.abs(np.fft.fftfreq(N_FFT, 1 / SAMPLE_RATE))
    inside = (hz >= BAND_HZ[0]) & (hz <= BAND_HZ[1])
    expected = whole[:, inside].sum(axis=1) / N_FFT / np.sum(window**2)
    np.testing.assert_allclose(power_spectrum(frames).sum(axis=1), expected, rtol=1e-5)


def test_all_bins_of_noise_get_the_same_share():
    power = spectrum_of(white_noise(20.0)).mean(axis=0)
    density = 2.0 / N_FFT
    np.testing.assert_allclose(power, density, rtol=0.25)
    assert power.mean() == pytest.approx(density, rel=0.02)


@pytest.mark.parametrize("ratio", [0.1, 0.5, 1.0, 3.0])
def test_alpha_ratio_of_two_tones_is_their_ratio(ratio):
    power = spectrum_of(0.2 * tone(500.0) + 0.2 * ratio * tone(2500.0))
    np.testing.assert_allclose(alpha_ratio_db(power), signals.decibels(ratio), atol=0.01)


@pytest.mark.parametrize("ratio", [0.1, 0.5, 1.0, 3.0])
def test_hammarberg_of_two_tones_is_the_ratio_of_the_lower_to_the_upper(ratio):
    power = spectrum_of(0.2 * tone(1500.0) + 0.2 * ratio * tone(2500.0))
    np.testing.assert_allclose(hammarberg_db(power), -signals.decibels(ratio), atol=0.01)


def test_the_alpha_ratio_parts_at_one_kilohertz():
    assert np.all(alpha_ratio_db(spectrum_of(tone(940.0))) < -30.0)
    assert np.all(alpha_ratio_db(spectrum_of(tone(1060.0))) > 30.0)


def test_the_hammarberg_index_parts_at_two_kilohertz():
    assert np.all(hammarberg_db(spectrum_of(tone(1940.0))) > 30.0)
    assert np.all(hammarberg_db(spectrum_of(tone(2060.0))) < -30.0)


def test_hammarberg_looks_at_the_strongest_only():
    few = 0.2 * tone(500.0) + 0.1 * tone(2500.0)
    many = few + 0.15 * (tone(750.0) + tone(1000.0) + tone(1250.0)) + 0.05 * tone(3000.0)
    expected = hammarberg_db(spectrum_of(few))
    np.testing.assert_allclose(hammarberg_db(spectrum_of(many)), expected, atol=0.05)


@pytest.mark.parametrize("hz", [400.0, 777.0, 1000.0, 1850.0, 2601.0, 3200.0])
def test_the_centroid_of_a_tone_is_its_frequency(hz):
    np.testing.assert_allclose(centre_of(tone(hz)), hz, atol=0.5)


def test_the_centroid_of_two_tones_is_weighted_by_power():
    both = tone(1000.0) + 2.0 * tone(2000.0)
    np.testing.assert_allclose(centre_of(both), (1000.0 + 4 * 2000.0) / 5, atol=0.5)


@pytest.mark.parametrize("hz", [400.0, 1000.0, 1850.0, 3200.0])
def test_a_tone_is_spread_by_the_window_alone(hz):
    # A Hann window's power has its second moment at 1 / sqrt(3) of a bin of 25 Hz.
    np.testing.assert_allclose(spread_of(tone(hz)), 25.0 / np.sqrt(3.0), atol=0.5)


@pytest.mark.parametrize(("low", "high"), [(500.0, 3000.0), (1000.0, 2000.0), (1800.0, 1900.0)])
def test_two_tones_are_spread_by_half_their_distance(low, high):
    expected = np.hypot((high - low) / 2, 25.0 / np.sqrt(3.0))
    np.testing.assert_allclose(spread_of(tone(low) + tone(high)), expected, rtol=0.01)


def test_white_noise_is_spread_like_a_flat_band():
    # A uniform distribution of width w has the standard deviation w / sqrt(12).
    power = spectrum_of(white_noise(60.0)).mean(axis=0, keepdims=True)
    centre, spread = centre_and_spread_hz(power)
    assert centre[0] == pytest.approx(1850.0, abs=15.0)
    assert spread[0] == pytest.approx(3100.0 / np.sqrt(12.0), rel=0.01)


@pytest.mark.parametrize("band", range(N_MELS))
def test_a_tone_at_the_top_of_a_mel_band_is_strongest_there(band):
    mel_db = log_mel_db(spectrum_of(tone(mel_edges_hz()[band + 1])))
    assert np.all(mel_db.argmax(axis=1) == band)
    # The window spreads the tone; the narrow low bands lose up to 1.5 dB of it to the next ones.
    np.testing.assert_allclose(mel_db[:, band], -3.01, atol=1.6)


@pytest.mark.parametrize("hz", [500.0, 1010.0, 1777.0, 2900.0])
def test_the_mel_bands_share_out_all_power_between_the_outer_tops(hz):
    mel_db = log_mel_db(spectrum_of(tone(hz))).astype(np.float64)
    np.testing.assert_allclose(np.sum(10 ** (mel_db / 10), axis=1), 0.5, rtol=1e-3)


@pytest.mark.parametrize("order", range(1, N_MFCCS + 1))
def test_a_spectrum_that_is_a_cosine_has_one_mfcc(order):
    shape = np.cos(np.pi * order * (np.arange(N_MELS) + 0.5) / N_MELS)
    found = mfcc((7.0 * shape - 50.0).astype(np.float32)[None])[0]
    expected = np.zeros(N_MFCCS)
    expected[order - 1] = 7.0 * np.sqrt(N_MELS / 2) * np.log(10.0) / 10.0
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_mfcc_are_the_orthonormal_cosine_transform_of_natural_logarithms():
    mel_db = log_mel_db(spectrum_of(white_noise(0.5)))
    natural = mel_db.astype(np.float64) * np.log(10.0) / 10.0
    expected = scipy.fft.dct(natural, axis=1, norm="ortho")[:, 1 : N_MFCCS + 1]
    np.testing.assert_allclose(mfcc(mel_db), expected, atol=1e-4)


@pytest.mark.parametrize("db", [-20.0, -1.0, 0.0, 6.0])
def test_a_step_of_the_gain_is_a_flux_of_as_many_decibels(db):
    power = spectrum_of(0.05 * white_noise(0.5))
    before, after = log_mel_db(power), log_mel_db(power * np.float32(10 ** (db / 10)))
    np.testing.assert_allclose(flux_db(after, before), abs(db), atol=1e-4)


def test_a_band_that_moves_alone_counts_for_its_share():
    before = np.full((1, N_MELS), -40.0, dtype=np.float32)
    after = before.copy()
    after[0, 3] += 10.0
    after[0, 11] -= 30.0
    for some, other in ((after, before), (before, after)):
        assert flux_db(some, other)[0] == pytest.approx(40.0 / N_MELS)


def test_silence_is_at_the_floor_and_has_a_neutral_shape():
    power = spectrum_of(np.zeros(1600))
    assert np.all(log_mel_db(power) == -120.0)
    assert np.all(alpha_ratio_db(power) == 0.0)
    assert np.all(hammarberg_db(power) == 0.0)
    centre, spread = centre_and_spread_hz(power)
    assert np.all(centre == 1850.0)
    assert np.all(spread == 0.0)
    np.testing.assert_allclose(mfcc(log_mel_db(power)), 0.0, atol=1e-4)


def test_decibels_have_a_floor_and_no_ceiling():
    power = np.array([0.0, 1e-13, 1e-12, 1.0, 1e12], dtype=np.float32)
    np.testing.assert_allclose(decibels(power), [-120.0, -120.0, -120.0, 0.0, 120.0], atol=1e-4)


@pytest.mark.parametrize("db", [-12.0, 12.0])
def test_gain_moves_the_mel_bands_alike_and_leaves_the_shape(db):
    noise = 0.05 * white_noise(0.5)
    before, after = spectrum_of(noise), spectrum_of(noise * signals.gain(db))
    np.testing.assert_allclose(log_mel_db(after), log_mel_db(before) + db, atol=1e-3)
    for shape in (alpha_ratio_db, hammarberg_db, lambda power: mfcc(log_mel_db(power))):
        np.testing.assert_allclose(shape(after), shape(before), atol=1e-3)
    for some, other in zip(centre_and_spread_hz(after), centre_and_spread_hz(before), strict=True):
        np.testing.assert_allclose(some, other, rtol=1e-5)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    hnp.arrays(
        np.float32, (3, N_BINS), elements=st.sampled_from([0.0, 1e-38, 1e-12, 1e-6, 1.0, 1e12])
    )
)
def test_any_power_has_a_finite_shape(power):
    for shape in (alpha_ratio_db, hammarberg_db, lambda power: mfcc(log_mel_db(power))):
        assert np.all(np.isfinite(shape(power)))
    centre, spread = centre_and_spread_hz(power)
    assert np.all((centre >= 300.0) & (centre <= 3400.0))
    assert np.all((spread >= 0.0) & (spread <= 1550.0))
