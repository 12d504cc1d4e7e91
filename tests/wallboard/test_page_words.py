"""The words of the board's page: all in each language, and none that the page does not know."""

import re
import tomllib
from importlib.resources import files

import pytest

PAGE = files("hackles.wallboard") / "page"
LANGUAGES = ("en", "pl", "es")
SOURCES = [
    file.read_text(encoding="utf-8")
    for file in PAGE.iterdir()
    if file.name.endswith((".js", ".html"))
]
KEY = re.compile(r"""["'`]([a-z_]+\.[a-z_]+)["'`]""")
FILLED = re.compile(r"\{(\w+)\}")
ALIKE = {
    "{count} s",
    "{count} min",
    "{state}: {call}",
    "{what}: {call}",
    "Webhooks",
    "Enter",
    "↑ ↓",
}


def said(language: str) -> dict[str, str]:
    parts = tomllib.loads((PAGE / "words" / f"{language}.toml").read_text(encoding="utf-8"))
    return {f"{part}.{name}": text for part, words in parts.items() for name, text in words.items()}


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_word_is_there_in_every_language_and_none_is_left_english(language):
    english, other = said("en"), said(language)
    assert list(other) == list(english)
    assert {text for key, text in other.items() if text == english[key]} <= ALIKE
    for key, text in english.items():
        assert set(FILLED.findall(other[key])) == set(FILLED.findall(text)), key


def test_every_word_that_the_page_asks_for_is_there():
    known = said("en")
    parts = {key.partition(".")[0] for key in known}
    asked = {key for source in SOURCES for key in KEY.findall(source)}
    assert {key for key in asked if key.partition(".")[0] in parts} <= set(known)


def test_every_word_is_used():
    told = set(re.findall(r"\w+", "\n".join(SOURCES)))
    names = {key: key.partition(".")[2].removesuffix("_hint") for key in said("en")}
    assert {key for key, name in names.items() if name not in told} == set()


def test_nothing_is_said_of_how_an_agent_feels_or_does():
    for language in LANGUAGES:
        text = " ".join(said(language).values()).lower()
        for word in ("angry", "wściekł", "enfadad", "ranking", "leaderboard", "best agent"):
            assert word not in text
