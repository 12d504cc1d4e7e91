"""PortAudio, by which devices are opened on Linux and macOS."""

import atexit
import os
import sys
from importlib.resources import files
from types import ModuleType
from typing import Final

from hackles.errors import UsageError

_INSTALL: Final = {
    "linux": "install it: apt install libportaudio2 libasound2-plugins, or your system's own "
    "packages of PortAudio and of ALSA's plug-in for PulseAudio",
    "darwin": "install it: brew install portaudio",
}


def sounddevice() -> ModuleType:
    """Return the package that opens devices; importing it takes a tenth of a second.

    On Linux it then finds nothing but the ways to a sound server.

    Raises:
        UsageError: if it, or PortAudio itself, is not installed, and how that is done.
    """
    if sys.platform == "linux":
        os.environ.setdefault("ALSA_CONFIG_PATH", str(files("hackles.capture") / "asound.conf"))
    try:
        import sounddevice  # type: ignore[import-untyped, unused-ignore]
    except ModuleNotFoundError as error:
        raise UsageError(
            f"Devices need {error.name}, which is not installed; pip install 'hackles[desktop]'."
        ) from error
    except OSError as error:  # it loads the library as it is imported
        how = _INSTALL.get(sys.platform, "install it, or pip install 'hackles[desktop]' again")
        raise UsageError(f"PortAudio is missing; {how}.") from error
    if sys.platform == "linux":
        # Its farewell would wait for a sound server that hangs, and the process never end.
        atexit.unregister(sounddevice._exit_handler)
    found: ModuleType = sounddevice
    return found
