"""The levels of many sources of a sound server at a time, a small stream each on one connection.

The server itself tells the highest sample of each 40 ms. pulsectl meters one source at a time, and
opens a stream anew for each reading; here the streams stay open from one reading to the next, made
of the same calls of libpulse that pulsectl has ready.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

PEAKS_PER_S: Final = 25
_SAMPLE_BYTES: Final = 4
_ANY_LENGTH: Final = 2**32 - 1


class Meters:
    """Open meters; each belongs to one source, and ends with it."""

    def __init__(self, client: Any) -> None:
        """Open none yet.

        Args:
            client: a `pulsectl.Pulse` that is connected; nobody else may run it meanwhile.
        """
        self._client = client
        self._open: dict[int, _Meter] = {}

    def read(self, sources: Mapping[int, str], seconds: float) -> dict[int, float]:
        """Return the highest level (0 to 1) of each source in the next seconds.

        Args:
            sources: their names by their numbers; what is not among them is metered no longer.
            seconds: how long.

        Raises:
            pulsectl.PulseDisconnected: if the server is gone.
        """
        for number in self._open.keys() - sources.keys():
            self._open.pop(number).close()
        for number in sources.keys() - self._open.keys():
            self._open[number] = _Meter(self._client, sources[number])
        for meter in self._open.values():
            meter.peak = 0.0
        self._client.event_callback_set(_ignore)
        self._client.event_listen(timeout=max(seconds, 1 / PEAKS_PER_S))  # 0 would be without end
        return {number: min(meter.peak, 1.0) for number, meter in self._open.items()}

    def close(self) -> None:
        """End all of them."""
        for meter in self._open.values():
            meter.close()
        self._open.clear()


class _Meter:
    """A stream of peaks.

    Attributes:
        peak: the highest since somebody set it to 0.
    """

    def __init__(self, client: Any, source: str) -> None:
        from pulsectl import _pulsectl as lib  # type: ignore[import-untyped, unused-ignore]

        self.peak = 0.0
        self._lib = lib
        spec = lib.PA_SAMPLE_SPEC(format=lib.PA_SAMPLE_FLOAT32NE, rate=PEAKS_PER_S, channels=1)
        self._stream = lib.pa.stream_new_with_proplist(
            client._ctx, "level meter", lib.byref(spec), None, None
        )
        self._callback = lib.PA_STREAM_REQUEST_CB_T(self._read)  # kept, or it would be collected
        lib.pa.stream_set_read_callback(self._stream, self._callback, None)
        # A stream that may be moved would go on at the microphone once its output is gone.
        flags = lib.PA_STREAM_DONT_MOVE | lib.PA_STREAM_PEAK_DETECT | lib.PA_STREAM_ADJUST_LATENCY
        flags |= lib.PA_STREAM_DONT_INHIBIT_AUTO_SUSPEND
        buffer = lib.PA_BUFFER_ATTR(fragsize=_SAMPLE_BYTES, maxlength=_ANY_LENGTH)
        try:
            lib.pa.stream_connect_record(self._stream, source, buffer, flags)
        except lib.pa.CallError:  # it went just now, or the server did
            self._forget()

    def close(self) -> None:
        """End it, if it has not ended."""
        if self._stream is None:
            return
        with suppress(self._lib.pa.CallError):  # the server ended it
            self._lib.pa.stream_disconnect(self._stream)
        self._forget()

    def _forget(self) -> None:
        self._lib.pa.stream_set_read_callback(
            self._stream, self._lib.PA_STREAM_REQUEST_CB_T(), None
        )
        self._lib.pa.stream_unref(self._stream)
        self._stream = None

    def _read(self, stream: Any, _n_bytes: int, _data: Any) -> None:
        lib = self._lib
        # A size has eight bytes, for which pulsectl's own type has no room.
        found, n_bytes = lib.c_void_p(), (lib.c_int * 2)()
        lib.pa.stream_peek(stream, found, n_bytes)
        if found and n_bytes[0] >= _SAMPLE_BYTES:
            peaks = lib.cast(found, lib.POINTER(lib.c_float))[: n_bytes[0] // _SAMPLE_BYTES]
            self.peak = max(self.peak, *map(abs, peaks))
        if n_bytes[0]:
            lib.pa.stream_drop(stream)


def _ignore(_event: Any) -> None:
    """Events wake the loop; what they say is for others."""
