"""What needs the frames before, of many calls, against one voice heard in one go."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hackles.features import LLD, N_LLDS, in_tiles, low_level_descriptors, spectra
from hackles.following import Following
from hackles.framing import Batch
from tests.features.signals import frames_of, harmonics, pink_noise, white_noise

MAX_FRAMES = 40
F0, FLUX = LLD["f0_st"], LLD["flux_db"]


def voice(seed: int) -> np.ndarray:
    """Return frames of somebody who jumps by octaves, falls silent and talks in noise."""
    chance = np.random.default_rng(seed)
    hz = chance.uniform(90.0, 200.0)
    parts = [
        harmonics(hz, 1.0, 0.2, seed),
        harmonics(2 * hz, 1.0, 0.1, seed),
        np.zeros(round(chance.uniform(100, 2000))),
        harmonics(hz, 2.0, 0.15, seed) + 0.5 * white_noise(0.15, seed),
        pink_noise(0.1, seed),
        harmonics(0.7 * hz, 0.0, 0.1, seed) * np.linspace(0, 1, 800),
    ]
    return frames_of(0.1 * np.concatenate(parts))


class Call:
    """One voice and how far it was heard."""

    def __init__(self, slot: int, frames: np.ndarray) -> None:
        self.slot, self.frames, self.taken = slot, frames, 0
        self.chosen = np.ones(len(frames), dtype=bool)
        self.llds: list[np.ndarray] = []

    @property
    def left(self) -> int:
        return len(self.frames) - self.taken

    def heard(self) -> np.ndarray:
        return np.concatenate(self.llds)


def tick(following: Following, calls: list[Call], counts: list[int], late: int = 0) -> None:
    """Follow the next frames of some calls; `late` frames of each were lost before."""
    taken = np.array([call.taken for call in calls])
    slots = np.array([call.slot for call in calls])
    batch = Batch(slots, taken + late, np.array(counts), taken)
    some = [slice(call.taken, call.taken + n) for call, n in zip(calls, counts, strict=True)]
    flat = np.concatenate([call.frames[rows] for call, rows in zip(calls, some, strict=True)])
    chosen = np.concatenate([call.chosen[rows] for call, rows in zip(calls, some, strict=True)])
    llds = following.finish(batch, low_level_descriptors(spectra(flat), chosen))
    for call, own in zip(calls, np.split(llds, np.cumsum(counts)[:-1]), strict=True):
        call.llds.append(own)
        call.taken += len(own)


def hear(calls: list[Call], chance: np.random.Generator, widest: int) -> None:
    """Hear all calls to their ends, in ticks of some of them and of any number of frames."""
    following = Following(1 + max(call.slot for call in calls), MAX_FRAMES)
    while rest := [call for call in calls if call.left]:
        some = [call for call in rest if chance.random() < 0.7] or rest[:1]
        counts = [int(chance.integers(1, min(call.left, widest) + 1)) for call in some]
        tick(following, some, counts)


def assert_same(found: np.ndarray, expected: np.ndarray) -> None:
    """Check that F0 is the same to the bit, and flux nearly."""
    assert np.array_equal(found[:, F0], expected[:, F0])
    np.testing.assert_allclose(found[:, FLUX], expected[:, FLUX], atol=1e-4)


@pytest.mark.parametrize("widest", [1, 2, 15, 16, 17, MAX_FRAMES])
def test_ticks_of_any_size_give_the_pitch_and_the_flux_of_one_voice_in_one_go(widest):
    call = Call(0, voice(0))
    hear([call], np.random.default_rng(widest), widest)
    expected = in_tiles(call.frames)
    assert 0.5 < np.mean(expected[:, F0] > 0.0) < 1.0
    assert np.mean(expected[:, FLUX] > 0.0) > 0.8
    assert_same(call.heard(), expected)


@settings(derandomize=True, deadline=None, max_examples=25)
@given(seed=st.integers(0, 10**6), widest=st.integers(1, MAX_FRAMES), n_calls=st.integers(1, 5))
def test_a_call_knows_nothing_of_the_calls_beside_it(seed, widest, n_calls):
    chance = np.random.default_rng(seed)
    slots = sorted(chance.permutation(8)[:n_calls].tolist())
    calls = [Call(slot, voice(seed + slot)) for slot in slots]
    hear(calls, chance, widest)
    for call in calls:
        assert_same(call.heard(), in_tiles(call.frames))


@settings(derandomize=True, deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 10**6), widest=st.integers(1, MAX_FRAMES), share=st.sampled_from([0.2, 0.8])
)
def test_there_is_flux_only_after_a_frame_that_was_described(seed, widest, share):
    chance = np.random.default_rng(seed)
    calls = [Call(slot, voice(seed + slot)) for slot in (0, 1, 4)]
    for call in calls:
        call.chosen = chance.random(len(call.frames)) < share
    hear(calls, chance, widest)
    for call in calls:
        follows = call.chosen & np.concatenate([[False], call.chosen[:-1]])
        expected = np.where(follows, in_tiles(call.frames)[:, FLUX], 0.0)
        np.testing.assert_allclose(call.heard()[:, FLUX], expected, atol=1e-4)


def test_a_slot_that_was_cleared_remembers_nobody():
    following = Following(2, MAX_FRAMES)
    first, second = Call(1, voice(1)[:MAX_FRAMES]), Call(1, voice(2)[:MAX_FRAMES])
    # The second begins where the first ends, on the clock too.
    tick(following, [first], [first.left], late=-first.left)
    following.clear(1)
    tick(following, [second], [second.left])
    assert_same(second.heard(), in_tiles(second.frames))


def test_lost_audio_does_not_stop_the_pitch():
    # The place in the ring counts frames looked at, so a leap of the clock leaves no hole in it.
    following = Following(1, MAX_FRAMES)
    call = Call(0, voice(3)[:60])
    tick(following, [call], [25])
    tick(following, [call], [35], late=1000)
    assert np.array_equal(call.heard()[:, F0], in_tiles(call.frames)[:, F0])


@pytest.mark.parametrize("late", [1, 1000])
def test_lost_audio_leaves_the_frame_behind_it_without_flux(late):
    following = Following(1, MAX_FRAMES)
    call = Call(0, voice(3)[:60])
    tick(following, [call], [25])
    tick(following, [call], [10], late=late)
    tick(following, [call], [25], late=late)
    expected = in_tiles(call.frames)[:, FLUX]
    assert expected[25] > 0.0
    expected[25] = 0.0
    np.testing.assert_allclose(call.heard()[:, FLUX], expected, atol=1e-4)


def test_frames_that_were_not_described_vote_for_nothing():
    following = Following(1, MAX_FRAMES)
    call = Call(0, voice(4)[:MAX_FRAMES])
    call.chosen = np.arange(call.left) % 3 > 0
    tick(following, [call], [call.left])
    assert not call.heard()[~call.chosen, F0].any()
    silenced = np.where(call.chosen[:, None], call.frames, np.float32(0.0))
    assert np.array_equal(call.heard()[:, F0], in_tiles(silenced)[:, F0])


def test_what_was_described_before_is_left_as_it_is():
    following = Following(1, MAX_FRAMES)
    call = Call(0, voice(5)[:MAX_FRAMES])
    tick(following, [call], [call.left])
    others = np.delete(np.arange(N_LLDS), [F0, FLUX])
    assert np.array_equal(call.heard()[:, others], in_tiles(call.frames)[:, others])


@pytest.mark.parametrize("described", [True, False])
def test_a_tick_without_a_voiced_frame_is_no_trouble(described):
    following = Following(1, MAX_FRAMES)
    call = Call(0, np.zeros((5, 320), dtype=np.float32))
    call.chosen[:] = described
    tick(following, [call], [5])
    assert not call.heard()[:, [F0, FLUX]].any()
