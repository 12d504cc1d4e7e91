"""One call on its wire: what to say first, with each packet and at the end. Bytes, no sockets."""

import base64
from dataclasses import replace
from typing import Final, Protocol
from uuid import uuid5

import msgspec

from hackles.simulator import audiosocket, websocket
from hackles.simulator.calls import Call, Coding
from hackles.simulator.media import DIALECTS, Message, Piece, Stream
from hackles.simulator.target import Order

_PACKET_MS: Final = 20
_WIDTHS: Final = {Coding.SLIN: 2, Coding.ULAW: 1}


class Packets:
    """A call's audio, cut into packets; the last one may be shorter."""

    def __init__(self, audio: bytes, coding: Coding, sample_rate: int, packet_ms: int) -> None:
        """Cut audio, as it is written, into packets of so many milliseconds."""
        self._audio = audio
        self._length = _WIDTHS[coding] * sample_rate * packet_ms // 1000
        self.packet_ms = packet_ms

    def __len__(self) -> int:
        """Return how many there are."""
        return -(-len(self._audio) // self._length)

    def __getitem__(self, number: int) -> bytes:
        """Return one."""
        return self._audio[number * self._length : (number + 1) * self._length]


class Wire(Protocol):
    """One call as its protocol says it.

    Attributes:
        name: what the telephone system calls it.
        packets: its audio.
        hello: what to say to be let in, or b"".
    """

    name: str
    packets: Packets
    hello: bytes

    @property
    def is_open(self) -> bool:
        """Whether the other side has agreed to listen."""

    def hear(self, data: bytes) -> bytes:
        """Take in what the other side says; return what must be answered.

        Raises:
            RefusedError: if it does not take the call.
        """

    def opening(self, began_ms: int) -> bytes:
        """Return what is said when the call begins, so many milliseconds after 1970 began."""

    def packet(self, number: int) -> bytes:
        """Return a packet as it is sent."""

    def closing(self, number: int) -> bytes:
        """Return what ends the call after `number` packets."""


class AudioSocketWire:
    """Asterisk's."""

    def __init__(self, call: Call, audio: bytes, order: Order) -> None:
        """Say a call's audio, 16 bits a sample."""
        coding, sample_rate = order.written_as
        self.packets = Packets(audio, coding, sample_rate, _PACKET_MS)
        self.name = str(call.id)
        self.is_open = True
        self.hello = b""
        self._call = call
        self._kind = order.kind or "slin8"

    def hear(self, data: bytes) -> bytes:  # noqa: ARG002
        """Answer nothing: a daemon that only listens has nothing to say."""
        return b""

    def opening(self, began_ms: int) -> bytes:  # noqa: ARG002
        """Return the call's UUID."""
        return audiosocket.greeting(self._call.id)

    def packet(self, number: int) -> bytes:
        """Return a packet as it is sent."""
        return audiosocket.packet(self._kind, self.packets[number])

    def closing(self, number: int) -> bytes:  # noqa: ARG002
        """Hang up."""
        return audiosocket.HANG_UP


class MediaWire:
    """A provider's: JSON over a WebSocket."""

    def __init__(self, call: Call, audio: bytes, order: Order) -> None:
        """Say a call's audio, as the dialect has it coded."""
        self._dialect = DIALECTS[order.dialect]
        self.packets = Packets(audio, *order.written_as, self._dialect.packet_ms)
        self.name = self._dialect.name(call.id)
        self._client = websocket.Client(order.target.address, order.target.path, order.token)
        self.hello = self._client.request
        own = uuid5(call.id, "stream")
        self._stream = Stream(call.id, own, *order.written_as, 0, order.token)

    @property
    def is_open(self) -> bool:
        """Whether the WebSocket is."""
        return self._client.is_open

    def hear(self, data: bytes) -> bytes:
        """Take in what the server says; return what must be answered."""
        return self._client.hear(data)

    def opening(self, began_ms: int) -> bytes:
        """Return what comes before the audio."""
        self._stream = replace(self._stream, began_ms=began_ms)
        return b"".join(map(_text, self._dialect.opening(self._stream)))

    def packet(self, number: int) -> bytes:
        """Return a packet as it is sent."""
        payload = base64.b64encode(self.packets[number]).decode()
        piece = Piece(number, number * self.packets.packet_ms, payload)
        return _text(self._dialect.media(self._stream, piece))

    def closing(self, number: int) -> bytes:
        """Return what ends the stream, and the WebSocket."""
        said = self._dialect.closing(self._stream, number)
        return b"".join(map(_text, said)) + websocket.closing()


def _text(message: Message) -> bytes:
    return websocket.text(msgspec.json.encode(message))


def wire(call: Call, audio: bytes, order: Order) -> Wire:
    """Return a call on the wire that leads to the target."""
    is_audiosocket = order.target.scheme == "audiosocket"
    return AudioSocketWire(call, audio, order) if is_audiosocket else MediaWire(call, audio, order)
