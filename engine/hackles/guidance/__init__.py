"""What to do now: cards in three languages, and the rules by which a call is shown one.

The words stand in `cards/`, a file for each language, the rules in `rules.toml`; a team can put
its own in their place. docs/guidance.md says how.
"""

from hackles.guidance.cards import STAGES, STEPS, Card, Deck
from hackles.guidance.guide import Guide
from hackles.guidance.library import Guidance, load
from hackles.guidance.rules import Rules, Situation
from hackles.types import State

__all__ = [
    "STAGES",
    "STEPS",
    "Card",
    "Deck",
    "Guidance",
    "Guide",
    "Rules",
    "Situation",
    "load",
    "tip",
]


def tip(state: State, language: str = "en") -> str:
    """Return the one thing to do in a state, where nobody follows the call: its first card's."""
    return load().tip(state, language)
