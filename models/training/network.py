"""A small convolutional network over contours: how bands, pitch and voicing go up and down.

Each band is taken relative to its own mean over the window, and pitch to its own: neither the
line's colour nor how high a voice is reaches the network; the regression on functionals sees what
stands still. Trained on several emotions and arousal at once, balanced by corpus and anger.

Source:
    Statistics pooling: Snyder et al. 2018, "X-vectors", ICASSP. Masks over time and bands: Park et
    al. 2019, "SpecAugment", Interspeech.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hackles.config import CONTOUR_FRAMES
from hackles.features.contours import PITCH, STEPS_PER_DB, STEPS_PER_ST, VOICING, VOICING_STEPS
from hackles.types import AnyArray, Array
from models.training.corpora import ANGER, AROUSED, EMOTIONS, UNAROUSED

if TYPE_CHECKING:
    import torch

CHANNELS = (48, 64, 64)
WIDTHS = (5, 5, 3)
STRIDES = (2, 2, 1)
HIDDEN = 64
N_INPUTS = PITCH + 3
"""Bands, pitch, whether there is one, voicing."""

FLOOR_DB = 20.0
"""What lies further under the window's mean is taken to be as far: noise, not voice."""
BAND_DB = 10.0
PITCH_ST = 4.0
"""Units of the inputs."""
LEAST_VARIANCE = 1e-4

_EMOTIONS = tuple(sorted(EMOTIONS))
_BATCH = 512


@dataclass(frozen=True, slots=True)
class Layer:
    """A convolution over time, or a matrix: weights and bias."""

    weights: Array
    bias: Array


@dataclass(frozen=True, slots=True)
class Network:
    """A trained network, its normalisations folded in.

    Attributes:
        convolutions: weights of shape (n_out, n_in, width).
        hidden, out: weights of shape (n_out, n_in); the outputs are irritation and arousal.
    """

    convolutions: tuple[Layer, ...]
    hidden: Layer
    out: Layer

    @property
    def parameters(self) -> int:
        """How many numbers were learned."""
        layers = (*self.convolutions, self.hidden, self.out)
        return sum(layer.weights.size + layer.bias.size for layer in layers)

    def logits(self, contours: AnyArray) -> AnyArray:
        """Return logits of irritation and arousal, shape (n, 2).

        Args:
            contours: shape (n, CONTOUR_FRAMES, N_CONTOURS), uint8.
        """
        import torch

        parts = [np.zeros((0, 2), dtype=np.float32)]
        with one_thread(), torch.inference_mode():
            for at in range(0, len(contours), _BATCH):
                # Copied: what another process hands over can only be read.
                inputs, mask = seen(torch.tensor(contours[at : at + _BATCH]))
                parts.append(self._out(inputs, mask).numpy())
        return np.concatenate(parts).astype(np.float64)

    def _out(self, inputs: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        import torch
        from torch.nn import functional

        signal = inputs
        for layer, stride in zip(self.convolutions, STRIDES, strict=True):
            weights, bias = torch.from_numpy(layer.weights), torch.from_numpy(layer.bias)
            padding = weights.shape[2] // 2
            signal = torch.relu(functional.conv1d(signal, weights, bias, stride, padding))
            mask = mask[:, :, ::stride]
            signal = signal * mask
        pooled = torch.relu(_matrix(self.hidden, pool(signal, mask)))
        return _matrix(self.out, pooled)


@contextmanager
def one_thread() -> Iterator[None]:
    """Reckon on one thread: sums in another order are other sums."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _matrix(layer: Layer, inputs: torch.Tensor) -> torch.Tensor:
    import torch

    return inputs @ torch.from_numpy(layer.weights).T + torch.from_numpy(layer.bias)


def seen(contours: torch.Tensor, warp: torch.Tensor | None = None) -> tuple[Any, Any]:
    """Return what the network sees of contours, and where there is something.

    Args:
        contours: shape (n, CONTOUR_FRAMES, N_CONTOURS), bytes.
        warp: how many bands each window's spectrum is moved by in its middle, shape (n,); a
            shorter or a longer vocal tract.

    Returns:
        Shapes (n, N_INPUTS, CONTOUR_FRAMES) and (n, 1, CONTOUR_FRAMES).
    """
    import torch

    coded = contours.float().transpose(1, 2)
    mask = (coded[:, :1] > 0).float()
    count = mask.sum(dim=2, keepdim=True).clamp(min=1)
    bands = coded[:, :PITCH] / STEPS_PER_DB
    if warp is not None:
        bands = _warped(bands, warp)
    level = (bands.mean(dim=1, keepdim=True) * mask).sum(dim=2, keepdim=True) / count
    bands = torch.clamp(bands - level, min=-FLOOR_DB)
    bands = bands - (bands * mask).sum(dim=2, keepdim=True) / count
    pitch = coded[:, PITCH : PITCH + 1] / STEPS_PER_ST
    voiced = (pitch > 0).float()
    mean = (pitch * voiced).sum(dim=2, keepdim=True) / voiced.sum(dim=2, keepdim=True).clamp(min=1)
    parts = [
        bands / BAND_DB,
        (pitch - mean) * voiced / PITCH_ST,
        voiced,
        coded[:, VOICING : VOICING + 1] / VOICING_STEPS,
    ]
    return torch.cat(parts, dim=1) * mask, mask


def _warped(bands: torch.Tensor, warp: torch.Tensor) -> torch.Tensor:
    import torch

    place = torch.arange(PITCH, dtype=torch.float32)
    moved = place + warp[:, None] * torch.linspace(0.5, 1.5, PITCH)
    moved = moved.clamp(0, PITCH - 1)
    share = torch.relu(1 - (place[None, :, None] - moved[:, None, :]).abs())
    return torch.bmm(share.transpose(1, 2), bands)


def pool(signal: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return mean and standard deviation over time, shape (n, 2 * channels)."""
    import torch

    count = mask.sum(dim=2).clamp(min=1)
    mean = signal.sum(dim=2) / count
    apart = (signal - mean[:, :, None]) * mask
    deviation = torch.sqrt((apart * apart).sum(dim=2) / count + LEAST_VARIANCE)
    return torch.cat([mean, deviation], dim=1)


def targets(emotion: AnyArray) -> tuple[Array, Array, AnyArray]:
    """Return what is learned of emotions: anger, arousal (nan where it is open), and which."""
    angry = (emotion == ANGER).astype(np.float32)
    aroused = np.where(np.isin(emotion, list(UNAROUSED)), np.float32(0.0), np.float32(np.nan))
    aroused[np.isin(emotion, list(AROUSED))] = 1.0
    which = np.searchsorted(np.array(_EMOTIONS), emotion)
    return angry, aroused.astype(np.float32), which


N_EMOTIONS = len(_EMOTIONS)
N_FRAMES = CONTOUR_FRAMES
