"""The floor: what engines say and people do becomes one board, the same for all who see it."""

import msgspec
import pytest

from hackles.exchange.messages import SILENT_S, Earlier
from hackles.live.curve import EASED_S, LINE_S
from hackles.records import CardShown, Note, Timing
from hackles.wallboard.life import NotThere
from hackles.wallboard.shapes import View
from hackles.wording import LANGUAGES
from tests.wallboard.world import ANALYST, ANNA, BEN, CLERK, HEDY


def test_a_call_is_on_the_board_from_its_beginning_to_its_end(world):
    world.begin("s1")
    assert world.view().order == ["s1"]
    row = world.row("s1")
    assert (row.call, row.host, row.queue, row.teams) == ("call of s1", "north", "sales", ["Sales"])
    assert (row.state, row.level, row.life) == ("calm", None, None)
    world.end("s1")
    assert world.view().rows == []


def test_the_level_is_smoothed_and_its_line_is_three_minutes_long(world):
    world.begin("s1")
    for _ in range(300):
        world.now += 1.0
        world.read("s1", 0.5)
    world.read("s1", 0.9)
    row = world.row("s1")
    assert row.level == pytest.approx(0.62)
    assert row.points[-1][0] - row.points[0][0] == LINE_S
    assert row.trend == "up"


def test_the_page_of_a_call_has_its_whole_curve_thinned_out_where_it_is_long(world):
    world.begin("s1")
    for _ in range(5000):
        world.read("s1")
    page = world.floor.page(ANNA, "s1", "en")
    times = [time for time, _ in page.points]
    assert 1000 <= len(times) <= 2000
    assert times == sorted(set(times))
    assert times[0] == 1.0
    assert times[-1] == 5000.0


def test_the_page_of_a_call_has_all_that_happened_and_stays_for_an_hour(world):
    world.begin("s1")
    world.alert("s1")
    world.gap("s1")
    world.record("s1", CardShown(3.0, "greet", "opening", "en"))
    world.record("s1", Note(4.0, "wants a refund"))
    world.record("s1", Timing(5.0, 30.0, 20.0, 2.5, False))
    world.end("s1")
    page = world.floor.page(ANNA, "s1", "en")
    assert page.is_over
    assert [alert.state_text for alert in page.alerts] == ["irritation rising"]
    assert [gap.text for gap in page.gaps] == ["hold music"]
    assert [note.text for note in page.notes] == ["wants a refund"]
    assert page.cards[0].id == "greet"
    assert page.row.talk_over_s == 2.5
    assert page.lives[0].step == "ended"
    world.wait(3599, "north")
    assert world.floor.page(ANNA, "s1", "en").is_over
    world.wait(2, "north")
    with pytest.raises(NotThere):
        world.floor.page(ANNA, "s1", "en")


def test_an_alert_changes_state_evidence_and_colour_until_it_has_eased(world):
    world.begin("s1")
    world.alert("s1", "rising")
    row = world.row("s1")
    assert (row.state, row.state_text, row.confidence) == ("rising", "irritation rising", 0.8)
    assert row.because == ["pitch +3.2 semitones"]
    world.alert("s1", "irritated")
    world.alert("s1", "eased")
    assert world.row("s1").because == ["still: pitch +3.2 semitones"]
    for _ in range(int(EASED_S) + 1):
        world.read("s1")
    row = world.row("s1")
    assert (row.state, row.because, row.confidence) == ("calm", [], None)


def test_an_alert_that_people_are_not_shown_is_not_on_the_board(world):
    world.begin("s1")
    world.alert("s1", withheld="snoozed")
    assert (world.row("s1").state, world.row("s1").life) == ("calm", None)
    assert world.happenings == []


def test_nothing_of_a_trial_run_is_shown(world):
    world.begin("s1")
    world.beat(shadow=True)
    assert world.view().rows == []
    assert world.view().hosts[0].shadow
    with pytest.raises(NotThere):
        world.floor.page(ANNA, "s1", "en")
    world.beat(shadow=False)
    assert world.view().order == ["s1"]


