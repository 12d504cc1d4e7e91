"""What failed is tried again over a day, never before its time, and not for ever."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hackles.wallboard.webhooks.outcome import retry_after_s
from hackles.wallboard.webhooks.schedule import AFTER_S, DAY_S, JITTER, gap_s, next_at

SINCE = 1_800_000_000.0
luck = st.floats(0, 1)


@settings(deadline=None)
@given(st.lists(luck, min_size=60, max_size=60))
def test_each_attempt_comes_after_the_one_before_and_all_within_a_day(lucks):
    now, times = SINCE, []
    for one in lucks:
        at = next_at(SINCE, now, lambda one=one: one)
        if at is None:
            break
        times.append(at)
        now = at
    assert at is None
    assert len(times) == len(AFTER_S)
    assert times == sorted(set(times))
    assert times[0] - SINCE <= 6
    assert 23 * 3600 < times[-1] - SINCE < DAY_S


@settings(deadline=None)
@given(st.floats(0, 2 * DAY_S), luck)
def test_the_next_attempt_is_ahead_and_its_jitter_is_bounded(late_s, one):
    now = SINCE + late_s
    at, plain = next_at(SINCE, now, lambda: one), next_at(SINCE, now, lambda: 0.0)
    assert (at is None) == (plain is None) == (now >= SINCE + AFTER_S[-1])
    if at is not None:
        assert plain > now
        assert plain <= at <= plain + JITTER * 1800
        assert at - now <= 1.2 * 1800 + 1e-6


@settings(deadline=None)
@given(st.integers(1, 10**6))
def test_an_address_that_fails_is_left_in_peace_for_a_minute_at_most(failures):
    assert 5 <= gap_s(failures) <= gap_s(failures + 1) <= 60


@settings(deadline=None)
@given(st.text(max_size=40) | st.integers().map(str) | st.datetimes().map(str), st.floats(0, 2e9))
def test_whatever_retry_after_says_it_is_a_day_at_most(said, now):
    seconds = retry_after_s(said, now)
    assert seconds is None or 0 <= seconds <= DAY_S


def test_retry_after_in_seconds_and_as_a_date():
    assert retry_after_s(" 120 ", 0) == 120
    assert retry_after_s("Thu, 01 Jan 1970 00:02:00 GMT", 0) == 120
    assert retry_after_s("Thu, 01 Jan 1970 00:02:00 -0000", 0) == 120
    assert retry_after_s("Thu, 01 Jan 1970 00:02:00 GMT", 500) == 0
    assert retry_after_s("tomorrow", 0) is None
