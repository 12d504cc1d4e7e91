"""What a notification says: one glance, in the agent's language, and nobody's name."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from hackles.guidance import Guidance, load
from hackles.sinks.notifications import Notice
from hackles.types import Alert, State
from hackles.wording import words

SHAPES: Final = {State.RISING: "▲", State.IRRITATED: "■"}
"""The states that are shown, by the shapes that they have everywhere: not by colour alone."""

_MEASURES: Final = 2
"""The most telling; the page beside it has them all."""


class Notices:
    """Makes notifications of alerts. Screens are shared: no call, number or queue is named."""

    def __init__(self, language: str, guidance: Guidance | None) -> None:
        """Speak a language.

        Args:
            language: one that hackles has words in.
            guidance: where the cards are; None for those that travel with hackles.
        """
        self._words, self._guidance = words(language), guidance or load()

    def notice(
        self, card: str, alert: Alert, seen: Callable[[], None], false_alarm: Callable[[], None]
    ) -> Notice:
        """Return an alert's notification.

        Args:
            card: the id of the card that people are shown with it; "" for the state's first.
            alert: in a state of `SHAPES`.
            seen: is called by the first button, and by a click beside them.
            false_alarm: is called by the second one.
        """
        because = self._words.because(replace(alert, evidence=alert.evidence[:_MEASURES]))
        tip = self._guidance.tip(alert.state, self._words.language, card)
        return Notice(
            f"{SHAPES[alert.state]} {_capital(self._words.state(alert.state))}",
            f"{_capital(because)}.\n{tip}" if because else tip,
            (
                (self._words.text("seen"), seen),
                (self._words.text("false_alarm"), false_alarm),
            ),
            seen,
        )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
