"""Write a fitted detector as the ONNX graph that the engine runs.

The graph takes raw functionals and does everything itself: differences to the baseline,
standardising, the regression, the calibration at the stated prior, and the confidence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from hackles.classifier import (
    FORMAT,
    SENSITIVITIES,
    Metadata,
    Sensitivity,
    encode_metadata,
)
from hackles.config import FRAME_LENGTH, HOP_LENGTH, SAMPLE_RATE, WINDOW_FRAMES
from hackles.features import FUNCTIONAL_NAMES, N_FUNCTIONALS
from hackles.tracker import Settings
from hackles.types import AnyArray
from models.training.fit import LIMIT, PRIOR, Model

_OPSET = 17
_IR_VERSION = 9


@dataclass(frozen=True, slots=True)
class Terms:
    """Under which terms a corpus was published, and whether they leave commercial use open."""

    text: str
    commercial: bool


_NC = Terms("CC BY-NC-SA 4.0", commercial=False)
_NONE_STATED = Terms("without a stated licence", commercial=False)
_RESEARCH = Terms("for research only", commercial=False)
TERMS = {
    "cremad": Terms("ODbL 1.0, which permits commercial use", commercial=True),
    "ravdess": _NC,
    "nemo": _NC,
    "emodb": Terms("its licence is unsettled, CC BY 4.0 is reported", commercial=False),
    "spanish": _NONE_STATED,
    "ased": _NONE_STATED,
    "emovo": _RESEARCH,
    "savee": _RESEARCH,
    "urdu": _RESEARCH,
}
"""Of the known corpora; where nobody said what is allowed, no more than research is."""

_OWN = Terms("the terms are those of the data's owner", commercial=True)


def licence(corpora: Sequence[str]) -> str:
    """Return the terms of a model that was trained on some corpora."""
    by_terms: dict[Terms, list[str]] = {}
    for corpus in corpora:
        by_terms.setdefault(TERMS.get(corpus, _OWN), []).append(corpus)
    used = "; ".join(f"{', '.join(own)} ({terms.text})" for terms, own in by_terms.items())
    free = all(terms.commercial for terms in by_terms)
    use = "" if free else "for research, evaluation and non-commercial use only; "
    return f"Weights: {use}trained on {used}. See models/README.md. The code is MIT."


def unmeasured(tracker: Settings) -> dict[str, Sensitivity]:
    """Return the same settings at every sensitivity, worth nobody knows what."""
    return dict.fromkeys(SENSITIVITIES, Sensitivity(tracker=tracker))


def metadata(
    model: Model,
    sensitivities: Mapping[str, Sensitivity],
    data: Sequence[str],
    held_out: Sequence[str],
    measured_on: str = "",
) -> Metadata:
    """Return what the model says about itself.

    Args:
        model: the detector.
        sensitivities: by the names of `SENSITIVITIES`.
        data: the corpora that it was trained on.
        held_out: speakers of them that it never heard.
        measured_on: in a sentence, what the figures of the sensitivities were measured on.
    """
    return Metadata(
        format=FORMAT,
        name="functionals and logistic regression, absolute and relative",
        sample_rate=SAMPLE_RATE,
        frame_length=FRAME_LENGTH,
        hop_length=HOP_LENGTH,
        window_frames=WINDOW_FRAMES,
        functionals=FUNCTIONAL_NAMES,
        baseline_prior=tuple(float(value) for value in model.prior_mean),
        prior=PRIOR,
        sensitivities={name: sensitivities[name] for name in SENSITIVITIES},
        measured_on=measured_on,
        made="",  # so that the same data give the same bytes
        training_data=tuple(data),
        held_out=tuple(held_out),
        licence=licence(data),
    )


def graph(model: Model) -> onnx.GraphProto:
    """Return the detector as an ONNX graph."""
    even_to_prior = np.log(PRIOR / (1 - PRIOR))
    slope = np.array([model.slope, 1.0])
    offset = np.array([model.offset + even_to_prior, 0.0])
    constants: dict[str, AnyArray] = {
        "absolute": model.inputs.absolute,
        "relative": model.inputs.relative,
        "mean": model.mean.astype(np.float32),
        "scale": model.scale.astype(np.float32),
        "low": np.array(-LIMIT, dtype=np.float32),
        "high": np.array(LIMIT, dtype=np.float32),
        "weights": (model.weights * slope).astype(np.float32),
        "bias": (model.bias * slope + offset).astype(np.float32),
        "zero": np.array(0.0, dtype=np.float32),
        "one": np.array(1.0, dtype=np.float32),
        "window_s": np.array(3.0, dtype=np.float32),
        "good_snr_db": np.array(20.0, dtype=np.float32),
    }
    node = helper.make_node
    nodes = [
        node("Gather", ["functionals", "absolute"], ["now"], axis=1),
        node("Sub", ["functionals", "baseline"], ["moved"]),
        node("Gather", ["moved", "relative"], ["change"], axis=1),
        node("Concat", ["now", "change"], ["seen"], axis=1),
        node("Sub", ["seen", "mean"], ["centred"]),
        node("Div", ["centred", "scale"], ["standard"]),
        node("Clip", ["standard", "low", "high"], ["held"]),
        node("Gemm", ["held", "weights", "bias"], ["logits"]),
        node("Sigmoid", ["logits"], ["probabilities"]),
        node("Gather", ["probabilities", "zero_index"], ["irritation"], axis=1),
        node("Gather", ["probabilities", "one_index"], ["arousal"], axis=1),
        # Confidence: the least of how long, how clear and how usual the speech was.
        node("Gather", ["quality", "one_index"], ["speech_s"], axis=1),
        node("Div", ["speech_s", "window_s"], ["long"]),
        node("Gather", ["quality", "two_index"], ["snr_db"], axis=1),
        node("Div", ["snr_db", "good_snr_db"], ["clear"]),
        node("Mul", ["standard", "standard"], ["squares"]),
        node("ReduceMean", ["squares"], ["unlike"], axes=[1], keepdims=0),
        node("Max", ["unlike", "one"], ["at_least_one"]),
        node("Div", ["one", "at_least_one"], ["usual"]),
        node("Min", ["long", "clear", "usual", "one"], ["least"]),
        node("Max", ["least", "zero"], ["confidence"]),
    ]
    constants |= {
        name: np.array(index, dtype=np.int64)
        for index, name in enumerate(("zero_index", "one_index", "two_index"))
    }
    used = {name for n in nodes for name in n.input}
    tensor = helper.make_tensor_value_info
    shape: list[str | int | None] = ["n", N_FUNCTIONALS]
    return helper.make_graph(
        nodes,
        "hackles",
        [
            tensor("functionals", TensorProto.FLOAT, shape),
            tensor("baseline", TensorProto.FLOAT, shape),
            tensor("quality", TensorProto.FLOAT, ["n", 3]),
        ],
        [tensor(n, TensorProto.FLOAT, ["n"]) for n in ("irritation", "arousal", "confidence")],
        [numpy_helper.from_array(a, n) for n, a in constants.items() if n in used],
    )


def export(model: Model, about: Metadata, path: Path) -> None:
    """Write the model; the same model gives the same bytes."""
    made = helper.make_model(graph(model), opset_imports=[helper.make_opsetid("", _OPSET)])
    made.ir_version = _IR_VERSION
    made.producer_name = "hackles"
    helper.set_model_props(made, {"hackles": encode_metadata(about)})
    onnx.checker.check_model(made)
    path.write_bytes(made.SerializeToString(deterministic=True))
