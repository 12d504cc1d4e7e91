"""Which lines are read on a tick: all, once each, but none much faster than people speak."""

import socket
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hackles.capture.intake import AHEAD_S
from hackles.types import Bools, Ints

_CLOCKS: Final = 1.1
"""Audio may come this much faster than the clock goes: the other side's clock is not ours, and
what piled up before we came is to be caught up with."""

_Read: TypeAlias = tuple[Callable[[memoryview], int], memoryview]
"""A connection's `recv_into`, and where to."""


class Reads:
    """The connections that are read, each as much at a time as it has room.

    A line whose audio is too far ahead of the clock is not read until the clock has caught up. What
    it sends waits in the kernel; when that is full, TCP slows the sender down.
    """

    def __init__(self, n_lines: int) -> None:
        """Begin without a connection."""
        self._reads: dict[int, _Read] = {}
        self._held: dict[int, tuple[float, _Read]] = {}
        self._sizes: Ints = np.zeros(n_lines, dtype=np.int64)
        self._full: set[int] = set()
        self._heard_s: NDArray[np.float64] = np.zeros(n_lines)
        self._begun_s: NDArray[np.float64] = np.full(n_lines, -np.inf)

    def add(self, line: int, connected: socket.socket, room: memoryview) -> None:
        """Read from a connection into `room`."""
        self._reads[line] = connected.recv_into, room
        self._sizes[line] = len(room)
        self._heard_s[line], self._begun_s[line] = 0.0, -np.inf

    def remove(self, line: int) -> None:
        """Read no more from a line's connection."""
        self._reads.pop(line, None)
        self._held.pop(line, None)
        self._full.discard(line)

    def resize(self, line: int, room: memoryview) -> None:
        """Read into another room from now on."""
        self._sizes[line] = len(room)
        if line in self._held:
            until_s, (receive, _) = self._held[line]
            self._held[line] = until_s, (receive, room)
        else:
            self._reads[line] = self._reads[line][0], room

    def read(self, now: float) -> tuple[Ints, Ints, list[int]]:
        """Read once from every line.

        Returns:
            The lines that brought something, or filled their room the last time; how many bytes
            each; and the lines that are gone.
        """
        self._resume(now)
        lines, counts, gone = [], [], []
        # Asking first who has something would pay only if many had nothing.
        for line, (receive, room) in self._reads.items():
            try:
                count = receive(room)
            except BlockingIOError:
                if line in self._full:  # it was told that more may wait: now it does not
                    lines.append(line)
                    counts.append(0)
                continue
            except OSError:
                count = 0
            if count:
                lines.append(line)
                counts.append(count)
            else:
                gone.append(line)
        return np.array(lines, dtype=np.int64), np.array(counts, dtype=np.int64), gone

    def read_more(self, line: int, room: memoryview) -> int:
        """Read from one line out of turn; return 0 if nothing waits, or it is gone or held back."""
        receive, _ = self._reads.get(line, (_nothing, room))
        try:
            return receive(room)
        except OSError:
            return 0

    def are_drained(self, lines: Ints, counts: Ints) -> Bools:
        """Return of which lines nothing more waits, now that so many bytes were read of each."""
        drained: Bools = counts < self._sizes[lines]
        self._full = set(lines[~drained].tolist())
        return drained

    def is_full(self, line: int) -> bool:
        """Return whether more of a line may wait."""
        return line in self._full

    def begin(self, line: int, now: float) -> bool:
        """Say that a line brings audio; return whether that is the first of it."""
        is_first = self._begun_s[line] == -np.inf
        if is_first:
            self._begun_s[line] = now
        return bool(is_first)

    def hear(self, lines: Any, seconds: Any) -> None:
        """Say how much audio these lines brought, or this one; each at most once."""
        self._heard_s[lines] += seconds

    def heard_s(self, line: int) -> float:
        """Return how much audio a line has brought, in seconds."""
        return float(self._heard_s[line])

    def hold_back(self, lines: Ints, now: float) -> list[int]:
        """Read no more of those that are too far ahead, for now; return which these are."""
        heard_s, begun_s = self._heard_s[lines], self._begun_s[lines]
        ahead = heard_s > _CLOCKS * (now - begun_s) + AHEAD_S
        if not ahead.any():
            return []
        until_s = begun_s[ahead] + (heard_s[ahead] - AHEAD_S) / _CLOCKS
        due = dict(zip(lines[ahead].tolist(), until_s.tolist(), strict=True))
        held = [line for line in due if line in self._reads]
        self._held |= {line: (due[line], self._reads.pop(line)) for line in held}
        return held

    def _resume(self, now: float) -> None:
        """Read again those with whom the clock has caught up."""
        for line, (until_s, read) in tuple(self._held.items()):
            if now >= until_s:
                del self._held[line]
                self._reads[line] = read


def _nothing(_room: memoryview) -> int:
    """Read nothing."""
    return 0
