"""The agent's page in Chromium, beside a real daemon: what is seen of a call, and every key."""

import fcntl
import os
import signal
import sys
import termios
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from hackles.records import Cause, Result, View
from hackles.types import Alert
from hackles.wording import words as wording
from tests.browser import NARROW, barriers, browser, watched
from tests.events import BRISK_TOML, brisk, run
from tests.program import wait_until
from tests.test_daemon import Daemon, daemon, speech

LANGUAGES = ("en", "pl", "es")
TYPED = "snow? fan maw 1"
STATES = ("calm", "rising", "irritated", "eased")
WORDS = files("hackles.live") / "page" / "words"
BLOCKS = (
    "#clock",
    ".glyph",
    "#state",
    "#because",
    "#line",
    "#seen",
    "#false_alarm",
    "#stage",
    "#do",
)
BLOCKS += ("#next", "#note", "#abuse", "#withdrawn")

PIPES = """
[[pipe]]
path = "{folder}/one"
call = "1718-22"
role = "customer"
[[pipe]]
path = "{folder}/two"
call = "1718-23"
role = "customer"
"""


class Line:
    """A pipe into the daemon: no clock holds its audio up."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY)

    def say(self, samples: np.ndarray) -> None:
        """Say something; after a pause the daemon must see that nothing has waited meanwhile."""
        self._write(samples[:800])
        wait_until(lambda: self._waiting() == 0)
        time.sleep(0.1)
        self._write(samples[800:])

    def _write(self, samples: np.ndarray) -> None:
        left = (samples * 32767).astype("<i2").tobytes()
        while left:
            left = left[os.write(self._file, left) :]

    def _waiting(self) -> int:
        """Return how many bytes nobody has read yet."""
        return int.from_bytes(fcntl.ioctl(self._file, termios.FIONREAD, bytes(4)), sys.byteorder)

    def hang_up(self) -> None:
        os.close(self._file)


@dataclass
class Seen:
    """What was seen in one language.

    Attributes:
        page: where.
        complaints: of its console.
        said: all that stood as the state, one after the other.
        places: where the blocks stood, by state.
        barriers: what axe-core found, by face and colour scheme.
    """

    page: object
    complaints: list[str]
    said: list[str] = field(default_factory=list)
    places: dict[str, dict] = field(default_factory=dict)
    barriers: dict[str, list[str]] = field(default_factory=dict)

    def look(self, face: str) -> None:
        self.barriers[f"{face}, light"] = barriers(self.page)
        self.page.emulate_media(color_scheme="dark")
        self.barriers[f"{face}, dark"] = barriers(self.page, "color-contrast")
        self.page.emulate_media(color_scheme="light")
        self.measure(face)

    def measure(self, face: str) -> None:
        self.places[face] = self.page.evaluate(
            """blocks => Object.fromEntries(blocks.map(block => {
                const { x, y } = document.querySelector(block).getBoundingClientRect();
                return [block, [Math.round(x), Math.round(y)]];
            }))""",
            list(BLOCKS),
        )


@contextmanager
def looking(chromium, running: Daemon, query: str = "") -> Iterator[Seen]:
    """Open the page, and write down every state that it says."""
    context = chromium.new_context(viewport=NARROW, reduced_motion="reduce")
    page = context.new_page()
    seen = Seen(page, watched(page))
    page.expose_function("told", lambda text: seen.said.append(text))
    page.goto(f"http://127.0.0.1:{running.control}/agent{query}", wait_until="domcontentloaded")
    page.evaluate(
        """() => {
            const state = document.getElementById("state");
            const tell = () => told(state.textContent);
            new MutationObserver(tell).observe(state, { childList: true });
            tell();
        }"""
    )
    try:
        yield seen
    finally:
        context.close()


def call() -> list[np.ndarray]:
    """Return a call that rises and eases, in a piece for each state."""
    turns = [turn for turn, _, _ in speech("en_rising_1")]
    calm, angry = turns[:5], turns[5:]
    high = alerts([calm[0], *angry])[1].time
    peak = round(8000 * (high + 0.2))
    samples = np.concatenate([np.concatenate([calm[0], *angry])[:peak], *calm[1:]])
    told = alerts([samples])
    assert [alert.state for alert in told] == list(STATES[1:])
    cuts = [0, 5 * 8000, *(round(8000 * (alert.time + 0.1)) for alert in told)]
    return [samples[a:b] for a, b in pairwise(cuts)]


def alerts(turns: list[np.ndarray]) -> list[Alert]:
    return [
        event
        for event in run(np.concatenate(turns), classifier=brisk())
        if isinstance(event, Alert)
    ]


@dataclass
class Story:
    """A call, played once: what was seen of it, and what the daemon wrote down."""

    pages: dict[str, Seen]
    records: list[dict] = field(default_factory=list)
    missing: str = ""
    while_typing: list = field(default_factory=list)
    with_two: list = field(default_factory=list)
    keys_off: list = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    not_sent: str = ""
    in_shadow: list = field(default_factory=list)
    when_lost: list = field(default_factory=list)

    def of(self, call: str, kind: str) -> list[dict]:
        return [one for one in self.records if (one["call"], one["type"]) == (call, kind)]


@pytest.fixture(scope="module")
def story(tmp_path_factory) -> Story:
    """Play a call to an agent who uses the keyboard alone, with the page in three languages."""
    folder = tmp_path_factory.mktemp("page")
    for name in ("one", "two"):
        os.mkfifo(folder / name)
    with (
        browser() as chromium,
        daemon(folder, more=PIPES.format(folder=folder) + BRISK_TOML) as running,
        looking(chromium, running, "?lang=en") as en,
        looking(chromium, running, "?lang=pl") as pl,
        looking(chromium, running, "?lang=es") as es,
    ):
        told = Story({"en": en, "pl": pl, "es": es})
        _play(told, folder)
        _turn_keys_off(told)
        # The daemon's end is no fault of the page, but the console tells it as an error.
        for seen in told.pages.values():
            seen.complaints = list(seen.complaints)
        _leave(told, running)
        told.records = running.records()
    return told


def _play(told: Story, folder: Path) -> None:
    """Let the call rise and ease, and do something about it in each state."""
    page, pieces, line = told.pages["en"].page, call(), Line(folder / "one")
    deeds = {"rising": _in_rising, "irritated": lambda _: _press(page, "a")}
    for state, piece in zip(STATES, pieces, strict=True):
        line.say(piece)
        for language, seen in told.pages.items():
            text = wording(language).state(state)
            seen.page.wait_for_function(
                "t => document.getElementById('state').textContent === t", arg=text
            )
            seen.look(state)
        deeds.get(state, lambda _: None)(told)
    _press(page, "f")
    page.wait_for_selector("#false_alarm[aria-pressed=true]")
    _two_calls(told, Line(folder / "two"))
    line.hang_up()
    _after(told)


def _press(page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def _in_rising(told: Story) -> None:
    """Say that it was seen, ask for another card, write a note with every key's letter in it."""
    page = told.pages["en"].page
    _press(page, "s")
    page.wait_for_selector("#seen[aria-pressed=true]")
    card = page.inner_text("#do")
    _press(page, "n")
    page.wait_for_function("was => document.getElementById('do').textContent !== was", arg=card)
    card = page.inner_text("#do")
    _press(page, "m")
    page.keyboard.type(TYPED)
    told.while_typing += [page.input_value("#note"), page.inner_text("#do") == card]
    told.while_typing += [page.locator("dialog[open]").count()]
    _press(page, "Enter", "Escape")
    page.wait_for_selector("#notes li")
    told.while_typing += [page.input_value("#note"), page.inner_text("#notes")]
    _hang(told)


