"""The client's side of a WebSocket, as far as a call needs it: bytes in, bytes out.

Source:
    RFC 6455, The WebSocket Protocol.
"""

import base64
import hashlib
import os
import struct
from collections.abc import Iterator
from typing import Final

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
_NORMAL: Final = struct.pack(">H", 1000)
_LONGEST_ANSWER: Final = 2**14


class RefusedError(Exception):
    """The server does not take the call, or speaks no WebSocket."""


def text(message: bytes) -> bytes:
    """Return a message as one frame."""
    return _frame(_TEXT, message)


def closing() -> bytes:
    """Return the frame that ends the conversation."""
    return _frame(_CLOSE, _NORMAL)


def _frame(opcode: int, payload: bytes) -> bytes:
    """Return one whole frame, masked as everything from a client must be."""
    length = len(payload)
    if length < 126:
        head = struct.pack(">BB", 0x80 | opcode, 0x80 | length)
    elif length < 2**16:
        head = struct.pack(">BBH", 0x80 | opcode, 0x80 | 126, length)
    else:
        head = struct.pack(">BBQ", 0x80 | opcode, 0x80 | 127, length)
    mask = os.urandom(4)
    # One product of two long integers is far faster than a loop over the bytes.
    over = int.from_bytes((mask * (length // 4 + 1))[:length])
    return head + mask + (int.from_bytes(payload) ^ over).to_bytes(length)


class Client:
    """What a client says to open a WebSocket, and what it answers.

    Attributes:
        request: the first bytes to send.
        is_open: whether the server has agreed.
    """

    def __init__(self, host: str, path: str, token: str = "") -> None:
        """Prepare to ask `host` (with its port) for `path`, with a token if there is one."""
        key = base64.b64encode(os.urandom(16))
        self._accept = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())
        self._received = bytearray()
        self.is_open = False
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: {host}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {key.decode()}",
            "User-Agent: hackles simulate",
            *([f"Authorization: Bearer {token}"] if token else []),
        ]
        self.request = "\r\n".join([*lines, "", ""]).encode()

    def hear(self, data: bytes) -> bytes:
        """Take in what the server says, in pieces of any size; return what must be answered.

        Raises:
            RefusedError: if it does not want to talk.
        """
        self._received += data
        if not self.is_open and not self._agree():
            return b""
        return b"".join(
            _frame(_PONG if opcode == _PING else _CLOSE, payload)
            for opcode, payload in self._frames()
            if opcode in (_PING, _CLOSE)
        )

    def _agree(self) -> bool:
        """Look at the answer to the request, once all of it is there."""
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            if len(self._received) > _LONGEST_ANSWER:
                raise RefusedError("it speaks no HTTP")
            return False
        first, *rest = bytes(self._received[:end]).split(b"\r\n")
        del self._received[: end + 4]
        headers = {
            name.strip().lower(): value for name, _, value in (h.partition(b":") for h in rest)
        }
        _, _, status = first.partition(b" ")
        if not status.startswith(b"101"):
            raise RefusedError(status.decode("ascii", errors="replace") or "it speaks no HTTP")
        if headers.get(b"sec-websocket-accept", b"").strip() != self._accept:
            raise RefusedError("it answered another request than ours")
        self.is_open = True
        return True

    def _frames(self) -> Iterator[tuple[int, bytes]]:
        """Yield the whole frames that came; a server does not mask them."""
        while len(self._received) >= 2:
            length, start = self._received[1] & 0x7F, 2
            if length > 125:
                start = 4 if length == 126 else 10
                length = int.from_bytes(self._received[2:start])
            if len(self._received) < start + length:
                return
            opcode, payload = self._received[0] & 15, bytes(self._received[start : start + length])
            del self._received[: start + length]
            yield opcode, payload
