"""A fitted detector as an ONNX graph.

It takes raw functionals and contours and does everything itself: differences to the baseline,
standardising, the regression, the network, the calibration at the stated prior, the confidence.
"""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from hackles.config import CONTOUR_FRAMES
from hackles.features import N_CONTOURS, N_FUNCTIONALS
from hackles.features.contours import PITCH, STEPS_PER_DB, STEPS_PER_ST, VOICING, VOICING_STEPS
from hackles.types import AnyArray
from models.training.fit import LIMIT, PRIOR_LOGIT, Model
from models.training.network import (
    BAND_DB,
    FLOOR_DB,
    LEAST_VARIANCE,
    PITCH_ST,
    STRIDES,
    Network,
)


class _Drawing:
    """A graph as it grows: nodes in order, and their constants."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, AnyArray] = {}

    def constant(self, value: AnyArray | float) -> str:
        """Return the name of a constant; floats become single precision."""
        array = np.asarray(value)
        array = array.astype(np.float32) if array.dtype.kind == "f" else array.astype(np.int64)
        name = f"constant{len(self.constants)}"
        self.constants[name] = array
        return name

    def add(self, kind: str, *inputs: str | float | AnyArray, name: str = "", **more: Any) -> str:
        """Add a node and return the name of what it gives; numbers become constants."""
        puts = [put if isinstance(put, str) else self.constant(put) for put in inputs]
        gives = name or f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, puts, [gives], **more))
        return gives


def graph(model: Model, listened: bool = False) -> onnx.GraphProto:
    """Return the detector as an ONNX graph.

    Args:
        model: the detector.
        listened: in place of contours it takes what the network said of them, shape (n, 2), so that
            calls can be judged over and over at other settings.
    """
    draw = _Drawing()
    standard = _standard(draw, model)
    held = draw.add("Clip", standard, -LIMIT, LIMIT)
    arousal_share = 0.5 if model.network else 1.0
    share = np.array([model.slopes[0], arousal_share])
    offset = np.array([model.offset + PRIOR_LOGIT, 0.0])
    logits = draw.add("Gemm", held, model.weights * share, model.bias * share + offset)
    puts: dict[str, list[str | int | None]] = {
        "functionals": ["n", N_FUNCTIONALS],
        "baseline": ["n", N_FUNCTIONALS],
        "quality": ["n", 3],
    }
    types = dict.fromkeys(puts, TensorProto.FLOAT)
    if model.network:
        said = "contours" if listened else _network(draw, model.network)
        share = np.array([model.slopes[1], 1 - arousal_share])
        logits = draw.add("Add", logits, draw.add("Mul", said, share))
        puts["contours"] = ["n", 2] if listened else ["n", CONTOUR_FRAMES, N_CONTOURS]
        types["contours"] = TensorProto.FLOAT if listened else TensorProto.UINT8
    shown = draw.add("Sigmoid", logits)
    draw.add("Gather", shown, np.array(0), name="irritation", axis=1)
    draw.add("Gather", shown, np.array(1), name="arousal", axis=1)
    _confidence(draw, standard)
    tensor = helper.make_tensor_value_info
    return helper.make_graph(
        draw.nodes,
        "hackles",
        [tensor(name, types[name], shape) for name, shape in puts.items()],
        [tensor(n, TensorProto.FLOAT, ["n"]) for n in ("irritation", "arousal", "confidence")],
        [numpy_helper.from_array(array, name) for name, array in draw.constants.items()],
    )


def _standard(draw: _Drawing, model: Model) -> str:
    """Draw the standardised inputs of the regression."""
    now = draw.add("Gather", "functionals", model.inputs.absolute, axis=1)
    moved = draw.add("Sub", "functionals", "baseline")
    change = draw.add("Gather", moved, model.inputs.relative, axis=1)
    centred = draw.add("Sub", draw.add("Concat", now, change, axis=1), model.mean)
    return draw.add("Div", centred, model.scale)


def _confidence(draw: _Drawing, standard: str) -> None:
    """Draw the confidence: the least of how long, how clear and how usual the speech was."""
    long = draw.add("Div", draw.add("Gather", "quality", np.array(1), axis=1), _WINDOW_S)
    clear = draw.add("Div", draw.add("Gather", "quality", np.array(2), axis=1), _GOOD_SNR_DB)
    squares = draw.add("Mul", standard, standard)
    unlike = draw.add("ReduceMean", squares, axes=[1], keepdims=0)
    usual = draw.add("Div", 1.0, draw.add("Max", unlike, 1.0))
    draw.add("Max", draw.add("Min", long, clear, usual, 1.0), 0.0, name="confidence")


_WINDOW_S, _GOOD_SNR_DB = 3.0, 20.0


def _network(draw: _Drawing, network: Network) -> str:
    """Draw the network; its steps are those of `network.seen` and `Network.logits`."""
    signal, mask = _seen(draw)
    for layer, stride in zip(network.convolutions, STRIDES, strict=True):
        width = layer.weights.shape[2]
        pads = [width // 2, width // 2]
        found = draw.add("Conv", signal, layer.weights, layer.bias, strides=[stride], pads=pads)
        if stride > 1:
            every = [np.array([value]) for value in (0, CONTOUR_FRAMES, 2, stride)]
            mask = draw.add("Slice", mask, *every)
        signal = draw.add("Mul", draw.add("Relu", found), mask)
    pooled = _pooled(draw, signal, mask)
    hidden = network.hidden
    found = draw.add("Relu", draw.add("Gemm", pooled, hidden.weights.T, hidden.bias))
    return draw.add("Gemm", found, network.out.weights.T, network.out.bias)


def _seen(draw: _Drawing) -> tuple[str, str]:
    """Draw what the network sees of contours, and the mask of the frames there are."""
    coded = draw.add(
        "Transpose", draw.add("Cast", "contours", to=TensorProto.FLOAT), perm=[0, 2, 1]
    )
    bands, pitch, voicing = (
        draw.add("Slice", coded, np.array([begin]), np.array([end]), np.array([1]))
        for begin, end in ((0, PITCH), (PITCH, PITCH + 1), (VOICING, VOICING + 1))
    )
    some = draw.add("Slice", coded, np.array([0]), np.array([1]), np.array([1]))
    mask = _given(draw, some)
    bands = draw.add("Div", bands, float(STEPS_PER_DB))
    level = draw.add("ReduceMean", bands, axes=[1], keepdims=1)
    held = draw.add("Max", draw.add("Sub", bands, _mean(draw, level, mask)), -FLOOR_DB)
    held = draw.add("Div", draw.add("Sub", held, _mean(draw, held, mask)), BAND_DB)
    pitch = draw.add("Div", pitch, float(STEPS_PER_ST))
    voiced = _given(draw, pitch)
    apart = draw.add("Mul", draw.add("Sub", pitch, _mean(draw, pitch, voiced)), voiced)
    parts = (
        held,
        draw.add("Div", apart, PITCH_ST),
        voiced,
        draw.add("Div", voicing, float(VOICING_STEPS)),
    )
    return draw.add("Mul", draw.add("Concat", *parts, axis=1), mask), mask


def _given(draw: _Drawing, values: str) -> str:
    """Draw where values are above zero, as 0 and 1."""
    return draw.add("Cast", draw.add("Greater", values, 0.0), to=TensorProto.FLOAT)


def _mean(draw: _Drawing, values: str, mask: str) -> str:
    """Draw the mean over time of what the mask leaves."""
    total = draw.add("ReduceSum", draw.add("Mul", values, mask), np.array([2]), keepdims=1)
    count = draw.add("ReduceSum", mask, np.array([2]), keepdims=1)
    return draw.add("Div", total, draw.add("Max", count, 1.0))


def _pooled(draw: _Drawing, signal: str, mask: str) -> str:
    """Draw mean and standard deviation over time."""
    mean = _mean(draw, signal, mask)
    apart = draw.add("Sub", signal, mean)
    variance = _mean(draw, draw.add("Mul", apart, apart), mask)
    deviation = draw.add("Sqrt", draw.add("Add", variance, LEAST_VARIANCE))
    both = draw.add("Concat", mean, deviation, axis=1)
    return draw.add("Squeeze", both, np.array([2]))
