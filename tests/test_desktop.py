"""Warnings on a real desktop: a session bus, dunst, and a screen that nobody sees."""

import asyncio
import logging
import sys
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hackles import guidance
from hackles.doctor.desktop import notifications
from hackles.errors import UsageError
from hackles.records import Acknowledgement, LiveRecord, record_id
from hackles.settings import Compliance, Settings
from hackles.settings import Desktop as Section
from hackles.sinks.desktop import DesktopSink
from hackles.sinks.notices import Notices
from hackles.sinks.screen import Screen
from hackles.sinks.sink import Feed
from hackles.types import Alert, Evidence, Gap, Reason, State, Summary
from hackles.wording import LANGUAGES, words
from tests.desktop_session import Desktop, screen
from tests.program import wait_until

EVIDENCE = (
    Evidence("pitch", "semitones", 20.0, 23.2),
    Evidence("tempo", "syllables/s", 4.0, 4.7),
    Evidence("loudness", "dB", -30.0, -24.0),
)
END = Summary(80.0, 30.0, 0.9, 0.5, 1, None)
TOO_LATE = "hackles.sinks.screen._TOO_LATE_S"
PATIENCE = "hackles.sinks.desktop._PATIENCE_S"
RETRY = "hackles.sinks.desktop._RETRY_S"


def alert(state=State.RISING, time=63.0):
    return Alert(time, time - 3.0, state, 0.6, 0.2, 0.8, EVIDENCE)


def record(event, call="call 1", session="s1", agent="a7", card="") -> LiveRecord:
    return LiveRecord(call, session, "sales", agent, 1_800_000_000.25, event, card=card)


@pytest.fixture(scope="module")
def display():
    with screen() as name:
        yield name


@pytest.fixture
def bare(tmp_path, display, monkeypatch):
    """A desktop session in which nothing runs yet."""
    desktop = Desktop(tmp_path, display)
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", desktop.address)
    monkeypatch.setattr(RETRY, 0.05)
    yield desktop
    desktop.close()


@pytest.fixture
def desktop(bare):
    """A desktop session."""
    bare.start_bus()
    bare.start_server()
    return bare


class Agent:
    """The sink as the daemon has it, and what a person answered."""

    def __init__(self, agent="a7", language="en", cards=None):
        self.answers = []
        self.sink = DesktopSink(agent, language, cards, lambda *said: self.answers.append(said))
        self.feed = Feed(self.sink)

    def tell(self, *records):
        for one in records:
            self.feed.put(one)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.feed.close(5)
        assert self.feed.dropped == 0
        assert not self.sink._thread.is_alive()


def titles(*states):
    shapes = {State.RISING: "▲", State.IRRITATED: "■"}
    return [f"{shapes[s]} {words('en').state(s).capitalize()}" for s in states]


@pytest.mark.parametrize("language", ["en", "pl", "es"])
def test_a_warning_is_one_sentence_a_tip_and_two_buttons_in_the_agents_language(desktop, language):
    with Agent(language=language, cards=guidance.load()) as agent:
        agent.tell(record(alert(), card="let-finish"), record(Gap(9.0, 8.0, Reason.MUSIC)))
        wait_until(desktop.shown)
        ((application, _, icon, title, text, actions, hints, timeout),) = desktop.told()
    said = words(language)
    assert (application, icon, timeout) == ("hackles", "", -1)
    assert title.casefold() == f"▲ {said.state(State.RISING)}".casefold()
    tip, sentence = text.split("\n")
    assert tip == guidance.load().deck(language).card("let-finish").do
    first, second, third = (said.phrase(one) for one in EVIDENCE)
    assert sentence.casefold() == f"{first}, {second}.".casefold()
    assert third not in text
    assert actions[1::2] == ["", said.text("seen"), said.text("false_alarm")]
    assert hints["urgency"].value == 1
    for secret in ("call 1", "s1", "a7", "sales"):
        assert secret not in title + text


def test_what_a_person_answers_comes_back_with_the_alert_and_clears_it(desktop):
    with Agent() as agent:
        for verdict in ("false_alarm", "seen"):
            told = record(alert(time=60.0 + len(agent.answers)))
            agent.tell(told)
            wait_until(desktop.shown)
            desktop.press(words("en").text(verdict))
            wait_until(lambda: not desktop.shown())
            assert agent.answers.pop(0) == (told, verdict)
            assert agent.answers == []


