"""The agent's line: what is told of calls becomes orders, and nobody is heard who must not be."""

import time

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hackles.errors import UsageError
from hackles.live.crew import Crew
from hackles.live.daemon import Daemon
from hackles.live.line import Line
from hackles.live.news import CallBegins, CallEnds, Order, Registration, Withdrawn
from hackles.live.registry import Registry
from hackles.settings import Compliance, Device, Output, Settings
from hackles.types import Role

TOLD = Device(output="headset", calls="told", agent="a7")
WAITING = Device(output="headset", calls="told", wait_for_consent=True)
NOON = time.strptime("2026-03-01 12:00:00", "%Y-%m-%d %H:%M:%S")


class Office:
    """A line, and the registry beside it as in the daemon; orders are written down."""

    def __init__(self, section=TOLD):
        self.orders: list[Order] = []
        self.registry = Registry()
        self.held: list[bool] = []
        self.line = Line(
            section,
            self.orders.append,
            self.withdraw,
            self.registry.has_withdrawn,
            lambda: NOON,
            self.held.append,
        )

    def withdraw(self, call):
        self.registry.withdraw(call)
        self.line.forget(call)
        self.orders.append(Withdrawn(call))

    def heard(self):
        """Return what a worker hears that has had all these orders."""
        heard = None
        for order in self.orders:
            match order:
                case CallBegins(registration=registration):
                    heard = registration.call
                case CallEnds(call=call) | Withdrawn(call=call) if call == heard:
                    heard = None
        return heard


def test_what_is_told_of_a_call_comes_with_the_order_to_hear_it():
    office = Office()
    assert office.line.begin("c1", queue="sales", customer="+49 30 1") == "c1"
    said = Registration("c1", "c1", Role.CUSTOMER, "sales", "a7", None, "+49 30 1")
    assert office.orders == [CallBegins(said)]
    assert list(office.line.standing()) == office.orders
    assert office.line.end() == said
    assert office.orders[1:] == [CallEnds("c1")]
    assert not list(office.line.standing())


def test_a_call_without_a_name_gets_one_that_no_other_has():
    office = Office()
    names = []
    for _ in range(3):
        names.append(office.line.begin())
        office.line.end()
    assert names == ["call-20260301-120000", "call-20260301-120000-2", "call-20260301-120000-3"]


def test_a_name_whose_caller_withdrew_is_given_to_nobody_else():
    office = Office()
    office.withdraw("call-20260301-120000")
    assert office.line.begin() == "call-20260301-120000-2"
    office.line.end()
    with pytest.raises(UsageError, match="another name"):
        office.line.begin("call-20260301-120000")


def test_one_call_at_a_time():
    office = Office()
    office.line.begin("c1")
    with pytest.raises(UsageError, match="c1 is under way"):
        office.line.begin("c2")
    with pytest.raises(UsageError, match="c2 is not under way on this device; c1 is"):
        office.line.end("c2")
    office.line.end("c1")
    with pytest.raises(UsageError, match="No call is under way"):
        office.line.end()
    assert office.orders == [office.orders[0], CallEnds("c1")]


def test_nobody_is_heard_before_agreeing_where_that_is_asked():
    office = Office(WAITING)
    office.line.begin("c1")
    assert not office.orders
    assert not list(office.line.standing())
    assert office.line.agree() == "c1"
    (begins,) = office.orders
    assert begins.registration.consent
    assert list(office.line.standing()) == [begins]
    office.line.agree("c1")
    assert office.orders == [begins]


def test_a_call_that_nobody_agreed_to_ends_without_an_order():
    office = Office(WAITING)
    office.line.begin("c1")
    office.line.end("c1")
    assert not office.orders


@pytest.mark.parametrize("what", ["agree", "refuse", "end"])
def test_people_are_told_that_a_call_waits_for_consent_until_it_does_no_longer(what):
    office = Office(WAITING)
    office.line.begin("c1")
    assert office.held == [True]
    getattr(office.line, what)()
    assert office.held == [True, False]


