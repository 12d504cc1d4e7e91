"""The agent's line, where calls of [device] are told: which call is on it, and is it heard."""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, count

from hackles.errors import UsageError
from hackles.live.news import CallBegins, CallEnds, Order, Registration
from hackles.settings import Device
from hackles.types import Role

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _OnLine:
    """A call that goes on for the softphone, whether or not it is heard."""

    said: Registration
    is_heard: bool = False


class Line:
    """One call at most; the workers are ordered to hear it once it may be heard.

    A call whose caller does not agree, or no longer does, stays on the line unheard until it ends:
    what the softphone says next of it is then no fault.
    """

    def __init__(
        self,
        section: Device | None,
        order: Callable[[Order], None],
        withdraw: Callable[[str], None],
        has_withdrawn: Callable[[str], bool],
        clock: Callable[[], time.struct_time] = time.localtime,
        on_held: Callable[[bool], None] = lambda _: None,
    ) -> None:
        """Begin with no call.

        Args:
            section: [device], if there is one.
            order: asks all workers for something.
            withdraw: listens to a call no longer, and deletes what is kept of it.
            has_withdrawn: whether a call's caller withdrew consent.
            clock: the local time.
            on_held: is told whether a call is on the line that is heard once its caller agrees.
        """
        self._on_held = on_held
        self._section, self._order, self._clock = section, order, clock
        self._withdraw, self._has_withdrawn = withdraw, has_withdrawn
        self._on: _OnLine | None = None
        self._made = ""

    @property
    def call(self) -> str:
        """The name of the call that is on the line, or ""."""
        return self._on.said.call if self._on else ""

    def begin(
        self,
        call: str = "",
        *,
        queue: str = "",
        agent: str = "",
        customer: str = "",
        consent: bool | None = None,
    ) -> str:
        """Take a call onto the line and return its name.

        Args:
            call: its name; "" makes one.
            queue: in which it waited, or "".
            agent: who has it; "" for the section's agent.
            customer: the customer's number, or "".
            consent: whether the caller agreed; None where that was not said.

        Raises:
            UsageError: if no call can begin now, and why.
        """
        section = self._told()
        if self._on:
            raise UsageError(
                f"The call {self.call} is under way on this device; end it first "
                "(`hackles call end`)."
            )
        if call and self._has_withdrawn(call):
            raise UsageError(
                f"The caller of {call} withdrew consent; give another call another name."
            )
        name = call or self._name(section.call)
        agent = agent or section.agent
        said = Registration(name, name, Role.CUSTOMER, queue, agent, consent, customer)
        self._on = _OnLine(said)
        if consent is False:
            self._withdraw(name)
        elif section.wait_for_consent and not consent:
            _log.info("Call %r is on the line; it is heard once its caller agrees.", name)
            self._on_held(True)
        else:
            self._hear(self._on)
        return name

    def end(self, call: str = "") -> Registration:
        """Let the call go, and return what was said of it.

        Raises:
            UsageError: if there is none, or it is another one.
        """
        on = self._meant(call)
        self._on = None
        self._on_held(False)
        if on.is_heard:
            self._order(CallEnds(on.said.call))
        return on.said

    def agree(self, call: str = "") -> str:
        """Note that the caller agrees: the call is heard from now on; return its name.

        Raises:
            UsageError: if there is none, it is another one, or consent was withdrawn.
        """
        on = self._meant(call)
        name = on.said.call
        if self._has_withdrawn(name):
            raise UsageError("This caller withdrew consent; within a call it is not given again.")
        on.said = replace(on.said, consent=True)
        if not on.is_heard:
            self._hear(on)
        return name

    def refuse(self, call: str = "") -> str:
        """Withdraw the caller's consent, and return the call's name; it may be over.

        Raises:
            UsageError: if no call is named and there is none.
        """
        name = call or self._meant("").said.call
        self._withdraw(name)
        return name

    def forget(self, call: str) -> None:
        """Keep no number of a customer who does not agree."""
        if self._on and self.call == call:
            self._on.said = replace(self._on.said, consent=False, customer="")
            self._on_held(False)

    def standing(self) -> Iterator[Order]:
        """Yield what a worker that is started again must know."""
        if self._on and self._on.is_heard and not self._has_withdrawn(self.call):
            yield CallBegins(self._on.said)

    def _hear(self, on: _OnLine) -> None:
        on.is_heard = True
        self._on_held(False)
        self._order(CallBegins(on.said))

    def _meant(self, call: str) -> _OnLine:
        self._told()
        if self._on is None:
            raise UsageError("No call is under way on this device.")
        if call not in ("", self.call):
            raise UsageError(f"The call {call} is not under way on this device; {self.call} is.")
        return self._on

    def _told(self) -> Device:
        """Return the section, if calls are told."""
        if self._section is None:
            raise UsageError(
                "The settings have no section [device], so no call can begin here; "
                "`hackles config example` shows it."
            )
        if self._section.calls != "told":
            raise UsageError(
                'Calls of [device] begin and end by the sound; set calls = "told" there to tell '
                "of them."
            )
        return self._section

    def _name(self, prefix: str) -> str:
        """Return a name by the local time that no other call has."""
        begun = f"{prefix}-{time.strftime('%Y%m%d-%H%M%S', self._clock())}"
        names = chain([begun], (f"{begun}-{number}" for number in count(2)))
        # A second or, in autumn, an hour may come twice; who withdrew then is another caller.
        self._made = next(name for name in names if not self._is_taken(name))
        return self._made

    def _is_taken(self, name: str) -> bool:
        is_last = name == self._made or self._made.startswith(f"{name}-")
        return is_last or self._has_withdrawn(name)
