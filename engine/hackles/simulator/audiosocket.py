"""A call as Asterisk's AudioSocket says it.

Source:
    Asterisk documentation, "AudioSocket",
    https://docs.asterisk.org/Configuration/Channel-Drivers/AudioSocket/
"""

import struct
from typing import Final
from uuid import UUID

KINDS: Final = {"slin8": (0x10, 8000), "slin16": (0x12, 16_000), "slin48": (0x16, 48_000)}
"""Of messages with audio: 16 bits, little-endian, one channel; and their sample rates."""

HANG_UP: Final = b"\0\0\0"


def greeting(call: UUID) -> bytes:
    """Return the first message: which call it is."""
    return _message(0x01, call.bytes)


def packet(kind: str, samples: bytes) -> bytes:
    """Return samples, 16 bits each, as one message of a kind."""
    return _message(KINDS[kind][0], samples)


def _message(kind: int, payload: bytes) -> bytes:
    return struct.pack(">BH", kind, len(payload)) + payload
