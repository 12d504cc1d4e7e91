"""Cards and rules as they lie on disk: ours, or a team's own in their place."""

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final

from hackles.errors import UsageError
from hackles.guidance.cards import Deck, read_deck
from hackles.guidance.rules import Rules, read_rules
from hackles.types import State
from hackles.wording import LANGUAGES

_RULES: Final = "rules.toml"
_FILES: Final = (*(f"{language}.toml" for language in LANGUAGES), _RULES)


class Guidance:
    """The cards of all languages, and the rules for them."""

    def __init__(self, decks: Mapping[str, Deck], rules: Rules) -> None:
        """Take decks with the same cards; the first also stands in for languages without one."""
        self._decks, self.rules = dict(decks), rules

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages in which there are cards."""
        return tuple(self._decks)

    def deck(self, language: str) -> Deck:
        """Return the cards in a language, or if a team has none there, in its own first one."""
        return self._decks.get(language) or next(iter(self._decks.values()))

    def tip(self, state: State, language: str, card: str = "") -> str:
        """Return what a card says to do; where that is none of ours, a state's first card."""
        deck = self.deck(language)
        try:
            return deck.card(card).do
        except KeyError:
            return deck.card(self.rules.first(state)).do


def load(folder: str = "") -> Guidance:
    """Return the cards and rules that travel with hackles, with a team's own in their place.

    Args:
        folder: holds any of `en.toml`, `pl.toml`, `es.toml` and `rules.toml`; "" for none.

    Raises:
        UsageError: which names every fault, its file and its card.
    """
    return _read(Path(folder)) if folder else _ours()


@cache
def _ours() -> Guidance:
    return _read(None)


def _read(folder: Path | None) -> Guidance:
    own = _own(folder) if folder else {}
    decks = _alike(_decks(own), own)
    first = next(iter(decks.values()))
    file = own.get(_RULES) or _package() / _RULES
    rules, faults = read_rules(_sections(file), {card.id: card.stage for card in first.cards})
    if rules is None:
        raise UsageError(_told(file, faults))
    if f"{first.language}.toml" in own:
        _check_reached(own[f"{first.language}.toml"], first, rules)
    return Guidance(decks, rules)


def _package() -> Traversable:
    return resources.files("hackles.guidance")


def _own(folder: Path) -> dict[str, Traversable]:
    """Return the files of a team's folder.

    Raises:
        UsageError: if it is none, or has none of ours, or others that nobody would read.
    """
    try:
        names = sorted(path.name for path in folder.iterdir() if path.suffix == ".toml")
    except OSError as error:
        raise UsageError(
            f"The folder of the guidance, {folder}, cannot be read ({error.strerror}); name "
            'another, or "" for none.'
        ) from error
    strange = [name for name in names if name not in _FILES]
    if strange or not names:
        has = f"has {', '.join(strange)}, which nobody reads" if strange else "has no such file"
        raise UsageError(f"{folder} {has}; put there any of {', '.join(_FILES)}.")
    return {name: folder / name for name in names}


def _decks(own: Mapping[str, Traversable]) -> dict[str, Deck]:
    """Return the cards of all languages, a team's own where there are some.

    Raises:
        UsageError: which names everything that is wrong with them.
    """
    decks: dict[str, Deck] = {}
    faults: list[str] = []
    for language in LANGUAGES:
        file = own.get(f"{language}.toml") or _package() / "cards" / f"{language}.toml"
        try:
            decks[language], wrong = read_deck(language, _sections(file))
        except UsageError as error:
            faults.append(str(error))
        else:
            faults += [_told(file, wrong)] if wrong else []
    if faults:
        raise UsageError("\n".join(faults))
    return decks


def _alike(decks: Mapping[str, Deck], own: Mapping[str, Traversable]) -> dict[str, Deck]:
    """Return the decks that have the same cards as a team's own; its own come first.

    Raises:
        UsageError: if two of its own differ.
    """
    first = [language for language in LANGUAGES if f"{language}.toml" in own]
    ordered = {language: decks[language] for language in (*first, *LANGUAGES)}
    wanted = {card.id: card.stage for card in next(iter(ordered.values())).cards}
    faults: list[str] = []
    for language, deck in list(ordered.items()):
        stages = {card.id: card.stage for card in deck.cards}
        differ = sorted(id_ for id_, _ in stages.items() ^ wanted.items())
        if differ and language in first:
            named = " and ".join(f"{own[f'{other}.toml']}" for other in (first[0], language))
            faults += [
                f"{named}: card {id_!r} must stand in both, in the same stage."
                for id_ in dict.fromkeys(differ)
            ]
        elif differ:
            del ordered[language]
    if faults:
        raise UsageError("\n".join(faults))
    return ordered


def _check_reached(file: Traversable, deck: Deck, rules: Rules) -> None:
    """Check that rules show every card of a team's own.

    Raises:
        UsageError: which names those that nobody would see.
    """
    reached = set(rules.cards())
    unseen = [card.id for card in deck.cards if card.id not in reached]
    if unseen:
        faults = [f"card {id_!r}: no rule shows it; name it in {_RULES}." for id_ in unseen]
        raise UsageError(_told(file, faults))


def _sections(file: Traversable) -> dict[str, Any]:
    """Return what a file holds.

    Raises:
        UsageError: if it cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{file}: It cannot be read ({error.strerror}).") from error
    except RecursionError as error:
        raise UsageError(f"{file}: It has brackets too deep within brackets.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file}: It is not UTF-8; save it as UTF-8.") from error
    except ValueError as error:  # TOMLDecodeError is one
        raise UsageError(f"{file}: This is not TOML: {error}.") from error


def _told(file: Traversable, faults: Iterable[str]) -> str:
    return "\n".join(f"{file}: {fault}" for fault in faults)
