"""An alert has a life: it goes forward, everybody sees who did what, and it outlives a restart."""

import pytest

from hackles.wallboard.life import NotPossible, NotThere
from tests.wallboard.world import ANNA, BEN, CLERK


def test_a_life_goes_from_raised_to_its_end_and_says_by_whom(world):
    world.begin("s1")
    alert = world.alert("s1")
    for who, step in ((ANNA, "seen"), (BEN, "helping"), (BEN, "resolved")):
        world.now += 1.0
        life = world.floor.step(who, alert, step, "en")
        assert (life.step, life.by, life.at) == (step, who.name, world.now)
    assert [moment.text for moment in life.moments] == [
        "new alert",
        "seen by anna",
        "ben is helping",
        "resolved by ben",
    ]
    assert world.kinds() == ["alert.raised", "alert.seen", "alert.helping", "alert.resolved"]
    assert [(said[2], said[3], said[4]) for said in world.acknowledged] == [
        (alert, "seen", "anna"),
        (alert, "helping", "ben"),
        (alert, "resolved", "ben"),
    ]


def test_a_life_may_skip_steps_and_never_goes_back(world):
    world.begin("s1")
    alert = world.alert("s1")
    world.floor.step(ANNA, alert, "helping", "en")
    with pytest.raises(NotPossible, match="further on already"):
        world.floor.step(BEN, alert, "seen", "en")
    world.floor.step(ANNA, alert, "resolved", "en")
    with pytest.raises(NotPossible, match="closed already"):
        world.floor.step(BEN, alert, "false_alarm", "en")
    with pytest.raises(NotPossible, match="zamknięte"):
        world.floor.step(BEN, alert, "helping", "pl")


def test_what_gets_worse_after_it_was_resolved_is_an_alert_of_its_own(world):
    world.begin("s1")
    first = world.alert("s1")
    world.floor.step(ANNA, first, "resolved", "en")
    second = world.alert("s1", "irritated")
    life = world.row("s1").life
    assert (life.alert, life.step) == (second, "raised")
    assert second != first
    world.restart()
    world.stand("s1", state="irritated", since_alert=first, alert={"id": second})
    assert world.row("s1").life.alert == second


def test_the_same_step_of_another_changes_nothing_and_is_no_fault(world):
    world.begin("s1")
    alert = world.alert("s1")
    world.floor.step(ANNA, alert, "seen", "en")
    assert world.floor.step(BEN, alert, "seen", "en").by == "anna"
    assert world.kinds() == ["alert.raised", "alert.seen"]
    assert len(world.acknowledged) == 1


def test_helping_may_be_taken_over_and_each_time_is_told_anew(world):
    world.begin("s1")
    alert = world.alert("s1")
    for who in (ANNA, BEN, BEN, ANNA):
        assert world.floor.step(who, alert, "helping", "en").by == who.name
    told = [one for one in world.happenings if one.kind == "alert.helping"]
    assert [one.by for one in told] == ["anna", "ben", "anna"]
    assert len({one.id for one in told}) == 3


def test_an_episode_is_one_alert_and_the_next_one_is_another(world):
    world.begin("s1")
    first = world.alert("s1", "rising")
    world.alert("s1", "irritated")
    assert world.row("s1").life.alert == first
    world.alert("s1", "eased")
    assert world.row("s1").life.alert == first
    second = world.alert("s1", "rising")
    assert world.row("s1").life.alert == second
    lives = world.floor.page(ANNA, "s1", "en").lives
    assert [life.alert for life in lives] == [first, second]


def test_the_agents_own_answer_counts_as_the_agents_and_is_not_sent_back(world):
    world.begin("s1")
    world.alert("s1", "rising")
    second = world.alert("s1", "irritated")
    world.answer("s1", second, "seen")
    life = world.row("s1").life
    assert (life.step, life.by, life.text) == ("seen", "agent", "seen by the agent")
    assert world.acknowledged == []
    world.answer("s1", second, "false_alarm")
    assert world.row("s1").life.step == "false_alarm"
    assert world.row("s1").state == "calm"


def test_what_comes_back_of_a_step_takes_nothing_over(world):
    world.begin("s1")
    alert = world.alert("s1")
    world.floor.step(ANNA, alert, "helping", "en")
    world.floor.step(BEN, alert, "helping", "en")
    world.answer("s1", alert, "seen")
    assert world.row("s1").life.by == "ben"


def test_a_false_alarm_lets_the_call_rest_at_once(world):
    world.begin("s1")
    alert = world.alert("s1")
    world.floor.step(ANNA, alert, "false_alarm", "en")
    assert world.row("s1").state == "calm"
    world.alert("s1", "irritated")  # was under way
    assert world.row("s1").state == "calm"


