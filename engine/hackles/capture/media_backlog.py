"""The audio of one call that has come and waits to be handed over, and what is missing in it."""

from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from hackles.capture import g711
from hackles.capture.resampling import Resampler
from hackles.config import SAMPLE_RATE
from hackles.types import Array

Codes: TypeAlias = bytes | bytearray


class Coding(NamedTuple):
    """How codes are to be read; calls of the same are stacked.

    Attributes:
        width: bytes of a sample.
        decode: gives the samples.
    """

    width: int
    decode: Callable[[Codes], Array]


def _linear(codes: Codes) -> Array:
    return np.frombuffer(codes, "<i2") * np.float32(1 / 2**15)


def _floats(codes: Codes) -> Array:
    return np.frombuffer(codes, np.float32)


def _mu_law(codes: Codes) -> Array:
    return g711.decode(np.frombuffer(codes, np.uint8), g711.Encoding.MU_LAW)


def _a_law(codes: Codes) -> Array:
    return g711.decode(np.frombuffer(codes, np.uint8), g711.Encoding.A_LAW)


_LAWS: Final = {
    g711.Encoding.MU_LAW: Coding(1, _mu_law),
    g711.Encoding.A_LAW: Coding(1, _a_law),
}
_LINEAR: Final = Coding(2, _linear)
_FLOATS: Final = Coding(4, _floats)


class Backlog:
    """Codes at the engine's rate: many calls' may be stacked and decoded at once.

    Attributes:
        codes: what waits; whoever takes audio in appends to it.
        coding: of what is handed over.
    """

    def __init__(self, coding: Coding, sample_rate: int) -> None:
        """Begin with nothing; there are so many samples in a second."""
        self.codes = bytearray()
        self.coding = coding
        self._width = coding.width
        self._n_taken = 0
        self._n_lost = 0
        self._gaps: deque[tuple[int, int]] = deque()
        self._per_byte = SAMPLE_RATE / (sample_rate * coding.width)

    def samples_in(self, n_bytes: int) -> int:
        """Return how many samples, at the engine's rate, so many bytes of codes are."""
        return round(n_bytes * self._per_byte)

    @property
    def n_samples(self) -> int:
        """Samples since the call began, at the engine's rate, those that are missing too."""
        return round((self._n_taken + len(self.codes)) * self._per_byte) + self._n_lost

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not self.codes

    def lose(self, n_samples: int) -> None:
        """Say that so many samples are missing before those that come next."""
        self._gaps.append((self._n_taken + len(self.codes), n_samples))
        self._n_lost += n_samples

    def take(self, n_samples: int) -> tuple[Codes, int]:
        """Return at most so many of the codes, the oldest, and what is missing before them.

        What is missing further on ends them: it is told with the codes that follow it.
        """
        codes = self.codes
        if not self._gaps and len(codes) <= n_samples * self._width:
            self._n_taken += len(codes)
            self.codes = bytearray()
            return codes, 0
        return self._take_to_gap(n_samples * self._width)

    def skip(self, keep: int) -> None:
        """Drop all but the newest `keep` samples; they are missing from now on."""
        n_bytes = len(self.codes) - round(keep / self._per_byte) // self._width * self._width
        if n_bytes > 0:
            del self.codes[:n_bytes]
            self._n_taken += n_bytes
            lost = self.samples_in(n_bytes) + self._gap_until(self._n_taken)
            self._gaps.appendleft((self._n_taken, lost))

    def end(self) -> None:
        """Say that nothing more comes."""

    def _take_to_gap(self, n_bytes: int) -> tuple[Codes, int]:
        lost = self._gap_until(self._n_taken)
        if self._gaps:
            n_bytes = min(n_bytes, self._gaps[0][0] - self._n_taken)
        codes = self._cut(min(n_bytes, len(self.codes)))
        if lost and not codes:
            self._gaps.appendleft((self._n_taken, lost))
            lost = 0
        return codes, lost

    def _gap_until(self, position: int) -> int:
        """Forget the gaps up to a place, in bytes, and return how long they are together."""
        lost = 0
        while self._gaps and self._gaps[0][0] <= position:
            lost += self._gaps.popleft()[1]
        return lost

    def _cut(self, n_bytes: int) -> bytearray:
        self._n_taken += n_bytes
        codes = self.codes[:n_bytes]
        del self.codes[:n_bytes]
        return codes


class ResampledBacklog(Backlog):
    """Linear PCM at another rate: handed over at the engine's, as float32."""

    def __init__(self, sample_rate: int) -> None:
        """Begin with nothing, at this rate."""
        super().__init__(_LINEAR, sample_rate)
        self.coding = _FLOATS
        self._sample_rate = sample_rate
        self._resampler = Resampler()
        self._lost = 0
        self._is_ending = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits, nor is held back by the resampler of a call that has ended."""
        return not self.codes and self._resampler.is_empty

    def take(self, n_samples: int) -> tuple[Codes, int]:
        """As of any backlog: what is missing is told when all before it has been given out."""
        if self.codes and self._resampler.is_empty:
            codes, lost = self._take_to_gap(len(self.codes))
            self._lost += lost
            self._resampler.push(_linear(codes), self._sample_rate)
            if self._gaps or self._is_ending:
                self._resampler.flush()
        block = self._resampler.take(n_samples)
        lost, self._lost = (self._lost, 0) if len(block) else (0, self._lost)
        return block.tobytes(), lost

    def skip(self, keep: int) -> None:
        """Drop all but the newest `keep` samples; they are missing from now on."""
        self._resampler.flush()
        super().skip(keep)

    def end(self) -> None:
        """Say that nothing more comes: what the resampler holds back does."""
        self._is_ending = True
        if not self.codes:
            self._resampler.flush()


def backlog_of(law: g711.Encoding | None, sample_rate: int) -> Backlog:
    """Return an empty backlog for audio by a law of G.711, or for linear PCM of 16 bits."""
    if law:
        return Backlog(_LAWS[law], SAMPLE_RATE)
    if sample_rate == SAMPLE_RATE:
        return Backlog(_LINEAR, SAMPLE_RATE)
    return ResampledBacklog(sample_rate)
