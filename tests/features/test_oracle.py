"""Against Praat, openSMILE and librosa on the sample calls (`make_oracle.py` asked them).

None of them is needed here. Feature and oracle heard the same: "band" is the telephone band,
"noisy" has pink noise 15 dB below the speech and went through mu-law. espeak's voices are steadier
than people's; `benchmarks/oracles.py` does the same on recorded speech.
"""

import hashlib
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from hackles.features import LLD, in_tiles
from hackles.features.harmonicity import hnr_db
from hackles.features.spectrum import log_mel_db, power_spectrum
from tests.conftest import NAMES, customer
from tests.features.signals import CONDITIONS, frames_of

ORACLE = Path(__file__).with_name("oracle.npz")
AGAIN = "audio_samples/ was made anew: python -m tests.features.make_oracle (extra benchmark)"
MEL_STEP = 10


def codes_of(name: str) -> np.ndarray:
    """Return the customer's samples as they lie in the file."""
    return np.round(customer(name) * 32768.0).astype(np.int16)


@cache
def oracle() -> dict[str, np.ndarray]:
    with np.load(ORACLE) as file:
        return dict(file)


@cache
def ours(name: str, condition: str) -> dict[str, np.ndarray]:
    """Return our curves in the frames that the oracle was asked about."""
    frames = frames_of(CONDITIONS[condition](codes_of(name) / 32768.0))
    asked = oracle()[f"{name}_frame"]
    llds = in_tiles(frames)[asked].astype(np.float64)
    curves = {lld: llds[:, column] for lld, column in LLD.items()}
    curves["hnr_db"] = hnr_db(curves["voicing"].astype(np.float32)).astype(np.float64)
    curves["f0_hz"] = np.where(curves["f0_st"] > 0.0, 27.5 * 2.0 ** (curves["f0_st"] / 12.0), 0.0)
    curves["mel_db"] = log_mel_db(power_spectrum(frames[asked[::MEL_STEP]])).astype(np.float64)
    return curves


def theirs(name: str, condition: str, package: str, curve: str) -> np.ndarray:
    return oracle()[f"{name}_{condition}_{package}_{curve}"].astype(np.float64)


def pairs(condition: str, package: str, curve: str) -> tuple[np.ndarray, np.ndarray]:
    """Return our values and an oracle's, of all calls."""
    own = [ours(name, condition)[curve].ravel() for name in NAMES]
    other = [theirs(name, condition, package, curve).ravel() for name in NAMES]
    return np.concatenate(own), np.concatenate(other)


@pytest.mark.parametrize("name", NAMES)
def test_the_answers_are_about_these_calls(name):
    heard = hashlib.sha256(codes_of(name).tobytes()).hexdigest()
    assert heard == str(oracle()[f"{name}_digest"]), AGAIN
    assert len(oracle()[f"{name}_frame"]) > 200


def test_the_stored_answers_are_small():
    assert ORACLE.stat().st_size < 300_000


def f0_ratios(condition: str) -> np.ndarray:
    own, praats = pairs(condition, "praat", "f0_hz")
    both = (own > 0.0) & (praats > 0.0)
    assert both.sum() > 1500
    return own[both] / praats[both]


# Measured: 97.3 % and 1.8 % in the band, 95.5 % and 3.3 % in noise. Most of the gross errors are
# Praat's: with the fundamental cut away, it hears women of 210 Hz at 105 or at 420 Hz.
@pytest.mark.parametrize(("condition", "least"), [("band", 0.965), ("noisy", 0.945)])
def test_f0_is_within_two_percent_of_praats_on_19_of_20_frames_that_both_call_voiced(
    condition, least
):
    assert np.mean(np.abs(f0_ratios(condition) - 1.0) <= 0.02) >= least


@pytest.mark.parametrize(("condition", "most"), [("band", 0.023), ("noisy", 0.038)])
def test_gross_errors_of_f0_are_under_four_percent(condition, most):
    assert np.mean(np.abs(f0_ratios(condition) - 1.0) > 0.2) < most


@pytest.mark.parametrize("condition", CONDITIONS)
def test_where_praat_and_opensmile_agree_gross_errors_of_f0_are_about_one_percent(condition):
    own, praats = pairs(condition, "praat", "f0_hz")
    smiles_st = pairs(condition, "opensmile", "f0_st")[1]
    known = (own > 0.0) & (praats > 0.0) & (smiles_st > 0.0)
    own, praats, smiles = own[known], praats[known], 27.5 * 2.0 ** (smiles_st[known] / 12.0)
    agree = np.abs(smiles / praats - 1.0) < 0.1
    assert agree.sum() > 1300
    ratio = own[agree] / praats[agree]
    # Measured: 0.7 and 0.9 % gross, 99.0 and 98.5 % within 2 %.
    assert np.mean(np.abs(ratio - 1.0) > 0.2) < 0.012
    assert np.mean(np.abs(ratio - 1.0) <= 0.02) > 0.975


