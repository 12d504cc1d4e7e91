"""Calls that come in over WebSockets, as JSON messages with the audio in base64.

The event loop runs only within `receive`. Between two ticks the kernel keeps what comes, and a
tick reads many messages of a connection at once.
"""

import asyncio
import logging
import socket
from typing import Final

import numpy as np
import picows

from hackles.capture import g711
from hackles.capture.intake import OpenCall, Received
from hackles.capture.media_messages import (
    BROKEN,
    MediaMessage,
    Start,
    StartMessage,
    decode,
    decode_base64,
    says_nothing_of_audio,
)
from hackles.capture.sockets import listening
from hackles.config import SAMPLE_RATE

_MOST_WAITING: Final = 10 * SAMPLE_RATE
"""With more samples of a call waiting, it is not read again until they have been handed over."""

_KERNEL_BYTES: Final = 2**18
"""What the kernel keeps of a connection, and so what a tick can read of it, at most."""

_LARGEST_MESSAGE: Final = 2**20
_QUIET_S: Final = 20.0
"""After so long a silence a connection is pinged, and closed after as long again without a pong."""

_BACKLOG: Final = 1024
_CLOSING_PASSES: Final = 8
"""Passes of the loop that end every connection, even one that is just being accepted."""

_TEXT, _CLOSE, _PONG = picows.WSMsgType.TEXT, picows.WSMsgType.CLOSE, picows.WSMsgType.PONG

_log = logging.getLogger(__name__)


class _Connection(picows.WSListener):
    """One connection, which carries one call.

    Attributes:
        name: of the call, once it has begun.
        slot: of the call, once it has one.
        law: by which its audio is coded.
        is_over: whether nothing more of it is wanted.
        waiting: codes that have come and have not been handed over.
    """

    def __init__(self, customer_track: str, begun: "list[_Connection]") -> None:
        """Listen to the customer's track, and join those that have `begun` when the call does."""
        self.name = ""
        self.slot = -1
        self.law = g711.Encoding.MU_LAW
        self.is_over = False
        self.waiting = bytearray()
        self._customer_track = customer_track
        self._begun = begun
        self._track: str | None = None
        self._last_chunk = -1
        self._has_missed = False
        self._fragments = bytearray()
        self._is_paused = False
        self._transport: asyncio.Transport

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        self._transport = transport.underlying_transport

    def on_ws_disconnected(self, _transport: picows.WSTransport) -> None:
        self.is_over = True

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        kind = frame.msg_type
        if kind is _TEXT and frame.fin:
            self._hear(frame.get_payload_as_memoryview())
        elif kind is _CLOSE:
            self.is_over = True
            transport.send_close(picows.WSCloseCode.OK)
            transport.disconnect()
        elif kind is not _PONG and not self.is_over:
            self._fragments += frame.get_payload_as_memoryview()
            if frame.fin:
                message, self._fragments = self._fragments, bytearray()
                self._hear(message)
            elif len(self._fragments) > _LARGEST_MESSAGE:
                self.drop("one of its messages is too long")

    def pause_writing(self) -> None:
        """Hang up on a client that pings, and does not read what it is answered."""
        self._transport.abort()

    def drop(self, reason: str) -> None:
        """Hear no more of a call. The connection stays: closing it might end the call itself."""
        self.is_over = True
        _log.warning("The call %r is heard no further: %s.", self.name, reason)

    def take(self, n_samples: int) -> bytearray:
        """Give at most `n_samples` of the codes that wait, the oldest first."""
        if len(self.waiting) > n_samples:
            codes = self.waiting[:n_samples]
            del self.waiting[:n_samples]
            if len(self.waiting) > _MOST_WAITING and not self._is_paused:
                self._is_paused = True
                self._transport.pause_reading()
            return codes
        codes, self.waiting = self.waiting, bytearray()
        if self._is_paused:
            self._is_paused = False
            self._transport.resume_reading()
        return codes

    def _hear(self, message: memoryview | bytearray) -> None:
        if self.is_over:
            return
        try:
            said = decode(message)
            if type(said) is MediaMessage:
                media = said.media
                if media.track == self._track and media.chunk > self._last_chunk:
                    self._notice_missing(media.chunk)
                    self.waiting += decode_base64(media.payload)
            elif type(said) is StartMessage:
                self._begin(said.start)
            else:
                self.is_over = True
        except BROKEN as error:
            if not says_nothing_of_audio(message):
                self.drop(f"one of its messages cannot be read ({error})")

    def _notice_missing(self, chunk: int) -> None:
        """Say so, the first time that chunks are missing; what follows is taken to join on."""
        missing = chunk - self._last_chunk - 1
        if missing and self._last_chunk >= 0 and not self._has_missed:
            self._has_missed = True
            _log.warning(
                "In call %r %d chunks did not come; there may be more.", self.name, missing
            )
        self._last_chunk = chunk

    def _begin(self, start: Start) -> None:
        sent = start.media_format
        if self._track is not None:
            self.drop("it began a second time")
            return
        self.name = start.call_sid or start.stream_sid
        if sent.law is None:
            self.drop(
                f"its audio is {sent.encoding}, {sent.sample_rate} Hz, {sent.channels} channel(s); "
                f"have it sent as audio/x-mulaw, {SAMPLE_RATE} Hz, one channel"
            )
            return
        self.law, self._track = sent.law, self._customer_track
        self._begun.append(self)


