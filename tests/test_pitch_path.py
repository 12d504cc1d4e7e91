"""The path of the pitch of many calls, against one voice heard in one go."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hackles.features import LLD, Pitches, in_tiles, low_level_descriptors, spectra
from hackles.framing import Batch
from hackles.pitch_path import PitchPath
from tests.features.signals import frames_of, harmonics, pink_noise, white_noise

MAX_FRAMES = 40
F0 = LLD["f0_st"]


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
        self.f0_st: list[np.ndarray] = []

    @property
    def left(self) -> int:
        return len(self.frames) - self.taken

    def heard(self) -> np.ndarray:
        return np.concatenate(self.f0_st)


def tick(path: PitchPath, calls: list[Call], counts: list[int], late: int = 0) -> None:
    """Follow the next frames of some calls; `late` frames of each were lost before."""
    taken = np.array([call.taken for call in calls])
    slots = np.array([call.slot for call in calls])
    batch = Batch(slots, taken + late, np.array(counts), taken)
    parts = [call.frames[call.taken :][:n] for call, n in zip(calls, counts, strict=True)]
    flat = np.concatenate(parts)
    llds, pitches = low_level_descriptors(spectra(flat), np.ones(len(flat), dtype=bool))
    path.follow(batch, llds, pitches)
    for call, some in zip(calls, np.split(llds[:, F0], np.cumsum(counts)[:-1]), strict=True):
        call.f0_st.append(some)
        call.taken += len(some)


def hear(calls: list[Call], chance: np.random.Generator, widest: int) -> None:
    """Hear all calls to their ends, in ticks of some of them and of any number of frames."""
    path = PitchPath(1 + max(call.slot for call in calls), MAX_FRAMES)
    while rest := [call for call in calls if call.left]:
        some = [call for call in rest if chance.random() < 0.7] or rest[:1]
        counts = [int(chance.integers(1, min(call.left, widest) + 1)) for call in some]
        tick(path, some, counts)


@pytest.mark.parametrize("widest", [1, 2, 15, 16, 17, MAX_FRAMES])
def test_ticks_of_any_size_give_the_pitch_of_one_voice_in_one_go(widest):
    call = Call(0, voice(0))
    hear([call], np.random.default_rng(widest), widest)
    expected = in_tiles(call.frames)[:, F0]
    assert 0.5 < np.mean(expected > 0.0) < 1.0
    assert np.array_equal(call.heard(), expected)


@settings(derandomize=True, deadline=None, max_examples=25)
@given(seed=st.integers(0, 10**6), widest=st.integers(1, MAX_FRAMES), n_calls=st.integers(1, 5))
def test_a_call_knows_nothing_of_the_calls_beside_it(seed, widest, n_calls):
    chance = np.random.default_rng(seed)
    slots = sorted(chance.permutation(8)[:n_calls].tolist())
    calls = [Call(slot, voice(seed + slot)) for slot in slots]
    hear(calls, chance, widest)
    for call in calls:
        assert np.array_equal(call.heard(), in_tiles(call.frames)[:, F0])


def test_a_slot_that_was_cleared_remembers_nobody():
    path = PitchPath(2, MAX_FRAMES)
    first, second = Call(1, voice(1)[:MAX_FRAMES]), Call(1, voice(2)[:MAX_FRAMES])
    tick(path, [first], [first.left])
    path.clear(1)
    tick(path, [second], [second.left])
    assert np.array_equal(second.heard(), in_tiles(second.frames)[:, F0])


def test_lost_audio_does_not_stop_the_path():
    # The place in the ring counts frames looked at, so a leap of the clock leaves no hole in it.
    path = PitchPath(1, MAX_FRAMES)
    call = Call(0, voice(3)[:60])
    tick(path, [call], [25])
    tick(path, [call], [35], late=1000)
    assert np.array_equal(call.heard(), in_tiles(call.frames)[:, F0])


def test_frames_that_were_not_described_vote_for_nothing():
    frames = voice(4)[:MAX_FRAMES]
    chosen = np.arange(len(frames)) % 3 > 0
    llds, pitches = low_level_descriptors(spectra(frames), chosen)
    count = np.array([len(frames)])
    path = PitchPath(1, MAX_FRAMES)
    path.follow(Batch(np.array([0]), np.array([0]), count, np.array([0])), llds, pitches)
    assert not llds[~chosen, F0].any()
    silenced = np.where(chosen[:, None], frames, np.float32(0.0))
    assert np.array_equal(llds[:, F0], in_tiles(silenced)[:, F0])


def test_a_tick_without_a_voiced_frame_is_no_trouble():
    path = PitchPath(1, MAX_FRAMES)
    silence = np.zeros((5, 320), dtype=np.float32)
    call = Call(0, silence)
    tick(path, [call], [5])
    assert not call.heard().any()
    assert isinstance(low_level_descriptors(spectra(silence), np.zeros(5, bool))[1], Pitches)
