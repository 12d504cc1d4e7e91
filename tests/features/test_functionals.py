"""Functionals of windows, against a plain batch twin that looks at one window at a time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hackles.features import FUNCTIONAL, FUNCTIONAL_NAMES, LLD, N_FUNCTIONALS, N_LLDS, functionals
from hackles.features.spectrum import N_MFCCS

LENGTH = 60
OF_RHYTHM = {"syllable_rate"}
"""Tested with the function that makes it."""
GAIN_FREE = [name for name in FUNCTIONAL_NAMES if name != "level_db_mean"]


def windows(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return descriptors within their ranges, frames with holes, and which entries count."""
    chance = np.random.default_rng(seed)
    llds = np.zeros((n, LENGTH, N_LLDS), dtype=np.float32)
    ranges = {
        "level_db": (-60, -10),
        "f0_st": (20, 45),
        "voicing": (0, 1),
        "alpha_ratio_db": (-20, 10),
        "hammarberg_db": (-5, 30),
        "spread_hz": (100, 1200),
        "flux_db": (0.1, 20),
        **{f"mfcc{order}": (-30, 30) for order in range(1, N_MFCCS + 1)},
    }
    for name, (low, high) in ranges.items():
        llds[:, :, LLD[name]] = chance.uniform(low, high, (n, LENGTH))
    # F0 creeps, with a leap now and then.
    steps = chance.normal(0, 1.5, (n, LENGTH))
    f0_st = np.maximum(30 + np.cumsum(steps, axis=1), 15.0)
    # Now and then a voiced frame has no F0 after all.
    pitched = (llds[:, :, LLD["voicing"]] >= 0.5) & (chance.random((n, LENGTH)) < 0.95)
    llds[:, :, LLD["f0_st"]] = np.where(pitched, f0_st, 0.0)
    # There is no flux where the frame before was not described.
    llds[:, :, LLD["flux_db"]] *= chance.random((n, LENGTH)) < 0.8
    frame = np.cumsum(np.where(chance.random((n, LENGTH)) < 0.2, 30, 1), axis=1)
    valid = np.arange(LENGTH) >= chance.integers(0, LENGTH + 1, (n, 1))
    return llds, frame, valid


def segments(voiced: np.ndarray, follows: np.ndarray) -> list[int]:
    """Return the lengths of stretches of voiced frames that follow each other on the clock."""
    lengths: list[int] = []
    for i, here in enumerate(voiced):
        if here and i and voiced[i - 1] and follows[i - 1]:
            lengths[-1] += 1
        elif here:
            lengths.append(1)
    return lengths


def twin(llds: np.ndarray, frame: np.ndarray, valid: np.ndarray) -> dict[str, float]:
    """Return the functionals of one window, in float64 and in the words of their names."""
    llds, frame = llds[valid].astype(np.float64), frame[valid]
    column = {name: llds[:, LLD[name]] for name in LLD}
    voiced = column["f0_st"] > 0.0
    follows = np.diff(frame) == 1
    result: dict[str, float] = {}

    def put(name: str, values: np.ndarray, *which: str) -> None:
        of = {
            "mean": np.mean,
            "sd": np.std,
            "p20": lambda v: np.percentile(v, 20),
            "p50": lambda v: np.percentile(v, 50),
            "p80": lambda v: np.percentile(v, 80),
            "range": lambda v: np.percentile(v, 80) - np.percentile(v, 20),
        }
        for what in which:
            result[f"{name}_{what}"] = float(of[what](values)) if len(values) else 0.0

    def average(values: np.ndarray) -> float:
        return float(np.mean(values)) if len(values) else 0.0

    put("f0_st", column["f0_st"][voiced], "p20", "p50", "p80", "range", "sd")
    result["voiced_ratio"] = average(voiced)
    put("voicing", column["voicing"], "mean", "sd")
    put("level_db", column["level_db"], "mean")
    put("alpha_ratio_db", column["alpha_ratio_db"][voiced], "mean", "sd", "p80")
    put("hammarberg_db", column["hammarberg_db"][voiced], "mean", "sd")
    put("spread_hz", column["spread_hz"], "mean", "sd")
    runs = segments(voiced, follows)
    result["voiced_s_mean"] = 0.01 * average(np.array(runs))
    result["voiced_segment_rate"] = len(runs) / (0.01 * max(len(llds), 1))
    put("flux_db", column["flux_db"][column["flux_db"] > 0.0], "mean", "sd")
    for order in range(1, N_MFCCS + 1):
        put(f"mfcc{order}", column[f"mfcc{order}"], "mean")
    return result


@settings(derandomize=True, deadline=None, max_examples=40)
@given(n=st.integers(1, 4), seed=st.integers(0, 10**6))
def test_every_functional_is_what_its_name_says(n, seed):
    llds, frame, valid = windows(n, seed)
    values = functionals(llds, frame, valid)
    assert values.shape == (n, N_FUNCTIONALS)
    for row in range(n):
        expected = twin(llds[row], frame[row], valid[row])
        assert set(expected) == set(FUNCTIONAL_NAMES) - OF_RHYTHM
        for name, value in expected.items():
            found = values[row, FUNCTIONAL[name]]
            assert found == pytest.approx(value, rel=1e-4, abs=1e-3), name


