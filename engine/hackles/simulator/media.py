"""A call as the providers of media streams say it: JSON messages, each one text frame.

What nobody's documents say is marked; the receiving side reads the same documents on its own.

Sources:
    Twilio, https://www.twilio.com/docs/voice/media-streams/websocket-messages
    Telnyx, https://developers.telnyx.com/api-reference/websockets/stream-call-media-over-websocket
    Plivo, https://www.plivo.com/docs/voice/audio-streaming/audio-streaming
    Exotel, https://developer.exotel.com/docs/agentstream/websocket-protocol
    Bandwidth, https://dev.bandwidth.com/docs/voice/programmable-voice/bxml/startStream
"""

from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias
from uuid import UUID

from hackles.config import SAMPLE_RATE
from hackles.simulator.calls import Coding

Message: TypeAlias = dict[str, Any]
Codings: TypeAlias = dict[Coding, tuple[int, ...]]

_ACCOUNT: Final = UUID(int=0x5EED).hex


@dataclass(frozen=True, slots=True)
class Stream:
    """What a provider knows of a call whose audio it sends.

    Attributes:
        call: which.
        id: the stream's own name: a call may have several.
        coding: of its audio.
        sample_rate: of its audio, in Hz.
        began_ms: when, in milliseconds since 1970.
        token: a secret that the stream brings, as a parameter of the customer's own, or "".
    """

    call: UUID
    id: UUID
    coding: Coding
    sample_rate: int
    began_ms: int
    token: str = ""

    @property
    def parameters(self) -> dict[str, str]:
        """What the customer of the provider asked to have passed on."""
        return {"token": self.token} if self.token else {}


@dataclass(frozen=True, slots=True)
class Piece:
    """Some audio of a stream.

    Attributes:
        number: counted from 0; one that was lost counts too.
        at_ms: where it begins, in milliseconds since the stream began.
        payload: Base64.
    """

    number: int
    at_ms: int
    payload: str


class Dialect(Protocol):
    """How a provider says it."""

    @property
    def codings(self) -> Codings:
        """Those it sends, with the sample rates of each; the first is its usual one."""

    @property
    def packet_ms(self) -> int:
        """How much audio there is in a message."""

    def name(self, call: UUID) -> str:
        """Return the provider's own name of a call."""

    def opening(self, stream: Stream) -> list[Message]:
        """Return what comes before the audio."""

    def media(self, stream: Stream, piece: Piece) -> Message:
        """Return a message with audio."""

    def closing(self, stream: Stream, number: int) -> list[Message]:
        """Return what comes after `number` pieces of audio."""


class Twilio:
    """Numbers are strings, names in camelCase."""

    codings: Final[Codings] = {Coding.ULAW: (SAMPLE_RATE,)}
    packet_ms: Final = 20

    def name(self, call: UUID) -> str:
        """Return the call's SID."""
        return f"CA{call.hex}"

    def _sid(self, stream: Stream) -> str:
        return f"MZ{stream.id.hex}"

    def opening(self, stream: Stream) -> list[Message]:
        """Return `connected` and `start`."""
        start = {
            "accountSid": f"AC{_ACCOUNT}",
            "streamSid": self._sid(stream),
            "callSid": self.name(stream.call),
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": stream.parameters,
        }
        return [
            {"event": "connected", "protocol": "Call", "version": "1.0.0"},
            {
                "event": "start",
                "sequenceNumber": "1",
                "start": start,
                "streamSid": self._sid(stream),
            },
        ]

    def media(self, stream: Stream, piece: Piece) -> Message:
        """Return a `media` message."""
        media = {
            "track": "inbound",
            "chunk": str(piece.number + 1),
            "timestamp": str(piece.at_ms),
            "payload": piece.payload,
        }
        return {
            "event": "media",
            "sequenceNumber": str(piece.number + 2),
            "media": media,
            "streamSid": self._sid(stream),
        }

    def closing(self, stream: Stream, number: int) -> list[Message]:
        """Return `stop`."""
        stop = {"accountSid": f"AC{_ACCOUNT}", "callSid": self.name(stream.call)}
        return [
            {
                "event": "stop",
                "sequenceNumber": str(number + 2),
                "stop": stop,
                "streamSid": self._sid(stream),
            }
        ]


class Telnyx:
    """Twilio's shape with names in snake_case."""

    codings: Final[Codings] = {Coding.ULAW: (SAMPLE_RATE,)}
    packet_ms: Final = 20

    def name(self, call: UUID) -> str:
        """Return the call's control id."""
        return f"v3:{call.hex}"

    def opening(self, stream: Stream) -> list[Message]:
        """Return `connected` and `start`."""
        start = {
            "user_id": _ACCOUNT,
            "call_control_id": self.name(stream.call),
            "client_state": None,
            "custom_parameters": stream.parameters,  # its name on the wire is not documented
            "media_format": {"encoding": "PCMU", "sample_rate": 8000, "channels": 1},
        }
        said = {"event": "start", "sequence_number": "1", "start": start}
        return [
            {"event": "connected", "version": "1.0.0"},
            said | {"stream_id": str(stream.id)},
        ]

    def media(self, stream: Stream, piece: Piece) -> Message:
        """Return a `media` message."""
        media = {
            "track": "inbound",
            "chunk": str(piece.number + 1),
            "timestamp": str(piece.at_ms),
            "payload": piece.payload,
        }
        return {
            "event": "media",
            "sequence_number": str(piece.number + 2),
            "media": media,
            "stream_id": str(stream.id),
        }

    def closing(self, stream: Stream, number: int) -> list[Message]:
        """Return `stop`."""
        stop = {"user_id": _ACCOUNT, "call_control_id": self.name(stream.call)}
        said = {"event": "stop", "sequence_number": str(number + 2), "stop": stop}
        return [said | {"stream_id": str(stream.id)}]


