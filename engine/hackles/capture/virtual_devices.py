"""macOS: it has no way to hear what is played, but for a virtual device into which it is played.

Such a device (BlackHole, Loopback, Soundflower, VB-Cable) is an input to every program, so by its
name alone is it known as what an output plays. A "multi-output device" plays into it and into the
headset at once.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from hackles.capture.portaudio import sounddevice
from hackles.capture.sources import Source
from hackles.errors import UsageError
from hackles.types import Array

_VIRTUAL: Final = ("blackhole", "loopback", "soundflower", "vb-cable", "cable output")


class VirtualDevices:
    """What PortAudio can open, as it was when this process began; a `SoundSystem`."""

    def __init__(self) -> None:
        """Find the package.

        Raises:
            UsageError: if it, or PortAudio, is not installed.
        """
        self._sounddevice = sounddevice()

    def server(self) -> str:
        """See `SoundSystem`."""
        return str(self._sounddevice.get_portaudio_version()[1]).partition(",")[0]

    def sources(self) -> list[Source]:
        """See `SoundSystem`."""
        try:
            found = list(self._sounddevice.query_devices())
            default = self._sounddevice.default.device[0]
        except self._sounddevice.PortAudioError as error:
            raise UsageError(f"The devices of this machine cannot be listed ({error}).") from error
        sources = [
            source(device, is_default=number == default)
            for number, device in enumerate(found)
            if device["max_input_channels"]
        ]
        return sorted(sources, key=lambda source: (not source.is_output, source.name))

    def peaks(self, names: Sequence[str], seconds: float) -> dict[str, float]:
        """See `SoundSystem`."""
        peaks: dict[str, float] = {}
        streams = [stream for name in names if (stream := self._meter(name, peaks)) is not None]
        try:
            self._sounddevice.sleep(round(seconds * 1000))
        finally:
            for stream in streams:
                stream.close()
        return peaks

    def _meter(self, name: str, peaks: dict[str, float]) -> Any | None:
        """Open a device and note its level from now on; None if it has gone."""

        def listen(samples: Array, _count: int, _time: Any, _status: Any) -> None:
            peak = float(np.abs(samples).max(initial=0.0))
            peaks[name] = min(max(peak, peaks.get(name, 0.0)), 1.0)

        try:
            stream = self._sounddevice.InputStream(device=name, channels=1, callback=listen)
            stream.start()
        except (self._sounddevice.PortAudioError, ValueError):  # no device is called so
            return None
        peaks[name] = 0.0
        return stream

    def close(self) -> None:
        """See `SoundSystem`."""


def source(device: Any, is_default: bool) -> Source:
    """Return what PortAudio says of a device, and whether its name is that of a virtual one."""
    name = device["name"]
    is_output = any(one in name.casefold() for one in _VIRTUAL)
    rate = round(device["default_samplerate"])
    return Source(name, name, is_output, is_default=is_default, sample_rate=rate)
