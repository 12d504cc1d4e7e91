"""Windows: what is played is heard by a loopback of each output (WASAPI), which soundcard opens."""

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from types import ModuleType
from typing import Any, Final

import numpy as np

from hackles.capture.sources import Source
from hackles.errors import UsageError

_RATE: Final = 48_000
_FAULTS: Final = (RuntimeError, IndexError, AssertionError, OSError)
"""What soundcard raises of a device that has gone."""


def soundcard() -> ModuleType:
    """Return the package that opens loopbacks.

    Raises:
        UsageError: if it is not installed, or finds no sound service.
    """
    try:
        import soundcard as found  # type: ignore[import-untyped, unused-ignore]
    except ModuleNotFoundError as error:
        raise UsageError(
            f"Devices need {error.name}, which is not installed; pip install 'hackles[desktop]'."
        ) from error
    except _FAULTS as error:  # it connects as it is imported
        raise UsageError(
            "The system's sound service does not answer; start it (Windows Audio), or log on where "
            "the calls are taken."
        ) from error
    module: ModuleType = found
    return module


class Loopbacks:
    """Outputs by their loopbacks, and microphones; a `SoundSystem`.

    Windows does not say which programs play where. A device is called what Windows shows; where two
    of a kind are called the same, by its identifier.
    """

    def __init__(self) -> None:
        """Find the package.

        Raises:
            UsageError: if it is not installed.
        """
        self._soundcard = soundcard()
        self._devices: dict[str, Any] = {}

    def server(self) -> str:
        """See `SoundSystem`."""
        return "WASAPI"

    def sources(self) -> list[Source]:
        """See `SoundSystem`."""
        try:
            found = self._soundcard.all_microphones(include_loopback=True)
            defaults = self._defaults()
            names = _names(found)
        except _FAULTS as error:
            raise UsageError(f"The devices of this machine cannot be listed ({error}).") from error
        sources = []
        self._devices = {}
        for name, device in sorted(
            zip(names, found, strict=True), key=lambda of: not of[1].isloopback
        ):
            self._devices.setdefault(name, device)
            is_default = (bool(device.isloopback), device.name) in defaults
            sources.append(
                Source(name, device.name, bool(device.isloopback), is_default, sample_rate=_RATE)
            )
        return sorted(sources, key=lambda source: (not source.is_output, source.name))

    def _defaults(self) -> set[tuple[bool, str]]:
        """Return what the system takes, whether it is an output and its name."""
        defaults = set()
        with suppress(*_FAULTS):  # it has no output
            speaker = self._soundcard.default_speaker()
            defaults |= {(True, speaker.name), (True, f"Monitor of {speaker.name}")}
        with suppress(*_FAULTS):
            defaults.add((False, self._soundcard.default_microphone().name))
        return defaults

    def peaks(self, names: Sequence[str], seconds: float) -> dict[str, float]:
        """See `SoundSystem`."""
        if any(name not in self._devices for name in names):
            self.sources()
        peaks: dict[str, float] = {}
        threads = [
            threading.Thread(target=_meter, args=(name, self._devices[name], seconds, peaks))
            for name in names
            if name in self._devices
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return peaks

    def close(self) -> None:
        """See `SoundSystem`."""


def _names(devices: Sequence[Any]) -> list[str]:
    """Return what devices are called: no two of a kind the same."""
    shown = [(bool(device.isloopback), device.name) for device in devices]
    return [
        device.name if shown.count(one) == 1 else str(device.id)
        for device, one in zip(devices, shown, strict=True)
    ]


def _meter(name: str, device: Any, seconds: float, peaks: dict[str, float]) -> None:
    """Note the highest level in the next seconds; nothing if the device has gone."""
    end, peak = time.monotonic() + seconds, 0.0
    with suppress(*_FAULTS), device.recorder(samplerate=_RATE, channels=1) as recorder:
        while time.monotonic() < end:
            samples = recorder.record(None)
            peak = max(peak, float(np.abs(samples).max(initial=0.0)))
        peaks[name] = min(peak, 1.0)
