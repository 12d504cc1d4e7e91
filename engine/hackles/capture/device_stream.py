"""A stream from a device: PortAudio's callback copies what it is given, and leaves."""

import logging
import os
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from hackles.capture.portaudio import sounddevice
from hackles.capture.systems import alsa_device
from hackles.errors import AudioError, UsageError
from hackles.types import Array

_log = logging.getLogger(__name__)

_PATIENCE_S: Final = 2.0
_BLOCK_S: Final = 0.2
_LATENCY_S: Final = 0.4
"""Asked for, so that the process is woken five times a second, not two hundred."""

_MOST_PIECES: Final = 512
"""A hundred seconds: more waits only if nobody takes it."""

_SAMPLE_RATE: Final = 48_000
"""That of nearly all devices, and six times the engine's: nobody else has to resample."""


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

    def __init__(self, source: str) -> None:
        """Open it, and begin.

        Args:
            source: the server's name of it.

        Raises:
            UsageError: if PortAudio, or its way to the server, is not there.
            AudioError: if the source cannot be opened now.
        """
        self._pieces: deque[tuple[float, bytes]] = deque(maxlen=_MOST_PIECES)
        # Said to the server's library before PortAudio looks round: it would try the default
        # source, which is the agent's microphone.
        os.environ["PULSE_SOURCE"] = source
        library = sounddevice()
        self._faults = (library.PortAudioError, ValueError)
        try:
            self._stream: Any = library.RawInputStream(
                device=_door(library),
                samplerate=_SAMPLE_RATE,
                blocksize=round(_BLOCK_S * _SAMPLE_RATE),
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
            pieces.append(Piece(arrived, np.frombuffer(data, np.float32), _SAMPLE_RATE))
        return pieces

    def close(self) -> None:
        """End it; what was not taken is gone."""
        # It waits for PortAudio's thread, which may wait for a server that is gone: seen once in
        # some hundreds of servers killed. Whoever listens to devices must not wait with it.
        closing = threading.Thread(
            target=self._stream.close, kwargs={"ignore_errors": True}, daemon=True, name="closing"
        )
        closing.start()
        closing.join(_PATIENCE_S)
        if closing.is_alive():
            _log.warning("A stream from the sound server does not end; it is left to itself.")
        self._pieces.clear()

    def _hear(self, data: Any, _n_samples: int, _times: Any, _status: Any) -> None:
        self._pieces.append((time.monotonic(), bytes(data)))


def _door(library: Any) -> str:
    """Return PortAudio's name for the way to the sound server.

    Raises:
        UsageError: if there is none.
    """
    try:
        return alsa_device(library)
    except UsageError:
        # It looked round once, and there may have been no server then.
        library._terminate()
        library._initialize()
        return alsa_device(library)
