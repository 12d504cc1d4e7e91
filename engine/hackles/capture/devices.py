"""What is played to the agent at this machine: one call after the other; an `Intake`.

Calls begin and end where the softphone says so, or else where the sound shows it.
"""

import math
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from hackles.capture.agent_side import AgentSide
from hackles.capture.bare import Gathered
from hackles.capture.intake import Offer, OpenCall, Received, Troubles
from hackles.capture.tap import Ear, Sound, Tap
from hackles.capture.trail import Trail
from hackles.config import SAMPLE_RATE
from hackles.conversation import PREROLL_S, Begins, Conversation, Ends
from hackles.settings import Device
from hackles.turns import Turns
from hackles.types import Role

_PATIENCE_S: Final = 1.5
"""So long the end of a call waits for its last sound to be confirmed."""

_KEPT: Final = round((PREROLL_S + 2 * _PATIENCE_S) * SAMPLE_RATE)
"""What is kept while there is no call: one begins in the past."""


class Ears(Protocol):
    """What hears the devices."""

    @property
    def customer(self) -> Sound:
        """Where the customer is heard."""

    @property
    def agent(self) -> Sound | None:
        """The agent's microphone, if turns are to be timed by it."""

    @property
    def unheard(self) -> str:
        """Why the customer is not heard now, for people; "" if it is."""

    def check(self) -> None:
        """Do nothing as long as it listens, or looks for what it is to listen to."""

    def close(self) -> None:
        """Stop listening."""


@dataclass(frozen=True, slots=True)
class _Mark:
    """Where a call begins (with what is known of it), or where the one before ends."""

    position: int
    offer: Offer | None = None


@dataclass(frozen=True, slots=True)
class _Told:
    """What the softphone said, and when."""

    at: float
    offer: Offer | None = None


