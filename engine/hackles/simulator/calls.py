"""What is played: which recording is which call, and its customer as a wire carries them."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final
from uuid import UUID, uuid5

import numpy as np
from numpy.typing import NDArray

from hackles.capture.files import Channels, open_recording
from hackles.capture.g711 import Encoding, decode
from hackles.config import SAMPLE_RATE
from hackles.errors import AudioError
from hackles.types import Array

_NAMESPACE: Final = UUID("4f2a4b0e-2d55-5a55-9a5e-6d1f1f8f9c11")
"""Names are the same in each run: made from this, the prefix and the call's number."""


class Coding(StrEnum):
    """How samples are written: 16-bit little-endian, or G.711."""

    SLIN = "slin"
    ULAW = "ulaw"


@dataclass(frozen=True, slots=True)
class Call:
    """One call that is to be played.

    Attributes:
        number: counted from 1.
        name: for people.
        id: for machines; each protocol writes it in its own way.
        file: the recording.
    """

    number: int
    name: str
    id: UUID
    file: str


def plan(files: Sequence[str], n_calls: int | None, prefix: str) -> list[Call]:
    """Return the calls: one for each recording, or `n_calls`, going round the recordings."""
    chosen = itertools.islice(itertools.cycle(files), n_calls or len(files))
    names = ((number, f"{prefix}-{number}", file) for number, file in enumerate(chosen, start=1))
    return [Call(number, name, uuid5(_NAMESPACE, name), file) for number, name, file in names]


def customer_of(path: str, channels: Channels) -> tuple[Array, str]:
    """Read the customer's samples, just as `hackles score` reads them.

    Returns:
        What could be read, float32 at the engine's rate, and what was wrong or "".
    """
    pieces: list[Array] = []
    fault = ""
    try:
        with open_recording(path, channels) as recording:
            pieces += [customer.samples for customer, _ in recording.blocks()]
    except AudioError as error:
        fault = f"{path}: {error}"
    return np.concatenate([np.empty(0, np.float32), *pieces]), fault


def written(samples: Array, coding: Coding, sample_rate: int) -> bytes:
    """Return samples as a wire carries them; what came from 16 bits or G.711 is exactly that.

    Args:
        samples: float32, at the engine's rate.
        coding: how they are written.
        sample_rate: at which they are sent.
    """
    if sample_rate != SAMPLE_RATE:
        import soxr  # type: ignore[import-untyped, unused-ignore]

        samples = soxr.resample(samples, SAMPLE_RATE, sample_rate, quality="HQ")
    linear = np.clip(np.rint(samples * np.float32(32768)), -32768, 32767)
    is_linear = coding is Coding.SLIN
    codes = linear.astype("<i2") if is_linear else _mu_law()[linear.astype(np.int32) + 32768]
    return bytes(codes.tobytes())


@cache
def _mu_law() -> NDArray[np.uint8]:
    """Return the mu-law code that is nearest to each 16-bit value, from -32768 on."""
    codes = np.arange(256, dtype=np.uint8)
    values = decode(codes, Encoding.MU_LAW) * 32768
    by_value = np.argsort(values, kind="stable")
    halfway = (values[by_value][1:] + values[by_value][:-1]) / 2
    return codes[by_value][np.searchsorted(halfway, np.arange(-32768, 32768))]
