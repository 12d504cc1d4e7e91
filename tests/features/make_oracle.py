"""Ask Praat, openSMILE and librosa about the sample calls and write their answers to `oracle.npz`.

    python -m tests.features.make_oracle        # from the root, with engine/ on PYTHONPATH

It needs the extra `benchmark`. Praat is GPL and openSMILE for research only: they are used in
`benchmarks/curves.py`, which says what exactly is asked, and nowhere else; the test reads the
numbers alone. Run it again whenever `audio_samples/` was made anew; the file keeps a digest of
what was heard, and the test says so where the two have parted.

All hear what a frame hears of the customer, in the two conditions of `signals.CONDITIONS`: within
the telephone band, and there in pink noise behind mu-law. What is stored, for each call NAME:

    NAME_digest: SHA-256 of the customer's 16-bit samples.
    NAME_frame: which frames are stored: every sixth of those in which the customer speaks (not
        music), up to `SECONDS` of the call.
    NAME_CONDITION_PACKAGE_CURVE, float16: the curve's value in each of them; of `mel_db`, all bands
        in every tenth.
"""

import hashlib

import numpy as np

from benchmarks import curves
from hackles.config import FRAMES_PER_S
from tests.conftest import NAMES, truth
from tests.features.signals import CONDITIONS, loud_frames
from tests.features.test_oracle import MEL_STEP, ORACLE, codes_of

SECONDS = 36.0
"""How much of each call: two or three turns of the customer."""

FRAME_STEP = 6

WANTED = {
    "praat": ("f0_hz", "hnr_db", "level_db", "alpha_ratio_db"),
    "opensmile": (*("f0_st", "hnr_db", "alpha_ratio_db", "hammarberg_db", "mfcc1", "mfcc2"),),
    "librosa": (
        *("centroid_hz", "spread_hz", "flux_db", "mel_db"),
        *("mfcc1", "mfcc2", "mfcc3", "mfcc4"),
    ),
}


def spoken(name: str, customer: np.ndarray) -> np.ndarray:
    """Return the frames of the customer's turns that lie within 30 dB of the loudest."""
    inside = np.zeros(curves.n_frames(customer), dtype=bool)
    for start_s, end_s, _ in truth(name)["segments"]:
        inside[round(start_s * FRAMES_PER_S) : round(end_s * FRAMES_PER_S)] = True
    inside[round(SECONDS * FRAMES_PER_S) :] = False
    return np.flatnonzero(inside & loud_frames(customer, 30.0))


def answers(name: str) -> dict[str, np.ndarray]:
    """Return what all say of one call."""
    codes = codes_of(name)
    customer = codes / 32768.0
    frame = spoken(name, customer)[::FRAME_STEP]
    digest = hashlib.sha256(codes.tobytes()).hexdigest()
    result = {f"{name}_digest": np.array(digest), f"{name}_frame": frame.astype(np.uint16)}
    for condition, heard in CONDITIONS.items():
        samples = heard(customer)
        said = {
            "praat": curves.praat(samples) | curves.praat_balance(samples),
            "opensmile": curves.smile(samples),
            "librosa": curves.librosas(samples),
        }
        for package, names in WANTED.items():
            for curve in names:
                rows = frame[::MEL_STEP] if curve == "mel_db" else frame
                result[f"{name}_{condition}_{package}_{curve}"] = _rounded(
                    said[package][curve][rows]
                )
    return result


def _rounded(values: np.ndarray) -> np.ndarray:
    """Return `values` to a hundredth, large ones to a tenth: so they pack well."""
    places = np.where(np.abs(values) < 20.0, 2, 1)
    return (np.round(values * 10.0**places) / 10.0**places).astype(np.float16)


def main() -> None:
    """Write the file."""
    everything = {key: value for name in NAMES for key, value in answers(name).items()}
    np.savez_compressed(ORACLE, **everything)
    print(f"{ORACLE}: {ORACLE.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
