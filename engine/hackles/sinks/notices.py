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
_LINE: Final = 60
"""Of the measures that moved, the most telling, and a second one if it fits into a line of so many
characters; the page has them all."""


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
        # What to do comes first: some desktops show one line, and the rest when they are asked.
        tip = self._guidance.tip(alert.state, self._words.language, card)
        because = self._because(alert)
        return Notice(
            f"{SHAPES[alert.state]} {_capital(self._words.state(alert.state))}",
            f"{tip}\n{_capital(because)}." if because else tip,
            (
                (self._words.text("seen"), seen),
                (self._words.text("false_alarm"), false_alarm),
            ),
            seen,
        )

    def _because(self, alert: Alert) -> str:
        """Return what moved, in about a line."""
        said = self._words.because(replace(alert, evidence=alert.evidence[:_MEASURES]))
        if len(said) > _LINE:
            said = self._words.because(replace(alert, evidence=alert.evidence[:1]))
        return said


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