def test_a_click_beside_the_buttons_is_seen(desktop):
    with Agent() as agent:
        agent.tell(record(alert()))
        wait_until(desktop.shown)
        desktop.click()
        wait_until(lambda: not desktop.shown())
        assert agent.answers == [(record(alert()), "seen")]


def test_irritated_takes_the_place_of_rising_and_easing_clears_it(desktop):
    with Agent() as agent:
        agent.tell(record(alert()))
        wait_until(lambda: desktop.shown() == titles(State.RISING))
        agent.tell(record(alert(State.IRRITATED, 70.0)))
        wait_until(lambda: desktop.shown() == titles(State.IRRITATED))
        agent.tell(record(alert(State.EASED, 80.0)))
        wait_until(lambda: not desktop.shown())
        assert len(desktop.told()) == 2
        assert agent.answers == []


def test_it_is_cleared_by_the_end_of_the_call_by_forgetting_it_and_at_the_end(desktop):
    with Agent() as agent:
        for over in (
            lambda: agent.tell(record(END)),
            lambda: agent.feed.forget("call 1"),
            lambda: agent.tell(record(Acknowledgement(64.0, record_id(record(alert())), "seen"))),
        ):
            agent.tell(record(alert()), record(alert(), call="call 2"))
            wait_until(lambda: len(desktop.shown()) == 2)
            over()
            wait_until(lambda: len(desktop.shown()) == 1)
            agent.feed.forget("call 2")
            wait_until(lambda: not desktop.shown())
        assert agent.sink._screen._warnings == {}
        agent.tell(record(alert()))
        wait_until(desktop.shown)
    wait_until(lambda: not desktop.shown())


def test_what_is_of_another_session_or_another_alert_clears_nothing(desktop):
    with Agent() as agent:
        agent.tell(
            record(alert(State.IRRITATED)),
            record(END, session="s0"),
            record(Acknowledgement(64.0, record_id(record(alert())), "seen")),
            record(
                Acknowledgement(64.0, record_id(record(alert(State.IRRITATED))), "seen", "anna")
            ),
            record(alert(), call="call 2"),
        )
        wait_until(lambda: len(desktop.shown()) == 2)
        agent.tell(record(Acknowledgement(64.0, "the episode's first", "false_alarm", "anna")))
        wait_until(lambda: len(desktop.shown()) == 1)


def test_calls_of_other_agents_are_shown_to_whoever_asks_for_all_alone(desktop):
    with Agent() as agent, Agent(agent="") as everybody:
        for one in (agent, everybody):
            one.tell(record(alert(State.IRRITATED), call="call 2", agent="a8"), record(alert()))
        wait_until(lambda: len(desktop.shown()) == 3)
        assert sorted(desktop.shown()) == sorted(
            titles(State.RISING, State.RISING, State.IRRITATED)
        )


MOVED = st.sampled_from(
    [
        Evidence(measure, unit, baseline, now)
        for measure, unit, now in (
            ("pitch", "semitones", 23.2),
            ("tempo", "syllables/s", 4.7),
            ("loudness", "dB", -24.0),
            ("tension", "dB", -9.2),
            ("liveliness", "semitones", 6.3),
        )
        for baseline in (None, now + 5.0, now - 4.0)
    ]
)


@given(
    evidence=st.lists(MOVED, max_size=5).map(tuple),
    language=st.sampled_from(LANGUAGES),
    state=st.sampled_from([State.RISING, State.IRRITATED]),
    card=st.sampled_from(["", "no such card", *(c.id for c in guidance.load().deck("en").cards)]),
)
def test_a_notification_is_one_glance(evidence, language, state, card):
    told = Alert(63.0, 60.0, state, 0.6, 0.2, 0.8, evidence)
    notice = Notices(language, None).notice(card, told, print, print)
    tip, *sentence = notice.text.split("\n")
    assert len(notice.title) <= 30
    assert tip == guidance.load().tip(state, language, card)
    assert len(sentence) == bool(evidence)
    assert all(len(line) <= 90 for line in [tip, *sentence])
    assert all(len(label) <= 16 for label, _ in notice.buttons)


class Board:
    """What `Screen` asks of a server, without a desktop."""

    def __init__(self):
        self.shown, self.pressed = {}, []

    async def show(self, notice):
        self.pressed.append([press for _, press in notice.buttons])
        self.shown[len(self.pressed)] = notice.title[0]
        return len(self.pressed)

    async def clear(self, number):
        self.shown.pop(number, None)


