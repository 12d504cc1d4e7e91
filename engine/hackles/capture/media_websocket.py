"""Calls that come in over WebSockets, as JSON messages with the audio in base64.

The event loop runs only within `receive`. Between two ticks the kernel keeps what comes, and a
tick reads many messages of a connection at once.
"""

import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

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
        self._groups: dict[Coding, dict[int, Connection]] = {}
        self._connections = Connections(
            door,
            lambda: Stream(customer_track, self.troubles, clock),
            self.troubles,
            clock,
            path=path,
            access=access or Access(),
            tls=tls,
        )

    def receive(self, open_call: OpenCall) -> Received:
        """Take in what has come since the last tick, calls that begin among it."""
        self._connections.read()
        for connection in self._connections.started():
            self._open(connection, open_call)
        for connection in self._find(self._skipping):
            connection.stream.backlog.skip(self._max_samples)
        self._skipping.clear()
        return self._handed_over()

    def skip(self, slots: Sequence[int]) -> None:
        """Drop all but the newest `max_samples` of what waits of these calls; tell it as lost."""
        self._skipping.update(slots)

    def forget(self, slot: int) -> None:
        """Hand over no more of a call, whose slot is free now; its connection stays open."""
        self._skipping.discard(slot)
        for calls in self._groups.values():
            if connection := calls.pop(slot, None):
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
            self._groups.setdefault(connection.stream.backlog.coding, {})[slot] = connection

    def _find(self, slots: Iterable[int]) -> Iterator[Connection]:
        return (calls[slot] for slot in slots for calls in self._groups.values() if slot in calls)

    def _handed_over(self) -> Received:
        now = self._clock()
        slots: list[int] = []
        counts: list[int] = []
        lost: list[int] = []
        samples: list[Array] = [np.empty(0, np.float32)]
        for coding, calls in self._groups.items():
            taken = [call.take(self._max_samples, now) for call in calls.values()]
            slots += calls
            counts += [len(codes) // coding.width for codes, _ in taken]
            lost += [n_samples for _, n_samples in taken]
            samples.append(coding.decode(b"".join([codes for codes, _ in taken])))
        return self._received(slots, counts, np.concatenate(samples), lost)

    def _received(
        self, slots: list[int], counts: list[int], samples: Array, lost: list[int]
    ) -> Received:
        everybody = [item for calls in self._groups.values() for item in calls.items()]
        digits = [(slot, digit) for slot, call in everybody for digit in call.pressed()]
        drained = [call.stream.backlog.is_empty for _, call in everybody]
        ended = [slot for slot, call in everybody if call.stream.is_over]
        came = np.flatnonzero(counts)
        return Received(
            np.array(slots, np.int64)[came],
            np.array(counts, np.int64)[came],
            samples,
            self._part(ended),
            np.array(lost, np.int64)[came] if any(lost) else None,
            np.array(drained, np.bool_)[came],
            digits,
        )

    def _part(self, slots: Iterable[int]) -> list[int]:
        """Let go of the calls of which nothing waits any longer, and return their slots."""
        parted = []
        for calls in self._groups.values():
            for slot in calls.keys() & slots:
                if calls[slot].stream.backlog.is_empty:
                    del calls[slot]
                    parted.append(slot)
        return parted
