"""What the JSON messages of a media stream say: five vendors' dialects, read by one parser.

Four of them name the kind of a message `event` and differ in how they write names (Twilio and
Plivo `streamSid`, `streamId`; Telnyx and Exotel `stream_id`, `stream_sid`). Bandwidth names it
`eventType` and has its media flat.

Sources:
    Twilio, "Media Streams - WebSocket Messages",
    https://www.twilio.com/docs/voice/media-streams/websocket-messages
    Telnyx, "Stream call media over WebSocket" (the order of media is not guaranteed),
    https://developers.telnyx.com/api-reference/websockets/stream-call-media-over-websocket
    Plivo, "Audio Streaming Protocol Reference" (numbers are numbers, timestamps Unix time in ms),
    https://www.plivo.com/docs/voice-agents/audio-streaming/concepts/audio-streaming-reference
    Exotel, "WebSocket protocol" (linear PCM, about 100 ms a message, no tracks),
    https://developer.exotel.com/docs/agentstream/websocket-protocol
    Bandwidth, "Start Stream", https://dev.bandwidth.com/docs/voice/bxml/startStream; its messages
    as pipecat reads them, `src/pipecat/serializers/bandwidth.py` at 2e65b67.

Not verified against a vendor: everything of Bandwidth but its events' names and base64 PCMU,
above all whether `sequenceNumber` counts each track by itself; the byte order of Plivo's
`audio/x-l16`, taken to be little-endian; how Telnyx writes the custom parameters of a start.
"""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import msgspec

UNNUMBERED: Final = -1
"""The number of a packet that has none."""


class Media(msgspec.Struct, gc=False):
    """A piece of one track. `payload` is JSON still: `decode_base64` undoes both at once.

    Attributes:
        track: whose, as the telephone system calls it, or "".
        chunk: its place in its track.
        timestamp: in ms, from any moment.
    """

    payload: msgspec.Raw
    track: str = ""
    chunk: int = UNNUMBERED
    timestamp: float = 0.0


class MediaMessage(msgspec.Struct, tag_field="event", tag="media", gc=False):
    """The message that comes fifty times a second, so it is no business of the collector's."""

    media: Media


class FlatMedia(
    Media, tag_field="eventType", tag="media", gc=False, rename={"chunk": "sequenceNumber"}
):
    """Bandwidth's."""

    @property
    def media(self) -> Media:
        """The piece is the message itself."""
        return self


class StartMessage(msgspec.Struct, tag_field="event", tag="start"):
    """The message that says how the audio will come: once, so it is read at leisure."""

    start: dict[str, Any]
    stream_id: str = ""
    extra_headers: Any = None


class FlatStart(msgspec.Struct, tag_field="eventType", tag="start", rename="camel"):
    """Bandwidth's."""

    metadata: dict[str, Any]
    stream_params: Any = None


class Key(msgspec.Struct):
    """A key that was pressed."""

    digit: str


class DtmfMessage(msgspec.Struct, tag_field="event", tag="dtmf"):
    """The message of a key."""

    dtmf: Key


class StopMessage(msgspec.Struct, tag_field="event", tag="stop"):
    """The message that ends the call."""


class FlatStop(msgspec.Struct, tag_field="eventType", tag="stop"):
    """Bandwidth's."""


class _AnyMessage(msgspec.Struct):
    event: str = ""
    flat: str = msgspec.field(default="", name="eventType")


Message: TypeAlias = (
    StartMessage | MediaMessage | DtmfMessage | StopMessage | FlatStart | FlatMedia | FlatStop
)

BROKEN: Final = (ValueError, RecursionError)
"""What decoding a broken message raises: of msgspec, of UTF-8, of brackets without end."""

# Not strict: most numbers come as strings.
Decode: TypeAlias = Callable[[memoryview | bytearray], Message]
decode: Final[Decode] = msgspec.json.Decoder(
    StartMessage | MediaMessage | DtmfMessage | StopMessage, strict=False
).decode
decode_flat: Final[Decode] = msgspec.json.Decoder(
    FlatStart | FlatMedia | FlatStop, strict=False
).decode
decode_base64: Final = msgspec.json.Decoder(bytes).decode
_decode_any: Final = msgspec.json.Decoder(_AnyMessage).decode

_EVENTS: Final = ("", "start", "media", "dtmf", "stop")


def decode_either(message: memoryview | bytearray) -> Message:
    """Return what a message says while the dialect is not known yet.

    Raises:
        ValueError: if it is of neither, or broken.
    """
    try:
        return decode(message)
    except msgspec.ValidationError:
        if not _decode_any(message).flat:
            raise
        return decode_flat(message)


def decode_pairs(payload: msgspec.Raw) -> bytes:
    """Return the bytes of samples of 16 bits.

    Raises:
        ValueError: if they are no base64, or end within a sample.
    """
    codes = decode_base64(payload)
    if len(codes) % 2:
        raise ValueError("its audio ends within a sample")
    return codes


def says_nothing_of_audio(message: memoryview | bytearray) -> bool:
    """Return whether a message that cannot be read is merely of an event without interest."""
    try:
        said = _decode_any(message)
    except BROKEN:
        return False
    return (said.event or said.flat) not in _EVENTS