@pytest.mark.parametrize("condition", CONDITIONS)
def test_gross_errors_leave_ours_nearer_to_how_the_caller_speaks(condition):
    ours_off, praats_off = [], []
    for name in NAMES:
        own, praats = ours(name, condition)["f0_hz"], theirs(name, condition, "praat", "f0_hz")
        usual = np.median(praats[praats > 0.0])
        both = (own > 0.0) & (praats > 0.0)
        own, praats = own[both], praats[both]
        gross = np.abs(own / praats - 1.0) > 0.2
        ours_off.append(np.abs(np.log2(own[gross] / usual)))
        praats_off.append(np.abs(np.log2(praats[gross] / usual)))
    # Measured: in 89 and 79 % of them.
    assert np.mean(np.concatenate(ours_off) < np.concatenate(praats_off)) > 0.7


@pytest.mark.parametrize("condition", CONDITIONS)
def test_f0_has_no_bias(condition):
    assert abs(np.median(f0_ratios(condition)) - 1.0) < 5e-4


@pytest.mark.parametrize(("condition", "least"), [("band", 0.97), ("noisy", 0.93)])
def test_what_praat_calls_voiced_is_voiced(condition, least):
    own, praats = pairs(condition, "praat", "f0_hz")
    assert np.mean(own[praats > 0.0] > 0.0) > least


@pytest.mark.parametrize(("condition", "least"), [("band", 0.77), ("noisy", 0.85)])
def test_the_harmonics_to_noise_ratio_is_praats_within_two_decibels(condition, least):
    own_f0, praats_f0 = pairs(condition, "praat", "f0_hz")
    own, praats = pairs(condition, "praat", "hnr_db")
    both = (own_f0 > 0.0) & (praats_f0 > 0.0)
    off = own[both] - praats[both]
    # Measured: 1.0 and 0.8 dB in the median of the frames, 2.1 and 1.5 dB in the 75th percentile,
    # 6.7 and 3.4 dB in the 95th; correlation .79 and .86.
    assert abs(np.median(off)) < 0.4
    assert np.median(np.abs(off)) < 1.1
    assert np.percentile(np.abs(off), 75) < 2.3
    assert np.corrcoef(own[both], praats[both])[0, 1] > least


@pytest.mark.parametrize(("condition", "most"), [("band", 0.7), ("noisy", 0.5)])
def test_the_level_is_praats_intensity_to_a_tenth_of_a_decibel_in_the_median(condition, most):
    own, praats = pairs(condition, "praat", "level_db")
    known = praats > -190.0
    off = own[known] - praats[known]
    assert abs(np.median(off)) < 0.06
    # Measured: 0.08 and 0.07 dB in the median, 0.6 and 0.4 in the 90th percentile; 40 ms of other
    # windows.
    assert np.median(np.abs(off)) < 0.1
    assert np.percentile(np.abs(off), 90) < most


EXACT = {"librosa mel_db": 0.13, "librosa centroid_hz": 1.0, "librosa spread_hz": 0.6}
EXACT |= {"librosa flux_db": 0.02, "praat alpha_ratio_db": 0.7}
EXACT |= {f"librosa mfcc{order}": 0.04 for order in range(1, 5)}
"""How far the 95th percentile may be from the same definition by others' means, to the hundredth
or the tenth that is stored. Praat's spectrum of 320 samples has coarser bins at 1 kHz."""


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("what", EXACT)
def test_what_is_defined_alike_is_the_same(condition, what):
    own, other = pairs(condition, *what.split())
    assert np.corrcoef(own, other)[0, 1] > 0.999
    assert np.percentile(np.abs(own - other), 95) < EXACT[what]


# Correlation measured: the lower one of both conditions, less a little.
ALIKE = {
    "alpha_ratio_db": 0.97,  # .977
    "hammarberg_db": 0.965,  # .972
    "mfcc1": 0.78,  # .797: 26 bands from 20 Hz on, of which 6 hold nothing here
    "mfcc2": 0.82,  # .840
}


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("what", ALIKE)
def test_what_egemaps_defines_for_the_full_band_goes_up_and_down_with_ours(condition, what):
    own, other = pairs(condition, "opensmile", what)
    assert np.corrcoef(own, other)[0, 1] > ALIKE[what]


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize(("what", "within"), [("alpha_ratio_db", 0.6), ("hammarberg_db", 1.3)])
def test_balances_are_those_of_egemaps_in_decibels(condition, what, within):
    own, other = pairs(condition, "opensmile", what)
    assert np.median(np.abs(own - other)) < within


@pytest.mark.parametrize("condition", CONDITIONS)
def test_f0_is_opensmiles_in_the_median(condition):
    # No more: without the fundamental, its own values are octaves off in many a frame.
    own, other = pairs(condition, "opensmile", "f0_st")
    both = (own > 0.0) & (other > 0.0)
    assert np.median(np.abs(own[both] - other[both])) < 0.15
