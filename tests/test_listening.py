"""Contours as they come out of a call: the same however it was cut, and beside whatever calls."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hackles.config import CONTOUR_FRAMES
from hackles.features import N_CONTOURS
from hackles.features.contours import PITCH
from hackles.features.spectrum import N_MELS
from hackles.listening import Listener, Measured
from hackles.types import Block
from tests.conftest import customer
from tests.events import blocks

CALL, OTHERS = "en_rising_1", ("es_calm_1", "pl_rising_2", "en_calm_1")
SECONDS = 25


def beginning(name):
    """Return the first seconds of a sample call's customer."""
    return customer(name)[: SECONDS * 8000]


def measured(calls, cuts=()):
    """Return the windows of each call, all heard by one listener and cut alike."""
    listener = Listener(len(calls), max_frames=256)
    found = []
    pieces = [blocks(call, cuts) for call in calls]
    for together in zip(*pieces, strict=True):
        done = [0] * len(calls)
        while any(at < len(b.samples) for at, b in zip(done, together, strict=True)):
            for slot, block in enumerate(together):
                rest = Block(block.samples[done[slot] :], block.start + done[slot])
                done[slot] += listener.push(slot, rest)
            found.append(listener.tick()[0])
    found += [listener.tick()[0], *(listener.flush(slot)[0] for slot in range(len(calls)))]
    every = Measured.join(found)
    return [every.rows(every.slot == slot) for slot in range(len(calls))]


@cache
def whole(name):
    """Return the windows of a call that is heard alone and in one piece."""
    return measured([beginning(name)])[0]


def assert_same_contours(one, other):
    assert np.array_equal(one.position, other.position)
    assert np.array_equal(one.contours, other.contours)


@pytest.mark.parametrize("length", [333, 8000, 41000])
def test_the_size_of_the_blocks_does_not_change_contours(length):
    samples = beginning(CALL)
    (found,) = measured([samples], range(length, len(samples), length))
    assert len(found.slot) > 5
    assert_same_contours(found, whole(CALL))


@settings(max_examples=10, deadline=None)
@given(cuts=st.lists(st.integers(0, SECONDS * 8000), max_size=100))
def test_random_cuts_do_not_change_contours(cuts):
    (found,) = measured([beginning(CALL)], cuts)
    assert_same_contours(found, whole(CALL))


def test_calls_beside_it_do_not_change_a_call_s_contours():
    names = (OTHERS[0], CALL, *OTHERS[1:])
    together = measured([beginning(name) for name in names], range(1700, SECONDS * 8000, 1700))
    for name, found in zip(names, together, strict=True):
        assert_same_contours(found, whole(name))


def test_contours_are_of_the_speech_that_the_window_covers_the_newest_last():
    found = whole(CALL)
    assert found.contours.shape == (len(found.slot), CONTOUR_FRAMES, N_CONTOURS)
    assert found.contours.dtype == np.uint8
    some = found.contours[:, :, :N_MELS].all(axis=2)
    assert np.array_equal(some.sum(axis=1), found.covered // 2)
    assert np.array_equal(found.contours.any(axis=2), some)
    assert (np.diff(some.astype(int), axis=1) >= 0).all()


def test_a_voice_has_a_pitch_in_part_of_it():
    pitch = whole(CALL).contours[-1, :, PITCH]
    assert 0.3 < (pitch > 0).mean() < 1
    assert ((pitch == 0) | (pitch > 4 * 12)).all()  # over 55 Hz


def test_12_db_of_gain_are_24_codes():
    (quiet,) = measured([beginning(CALL) * np.float32(10 ** (-12 / 20))])
    loud = whole(CALL)
    assert np.array_equal(quiet.position, loud.position)
    apart = loud.contours[:, :, :N_MELS].astype(int) - quiet.contours[:, :, :N_MELS]
    heard = quiet.contours[:, :, :N_MELS] > 1
    assert np.abs(apart[heard] - 24).max() <= 1
