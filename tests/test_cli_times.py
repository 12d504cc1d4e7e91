"""Moments as people type them."""

from datetime import datetime, timedelta

import pytest

from hackles.cli.times import since, until
from hackles.errors import UsageError

NOW = datetime(2026, 11, 22, 14, 30)


def test_a_day_begins_at_midnight_and_counts_to_its_end():
    assert since("2026-11-20", NOW) == datetime(2026, 11, 20).timestamp()
    assert until("2026-11-20", NOW) == datetime(2026, 11, 21).timestamp()


def test_an_hour_of_a_day_is_that_moment_for_both():
    for text in ("2026-11-20 09:15", "2026-11-20T09:15", " 2026-11-20 09:15 "):
        moment = datetime(2026, 11, 20, 9, 15).timestamp()
        assert since(text, NOW) == until(text, NOW) == moment


@pytest.mark.parametrize(
    ("text", "ago"),
    [("36h", timedelta(hours=36)), ("7d", timedelta(days=7)), ("2w", timedelta(weeks=2))],
)
def test_so_long_ago_is_counted_from_now(text, ago):
    assert since(text, NOW) == until(text, NOW) == (NOW - ago).timestamp()


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-13-01", "7", "7y", "22.11.2026", "9999w", "0001-01-01"]
)
def test_anything_else_is_said_to_be_no_date(text):
    with pytest.raises(UsageError, match="is no date; write it as in 2026-11-20"):
        since(text, NOW)
