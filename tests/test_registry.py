"""Who is who, and who may be heard."""

from hackles.capture.intake import Offer, Refusal
from hackles.live.news import Registration
from hackles.live.registry import Registry
from hackles.types import Role
from tests.test_pace import Clock


def test_a_call_that_nobody_registered_is_what_its_way_in_says():
    registry = Registry()
    known = registry.known(Offer("a", Role.CUSTOMER, "sales", "a7", True))
    assert known == Registration("a", "a", Role.CUSTOMER, "sales", "a7", True)
    assert registry.refusal(known) is None


def test_only_the_customer_may_be_heard():
    registry = Registry()
    for role in Role:
        reason = registry.refusal(registry.known(Offer("a", role)))
        assert (reason is None) == (role is Role.CUSTOMER)


def test_a_registered_agent_s_leg_is_not_heard_though_the_way_in_takes_it_for_the_customer_s():
    registry = Registry()
    registry.add(Registration("a", "a", Role.AGENT))
    assert registry.refusal(registry.known(Offer("a", Role.CUSTOMER))) is Refusal.ROLE


def test_withdrawal_holds_for_the_call_s_name_by_whatever_id_it_comes():
    registry = Registry()
    registry.add(Registration("uuid-1", "call 1", Role.CUSTOMER))
    registry.add(Registration("uuid-2", "call 1", Role.CUSTOMER))
    registry.withdraw("call 1")
    for name in ("uuid-1", "uuid-2"):
        assert registry.refusal(registry.known(Offer(name))) is Refusal.CONSENT


def test_of_a_caller_who_withdraws_the_number_is_not_kept():
    registry = Registry()
    registry.add(Registration("uuid-1", "call 1", Role.CUSTOMER, customer="+48 600 100 200"))
    registry.add(Registration("uuid-2", "call 2", Role.CUSTOMER, customer="+48 600 100 201"))
    registry.withdraw("call 1")
    registry.add(Registration("uuid-3", "call 1", Role.CUSTOMER, customer="+48 600 100 200"))
    assert [one.customer for one in registry] == ["", "+48 600 100 201", ""]


def test_a_call_s_names_are_its_own_and_those_by_which_it_comes():
    registry = Registry()
    registry.add(Registration("uuid-1", "call 1", Role.CUSTOMER))
    registry.add(Registration("uuid-2", "call 1", Role.AGENT))
    registry.add(Registration("uuid-3", "call 3", Role.CUSTOMER))
    for name in ("uuid-1", "uuid-2", "call 1"):
        assert registry.names(name) == ["call 1", "uuid-1", "uuid-2"]
    assert registry.names("nobody's") == ["nobody's"]


def test_who_is_registered_without_consent_has_not_consented_though_it_is_said_otherwise_later():
    registry = Registry()
    registry.add(Registration("uuid-1", "call 1", Role.CUSTOMER, consent=False))
    registry.add(Registration("uuid-1", "call 1", Role.CUSTOMER, consent=True))
    assert registry.has_withdrawn("call 1")
    assert registry.refusal(registry.known(Offer("uuid-1"))) is Refusal.CONSENT


def test_registrations_are_forgotten_after_half_a_day_and_are_bounded():
    clock = Clock()
    registry = Registry(clock)
    registry.add(Registration("old", "old", Role.CUSTOMER))
    registry.withdraw("old call")
    clock.now += 13 * 3600
    for number in range(20_001):
        registry.add(Registration(str(number), str(number), Role.CUSTOMER))
        registry.withdraw(str(number))
    names = [registration.id for registration in registry]
    assert len(names) == 20_000
    assert names[-1] == "20000"
    assert not registry.has_withdrawn("old call")
    assert registry.has_withdrawn("20000")
