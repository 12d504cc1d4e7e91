"""PortAudio, by sounddevice: loaded when a device is listened to."""

from types import ModuleType


def sounddevice() -> ModuleType:
    """Return the package."""
    import sounddevice

    return sounddevice
