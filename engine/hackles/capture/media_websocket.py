"""Calls that come in over WebSockets, as JSON messages with the audio in base64.

The event loop runs only within `receive`. Between two ticks the kernel keeps what comes, and a
tick reads many messages of a connection at once.
"""

import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from hackles.capture.intake import OpenCall, Received, Troubles
from hackles.capture.media_access import Access
from hackles.capture.media_backlog import Coding
from hackles.capture.media_connection import Connection
from hackles.capture.media_connections import Connections
from hackles.capture.media_stream import Stream
from hackles.capture.sockets import Door
from hackles.types import Array


class MediaWebSockets:
    """A server to which a telephone system connects, once for each call."""

    troubles: Troubles

    def __init__(
        self,
        door: Door,
        max_samples: int,
        *,
        path: str = "/media",
        customer_track: str = "inbound",
        access: Access | None = None,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Let in who comes through a door.

        Args:
            door: where connections come from; it is closed at the end.
            max_samples: of one call, the most to hand over on a tick; the rest waits.
            path: where streams are let in; below it too, for tokens. Elsewhere is 404.
            customer_track: the customer's, as the telephone system calls it. It depends on the
                leg of the call that sends the audio; no other track is decoded.
            access: what a stream must show to be let in.
            tls: to be spoken, if the connections are not in plain text already.
            clock: seconds from any moment.
        """
        self.troubles = Counter()
        self._max_samples = max_samples
        self._clock = clock
        self._skipping: set[int] = set()
        self._calls: dict[int, Connection] = {}
        self._streams: dict[Coding, dict[int, Stream]] = {}
        self._connections = Connections(
            door,
            lambda complaints: Stream(customer_track, self.troubles, clock, complaints),
            self.troubles,
            clock,
            path=path,
            access=access or Access(),
            tls=tls,
        )

    def receive(self, open_call: OpenCall) -> Received:
        """Take in what has come since the last tick, calls that begin among it."""
        # Those that said their start on the last tick: by now the slots of those that ended on it
        # are free.
        for connection in self._connections.started():
            self._open(connection, open_call)
        self._connections.read()
        for slot in self._skipping & self._calls.keys():
            self._calls[slot].stream.backlog.skip(self._max_samples)
        self._skipping.clear()
        return self._handed_over()

    def skip(self, slots: Sequence[int]) -> None:
        """Drop all but the newest `max_samples` of what waits of these calls; tell it as lost."""
        self._skipping.update(slots)

    def forget(self, slot: int) -> None:
        """Hand over no more of a call, whose slot is free now; its connection stays open."""
        self._skipping.discard(slot)
        if connection := self._calls.pop(slot, None):
            self._streams[connection.stream.backlog.coding].pop(slot)
            connection.forget()

    def close(self) -> None:
        """Hang up on everybody and listen no longer."""
        self._connections.close()

    def _open(self, connection: Connection, open_call: OpenCall) -> None:
        start = connection.stream.start
        slot = open_call(start.offer) if start else None
        if slot is None:  # whoever said so counts it, and says why
            connection.forget()
        else:
            self._calls[slot] = connection
            stream = connection.stream
            self._streams.setdefault(stream.backlog.coding, {})[slot] = stream

    def _handed_over(self) -> Received:
        now = self._clock()
        slots: list[int] = []
        counts: list[int] = []
        lost: list[int] = []
        samples: list[Array] = [np.empty(0, np.float32)]
        for coding, streams in self._streams.items():
            taken = [stream.take(self._max_samples, now) for stream in streams.values()]
            slots += streams
            counts += [len(codes) // coding.width for codes, _ in taken]
            lost += [n_samples for _, n_samples in taken]
            samples.append(coding.decode(b"".join([codes for codes, _ in taken])))
        return self._received(slots, counts, np.concatenate(samples), lost)

    def _received(
        self, slots: list[int], counts: list[int], samples: Array, lost: list[int]
    ) -> Received:
        streams = [stream for some in self._streams.values() for stream in some.values()]
        drained = [stream.backlog.is_empty for stream in streams]
        pressed = [
            (slot, stream) for slot, stream in zip(slots, streams, strict=True) if stream.digits
        ]
        over = [slot for slot, stream in zip(slots, streams, strict=True) if stream.is_over]
        came = np.flatnonzero(counts)
        return Received(
            np.array(slots, np.int64)[came],
            np.array(counts, np.int64)[came],
            samples,
            self._ended(over),
            np.array(lost, np.int64)[came] if any(lost) else None,
            np.array(drained, np.bool_)[came],
            [(slot, digit) for slot, stream in pressed for digit in stream.release_digits()],
        )

    def _ended(self, over: Iterable[int]) -> list[int]:
        """Let go of the calls of which nothing waits any longer, and return their slots."""
        ended = [slot for slot in over if self._calls[slot].stream.backlog.is_empty]
        for slot in ended:
            stream = self._calls.pop(slot).stream
            self._streams[stream.backlog.coding].pop(slot)
        return ended
