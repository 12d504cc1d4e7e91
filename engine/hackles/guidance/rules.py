"""The rules: which cards may be shown when."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from hackles.guidance.cards import STAGES
from hackles.types import State

VOICES: Final = {
    State.CALM: "rest",
    State.RISING: "rising",
    State.IRRITATED: "irritated",
    State.EASED: "eased",
}
"""What the voice shows, by the states of the tracker."""

_AFTERWARDS: Final = ("after_warned", "after_calm")
_SECTIONS: Final = (*VOICES.values(), "abuse", *_AFTERWARDS)
_HOLD: Final = "abuse_hold_s"


class Situation(msgspec.Struct, frozen=True):
    """Where a call stands, for the guide.

    Attributes:
        after_s: since the voice has been so for this many seconds.
        cards: the ids of those that may be shown.
    """

    after_s: float
    cards: tuple[str, ...]


class Rules(msgspec.Struct, frozen=True):
    """All of the rules.

    Attributes:
        voices: by what the voice shows, by time.
        ladder: step by step, when the caller is abusive.
        abuse_hold_s: for so long after a step the voice changes nothing, unless it eases.
        after_warned: after a call with a warning; no cards for nothing.
        after_calm: after one without.
    """

    voices: dict[str, tuple[Situation, ...]]
    ladder: tuple[Situation, ...]
    abuse_hold_s: float
    after_warned: Situation
    after_calm: Situation

    def cards(self) -> Iterator[str]:
        """Yield every card that may be shown at some time."""
        timed = (situation for situations in self.voices.values() for situation in situations)
        for situation in (*timed, *self.ladder, self.after_warned, self.after_calm):
            yield from situation.cards

    def first(self, state: State) -> str:
        """Return the card that comes first in a state."""
        return self.voices[VOICES[state]][0].cards[0]


def read_rules(
    sections: Mapping[str, Any], stage_of: Mapping[str, str]
) -> tuple[Rules | None, list[str]]:
    """Return the rules of a file's sections, or None and what is wrong, a sentence each.

    Args:
        sections: of the file.
        stage_of: the stage of every card, in the order of the cards' file.
    """
    faults = [
        f"{name!r} is not known here; there are {_HOLD}, {', '.join(_SECTIONS)}."
        for name in sections
        if name not in (*_SECTIONS, _HOLD)
    ]
    hold_s = sections.get(_HOLD, 0)
    if not _is_time(hold_s):
        faults.append(f"{_HOLD} must be a number of seconds, 0 or more.")
    reader = _Reader(stage_of, faults)
    voices = {name: reader.timed(name, sections.get(name)) for name in VOICES.values()}
    ladder = reader.listed("abuse", sections.get("abuse"), ("show",))
    after = [reader.single(name, sections.get(name)) for name in _AFTERWARDS]
    if faults:
        return None, faults
    return Rules(voices, ladder, float(hold_s), *after), []


class _Reader:
    """Reads situations, and notes what is wrong with them."""

    def __init__(self, stage_of: Mapping[str, str], faults: list[str]) -> None:
        self._stage_of, self._faults = stage_of, faults

    def timed(self, name: str, raw: object) -> tuple[Situation, ...]:
        """Return the situations of what a voice shows: the first from the start, then later."""
        found = self.listed(name, raw, ("after_s", "show"))
        times = [situation.after_s for situation in found]
        if times and (times[0] != 0 or sorted(set(times)) != times):
            self._faults.append(
                f"[[{name}]]: the first must have after_s = 0, and each next one a later time."
            )
        return found

    def listed(self, name: str, raw: object, keys: tuple[str, ...]) -> tuple[Situation, ...]:
        """Return the situations of [[name]]."""
        if not isinstance(raw, list) or not raw or not all(isinstance(one, dict) for one in raw):
            self._faults.append(f"[[{name}]] is missing; write at least one, with its cards.")
            return ()
        return tuple(self._situation(f"[[{name}]]", one, keys, is_needed=True) for one in raw)

    def single(self, name: str, raw: object) -> Situation:
        """Return the situation of [name], which may have no cards."""
        if not isinstance(raw, dict):
            self._faults.append(f"[{name}] is missing; write show = [] for no card.")
            return Situation(0.0, ())
        return self._situation(f"[{name}]", raw, ("show",), is_needed=False)

    def _situation(
        self, title: str, raw: Mapping[str, Any], keys: tuple[str, ...], is_needed: bool
    ) -> Situation:
        for key in raw:
            if key not in keys:
                self._faults.append(f"{title} has no key {key!r}; there is {' and '.join(keys)}.")
        after_s = raw.get("after_s", 0)
        if not _is_time(after_s):
            self._faults.append(f"{title}: after_s must be a number of seconds, 0 or more.")
            after_s = 0
        show = raw.get("show")
        if not isinstance(show, list) or not all(isinstance(name, str) for name in show):
            self._faults.append(f"{title}: show must be a list of names of cards or stages.")
            return Situation(float(after_s), ())
        cards = tuple(dict.fromkeys(self._cards(title, show)))
        if len(cards) == 1 or (not cards and (is_needed or show)):
            self._faults.append(
                f"{title}: show = {show} is fewer than two cards; name two or more, so that none "
                "comes twice in a row."
            )
        return Situation(float(after_s), cards)

    def _cards(self, title: str, show: list[str]) -> Iterator[str]:
        """Yield the cards that names stand for."""
        for name in show:
            if name in STAGES:
                yield from (id_ for id_, stage in self._stage_of.items() if stage == name)
            elif name in self._stage_of:
                yield name
            else:
                self._faults.append(f"{title}: there is no card or stage {name!r}; correct it.")


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e6
