"""What is measured beside the engine: openSMILE, Praat and librosa, where they are installed."""

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from hackles.config import HOP_LENGTH, N_FFT, SAMPLE_RATE
from hackles.types import Array

Run: TypeAlias = Callable[[Array], object]
_F0_MIN_HZ = 70.0
_F0_MAX_HZ = 500.0
NOT_INSTALLED = "not installed"


def others() -> tuple[dict[str, Run], dict[str, str]]:
    """Return what can be run on samples, by name, and each package's version."""
    makers: dict[str, Callable[[], Mapping[str, Run]]] = {
        "opensmile": _opensmile,
        "praat-parselmouth": _praat,
        "librosa": _librosa,
    }
    runs: dict[str, Run] = {}
    packages: dict[str, str] = {}
    for package, make in makers.items():
        try:
            runs |= make()
            packages[package] = version(package)
        except (ImportError, PackageNotFoundError):
            packages[package] = NOT_INSTALLED
    return runs, packages


def _opensmile() -> dict[str, Run]:
    opensmile = importlib.import_module("opensmile")
    levels = opensmile.FeatureLevel

    def run(smile: Any, samples: Array) -> object:
        return smile.process_signal(samples, SAMPLE_RATE)

    return {
        f"openSMILE eGeMAPS {what}": partial(
            run, opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, level)
        )
        for what, level in (
            ("functionals", levels.Functionals),
            ("LLDs", levels.LowLevelDescriptors),
        )
    }


def _praat() -> dict[str, Run]:
    parselmouth = importlib.import_module("parselmouth")
    call = importlib.import_module("parselmouth.praat").call

    def run(samples: Array) -> object:
        sound = parselmouth.Sound(samples.astype(np.float64), SAMPLE_RATE)
        pitch = sound.to_pitch_ac(
            time_step=HOP_LENGTH / SAMPLE_RATE, pitch_floor=_F0_MIN_HZ, pitch_ceiling=_F0_MAX_HZ
        )
        hnr = sound.to_harmonicity_cc(time_step=HOP_LENGTH / SAMPLE_RATE, minimum_pitch=_F0_MIN_HZ)
        pulses = call([sound, pitch], "To PointProcess (cc)")
        return hnr, call(pulses, "Get jitter (local)", 0, 0, 0.0001, 0.02, 1.3)

    return {"Praat pitch + HNR + jitter": run}


def _librosa() -> dict[str, Run]:
    pyin = importlib.import_module("librosa").pyin

    def run(samples: Array) -> object:
        some = {"frame_length": N_FFT, "hop_length": HOP_LENGTH}
        return pyin(samples, fmin=_F0_MIN_HZ, fmax=_F0_MAX_HZ, sr=SAMPLE_RATE, **some)

    return {"librosa.pyin": run}


def silero() -> dict[str, Run]:
    """Return Silero VAD, frame by frame as in a live call, where it is installed.

    Its package asks for PyTorch; its ONNX file does not (`pip install --no-deps silero-vad`).
    """
    found = importlib.util.find_spec("silero_vad")
    if found is None or found.origin is None:
        return {}
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    path = Path(found.origin).parent / "data" / "silero_vad.onnx"
    session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
    rate = np.array(SAMPLE_RATE, dtype=np.int64)

    def run(samples: Array) -> object:
        state = np.zeros((2, 1, 128), dtype=np.float32)
        speech = []
        for at in range(32, len(samples) - 256, 256):  # 32 samples of context before each
            feeds = {"input": samples[None, at - 32 : at + 256], "state": state, "sr": rate}
            probability, state = session.run(None, feeds)
            speech.append(probability[0, 0])
        return speech

    return {"Silero VAD": run}