class MediaWebSockets:
    """A server to which a telephone system connects, once for each call."""

    def __init__(
        self, host: str, port: int, max_samples: int, customer_track: str = "inbound"
    ) -> None:
        """Listen.

        Args:
            host: the name or number of the interface.
            port: 0 for any that is free; the attribute `port` says which.
            max_samples: of one call, the most to hand over on a tick; the rest waits.
            customer_track: the customer's, as the telephone system calls it. It depends on the
                leg of the call that sends the audio; no other track is decoded.

        Raises:
            UsageError: if nothing can listen there.
        """
        self._max_samples = max_samples
        self._begun: list[_Connection] = []
        self._calls: dict[g711.Encoding, list[_Connection]] = {law: [] for law in g711.Encoding}
        listener = listening(host, port)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _KERNEL_BYTES)
        self.port: int = listener.getsockname()[1]
        self._loop = asyncio.SelectorEventLoop()
        self._server = self._loop.run_until_complete(
            picows.ws_create_server(
                lambda _: _Connection(customer_track, self._begun),
                sock=listener,
                logger_name=_log,
                enable_auto_ping=True,
                auto_ping_idle_timeout=_QUIET_S,
                auto_ping_reply_timeout=_QUIET_S,
                max_frame_size=_LARGEST_MESSAGE,
                use_aiofastnet=True,
                backlog=_BACKLOG,
            )
        )

    def receive(self, open_call: OpenCall) -> Received:
        """Take in what has come since the last tick, calls that begin among it."""
        self._run_once()
        while self._begun:
            call = self._begun.pop(0)
            slot = open_call(call.name)
            if slot is None:
                call.waiting.clear()
                call.drop("there is no room for it")
            else:
                call.slot = slot
                self._calls[call.law].append(call)
        return self._handed_over()

    def close(self) -> None:
        """Hang up on everybody and listen no longer."""
        if self._loop.is_closed():
            return
        self._server.close()
        self._server.abort_clients()  # type: ignore[attr-defined, unused-ignore]
        for _ in range(_CLOSING_PASSES):
            self._run_once()
        self._loop.close()

    def _run_once(self) -> None:
        """Let the loop read each connection until the kernel has no more of it."""
        self._loop.call_soon(self._loop.stop)
        self._loop.run_forever()

    def _handed_over(self) -> Received:
        slots: list[int] = []
        counts: list[int] = []
        ended: list[int] = []
        samples = []
        for law, calls in self._calls.items():
            codes = [call.take(self._max_samples) for call in calls]
            slots += [call.slot for call in calls]
            counts += map(len, codes)
            samples.append(g711.decode(np.frombuffer(b"".join(codes), np.uint8), law))
            ended += [call.slot for call in calls if call.is_over and not call.waiting]
            self._calls[law] = [call for call in calls if call.waiting or not call.is_over]
        came = np.flatnonzero(counts)
        return Received(
            np.array(slots, np.int64)[came],
            np.array(counts, np.int64)[came],
            np.concatenate(samples),
            ended,
        )