CALLS = st.sampled_from(["call 1", "call 2"])
DEEDS = st.one_of(
    st.tuples(st.just("alert"), CALLS, st.sampled_from([State.RISING, State.IRRITATED])),
    st.tuples(st.sampled_from(["eased", "end", "forget", "acknowledged"]), CALLS, st.none()),
    st.tuples(st.just("press"), st.integers(0, 30), st.sampled_from([0, 1])),
    st.tuples(st.just("settle"), st.none(), st.none()),
)


@given(deeds=st.lists(DEEDS, max_size=40))
def test_the_newest_warning_of_each_call_is_on_the_screen_until_it_is_over(deeds):
    board, answers, standing, told_of, forgotten = Board(), [], {}, [], []
    screen = Screen("", Notices("en", None), lambda *said: answers.append(said), lambda: None)
    for place, (deed, one, other) in enumerate(deeds):
        before = len(answers)
        if deed == "alert":
            standing[one] = record(alert(other, 60.0 + place), call=one)
            told_of.append(standing[one])
            screen.take(standing[one])
        elif deed == "eased":
            standing.pop(one, None)
            screen.take(record(alert(State.EASED, 60.0 + place), call=one))
        elif deed == "end":
            standing.pop(one, None)
            screen.take(record(END, call=one))
        elif deed == "forget":
            standing.pop(one, None)
            forgotten += [known for known in told_of if known.call == one]
            screen.forget(one)
        elif deed == "acknowledged" and one in standing:
            told = record(Acknowledgement(60.0, record_id(standing.pop(one)), "seen"), call=one)
            screen.take(told)
        elif deed == "press" and board.shown:
            number = sorted(board.shown)[one % len(board.shown)]
            board.pressed[number - 1][other]()
            for told, verdict in answers[before:]:
                assert told not in forgotten
                assert verdict == ("seen", "false_alarm")[other]
                if standing.get(told.call) == told:
                    del standing[told.call]
        elif deed == "settle":
            asyncio.run(screen.settle(board))
            shapes = [titles(known.event.state)[0][0] for known in standing.values()]
            assert sorted(board.shown.values()) == sorted(shapes)


def own_cards(folder, do):
    """Return the cards of a team that says this where irritation rises."""
    cards = (files("hackles.guidance") / "cards" / "en.toml").read_text(encoding="utf-8")
    first = guidance.load().tip(State.RISING, "en")
    assert first in cards
    (folder / "en.toml").write_text(cards.replace(first, do), encoding="utf-8")
    return guidance.load(str(folder))


def test_a_teams_own_words_are_shown_as_they_are_written(desktop, tmp_path):
    cards = own_cards(tmp_path, "Use <name> & thanks.")
    with Agent(cards=cards) as agent:
        agent.tell(record(alert()))
        wait_until(desktop.shown)
    assert desktop.told()[0][4].startswith("Use &lt;name&gt; &amp; thanks.\n")


def test_a_server_without_buttons_and_markup_is_sent_none(bare, tmp_path):
    bare.start_bus()
    bare.start_plain_server()
    with Agent(cards=own_cards(tmp_path, "Use <name> & thanks.")) as agent:
        agent.tell(record(alert()))
        wait_until(bare.shown)
        text, actions = bare.told()[0][4:6]
    assert text.startswith("Use <name> & thanks.\n")
    assert actions == ["default", ""]
    assert "has no buttons: a click says that it was seen" in doctor()[0]


@pytest.fixture
def said(caplog):
    """What is said to people."""
    caplog.set_level(logging.INFO)
    return lambda: [
        (one.levelname, one.getMessage()) for one in caplog.records if "hackles" in one.name
    ]


def complaints(said):
    return [text for level, text in said() if level == "WARNING"]


def test_without_a_server_it_is_said_once_and_shown_as_soon_as_there_is_one(bare, said):
    with Agent() as agent:
        agent.tell(record(alert()))
        wait_until(lambda: complaints(said))
        agent.tell(record(alert(State.IRRITATED, 64.0)))
        bare.start_bus()
        wait_until(lambda: agent.sink._failures > 2)
        bare.start_server()
        wait_until(lambda: bare.shown() == titles(State.IRRITATED))
        wait_until(lambda: said()[-1][0] == "INFO")
    assert len(complaints(said)) == 1
    assert "dunst" in complaints(said)[0]
    assert said()[-1][1].startswith("Notifications are shown again, by dunst")


