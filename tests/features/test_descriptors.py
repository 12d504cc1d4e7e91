"""All descriptors of a frame together: what holds for any samples whatever."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hackles.config import FRAME_LENGTH, TILE_FRAMES
from hackles.features import LLD, LLD_NAMES, N_LLDS, VOICED, in_tiles
from hackles.features.descriptors import Pitches, low_level_descriptors, spectra
from hackles.features.pitch import N_VOTES, VOTE_FRAMES
from hackles.features.spectrum import N_MFCCS, flux_db, log_mel_db, mfcc, power_spectrum
from tests.features import signals
from tests.features.signals import frames_of, harmonics, pink_noise, tone, white_noise

F0, FLUX = LLD["f0_st"], LLD["flux_db"]
MFCCS = [LLD[f"mfcc{order}"] for order in range(1, N_MFCCS + 1)]
EXACT = [LLD[name] for name in ("level_db", "voicing", "centroid_hz", "spread_hz", "clipped_ratio")]
GAIN_FREE = [
    "f0_st",
    "voicing",
    "alpha_ratio_db",
    "hammarberg_db",
    "centroid_hz",
    "spread_hz",
    "flux_db",
    *(LLD_NAMES[column] for column in MFCCS),
]


def without_votes(pitches: Pitches) -> np.ndarray:
    """Return F0 of voiced frames as if each were the first of its voice."""
    return pitches.f0_st(np.zeros((len(pitches.frame), N_VOTES), dtype=np.int32))


def alone(frames: np.ndarray) -> np.ndarray:
    """Return the descriptors of frames of which each is the first of its voice."""
    found = low_level_descriptors(spectra(frames), np.ones(len(frames), dtype=bool))
    found.llds[found.pitches.frame, F0] = without_votes(found.pitches)
    return found.llds


def assert_same(some: np.ndarray, others: np.ndarray) -> None:
    """Check that what must be exact is so to the bit, F0 among it, and the rest nearly."""
    assert np.array_equal(some[:, [*EXACT, F0]], others[:, [*EXACT, F0]])
    np.testing.assert_allclose(some, others, rtol=1e-4, atol=1e-4)


@st.composite
def any_frames(draw: st.DrawFn) -> np.ndarray:
    """Frames of any finite samples up to 1e6, each filled with few or with many of them."""
    reach = draw(st.sampled_from([1e-44, 1e-38, 1e-6, 1.0, 1e6]))
    number = st.floats(-float(np.float32(reach)), float(np.float32(reach)), width=32)
    few = hnp.arrays(np.float32, (draw(st.integers(1, 6)), FRAME_LENGTH), elements=number)
    if draw(st.booleans()):
        return draw(few)
    chance = np.random.default_rng(draw(st.integers(0, 10**6)))
    shape = (draw(st.integers(1, 40)), FRAME_LENGTH)
    return (chance.uniform(-reach, reach, shape)).astype(np.float32)


def sundry() -> np.ndarray:
    """Return frames of many sorts and levels, more than a tile of them."""
    parts = [
        *(level * harmonics(hz, 1.0) for hz in (90, 133, 271) for level in (1e-4, 0.1, 1.0)),
        *(level * noise(0.5) for noise in (white_noise, pink_noise) for level in (1e-5, 0.2)),
        np.zeros(1000),
        tone(425.0, 0.3),
        np.clip(tone(333.0, 3.0), -1.0, 1.0),
    ]
    return frames_of(np.concatenate(parts))


@settings(derandomize=True, deadline=None)
@given(any_frames())
def test_finite_samples_give_finite_descriptors_in_their_range(frames):
    llds = in_tiles(frames)
    assert llds.shape == (len(frames), N_LLDS)
    assert llds.dtype == np.float32
    assert np.all(np.isfinite(llds))
    ranges = {
        "level_db": (-120.0, 130.0),
        "voicing": (0.0, 1.0),
        "alpha_ratio_db": (-240.0, 240.0),
        "hammarberg_db": (-240.0, 240.0),
        "centroid_hz": (300.0, 3400.0),
        "spread_hz": (0.0, 1550.0),
        "flux_db": (0.0, 250.0),
        **{LLD_NAMES[column]: (-130.0, 130.0) for column in MFCCS},
        "clipped_ratio": (0.0, 1.0),
    }
    for name, (low, high) in ranges.items():
        assert np.all((llds[:, LLD[name]] >= low) & (llds[:, LLD[name]] <= high)), name
    f0_st = llds[:, F0]
    assert np.all((f0_st == 0.0) | (f0_st >= 15.0) & (f0_st <= 52.0))
    assert not f0_st[llds[:, LLD["voicing"]] < VOICED].any()


@settings(derandomize=True, deadline=None)
@given(any_frames())
def test_a_frame_knows_nothing_of_the_frames_beside_it(frames):
    each = np.concatenate([in_tiles(frame[None]) for frame in frames])
    assert_same(alone(frames), each)


def test_pitch_knows_of_160_ms_before_flux_of_one_frame_and_nothing_else_of_any():
    frames = sundry()
    whole = in_tiles(frames)
    others = np.delete(np.arange(N_LLDS), [F0, FLUX])
    assert np.array_equal(whole[:, others], alone(frames)[:, others])
    assert not np.array_equal(whole[:, F0], alone(frames)[:, F0])
    for at in range(0, len(frames), 7):
        assert in_tiles(frames[max(0, at - VOTE_FRAMES) : at + 1])[-1, F0] == whole[at, F0]
        two = in_tiles(frames[max(0, at - 1) : at + 1])
        assert two[-1, FLUX] == pytest.approx(whole[at, FLUX], rel=1e-4, abs=1e-4)


def test_flux_and_mfcc_are_those_of_the_mel_bands():
    frames = sundry()
    mel_db = log_mel_db(power_spectrum(frames))
    llds = in_tiles(frames)
    assert llds[0, FLUX] == 0.0
    np.testing.assert_allclose(llds[1:, FLUX], flux_db(mel_db[1:], mel_db[:-1]), atol=1e-4)
    np.testing.assert_allclose(llds[:, MFCCS], mfcc(mel_db), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 100, 511, 513])
def test_company_of_any_size_changes_what_decides_by_no_bit(size):
    frames = sundry()
    parts = [alone(frames[at : at + size]) for at in range(0, len(frames), size)]
    assert_same(np.concatenate(parts), alone(frames))


@pytest.mark.parametrize("size", [1, 5, 16, 100, 511, 513])
def test_pieces_of_a_voice_with_160_ms_before_them_are_the_voice(size):
    frames = sundry()
    starts = range(0, len(frames), size)
    parts = [
        in_tiles(frames[max(0, at - VOTE_FRAMES) : at + size])[min(at, VOTE_FRAMES) :]
        for at in starts
    ]
    assert_same(np.concatenate(parts), in_tiles(frames))


@settings(derandomize=True, deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(0.0, 1.0))
def test_chosen_frames_are_described_as_if_all_were(seed, share):
    frames = sundry()
    chosen = np.random.default_rng(seed).random(len(frames)) < share
    every = alone(frames)
    found = low_level_descriptors(spectra(frames), chosen)
    some, pitches = found.llds, found.pitches
    assert not some[:, [F0, FLUX]].any()
    assert np.array_equal(found.frame, np.flatnonzero(chosen))
    mel_db = log_mel_db(power_spectrum(frames[chosen]))
    np.testing.assert_allclose(found.mel_db, mel_db, atol=1e-4)
    assert np.array_equal(
        pitches.frame, np.flatnonzero(chosen & (every[:, LLD["voicing"]] >= VOICED))
    )
    some[pitches.frame, F0] = without_votes(pitches)
    assert_same(some[chosen], every[chosen])
    known = [LLD["level_db"], LLD["clipped_ratio"]]
    assert np.array_equal(some[:, known], every[:, known])
    assert not np.delete(some[~chosen], known, axis=1).any()


def test_neither_does_the_order():
    frames = sundry()
    order = np.random.default_rng(0).permutation(len(frames))
    assert_same(alone(frames[order]), alone(frames)[order])


@pytest.mark.parametrize("n_frames", [0, 1, TILE_FRAMES, TILE_FRAMES + 1, 2 * TILE_FRAMES])
def test_any_number_of_frames_has_as_many_rows(n_frames):
    frames = np.zeros((n_frames, FRAME_LENGTH), dtype=np.float32)
    assert in_tiles(frames).shape == (n_frames, N_LLDS)


@pytest.mark.parametrize("db", [-12.0, 12.0])
def test_gain_keeps_pitch_voicing_and_the_shape_of_the_spectrum(db):
    voice = 0.05 * (harmonics(150.0, 1.0, 1.0) + 0.03 * white_noise(1.0))
    before, after = (in_tiles(frames_of(g * voice)) for g in (1.0, signals.gain(db)))
    for name in GAIN_FREE:
        column = LLD[name]
        np.testing.assert_allclose(after[:, column], before[:, column], rtol=1e-4, atol=1e-3)
    level = LLD["level_db"]
    np.testing.assert_allclose(after[:, level], before[:, level] + db, atol=1e-3)


@settings(derandomize=True, deadline=None, max_examples=50)
@given(seed=st.integers(0, 10**6), level=st.floats(-60.0, -20.0))
def test_a_sixteenfold_gain_keeps_all_that_is_free_of_gain_to_the_bit(seed, level):
    frames = frames_of(signals.gain(level) * white_noise(0.2, seed).astype(np.float32))
    columns = [F0, *(LLD[name] for name in ("voicing", "centroid_hz", "spread_hz"))]
    before = in_tiles(frames)[:, columns]
    assert np.array_equal(in_tiles(np.float32(16.0) * frames)[:, columns], before)


def test_turning_the_wires_round_changes_nothing():
    frames = sundry()
    assert np.array_equal(in_tiles(-frames), in_tiles(frames))


def test_silence_is_quiet_unvoiced_and_of_neutral_shape():
    silence = in_tiles(np.zeros((2, FRAME_LENGTH), dtype=np.float32))[0]
    named = dict(zip(LLD_NAMES, silence.tolist(), strict=True))
    assert named["level_db"] == -120.0
    assert named["voicing"] == named["alpha_ratio_db"] == named["hammarberg_db"] == 0.0
    assert named["centroid_hz"] == 1850.0
    assert named["f0_st"] == named["spread_hz"] == named["clipped_ratio"] == 0.0
    assert named["flux_db"] == 0.0
    np.testing.assert_allclose(silence[MFCCS], 0.0, atol=1e-4)


def test_names_are_unique_and_numbered_in_order():
    assert len(set(LLD_NAMES)) == N_LLDS
    assert [LLD[name] for name in LLD_NAMES] == list(range(N_LLDS))