def test_a_customer_is_silent_by_what_the_engine_says_not_by_what_arrives(world):
    world.begin("s1")
    world.read("s1")
    heard_at = world.now
    world.now += 30.0  # nothing arrived, also no beat: that is the engine's silence
    world.floor.tick()
    assert world.row("s1").silent_since_at is None
    world.beat()
    assert world.row("s1").silent_since_at == heard_at
    world.read("s1")
    assert world.row("s1").silent_since_at is None


def test_why_nothing_was_scored_is_told_until_the_customer_speaks(world):
    world.begin("s1")
    world.gap("s1", "music")
    assert world.row("s1").quiet_text == "hold music"
    world.read("s1")
    assert world.row("s1").quiet_text == ""


def test_what_came_of_the_last_call_is_told_in_the_words_of_the_agents_page(world):
    earlier = [
        Earlier(at=2.0, result="promised", promised="a new router"),
        Earlier(at=1.0, result="unresolved", what="no line"),
    ]
    world.stand("s1", earlier=earlier)
    assert world.row("s1").earlier_text == "Follow-up promised: a new router"
    assert world.view(language="pl").rows[0].earlier_text == "Ustalone dalsze kroki: a new router"
    page = world.floor.page(ANNA, "s1", "es")
    assert [one.result_text for one in page.earlier] == ["En seguimiento", "Sin resolver"]


def test_those_who_need_help_come_first(world):
    for session in ("calm", "helped", "rising", "irritated", "seen"):
        world.now += 1.0
        world.begin(session)
    helped, seen = world.alert("helped"), world.alert("seen", "irritated")
    world.alert("rising")
    world.alert("irritated", "irritated")
    world.floor.step(ANNA, helped, "helping", "en")
    world.floor.step(ANNA, seen, "seen", "en")
    assert world.view().order == ["irritated", "rising", "seen", "helped", "calm"]
    world.wait(25, "north")
    assert world.view().order[0] == "irritated"
    world.floor.step(ANNA, helped, "resolved", "en")
    assert world.view().order == ["irritated", "rising", "seen", "calm", "helped"]


def test_whoever_came_to_a_need_first_stands_first_whatever_their_levels(world):
    for session in ("s1", "s2"):
        world.begin(session)
    world.alert("s2")
    world.now += 1.0
    world.alert("s1")
    for _ in range(20):
        world.read("s1", 0.99)
        world.read("s2", 0.1)
    assert world.view().order == ["s2", "s1"]


def test_an_engine_that_is_not_heard_says_so_and_keeps_its_calls_for_a_minute(world):
    world.begin("s1", engine="north")
    world.begin("s2", engine="south")
    alert = world.alert("s1", engine="north")
    world.wait(SILENT_S, "south")
    hosts = {host.name: host.is_heard for host in world.view().hosts}
    assert hosts == {"north": False, "south": True}
    assert (world.row("s1").is_heard, world.row("s2").is_heard) == (False, True)
    assert world.kinds() == ["alert.raised", "engine.lost"]
    world.wait(60, "south")
    assert world.view().order == ["s2"]
    assert world.kinds()[-1] == "alert.ended"
    assert world.floor.page(ANNA, "s1", "en").lives[0].alert == alert
    world.beat("north")
    assert world.kinds()[-1] == "engine.back"
    world.read("s1", engine="north")
    assert set(world.view().order) == {"s1", "s2"}


def test_a_call_that_ended_while_its_engine_was_away_does_not_come_back(world):
    world.begin("s1")
    world.wait(66)
    world.end("s1")
    world.record("s1", Note(60.0, "written afterwards"))
    assert world.view().rows == []
    assert world.floor.page(ANNA, "s1", "en").notes[0].text == "written afterwards"


def test_a_new_run_of_an_engine_takes_the_calls_of_the_old_one_along(world):
    world.begin("s1")
    world.begin("s2", engine="south")
    world.run = "run 2"
    world.beat("north")
    assert world.view().order == ["s2"]


def test_a_new_run_that_begins_with_the_same_call_keeps_it(world):
    world.begin("s1")
    world.begin("s2")
    world.run = "run 2"
    world.stand("s1")
    assert world.view().order == ["s1"]


