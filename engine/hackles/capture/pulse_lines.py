"""Lines over PulseAudio (PipeWire speaks the same): PortAudio hears, pulsectl watches the route."""

import os
from typing import Any, Final

from hackles.capture.device_stream import DeviceStream, Piece
from hackles.capture.pulse import NO_SERVER, Pulse
from hackles.capture.route import Route
from hackles.capture.sources import find
from hackles.errors import AudioError, AwayError, UsageError

_PROCESS: Final = "application.process.id"


class PulseLines:
    """See `Lines`."""

    def __init__(self) -> None:
        """Connect, and let changes be told."""
        try:
            self._pulse = Pulse()
            self._pulse.changes(self._note)
        except UsageError as error:
            if str(error) == NO_SERVER:
                raise AwayError(NO_SERVER) from error
            raise
        self._disturbed: set[int] = set()

    def open(self, name: str, is_output: bool) -> "PulseLine":
        """See `Lines`."""
        source = find(name, self._ask(self._pulse.sources), is_output)
        found = self._known(source.name, is_output) if source else None
        if found is None:
            raise AwayError(f"There is no device {name} now.")
        if found.mute:
            raise AwayError(f"What {name} hears is muted; unmute it in the sound settings.")
        before = {output.index for output in self._outputs()}
        try:
            stream = DeviceStream(found.name)
        except AudioError as error:
            raise AwayError(str(error)) from error
        try:
            own = [one for one in self._outputs() if one.index not in before and _is_own(one)]
        except AwayError:
            stream.close()
            raise
        if len(own) != 1:
            stream.close()
            raise AwayError(f"The stream from {name} cannot be told from others.")
        return PulseLine(self, stream, own[0].index, found.index)

    def wait(self, seconds: float) -> None:
        """See `Lines`."""
        self._ask(lambda: self._pulse.client.event_listen(timeout=seconds))

    def close(self) -> None:
        """See `Lines`."""
        self._pulse.close()

    def route(self, output: int, wanted: int) -> Route:
        """Return where a stream is.

        Args:
            output: the server's number of the stream.
            wanted: of the source on which it belongs.
        """
        found = self._ask(lambda: self._pulse.stream(output))
        # Whatever the server told before it answered is noted by now. It does not say what has
        # changed: where that was another volume, the stream may have been elsewhere as well.
        was_disturbed = output in self._disturbed
        self._disturbed.discard(output)
        if found is None or found.source != wanted:
            return Route.WRONG
        if found.is_muted:
            return Route.MUTED
        return Route.DISTURBED if was_disturbed else Route.RIGHT

    def _known(self, name: str, is_output: bool) -> Any | None:
        """Return what the server knows of a source, if it is there."""
        for one in self._ask(self._pulse.client.source_list):
            if (one.monitor_of_sink_name if is_output else one.name) == name:
                return one
        return None

    def _outputs(self) -> list[Any]:
        outputs: list[Any] = self._ask(self._pulse.client.source_output_list)
        return outputs

    def _ask(self, question: Any) -> Any:
        try:
            return question()
        except self._pulse.faults as error:
            raise AwayError(NO_SERVER) from error

    def _note(self, output: int) -> None:
        self._disturbed.add(output)


class PulseLine:
    """See `Line`."""

    def __init__(self, lines: PulseLines, stream: DeviceStream, output: int, wanted: int) -> None:
        """Watch a stream.

        Args:
            lines: whose it is.
            stream: it.
            output: the server's number of it.
            wanted: of the source on which it belongs.
        """
        self._lines, self._stream = lines, stream
        self._output, self._wanted = output, wanted

    def take(self) -> list[Piece]:
        """See `Line`."""
        return self._stream.take()

    def check(self) -> Route:
        """See `Line`."""
        if not self._stream.is_alive:
            return Route.WRONG
        return self._lines.route(self._output, self._wanted)

    def close(self) -> None:
        """See `Line`."""
        self._stream.close()


def _is_own(output: Any) -> bool:
    return bool(output.proplist.get(_PROCESS) == str(os.getpid()))
