"""The detector's model: one immutable ONNX session, shared by all calls.

The graph takes raw functionals, the caller's baseline and the quality of what was heard, and
gives calibrated probabilities. Names, rates, prior, tracker settings and licence travel in the
file's metadata; a model made for other features, or another frame, is refused.

The tracker's settings come three times, from shy to bold, each with what it was measured to be
worth: whoever runs hackles chooses between figures, not between thresholds.
"""

import hashlib
import json
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from hackles.config import FRAME_LENGTH, HOP_LENGTH, SAMPLE_RATE, WINDOW_FRAMES
from hackles.errors import ModelError, UsageError
from hackles.features import FUNCTIONAL_NAMES
from hackles.tracker import Settings
from hackles.types import AnyArray, Array

FORMAT: Final = 2

SENSITIVITIES: Final = ("low", "medium", "high")
"""From few warnings to early ones."""

DEFAULT_SENSITIVITY: Final = "medium"


class Sensitivity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of the tracker, and what they were worth where the model was measured.

    Attributes:
        tracker: the settings.
        false_per_hour: false alerts per hour of the customer's speech; None if not measured.
        false_per_hour_below: with 95 % confidence there are fewer than so many.
        recall: the share of the escalating calls that were warned of.
        early_share: the share of them that were, before the anger had reached its height.
        delay_median_s: seconds of the customer's speech from the onset to the warning.
    """

    tracker: Settings
    false_per_hour: float | None = None
    false_per_hour_below: float | None = None
    recall: float | None = None
    early_share: float | None = None
    delay_median_s: float | None = None


class Metadata(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a model says about itself, as JSON under the key `hackles`.

    Attributes:
        sensitivities: by the names and in the order of `SENSITIVITIES`.
        measured_on: in a sentence, on what their figures were measured; "" if they were not.
        made: the day it was made (ISO 8601); "" where the same data are to give the same bytes.
    """

    format: int
    name: str
    sample_rate: int
    frame_length: int
    hop_length: int
    window_frames: int
    functionals: tuple[str, ...]
    baseline_prior: tuple[float, ...]
    prior: float
    sensitivities: dict[str, Sensitivity]
    measured_on: str
    made: str
    training_data: tuple[str, ...]
    held_out: tuple[str, ...]
    licence: str

    @property
    def tracker(self) -> Settings:
        """The tracker's settings where nobody chose a sensitivity."""
        return self.sensitivities[DEFAULT_SENSITIVITY].tracker


@dataclass(frozen=True, slots=True)
class Outputs:
    """What the model says; each of shape (n,), in [0, 1]."""

    irritation: Array
    arousal: Array
    confidence: Array


class Classifier:
    """A loaded model. Thread-safe; `run` has no state."""

    def __init__(self, path: Path, content: bytes | None = None) -> None:
        """Load a model.

        Args:
            path: its file, by which it is told of.
            content: what the file holds, if somebody has read it already.

        Raises:
            ModelError: if the file is missing, no model, or made for other features.
        """
        content = model_bytes(path) if content is None else content
        self.digest = digest(content)
        self._session = _session(path, content)
        self._has_network = any(put.name == "contours" for put in self._session.get_inputs())
        self.metadata = _metadata(path, self._session)
        self.tracker = self.metadata.tracker
        """The settings by which calls are judged; see `at` and `with_tracker`."""

    @property
    def baseline_prior(self) -> Array:
        """The population's calm means, shape (n_functionals,)."""
        return np.array(self.metadata.baseline_prior, dtype=np.float32)

    def with_tracker(self, settings: Settings) -> "Classifier":
        """Return the same model with other settings of the tracker."""
        other = copy(self)
        other.tracker = settings
        return other

    def at(self, sensitivity: str) -> "Classifier":
        """Return the same model at one of its sensitivities.

        Raises:
            UsageError: if it has none of that name.
        """
        if sensitivity not in self.metadata.sensitivities:
            raise UsageError(
                f'There is no sensitivity "{sensitivity}"; choose {_or(SENSITIVITIES)}.'
            )
        return self.with_tracker(self.metadata.sensitivities[sensitivity].tracker)

    def run(self, values: Array, contours: AnyArray, baseline: Array, quality: Array) -> Outputs:
        """Judge readings.

        Args:
            values: functionals, shape (n, n_functionals).
            contours: shape (n, CONTOUR_FRAMES, N_CONTOURS), uint8; a model without a network does
                without them.
            baseline: the callers' shrunk baselines, same shape.
            quality: calm readings behind the baseline, seconds of speech in the window, and
                their signal-to-noise ratio in dB; shape (n, 3).
        """
        feeds = {"functionals": values, "baseline": baseline, "quality": quality}
        if self._has_network:
            feeds["contours"] = contours
        return Outputs(*self._session.run(["irritation", "arousal", "confidence"], feeds))


@lru_cache(maxsize=1)
def default_classifier() -> Classifier:
    """Return the model that travels with hackles, loaded once."""
    source = resources.files("hackles_models") / "default.onnx"
    with resources.as_file(source) as path:
        return Classifier(path)


def model_bytes(path: Path) -> bytes:
    """Return what a model's file holds.

    Raises:
        ModelError: if it cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ModelError(f"There is no model at {path}; name an .onnx file.") from error
    except (OSError, ValueError) as error:  # no name of a file may have a NUL
        reason = getattr(error, "strerror", None) or error
        raise ModelError(f"{path} cannot be read ({reason}); name an .onnx file.") from error


def digest(content: bytes) -> str:
    """Return the hash by which a model is known, wherever it lies and whatever it is called."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _session(path: Path, content: bytes) -> Any:
    """Open an ONNX session with one thread: many calls share a process."""
    import onnxruntime
    from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidProtobuf

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(content, options, ["CPUExecutionProvider"])
    except (Fail, InvalidProtobuf) as error:
        raise ModelError(f"{path} is not an ONNX model that can be loaded: {error}") from error


class _Format(msgspec.Struct):
    """What is read first: whether the rest can be."""

    format: int = 0


def _metadata(path: Path, session: Any) -> Metadata:
    """Read what the model says about itself, and refuse what this engine cannot feed."""
    text = session.get_modelmeta().custom_metadata_map.get("hackles")
    if text is None:
        raise ModelError(f"{path} says nothing about hackles; train one with models/training.")
    try:
        if msgspec.json.decode(text, type=_Format).format != FORMAT:
            raise _misfit(path, ["format"])
        found = msgspec.json.decode(text, type=Metadata)
    except msgspec.DecodeError as error:
        raise ModelError(f"{path} was made for another version of hackles: {error}.") from error
    wanted = {
        "sample_rate": SAMPLE_RATE,
        "frame_length": FRAME_LENGTH,
        "hop_length": HOP_LENGTH,
        "window_frames": WINDOW_FRAMES,
        "functionals": FUNCTIONAL_NAMES,
    }
    wrong = [name for name, value in wanted.items() if getattr(found, name) != value]
    if tuple(found.sensitivities) != SENSITIVITIES:
        wrong.append("sensitivities")
    if wrong:
        raise _misfit(path, wrong)
    return found


def _misfit(path: Path, wrong: Sequence[str]) -> ModelError:
    return ModelError(
        f"{path} does not fit this engine ({', '.join(wrong)} differ); "
        "use the model that came with it, or train again."
    )


def _or(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"


def encode_metadata(metadata: Metadata) -> str:
    """Return the text that `Classifier` reads back."""
    return json.dumps(msgspec.to_builtins(metadata))
