"""What an agent is shown: nothing that is withheld, one card at a time, no more than happened."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hackles.guidance import load
from hackles.live.cues import Cues
from hackles.live.curve import EASED_S, LINE_S
from hackles.live.news import Session
from hackles.live.showing import Showing, Withheld
from hackles.live.view import view
from hackles.records import Acknowledgement, event_id
from hackles.settings import Alerts
from hackles.types import Alert, Evidence, Gap, Reading, Reason, State
from hackles.wording import LANGUAGES

CALL = Session("s1", "call 1", "sales", "a7")
OTHER = Session("s2", "call 2", "sales", "a8")


def reading(time, irritation=0.2):
    return Reading(time=time, irritation=irritation, arousal=0.5, confidence=0.8)


def alert(time, state):
    moved = (Evidence("pitch", "semitones", 20.0, 23.2), Evidence("tempo", "syllables/s", 4.0, 4.7))
    return Alert(time, time - 5, state, 0.4, 1.0, 0.8, moved)


@pytest.fixture
def cues():
    found = Cues(load(), Showing(Alerts()))
    found.begin(CALL)
    return found


def shown(cues, language="en"):
    """Return what a page shows of its first call."""
    return view(cues, cues.of("", 8), language)["calls"][0]


def test_a_call_begins_at_rest_with_a_card_for_the_opening(cues):
    seen = shown(cues)
    assert (seen["state"], seen["alert"], seen["line"]) == ("calm", None, [])
    assert seen["card"]["stage"] == "opening"


def test_an_alert_is_shown_with_its_evidence_and_the_card_that_its_record_brings(cues):
    rising = alert(30.0, State.RISING)
    card = cues.tell("s1", rising, None)
    seen = shown(cues)
    assert seen["state"] == "rising"
    assert seen["alert"]["id"] == event_id("s1", rising)
    assert seen["alert"]["because"][0] == "pitch +3.2 semitones"
    assert seen["card"]["id"] == card != ""


@pytest.mark.parametrize("why", list(Withheld))
def test_what_is_withheld_changes_nothing_on_the_page(cues, why):
    before = shown(cues)
    assert cues.tell("s1", alert(30.0, State.RISING), why) == ""
    assert shown(cues) == before


def test_in_shadow_mode_nothing_of_any_call_is_shown(cues):
    cues.showing.alerts = Alerts(shadow=True)
    cues.tell_unheard("gone")
    cues.tell_held(True)
    nothing = {"shadow": True, "unheard": "", "held": False, "calls": []}
    assert view(cues, cues.of("", 8), "en") == nothing


def test_that_the_device_is_not_heard_or_a_call_waits_for_consent_is_shown_until_it_is_over(cues):
    def said():
        seen = view(cues, [], "en")
        return seen["unheard"], seen["held"]

    assert said() == ("", False)
    for tell, one, shown in (
        (cues.tell_unheard, "gone", ("gone", False)),
        (cues.tell_held, True, ("gone", True)),
        (cues.tell_unheard, "", ("", True)),
        (cues.tell_held, False, ("", False)),
    ):
        version = cues.version
        tell(one)
        assert cues.version > version  # or no page would look
        assert said() == shown


def test_a_false_alarm_is_calm_again_and_what_follows_in_the_episode_is_not_shown(cues):
    rising = alert(30.0, State.RISING)
    assert cues.showing.withheld(CALL, rising) is None
    cues.tell("s1", rising, None)
    id_ = event_id("s1", rising)
    assert cues.answer("s1", id_, "false_alarm") == Acknowledgement(30.0, id_, "false_alarm")
    assert shown(cues)["state"] == "calm"
    assert shown(cues)["alert"]["verdict"] == "false_alarm"
    worse, eased = alert(40.0, State.IRRITATED), alert(50.0, State.EASED)
    assert cues.showing.withheld(CALL, worse) is Withheld.FALSE_ALARM
    assert cues.showing.withheld(CALL, eased) is Withheld.FALSE_ALARM
    assert cues.showing.withheld(CALL, alert(90.0, State.RISING)) is None


def test_an_answer_counts_once_and_only_for_the_alert_that_is_shown(cues):
    rising = alert(30.0, State.RISING)
    cues.tell("s1", rising, None)
    id_ = event_id("s1", rising)
    assert cues.answer("s1", "another", "seen") is None
    assert cues.answer("s1", id_, "seen") is not None
    assert cues.answer("s1", id_, "seen") is None
    assert cues.answer("s1", id_, "false_alarm") is not None  # on second thoughts
    assert cues.answer("nobody", id_, "seen") is None


def test_an_answer_to_an_alert_that_was_overtaken_is_kept_and_silences_nothing(cues):
    rising, worse = alert(30.0, State.RISING), alert(31.0, State.IRRITATED)
    for one in (rising, worse):
        assert cues.showing.withheld(CALL, one) is None
        cues.tell("s1", one, None)
    assert cues.answer("s1", event_id("s1", rising), "false_alarm") is not None
    assert shown(cues)["state"] == "irritated"
    assert cues.showing.withheld(CALL, alert(40.0, State.EASED)) is None


def test_some_time_after_it_has_eased_the_page_is_at_rest(cues):
    cues.tell("s1", alert(30.0, State.RISING), None)
    cues.tell("s1", alert(50.0, State.EASED), None)
    cues.tell("s1", reading(50.0 + EASED_S), None)
    assert shown(cues)["state"] == "eased"
    cues.tell("s1", reading(51.0 + EASED_S), None)
    assert (shown(cues)["state"], shown(cues)["alert"]) == ("calm", None)


def test_a_card_is_told_as_shown_once(cues):
    cue = cues.find("s1")
    first = cues.card_shown(cue, "pl")
    assert (first.language, first.stage) == ("pl", "opening")
    assert cues.card_shown(cue, "pl") is None
    assert cues.card_shown(cue, "es").language == "es"  # on another page, or the terminal
    cue.ask("next")
    assert cues.card_shown(cue, "pl").card != first.card


def test_who_needs_help_now_comes_first_and_a_call_that_is_over_last(cues):
    cues.begin(OTHER)
    cues.tell("s2", alert(10.0, State.RISING), None)
    assert [cue.session.id for cue in cues.of("", 8)] == ["s2", "s1"]
    assert [cue.session.id for cue in cues.of("a7", 8)] == ["s1"]
    cues.find("s2").was_seen = True
    cues.end("s2", 20.0, None)
    assert [cue.session.id for cue in cues.of("", 8)] == ["s1", "s2"]


def test_a_call_waits_for_its_form_only_if_a_page_showed_it():
    now = 0.0
    cues = Cues(load(), Showing(Alerts()), clock=lambda: now)
    for session in (CALL, OTHER):
        cues.begin(session)
    cues.find("s1").was_seen = True
    for session in (CALL, OTHER):
        cues.end(session.id, 60.0, None)
    assert [cue.session.id for cue in cues] == ["s1"]
    now, version = 3601.0, cues.version
    cues.expire()
    assert list(cues) == []
    assert cues.version > version


def test_the_form_says_that_the_microphone_heard_the_customer(cues):
    cues.find("s1").was_seen = True
    assert shown(cues)["loud"] is False
    cues.end("s1", 60.0, None, is_loud=True)
    assert shown(cues)["loud"] is True


def test_a_withdrawn_call_is_gone(cues):
    cues.forget("call 1")
    assert list(cues) == []
    assert cues.tell("s1", alert(30.0, State.RISING), None) == ""


def test_what_came_of_a_withdrawn_call_is_gone_from_the_customer_s_other_calls():
    cues = Cues(load(), Showing(Alerts()))
    for number in ("1", "2"):
        cues.begin(Session(f"s{number}", f"call {number}", "", "", customer="the same"))
    cues.find("s2").earlier = ["what came of call 1"]
    cues.forget("call 1")
    assert not cues.find("s2").earlier


def test_why_nothing_is_scored_is_said_until_something_is(cues):
    cues.tell("s1", Gap(20.0, 10.0, Reason.MUSIC), None)
    assert shown(cues)["quiet_text"] == "hold music"
    cues.tell("s1", reading(22.0), None)
    assert shown(cues)["quiet_text"] == ""


@given(st.lists(st.floats(0, 1), min_size=1, max_size=400))
def test_the_line_is_of_the_last_minutes_and_never_beyond_what_was_read(levels):
    cues = Cues(load(), Showing(Alerts()))
    cues.begin(CALL)
    for second, level in enumerate(levels):
        cues.tell("s1", reading(float(second), level), None)
    line = shown(cues)["line"]
    assert line[-1][0] - line[0][0] <= LINE_S
    assert len(line) == min(len(levels), LINE_S + 1)
    assert min(levels) - 1e-3 <= min(y for _, y in line)
    assert max(y for _, y in line) <= max(levels) + 1e-3


@pytest.mark.parametrize(("levels", "trend"), [((0.2, 0.8), "up"), ((0.8, 0.2), "down")])
def test_the_trend_is_that_of_the_last_quarter_of_a_minute(cues, levels, trend):
    for second in range(60):
        cues.tell("s1", reading(float(second), levels[second > 50]), None)
    assert shown(cues)["trend"] == trend
    for second in range(60, 120):
        cues.tell("s1", reading(float(second), levels[1]), None)
    assert shown(cues)["trend"] == "flat"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_view_is_in_the_reader_s_language(cues, language):
    cues.tell("s1", alert(30.0, State.IRRITATED), None)
    seen = shown(cues, language)
    texts = [seen["state_text"], seen["trend_text"], seen["card"]["do"], *seen["alert"]["because"]]
    assert all(texts)
    english = shown(cues, "en")
    assert (seen["state_text"] == english["state_text"]) == (language == "en")