def test_who_agreed_before_the_call_is_heard_at_once():
    office = Office(WAITING)
    office.line.begin("c1", consent=True)
    assert True not in office.held
    assert office.heard() == "c1"


@pytest.mark.parametrize("section", [TOLD, WAITING])
@pytest.mark.parametrize("when", ["before", "within"])
def test_who_does_not_agree_stays_on_the_line_unheard_and_without_a_number(section, when):
    office = Office(section)
    office.line.begin("c1", customer="+49 30 1", consent=when == "within")
    if when == "within":
        assert office.heard() == "c1"
        assert office.line.refuse() == "c1"
    assert office.heard() is None
    assert office.registry.has_withdrawn("c1")
    assert not list(office.line.standing())
    with pytest.raises(UsageError, match="not given again"):
        office.line.agree()
    said = office.line.end()
    assert (said.call, said.customer, said.consent) == ("c1", "", False)


def test_a_call_that_is_over_can_still_be_withdrawn_by_its_name():
    office = Office()
    office.line.begin("c1")
    office.line.end()
    office.line.refuse("c1")
    assert office.registry.has_withdrawn("c1")
    with pytest.raises(UsageError, match="No call is under way"):
        office.line.refuse()


@pytest.mark.parametrize(
    ("section", "sentence"),
    [(None, r"no section \[device\]"), (Device(output="headset"), 'calls = "told"')],
)
def test_without_a_device_whose_calls_are_told_it_is_said_what_to_do(section, sentence):
    line = Office(section).line
    for tell in (line.begin, line.end, line.agree, line.refuse):
        with pytest.raises(UsageError, match=sentence):
            tell()


class Telling(RuleBasedStateMachine):
    """Whatever is told in whatever order, only the call on the line is heard, if it may be."""

    def __init__(self):
        super().__init__()
        self.office = Office(WAITING)
        self.agreed = set()
        self.calls = 0

    @rule(consent=st.sampled_from([None, True, False]))
    def begin(self, consent):
        self.calls += 1
        try:
            name = self.office.line.begin(f"c{self.calls}", consent=consent)
        except UsageError:
            return
        self.agreed |= {name} if consent else set()

    @rule(number=st.integers(0, 9), tell=st.sampled_from(["end", "agree", "refuse"]))
    def tell(self, number, tell):
        name = f"c{number}" if number else ""
        try:
            done = getattr(self.office.line, tell)(name)
        except UsageError:
            return
        self.agreed |= {done} if tell == "agree" else set()

    @rule(number=st.integers(1, 9))
    def withdraw_elsewhere(self, number):
        self.office.withdraw(f"c{number}")

    @invariant()
    def only_who_agreed_is_heard(self):
        line, heard = self.office.line, self.office.heard()
        may = line.call in self.agreed and not self.office.registry.has_withdrawn(line.call)
        assert heard == (line.call if may else None)
        assert [order.registration.call for order in line.standing()] == [heard] * bool(heard)


TestTelling = Telling.TestCase
TestTelling.settings = settings(max_examples=60, stateful_step_count=20)


class Orders(Crew):
    """Workers that do nothing but write their orders down."""

    def __init__(self):
        self.orders = []

    def order(self, order):
        self.orders.append(order)


def test_a_worker_that_is_started_again_is_told_of_the_call_that_goes_on():
    settings = Settings(
        compliance=Compliance(notice="a test", basis="a test"),
        device=TOLD,
        output=Output(console=False),
    )
    daemon = Daemon(settings, lambda: settings)
    daemon._crew = crew = Orders()
    daemon._line.begin("c1", customer="+49 30 1")
    assert [order.registration.call for order in crew.orders] == ["c1"]
    assert crew.orders[0] in list(daemon._standing_orders())
    daemon.withdraw("c1")
    assert crew.orders[1:] == [Withdrawn("c1")]
    assert not [order for order in daemon._standing_orders() if isinstance(order, CallBegins)]
    daemon._line.end()
