"""Windows: what is played is heard by a loopback of each output (WASAPI), which soundcard opens."""

import sys
import threading
import time
import warnings
from collections.abc import Sequence
from contextlib import suppress
from types import ModuleType
from typing import Any, Final

import numpy as np

from hackles.capture.sources import Source
from hackles.errors import UsageError

RATE: Final = 48_000
CHANNELS: Final = 2
"""Of a single one soundcard records garbage on Windows, as it says itself."""

FAULTS: Final = (RuntimeError, IndexError, AssertionError, OSError)
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
    except FAULTS as error:  # it connects as it is imported
        raise UsageError(
            "The system's sound service does not answer; start it (Windows Audio), or log on where "
            "the calls are taken."
        ) from error
    # It would print a line for every piece that is missing, which the clock tells us anyway.
    warnings.filterwarnings("ignore", "data discontinuity")
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
        self._devices: dict[tuple[bool, str], Any] = {}

    def server(self) -> str:
        """See `SoundSystem`."""
        return "WASAPI"

    def sources(self) -> list[Source]:
        """See `SoundSystem`."""
        try:
            found = self._soundcard.all_microphones(include_loopback=True)
            defaults = self._defaults()
            names = _names(found)
        except FAULTS as error:
            raise UsageError(f"The devices of this machine cannot be listed ({error}).") from error
        sources = []
        self._devices = {}
        for name, device in zip(names, found, strict=True):
            is_output = bool(device.isloopback)
            self._devices[is_output, name] = device
            is_default = (is_output, device.name) in defaults
            sources.append(Source(name, device.name, is_output, is_default, sample_rate=RATE))
        return sorted(sources, key=lambda source: (not source.is_output, source.name))

    def _defaults(self) -> set[tuple[bool, str]]:
        """Return what the system takes, whether it is an output and its name."""
        defaults = set()
        with suppress(*FAULTS):  # it has no output
            speaker = self._soundcard.default_speaker()
            defaults |= {(True, speaker.name), (True, f"Monitor of {speaker.name}")}
        with suppress(*FAULTS):
            defaults.add((False, self._soundcard.default_microphone().name))
        return defaults

    def peaks(self, names: Sequence[str], seconds: float) -> dict[str, float]:
        """See `SoundSystem`."""
        if any(self._named(name) is None for name in names):
            self.sources()
        peaks: dict[str, float] = {}
        threads = [
            threading.Thread(target=_meter, args=(name, device, seconds, peaks))
            for name in names
            if (device := self._named(name)) is not None
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return peaks

    def close(self) -> None:
        """See `SoundSystem`."""

    def device(self, source: Source) -> Any:
        """Return one of those that were listed last, as soundcard knows it."""
        return self._devices[source.is_output, source.name]

    def ids(self) -> frozenset[str]:
        """Return the identifiers of all that are there now.

        Raises:
            RuntimeError: if they cannot be listed; or another of `FAULTS`.
        """
        return frozenset(
            str(device.id) for device in self._soundcard.all_microphones(include_loopback=True)
        )

    def _named(self, name: str) -> Any | None:
        """Return a device by its name, an output if a microphone is called the same."""
        return self._devices.get((True, name)) or self._devices.get((False, name))


def join_com() -> None:
    """Let this thread use Windows' devices; soundcard sees to the one only that imports it."""
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.ole32.CoInitializeEx(None, 0)


def _names(devices: Sequence[Any]) -> list[str]:
    """Return what devices are called: no two of a kind the same."""
    shown = [(bool(device.isloopback), device.name) for device in devices]
    return [
        device.name if shown.count(one) == 1 else str(device.id)
        for device, one in zip(devices, shown, strict=True)
    ]


def _meter(name: str, device: Any, seconds: float, peaks: dict[str, float]) -> None:
    """Note the highest level in the next seconds; nothing if the device has gone."""
    join_com()
    end, peak = time.monotonic() + seconds, 0.0
    with suppress(*FAULTS), device.recorder(samplerate=RATE, channels=CHANNELS) as recorder:
        while time.monotonic() < end:
            samples = recorder.record(None)
            peak = max(peak, float(np.abs(samples).max(initial=0.0)))
        peaks[name] = min(peak, 1.0)