def test_agents_may_answer_for_their_own_calls_and_are_not_named(world):
    world.begin("s1", agent="a7")
    world.begin("s2", agent="a8")
    own, other = world.alert("s1", agent="a7"), world.alert("s2", agent="a8")
    with pytest.raises(NotPossible, match="supervisors"):
        world.floor.step(CLERK, own, "helping", "en")
    life = world.floor.step(CLERK, own, "seen", "en")
    assert life.by == "agent"
    assert "carl" not in repr(world.happenings) + repr(world.acknowledged)
    with pytest.raises(NotThere):
        world.floor.step(CLERK, other, "seen", "en")


def test_a_call_that_ends_before_an_end_was_told_ends_the_life(world):
    world.begin("s1")
    alert = world.alert("s1")
    world.end("s1")
    assert world.kinds() == ["alert.raised", "alert.ended"]
    with pytest.raises(NotPossible):
        world.floor.step(ANNA, alert, "seen", "en")


def test_a_restarted_board_knows_who_saw_what_and_tells_nothing_twice(world):
    world.begin("s1")
    alert = world.alert("s1", "irritated")
    world.wait(21, "north")
    world.floor.step(ANNA, alert, "seen", "en")
    before = list(world.happenings)
    world.restart()
    world.happenings.clear()
    assert world.view().rows == []
    world.stand("s1", state="irritated", since_alert=alert)
    life = world.row("s1").life
    assert (life.alert, life.step, life.by) == (alert, "seen", "anna")
    assert [moment.what for moment in life.moments] == ["raised", "notify_supervisor", "seen"]
    world.wait(21, "north")
    assert world.happenings == []
    world.floor.step(BEN, alert, "helping", "en")
    assert world.happenings[0].id not in {one.id for one in before}


def test_what_no_call_comes_back_for_after_a_restart_ends(world):
    world.begin("s1")
    world.alert("s1")
    world.restart()
    world.wait(59, "north")
    assert world.kinds() == ["alert.raised"]
    world.wait(2, "north")
    assert world.kinds() == ["alert.raised", "alert.ended"]


def test_lives_are_kept_for_a_week(world):
    world.begin("s1")
    world.alert("s1")
    world.end("s1")
    world.now += 6 * 86400.0
    world.floor.tick()
    assert len(world.book.rows("SELECT * FROM lives")) == 1
    world.now += 86400.0 + 3601.0
    world.floor.tick()
    assert world.book.rows("SELECT * FROM lives") == []


@pytest.mark.parametrize("is_restarted", [False, True])
def test_of_a_withdrawn_call_nothing_is_left_anywhere(world, tmp_path, is_restarted):
    world.begin("s1")
    world.begin("s2")
    alert = world.alert("s1")
    world.floor.step(ANNA, alert, "seen", "en")
    world.wait(1, "north")
    if is_restarted:
        world.restart()
        world.stand("s2")
    world.happenings.clear()
    world.withdraw("s1")
    assert world.kinds() == ["call.withdrawn"]
    assert world.happenings[0].session == "s1"
    assert "call of s1" not in repr(world.happenings)
    assert world.view().order == ["s2"]
    assert b"call of s1" not in b"".join(
        file.read_bytes() for file in tmp_path.iterdir() if file.is_file()
    )
    assert alert.encode() not in b"".join(
        file.read_bytes() for file in tmp_path.iterdir() if file.is_file()
    )
    with pytest.raises(NotThere):
        world.floor.page(ANNA, "s1", "en")
    world.read("s1")
    world.wait(120, "north")
    assert "s1" not in repr(world.view())
    assert world.view().day.alerts == 0
    assert world.kinds() == ["call.withdrawn"]


def test_a_book_that_cannot_be_written_holds_nobody_up_and_is_caught_up_on(world, caplog):
    world.begin("s1")
    world.book._connection.execute("PRAGMA query_only = ON")
    alert = world.alert("s1")
    world.floor.step(ANNA, alert, "seen", "en")
    world.wait(3, "north")
    assert world.row("s1").life.step == "seen"
    assert world.floor.day(ANNA).seen == 1
    assert "cannot be written" in caplog.text
    world.book._connection.execute("PRAGMA query_only = OFF")
    world.wait(1, "north")
    world.restart()
    world.stand("s1", state="rising", since_alert=alert)
    assert world.row("s1").life.step == "seen"
    assert world.floor.day(ANNA).seen == 1