class Devices:
    """The way in for [device].

    Attributes:
        troubles: what went wrong since somebody last cleared it.
    """

    def __init__(
        self,
        device: Device,
        max_samples: int,
        ears: Ears | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin to listen.

        Args:
            device: what to.
            max_samples: the most samples of one call to hand over in a tick.
            ears: what hears it; the sound server's if None.
            clock: seconds, as the ears count them.
        """
        self.troubles: Troubles = Counter()
        self._device, self._max_samples, self._clock = device, max_samples, clock
        self._ears: Ears = ears or Tapped(device)
        self._agent = AgentSide(self._ears.agent) if self._ears.agent else None
        self._conversation = Conversation(device.silence_s) if device.calls == "sound" else None
        self._trail = Trail(self._ears.customer.until)
        self._told: deque[_Told] = deque()
        self._marks: deque[_Mark] = deque()
        self._call = self._named = ""
        self._n_named = 1
        self._slot: int | None = None
        self._cursor = self._given = 0
        self._is_to_skip = False

    @property
    def unheard(self) -> str:
        """See `Marked`."""
        return self._ears.unheard

    def begin(self, offer: Offer) -> None:
        """Take in that a call begins now; one that is under way is over."""
        now = self._clock()
        self._told += [_Told(now), _Told(now, offer)]

    def end(self, call: str) -> None:
        """Take in that a call is over now, if it is the newest."""
        offers = [mark.offer for mark in self._marks] + [told.offer for told in self._told]
        if call == [self._call, *(offer.call for offer in offers if offer)][-1]:
            self._told.append(_Told(self._clock()))

    def receive(self, open_call: OpenCall) -> Received:
        """Take in what has come since the last tick, calls that begin among it."""
        self._take_in()
        gathered = Gathered()
        if self._slot is not None:
            self._give(self._slot, gathered)
        else:
            while self._slot is None and self._marks:
                self._turn(self._marks.popleft(), open_call)
        if self._slot is None:
            self._cursor = self._trail.end - _KEPT
        timed = self._cursor
        if self._agent is not None:
            timed = self._agent.follow(self._trail, self._cursor, self._clock())
            if self._slot is not None and self._agent.turns is not None:
                gathered.time(self._slot, self._agent.turns)
        self._trail.trim(min(timed, self._cursor))
        return gathered.received

    def skip(self, slots: Sequence[int]) -> None:
        """Drop the oldest of what waits of these calls, at the next `receive`; tell it as lost."""
        self._is_to_skip = self._slot in slots

    def forget(self, slot: int) -> None:
        """Hand over no more of a call; what is played until it is over is forgotten."""
        if slot == self._slot:
            self._slot = None
            if self._agent is not None:
                self._agent.end()

    def close(self) -> None:
        """Listen no longer."""
        self._ears.close()

    def _take_in(self) -> None:
        """Take in what was heard, and mark where calls begin and end."""
        self._ears.check()
        for heard in self._ears.customer.take():
            lost = self._trail.append(heard)
            if self._conversation is not None:
                found = [*self._conversation.skip(lost), *self._conversation.push(heard.samples)]
                self._marks += [_Mark(one.position, self._offer_for(one)) for one in found]
        while self._told and self._is_heard_out(self._told[0].at, _PATIENCE_S):
            told = self._told.popleft()
            self._marks.append(_Mark(self._trail.position(told.at), told.offer))
        # Where the device stays away, no silence is heard either.
        if self._conversation is not None and self._call and not self._marks:
            gone = self._trail.end_s + self._device.silence_s
            if self._clock() > gone + _PATIENCE_S:
                self._marks.append(_Mark(self._trail.position(gone)))

    def _is_heard_out(self, at: float, patience_s: float) -> bool:
        """Return whether all sound up to a moment has come, or will not come any more."""
        return self._trail.end_s >= at or self._clock() > at + patience_s

    def _offer_for(self, found: Begins | Ends) -> Offer | None:
        if isinstance(found, Ends):
            return None
        begun = f"{self._device.call}-{time.strftime('%Y%m%d-%H%M%S')}"
        # In autumn an hour comes twice, and no two calls may have one name.
        self._n_named = self._n_named + 1 if begun <= self._named else 1
        self._named = max(begun, self._named)
        name = begun if self._n_named == 1 else f"{begun}-{self._n_named}"
        return Offer(name, role=Role.CUSTOMER, agent=self._device.agent)

    def _turn(self, mark: _Mark, open_call: OpenCall) -> None:
        """Begin a call, or note that one that was not heard is over."""
        if mark.offer is None:
            self._call = ""
            return
        # What one call was given is not given to another.
        self._call, self._cursor = mark.offer.call, max(mark.position, self._given)
        self._slot = open_call(mark.offer)
        if self._agent is not None:
            self._agent.begin(self._cursor)

    def _give(self, slot: int, gathered: Gathered) -> None:
        """Hand over what is next of the call under way, and end it where it ends."""
        until = max(self._marks[0].position if self._marks else self._trail.end, self._cursor)
        skipped = max(0, until - self._max_samples - self._cursor) if self._is_to_skip else 0
        self._is_to_skip = False
        lost, samples = self._trail.read(self._cursor + skipped, self._max_samples, until)
        lost += skipped
        self._cursor = self._given = self._cursor + lost + len(samples)
        gathered.add(slot, samples, lost, self._cursor >= self._trail.end)
        if self._marks and self._cursor >= until:
            gathered.end(slot, self._timed())
            self._call, self._slot = "", None
            if self._marks[0].offer is None:
                self._marks.popleft()

    def _timed(self) -> Turns | None:
        """Return how the turns of the call that ends were timed, if they were."""
        if self._agent is None:
            return None
        self._agent.follow(self._trail, self._cursor, math.inf)
        return self._agent.end()


class Tapped:
    """The devices that the settings name, on a thread of their own; `Ears`."""

    def __init__(self, device: Device) -> None:
        """Begin to listen.

        Args:
            device: which.
        """
        self.customer = Ear(device.output or device.customer_microphone, bool(device.output))
        self.agent = Ear(device.agent_microphone, False) if device.agent_microphone else None
        self._tap = Tap([ear for ear in (self.customer, self.agent) if ear is not None])

    @property
    def unheard(self) -> str:
        """See `Ears`."""
        why = self.customer.unheard
        return f"{self.customer.name} is not heard. {why}" if why else ""

    def check(self) -> None:
        """See `Ears`."""
        self._tap.check()

    def close(self) -> None:
        """See `Ears`."""
        self._tap.close()
