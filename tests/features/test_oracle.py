"""Against Praat on band-limited sample calls (`make_oracle.py` asked it; Praat is not needed here).

The bounds are a little worse than what was measured, per call `en_rising_1`, `es_rising_2`,
`pl_calm_1`: gross F0 errors 4.0, 3.8 and 10.8 %; median F0 deviation of all frames that both
call voiced 0.02 to 0.03 semitones; level 0.02 dB off in the median, correlation .998 to .999.
espeak's voices are steadier than people's: on recorded speech 15 % gross errors were measured.
"""

import hashlib
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from hackles.features import LLD, in_tiles
from tests.conftest import customer
from tests.features.signals import frames_of

ORACLE = Path(__file__).with_name("oracle.npz")
AGAIN = "audio_samples/ was made anew: python -m tests.features.make_oracle (needs parselmouth)"


@cache
def oracle() -> dict[str, np.ndarray]:
    with np.load(ORACLE) as file:
        return dict(file)


CALLS = [str(name) for name in oracle()["names"]]


@pytest.fixture(params=CALLS)
def pair(request) -> SimpleNamespace:
    """Our curves of a call beside Praat's, at the centres of our frames."""
    return compared(request.param)


@cache
def compared(name: str) -> SimpleNamespace:
    codes = np.round(customer(name) * 32768.0).astype(np.int16)
    heard = hashlib.sha256(codes.tobytes()).hexdigest()
    assert heard == str(oracle()[f"{name}_digest"]), AGAIN
    llds = in_tiles(frames_of(customer(name)))
    praat = {
        key: oracle()[f"{name}_{key}"].astype(np.float64) for key in ("f0_hz", "hnr_db", "level_db")
    }
    assert len(llds) == len(praat["f0_hz"])
    both = (llds[:, LLD["voicing"]] >= 0.5) & (praat["f0_hz"] > 0.0)
    ratio = 27.5 * 2.0 ** (llds[both, LLD["f0_st"]] / 12.0) / praat["f0_hz"][both]
    return SimpleNamespace(name=name, llds=llds, praat=praat, both=both, f0_ratio=ratio)


def test_there_is_much_to_compare(pair):
    assert pair.both.sum() > 2000


def test_few_f0_values_are_more_than_a_fifth_off(pair):
    gross = np.mean(np.abs(pair.f0_ratio - 1.0) > 0.2)
    # Measured: .040, .097 and .108. On real speech (no path smoothing yet) it is .146.
    assert gross < {"en_rising_1": 0.06}.get(pair.name, 0.14)


def test_f0_is_praats_in_the_median(pair):
    semitones = 12.0 * np.log2(pair.f0_ratio)
    assert np.median(np.abs(semitones)) < 0.05
    assert abs(np.median(semitones)) < 0.03


def test_what_praat_calls_voiced_is_voiced(pair):
    assert np.mean(pair.llds[pair.praat["f0_hz"] > 0.0, LLD["voicing"]] >= 0.5) > 0.92


def test_voicing_follows_praats_harmonicity(pair):
    # r / (1 - r) is the ratio; Praat gives -200 dB for silence.
    power_ratio = 10.0 ** (pair.praat["hnr_db"] / 10.0)
    strength = power_ratio / (1.0 + power_ratio)
    assert np.corrcoef(strength, pair.llds[:, LLD["voicing"]])[0, 1] > 0.89


def test_the_level_follows_praats_intensity(pair):
    ours, praats = pair.llds[:, LLD["level_db"]], pair.praat["level_db"]
    assert np.corrcoef(ours, praats)[0, 1] > 0.996
    assert abs(np.median(ours - praats)) < 0.05
    assert np.percentile(np.abs(ours - praats), 95) < 2.5


def test_the_stored_answers_are_small():
    assert ORACLE.stat().st_size < 200_000
