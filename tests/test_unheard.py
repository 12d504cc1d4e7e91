"""A headset that is gone, as its agent sees it: a real sound server, daemon and page."""

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from tests.browser import browser
from tests.sound import CUSTOMER, sound_server
from tests.test_agent_page import LANGUAGES, Seen, looking, said
from tests.test_device_calls import listening, spoken

SECTION = f'output = "{CUSTOMER}"\ncalls = "told"\nwait_for_consent = true'
TICK_S = 1.1
"""The page draws a call anew in so long, whether or not anything is heard of it."""

_DRAWN = "document.querySelector('#line .level').getAttribute('d')"


@dataclass
class Story:
    """What was seen while the headset was not there: before a call, and within one."""

    pages: dict[str, Seen]
    health: dict[str, str] = field(default_factory=dict)
    gauge: dict[str, float] = field(default_factory=dict)
    told: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def look(self, running, when, state, face):
        """Wait until every page shows a state, and write down what is seen and said of it."""
        for language, seen in self.pages.items():
            seen.page.wait_for_selector(f"body[data-state={state}][data-face={face}]")
            texts = [seen.page.inner_text(place) for place in ("#state", "#unheard", "#hint")]
            self.told[when, language] = [text.replace("\xa0", " ") for text in texts]
            seen.measure(when)
            shape = seen.page.locator(".hero .glyph .shape:visible").get_attribute("class")
            self.titles[when] = f"{shape} {seen.page.title()[0]}"
        self.health[when] = json.loads(running.get("/health"))["unheard"]
        self.gauge[when] = running.metric("hackles_device_heard")


@contextmanager
def pulled_out(server):
    """Take the headset away."""
    server.unload(CUSTOMER)
    yield


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    folder = tmp_path_factory.mktemp("s")
    caller = spoken(folder / "caller.wav", "en_rising_1")
    with (
        browser() as chromium,
        sound_server(folder) as server,
        pulled_out(server),
        listening(folder, server, SECTION) as running,
        looking(chromium, running, "?lang=en") as en,
        looking(chromium, running, "?lang=pl") as pl,
        looking(chromium, running, "?lang=es") as es,
    ):
        told = Story({"en": en, "pl": pl, "es": es})
        told.look(running, "before", "unheard", "unheard")
        server.load(CUSTOMER)
        told.look(running, "back", "none", "listening")
        assert running.post("/device/start", {"call": "one"})[0] == 201
        told.look(running, "held", "none", "held")
        assert running.post("/device/consent", {"consent": True})[0] == 200
        server.play(CUSTOMER, caller)
        for seen in told.pages.values():
            seen.page.wait_for_selector("#line .level", state="attached")
            seen.measure("heard")
        server.unload(CUSTOMER)
        told.look(running, "within", "unheard", "call")
        told.lines.append(en.page.evaluate(_DRAWN))
        until = time.monotonic() + TICK_S
        en.look("within")
        time.sleep(max(until - time.monotonic(), 0.0))
        told.lines.append(en.page.evaluate(_DRAWN))
    return told


@pytest.mark.parametrize("language", LANGUAGES)
def test_before_a_call_and_within_one_the_page_says_that_nobody_is_heard_until_somebody_is(
    story, language
):
    page = said(language)["page"]
    unheard = [page["unheard"], page["unheard_hint"], ""]
    assert story.told["before", language] == unheard
    assert story.told["within", language][:2] == unheard[:2]
    assert story.told["back", language] == [page["listening"], "", page["listening_hint"]]


def test_that_has_a_shape_of_its_own_also_in_the_window_s_title(story):
    assert story.titles["within"] == story.titles["before"] == "shape unheard ⊖"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_call_that_waits_for_consent_is_told(story, language):
    page = said(language)["page"]
    assert story.told["held", language] == [page["held"], "", page["held_hint"]]


def test_the_line_stands_still_and_nothing_moves(story):
    first, second = story.lines
    assert first == second
    for seen in story.pages.values():
        assert seen.places["within"] == seen.places["heard"]


def test_health_says_why_and_a_gauge_that_it_is_so(story):
    assert story.health["before"].startswith(f"{CUSTOMER} is not heard. ")
    assert story.health["within"].startswith(f"{CUSTOMER} is not heard. ")
    assert story.health["back"] == story.health["held"] == ""
    assert list(story.gauge.values()) == [0.0, 1.0, 1.0, 0.0]


def test_everybody_can_read_it_and_the_console_is_silent(story):
    found = story.pages["en"].barriers
    assert len(found) == 2  # light and dark
    assert {face: bad for face, bad in found.items() if bad} == {}
    assert [seen.complaints for seen in story.pages.values()] == [[], [], []]
