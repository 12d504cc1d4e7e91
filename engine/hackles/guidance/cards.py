"""The cards of one language."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

STAGES: Final = (
    "opening",
    "venting",
    "understanding",
    "options",
    "agreement",
    "escalation",
    "abusive",
    "afterwards",
)
STEPS: Final = (
    "respond",
    "empathise",
    "solve",
    "open",
    "listen",
    "verify",
    "execute",
    "document",
)
"""The eight steps of RESOLVED, in order."""

_LONGEST: Final = {"id": 40, "do": 70, "how": 160}
_LONGEST_PHRASE: Final = 120
_MOST_PHRASES: Final = 3
_ID: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class Card(msgspec.Struct, frozen=True):
    """One thing to do.

    Attributes:
        id: its name, the same in every language.
        stage: where in a call it belongs, one of `STAGES`.
        do: the thing, for one glance.
        how: one sentence or two about how.
        say: phrases that can be said aloud.
        avoid: phrases that make it worse.
        step: the one of `STEPS` that it carries, or "".
    """

    id: str
    stage: str
    do: str
    how: str
    say: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    step: str = ""


class Deck:
    """All cards of one language, and what stages and steps are called there."""

    def __init__(
        self,
        language: str,
        cards: Mapping[str, Card],
        stages: Mapping[str, str],
        steps: Mapping[str, str],
    ) -> None:
        """Take cards by their ids, in the order of their file."""
        self.language = language
        self._cards, self._stages, self._steps = dict(cards), dict(stages), dict(steps)

    @property
    def cards(self) -> tuple[Card, ...]:
        """All cards, in the order of their file."""
        return tuple(self._cards.values())

    def card(self, id_: str) -> Card:
        """Return a card.

        Raises:
            KeyError: if there is none of that name.
        """
        return self._cards[id_]

    def stage(self, stage: str) -> str:
        """Return what a stage is called."""
        return self._stages[stage]

    def step(self, step: str) -> str:
        """Return what a step of RESOLVED is called; "" of none."""
        return self._steps[step] if step else ""


def read_deck(language: str, sections: Mapping[str, Any]) -> tuple[Deck, list[str]]:
    """Return the cards of a file's sections, and what is wrong with them, a sentence each."""
    faults = [
        f"[{name}] is no section of such a file; there are [stages], [steps] and [[card]]."
        for name in sections
        if name not in ("stages", "steps", "card")
    ]
    stages, wrong = _names("stages", sections.get("stages"), STAGES)
    steps, bad = _names("steps", sections.get("steps"), STEPS)
    faults += wrong + bad
    raw = sections.get("card")
    if not isinstance(raw, list) or not raw:
        return Deck(language, {}, stages, steps), [*faults, "There is no [[card]]; write some."]
    cards: dict[str, Card] = {}
    for place, values in enumerate(raw, 1):
        id_ = values.get("id") if isinstance(values, dict) else None
        if not isinstance(id_, str):
            id_ = ""
        named = f"card {id_!r}" if id_ else f"card number {place}"
        found = list(_faults(values)) if isinstance(values, dict) else ["write it as [[card]]"]
        if id_ in cards:
            found.append("there are two of this name; rename one")
        faults += [f"{named}: {fault}." for fault in found]
        if not found:
            cards[values["id"]] = msgspec.convert(values, Card)
    return Deck(language, cards, stages, steps), faults


def _names(section: str, raw: object, keys: tuple[str, ...]) -> tuple[dict[str, str], list[str]]:
    """Return what stages or steps are called, and what is wrong with that."""
    if not isinstance(raw, dict):
        return {}, [f"[{section}] is missing; it says what each of {', '.join(keys)} is called."]
    faults = [f"[{section}] has no name for {key!r}; add one." for key in keys if key not in raw]
    for key, value in raw.items():
        if key not in keys:
            faults.append(f"[{section}] knows no {key!r}; there are {', '.join(keys)}.")
        elif fault := _text_fault(value, _LONGEST["id"]):
            faults.append(f"[{section}] {key} {fault}.")
    return raw, faults


def _faults(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with one card."""
    for key in values:
        if key not in Card.__struct_fields__:
            yield f"{key!r} is no key of a card; there are {', '.join(Card.__struct_fields__)}"
    for key, longest in _LONGEST.items():
        if key not in values:
            yield f"{key!r} is missing; add it"
        elif fault := _text_fault(values[key], longest):
            yield f"{key!r} {fault}"
    id_ = values.get("id")
    if isinstance(id_, str) and (not _ID.fullmatch(id_) or id_ in STAGES):
        yield "'id' must be small letters, digits and hyphens, and not the name of a stage"
    if values.get("stage") not in STAGES:
        yield f"'stage' must be one of {', '.join(STAGES)}"
    if values.get("step", "") not in ("", *STEPS):
        yield f"'step' must be one of {', '.join(STEPS)}, or left out"
    for key in ("say", "avoid"):
        yield from _phrase_faults(key, values.get(key, []))


def _phrase_faults(key: str, phrases: object) -> Iterator[str]:
    if not isinstance(phrases, list) or len(phrases) > _MOST_PHRASES:
        yield f"{key!r} must be a list of {_MOST_PHRASES} phrases at most"
        return
    for phrase in phrases:
        if fault := _text_fault(phrase, _LONGEST_PHRASE):
            yield f"{key!r} has a phrase that {fault}"


def _text_fault(value: object, longest: int) -> str:
    """Return what is wrong with a text; "" if nothing is."""
    if not isinstance(value, str):
        return "must be a text, in quotes"
    if not value.strip():
        return "must not be empty"
    if "\n" in value or "\r" in value:
        return "must stand on one line"
    if len(value) > longest:
        return f"must have {longest} characters at most; it has {len(value)}"
    return ""
