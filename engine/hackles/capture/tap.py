"""A thread that listens to devices, and hands over what surely came from them.

It lives through whatever happens to devices and sound servers: what is not there is looked for
until it is, and what is missing is told in seconds.
"""

import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from hackles.capture.device_stream import Piece
from hackles.capture.lines import Line, Lines
from hackles.capture.lines import lines as system_lines
from hackles.capture.resampling import Resampler
from hackles.capture.route import Route, Unconfirmed
from hackles.capture.timeline import Timeline
from hackles.errors import AwayError, UsageError
from hackles.types import Array

_log = logging.getLogger(__name__)

_TURN_S: Final = 0.5
"""To ask the server where a stream is costs a third of a millisecond, and is done all day."""

_RETRY_S: Final = 0.5
_STILL_S: Final = 5.0
"""Where nothing comes for so long nothing is heard, whatever was known of it last."""

_MOST_HEARD: Final = 4096
"""Stretches that wait to be taken: minutes."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A stretch of a device's sound.

    Attributes:
        lost_s: what is missing right before it.
        samples: shape (n_samples,), float32 at the engine's rate.
        end: when its end was heard, in seconds of the monotonic clock.
    """

    lost_s: float
    samples: Array
    end: float


class Sound(Protocol):
    """What is heard of one device."""

    @property
    def until(self) -> float:
        """Until when it is known what there was, in seconds of the monotonic clock."""

    def take(self) -> list[Heard]:
        """Return what was heard since it was last asked."""


class Ear:
    """One device, and what was heard of it.

    Attributes:
        name: as somebody named it.
        is_heard: whether it is.
        complaint: why it is not, in a sentence; "" if it is.
    """

    def __init__(
        self, name: str, is_output: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin with no line to it.

        Args:
            name: as somebody named it.
            is_output: whether it must be what is played; else it must be a microphone.
            clock: that of the pieces of its lines, in seconds.
        """
        self._clock = clock
        self.name, self._is_output = name, is_output
        self.is_heard = False
        self._line: Line | None = None
        self._unconfirmed, self._timeline = Unconfirmed(), Timeline(clock())
        self._resampler = Resampler()
        self._heard: deque[Heard] = deque(maxlen=_MOST_HEARD)
        self._lost_s = 0.0
        self._retry = 0.0
        self.complaint = "It is being looked for."

    def take(self) -> list[Heard]:
        """Return what was heard since it was last asked, on any thread."""
        heard = []
        while self._heard:
            heard.append(self._heard.popleft())
        return heard

    @property
    def until(self) -> float:
        """Until when it is known what there was, in seconds of the monotonic clock."""
        return self._timeline.end

    @property
    def unheard(self) -> str:
        """Why it is not heard now, in a sentence; "" if it is. It can be asked on any thread."""
        # A server that hangs holds up whoever asks it, and nobody is left to complain.
        if not self.complaint and self._clock() - self.until > _STILL_S:
            return "Nothing comes from it: it sleeps, or the sound server does not answer."
        return self.complaint

    def turn(self, lines: Lines, now: float) -> None:
        """Look for the device, or take in what came from it.

        Raises:
            AwayError: if the sound server went away.
        """
        if self._line is None:
            if now >= self._retry:
                self._open(lines, now)
            return
        for piece in self._line.take():
            self._unconfirmed.push(piece)
        asked = self._clock()
        route = self._line.check()
        if route is Route.RIGHT:
            self._hand_over(self._unconfirmed.confirm(asked))
        elif route is Route.DISTURBED:
            self._unconfirmed.discard()
        elif route is Route.MUTED:
            self._unconfirmed.discard()
            self._complain("Its recording by hackles is muted; unmute it in the sound settings.")
        else:
            self.drop("It was taken away, or its sound was led elsewhere.")

    def drop(self, why: str) -> None:
        """Say why there will be nothing, and close the line."""
        self._complain(why)
        self.close()

    def close(self) -> None:
        """Close the line: nothing that came over it and waits is handed over."""
        self._unconfirmed.discard()
        if self._line is not None:
            self._line.close()
            self._line = None

    def _open(self, lines: Lines, now: float) -> None:
        try:
            self._line = lines.open(self.name, self._is_output)
        except (AwayError, UsageError) as error:
            self._retry = now + _RETRY_S
            self._complain(str(error))

    def _hand_over(self, pieces: list[Piece]) -> None:
        """Let pieces be taken, at the engine's rate."""
        if pieces and not self.is_heard:
            self.is_heard, self.complaint = True, ""
            _log.info("%s is heard.", self.name)
        together: list[Piece] = []
        for at, piece in enumerate(pieces):
            end = self._timeline.end
            missing_s = self._timeline.place([*pieces[at:], *self._unconfirmed.waiting])
            if missing_s:
                self._resample(together, end)
                together = []
                self._resampler = Resampler()
                self._lost_s += missing_s
            together.append(piece)
        self._resample(together, self._timeline.end)

    def _resample(self, pieces: list[Piece], end: float) -> None:
        """Let pieces that follow on each other be taken, the last of which ends then."""
        if not pieces:
            return
        samples = np.concatenate([piece.samples for piece in pieces])
        self._resampler.push(samples, pieces[0].sample_rate)
        found = self._resampler.take(len(samples))
        if len(found):
            self._heard.append(Heard(self._lost_s, found, end))
            self._lost_s = 0.0

    def _complain(self, why: str) -> None:
        """Say once why it is not heard."""
        if self.is_heard or why != self.complaint:
            _log.warning("%s is not heard until this has changed: %s", self.name, why)
        self.is_heard, self.complaint = False, why


class Tap:
    """The thread."""

    def __init__(self, ears: list[Ear], connect: Callable[[], Lines] = system_lines) -> None:
        """Begin to listen.

        Args:
            ears: to which devices.
            connect: connects to the sound server.
        """
        self.ears, self._connect = ears, connect
        self._is_closing = threading.Event()
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="devices", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Do nothing, as long as the thread lives.

        Raises:
            RuntimeError: if it broke, which is a bug.
        """
        if self._fault is not None:
            raise RuntimeError("The thread that listens to devices broke.") from self._fault

    def close(self) -> None:
        """Stop listening."""
        self._is_closing.set()
        self._thread.join(timeout=2.0)

    def _run(self) -> None:
        try:
            self._live()
        finally:
            self._fault = sys.exception()

    def _live(self) -> None:
        while not self._is_closing.is_set():
            try:
                lines = self._connect()
            except (AwayError, UsageError) as error:
                self._drop(str(error))
                self._is_closing.wait(_RETRY_S)
                continue
            try:
                self._listen(lines)
            except AwayError as away:
                self._drop(str(away))
            finally:
                lines.close()

    def _listen(self, lines: Lines) -> None:
        while not self._is_closing.is_set():
            for ear in self.ears:
                ear.turn(lines, time.monotonic())
            lines.wait(_TURN_S)
        for ear in self.ears:
            ear.close()

    def _drop(self, why: str) -> None:
        for ear in self.ears:
            ear.drop(why)
