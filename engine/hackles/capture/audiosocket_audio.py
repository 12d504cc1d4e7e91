"""The audio of all calls over AudioSocket, from the bytes that were read to samples.

Almost all calls bring 16 bits at the engine's rate, and are taken apart together. Any other is odd:
its audio goes through a queue of its own. So does that of a call that has just begun, until its
queue is empty.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from hackles.capture.audiosocket import MAX_READ, SLIN, Bytes, Found, Lines, Note
from hackles.capture.audiosocket_codec import PLAIN, Codec, Coding
from hackles.capture.audiosocket_reads import Reads
from hackles.capture.g711 import Encoding
from hackles.capture.intake import Received
from hackles.capture.resampling import Resampled
from hackles.config import HOP_LENGTH, SAMPLE_RATE
from hackles.types import Bools, Ints

NO_SLOT: Final = -1

MORE_BYTES: Final = 2**14
"""Read at a time of a call that is not known yet, or has much to skip."""

_PACE_S: Final = 2.0
_LEAST_SHARE: Final = 0.6
"""A call that has brought less of its first seconds than this is told of; half may be G.711."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What some lines brought; arrays have the shape (n_lines,).

    Attributes:
        found: where it lies.
        slots: whose.
        n_bytes: of audio, to be handed over.
        lost: samples before these that were skipped.
        plain: which lines are not odd.
        drained: whether nothing more waits of them.
        lack_law: lines that have turned out to bring G.711, and nobody said by which law.
    """

    found: Found
    slots: Ints
    n_bytes: Ints
    lost: Ints
    plain: Bools
    drained: Bools
    lack_law: Sequence[int]

    @property
    def notes(self) -> Sequence[Note]:
        """The messages that somebody must look at."""
        return self.found.notes


class CallAudio:
    """Which call is on which line, and what it brings.

    Attributes:
        slots: of the call on each line, or `NO_SLOT`.
        line_of: each slot's line.
    """

    def __init__(
        self, lines: Lines, reads: Reads, n_lines: int, max_samples: int, law: Encoding | None
    ) -> None:
        """Begin without a call; `law` is that of G.711 that does not say what it is."""
        self.slots: Ints = np.full(n_lines, NO_SLOT, dtype=np.int64)
        self.line_of: dict[int, int] = {}
        self._lines, self._reads = lines, reads
        self._max_samples = max_samples
        self._law = law
        self._codings: dict[int, Coding] = {}
        self._is_odd: Bools = np.ones(n_lines, dtype=np.bool_)
        self._queues = Resampled()
        self._skipping: set[int] = set()
        self._hurried: set[int] = set()
        self._due: dict[int, float] = {}

    def begin(self, line: int, slot: int) -> None:
        """Say that a call begins."""
        self.slots[line], self.line_of[slot] = slot, line
        self._codings[line] = Coding(self._law)
        self._is_odd[line] = True

    def end(self, line: int) -> bool:
        """End a line's call; return whether some of it still waits, which ends it later."""
        self._queue(line, self._codings[line].flush())
        slot = int(self.slots[line])
        self._remove(line)
        return self._queues.end(slot)

    def forget(self, slot: int) -> int | None:
        """Drop all of a call; return the line that it was on, if it was on one."""
        self._queues.forget(slot)
        self._skipping.discard(slot)
        line = self.line_of.get(slot)
        if line is not None:
            self._remove(line)
        return line

    def _remove(self, line: int) -> None:
        """Free a line."""
        del self.line_of[int(self.slots[line])], self._codings[line]
        self.slots[line] = NO_SLOT
        self._hurried.discard(line)
        self._due.pop(line, None)

    def skip(self, slots: Iterable[int]) -> None:
        """Hand over no more than the newest of these calls, the next time."""
        for slot in slots:
            line = self.line_of.get(slot)
            if line is not None and not self._is_odd[line]:
                # All calls may be behind at once, when there is least time: they skip together.
                self._hurried.add(line)
                self._reads.resize(line, self._lines.room(line, MAX_READ))
            elif line is not None or not self._queues.is_empty(slot):
                # Whoever is over by now is left out: its slot may be another's the next time.
                self._skipping.add(slot)

    def skipping(self) -> list[int]:
        """Return the lines of odd calls that are to skip some."""
        return [self.line_of[slot] for slot in self._skipping if slot in self.line_of]

    def hear(self, lines: Ints, counts: Ints, drained: Bools, now: float) -> Heard:
        """Take apart what came.

        Args:
            lines: which brought something, shape (n_lines,), each at most once.
            counts: how many bytes, the same shape.
            drained: whether these were all, the same shape.
            now: in seconds.
        """
        found = self._lines.cut(lines, counts)
        n_bytes = found.sizes.sum(axis=1)
        plain = ~(self._is_odd[lines] | ((found.kinds > SLIN) & (found.sizes > 0)).any(axis=1))
        self._reads.hear(lines[plain], n_bytes[plain] / PLAIN.bytes_per_s)
        lost = np.zeros_like(lines)
        if self._hurried:
            rows = np.flatnonzero(plain & np.isin(lines, list(self._hurried)))
            lost[rows] = self._drop_oldest(found, rows)
            n_bytes = found.sizes.sum(axis=1)
            self._slow_down(lines)
        lack_law = [] if plain.all() else self._hear_odd(found, ~plain, drained, now)
        return Heard(found, self.slots[lines], n_bytes, lost, plain, drained, lack_law)

    def _drop_oldest(self, found: Found, rows: Ints) -> Ints:
        """Take the oldest audio out of some rows; return how many samples of each."""
        sizes = found.sizes[rows]
        n_samples = sizes.sum(axis=1) // 2
        # Whole hops, for the same reason for which reads are whole packets.
        hops = -(-np.maximum(n_samples - self._max_samples, 0) // HOP_LENGTH)
        n_dropped: Ints = np.minimum(hops * HOP_LENGTH, n_samples)
        before = np.cumsum(sizes, axis=1) - sizes
        dropped = np.clip(2 * n_dropped[:, None] - before, 0, sizes)
        found.starts[rows] += dropped
        found.sizes[rows] -= dropped
        return n_dropped

    def _slow_down(self, lines: Ints) -> None:
        """Let the calls that skipped, or had nothing to skip, read as much as all others."""
        for line in self._hurried.intersection(lines.tolist()):
            self._hurried.discard(line)
            if not self._is_odd[line]:
                self._read_at(line, PLAIN)

    def _hear_odd(self, found: Found, odd: Bools, drained: Bools, now: float) -> list[int]:
        """Queue the audio of the odd calls, one by one; return the lines that lack a law."""
        self._is_odd[found.lines[odd]] = True
        is_drained = dict(zip(found.lines[odd].tolist(), drained[odd].tolist(), strict=True))
        lack_law = []
        for run in self._lines.runs(found, odd):
            if self._reads.begin(run.line, now):
                self._due[run.line] = now + _PACE_S
            coding = self._codings[run.line]
            self._queue(run.line, coding.push(run, now, is_drained[run.line]))
            if coding.lacks_law and run.line not in lack_law:
                lack_law.append(run.line)
        return lack_law

    def _queue(self, line: int, ready: list[tuple[Codec, Bytes]]) -> None:
        """Queue what a line brought, and read as much of it at a time as is due."""
        for codec, coded in ready:
            self._queues.push(int(self.slots[line]), codec.decode(coded), codec.sample_rate)
            self._reads.hear(line, len(coded) / codec.bytes_per_s)
            self._read_at(line, codec)

    def _read_at(self, line: int, codec: Codec) -> None:
        """Let a line read as much at a time as `max_samples` are."""
        n_bytes = min(self._max_samples * codec.bytes_per_s // SAMPLE_RATE, MAX_READ)
        # Whole packets of 20 ms, as Asterisk sends them: with a backlog, a read that ends within
        # one would leave the ring between two hops, where it is written sample by sample.
        packet = 3 + codec.bytes_per_s // 50
        self._reads.resize(line, self._lines.room(line, n_bytes // packet * packet or n_bytes))

    def hand_over(self, heard: Heard, ended: list[int], digits: list[tuple[int, str]]) -> Received:
        """Return the samples of the plain calls, then those that waited of the odd ones."""
        lost = {slot: self._queues.trim(slot, self._max_samples) for slot in self._skipping}
        self._skipping.clear()
        blocks, ended_later = self._queues.take(self._max_samples)
        behind = set(heard.slots[~heard.drained].tolist())
        drained = [slot not in behind and self._queues.is_empty(slot) for slot in blocks]
        self._settle(blocks)
        plain = heard.plain
        starts, sizes = heard.found.starts[plain], heard.found.sizes[plain]
        there = sizes > 0
        samples = [self._lines.samples(starts[there], sizes[there]), *blocks.values()]
        counts = np.fromiter(map(len, blocks.values()), np.int64)
        n_lost = np.fromiter((lost.get(slot, 0) for slot in blocks), np.int64)
        return Received(
            slots=np.concatenate([heard.slots[plain], np.fromiter(blocks, np.int64)]),
            counts=np.concatenate([heard.n_bytes[plain] // 2, counts]),
            samples=samples[0] if len(samples) == 1 else np.concatenate(samples),
            ended=(*ended, *ended_later),
            lost=np.concatenate([heard.lost[plain], n_lost]),
            drained=np.concatenate([heard.drained[plain], np.array(drained, np.bool_)]),
            digits=digits,
        )

    def _settle(self, slots: Iterable[int]) -> None:
        """Let the calls that are plain now, and of which nothing waits, do without a queue."""
        for slot in slots:
            line = self.line_of.get(slot)
            if line is not None and self._codings[line].is_plain and self._queues.is_idle(slot):
                self._queues.forget(slot)
                self._is_odd[line] = False
                self._read_at(line, PLAIN)

    def below_pace(self, now: float) -> Iterator[tuple[int, float]]:
        """Yield the lines whose first seconds are over and were far from full, and how full."""
        while self._due:
            line, due_s = next(iter(self._due.items()))
            if now < due_s:
                return
            del self._due[line]
            share = self._reads.heard_s(line) / (now - due_s + _PACE_S)
            is_behind = self._reads.is_full(line)
            if share < _LEAST_SHARE and self._codings[line].is_plain and not is_behind:
                yield line, share
