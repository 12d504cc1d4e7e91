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
    """Return who knows the devices of this machine; they could be listened to.

    Raises:
        UsageError: if they could not: what is missing, or does not answer, and what to do about it.
    """
    if sys.platform == "linux":
        return _sound_server()
    if sys.platform == "win32":
        from hackles.capture.wasapi import Loopbacks

        return Loopbacks()
    from hackles.capture.virtual_devices import VirtualDevices

    return VirtualDevices()


def _sound_server() -> SoundSystem:
    from hackles.capture.portaudio import sounddevice
    from hackles.capture.pulse import Pulse

    found, system = sounddevice(), Pulse()
    try:
        alsa_device(found)  # only now: without a server there is none, whatever is installed
    except UsageError:
        system.close()
        raise
    return system


def alsa_device(sounddevice: ModuleType) -> str:
    """Return the ALSA device that leads to the sound server.

    Args:
        sounddevice: the package; it looks for devices once, as it is imported or initialised.

    Raises:
        UsageError: if there is none, though a server answers.
    """
    names = {device["name"] for device in sounddevice.query_devices()}
    for name in _ALSA_DEVICES:
        if name in names:
            return name
    raise UsageError(_NO_PLUGIN)
