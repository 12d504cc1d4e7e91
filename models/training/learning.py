"""How the network is trained: windows drawn in balance, changed at random, weights averaged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hackles.types import AnyArray, Array, Bools
from models.training.network import (
    CHANNELS,
    HIDDEN,
    N_EMOTIONS,
    N_FRAMES,
    N_INPUTS,
    STRIDES,
    WIDTHS,
    Layer,
    Network,
    one_thread,
    pool,
    seen,
    targets,
)

if TYPE_CHECKING:
    import torch

STEPS = 500
_BATCH = 128
_RATE, _DECAY, _DROPOUT = 3e-3, 1e-3, 0.3
_AVERAGE, _WARM_UP = 0.99, 50
_LEAST_STEPS = 10
"""Of the schedule of rates, which is not made for fewer."""
_SMOOTHING = 0.1
_EMOTION_WEIGHT, _AROUSAL_WEIGHT = 0.5, 0.3
_ANGRY = 0.4
"""Share of the drawn windows that are angry."""

_SHORTENED, _TIMED, _MASKED = 0.3, 0.5, 0.5
"""How often a window is cut short, said faster or slower, and masked."""
_LEAST_FRAMES = 25
_TEMPO = (0.88, 1.14)
_MOST_MASKED, _MOST_BANDS = 20, 3
_WARP = 0.6


def train(
    contours: AnyArray,
    corpus: AnyArray,
    speaker: AnyArray,
    emotion: AnyArray,
    seed: int = 0,
    steps: int = STEPS,
) -> Network:
    """Return a network; the same arguments give the same one on one thread.

    Args:
        contours: shape (n, CONTOUR_FRAMES, N_CONTOURS), uint8.
        corpus: of each, shape (n,).
        speaker: likewise.
        emotion: likewise.
        seed: of what is drawn.
        steps: how many batches it learns from.
    """
    import torch

    with one_thread():
        torch.manual_seed(seed)
        chances = np.cumsum(_chances(corpus, speaker, targets(emotion)[0] > 0))
        return _learned(contours, targets(emotion), chances, np.random.default_rng(seed), steps)


def _learned(
    contours: AnyArray,
    wanted: tuple[Array, Array, AnyArray],
    chances: AnyArray,
    rng: np.random.Generator,
    steps: int,
) -> Network:
    import torch
    from torch.optim import swa_utils

    untyped: Any = swa_utils
    net = _net()
    average = swa_utils.AveragedModel(
        net,
        multi_avg_fn=untyped.get_ema_multi_avg_fn(_AVERAGE),
        use_buffers=True,
    )
    optimizer = torch.optim.AdamW(net.parameters(), lr=_RATE, weight_decay=_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, _RATE, total_steps=max(steps, _LEAST_STEPS), pct_start=0.2
    )
    said = [torch.from_numpy(of) for of in wanted]
    for step in range(steps):
        rows = np.searchsorted(chances, rng.random(_BATCH) * chances[-1], side="right")
        loss: Any = _loss(_through(net, *_changed(rng, contours[rows])), *(of[rows] for of in said))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step >= min(_WARM_UP, steps - 1):
            average.update_parameters(net)
    return _folded(average.module)


def _chances(corpus: AnyArray, speaker: AnyArray, angry: Bools) -> AnyArray:
    """Return how likely each window is drawn: corpora alike, and speakers nearly so."""
    result = np.zeros(len(corpus))
    for name in np.unique(corpus):
        for side, share in ((True, _ANGRY), (False, 1 - _ANGRY)):
            own = np.flatnonzero((corpus == name) & (angry == side))
            if len(own):
                _, whose, count = np.unique(speaker[own], return_inverse=True, return_counts=True)
                weight = 1 / np.sqrt(count[whose])
                result[own] = share * weight / weight.sum()
    return result


def _net() -> torch.nn.ModuleDict:
    from torch import nn

    layers: dict[str, nn.Module] = {}
    n_in = N_INPUTS
    for index, (n_out, width, stride) in enumerate(zip(CHANNELS, WIDTHS, STRIDES, strict=True)):
        layers[f"convolution{index}"] = nn.Conv1d(n_in, n_out, width, stride, width // 2)
        layers[f"normal{index}"] = nn.BatchNorm1d(n_out)
        n_in = n_out
    layers["hidden"] = nn.Linear(2 * n_in, HIDDEN)
    layers["out"] = nn.Linear(HIDDEN, 2 + N_EMOTIONS)
    return nn.ModuleDict(layers)


def _through(net: torch.nn.ModuleDict, inputs: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return what the network in training says: irritation, arousal, and which emotion."""
    import torch
    from torch.nn.functional import dropout

    signal = inputs
    for index, stride in enumerate(STRIDES):
        signal = torch.relu(net[f"normal{index}"](net[f"convolution{index}"](signal)))
        mask = mask[:, :, ::stride]
        signal = signal * mask
    hidden = torch.relu(net["hidden"](dropout(pool(signal, mask), _DROPOUT)))
    result: torch.Tensor = net["out"](dropout(hidden, _DROPOUT))
    return result


