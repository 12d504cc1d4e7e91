"""A way in for Asterisk, which connects to us over TCP with each call (AudioSocket).

Asterisk ends a telephone call whose connection we close or write to, so we do neither of our own
accord: a call that cannot be listened to is read and forgotten until Asterisk hangs up.
"""

import logging
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final
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
    TOO_MANY,
    Lines,
    Note,
)
from hackles.capture.audiosocket_audio import MORE_BYTES, NO_SLOT, CallAudio, Heard
from hackles.capture.audiosocket_reads import Reads
from hackles.capture.complaints import Complaints
from hackles.capture.g711 import Encoding
from hackles.capture.intake import Fate, Offer, OpenCall, Received, Refusal, Troubles
from hackles.capture.sockets import Door, Unheard
from hackles.types import Bools, Ints, Role

_log = logging.getLogger(__name__)

_MORE_READS: Final = 8
"""Of a call that has much to skip, in a tick: nobody may hold up the others."""

_GREETING_S: Final = 10.0
"""Who has not said its whole name after so long gives its line up."""

_SILENT_S: Final = 1.0
"""Who has said nothing for so long makes room for others; Asterisk says its name at once."""

_BELOW_PACE: Final = (
    "Call %s brings only %.0f %% of the audio that is due. It may leave out silence; or it may be "
    "G.711 in packets of 40 ms, which Asterisk did not say: then append /c(slin) in its dialplan."
)
_LACKS_LAW: Final = (
    "Call %s is listened to no longer: its audio is G.711, and Asterisk does not say by which law. "
    'Set g711 = "ulaw" or "alaw" under [audiosocket], or append /c(slin) in Asterisk\'s dialplan.'
)


@dataclass(slots=True)
class _Connection:
    """Who is on a line; `complained` holds what was logged of it."""

    socket: socket.socket
    name: str = ""
    complained: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Tick:
    """What a tick has brought besides samples."""

    now: float
    ended: list[int] = field(default_factory=list)
    digits: list[tuple[int, str]] = field(default_factory=list)


