"""Bare samples, as pipes and recordings that still grow bring them: bytes in, samples out."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np

from hackles.capture.g711 import Encoding, decode
from hackles.capture.intake import Received
from hackles.capture.resampling import Resampler
from hackles.config import SAMPLE_RATE
from hackles.turns import Turns
from hackles.types import AnyArray, Array

Coding: TypeAlias = Literal["slin", "ulaw", "alaw"]
"""16-bit little-endian, or G.711 by one of its laws."""

_WIDTHS: Final[dict[Coding, int]] = {"slin": 2, "ulaw": 1, "alaw": 1}
_LAWS: Final[dict[Coding, Encoding]] = {"ulaw": Encoding.MU_LAW, "alaw": Encoding.A_LAW}
_SCALE: Final = np.float32(1 / 32768)


@dataclass(frozen=True, slots=True)
class Form:
    """How samples are written.

    Attributes:
        coding: of each.
        sample_rate: in Hz.
        n_channels: that take turns.
        column: of the customer, from 0.
    """

    coding: Coding
    sample_rate: int
    n_channels: int = 1
    column: int = 0

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of every channel."""
        return _WIDTHS[self.coding] * self.n_channels

    def bytes_for(self, n_samples: int) -> int:
        """Return how many bytes bring so many samples at the engine's rate, or a few more."""
        return (n_samples * self.sample_rate // SAMPLE_RATE + 1) * self.frame_bytes


class BareSamples:
    """One call: its bytes in pieces of any size, its customer's samples at the engine's rate."""

    def __init__(self, form: Form) -> None:
        """Begin with a call."""
        self._form = form
        self._rest = b""
        self._resampler = Resampler()
        self._waiting: Array = np.empty(0, np.float32)

    def __len__(self) -> int:
        """Return how many samples wait to be taken."""
        return len(self._waiting)

    def push(self, data: bytes) -> None:
        """Take in bytes; those of a sample that is not whole wait for the others."""
        data = self._rest + data
        size = self._form.frame_bytes
        n_whole = len(data) // size * size
        self._rest = data[n_whole:]
        self._decode(data[:n_whole])

    def end(self) -> int:
        """Say that no more comes; return how many bytes are left of a sample that is not whole."""
        self._resampler.flush()
        self._collect()
        return len(self._rest)

    def take(self, n_samples: int) -> Array:
        """Return the next samples, at most so many."""
        taken, self._waiting = self._waiting[:n_samples], self._waiting[n_samples:]
        return taken

    def keep(self, n_samples: int) -> int:
        """Drop the oldest of what waits but so many samples; return how many were dropped."""
        dropped = max(0, len(self._waiting) - n_samples)
        self._waiting = self._waiting[dropped:]
        return dropped

    def _decode(self, data: bytes) -> None:
        coding = self._form.coding
        values: AnyArray = np.frombuffer(data, "<i2" if coding == "slin" else np.uint8)
        own = values[self._form.column :: self._form.n_channels]
        is_linear = coding == "slin"
        samples = own.astype(np.float32) * _SCALE if is_linear else decode(own, _LAWS[coding])
        self._resampler.push(samples, self._form.sample_rate)
        self._collect()

    def _collect(self) -> None:
        while len(new := self._resampler.take(2**20)):
            self._waiting = np.concatenate([self._waiting, new])


class Gathered:
    """What a tick brings, call by call."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._calls: list[tuple[int, Array, int, bool]] = []
        self._ended: list[int] = []
        self._turns: dict[int, Turns] = {}

    def add(self, slot: int, samples: Array, lost: int = 0, drained: bool = True) -> None:
        """Add a call's samples, with how many are missing before, and whether no more wait.

        Of a call that pauses, this too is told: or its silence would be taken for our delay.
        """
        if len(samples) or lost or drained:
            self._calls.append((slot, samples, lost, drained))

    def time(self, slot: int, turns: Turns) -> None:
        """Add how the turns of a call were timed by now."""
        self._turns[slot] = turns

    def end(self, slot: int, turns: Turns | None = None) -> None:
        """Add that a call ends with this, and how its turns were timed, if they were."""
        self._ended.append(slot)
        if turns is not None:
            self.time(slot, turns)

    @property
    def received(self) -> Received:
        """All of it."""
        slots, samples, lost, drained = zip(*self._calls, strict=True) if self._calls else [()] * 4
        return Received(
            slots=np.array(slots, dtype=np.int64),
            counts=np.array([len(some) for some in samples], dtype=np.int64),
            samples=np.concatenate([np.empty(0, np.float32), *samples]),
            ended=tuple(self._ended),
            lost=np.array(lost, dtype=np.int64),
            drained=np.array(drained, dtype=np.bool_),
            turns=self._turns,
        )
