"""Customers' answers, and all that is given out of a call: on either database."""

import pytest

from hackles.settings import Store
from hackles.store.answers import Answer
from hackles.store.export import document
from hackles.store.satisfaction import Taken, take
from hackles.store.search import Wanted, calls
from hackles.store.verifying import verify
from tests.store.asked import write_calls


@pytest.fixture
def filled(database):
    """The record of `asked`, on either database."""
    write_calls(database)
    return database


def test_answers_are_taken_once_and_only_of_calls_that_are_kept(filled):
    answers = [Answer(f"c-100{number % 4}", 0.5, "3 of 1 to 5", "") for number in range(1200)]
    assert take(filled, answers, "mail") == Taken(new=3, known=897, unknown=300)
    assert take(filled, answers, "mail") == Taken(new=0, known=900, unknown=300)
    assert take(filled, answers[:4], "sms") == Taken(new=3, known=0, unknown=1)
    assert verify(filled).faults == []


def test_the_latest_answer_is_told_of_the_last_session_of_its_call(filled):
    take(filled, [Answer("c-1003", 0.25, "2 of 1 to 5", "")], "")
    take(filled, [Answer("c-1003", 1.0, "5 of 1 to 5", "")], "")
    found = {one.session: one.satisfaction for one in calls(filled, Wanted(call="c-1003"))}
    assert found == {"c0ffee000003": None, "c0ffee000004": 1.0}


def test_what_is_given_out_says_what_the_tables_say(filled):
    given = document(filled, Store(), filled.names.call("c-1001"))
    (session,) = given["sessions"]
    assert (session["warnings"], session["consent"], session["satisfaction"]) == (1, True, 0.75)
    assert session["readings"][2] == {
        "time": 7.25,
        "irritation": 0.4,
        "arousal": 0.5,
        "confidence": 0.9,
    }
    assert [len(session[name]) for name in ("alerts", "notes", "outcomes", "gaps")] == [2, 1, 1, 1]
    assert not {"key", "id", "digest", "link"} & set(session)
