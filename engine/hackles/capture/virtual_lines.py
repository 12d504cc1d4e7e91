"""Lines on macOS: each listens to a virtual device, or a microphone, by PortAudio.

CoreAudio does not lead a stream from a device that was named to another one: when the device
vanishes nothing more comes. This has not been run on macOS by us; tests run the same code on
Linux, where ALSA's way to the sound server stands for the device.
"""

import threading
import time
from collections import deque
from typing import Any, Final

import numpy as np

from hackles.capture.device_stream import Piece
from hackles.capture.portaudio import sounddevice
from hackles.capture.route import Route
from hackles.capture.sources import find
from hackles.capture.virtual_devices import source
from hackles.errors import AwayError

_PIECE_S: Final = 0.08
_LATENCY_S: Final = 0.2
_MOST_PIECES: Final = 512
_MOST_CHANNELS: Final = 2
"""What is played lies on these; a virtual device may have dozens."""

_SILENT_S: Final = 2.0
"""A device gives silence as well; one that gives nothing for so long has gone."""


class VirtualLines:
    """See `Lines`."""

    def __init__(self) -> None:
        """Find the package.

        Raises:
            UsageError: if it, or PortAudio, is not installed.
        """
        self._library = sounddevice()
        self.n_open = 0

    def open(self, name: str, is_output: bool) -> "VirtualLine":
        """See `Lines`."""
        if not self.n_open:
            # PortAudio looks round once, and again only if it is told to while nothing is open.
            self._library._terminate()
            self._library._initialize()
        try:
            number, device = self._found(name, is_output)
            return VirtualLine(self, self._library, number, device)
        except (self._library.PortAudioError, ValueError) as error:
            raise AwayError(f"{name} cannot be opened ({error}).") from error

    def wait(self, seconds: float) -> None:
        """See `Lines`."""
        time.sleep(seconds)

    def close(self) -> None:
        """See `Lines`."""

    def _found(self, name: str, is_output: bool) -> tuple[int, Any]:
        """Return a device's number, which holds until PortAudio looks again, and what it is."""
        inputs = {
            number: device
            for number, device in enumerate(self._library.query_devices())
            if device["max_input_channels"]
        }
        sources = [source(device, is_default=False) for device in inputs.values()]
        found = find(name, sources, is_output)
        if found is None:
            raise AwayError(f"There is no device {name} now.")
        return next(
            (number, device) for number, device in inputs.items() if device["name"] == found.name
        )


class VirtualLine:
    """See `Line`."""

    def __init__(self, lines: VirtualLines, library: Any, number: int, device: Any) -> None:
        """Open a device, and begin.

        Args:
            lines: whose it is.
            library: PortAudio.
            number: the device's, as it knows them now.
            device: what PortAudio says of it.
        """
        self._lines = lines
        self._pieces: deque[tuple[float, bytes]] = deque(maxlen=_MOST_PIECES)
        self._has_ended = threading.Event()
        self._last = time.monotonic()
        # At its own rate: on macOS another would have to be made of it, or set for everybody.
        self._rate = round(device["default_samplerate"])
        self._n_channels = min(_MOST_CHANNELS, device["max_input_channels"])
        self._stream = library.RawInputStream(
            device=number,
            samplerate=self._rate,
            blocksize=round(_PIECE_S * self._rate),
            channels=self._n_channels,
            dtype="float32",
            latency=_LATENCY_S,
            callback=self._hear,
            # On macOS a stream whose device has gone calls itself active; but this it does.
            finished_callback=self._has_ended.set,
        )
        lines.n_open += 1
        try:
            self._stream.start()
        except library.PortAudioError:
            self.close()
            raise

    def take(self) -> list[Piece]:
        """See `Line`."""
        pieces = []
        while self._pieces:
            self._last, data = self._pieces.popleft()
            samples = np.frombuffer(data, np.float32).reshape(-1, self._n_channels).mean(axis=1)
            pieces.append(Piece(self._last, samples, self._rate))
        return pieces

    def check(self) -> Route:
        """See `Line`."""
        is_silent = not self._pieces and time.monotonic() > self._last + _SILENT_S
        is_over = self._has_ended.is_set() or not self._stream.active
        return Route.WRONG if is_over or is_silent else Route.RIGHT

    def close(self) -> None:
        """See `Line`."""
        self._stream.close(ignore_errors=True)
        self._lines.n_open -= 1
        self._pieces.clear()

    def _hear(self, data: Any, _n_samples: int, _times: Any, _status: Any) -> None:
        self._pieces.append((time.monotonic(), bytes(data)))
