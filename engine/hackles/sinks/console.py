"""Alerts of live calls as lines for people: one glance each."""

import errno
import time
from collections.abc import Sequence
from typing import TextIO

from rich.console import Console
from rich.text import Text

from hackles.guidance import Guidance, load
from hackles.records import LiveRecord
from hackles.types import Alert, State
from hackles.wording import clock, words

_LOOK = {State.RISING: ("▲", "yellow"), State.IRRITATED: ("■", "red"), State.EASED: ("▽", "cyan")}


class _Console(Console):
    """A console that outlives whoever reads it."""

    def on_broken_pipe(self) -> None:
        """Say that nobody reads any longer, where rich would end the thread without a word."""
        raise BrokenPipeError(errno.EPIPE, "nobody reads what is shown")


class LiveConsole:
    """Prints an alert as soon as it is told, with what moved and what to say."""

    name = "console"
    for_people = True

    def __init__(
        self, file: TextIO, language: str = "en", guidance: Guidance | None = None
    ) -> None:
        """Print to a terminal, a pipe or a file.

        Args:
            file: where to.
            language: one of those that hackles speaks.
            guidance: where the cards are; None for those that travel with hackles.
        """
        self._console = _Console(file=file, soft_wrap=True, highlight=False)
        self._words, self._guidance = words(language), guidance or load()

    def write(self, records: Sequence[LiveRecord]) -> None:
        """Print the alerts among some records.

        Raises:
            OSError: if nobody reads them.
        """
        for record in records:
            if isinstance(record.event, Alert):
                self._print(record, record.event)

    def _print(self, record: LiveRecord, alert: Alert) -> None:
        symbol, colour = _LOOK[alert.state]
        when = time.strftime("%H:%M:%S", time.localtime(record.at))
        who = ", ".join(filter(None, (record.call, record.queue, record.agent)))
        at = self._words.text("at", time=clock(alert.time))
        line = Text(f"{when}  ")
        line.append(f"{symbol} {self._words.state(alert.state)}", style=f"bold {colour}")
        line.append(f"  {who}  {at}: {self._words.because(alert)}")
        self._console.print(line)
        tip = self._guidance.tip(alert.state, self._words.language, record.card)
        self._console.print(Text(f"          → {tip}", style="bold"))

    def forget(self, call: str) -> None:
        """What was printed is seen, and not kept."""

    def rest(self) -> None:
        """Nothing is put off."""

    def close(self) -> None:
        """Leave the terminal as it is."""