def _loss(
    said: torch.Tensor, angry: torch.Tensor, aroused: torch.Tensor, which: torch.Tensor
) -> torch.Tensor:
    from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

    def smooth(label: torch.Tensor) -> torch.Tensor:
        return label * (1 - _SMOOTHING) + _SMOOTHING / 2

    told = ~aroused.isnan()
    irritation = binary_cross_entropy_with_logits(said[:, 0], smooth(angry))
    emotion = cross_entropy(said[:, 2:], which, label_smoothing=_SMOOTHING)
    result = irritation + _EMOTION_WEIGHT * emotion
    if told.any():
        arousal = binary_cross_entropy_with_logits(said[told, 1], smooth(aroused[told]))
        result = result + _AROUSAL_WEIGHT * arousal
    return result


def _changed(rng: np.random.Generator, contours: AnyArray) -> tuple[Any, Any]:
    """Return windows as the network sees them: cut, sped up or slowed down, warped, masked."""
    import torch

    n = len(contours)
    places = np.stack([_places(rng, window[:, 0] > 0) for window in contours])
    moved = contours[np.arange(n)[:, None], np.maximum(places, 0)] * (places >= 0)[:, :, None]
    warp = np.clip(rng.standard_normal(n) * _WARP, -1.5, 1.5).astype(np.float32)
    inputs, mask = seen(torch.from_numpy(moved.astype(np.uint8)), torch.from_numpy(warp))
    time = _stretch(rng, n, N_FRAMES, _MOST_MASKED)
    bands = _stretch(rng, n, N_INPUTS, _MOST_BANDS)
    bands[:, N_INPUTS - 3 :] = True  # pitch and voicing stay
    kept = torch.from_numpy(time[:, None].astype(np.float32))
    heard = torch.from_numpy(bands[:, :, None].astype(np.float32))
    return inputs * kept * heard, mask * kept


def _places(rng: np.random.Generator, valid: Bools) -> AnyArray:
    """Return which frame of a window stands where in the changed one, at its end; -1 for none."""
    result = np.full(len(valid), -1)
    own = np.flatnonzero(valid)
    if rng.random() < _SHORTENED and len(own) > 2 * _LEAST_FRAMES:
        length = int(rng.integers(_LEAST_FRAMES, len(own)))
        begin = int(rng.integers(0, len(own) - length + 1))
        own = own[begin : begin + length]
    if rng.random() < _TIMED and len(own) > _LEAST_FRAMES:
        faster = rng.uniform(*_TEMPO)
        steps = (np.arange(int(len(own) / faster)) * faster).astype(np.int64)
        own = own[np.minimum(steps, len(own) - 1)][-len(valid) :]
    if len(own):
        result[-len(own) :] = own
    return result


def _stretch(rng: np.random.Generator, n: int, length: int, most: int) -> Bools:
    """Return what is left of n rows when a stretch of each is masked, now and then."""
    width = np.where(rng.random(n) < _MASKED, rng.integers(1, most + 1, n), 0)[:, None]
    begin = rng.integers(0, length - most, n)[:, None]
    at = np.arange(length)
    result: Bools = (at < begin) | (at >= begin + width)
    return result


def _folded(net: torch.nn.Module) -> Network:
    """Return the network with the normalisations folded into the convolutions."""
    state = {name: value.detach().numpy() for name, value in net.state_dict().items()}
    convolutions = []
    for index in range(len(CHANNELS)):
        conv, normal = f"convolution{index}", f"normal{index}"
        spread = np.sqrt(state[f"{normal}.running_var"] + np.float32(1e-5))
        scale = state[f"{normal}.weight"] / spread
        offset = state[f"{normal}.bias"] - state[f"{normal}.running_mean"] * scale
        weights = state[f"{conv}.weight"] * scale[:, None, None]
        convolutions.append(Layer(weights, state[f"{conv}.bias"] * scale + offset))
    hidden = Layer(state["hidden.weight"].copy(), state["hidden.bias"].copy())
    out = Layer(state["out.weight"][:2].copy(), state["out.bias"][:2].copy())
    return Network(tuple(convolutions), hidden, out)
