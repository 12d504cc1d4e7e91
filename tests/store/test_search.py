"""Asking the record which calls there were."""

import pytest

from hackles.errors import UsageError
from hackles.settings import Store
from hackles.store.database import open_database
from hackles.store.search import Wanted, calls, earlier, named, of_customer, sessions
from tests.store.asked import CUSTOMER, DAY_S, NOON, Told, write, write_calls

SESSIONS = ["00dd00dd0005", "c0ffee000004", "c0ffee000003", "81b0aa770002", "3fa9c1d20001"]
"""All there are, the newest first."""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request, tmp_path_factory):
    """The record of `asked`, on either database."""
    is_file = request.param == "sqlite"
    url = "" if is_file else request.getfixturevalue("server").database()
    folder = tmp_path_factory.mktemp("asked") / "record"
    database = open_database(Store(folder=str(folder), database=url))
    write_calls(database)
    yield database
    database.close()


@pytest.fixture
def asked(database):
    """Return the sessions of the calls that are wanted."""
    return lambda **wanted: [one.session for one in calls(database, Wanted(**wanted))]


def test_without_a_wish_all_calls_are_told_the_newest_first(asked):
    assert asked() == SESSIONS
    assert asked(limit=2) == SESSIONS[:2]


@pytest.mark.parametrize(
    ("wanted", "places"),
    [
        ({"since": NOON - DAY_S}, [0, 1, 2]),
        ({"until": NOON - DAY_S}, [3, 4]),
        ({"since": NOON - 2 * DAY_S, "until": NOON - 2 * DAY_S + 60}, [4]),
        ({"queue": "sales"}, [3]),
        ({"queue": "billing"}, [0, 2, 4]),
        ({"agent": "a8"}, [2, 3]),
        ({"agent": "a"}, []),
        ({"is_warned": True}, [1, 4]),
        ({"result": "promised"}, [4]),
        ({"result": "unresolved"}, []),
        ({"call": "c-1003"}, [1, 2]),
        ({"call": "c0ffee00"}, [1, 2]),
        ({"call": "C0FFEE000004"}, [1]),
        ({"call": "c0ffee0"}, []),
        ({"call": "%"}, []),
        ({"customer": "0048 (22) 123-45-67"}, [0, 1, 2, 4]),
        ({"customer": "sip:+48221234567@example.org"}, [0, 1, 2, 4]),
        ({"customer": "-"}, []),
        ({"queue": "billing", "is_warned": True, "customer": CUSTOMER, "limit": 1}, [4]),
    ],
)
def test_each_wish_leaves_out_the_others(asked, wanted, places):
    assert asked(**wanted) == [SESSIONS[place] for place in places]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("refund", [4]),
        ("FAKTURA sie nie", [4]),
        ("zlé", [4]),
        ("100 %", [4]),
        ("telefono mas", [1]),
        ("e", [1, 4]),
        ("refund telefono", []),
        ("text", []),  # the key of a note is not what somebody wrote
        ("ended_by_rule", []),
    ],
)
def test_words_are_sought_in_notes_and_outcomes_whatever_their_accents(asked, text, places):
    assert asked(words=tuple(text.split())) == [SESSIONS[place] for place in places]


def test_words_and_a_limit_and_a_filter_hold_together(asked):
    assert asked(words=("e",), limit=1) == [SESSIONS[1]]
    assert asked(words=("e",), agent="a7") == [SESSIONS[4]]


def test_a_session_says_what_became_of_it(database):
    under_way, _, _, calm, promised = calls(database, Wanted())
    assert (promised.begun_at, promised.duration_s) == (NOON - 2 * DAY_S, 95.0)
    assert (promised.warnings, promised.peak) == (1, "irritated")
    assert (promised.result, promised.satisfaction) == ("promised", 0.75)
    assert (calm.warnings, calm.peak, calm.result, calm.satisfaction) == (0, "calm", "", None)
    assert (under_way.ended_at, under_way.duration_s, under_way.warnings) == (None, None, None)


def test_a_call_is_named_by_its_name_or_by_how_a_session_of_it_begins(database):
    digest = database.names.call("c-1003")
    for text in ("c-1003", "c0ffee00", "c0ffee000003"):
        assert named(database, text) == [digest]
    assert named(database, "c-9") == named(database, "c0ffee") == named(database, "") == []
    assert [one.session for one in sessions(database, [digest])] == SESSIONS[1:3]


def test_a_name_goes_before_a_session_that_begins_so(tmp_path):
    database = open_database(Store(folder=str(tmp_path / "record")))
    told = [Told("c0ffee00", "aaaaaaaa0001"), Told("x", "c0ffee000003"), Told("y", "c0ffee110003")]
    told.append(Told("z", "c0ffee110004"))
    write(database, *(one.begin(database.names) for one in told))
    assert named(database, "c0ffee00") == [database.names.call("c0ffee00")]
    with pytest.raises(UsageError, match="Sessions of 2 calls begin with c0ffee11000"):
        named(database, "c0ffee11000")
    database.close()


def test_a_customer_s_calls_are_found_however_the_number_is_written(database):
    wanted = {database.names.call(name) for name in ("c-1001", "c-1003", "c-1004")}
    for number in (CUSTOMER, "tel:0048221234567", "<sip:+48 22 123 45 67@pbx;user=phone>"):
        assert set(of_customer(database, number)) == wanted
    assert of_customer(database, "+48 22 123 45 68") == of_customer(database, "") == []


def test_earlier_outcomes_of_a_customer_are_told_without_scores_or_states(database):
    customer = database.names.customer(CUSTOMER)
    last, first = earlier(database, customer, "00dd00dd0005")
    assert (first.result, first.what) == ("promised", "Refund of order 1182 was late")
    assert (first.promised, first.by_when) == ("refund, and a call back", "Friday")
    assert (last.result, last.at) == ("ended_by_rule", NOON - DAY_S + 850)
    assert set(first.__slots__) == {"at", "result", "what", "promised", "by_when"}


def test_a_call_s_own_outcome_is_no_earlier_one(database):
    customer = database.names.customer(CUSTOMER)
    for session in ("c0ffee000003", "c0ffee000004"):
        assert [one.result for one in earlier(database, customer, session)] == ["promised"]
    assert len(earlier(database, customer, "not written yet")) == 2
    assert earlier(database, "", "00dd00dd0005") == []


def test_of_earlier_outcomes_the_last_five_calls_tell_each_its_latest(tmp_path):
    database = open_database(Store(folder=str(tmp_path / "record")))
    for number in range(7):
        told = Told(f"c-{number}", f"5e5510000000{number}", NOON + 1000 * number, customer=CUSTOMER)
        told.begin(database.names).write_down("unresolved", f"first word {number}").end()
        told.begun += 200
        write(database, told.write_down("resolved", f"last word {number}"))
    found = earlier(database, database.names.customer(CUSTOMER), "")
    assert [one.what for one in found] == [f"last word {number}" for number in (6, 5, 4, 3, 2)]
    database.close()
