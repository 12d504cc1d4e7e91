"""Of a softphone's calls the one that the agent hears is on the line, and no colleague's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hackles.live.softphones.handset import GRACE_S, Handset, PhoneCall, number_of
from tests.test_call_line import WAITING, Office

A = PhoneCall("1", "sip:+49301@pbx", "a", is_dialled=False)
B = PhoneCall("2", "sip:+49302@pbx", "b", is_dialled=False)
COLLEAGUE = PhoneCall("3", "sip:204@pbx", "c", is_dialled=True)


def held(call):
    return PhoneCall(call.key, call.peer, call.id, call.is_dialled, is_held=True)


class Desk:
    """A handset on an office's line."""

    def __init__(self, *section):
        self.office = Office(*section)
        self.handset = Handset(self.office.line, "call")

    def heard_after(self, *calls):
        self.handset.become(calls)
        return self.office.heard()


def test_a_call_is_heard_from_its_beginning_to_its_end():
    desk = Desk()
    assert desk.heard_after(A) == "call-a"
    assert desk.office.orders[0].registration.customer == "+49301"
    assert desk.heard_after(A) == "call-a"
    assert desk.heard_after() is None
    assert len(desk.office.orders) == 2


def test_of_two_callers_the_later_is_heard_and_then_the_first_again():
    desk = Desk()
    desk.heard_after(A)
    assert desk.heard_after(held(A), B) == "call-b"
    assert desk.heard_after(A, held(B)) == "call-a"
    assert desk.heard_after(held(A), B) == "call-b"
    assert desk.heard_after(A) == "call-a"


def test_a_call_on_hold_stays_the_same_call():
    desk = Desk()
    desk.heard_after(A)
    assert desk.heard_after(held(A)) == "call-a"
    assert desk.heard_after(A) == "call-a"
    assert len(desk.office.orders) == 1


def test_a_colleague_whom_the_agent_asks_is_never_heard():
    desk = Desk()
    desk.heard_after(A)
    assert desk.heard_after(held(A), COLLEAGUE) is None
    assert desk.heard_after(A, COLLEAGUE) is None  # all three together
    assert desk.heard_after(A, held(COLLEAGUE)) == "call-a"
    assert desk.heard_after(COLLEAGUE) is None
    assert desk.heard_after() is None


def test_a_customer_whom_the_agent_calls_is_heard():
    assert Desk().heard_after(COLLEAGUE) == "call-c"


def test_consent_that_was_given_holds_when_the_call_is_taken_up_again():
    desk = Desk(WAITING)
    assert desk.heard_after(A) is None
    desk.office.line.agree()
    assert desk.office.heard() == "call-a"
    assert desk.heard_after(held(A), B) is None  # another caller, who was not asked
    assert desk.heard_after(A) == "call-a"


def test_a_caller_who_withdrew_is_not_heard_when_the_call_is_taken_up_again():
    desk = Desk()
    desk.heard_after(A)
    desk.office.withdraw("call-a")
    assert desk.heard_after(held(A), B) == "call-b"
    assert desk.heard_after(A) is None
    assert desk.heard_after() is None


def test_a_call_that_was_ended_by_hand_stays_ended():
    desk = Desk()
    desk.heard_after(A)
    desk.office.line.end()
    assert desk.heard_after(A) is None
    assert desk.heard_after() is None
    assert desk.heard_after(B) == "call-b"


def test_a_call_that_was_begun_by_hand_goes_first():
    desk = Desk()
    desk.office.line.begin("by hand")
    assert desk.heard_after(A) == "by hand"
    assert desk.heard_after() == "by hand"


def test_a_softphone_that_is_gone_for_a_moment_keeps_its_call():
    desk = Desk()
    desk.heard_after(A)
    for now in (10.0, 10.9 + GRACE_S / 2):
        desk.handset.away(now)
        assert desk.office.heard() == "call-a"
    assert desk.heard_after(A) == "call-a"
    desk.handset.away(20.0)
    assert desk.office.heard() == "call-a"
    desk.handset.away(20.0 + GRACE_S)
    assert desk.office.heard() is None


@pytest.mark.parametrize(
    ("uri", "number"),
    [
        ("sip:+4915112345@127.0.0.1:5080", "+4915112345"),
        ("<sips:alice;x=1:secret@pbx.example;transport=tls>", "alice"),
        ("tel:+49-30-1234;phone-context=x", "+49-30-1234"),
        ("sip:%2B49301@pbx", "+49301"),
        ("sip:anonymous@anonymous.invalid", ""),
        ("sip:pbx.example", ""),
        ("", ""),
    ],
)
def test_a_customer_is_known_by_the_number_not_by_the_way(uri, number):
    assert number_of(uri) == number


@given(st.text(), st.text())
def test_whatever_strangers_call_themselves_names_stay_legible(id_, peer):
    desk = Desk()
    desk.handset.become([PhoneCall("1", f"sip:{peer}@pbx", id_)])
    said = desk.office.orders[0].registration
    assert said.call.isascii()
    assert said.call.isprintable()
    assert not set(said.call) & set(" /")
    assert len(said.call) < 120
    assert said.customer.encode() is not None
    assert len(said.customer) <= 100


@given(st.lists(st.lists(st.sampled_from([A, B, COLLEAGUE, held(A), held(B), held(COLLEAGUE)]))))
def test_whatever_a_softphone_tells_its_line_has_what_it_still_has(states):
    desk = Desk()
    for calls in states:
        heard = desk.heard_after(*calls)
        assert heard is None or heard in {f"call-{call.id}" for call in calls}
    assert desk.heard_after() is None
    assert not desk.office.line.call
