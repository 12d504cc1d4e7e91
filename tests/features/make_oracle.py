"""Ask Praat about the sample calls and write its answers to `oracle.npz`.

    python -m tests.features.make_oracle        # from the root, with engine/ on PYTHONPATH

It needs praat-parselmouth (extra `benchmark`), which is GPL and is used nowhere but here: the
test reads the numbers alone. Run it again whenever `audio_samples/` was made anew; the file
keeps a digest of what Praat heard, and the test says so where the two have parted.

Praat hears what a frame hears of the customer: the right channel with everything outside
300-3400 Hz set to zero in one FFT of the whole call. Its curves are read at the centres of our
frames, `(80 i + 160) / 8000` seconds, linearly between its own.

What is stored, for each call NAME, float16 with one value per frame:
    NAME_f0_hz: `to_pitch_ac`, 10 ms, 70-500 Hz, else Praat's defaults; 0 where unvoiced.
    NAME_hnr_db: `to_harmonicity_cc`, 10 ms, 70 Hz, silence threshold 0.01, nearest frame;
        -200 in silence.
    NAME_level_db: `to_intensity`, 160 Hz (a window of 40 ms, like ours), in dB re full scale.
    NAME_digest: SHA-256 of the customer's 16-bit samples.
"""

import hashlib
from pathlib import Path

import numpy as np
import parselmouth
import soundfile

from hackles.config import FRAME_LENGTH, FRAMES_PER_S, HOP_LENGTH, SAMPLE_RATE
from tests.features.signals import band_limited

SAMPLES = ("en_rising_1", "es_rising_2", "pl_calm_1")
"""A man, a woman, and a man in noise; three languages; two of them grow loud and high."""

CUSTOMER = 1
FOLDER = Path(__file__).resolve().parents[2] / "audio_samples"
ORACLE = Path(__file__).with_name("oracle.npz")

_AIR_DB = 20.0 * np.log10(1.0 / 2e-5)
"""Praat takes samples for pascals and tells dB re 20 micropascals."""


def answers(name: str) -> dict[str, np.ndarray]:
    """Return Praat's curves of one call at the centres of our frames."""
    codes, _ = soundfile.read(FOLDER / f"{name}.wav", dtype="int16")
    customer = np.ascontiguousarray(codes[:, CUSTOMER])
    samples = band_limited(customer / 32768.0)
    frame = np.arange((len(samples) - FRAME_LENGTH) // HOP_LENGTH + 1)
    centre_s = (frame * HOP_LENGTH + FRAME_LENGTH / 2) / SAMPLE_RATE
    sound = parselmouth.Sound(samples, SAMPLE_RATE)
    step, nearest = 1 / FRAMES_PER_S, parselmouth.ValueInterpolation.NEAREST
    pitch = sound.to_pitch_ac(time_step=step, pitch_floor=70.0, pitch_ceiling=500.0)
    hnr = sound.to_harmonicity_cc(time_step=step, minimum_pitch=70.0, silence_threshold=0.01)
    level = sound.to_intensity(minimum_pitch=160.0, time_step=step, subtract_mean=False)
    return {
        f"{name}_f0_hz": _rounded([pitch.get_value_at_time(at) for at in centre_s], 0.0),
        f"{name}_hnr_db": _rounded([hnr.get_value(at, nearest) for at in centre_s], -200.0),
        f"{name}_level_db": _rounded([level.get_value(at) - _AIR_DB for at in centre_s], -200.0),
        f"{name}_digest": np.array(hashlib.sha256(customer.tobytes()).hexdigest()),
    }


def _rounded(values: list[float], undefined: float) -> np.ndarray:
    """Return `values` to a tenth as float16, with Praat's "undefined" replaced."""
    result = np.array(values)
    return np.where(np.isnan(result), undefined, np.round(result, 1)).astype(np.float16)


def main() -> None:
    """Write the file."""
    everything = {key: value for name in SAMPLES for key, value in answers(name).items()}
    np.savez_compressed(ORACLE, names=np.array(SAMPLES), **everything)
    print(f"{ORACLE}: {ORACLE.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
