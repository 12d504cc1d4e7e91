"""What falls due when an alert is left alone: each rule once, and told."""

import pytest

from hackles.exchange.messages import SILENT_S
from hackles.wallboard.settings import Escalation
from tests.wallboard.world import ANNA, BEN, World


@pytest.fixture
def world(tmp_path):
    worlds = []

    def make(*rules):
        worlds.append(World(tmp_path, rules=rules))
        worlds[0].begin("s1")
        return worlds[0]

    yield make
    worlds[0].book.close()


def escalations(world):
    return [one.escalated for one in world.happenings if one.kind == "alert.escalated"]


UNSEEN = Escalation(after_s=20, do="notify_supervisor")
UNHELPED = Escalation(after_s=60, do="hand_over", left="unhelped", state="rising")


def test_irritated_and_unseen_for_so_long_the_supervisor_is_notified_once(world):
    world = world(UNSEEN)
    world.alert("s1", "irritated")
    world.wait(19, "north")
    assert escalations(world) == []
    world.wait(1, "north")
    assert escalations(world) == ["notify_supervisor"]
    life = world.row("s1").life
    assert (life.escalated.what, life.escalated.text) == (
        "notify_supervisor",
        "Notify the supervisor",
    )
    assert [moment.what for moment in life.moments] == ["raised", "notify_supervisor"]
    world.wait(60, "north")
    assert escalations(world) == ["notify_supervisor"]


def test_the_time_counts_from_when_the_state_was_entered(world):
    world = world(UNSEEN)
    world.alert("s1", "rising")
    world.wait(60, "north")
    assert escalations(world) == []
    world.alert("s1", "irritated")
    world.wait(19, "north")
    assert escalations(world) == []
    world.wait(1, "north")
    assert escalations(world) == ["notify_supervisor"]


def test_a_rule_from_rising_on_counts_through_irritated(world):
    world = world(UNHELPED)
    world.alert("s1", "rising")
    world.wait(40, "north")
    world.alert("s1", "irritated")
    world.wait(20, "north")
    assert escalations(world) == ["hand_over"]


def test_whoever_sees_it_in_time_ends_one_rule_and_whoever_helps_the_other(world):
    world = world(UNSEEN, UNHELPED)
    alert = world.alert("s1", "irritated")
    world.wait(10, "north")
    world.floor.step(ANNA, alert, "seen", "en")
    world.wait(50, "north")
    assert escalations(world) == ["hand_over"]
    world.floor.step(BEN, alert, "helping", "en")
    assert world.row("s1").life.escalated is None


def test_what_fell_due_is_done_once_it_is_no_longer_left_alone_so(world):
    world = world(UNSEEN)
    alert = world.alert("s1", "irritated")
    world.wait(20, "north")
    world.floor.step(ANNA, alert, "seen", "en")
    life = world.row("s1").life
    assert life.escalated is None
    assert [moment.what for moment in life.moments] == ["raised", "notify_supervisor", "seen"]


@pytest.mark.parametrize("what", ["eased", "end"])
def test_nothing_falls_due_once_the_caller_has_eased_or_gone(world, what):
    world = world(UNSEEN)
    world.alert("s1", "irritated")
    world.wait(10, "north")
    world.alert("s1", "eased") if what == "eased" else world.end("s1")
    world.wait(60, "north")
    assert escalations(world) == []


def test_the_time_does_not_run_while_the_engine_is_not_heard(world):
    world = world(UNSEEN)
    world.alert("s1", "irritated")
    world.wait(SILENT_S + 30)
    assert escalations(world) == []
    world.wait(19, "north")
    assert escalations(world) == []
    world.wait(2, "north")
    assert escalations(world) == ["notify_supervisor"]


def test_a_rule_of_a_team_is_for_its_calls_alone(world):
    world = world(Escalation(after_s=5, do="offer_call_back", teams=("Help",)))
    world.alert("s1", "irritated")
    world.begin("s2", queue="help")
    world.alert("s2", "irritated", queue="help")
    world.wait(10, "north")
    assert [one.session for one in world.happenings if one.escalated] == ["s2"]


def test_a_restarted_board_tells_what_fell_due_meanwhile_and_nothing_again(world):
    world = world(UNSEEN, UNHELPED)
    alert = world.alert("s1", "irritated")
    world.wait(21, "north")
    world.restart()
    world.now += 60.0
    world.stand("s1", state="irritated", since_alert=alert)
    world.floor.tick()
    assert escalations(world) == ["notify_supervisor"]
    world.wait(60, "north")
    assert escalations(world) == ["notify_supervisor", "hand_over"]
    ids = [one.id for one in world.happenings]
    assert len(set(ids)) == len(ids)


def test_each_step_is_told_with_what_it_is_about(world):
    world = world(UNSEEN)
    alert = world.alert("s1", "irritated")
    world.wait(20, "north")
    told = world.happenings[-1]
    assert (told.alert, told.session, told.call, told.host) == (alert, "s1", "call of s1", "north")
    assert (told.queue, told.agent, told.teams) == ("sales", "a7", ("Sales",))
    assert (told.state, told.step, told.confidence) == ("irritated", "raised", 0.8)
    assert told.because["en"] == ("pitch +3.2 semitones",)
    assert told.state_text["pl"] == "silna irytacja"
    assert told.raised_at == told.at - 20