def _hang(told: Story) -> None:
    """Ask for a card, and get no answer, as in the seventh window of a browser."""
    page = told.pages["en"].page
    page.evaluate(
        """() => {
            real = AbortSignal.timeout;
            AbortSignal.timeout = () => real.call(AbortSignal, 50);
        }"""
    )
    page.route("**/card", lambda _: None)
    _press(page, "n")
    page.wait_for_selector("#said:not(:empty)")
    told.not_sent = page.inner_text("#said")
    page.unroute("**/card")
    page.evaluate("() => { AbortSignal.timeout = real; }")


def _two_calls(told: Story, second: Line) -> None:
    """Go to another call's tab, and let its caller withdraw consent, at the second attempt."""
    page = told.pages["en"].page
    second.say(speech("en_calm_1")[0][0])
    page.wait_for_selector("[role=tab] >> nth=1")
    selected = "[role=tab][aria-selected=true]"
    told.with_two.append(page.inner_text(selected))
    told.pages["en"].look("two calls")
    page.focus(selected)
    _press(page, "ArrowRight")
    told.with_two.append(page.inner_text(selected))
    _press(page, "w", "Escape")
    told.with_two.append(page.locator("[role=tab]").count())
    _press(page, "w")
    told.pages["en"].look("question")
    _press(page, "Enter")
    page.wait_for_selector("#tabs", state="hidden")
    told.with_two.append(page.inner_text("#call"))
    second.hang_up()


def _after(told: Story) -> None:
    """Fill in the form."""
    page = told.pages["en"].page
    for seen in told.pages.values():
        seen.page.wait_for_selector("#outcome")
        seen.look("form")
    _press(page, "Control+Enter")  # too early: it says what is missing
    told.missing = page.inner_text("#said")
    _press(page, "2", "Tab")
    page.keyboard.type("kettle, 4719 22")
    _press(page, "Enter", "Tab")
    page.keyboard.type("a new one")
    _press(page, "Tab")
    page.keyboard.type("Thursday")
    _press(page, "Tab", "d", "Tab", "h", "Control+Enter")
    for seen in told.pages.values():
        seen.page.wait_for_selector("body[data-face=listening]")
        seen.look("rest")
        fields = seen.page.eval_on_selector_all("input, select", "all => all.map(one => one.value)")
        told.left += [seen.page.content(), *fields]


