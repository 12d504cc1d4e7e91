"""A stream from a device: PortAudio's callback copies what it is given, and leaves."""

import os
import time
from collections import deque
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from hackles.capture.portaudio import sounddevice
from hackles.errors import AudioError
from hackles.types import Array

_BLOCK_S: Final = 0.08
_LATENCY_S: Final = 0.2
"""Asked for, so that the process is woken a dozen times a second, not two hundred."""

_MOST_PIECES: Final = 512
"""Forty seconds: more waits only if nobody takes it."""

_DEVICES: Final = ("pulse", "pipewire", "default")
"""ALSA's doors to the sound server; the last one is it on most desktops."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What one callback brought.

    Attributes:
        arrived: when, in seconds of the monotonic clock.
        samples: shape (n_samples,), float32, at the stream's rate.
        sample_rate: of these, in Hz.
    """

    arrived: float
    samples: Array
    sample_rate: int

    @property
    def duration_s(self) -> float:
        """How long it is, in seconds."""
        return len(self.samples) / self.sample_rate


class DeviceStream:
    """One party's sound, from a source of the sound server."""

    def __init__(self, source: str, sample_rate: int) -> None:
        """Open it, and begin.

        Args:
            source: the server's name of it.
            sample_rate: of what is to come; the source's own, so that nobody else resamples.

        Raises:
            UsageError: if PortAudio is not there.
            AudioError: if the source cannot be opened now.
        """
        self._rate = sample_rate
        self._pieces: deque[tuple[float, bytes]] = deque(maxlen=_MOST_PIECES)
        # Said to the server's library before PortAudio looks round: it would try the default
        # source, which is the agent's microphone.
        os.environ["PULSE_SOURCE"] = source
        library = sounddevice()
        self._faults = (library.PortAudioError, ValueError)
        try:
            self._stream: Any = library.RawInputStream(
                device=_door(library),
                samplerate=sample_rate,
                blocksize=round(_BLOCK_S * sample_rate),
                channels=1,
                dtype="float32",
                latency=_LATENCY_S,
                callback=self._hear,
            )
            self._stream.start()
        except self._faults as error:
            raise AudioError(f"{source} cannot be opened ({error}).") from error

    @property
    def is_alive(self) -> bool:
        """Whether more can come: a server that ends takes its streams along."""
        return bool(self._stream.active)

    def take(self) -> list[Piece]:
        """Return what has come since it was last asked."""
        pieces = []
        while self._pieces:
            arrived, data = self._pieces.popleft()
            pieces.append(Piece(arrived, np.frombuffer(data, np.float32), self._rate))
        return pieces

    def close(self) -> None:
        """End it; what was not taken is gone."""
        self._stream.close(ignore_errors=True)
        self._pieces.clear()

    def _hear(self, data: Any, _n_samples: int, _times: Any, _status: Any) -> None:
        self._pieces.append((time.monotonic(), bytes(data)))


def _door(library: Any) -> str:
    """Return PortAudio's name for the sound server.

    Raises:
        AudioError: if it knows none.
    """
    names = {device["name"] for device in library.query_devices() if device["max_input_channels"]}
    if not names & set(_DEVICES):
        # It looks round only once, and there may have been no server then.
        library._terminate()
        library._initialize()
        names = {device["name"] for device in library.query_devices()}
    for name in _DEVICES:
        if name in names:
            return name
    raise AudioError("PortAudio finds no way to the sound server.")
