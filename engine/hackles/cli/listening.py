"""Runs the daemon as a command line says, whoever has read that."""

from pathlib import Path
from typing import TYPE_CHECKING

from hackles.errors import UsageError

if TYPE_CHECKING:
    from hackles.settings import Settings


def listen(
    config: str | Path = "hackles.toml",
    workers: int | None = None,
    model: str = "",
    sensitivity: str | None = None,
    device: str = "",
    customer_device: str = "",
    shadow: bool = False,
) -> int:
    """Listen to live calls until told to stop; return the exit code.

    Args:
        config: the settings; all else is chosen instead of what they say.
        workers: how many processes.
        model: a file, or the name of an installed one.
        sensitivity: from few warnings to early ones.
        device: listen to what this output plays ...
        customer_device: ... or to a microphone into which the customer alone speaks.
        shadow: score and record, but show nobody any alert.

    Raises:
        HacklesError: if it cannot begin.
    """
    from hackles.configuration import load

    try:
        from hackles.live import daemon, system
    except ModuleNotFoundError as error:
        raise UsageError(
            f"The daemon needs {error.name}, which is not installed; pip install 'hackles[live]'."
        ) from error
    engine = {"workers": workers, "model": model or None, "sensitivity": sensitivity}
    heard = _heard(device, customer_device)

    def settings() -> "Settings":
        return system.supported(daemon.chosen(load(config, heard), shadow, **engine))

    return daemon.run(settings)


def _heard(device: str, customer_device: str) -> dict[str, str]:
    """Return the keys of [device] that were chosen on the command line."""
    if device and customer_device:
        raise UsageError(
            "Name either --device (what an output plays) or --customer-device (a microphone), "
            "not both: one customer at a time is listened to."
        )
    if not device and not customer_device:
        return {}
    return {"output": device, "customer_microphone": customer_device}