def _turn_keys_off(told: Story) -> None:
    """Turn single keys off, and come back another time."""
    page = told.pages["en"].page
    _press(page, "?")
    page.wait_for_selector("#help[open]")
    told.pages["en"].look("help")
    _press(page, "Shift+Tab", "Space", "Escape", "?")
    told.keys_off.append(page.locator("dialog[open]").count())
    page.reload(wait_until="domcontentloaded")
    page.wait_for_selector("body[data-face=listening]")
    _press(page, "?")
    told.keys_off.append(page.locator("dialog[open]").count())


def _leave(told: Story, running: Daemon) -> None:
    """Let the daemon show nothing, as in a trial run, and then let it go."""
    page, settings = told.pages["pl"].page, running.folder / "hackles.toml"
    settings.write_text(settings.read_text() + "[alerts]\nshadow = true\n")
    running.process.send_signal(signal.SIGHUP)
    running.phone(0).say(speech("en_calm_1")[0][0])
    page.wait_for_selector("body[data-face=shadow]")
    told.in_shadow += [page.inner_text("#state"), page.locator("#line .level, #do:visible").count()]
    running.stop()
    page.wait_for_selector("body[data-face=lost]")
    told.when_lost += [page.inner_text("#state"), page.locator("#line .level, #do:visible").count()]


def said(language: str) -> dict[str, dict[str, str]]:
    return tomllib.loads((WORDS / f"{language}.toml").read_text(encoding="utf-8"))


def test_the_page_says_at_rest_rising_irritated_eased_in_this_order_in_every_language(story):
    for language, seen in story.pages.items():
        states = [wording(language).state(state) for state in STATES]
        page = said(language)["page"]
        # A false alarm, at the end, is calm again.
        expected = [page["listening"], *states, states[0]]
        assert [one for one in seen.said if one != page["connecting"]][:6] == expected


def test_what_the_keys_say_is_recorded(story):
    answers = story.of("1718-22", "acknowledgement")
    assert [one["verdict"] for one in answers] == ["seen", "false_alarm"]
    assert {one["alert"] for one in answers} <= {one["id"] for one in story.of("1718-22", "alert")}
    assert [one["text"] for one in story.of("1718-22", "note")] == [TYPED]
    stages = [one["stage"] for one in story.of("1718-22", "card")]
    assert stages[0] == "opening"
    assert "abusive" in stages


def test_keys_do_not_act_while_somebody_is_typing(story):
    assert story.while_typing == [TYPED, True, 0, "", TYPED]


def test_single_keys_can_be_turned_off_and_stay_off(story):
    assert story.keys_off == [0, 0]


def test_the_form_is_filled_in_by_keyboard_alone_and_arrives(story):
    assert "(1–5)" in story.missing
    (outcome,) = story.of("1718-22", "outcome")
    form = ("result", "what", "promised", "by_when", "cause", "view")
    assert [outcome[name] for name in form] == [
        "promised",
        "kettle, 4719 22",
        "a new one",
        "Thursday",
        "delivery",
        "helped",
    ]


def test_of_a_call_that_is_gone_nothing_is_left_on_the_page_not_even_hidden(story):
    found = "\n".join(story.left)
    for word in ("1718", TYPED, "kettle", "a new one", "Thursday"):
        assert word not in found


def test_what_is_not_answered_is_said(story):
    assert story.not_sent == said("en")["said"]["not_sent"]


def test_with_two_calls_a_tab_each_and_the_one_whose_caller_withdraws_goes(story):
    assert story.with_two == ["1718-22", "1718-23", 2, "1718-22"]
    left = [one for one in story.records if one["call"] == "1718-23"]
    assert [(one["type"], one["state"]) for one in left] == [("call", "withdrawn")]


def test_nothing_moves_from_state_to_state(story):
    for seen in story.pages.values():
        assert all(seen.places[state] == seen.places["calm"] for state in STATES)


def test_axe_finds_nothing_serious_in_any_state_language_or_colour_scheme(story):
    found = {
        (language, face): bad
        for language, seen in story.pages.items()
        for face, bad in seen.barriers.items()
    }
    assert {face for _, face in found} >= {f"{state}, dark" for state in (*STATES, "form", "rest")}
    assert {key: bad for key, bad in found.items() if bad} == {}


def test_the_console_is_silent_and_the_policy_is_kept(story):
    assert [seen.complaints for seen in story.pages.values()] == [[], [], []]


def test_a_trial_run_shows_nothing_and_a_lost_connection_nothing_that_is_stale(story):
    page = said("pl")["page"]
    assert story.in_shadow == [page["shadow"], 0]
    assert story.when_lost == [page["lost"], 0]


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_word_is_there_in_every_language_and_none_is_left_english(language):
    english, other = said("en"), said(language)
    assert {part: list(words) for part, words in other.items()} == {
        part: list(words) for part, words in english.items()
    }
    same = {
        text
        for part, words in other.items()
        for name, text in words.items()
        if text == english[part][name]
    }
    assert same <= {"−3 min", "Enter", "Ctrl Enter"}


def test_the_form_offers_what_can_be_recorded():
    english = said("en")
    for part, kind in (("result", Result), ("cause", Cause), ("view", View)):
        offered = [name if name != "none" else "" for name in english[part]]
        assert offered == list(kind.__args__)
