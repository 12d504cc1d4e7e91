"""What the telephone system said of calls: who is who, and who may be heard."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import replace

from hackles.capture.intake import Offer, Refusal
from hackles.live.news import Registration
from hackles.types import Role

_MOST = 20_000
"""More calls than these do not wait at a time; the oldest are forgotten first."""

_KEPT_S = 12 * 3600.0


class Registry:
    """Registrations, and calls whose consent was withdrawn, for half a day."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with none."""
        self._clock = clock
        self._registrations: OrderedDict[str, tuple[float, Registration]] = OrderedDict()
        self._withdrawn: OrderedDict[str, float] = OrderedDict()
        self._numbered: set[str] = set()  # ids of registrations that have a customer's number

    def add(self, registration: Registration) -> None:
        """Take in a registration; a second one of the same id takes the first one's place."""
        self._registrations.pop(registration.id, None)
        self._registrations[registration.id] = self._clock(), registration
        if registration.customer:
            self._numbered.add(registration.id)
        if registration.consent is False or self.has_withdrawn(registration.call):
            self.withdraw(registration.call)
        self._expire()

    def withdraw(self, call: str) -> None:
        """Note that a caller does not consent: no connection of the call is heard again.

        Nor is the caller's number kept.
        """
        self._withdrawn.pop(call, None)
        for id_ in list(self._numbered):
            added, one = self._registrations[id_]
            if call in (id_, one.call):
                self._registrations[id_] = added, replace(one, customer="")
                self._numbered.discard(id_)
        self._withdrawn[call] = self._clock()
        self._expire()

    def has_withdrawn(self, call: str) -> bool:
        """Return whether the caller withdrew consent."""
        return call in self._withdrawn

    def name(self, call: str) -> str:
        """Return the name by which a call is told, given that or the id by which it comes."""
        said = self._registrations.get(call)
        return said[1].call if said else call

    def names(self, call: str) -> list[str]:
        """Return all names of a call, given one: its own, and those by which it comes."""
        own = self.name(call)
        return sorted({call, own, *(one.id for one in self if one.call == own)})

    def withdrawn(self) -> list[str]:
        """Return the calls whose callers withdrew consent."""
        return list(self._withdrawn)

    def __iter__(self) -> Iterator[Registration]:
        """Yield all registrations, the oldest first."""
        return iter([registration for _, registration in self._registrations.values()])

    def known(self, offer: Offer) -> Registration:
        """Return what is known of a call that begins: what was registered goes before the wire."""
        said = self._registrations.get(offer.call)
        if said is None:
            return Registration(
                offer.call,
                offer.call,
                offer.role,
                offer.queue,
                offer.agent,
                offer.consent,
                offer.customer,
            )
        registration = said[1]
        return Registration(
            offer.call,
            registration.call,
            registration.role,
            registration.queue or offer.queue,
            registration.agent or offer.agent,
            # Of two answers the one that protects the caller counts.
            False if offer.consent is False else registration.consent,
            registration.customer or offer.customer,
        )

    def refusal(self, known: Registration) -> Refusal | None:
        """Return why a call must not be heard, if so."""
        if known.role is not Role.CUSTOMER:
            return Refusal.ROLE
        if known.consent is False or self.has_withdrawn(known.call):
            return Refusal.CONSENT
        return None

    def _expire(self) -> None:
        oldest = self._clock() - _KEPT_S
        while self._registrations:
            added, _ = next(iter(self._registrations.values()))
            if added > oldest and len(self._registrations) <= _MOST:
                break
            id_, _ = self._registrations.popitem(last=False)
            self._numbered.discard(id_)
        while self._withdrawn and (
            len(self._withdrawn) > _MOST or next(iter(self._withdrawn.values())) <= oldest
        ):
            self._withdrawn.popitem(last=False)
