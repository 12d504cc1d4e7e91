"""What a stream says of itself when it starts: which call, which tracks, how it is coded."""

import re
from typing import Any, Final

import msgspec

from hackles.capture.g711 import Encoding
from hackles.capture.intake import Offer
from hackles.capture.media_messages import FlatStart, StartMessage
from hackles.config import SAMPLE_RATE
from hackles.types import Role

_MU_LAW: Final = ("audio/x-mulaw", "audio/mulaw", "audio/pcmu", "pcmu")
_A_LAW: Final = ("audio/x-alaw", "audio/alaw", "audio/pcma", "pcma")
_LINEAR: Final = ("audio/x-l16", "audio/l16", "audio/x-raw", "raw/slin", "base64")
"""The last three are Exotel's, who sends linear PCM whatever it is called."""

_RATES: Final = (8000, 16000, 24000, 32000, 44100, 48000)
_CALLS: Final = ("callSid", "call_control_id", "callId", "call_sid")
_STREAMS: Final = ("streamSid", "streamId", "stream_sid", "stream_id")
_LONGEST_NAME: Final = 200
"""A name stands in every line that is told of its call; the control API allows as much."""

_CONSENT: Final = {"true": True, "yes": True, "false": False, "no": False}


class Format(msgspec.Struct):
    """How the audio of a call is coded, as the telephone system says it."""

    encoding: str = ""
    sample_rate: int = SAMPLE_RATE
    channels: int = 1

    @property
    def law(self) -> Encoding | None:
        """The law of G.711; None if it is linear PCM."""
        encoding = self.encoding.lower()
        if encoding in _MU_LAW:
            return Encoding.MU_LAW
        return Encoding.A_LAW if encoding in _A_LAW else None

    @property
    def is_known(self) -> bool:
        """Whether it can be heard: G.711 as the telephone has it, or PCM of 16 bits."""
        if self.channels != 1:
            return False
        if self.law:
            return self.sample_rate == SAMPLE_RATE
        return self.encoding.lower() in _LINEAR and self.sample_rate in _RATES

    def __str__(self) -> str:
        """Say it as its sender does."""
        return f"{self.encoding!r}, {self.sample_rate} Hz, {self.channels} channel(s)"


class Start(msgspec.Struct):
    """A stream that starts.

    Attributes:
        call: the name of its call, or else its own.
        format: of its audio; None where it does not say.
        tracks: the names of its tracks, or none.
        parameters: what the site had sent along, by name.
    """

    call: str
    format: Format | None
    tracks: list[str]
    parameters: dict[str, str]

    @property
    def offer(self) -> Offer:
        """The call as the engine is asked about it."""
        said = self.parameters
        return Offer(
            self.call,
            Role.CUSTOMER,
            said.get("queue", "")[:_LONGEST_NAME],
            said.get("agent", "")[:_LONGEST_NAME],
            _CONSENT.get(said.get("consent", "").lower()),
            said.get("customer", "")[:_LONGEST_NAME],
        )


def start_of(said: StartMessage | FlatStart, customer_track: str) -> Start:
    """Return what a start says, whatever the dialect.

    Raises:
        ValueError: if something in it is not what it should be.
    """
    if isinstance(said, FlatStart):
        content, further = said.metadata, said.stream_params
    else:
        content, further = {"stream_id": said.stream_id} | said.start, said.extra_headers
    tracks = msgspec.convert(content.get("tracks") or [], list[Any])
    formats = [content, *(track for track in tracks if _name(track) == customer_track)]
    wanted = {
        "call": _first(content, *_CALLS) or _first(content, *_STREAMS) or "",
        "format": _format(formats, is_exotel="stream_sid" in content),
        "tracks": [_name(track) for track in tracks],
        "parameters": _parameters(_first(content, "customParameters", "custom_parameters"))
        | _parameters(further),
    }
    start = msgspec.convert(wanted, Start, strict=False)
    if not start.call:
        raise ValueError("it names neither a call nor a stream")
    if len(start.call) > _LONGEST_NAME:
        raise ValueError("the name of its call is too long")
    return start


def _first(content: Any, *names: str) -> Any:
    """Return the first of these fields that is there."""
    if not isinstance(content, dict):
        return None
    return next((content[name] for name in names if content.get(name)), None)


def _name(track: Any) -> Any:
    """Return the name of a track, which Bandwidth tells together with its format."""
    return track.get("name") if isinstance(track, dict) else track


def _format(places: list[Any], *, is_exotel: bool) -> dict[str, Any] | None:
    found = [_first(place, "mediaFormat", "media_format") for place in places]
    said = next(filter(None, found), None)
    if said is None and not is_exotel:
        return None
    return {
        "encoding": _first(said, "encoding") or ("audio/x-raw" if is_exotel else ""),
        "sample_rate": _first(said, "sampleRate", "sample_rate") or SAMPLE_RATE,
        "channels": _first(said, "channels") or 1,
    }


def _parameters(said: Any) -> dict[str, str]:
    """Return parameters by name, from a mapping, a list of names and values, or `a=1;b=2`."""
    if isinstance(said, str):
        pairs = [pair.partition("=") for pair in re.split("[;,]", said)]
        return {name.strip(): value.strip() for name, _, value in pairs}
    if isinstance(said, list):
        said = {str(_first(pair, "name")): _first(pair, "value") for pair in said}
    if not isinstance(said, dict):
        return {}
    return {str(name): str(value) for name, value in said.items()}
