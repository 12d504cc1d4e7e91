"""Write a fitted detector as the file that the engine runs: a graph, and what it says of itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import onnx
from onnx import helper

from hackles.classifier import (
    FORMAT,
    SENSITIVITIES,
    Metadata,
    Sensitivity,
    encode_metadata,
)
from hackles.config import FRAME_LENGTH, HOP_LENGTH, SAMPLE_RATE, WINDOW_FRAMES
from hackles.features import FUNCTIONAL_NAMES
from hackles.tracker import Settings
from models.training.fit import PRIOR, Model
from models.training.graph import graph

_NAME = "logistic regression on functionals, absolute and relative"
_AND_NETWORK = ", and a convolutional network on contours"
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
        name=_NAME + (_AND_NETWORK if model.network else ""),
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


def export(model: Model, about: Metadata, path: Path, listened: bool = False) -> None:
    """Write the model; the same model gives the same bytes. See `graph` for `listened`."""
    made = helper.make_model(
        graph(model, listened), opset_imports=[helper.make_opsetid("", _OPSET)]
    )
    made.ir_version = _IR_VERSION
    made.producer_name = "hackles"
    helper.set_model_props(made, {"hackles": encode_metadata(about)})
    onnx.checker.check_model(made)
    path.write_bytes(made.SerializeToString(deterministic=True))