@settings(derandomize=True, deadline=None, max_examples=40)
@given(seed=st.integers(0, 10**6))
def test_a_row_knows_nothing_of_the_rows_beside_it(seed):
    llds, frame, valid = windows(5, seed)
    together = functionals(llds, frame, valid)
    alone = [functionals(llds[i : i + 1], frame[i : i + 1], valid[i : i + 1])[0] for i in range(5)]
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-4)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(seed=st.integers(0, 10**6), garbage=st.floats(-1e3, 1e3, width=32))
def test_entries_outside_the_window_do_not_matter(seed, garbage):
    llds, frame, valid = windows(3, seed)
    other = np.where(valid[:, :, None], llds, np.float32(garbage))
    np.testing.assert_allclose(
        functionals(other, frame, valid), functionals(llds, frame, valid), rtol=1e-5, atol=1e-5
    )


@settings(derandomize=True, deadline=None, max_examples=40)
@given(seed=st.integers(0, 10**6), db=st.sampled_from([-12.0, -3.0, 12.0]))
def test_gain_moves_the_mean_level_and_nothing_else(seed, db):
    llds, frame, valid = windows(3, seed)
    moved = llds.copy()
    moved[:, :, LLD["level_db"]] += np.float32(db)
    before, after = functionals(llds, frame, valid), functionals(moved, frame, valid)
    columns = [FUNCTIONAL[name] for name in GAIN_FREE]
    np.testing.assert_allclose(after[:, columns], before[:, columns], rtol=1e-4, atol=1e-3)
    mean = FUNCTIONAL["level_db_mean"]
    shift = np.where(valid.any(axis=1), db, 0.0)
    np.testing.assert_allclose(after[:, mean] - before[:, mean], shift, atol=1e-3)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(seed=st.integers(0, 10**6), later=st.integers(0, 10**7))
def test_when_the_window_was_spoken_does_not_matter(seed, later):
    llds, frame, valid = windows(2, seed)
    assert np.array_equal(functionals(llds, frame + later, valid), functionals(llds, frame, valid))


@settings(derandomize=True, deadline=None, max_examples=40)
@given(
    level=st.sampled_from([-120.0, 0.0, 240.0]),
    strength=st.sampled_from([0.0, 0.5, 1.0]),
    share=st.sampled_from([0, 1, 2, LENGTH]),
)
def test_extreme_windows_give_finite_numbers(level, strength, share):
    llds = np.full((1, LENGTH, N_LLDS), level, dtype=np.float32)
    llds[:, :, LLD["voicing"]] = strength
    llds[:, :, LLD["f0_st"]] = 51.0 * (strength >= 0.5)
    valid = np.arange(LENGTH)[None] < share
    assert np.all(np.isfinite(functionals(llds, np.arange(LENGTH)[None], valid)))


def one(name: str, llds: np.ndarray, frame: np.ndarray | None = None) -> float:
    frame = np.arange(LENGTH)[None] if frame is None else frame
    values = functionals(llds, frame, np.ones((1, LENGTH), dtype=bool))
    return float(values[0, FUNCTIONAL[name]])


def voiced_window() -> np.ndarray:
    llds = np.zeros((1, LENGTH, N_LLDS), dtype=np.float32)
    llds[:, :, LLD["voicing"]] = 1.0
    llds[:, :, LLD["f0_st"]] = 30.0
    return llds


def pause_after(n_frames: int, length: int = 10) -> np.ndarray:
    """Return the clock of a window with a pause in it."""
    frame = np.arange(LENGTH)[None]
    return frame + length * (frame >= n_frames)


def test_voiced_segments_are_counted_on_the_clock():
    llds = voiced_window()
    llds[0, 20:30, LLD["f0_st"]] = 0.0
    frame = pause_after(40, 50)
    # 20 frames, 10 unvoiced, 10, a pause of half a second, 20.
    assert one("voiced_s_mean", llds, frame) == pytest.approx(0.5 / 3)
    assert one("voiced_segment_rate", llds, frame) == pytest.approx(3 / 0.6)


def test_frames_that_have_no_flux_do_not_lower_its_mean():
    llds = voiced_window()
    llds[0, ::2, LLD["flux_db"]] = 3.0
    assert one("flux_db_mean", llds) == pytest.approx(3.0)
    assert one("flux_db_sd", llds) == pytest.approx(0.0, abs=1e-5)


def test_frames_without_pitch_have_no_part_in_the_balance_of_the_voice():
    llds = voiced_window()
    llds[0, ::2, LLD["f0_st"]] = 0.0
    for name in ("alpha_ratio_db", "hammarberg_db"):
        llds[0, :, LLD[name]] = np.where(np.arange(LENGTH) % 2, 5.0, 99.0)
        assert one(f"{name}_mean", llds) == pytest.approx(5.0)


def test_names_are_unique_and_numbered_in_order():
    assert len(set(FUNCTIONAL_NAMES)) == N_FUNCTIONALS
    assert [FUNCTIONAL[name] for name in FUNCTIONAL_NAMES] == list(range(N_FUNCTIONALS))