def test_what_could_not_be_shown_for_long_is_not_shown_late(bare, said, monkeypatch):
    monkeypatch.setattr(TOO_LATE, 0.0)
    with Agent() as agent:
        agent.tell(record(alert()))
        wait_until(lambda: complaints(said))
        bare.start_bus()
        bare.start_server()
        wait_until(lambda: said()[-1][0] == "INFO")
    assert bare.told() == []


def test_a_server_that_dies_and_a_bus_that_dies_are_found_again(desktop):
    with Agent() as agent:
        agent.tell(record(alert()))
        wait_until(desktop.shown)
        desktop.kill("dunst")
        agent.tell(record(alert(), call="call 2"))
        desktop.start_server()
        wait_until(lambda: len(desktop.shown()) == 1)
        # The new server counts anew: what is of the old one must not be taken for this one.
        agent.tell(record(END))
        desktop.press("Seen")
        wait_until(lambda: agent.answers == [(record(alert(), call="call 2"), "seen")])
        desktop.kill("dbus-daemon")
        desktop.kill("dunst")
        agent.tell(record(alert(), call="call 3"))
        desktop.start_bus()
        desktop.start_server()
        wait_until(desktop.shown)
        desktop.press("False alarm")
        wait_until(lambda: len(agent.answers) == 2)


def test_a_server_that_hangs_is_told_of_and_shows_once_what_is_left_when_it_goes_on(
    desktop, said, monkeypatch
):
    with Agent() as agent:
        agent.tell(record(alert(), call="call 2"))
        wait_until(desktop.shown)
        monkeypatch.setattr(PATIENCE, 0.1)
        desktop.stop("dunst")
        agent.tell(record(alert()), record(alert(State.IRRITATED)))
        wait_until(lambda: complaints(said))
        agent.tell(record(alert(State.EASED)), record(alert(State.IRRITATED, 70.0)))
        desktop.let_go_on("dunst")
        wait_until(lambda: said()[-1][0] == "INFO")
        wait_until(lambda: desktop.shown() == titles(State.RISING, State.IRRITATED))
    assert complaints(said)[0].startswith("Notifications cannot be shown (the server does not")
    assert len(complaints(said)) == 1


def test_a_session_in_which_nothing_answers_is_left_without_waiting(desktop):
    with Agent() as agent:
        agent.tell(record(alert()))
        wait_until(desktop.shown)
        desktop.stop("dunst")
        agent.tell(record(alert(State.IRRITATED)))
        wait_until(lambda: len(desktop.told()) == 2)
        desktop.stop("dbus-daemon")


def test_a_fault_of_whoever_takes_the_answer_ends_nothing(desktop, said):
    def refuse(*_):
        raise ValueError("unforeseen")

    with Agent() as agent:
        agent.sink._screen._answer = refuse
        for time in (63.0, 64.0):
            agent.tell(record(alert(time=time)))
            wait_until(desktop.shown)
            desktop.click()
            wait_until(lambda: not desktop.shown())
    assert [level for level, _ in said()] == ["ERROR", "ERROR"]


WANTED = Section()


def doctor(section=WANTED):
    compliance = Compliance(notice="told at the start", basis="consent")
    found = notifications(Settings(compliance=compliance, desktop=section))
    return [f"{one.mark} {one.text}" for one in found]


def test_the_doctor_says_who_shows_them_and_nothing_where_none_are_wanted(desktop):
    assert doctor()[0].startswith("✓ shown by dunst")
    assert doctor(None) == []


def test_the_doctor_says_what_is_missing(bare, monkeypatch):
    assert "No such file" in doctor()[0]
    bare.start_bus()
    (said,) = doctor()
    assert said.startswith("! cannot be shown here (The name")
    assert "install dunst" in said
    bare.stop("dbus-daemon")
    monkeypatch.setattr("hackles.doctor.desktop._PATIENCE_S", 0.2)
    assert "nothing has answered" in doctor()[0]


def test_without_its_extra_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "desktop_notifier.backends.dbus", None)
    assert "pip install 'hackles[desktop]'" in doctor()[0]
    with pytest.raises(UsageError, match="take \\[desktop\\] out"):
        DesktopSink("", "en", None, lambda *_: None)
