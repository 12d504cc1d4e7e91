"""Calls that do not come at the engine's rate, or all at once: a queue each, one by one."""

from typing import Any

import numpy as np

from hackles.config import SAMPLE_RATE
from hackles.types import Array


class Resampler:
    """One call's samples at the engine's rate, from whatever rate the telephone system chose."""

    def __init__(self) -> None:
        """Begin with a call."""
        self._rate = SAMPLE_RATE
        self._stream: Any = None
        self._waiting: Array = np.empty(0, dtype=np.float32)

    def push(self, samples: Array, sample_rate: int) -> None:
        """Take in samples at `sample_rate`; they follow on from what came at another rate."""
        if sample_rate != self._rate:
            self.flush()
            self._rate = sample_rate
            self._stream = None if sample_rate == SAMPLE_RATE else stream(sample_rate)
        self._append(samples if self._stream is None else self._resample(samples))

    def flush(self) -> None:
        """Give out what soxr holds back: the call ends, or its rate changes."""
        if self._stream is not None:
            self._append(self._resample(np.empty(0, np.float32), last=True))
        self._rate, self._stream = SAMPLE_RATE, None

    def take(self, n_samples: int) -> Array:
        """Return the next samples at the engine's rate, at most `n_samples`."""
        taken, self._waiting = self._waiting[:n_samples], self._waiting[n_samples:]
        return taken

    def trim(self, n_samples: int) -> int:
        """Drop all that waits but the newest samples; return how many were dropped."""
        n_dropped = max(0, len(self._waiting) - n_samples)
        self._waiting = self._waiting[n_dropped:]
        return n_dropped

    @property
    def is_empty(self) -> bool:
        """Whether all samples that were given out have been taken."""
        return not len(self._waiting)

    @property
    def is_idle(self) -> bool:
        """Whether it is empty, and samples at the engine's rate could do without it."""
        return self.is_empty and self._stream is None

    def _resample(self, samples: Array, last: bool = False) -> Array:
        # A resampler rounds flat tops up beyond full scale, and clipping would not be told.
        resampled: Array = np.clip(self._stream.resample_chunk(samples, last=last), -1.0, 1.0)
        return resampled

    def _append(self, samples: Array) -> None:
        self._waiting = np.concatenate([self._waiting, samples])


class Resampled:
    """Calls of which samples wait; soxr gives nothing for a while, then much."""

    def __init__(self) -> None:
        """Begin without a call."""
        self._calls: dict[int, Resampler] = {}
        self._ending: set[int] = set()

    def push(self, slot: int, samples: Array, sample_rate: int) -> None:
        """Take in samples of a call, which may be new here."""
        if slot not in self._calls:
            self._calls[slot] = Resampler()
        self._calls[slot].push(samples, sample_rate)

    def end(self, slot: int) -> bool:
        """Say that no more comes of a call; return False if it is none of these."""
        if slot not in self._calls:
            return False
        self._calls[slot].flush()
        self._ending.add(slot)
        return True

    def forget(self, slot: int) -> None:
        """Drop a call, if it is one of these."""
        self._calls.pop(slot, None)
        self._ending.discard(slot)

    def trim(self, slot: int, n_samples: int) -> int:
        """Drop all that waits of a call but the newest samples; return how many were dropped."""
        return self._calls[slot].trim(n_samples) if slot in self._calls else 0

    def take(self, n_samples: int) -> tuple[dict[int, Array], list[int]]:
        """Return at most `n_samples` of each call, by slot, and the slots that end with these."""
        blocks = {slot: call.take(n_samples) for slot, call in self._calls.items()}
        ended = [slot for slot in self._ending if self._calls[slot].is_empty]
        for slot in ended:
            self.forget(slot)
        return blocks, ended

    def is_empty(self, slot: int) -> bool:
        """Return whether nothing waits of a call."""
        return slot not in self._calls or self._calls[slot].is_empty

    def is_idle(self, slot: int) -> bool:
        """Return whether a call's samples at the engine's rate need not go through here."""
        return slot not in self._calls or self._calls[slot].is_idle


def stream(sample_rate: int, n_channels: int = 1) -> Any:
    """Return a soxr stream to the engine's rate; what it gives comes in bursts."""
    import soxr  # type: ignore[import-untyped, unused-ignore]

    return soxr.ResampleStream(sample_rate, SAMPLE_RATE, n_channels, dtype="float32", quality="HQ")
