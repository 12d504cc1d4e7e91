"""Which sound system this machine has, and whether hackles can listen to it."""

import sys
from types import ModuleType
from typing import Final

from hackles.capture.sources import SoundSystem
from hackles.errors import UsageError

_ALSA_DEVICES: Final = ("pulse", "pipewire")
"""By which ALSA, and so PortAudio, reaches a sound server. `default` may be the bare microphone."""

_NO_PLUGIN: Final = (
    "ALSA has no way to the sound server; install its plug-in: apt install libasound2-plugins (for "
    "PulseAudio, or PipeWire with pipewire-pulse)."
)


def sound_system() -> SoundSystem:
    """Return who knows the devices of this machine.

    Raises:
        UsageError: if it cannot be asked, and what to do about it.
    """
    if sys.platform == "linux":
        from hackles.capture.pulse import Pulse

        return Pulse()
    if sys.platform == "win32":
        from hackles.capture.wasapi import Loopbacks

        return Loopbacks()
    from hackles.capture.virtual_devices import VirtualDevices

    return VirtualDevices()


def check_installed() -> None:
    """See to it that devices could be opened: packages and libraries, no server or device.

    Raises:
        UsageError: what is missing, and how to install it.
    """
    if sys.platform == "win32":
        from hackles.capture.wasapi import soundcard

        soundcard()
        return
    from hackles.capture.portaudio import sounddevice

    found = sounddevice()
    if sys.platform == "linux":
        from hackles.capture.pulse import pulsectl

        pulsectl()
        alsa_device(found)


def alsa_device(sounddevice: ModuleType) -> str:
    """Return the ALSA device that leads to the sound server.

    Args:
        sounddevice: the package.

    Raises:
        UsageError: if there is none.
    """
    names = {device["name"] for device in sounddevice.query_devices()}
    for name in _ALSA_DEVICES:
        if name in names:
            return name
    raise UsageError(_NO_PLUGIN)
