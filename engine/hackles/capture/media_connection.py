"""One WebSocket: its frames become messages, and its reading keeps to the pace of speech."""

import asyncio
from typing import Final, Protocol

import picows

from hackles.capture.intake import Refusal
from hackles.capture.media_stream import Stream

LARGEST_MESSAGE: Final = 2**20

_TEXT, _CLOSE = picows.WSMsgType.TEXT, picows.WSMsgType.CLOSE
_PING, _PONG = picows.WSMsgType.PING, picows.WSMsgType.PONG
_BROKEN_FRAMES: Final = (picows.WSCloseCode.PROTOCOL_ERROR, picows.WSCloseCode.MESSAGE_TOO_BIG)


class Owner(Protocol):
    """Who keeps the connections."""

    def connected(self, connection: "Connection") -> None:
        """Take note of a connection that has been upgraded."""

    def paused(self, connection: "Connection") -> None:
        """Take note of a connection that is not read, to `resume` it."""

    def disconnected(self, connection: "Connection") -> None:
        """Take note of a connection that is gone."""


class Connection(picows.WSListener):
    """One connection, which carries one call.

    Attributes:
        stream: what it says.
        transport: beneath it.
        is_granted: whether it has shown that it may be here.
    """

    def __init__(self, stream: Stream, owner: Owner, *, is_granted: bool) -> None:
        """Begin with an upgrade, which may have shown already that it is allowed."""
        self.stream = stream
        self.transport: asyncio.Transport
        self.is_granted = is_granted
        self._owner = owner
        self._web: picows.WSTransport
        self._fragments = bytearray()
        self._ping: bytes | None = None

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        """Take note of the upgrade."""
        self._web, self.transport = transport, transport.underlying_transport
        self._owner.connected(self)

    def on_ws_disconnected(self, transport: picows.WSTransport) -> None:
        """Take note of the end, and of frames that picows could not read."""
        closing = transport.close_handshake and transport.close_handshake.sent
        if closing and closing.code in _BROKEN_FRAMES and not self.stream.is_over:
            self.stream.drop(Refusal.PROTOCOL, "it breaks the rules of WebSockets")
        self.stream.finish()
        self._owner.disconnected(self)

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        """Hear a message, whether it comes whole or in fragments."""
        kind = frame.msg_type
        self.stream.count(frame.payload_size)
        if kind is _TEXT and frame.fin:
            self.stream.hear(frame.get_payload_as_memoryview())
        elif kind is _CLOSE:
            self.stream.finish()
            transport.send_close(picows.WSCloseCode.OK)
            transport.disconnect()
        elif kind is _PING:
            self._ping = frame.get_payload_as_bytes()
        elif kind is not _PONG and not self.stream.is_over:
            self._piece_together(frame)
        if frame.last_in_buffer:
            self._keep_pace()

    def _piece_together(self, frame: picows.WSFrame) -> None:
        self._fragments += frame.get_payload_as_memoryview()
        if frame.fin:
            message, self._fragments = self._fragments, bytearray()
            self.stream.hear(message)
        elif len(self._fragments) > LARGEST_MESSAGE:
            self._fragments = bytearray()
            self.stream.drop(Refusal.PROTOCOL, "one of its messages is too long")

    def _keep_pace(self) -> None:
        """Look up from what came at once: answer it, and read on later if it was too much."""
        if self._ping is not None and not self.transport.is_closing():
            self._web.send_pong(self._ping)  # the last of several is enough (RFC 6455, 5.5.3)
        self._ping = None
        if self.stream.is_too_fast() and not self.transport.is_closing():
            self.transport.pause_reading()
            self._owner.paused(self)

    def pause_writing(self) -> None:
        """Hang up on a client that pings, and does not read what it is answered."""
        self.transport.abort()

    def resume(self) -> bool:
        """Read on, if no more has come by now than should have; return whether it was so."""
        if self.stream.is_too_fast():
            return False
        self.transport.resume_reading()
        return True

    def forget(self) -> None:
        """Read and forget from now on."""
        self.stream.forget()

    def deny(self) -> None:
        """Hang up on somebody who may not be here."""
        self.forget()
        self._web.send_close(picows.WSCloseCode.POLICY_VIOLATION)
        self._web.disconnect()