class Plivo:
    """Begins with `start`, counts in numbers, and has no message for the end."""

    codings: Final[Codings] = {Coding.ULAW: (SAMPLE_RATE,), Coding.SLIN: (SAMPLE_RATE, 16_000)}
    packet_ms: Final = 20

    def name(self, call: UUID) -> str:
        """Return the call's id."""
        return str(call)

    def _extra(self, stream: Stream) -> str:
        return ";".join(f"{name}={value}" for name, value in stream.parameters.items())

    def opening(self, stream: Stream) -> list[Message]:
        """Return `start`."""
        encoding = {Coding.ULAW: "audio/x-mulaw", Coding.SLIN: "audio/x-l16"}[stream.coding]
        start = {
            "callId": self.name(stream.call),
            "streamId": str(stream.id),
            "accountId": _ACCOUNT,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": encoding, "sampleRate": stream.sample_rate},
        }
        said = {"event": "start", "sequenceNumber": 1, "start": start}
        return [said | {"extra_headers": self._extra(stream)}]

    def media(self, stream: Stream, piece: Piece) -> Message:
        """Return a `media` message; its time is that of the clock."""
        media = {
            "track": "inbound",
            "timestamp": str(stream.began_ms + piece.at_ms),
            "chunk": piece.number + 1,
            "payload": piece.payload,
        }
        return {
            "event": "media",
            "sequenceNumber": piece.number + 2,
            "streamId": str(stream.id),
            "media": media,
            "extra_headers": self._extra(stream),
        }

    def closing(self, stream: Stream, number: int) -> list[Message]:  # noqa: ARG002
        """Return nothing: the connection just ends."""
        return []


class Exotel:
    """Linear PCM, a tenth of a second at a time, and no word of a track."""

    codings: Final[Codings] = {Coding.SLIN: (SAMPLE_RATE, 16_000)}
    packet_ms: Final = 100

    def name(self, call: UUID) -> str:
        """Return the call's SID."""
        return call.hex

    def opening(self, stream: Stream) -> list[Message]:
        """Return `connected` and `start`."""
        start = {
            "stream_sid": stream.id.hex,
            "call_sid": self.name(stream.call),
            "account_sid": _ACCOUNT,
            "from": "+910000000001",
            "to": "+910000000002",
            "custom_parameters": stream.parameters,
            "media_format": {
                "encoding": "audio/x-raw",
                "sample_rate": str(stream.sample_rate),
                "bit_rate": "16",
            },
        }
        said = {"event": "start", "sequence_number": "1", "stream_sid": stream.id.hex}
        return [{"event": "connected"}, said | {"start": start}]

    def media(self, stream: Stream, piece: Piece) -> Message:
        """Return a `media` message."""
        media = {
            "chunk": str(piece.number + 1),
            "timestamp": str(piece.at_ms),
            "payload": piece.payload,
        }
        return {
            "event": "media",
            "sequence_number": str(piece.number + 2),
            "stream_sid": stream.id.hex,
            "media": media,
        }

    def closing(self, stream: Stream, number: int) -> list[Message]:
        """Return `stop`."""
        call = {"call_sid": self.name(stream.call), "account_sid": _ACCOUNT}
        said = {"event": "stop", "sequence_number": str(number + 2), "stream_sid": stream.id.hex}
        return [said | {"stop": call | {"reason": "callended"}}]  # the reason is a guess


class Bandwidth:
    """Says `eventType`, and has audio at the top of its messages."""

    codings: Final[Codings] = {Coding.ULAW: (SAMPLE_RATE,)}
    packet_ms: Final = 20

    def name(self, call: UUID) -> str:
        """Return the call's id."""
        return f"c-{call}"

    def _metadata(self, stream: Stream) -> Message:
        # What a track looks like in here is recalled, not read.
        track = {"name": "inbound", "mediaFormat": {"encoding": "audio/PCMU", "sampleRate": 8000}}
        return {
            "accountId": _ACCOUNT,
            "callId": self.name(stream.call),
            "streamId": f"s-{stream.id}",
            "streamName": "simulated",
            "tracks": [track],
        }

    def opening(self, stream: Stream) -> list[Message]:
        """Return `start`."""
        said = {"eventType": "start", "metadata": self._metadata(stream)}
        return [said | {"streamParams": stream.parameters}]

    def media(self, stream: Stream, piece: Piece) -> Message:  # noqa: ARG002
        """Return a `media` message."""
        return {
            "eventType": "media",
            "track": "inbound",
            "payload": piece.payload,
            "sequenceNumber": str(piece.number + 1),
        }

    def closing(self, stream: Stream, number: int) -> list[Message]:  # noqa: ARG002
        """Return `stop`."""
        return [{"eventType": "stop", "metadata": self._metadata(stream)}]


DIALECTS: Final[dict[str, Dialect]] = {
    "twilio": Twilio(),
    "telnyx": Telnyx(),
    "plivo": Plivo(),
    "exotel": Exotel(),
    "bandwidth": Bandwidth(),
}
