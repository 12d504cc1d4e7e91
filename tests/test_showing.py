"""Which alerts people are shown: shadow mode, snooze, a cap for each hour."""

from hackles.live.news import Session
from hackles.live.showing import Showing, Withheld
from hackles.settings import Alerts
from hackles.types import Alert, State
from tests.test_pace import Clock


def alert(state=State.RISING) -> Alert:
    return Alert(9.0, 8.0, state, 0.6, 0.1, 0.8, ())


def session(number=1, agent="a7") -> Session:
    return Session(f"s{number}", f"call {number}", "", agent)


def episode(showing: Showing, call: Session) -> list:
    return [showing.withheld(call, alert(s)) for s in (State.RISING, State.IRRITATED, State.EASED)]


def test_in_shadow_mode_nobody_is_shown_anything():
    assert episode(Showing(Alerts(shadow=True)), session()) == [Withheld.SHADOW] * 3


def test_in_shadow_mode_what_follows_a_warning_that_was_shown_is_not_shown():
    showing = Showing(Alerts())
    assert showing.withheld(session(), alert()) is None
    showing.alerts = Alerts(shadow=True)
    assert showing.withheld(session(), alert(State.IRRITATED)) is Withheld.SHADOW
    assert showing.withheld(session(), alert(State.EASED)) is Withheld.SHADOW


def test_without_a_cap_every_alert_is_shown():
    showing = Showing(Alerts())
    assert [episode(showing, session(n)) for n in range(50)] == [[None] * 3] * 50


def test_a_cap_counts_warnings_of_an_agent_over_all_calls_of_the_last_hour():
    clock = Clock()
    showing = Showing(Alerts(most_per_hour=2), clock)
    assert episode(showing, session(1)) == [None] * 3
    clock.now += 1800
    assert episode(showing, session(2)) == [None] * 3
    assert episode(showing, session(3)) == [Withheld.HOURLY_CAP] * 3
    assert episode(showing, session(4, agent="b1")) == [None] * 3
    clock.now += 1801
    assert episode(showing, session(5)) == [None] * 3
    assert episode(showing, session(6)) == [Withheld.HOURLY_CAP] * 3


def test_what_follows_a_shown_warning_is_shown_and_what_follows_a_withheld_one_is_not():
    clock = Clock()
    showing = Showing(Alerts(), clock)
    call = session()
    assert showing.withheld(call, alert()) is None
    showing.snooze("a7", 600)
    assert showing.withheld(call, alert(State.IRRITATED)) is None
    assert showing.withheld(call, alert(State.EASED)) is None
    assert showing.withheld(call, alert()) is Withheld.SNOOZED
    clock.now += 601
    assert showing.withheld(call, alert(State.EASED)) is Withheld.SNOOZED
    assert showing.withheld(call, alert()) is None


def test_a_call_can_be_snoozed_alone_and_a_snooze_can_be_ended():
    clock = Clock()
    showing = Showing(Alerts(), clock)
    showing.snooze("call 1", 600)
    assert episode(showing, session(1)) == [Withheld.SNOOZED] * 3
    assert episode(showing, session(2)) == [None] * 3
    showing.snooze("call 1", 0)
    assert episode(showing, session(1)) == [None] * 3


def test_a_snooze_that_is_over_is_kept_no_longer():
    clock = Clock()
    showing = Showing(Alerts(), clock)
    for number in range(100):
        showing.snooze(f"call {number}", 60)
        clock.now += 61
    assert len(showing._snoozed) == 1


def test_a_withheld_warning_does_not_use_up_the_cap():
    clock = Clock()
    showing = Showing(Alerts(most_per_hour=1), clock)
    showing.snooze("a7", 60)
    assert episode(showing, session(1)) == [Withheld.SNOOZED] * 3
    clock.now += 61
    assert episode(showing, session(1)) == [None] * 3
