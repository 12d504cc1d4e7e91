"""What people read of a happening, in their language, before it is a message of any service.

The telephone system's name of a call is not said, for it may be a number; nor the agent's. The
session is, so that people can delete what they were told of a call that is withdrawn.
"""

import tomllib
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any, Final

from hackles.types import State
from hackles.wallboard.happenings import Happening
from hackles.wallboard.webhooks.payload import call_url
from hackles.wording import words as wording

_LONGEST: Final = 300
_ENDS: Final = ("alert.resolved", "alert.false_alarm", "alert.ended")
_KEYS: Final = {"engine.lost": "lost", "engine.back": "back", "call.withdrawn": "withdrawn"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is said.

    Attributes:
        title: in one line.
        facts: names and values, each a short text of anybody's.
        since_at: since when it is so, and how that is called; None where it does not matter.
        since: how that is called.
        link: where the board shows it, or "" ...
        link_text: ... and what stands there.
    """

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    since_at: float | None = None
    since: str = ""
    link: str = ""
    link_text: str = ""

    @property
    def summary(self) -> str:
        """All of it in one line, for a notification."""
        return " · ".join([self.title, *[value for _, value in self.facts[:1]]])


def message(happening: Happening, language: str, public_url: str) -> Message:
    """Return what is said of a happening."""
    said = words(language)
    title = plain(_title(happening, language, said))
    if happening.kind == "call.withdrawn":
        text = said["texts"]["delete"].format(session=happening.session)
        return Message(title=title, facts=((said["facts"]["session"], plain(text)),))
    if not happening.session:
        return _with_link(Message(title=title), public_url, said["texts"]["open_board"])
    told = Message(
        title=title,
        facts=tuple(_facts(happening, language, said)),
        since_at=happening.raised_at,
        since=said["facts"]["since"],
    )
    return _with_link(told, call_url(happening.session, public_url), said["texts"]["open"])


def test_message(language: str, public_url: str) -> Message:
    """Return a message that says nothing but that it got through."""
    said = words(language)
    message = Message(title=said["titles"]["test"])
    return _with_link(message, public_url, said["texts"]["open_board"])


def plain(text: str) -> str:
    """Return a text of anybody's in one line, without signs that nobody sees, and not long."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


@cache
def words(language: str) -> dict[str, dict[str, str]]:
    """Return the words of a language, by section."""
    file = resources.files("hackles.wallboard.webhooks") / "words" / f"{language}.toml"
    read: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    return read


def _title(happening: Happening, language: str, said: dict[str, dict[str, str]]) -> str:
    state = _state(happening, language)
    if happening.kind == "alert.raised":
        return state[:1].upper() + state[1:]
    if happening.escalated is not None:
        return said["escalated"][happening.escalated]
    key = _KEYS.get(happening.kind, happening.kind.partition(".")[2])
    return said["titles"][key].format(engine=happening.host, state=state)


def _facts(
    happening: Happening, language: str, said: dict[str, dict[str, str]]
) -> list[tuple[str, str]]:
    by = said["texts"]["agent"] if happening.by == "agent" else happening.by
    state = "" if happening.kind == "alert.raised" else _state(happening, language)
    values = {
        "queue": plain(happening.queue),
        "state": plain(state),
        "because": plain(", ".join((happening.because or {}).get(language, ()))),
        "ended_by" if happening.kind in _ENDS else "by": plain(by),
        "session": plain(happening.session),
    }
    return [(said["facts"][key], value) for key, value in values.items() if value]


def _state(happening: Happening, language: str) -> str:
    """Return the state in words; where none were given, as hackles says them."""
    given = (happening.state_text or {}).get(language, "")
    if given or happening.state not in [*State]:
        return given or happening.state
    return wording(language).state(State(happening.state))


def _with_link(message: Message, link: str, text: str) -> Message:
    return replace(message, link=link, link_text=text) if link else message
