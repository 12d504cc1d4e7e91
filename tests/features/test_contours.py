"""Contours: what their bytes mean, and what is made of two frames."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hackles.features import N_CONTOURS, contour_codes, contours
from hackles.features.contours import PITCH, VOICING
from hackles.features.spectrum import N_MELS

# In steps that single precision holds exactly, so that what is claimed of them is exact too.
LEVELS = hnp.arrays(np.int64, (6, N_MELS), elements=st.integers(-100 * 64, -20 * 64)).map(
    lambda steps: (steps / 64).astype(np.float32)
)
CODES = hnp.arrays(np.uint8, (3, 8, N_CONTOURS))
VALID = hnp.arrays(np.bool_, (3, 8))


def coded(mel_db=-60.0, f0_st=0.0, voicing=0.0, n=1):
    """Return the codes of frames that are all alike."""
    bands, pitch, voiced = (
        np.full(shape, value, np.float32)
        for shape, value in (((n, N_MELS), mel_db), ((n,), f0_st), ((n,), voicing))
    )
    return contour_codes(bands, pitch, voiced)


def paired(first, second):
    """Return the contours of one window of two frames, each given as a byte for every contour."""
    frames = np.stack([np.full(N_CONTOURS, byte, np.uint8) for byte in (first, second)])
    return contours(frames[None], np.ones((1, 2), np.bool_))[0, 0]


@pytest.mark.parametrize(
    ("mel_db", "byte"), [(-300, 1), (-120, 1), (-119.5, 1), (-119, 2), (-60, 120), (7.5, 255)]
)
def test_a_band_is_in_half_decibels_over_the_floor(mel_db, byte):
    assert set(coded(mel_db)[0, :N_MELS]) == {byte}


def test_nothing_leaves_the_byte():
    most = coded(mel_db=60.0, f0_st=200.0, voicing=9.0)
    assert most[0].tolist() == [255] * N_CONTOURS
    assert coded(f0_st=-3.0, voicing=-0.1)[0, N_MELS:].tolist() == [0, 0]


@given(LEVELS)
def test_12_db_more_are_exactly_24_more_in_every_band(mel_db):
    none = np.zeros(len(mel_db), np.float32)
    quiet, loud = (contour_codes(level, none, none) for level in (mel_db, mel_db + np.float32(12)))
    assert np.array_equal(quiet[:, :N_MELS].astype(int) + 24, loud[:, :N_MELS])
    assert np.array_equal(quiet[:, N_MELS:], loud[:, N_MELS:])


def test_an_octave_more_is_48_more():
    low, high = (coded(f0_st=st_over)[0, PITCH] for st_over in (24.25, 36.25))
    assert (low, high - low) == (97, 48)


def test_voicing_is_in_200ths():
    assert [coded(voicing=share)[0, VOICING] for share in (0.0, 0.25, 1.0)] == [0, 50, 200]


def test_every_frame_is_told_from_none_even_in_digital_silence():
    assert coded(-1e9)[0, :N_MELS].all()
    nothing = np.zeros((1, 4, N_CONTOURS), np.uint8)
    assert not contours(nothing, np.zeros((1, 4), np.bool_)).any()


def test_the_mean_of_two_is_rounded_up():
    assert set(paired(100, 101)) == {101}
    assert set(paired(100, 102)) == {101}
    assert set(paired(255, 254)) == {255}


@pytest.mark.parametrize("pair", [(0, 97), (97, 0)])
def test_a_pitch_is_not_averaged_with_none(pair):
    found = paired(*pair)
    assert found[PITCH] == 97
    assert found[VOICING] == 49


def test_two_frames_without_a_pitch_have_none():
    assert paired(0, 0)[PITCH] == 0


@given(CODES, VALID)
def test_a_pair_lies_between_its_frames_and_is_zeros_unless_both_are_valid(codes, valid):
    found = contours(codes, valid)
    assert found.shape == (3, 4, N_CONTOURS)
    assert found.dtype == np.uint8
    both = valid[:, ::2] & valid[:, 1::2]
    assert not found[~both].any()
    first, second = codes[:, ::2], codes[:, 1::2]
    least, most = np.minimum(first, second), np.maximum(first, second)
    assert (found[both] >= least[both]).all()
    assert (found[both] <= most[both]).all()
    mean = -(-(first.astype(int) + second) // 2)
    exact = np.ones(found.shape, np.bool_)
    exact[:, :, PITCH] = (first[:, :, PITCH] > 0) & (second[:, :, PITCH] > 0)
    exact &= both[:, :, None]
    assert np.array_equal(found[exact], mean[exact])


@given(CODES, VALID)
def test_windows_do_not_touch_each_other_nor_what_they_were_made_of(codes, valid):
    before = codes.copy()
    together = contours(codes, valid)
    assert np.array_equal(codes, before)
    for row in range(len(codes)):
        assert np.array_equal(
            contours(codes[row : row + 1], valid[row : row + 1])[0], together[row]
        )


@given(LEVELS, st.integers(0, 5))
@settings(max_examples=30)
def test_a_frame_is_coded_as_if_it_were_alone(mel_db, row):
    pitch = np.linspace(0, 40, len(mel_db), dtype=np.float32)
    voicing = np.linspace(0, 1, len(mel_db), dtype=np.float32)
    one = slice(row, row + 1)
    alone = contour_codes(mel_db[one], pitch[one], voicing[one])
    assert np.array_equal(alone[0], contour_codes(mel_db, pitch, voicing)[row])