class AudioSockets:
    """A TCP server that never sends, and reads once a tick from every connection.

    What does not fit into a tick stays in the kernel; when that is full, Asterisk waits.

    Attributes:
        troubles: what went wrong since somebody last cleared it.
    """

    def __init__(
        self,
        door: Door,
        n_lines: int,
        max_samples: int,
        role: Role = Role.UNKNOWN,
        g711: Encoding | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Listen at a door.

        Args:
            door: where connections come from; it is closed with this.
            n_lines: connections listened to at a time; others are read and forgotten.
            max_samples: the most samples of one call to hand over in a tick.
            role: whose voice comes.
            g711: by which law audio is coded that comes as G.711 and does not say so; such calls
                are not listened to if nobody says.
            clock: seconds from any start.
        """
        self.troubles: Troubles = Counter()
        self._door = door
        self._role = role
        self._clock = clock
        self._lines = Lines(n_lines)
        self._reads = Reads(n_lines)
        self._audio = CallAudio(self._lines, self._reads, n_lines, max_samples, g711)
        self._free = list(range(n_lines - 1, -1, -1))
        self._connections: dict[int, _Connection] = {}
        self._ungreeted: dict[int, float] = {}
        self._unheard = Unheard(MAX_READ, NAME_HEAD)
        self._complaints = Complaints(_log, clock)

    def receive(self, open_call: OpenCall) -> Received:
        """Take in what has come since the last tick, calls that begin among it."""
        tick = _Tick(self._clock())
        self._unheard.drain()
        self._catch_up(tick)
        lines, counts, gone = self._reads.read(tick.now)
        lines, counts = self._greet(lines, counts, open_call)
        heard = self._hear(lines, counts, self._reads.are_drained(lines, counts), tick)
        for line in gone:
            self._end(line, tick).close()
        for line in self._reads.hold_back(lines, tick.now):
            heard.drained[lines == line] = True  # it is ahead, and not behind
            if self._complain(line, "ahead", "Call %s brings its audio faster than it is spoken."):
                self.troubles[Refusal.FLOOD] += 1
        received = self._audio.hand_over(heard, tick.ended, tick.digits)
        for line, share in self._audio.below_pace(tick.now):
            self._complain(line, "pace", _BELOW_PACE, 100 * share)
        self._check_greetings(tick.now)
        # Last, when the lines of those that hung up are free again.
        for connected, host in self._door.accepted():
            self._take_in(connected, host, tick.now)
        return received

    def skip(self, slots: Sequence[int]) -> None:
        """Drop the oldest of what waits of these calls, at the next `receive`; tell it as lost."""
        self._audio.skip(slots)

    def forget(self, slot: int) -> None:
        """Hand over no more of a call, whose slot is free now; its connection stays open."""
        line = self._audio.forget(slot)
        if line is not None:
            self._unheard.add(self._release(line), is_call=True)

    def close(self) -> None:
        """Hang up on everybody and listen no longer."""
        self._door.close()
        for line in tuple(self._connections):
            self._release(line).close()
        self._unheard.close()

    # Lines: taken when somebody connects, and free again when nothing more is wanted of it.

    def _take_in(self, connected: socket.socket, host: str, now: float) -> None:
        """Give a new connection a line."""
        if not self._free and not self._displace(now):
            self.troubles[Refusal.NO_ROOM] += 1
            self._complaints.warning(
                "A call from %s is not listened to: all lines are taken.", host
            )
            self._unheard.add(connected, is_call=None)
            return
        line = self._free.pop()
        self._lines.clear(line)
        self._connections[line] = _Connection(connected)
        self._ungreeted[line] = now + _GREETING_S
        self._reads.add(line, connected, self._lines.room(line, MORE_BYTES))

    def _displace(self, now: float) -> bool:
        """Take a line from somebody who says nothing; return whether there was one."""
        line, until_s = next(iter(self._ungreeted.items()), (0, np.inf))
        if now < until_s - _GREETING_S + _SILENT_S:
            return False
        self._give_up(line)
        return True

    def _greet(self, lines: Ints, counts: Ints, open_call: OpenCall) -> tuple[Ints, Ints]:
        """Ask for room for the calls whose name has come; return what came of known calls."""
        new = self._audio.slots[lines] == NO_SLOT
        if not new.any():
            return lines, counts
        for line, count in zip(lines[new].tolist(), counts[new].tolist(), strict=True):
            said = self._lines.waiting(line, count)[:NAME_BYTES]
            if not NAME_HEAD.startswith(said[: len(NAME_HEAD)]):
                self.troubles[Refusal.GREETING] += 1
                self._complaints.warning("A connection is not listened to: it begins with no UUID.")
                self._unheard.add(self._release(line), is_call=False)
            elif len(said) < NAME_BYTES:
                self._lines.keep(line, count)
            else:
                self._open(line, str(UUID(bytes=said[len(NAME_HEAD) :])), open_call)
        known = self._audio.slots[lines] != NO_SLOT
        return lines[known], counts[known]

    def _open(self, line: int, name: str, open_call: OpenCall) -> None:
        """Begin a call, if it is to be listened to; who refuses it says why."""
        slot = open_call(Offer(call=name, role=self._role))
        if slot is None:
            self._unheard.add(self._release(line), is_call=True)
            return
        del self._ungreeted[line]
        self._audio.begin(line, slot)
        self._connections[line].name = name
        self._lines.skip(line, NAME_BYTES)

    def _check_greetings(self, now: float) -> None:
        """Take their lines from those who have not said a name in time."""
        for line in [line for line, until_s in self._ungreeted.items() if now >= until_s]:
            self._give_up(line)

    def _give_up(self, line: int) -> None:
        """Wait no longer for a name."""
        self.troubles[Refusal.GREETING] += 1
        self._complaints.warning("A connection is not listened to: its UUID did not come in time.")
        self._unheard.add(self._release(line), is_call=None)

    def _end(self, line: int, tick: _Tick) -> socket.socket:
        """End a line's call, unless some of it still waits; return the connection it had."""
        slot = int(self._audio.slots[line])
        if slot != NO_SLOT and not self._audio.end(line):
            tick.ended.append(slot)
        return self._release(line)

    def _release(self, line: int) -> socket.socket:
        """Free a line on which no call is any more; return the connection it had."""
        self._reads.remove(line)
        self._ungreeted.pop(line, None)
        self._free.append(line)
        return self._connections.pop(line).socket

    # Calls: what they bring, and what is told of it.

    def _catch_up(self, tick: _Tick) -> None:
        """Read all that waits of the calls that are to skip some."""
        for line in self._audio.skipping():
            room = self._lines.room(line, MORE_BYTES)
            for _ in range(_MORE_READS):
                count = self._reads.read_more(line, room)
                drained = count < len(room)
                self._hear(np.array([line]), np.array([count]), np.array([drained]), tick)
                if drained or line not in self._connections:
                    break

    def _hear(self, lines: Ints, counts: Ints, drained: Bools, tick: _Tick) -> Heard:
        """Take apart what came, and look at what is not just audio."""
        heard = self._audio.hear(lines, counts, drained, tick.now)
        for line in heard.lack_law:
            self._refuse(line, Refusal.CODEC, _LACKS_LAW, tick)
        for note in heard.notes:
            if note.line in self._connections:  # it may be over, with something before this
                self._look_at(note, tick)
        return heard

    def _look_at(self, note: Note, tick: _Tick) -> None:
        """Do what a message asks for that is not just audio."""
        line = note.line
        if note.kind == HANG_UP:
            self._end(line, tick).close()
        elif note.kind == DTMF:
            tick.digits += [(int(self._audio.slots[line]), note.digit)] * bool(note.digit)
        elif note.kind == ERROR or note.kind in RATES_HZ:
            self.troubles[Fate.BROKEN] += 1
            what = "an error" if note.kind == ERROR else "half a sample"
            self._complain(line, what, f"Asterisk sent {what} in call %s; it goes on.")
        elif note.kind == TOO_MANY:
            self._refuse(
                line, Refusal.FLOOD, "Call %s is listened to no longer: it floods us.", tick
            )
        else:
            unknown = "Call %s is listened to no longer: it brought a message of unknown kind "
            self._refuse(line, Refusal.PROTOCOL, f"{unknown}{note.kind:#x}.", tick)

    def _refuse(self, line: int, reason: Refusal, sentence: str, tick: _Tick) -> None:
        """Listen to a call no longer."""
        self.troubles[reason] += 1
        self._complaints.warning(sentence, self._connections[line].name)
        self._unheard.add(self._end(line, tick), is_call=True)

    def _complain(self, line: int, what: str, sentence: str, *args: float) -> bool:
        """Log something of a call, once; return whether this was the first time."""
        connection = self._connections[line]
        is_first = what not in connection.complained
        if is_first:
            self._complaints.warning(sentence, connection.name, *args)
        connection.complained.add(what)
        return is_first
