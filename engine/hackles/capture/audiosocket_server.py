"""A way in for Asterisk, which connects to us over TCP with each call (AudioSocket).

Asterisk ends a telephone call whose connection we close or write to, so we do neither of our own
accord: a call that cannot be listened to is read and forgotten until Asterisk hangs up.
"""

import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias
from uuid import UUID

import numpy as np

from hackles.capture.audiosocket import (
    DTMF,
    ERROR,
    HANG_UP,
    MAX_READ,
    NAME_BYTES,
    NAME_HEAD,
    RATES_HZ,
    SLIN,
    TOO_MANY,
    Found,
    Lines,
    Note,
)
from hackles.capture.intake import OpenCall, Received
from hackles.capture.resampling import Resampled
from hackles.capture.sockets import Listener, Unheard
from hackles.config import SAMPLE_RATE
from hackles.types import Bools, Ints

_log = logging.getLogger(__name__)

_NO_SLOT: Final = -1

_Read: TypeAlias = tuple[Callable[[memoryview], int], memoryview]
"""A connection's `recv_into`, and where to."""


@dataclass(slots=True)
class _Connection:
    """Who is on a line; `complained` holds the kinds of message that were logged."""

    socket: socket.socket
    name: str = ""
    complained: set[int] = field(default_factory=set)


