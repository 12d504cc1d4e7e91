"""Lines on Windows: each listens to what an output plays by its loopback, which soundcard opens.

A loopback belongs to one output. Windows does not lead it elsewhere: when its output vanishes the
stream fails, so where one lives it is on the device that was named. This has not been run on
Windows by us; tests run the same code on Linux, where soundcard speaks to the sound server.
"""

import threading
import time
from collections import deque
from concurrent.futures import Future
from typing import Any, Final

from hackles.capture.device_stream import Piece
from hackles.capture.route import Route
from hackles.capture.sources import find
from hackles.capture.wasapi import CHANNELS, FAULTS, RATE, Loopbacks, join_com
from hackles.errors import AwayError

_PIECE: Final = round(0.08 * RATE)
_BUFFER: Final = round(0.2 * RATE)
"""What waits at the system at most; more than a piece, or soundcard loses sound."""

_REST_S: Final = 0.055
"""While it waits for sound, soundcard looks a thousand times a second whether some has come."""

_AT_ONCE_S: Final = 0.005
_SLEPT_S: Final = 5.0
"""After a longer pause the machine has slept; soundcard would make up as many hours of silence."""

_LISTED_S: Final = 2.0
"""So long a list of devices is taken to be true."""

_MOST_PIECES: Final = 512
_PATIENCE_S: Final = 1.0


class LoopbackLines:
    """See `Lines`."""

    def __init__(self) -> None:
        """Find the package.

        Raises:
            UsageError: if it is not installed, or finds no sound service.
        """
        join_com()
        self._system = Loopbacks()
        self._ids: frozenset[str] = frozenset()
        self._listed = -_LISTED_S

    def open(self, name: str, is_output: bool) -> "LoopbackLine":
        """See `Lines`."""
        source = find(name, self._system.sources(), is_output)
        if source is None:
            raise AwayError(f"There is no device {name} now.")
        try:
            return LoopbackLine(self, self._system.device(source))
        except FAULTS as error:
            raise AwayError(f"{name} cannot be opened ({error}).") from error

    def wait(self, seconds: float) -> None:
        """See `Lines`."""
        time.sleep(seconds)

    def close(self) -> None:
        """See `Lines`."""
        self._system.close()

    def has(self, device: str) -> bool:
        """Return whether a device of this identifier was there when last looked.

        Raises:
            AwayError: if the sound service does not answer.
        """
        now = time.monotonic()
        if now >= self._listed + _LISTED_S:
            try:
                self._ids = self._system.ids()
            except FAULTS as error:
                raise AwayError(f"The sound service does not answer ({error}).") from error
            self._listed = now
        return device in self._ids


class LoopbackLine:
    """See `Line`: a thread that records."""

    def __init__(self, lines: LoopbackLines, device: Any) -> None:
        """Open a device, and begin.

        Args:
            lines: whose it is.
            device: as soundcard knows it.

        Raises:
            RuntimeError: if it cannot be opened; or another of `FAULTS`.
        """
        self._lines, self._id = lines, str(device.id)
        self._pieces: deque[Piece] = deque(maxlen=_MOST_PIECES)
        self._is_closing = threading.Event()
        begun: Future[None] = Future()
        self._thread = threading.Thread(
            target=self._run, args=(device, begun), name="loopback", daemon=True
        )
        self._thread.start()
        begun.result()

    def take(self) -> list[Piece]:
        """See `Line`."""
        pieces = []
        while self._pieces:
            pieces.append(self._pieces.popleft())
        return pieces

    def check(self) -> Route:
        """See `Line`."""
        is_there = self._thread.is_alive() and self._lines.has(self._id)
        return Route.RIGHT if is_there else Route.WRONG

    def close(self) -> None:
        """See `Line`."""
        self._is_closing.set()
        self._thread.join(_PATIENCE_S)  # one that gets nothing from its device goes on waiting
        self._pieces.clear()

    def _run(self, device: Any, begun: "Future[None]") -> None:
        """Record until told to stop, or the device has gone."""
        join_com()
        try:
            with device.recorder(samplerate=RATE, channels=CHANNELS, blocksize=_BUFFER) as recorder:
                begun.set_result(None)
                self._record(recorder)
        except FAULTS as error:
            if not begun.done():
                begun.set_exception(error)

    def _record(self, recorder: Any) -> None:
        before = time.perf_counter()
        while (asked := time.perf_counter()) < before + _SLEPT_S:
            samples = recorder.record(_PIECE).mean(axis=1)
            before = time.perf_counter()
            if self._is_closing.is_set() or before > asked + _SLEPT_S:
                return
            self._pieces.append(Piece(time.monotonic(), samples, RATE))
            if before > asked + _AT_ONCE_S:  # else more may be there already
                self._is_closing.wait(_REST_S)
