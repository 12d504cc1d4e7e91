"""How the audio of a call over AudioSocket is coded, where its messages do not say so truly.

Before October 2025 Asterisk sent audio of any codec as kind 0x10, which says 8 kHz, 16 bits; and
for a while kind 0x11, which says 12 kHz, meant 16 kHz. A call whose messages are as long as 20 ms
of what they say is believed. Any other is measured: how many bytes come in a second tells how it
is coded. Until then its audio is kept.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from hackles.capture.audiosocket import RATES_HZ, SLIN, Bytes, Run
from hackles.capture.g711 import Encoding, decode
from hackles.config import SAMPLE_RATE
from hackles.types import Array

_PACKETS_MS: Final = (10, 20, 30, 40, 60)
"""What Asterisk can be told to send at a time (`allow = ulaw:40`)."""

_MEASURED_S: Final = 1.0
_PAUSE_S: Final = 0.25
"""If nothing came for so long, that is left out: silence may not have been sent."""

_MOST_KEPT: Final = 2**19
"""Bytes, five seconds at 48 kHz. Of whoever sends more before it is measured, all is believed."""

_MOST_OFF: Final = 1.5
"""So many times faster or slower than expected is not what was expected."""

_SCALE: Final = np.float32(1 / 32768)


@dataclass(frozen=True, slots=True)
class Codec:
    """Audio at some rate: by one of G.711's laws, or 16 bits if there is no law."""

    sample_rate: int
    law: Encoding | None = None

    @property
    def bytes_per_s(self) -> int:
        """How many bytes hold a second."""
        return self.sample_rate * (2 if self.law is None else 1)

    def decode(self, coded: Bytes) -> Array:
        """Return the samples in whole samples' bytes, shape (n_samples,), float32 in [-1, 1)."""
        if self.law is not None:
            return decode(coded, self.law)
        return coded.view("<i2") * _SCALE


PLAIN: Final = Codec(SAMPLE_RATE)
"""What almost all calls bring."""

_SLIN: Final = {kind: Codec(sample_rate) for kind, sample_rate in RATES_HZ.items()}
_SLIN12: Final = 0x11


class _Pace:
    """How many bytes of a call come in a second, while any come."""

    def __init__(self, now: float) -> None:
        """Begin at a time in seconds."""
        self._last_s, self._was_drained = now, False
        self._n_bytes, self._elapsed_s = 0, 0.0

    def measure(self, n_bytes: int, now: float, is_drained: bool) -> float | None:
        """Take in that so many bytes came; return bytes per second, once they are known.

        Args:
            n_bytes: since the last time.
            now: in seconds.
            is_drained: whether these were all that waited; only then is it known when they came.
        """
        elapsed_s = now - self._last_s
        if self._was_drained and is_drained and elapsed_s <= _PAUSE_S:
            self._n_bytes += n_bytes
            self._elapsed_s += elapsed_s
        self._last_s, self._was_drained = now, is_drained
        return self._n_bytes / self._elapsed_s if self._elapsed_s >= _MEASURED_S else None


class Coding:
    """What is known of how one call's audio is coded.

    Attributes:
        lacks_law: whether the call has turned out to be G.711, and nobody said by which law.
    """

    def __init__(self, law: Encoding | None) -> None:
        """Begin with a call; `law` is that of G.711 under a wrong name, None if it is not known."""
        self.lacks_law = False
        self._law = law
        self._known = {kind: codec for kind, codec in _SLIN.items() if kind > _SLIN12}
        self._kept = bytearray()
        self._kind = SLIN
        self._length = 0
        self._pace: _Pace | None = None

    @property
    def is_plain(self) -> bool:
        """Whether messages that say 8 kHz, 16 bits, are known to be just that."""
        return self._known.get(SLIN) == PLAIN and self._pace is None

    def push(self, run: Run, now: float, is_drained: bool) -> list[tuple[Codec, Bytes]]:
        """Take in audio that came; return what can be decoded, and how.

        Args:
            run: what came.
            now: in seconds.
            is_drained: whether nothing more waited.
        """
        ready = self.flush() if run.kind != self._kind else []
        if run.kind in self._known:
            return [*ready, (self._known[run.kind], run.coded)]
        return [*ready, *self._probe(run, now, is_drained)]

    def flush(self) -> list[tuple[Codec, Bytes]]:
        """Return what is kept, as what it says it is: no more comes of it to be measured."""
        return self._settle(self._kind, _SLIN[self._kind]) if self._pace is not None else []

    def _probe(self, run: Run, now: float, is_drained: bool) -> list[tuple[Codec, Bytes]]:
        """Keep audio until it is known how it is coded."""
        if self._pace is None:
            self._pace, self._kind, self._length = _Pace(now), run.kind, 0
        self._length = self._length or run.length
        self._kept += run.coded.tobytes()
        if 50 * self._length == _SLIN[run.kind].bytes_per_s:
            return self.flush()
        bytes_per_s = self._pace.measure(len(run.coded), now, is_drained)
        if bytes_per_s is not None:
            return self._settle(run.kind, self._nearest(bytes_per_s))
        return self.flush() if len(self._kept) > _MOST_KEPT else []

    def _settle(self, kind: int, codec: Codec) -> list[tuple[Codec, Bytes]]:
        """Say how a kind is coded, and return what was kept of it."""
        kept, self._kept, self._pace = np.frombuffer(self._kept, np.uint8), bytearray(), None
        if codec.law is not None and self._law is None:
            self.lacks_law = True
            return []
        self._known[kind] = codec
        return [(codec, kept)]

    def _nearest(self, bytes_per_s: float) -> Codec:
        """Return the codec that is nearest to a pace, if possible one that fits the length."""

        def off(codec: Codec) -> float:
            return abs(math.log(bytes_per_s / codec.bytes_per_s))

        if self._kind == _SLIN12:
            codecs = [Codec(12_000), Codec(16_000)]
        else:
            codecs = [Codec(SAMPLE_RATE, self._law or Encoding.MU_LAW), *_SLIN.values()]
        fitting = [
            codec
            for codec in codecs
            if any(1000 * self._length == codec.bytes_per_s * packet for packet in _PACKETS_MS)
        ]
        best = min(fitting or codecs, key=off)
        return best if off(best) < math.log(_MOST_OFF) else min(codecs, key=off)
