"""What the JSON messages of a media stream say. So far one dialect is spoken, Twilio's.

Source:
    Twilio, "Media Streams - WebSocket Messages",
    https://www.twilio.com/docs/voice/media-streams/websocket-messages
"""

from typing import Final, TypeAlias

import msgspec

from hackles.capture.g711 import Encoding
from hackles.config import SAMPLE_RATE

_LAWS: Final = {
    "audio/x-mulaw": Encoding.MU_LAW,
    "PCMU": Encoding.MU_LAW,
    "audio/x-alaw": Encoding.A_LAW,
    "PCMA": Encoding.A_LAW,
}


class Format(msgspec.Struct, rename="camel"):
    """How the audio of a call is coded."""

    encoding: str
    sample_rate: int
    channels: int = 1

    @property
    def law(self) -> Encoding | None:
        """The law of G.711; None if it is anything else than G.711 as the telephone has it."""
        as_usual = self.sample_rate == SAMPLE_RATE and self.channels == 1
        return _LAWS.get(self.encoding) if as_usual else None


class Start(msgspec.Struct, rename="camel"):
    """A call that begins."""

    media_format: Format
    stream_sid: str
    call_sid: str | None = None


class Media(msgspec.Struct, gc=False):
    """A piece of one track. `payload` is JSON still: `decode_base64` undoes both at once."""

    track: str
    chunk: int
    payload: msgspec.Raw


class StartMessage(msgspec.Struct, tag_field="event", tag="start"):
    """The message that says how the audio will come."""

    start: Start


class MediaMessage(msgspec.Struct, tag_field="event", tag="media", gc=False):
    """The message that comes fifty times a second, so it is no business of the collector's."""

    media: Media


class StopMessage(msgspec.Struct, tag_field="event", tag="stop"):
    """The message that ends the call."""


class _AnyMessage(msgspec.Struct):
    event: str


Message: TypeAlias = StartMessage | MediaMessage | StopMessage

decode: Final = msgspec.json.Decoder(Message, strict=False).decode  # its numbers come as strings
decode_base64: Final = msgspec.json.Decoder(bytes).decode
BROKEN: Final = (ValueError, RecursionError)
"""What decoding a broken message raises: of msgspec, of UTF-8, of brackets without end."""

_decode_any: Final = msgspec.json.Decoder(_AnyMessage).decode


def says_nothing_of_audio(message: memoryview | bytearray) -> bool:
    """Return whether a message that `decode` refused is merely of an event without interest."""
    try:
        return _decode_any(message).event not in ("start", "media", "stop")
    except BROKEN:
        return False
