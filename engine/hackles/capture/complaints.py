"""What is logged of those who connect: anybody may, so nobody may fill the log."""

import logging
import math
import time
from collections.abc import Callable
from typing import Final

_PERIOD_S: Final = 60.0
_MOST: Final = 10
"""Lines of one kind in a period; counters tell how many there were."""

_ENOUGH: Final = " (No more of these for a minute; /metrics counts them.)"


class Complaints:
    """A log in which each sentence comes only so often, whatever it is about."""

    def __init__(self, log: logging.Logger, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with nothing said.

        Args:
            log: where it is said.
            clock: seconds from any start.
        """
        self._log, self._clock = log, clock
        self._said: dict[str, tuple[float, int]] = {}

    def warning(self, sentence: str, *args: object) -> None:
        """Say what people should look at."""
        self.log(logging.WARNING, sentence, *args)

    def info(self, sentence: str, *args: object) -> None:
        """Say what may help to understand something."""
        self.log(logging.INFO, sentence, *args)

    def log(self, level: int, sentence: str, *args: object) -> None:
        """Say a sentence, unless it has been said too often of late.

        Args:
            level: as `logging` has it.
            sentence: one of a fixed list; what it is about is in `args`.
            args: as `logging` has them.
        """
        now = self._clock()
        since, count = self._said.get(sentence, (-math.inf, 0))
        if now >= since + _PERIOD_S:
            since, count = now, 0
        self._said[sentence] = since, count + 1
        if count < _MOST:
            self._log.log(level, sentence + _ENOUGH * (count == _MOST - 1), *args)


class Relay(logging.Handler):
    """Takes what a library logs of its connections to where it comes only so often."""

    def __init__(self, complaints: Complaints) -> None:
        """Say where to."""
        super().__init__(logging.WARNING)
        self._complaints = complaints

    def emit(self, record: logging.LogRecord) -> None:
        """Pass a record on, with its traceback if it has one."""
        fault = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
        args = record.args if isinstance(record.args, tuple) else (record.args,)
        self._complaints.log(
            record.levelno,
            f"{record.msg}{'%s' * bool(fault)}",
            *args,
            *([f"\n{fault}"] * bool(fault)),
        )