def test_a_call_that_began_before_the_board_stands_as_its_engine_says(world):
    begun_at = world.now - 100
    alert = {"type": "alert", "id": "e2", "call": "call of s1", "session": "s1"}
    alert |= {"at": "2025-06-15T15:06:10.000Z", "time": 80.0, "since": 75.0, "state": "irritated"}
    alert |= {"level": 0.8, "confidence": 0.7, "trend_per_min": 0.2, "withheld": None}
    world.stand(
        "s1",
        begun_at=begun_at,
        time=100.0,
        state="irritated",
        points=[(98.0, 0.6), (99.0, 0.7)],
        alert=alert | {"evidence": []},
        since_alert="e1",
        notes=["a note"],
    )
    row = world.row("s1")
    assert (row.begun_at, row.level, row.points[0]) == (begun_at, 0.7, (98.0, 0.6))
    assert (row.life.alert, row.life.step, row.since_at) == ("e1", "raised", world.now - 30)
    world.beat()
    assert world.kinds() == ["alert.raised", "alert.escalated"]
    world.answer("s1", "e2", "seen")
    assert world.row("s1").life.step == "seen"


def test_lines_of_unknown_kinds_and_unknown_calls_are_left_alone(world):
    world.begin("s1")
    before = world.view()
    world.read("s2")
    world.record("s1", Note(1.0, "x"), engine="south")
    world.say(msgspec.convert({"line": {"type": "news", "session": "s1"}}, type=_heard()))
    world.say(msgspec.convert({"line": {"type": "reading", "session": "s1"}}, type=_heard()))
    assert world.view().rows == before.rows


def _heard():
    from hackles.exchange.messages import Heard

    return Heard


def test_a_clock_that_goes_ahead_brings_nothing_from_the_future(world):
    world.now += 3600.0
    world.begin("s1")
    world.now -= 3600.0
    world.stand("s2", begun_at=world.now + 3600.0)
    assert world.row("s2").begun_at == world.now


def test_each_sees_the_calls_of_their_teams_alone(world):
    world.begin("sales", queue="sales")
    world.begin("help", queue="help", agent="")
    world.begin("both", queue="sales", agent="a9")
    world.begin("none", queue="", agent="")
    seen = {who.name: set(world.view(who).order) for who in (ANNA, BEN, HEDY, CLERK, ANALYST)}
    assert seen == {
        "anna": {"sales", "help", "both", "none"},
        "ben": {"sales", "both"},
        "hedy": {"help", "both"},
        "carl": {"sales"},
        "ada": set(),
    }
    assert world.view(BEN).hosts[0].calls == 2
    assert world.view(CLERK).hosts == []
    assert world.view(CLERK).day is None
    assert world.view(ANALYST).day.calls == 4
    assert (world.view(BEN).teams, world.view(ANNA).teams) == (["Sales"], ["Sales", "Help"])
    assert world.view(HEDY).queues == ["help", "sales"]


def test_nobody_learns_whether_there_is_a_call_that_they_may_not_see(world):
    world.begin("s1")
    alert = world.alert("s1")
    faults = []
    for who in (HEDY, ANALYST):
        for session, id_ in (("s1", alert), ("s9", "e9")):
            with pytest.raises(NotThere) as fault:
                world.floor.page(who, session, "en")
            faults.append(str(fault.value))
            with pytest.raises(NotThere) as fault:
                world.floor.step(who, id_, "seen", "en")
            faults.append(str(fault.value))
    assert len(set(faults)) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_board_can_be_read_in_each_language_as_its_shapes_say(world, language):
    world.begin("s1")
    alert = world.alert("s1", "irritated")
    world.gap("s1")
    world.wait(21, "north")
    world.floor.step(ANNA, alert, "false_alarm", language)
    view = world.view(language=language)
    assert msgspec.json.decode(msgspec.json.encode(view), type=View) == view
    moments = view.rows[0].life.moments
    assert [moment.what for moment in moments] == ["raised", "notify_supervisor", "false_alarm"]
    assert all(moment.text and "{" not in moment.text for moment in moments)
    assert "anna" in moments[-1].text