class AudioSockets:
    """A TCP server that never sends, and reads once a tick from every connection.

    What does not fit into a tick stays in the kernel; when that is full, Asterisk waits.
    """

    def __init__(self, host: str, port: int, n_lines: int, max_samples: int) -> None:
        """Listen.

        Args:
            host: the address to listen on.
            port: 0 takes any that is free; see `port`.
            n_lines: connections listened to at a time; others are read and forgotten.
            max_samples: the most samples of one call to hand over in a tick.

        Raises:
            UsageError: if one cannot listen there.
        """
        self._listener = Listener(host, port)
        self.port = self._listener.port
        self._max_samples = max_samples
        self._lines = Lines(n_lines)
        self._free = list(range(n_lines - 1, -1, -1))
        self._connections: dict[int, _Connection] = {}
        self._reads: dict[int, _Read] = {}
        self._slots: Ints = np.full(n_lines, _NO_SLOT, dtype=np.int64)
        self._is_resampled: Bools = np.zeros(n_lines, dtype=np.bool_)
        self._resampled = Resampled()
        self._unheard = Unheard(MAX_READ)

    def receive(self, open_call: OpenCall) -> Received:
        """Take in what has come since the last tick, calls that begin among it."""
        self._unheard.drain()
        lines, counts, gone = self._read()
        lines, counts = self._greet(lines, counts, open_call)
        found = self._lines.cut(lines, counts)
        slots = self._slots[lines]
        plain = ~self._resample(found)
        ended: list[int] = []
        for note in found.notes:
            self._look_at(note, ended)
        for line in gone:
            self._end(line, ended).close()
        received = self._hand_over(found, slots, plain, ended)
        # Last, when the lines of those that hung up are free again.
        for connected, host in self._listener.accepted():
            self._take_in(connected, host)
        return received

    def close(self) -> None:
        """Hang up on everybody and listen no longer."""
        self._listener.close()
        for line in tuple(self._connections):
            self._release(line).close()
        self._unheard.close()

    def _take_in(self, connected: socket.socket, host: str) -> None:
        """Give a new connection a line."""
        if not self._free:
            _log.warning("A call from %s is not listened to: all lines are taken.", host)
            self._unheard.add(connected)
            return
        line = self._free.pop()
        self._lines.clear(line)
        self._connections[line] = _Connection(connected)
        self._read_at(line, SAMPLE_RATE)

    def _read_at(self, line: int, sample_rate: int) -> None:
        """Let a line read as much at a time as `max_samples` are at its rate."""
        n_bytes = min(2 * self._max_samples * sample_rate // SAMPLE_RATE, MAX_READ)
        # Whole packets of 20 ms, as Asterisk sends them: with a backlog, a read that ends within
        # one would leave the ring between two hops, where it is written sample by sample.
        packet = 3 + 2 * sample_rate // 50
        n_bytes = n_bytes // packet * packet or n_bytes
        receive = self._connections[line].socket.recv_into
        self._reads[line] = receive, self._lines.room(line, n_bytes)

    def _read(self) -> tuple[Ints, Ints, list[int]]:
        """Read once from every line.

        Returns:
            The lines that brought something, how many bytes each, and the lines that are gone.
        """
        lines, counts, gone = [], [], []
        # Asking first who has something would pay only if many had nothing.
        for line, (receive, room) in self._reads.items():
            try:
                count = receive(room)
            except BlockingIOError:
                continue
            except OSError:
                count = 0
            if count:
                lines.append(line)
                counts.append(count)
            else:
                gone.append(line)
        return np.array(lines, dtype=np.int64), np.array(counts, dtype=np.int64), gone

    def _greet(self, lines: Ints, counts: Ints, open_call: OpenCall) -> tuple[Ints, Ints]:
        """Ask for room for the calls whose name has come; return what came of known calls."""
        new = self._slots[lines] == _NO_SLOT
        if not new.any():
            return lines, counts
        for line, count in zip(lines[new].tolist(), counts[new].tolist(), strict=True):
            said = self._lines.waiting(line, count)[:NAME_BYTES]
            if not NAME_HEAD.startswith(said[: len(NAME_HEAD)]):
                _log.warning("A connection is not listened to: it does not begin with a UUID.")
                self._unheard.add(self._release(line))
            elif len(said) < NAME_BYTES:
                self._lines.keep(line, count)
            else:
                self._open(line, str(UUID(bytes=said[len(NAME_HEAD) :])), open_call)
        known = self._slots[lines] != _NO_SLOT
        return lines[known], counts[known]

    def _open(self, line: int, name: str, open_call: OpenCall) -> None:
        """Begin a call, if there is room for it."""
        slot = open_call(name)
        if slot is None:
            _log.warning("Call %s is not listened to: there is no room for another.", name)
            self._unheard.add(self._release(line))
            return
        self._slots[line] = slot
        self._connections[line].name = name
        self._lines.skip(line, NAME_BYTES)

    def _resample(self, found: Found) -> Bools:
        """Take out the calls at other rates, one by one; return in which rows they were found."""
        other = ((found.kinds > SLIN) & (found.sizes > 0)).any(axis=1)
        other |= self._is_resampled[found.lines]
        if not other.any():
            return other
        self._is_resampled[found.lines[other]] = True
        there = found.sizes[other] > 0
        sizes, kinds = found.sizes[other][there], found.kinds[other][there]
        samples = self._lines.samples(found.starts[other][there], sizes)
        ends = np.cumsum(sizes // 2)
        lines = np.repeat(found.lines[other], there.sum(axis=1))
        last = np.flatnonzero(np.diff(lines * 256 + kinds, append=-1))
        begin = 0
        for line, kind, end in zip(
            *(of[last].tolist() for of in (lines, kinds, ends)), strict=True
        ):
            self._resampled.push(int(self._slots[line]), samples[begin:end], RATES_HZ[kind])
            self._read_at(line, RATES_HZ[kind])
            begin = end
        return other

    def _look_at(self, note: Note, ended: list[int]) -> None:
        """Do what a message asks for that is not just audio."""
        connection = self._connections[note.line]
        if note.kind == HANG_UP:
            self._end(note.line, ended).close()
        elif note.kind == ERROR or note.kind in RATES_HZ:
            if note.kind not in connection.complained:
                what = "an error" if note.kind == ERROR else "half a sample"
                _log.warning("Asterisk sent %s in call %s; it goes on.", what, connection.name)
            connection.complained.add(note.kind)
        elif note.kind == TOO_MANY:
            _log.warning("Call %s is listened to no longer: it floods us.", connection.name)
            self._unheard.add(self._end(note.line, ended))
        elif note.kind != DTMF:
            unknown = "Call %s is listened to no longer: it brought a message of unknown kind %#x."
            _log.warning(unknown, connection.name, note.kind)
            self._unheard.add(self._end(note.line, ended))

    def _end(self, line: int, ended: list[int]) -> socket.socket:
        """End a line's call, unless some of it still waits; return the connection it had."""
        slot = int(self._slots[line])
        if slot != _NO_SLOT and not self._resampled.end(slot):
            ended.append(slot)
        return self._release(line)

    def _release(self, line: int) -> socket.socket:
        """Free a line; return the connection it had."""
        del self._reads[line]
        self._slots[line] = _NO_SLOT
        self._is_resampled[line] = False
        self._free.append(line)
        return self._connections.pop(line).socket

    def _hand_over(self, found: Found, slots: Ints, plain: Bools, ended: list[int]) -> Received:
        """Return the samples of the calls at the engine's rate, then those of all others."""
        starts, sizes = found.starts[plain], found.sizes[plain]
        there = sizes > 0
        others, ended_others = self._resampled.take(self._max_samples)
        samples = [self._lines.samples(starts[there], sizes[there]), *others.values()]
        counts = [*(sizes.sum(axis=1) // 2).tolist(), *map(len, others.values())]
        return Received(
            np.concatenate([slots[plain], np.fromiter(others, np.int64)]),
            np.array(counts, dtype=np.int64),
            samples[0] if len(samples) == 1 else np.concatenate(samples),
            (*ended, *ended_others),
        )
