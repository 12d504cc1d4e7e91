"""Samples to frames, for many calls at once.

Every call has a row ("slot") in one ring of samples, divided into hops. A frame is four
neighbouring hops, so framing all calls is one gather. Positions count samples since the call
began; a sample's place in the ring is its position modulo the ring's length.
"""

from dataclasses import dataclass

import numpy as np

from hackles.config import FRAME_LENGTH, HOP_LENGTH
from hackles.types import AnyArray, Array, Bools, Ints

_HOPS = FRAME_LENGTH // HOP_LENGTH


@dataclass(frozen=True, slots=True)
class Batch:
    """Which frames are looked at in this tick: `counts[i]` new frames of slot `slots[i]`.

    Frames of all calls lie one below the other ("flat", shape (n_frames, ...)); what needs a
    call's own order sees them as rows ("padded", shape (n_rows, widest, ...)).
    """

    slots: Ints
    first_frame: Ints
    counts: Ints

    @property
    def width(self) -> int:
        """The largest number of new frames of any call."""
        return int(self.counts.max(initial=0))

    @property
    def inside(self) -> Bools:
        """Which places of the padded form hold a frame, shape (n_rows, width)."""
        result: Bools = np.arange(self.width) < self.counts[:, None]
        return result

    @property
    def frame(self) -> Ints:
        """The place on the clock of each padded frame, shape (n_rows, width)."""
        return self.first_frame[:, None] + np.arange(self.width)

    def pad(self, flat: AnyArray) -> AnyArray:
        """Return flat values as rows; places without a frame hold zero."""
        padded = np.zeros((len(self.slots), self.width, *flat.shape[1:]), dtype=flat.dtype)
        padded[self.inside] = flat
        return padded


class SampleRing:
    """The last samples of every call, and which frames of them have not been looked at."""

    def __init__(self, n_slots: int, max_frames: int) -> None:
        """Make room for `max_frames` new frames a tick of each of `n_slots` calls."""
        self._n_hops = max_frames + _HOPS - 1
        self._capacity = self._n_hops * HOP_LENGTH
        self._max_frames = max_frames
        self._samples: Array = np.zeros((n_slots, self._capacity), dtype=np.float32)
        self.heard: Ints = np.zeros(n_slots, dtype=np.int64)
        """Samples heard of each call: the position of the next one."""
        self._next_frame: Ints = np.zeros(n_slots, dtype=np.int64)

    def clear(self, slot: int) -> None:
        """Forget a call."""
        self._samples[slot] = 0.0
        self.heard[slot] = 0
        self._next_frame[slot] = 0

    def write(self, slot: int, samples: Array) -> int:
        """Append as many samples as there is room for, and return how many."""
        position = int(self.heard[slot])
        room = int(self._next_frame[slot]) * HOP_LENGTH + self._capacity - position
        count = min(len(samples), room)
        at = position % self._capacity
        head = min(count, self._capacity - at)
        row = self._samples[slot]
        row[at : at + head] = samples[:head]
        row[: count - head] = samples[head:count]
        self.heard[slot] = position + count
        return count

    def skip_to(self, slot: int, position: int) -> None:
        """Go on at a later position; no frame spans the samples that were lost."""
        self.heard[slot] = position
        self._next_frame[slot] = -(-position // HOP_LENGTH)

    def pending(self, slot: int) -> bool:
        """Return whether a whole frame of this call waits to be looked at."""
        return bool(self.heard[slot] >= self._next_frame[slot] * HOP_LENGTH + FRAME_LENGTH)

    def take(self) -> tuple[Batch, Array]:
        """Return all new frames of all calls and mark them as looked at.

        Returns:
            The batch, and its frames, shape (n_frames, FRAME_LENGTH).
        """
        last = (self.heard - FRAME_LENGTH) // HOP_LENGTH + 1
        new = np.clip(last - self._next_frame, 0, self._max_frames)
        slots = np.flatnonzero(new)
        batch = Batch(slots, self._next_frame[slots], new[slots])
        rows = np.repeat(slots, batch.counts)
        hops = (batch.frame[batch.inside][:, None] + np.arange(_HOPS)) % self._n_hops
        by_hop = self._samples.reshape(len(self._samples), self._n_hops, HOP_LENGTH)
        frames: Array = by_hop[rows[:, None], hops].reshape(-1, FRAME_LENGTH)
        self._next_frame[slots] += batch.counts
        return batch, frames
