"""PulseAudio, and PipeWire by the same protocol: what can be heard, where a stream really is."""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from types import ModuleType
from typing import Any, Final, NamedTuple

from hackles.capture.pulse_meters import Meters
from hackles.capture.sources import Source, is_telephone
from hackles.errors import UsageError

_CLIENT: Final = "hackles"
_PROCESS: Final = "application.process.id"

NO_SERVER: Final = (
    "No sound server answers here (PulseAudio, or PipeWire with pipewire-pulse); run hackles in "
    "the desktop session of whoever takes the calls."
)


def pulsectl() -> ModuleType:
    """Return the package that speaks to the server.

    Raises:
        UsageError: if it, or the library of PulseAudio, is not installed.
    """
    try:
        import pulsectl as found  # type: ignore[import-untyped, unused-ignore]
    except ModuleNotFoundError as error:
        raise UsageError(
            f"Devices need {error.name}, which is not installed; pip install 'hackles[desktop]'."
        ) from error
    except OSError as error:  # it loads the library as it is imported
        raise UsageError(
            "Devices need the library of PulseAudio; install libpulse0 (apt install libpulse0)."
        ) from error
    module: ModuleType = found
    return module


class Recording(NamedTuple):
    """A stream that records.

    Attributes:
        source: the server's number of where it is.
        loudness: how loud it was set, and whether it was muted.
    """

    source: int
    loudness: tuple[int, ...]

    @property
    def is_muted(self) -> bool:
        """Whether nothing can be heard of it."""
        mute, *volumes = self.loudness
        return bool(mute) or not any(volumes)


class Pulse:
    """A connection to the sound server; a `SoundSystem`."""

    def __init__(self) -> None:
        """Connect to the server that runs; none is started, and one that hangs is waited for.

        Raises:
            UsageError: if pulsectl is not installed, or no server answers.
        """
        lib = pulsectl()
        call_error = lib._pulsectl.LibPulse.CallError
        self.faults = (lib.PulseError, lib.PulseDisconnected, call_error, OSError)
        self.client = lib.Pulse(_CLIENT, connect=False)
        self._meters = Meters(self.client)
        try:
            self.client.connect()
        except self.faults as error:
            self.client.close()
            raise UsageError(NO_SERVER) from error

    def server(self) -> str:
        """Return what answers: "PulseAudio 16.1", "PipeWire 0.3.65".

        Raises:
            UsageError: if nothing does any longer.
        """
        try:
            server = self.client.server_info()
        except self.faults as error:
            raise UsageError(NO_SERVER) from error
        pipewire = re.search(r"PipeWire [\w.]+", server.server_name)
        return pipewire.group() if pipewire else f"PulseAudio {server.server_version}"

    def sources(self) -> list[Source]:
        """See `SoundSystem`."""
        try:
            server, found = self.client.server_info(), self.client.source_list()
            played, recorded = self.client.sink_input_list(), self.client.source_output_list()
        except self.faults as error:
            raise UsageError(NO_SERVER) from error
        # A monitor is not told to run while something is played, nor a sink while it is not heard.
        players = [stream for stream in played if not stream.corked]
        listeners = {one.source for one in recorded if not one.corked and not _is_own(one)}
        sources = [
            _output(one, server.default_sink_name, players)
            if one.monitor_of_sink_name
            else _microphone(one, server.default_source_name, one.index in listeners)
            for one in found
        ]
        return sorted(sources, key=lambda source: (not source.is_output, source.name))

    def peaks(self, names: Sequence[str], seconds: float) -> dict[str, float]:
        """See `SoundSystem`.

        Raises:
            UsageError: if the server is gone.
        """
        try:
            wanted = _monitored(self.client.source_list(), names)
            peaks = self._meters.read(
                {found.index: found.name for found in wanted.values()}, seconds
            )
            left = {found.index for found in self.client.source_list()}
        except self.faults as error:
            raise UsageError(NO_SERVER) from error
        return {name: peaks[found.index] for name, found in wanted.items() if found.index in left}

    def stream(self, number: int) -> Recording | None:
        """Return how a stream that records stands, None if there is none of that number.

        pulsectl would take all that is told of it apart, which costs four times as much, and this
        is asked all day.

        Raises:
            pulsectl.PulseDisconnected: if the server is gone.
        """
        found: list[Recording] = []
        lib = pulsectl()._pulsectl
        with self.client._pulse_op_cb(raw=True) as done:

            def take(_context: Any, info: Any, end: int, _data: Any) -> None:
                if end:
                    done()
                    return
                said = info[0]
                volume = tuple(said.volume.values[: said.volume.channels])
                found.append(Recording(said.source, (said.mute, *volume)))

            told = lib.PA_SOURCE_OUTPUT_INFO_CB_T(take)
            operation = lib.pa.context_get_source_output_info(self.client._ctx, number, told, None)
        lib.pa.operation_unref(operation)
        return found[0] if found else None

    def changes(self, tell: Callable[[int], None]) -> None:
        """Let be told of each stream that records and whose state changed, by its number."""
        self.client.event_mask_set("source_output")
        self.client.event_callback_set(
            lambda event: tell(event.index) if event.t == "change" else None
        )

    def close(self) -> None:
        """See `SoundSystem`."""
        self._meters.close()
        self.client.close()


def _output(found: Any, default: str | None, players: Iterable[Any]) -> Source:
    name = found.monitor_of_sink_name
    here = [stream for stream in players if stream.sink == found.monitor_of_sink]
    return Source(
        name,
        found.description.removeprefix("Monitor of "),
        is_output=True,
        is_default=name == default,
        is_running=bool(here),
        players=tuple(sorted({_player(stream) for stream in here})),
        has_telephone=any(_is_telephone(stream) for stream in here),
    )


def _microphone(found: Any, default: str | None, is_running: bool) -> Source:
    return Source(
        found.name,
        found.description,
        is_output=False,
        is_default=found.name == default,
        is_running=is_running,
    )


def _player(stream: Any) -> str:
    """Return what people call the program that plays a stream."""
    name = str(stream.proplist.get("application.name") or stream.name or "?")
    through_alsa = re.fullmatch(r"ALSA plug-in \[(.*)\]", name)
    return through_alsa.group(1) if through_alsa else name


def _is_telephone(stream: Any) -> bool:
    said = stream.proplist
    binary = said.get("application.process.binary", "")
    return said.get("media.role") == "phone" or any(map(is_telephone, (_player(stream), binary)))


def _is_own(stream: Any) -> bool:
    return bool(stream.proplist.get(_PROCESS) == str(os.getpid()))


def _monitored(found: Iterable[Any], names: Sequence[str]) -> dict[str, Any]:
    """Return where each name is heard; an output goes before a microphone of the same name."""
    by_name: dict[str, Any] = {}
    for one in sorted(found, key=lambda one: bool(one.monitor_of_sink_name)):
        by_name[one.monitor_of_sink_name or one.name] = one
    return {name: by_name[name] for name in names if name in by_name}
