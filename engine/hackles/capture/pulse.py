"""PulseAudio, and PipeWire by the same protocol: what can be heard, where a stream really is."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from hackles.capture.sources import Source
from hackles.errors import UsageError

_MONITOR: Final = ".monitor"
_CLIENT: Final = "hackles"

NO_SERVER: Final = (
    "No sound server answers here (PulseAudio, or PipeWire with pipewire-pulse); run hackles in "
    "the desktop session of whoever takes the calls."
)


class Pulse:
    """A connection to the sound server; a `SoundSystem`."""

    def __init__(self) -> None:
        """Connect.

        Raises:
            UsageError: if pulsectl is not installed, or no server answers.
        """
        try:
            import pulsectl  # type: ignore[import-untyped, unused-ignore]
        except ModuleNotFoundError as error:
            raise UsageError(
                "Devices need pulsectl, which is not installed; pip install 'hackles[desktop]'."
            ) from error
        except OSError as error:  # it loads the library as it is imported
            raise UsageError(
                "Devices need the library of PulseAudio; install libpulse0 (apt install libpulse0)."
            ) from error
        # Of the last two pulsectl tells nobody: what the library says, and a lost connection.
        said = pulsectl.pulsectl
        self.faults = (pulsectl.PulseError, OSError, said.PulseDisconnected, said.c.pa.CallError)
        try:
            self.client = pulsectl.Pulse(_CLIENT)
        except self.faults as error:
            raise UsageError(NO_SERVER) from error

    def sources(self) -> list[Source]:
        """See `SoundSystem`."""
        try:
            server, found = self.client.server_info(), self.client.source_list()
        except self.faults as error:
            raise UsageError(NO_SERVER) from error
        defaults = {monitor_of(server.default_sink_name), server.default_source_name}
        sources = [_source(one, defaults) for one in found]
        return sorted(sources, key=lambda source: (not source.is_output, source.name))

    def peaks(self, names: Sequence[str], seconds: float) -> dict[str, float]:
        """See `SoundSystem`."""
        raise NotImplementedError

    def changes(self, tell: Callable[[int], None]) -> None:
        """Let be told of each stream that records and whose state changed, by its number."""
        self.client.event_mask_set("source_output")
        self.client.event_callback_set(lambda event: tell(event.index))

    def close(self) -> None:
        """See `SoundSystem`."""
        self.client.close()


def _source(found: Any, defaults: set[str]) -> Source:
    is_output = bool(found.monitor_of_sink_name)
    name, description = found.name, found.description
    if is_output:
        name, description = found.monitor_of_sink_name, description.removeprefix("Monitor of ")
    return Source(
        name,
        description,
        is_output,
        is_default=found.name in defaults,
        is_running=found.state == "running",
        sample_rate=found.sample_spec.rate,
    )


def monitor_of(sink: str) -> str:
    """Return the name of the source that brings what a sink plays."""
    return sink + _MONITOR
