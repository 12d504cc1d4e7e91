"""Counts of the day: of teams, never of one agent, and no rate of a few."""

from datetime import datetime

import pytest

from hackles.wallboard.life import NotThere
from tests.wallboard.world import ADMINISTRATOR, ANALYST, ANNA, BEN, CLERK, HEDY


def warn(world, session, step=None, **where):
    world.begin(session, **where)
    alert = world.alert(session, **where)
    if step:
        world.now += 4.0
        world.floor.step(ANNA, alert, step, "en")


def test_calls_and_alerts_are_counted_for_those_who_may_see_them(world):
    world.begin("s0")
    warn(world, "s1", "seen")
    warn(world, "s2", "false_alarm", queue="help")
    warn(world, "s3")
    world.alert("s1", "eased")
    world.alert("s1", "rising")
    day = world.floor.day(ANNA)
    assert (day.calls, day.warned, day.alerts) == (4, 3, 4)
    assert (day.seen, day.answered, day.false_alarms) == (2, 1, 1)
    assert (world.floor.day(BEN).calls, world.floor.day(HEDY).calls) == (3, 1)
    assert world.floor.day(ANALYST) == day
    for who in (CLERK, ADMINISTRATOR):
        with pytest.raises(NotThere):
            world.floor.day(who)


def test_a_rate_or_a_median_is_told_from_ten_on(world):
    for n in range(9):
        warn(world, f"s{n}", "resolved")
    day = world.floor.day(ANNA)
    assert (day.false_alarm_rate, day.seen_after_s) == (None, None)
    warn(world, "s9", "false_alarm")
    day = world.floor.day(ANNA)
    assert (day.false_alarm_rate, day.seen_after_s) == (0.1, 4.0)


def test_a_call_that_ended_unanswered_counts_as_neither_seen_nor_answered(world):
    warn(world, "s1")
    world.end("s1")
    day = world.floor.day(ANNA)
    assert (day.alerts, day.seen, day.answered) == (1, 0, 0)


def test_counts_outlive_a_restart_and_count_nothing_twice(world):
    warn(world, "s1", "seen")
    warn(world, "s2", "false_alarm")
    alert = world.row("s1").life.alert
    world.floor.tick()
    day = world.floor.day(ANNA)
    world.restart()
    assert world.floor.day(ANNA) == day
    world.stand("s1", state="rising", since_alert=alert)
    world.stand("s2", begun_at=world.now - 5)
    assert world.floor.day(ANNA) == day


def test_counts_begin_anew_at_midnight(world):
    warn(world, "s1", "resolved")
    midnight = datetime.fromtimestamp(world.now).replace(hour=23, minute=59, second=59)
    world.now = midnight.timestamp()
    world.floor.tick()
    assert world.floor.day(ANNA).calls == 1
    world.now += 2.0
    world.floor.tick()
    day = world.floor.day(ANNA)
    assert (day.calls, day.alerts, day.since_at) == (0, 0, world.now - 1.0)
    assert world.book.rows("SELECT * FROM day_calls") == []


def test_the_counts_keep_no_name_of_a_call_or_an_agent(world, tmp_path):
    warn(world, "s1", "seen")
    world.floor.tick()
    written = b"".join(file.read_bytes() for file in tmp_path.iterdir() if file.is_file())
    assert b"call of" not in written
    assert b'"a7"' not in written
