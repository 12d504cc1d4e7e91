"""Events in words, in three languages. It says what was heard, never what somebody feels.

A language's words stand in one readable file, which is read when they are first asked for.
"""

from hackles.types import Alert, Evidence, Reason, State
from hackles.wording.languages import LANGUAGES, best_language, system_language
from hackles.wording.words import Words, clock, words

STATES: dict[State, str]
REASONS: dict[Reason, str]

__all__ = [
    "LANGUAGES",
    "REASONS",
    "STATES",
    "Words",
    "because",
    "best_language",
    "clock",
    "phrase",
    "system_language",
    "words",
]


def __getattr__(name: str) -> object:
    """Return the English `STATES` or `REASONS`, made when they are first asked for."""
    made: object
    if name == "STATES":
        made = {state: words("en").state(state) for state in State}
    elif name == "REASONS":
        made = {reason: words("en").reason(reason) for reason in Reason}
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = made
    return made


def phrase(evidence: Evidence) -> str:
    """Return one measure as people say it in English: "pitch +3.2 semitones", "18 % faster"."""
    return words("en").phrase(evidence)


def because(alert: Alert) -> str:
    """Return an alert's evidence as one phrase in English."""
    return words("en").because(alert)
