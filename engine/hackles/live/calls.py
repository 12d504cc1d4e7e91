"""Calls that come and go, all in one bank: the customer's side of each."""

import math
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from hackles.bank import Bank
from hackles.capture.intake import Intake, Offer, Received, Refusal
from hackles.config import SAMPLE_RATE
from hackles.errors import UsageError
from hackles.live.news import (
    Begun,
    Ended,
    Forgotten,
    News,
    Refused,
    Registration,
    Session,
    Timed,
    Told,
)
from hackles.live.registry import Registry
from hackles.records import Timing
from hackles.turns import Turns
from hackles.types import AnyArray, Role

_LAST_S = 12.0
"""At the end, so much of what waits is still looked at, of each call."""

_TIMED_S = 5.0
"""How turns are timed is told so often while a call goes on, if anybody spoke."""


@dataclass(slots=True)
class _Call:
    """A call that is listened to, the way in by which it came, and what was told of its turns."""

    session: Session
    intake: Intake
    timed_at: float
    spoken_s: float = 0.0


class LiveCalls:
    """Which calls there are, and what is decided of each.

    How far behind a call is, its own audio tells: whenever nothing more of it waits, it is not
    behind; from then on it falls behind by what the clock goes ahead of its samples.
    """

    def __init__(
        self,
        bank: Bank,
        n_slots: int,
        intakes: Sequence[Intake],
        registry: Registry | None = None,
        *,
        behind_s: float = 2.0,
        withdraw_digit: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Say where calls come in, and where they are listened to.

        Args:
            bank: the engine.
            n_slots: how many calls it has room for.
            intakes: the ways in.
            registry: what the telephone system said of calls.
            behind_s: of a call further behind than this, the oldest audio is dropped.
            withdraw_digit: the key with which a caller withdraws consent, or "".
            clock: seconds from any start.
        """
        self.withdraw_digit = withdraw_digit
        self.behind_s = 0.0
        self.lost = self.dropped = self.heard = 0
        self._bank, self._intakes, self._most_behind_s = bank, tuple(intakes), behind_s
        self._registry = registry or Registry()
        self._clock = clock
        self._calls: dict[int, _Call] = {}
        self._slots: dict[str, int] = {}
        self._began: AnyArray = np.zeros(n_slots)
        self._behind: AnyArray = np.zeros(n_slots)
        self._news: list[News] = []

    def __len__(self) -> int:
        """Return how many calls there are."""
        return len(self._calls)

    def tick(self) -> list[News]:
        """Take in what has come, and return what happened."""
        self._take_in()
        news, self._news = self._news, []
        return news

    def withdraw(self, call: str) -> None:
        """Stop listening to a call at once, for good, and forget all of it."""
        self._registry.withdraw(call)
        self._forget(call)

    def register(self, registration: Registration) -> None:
        """Take in what is said of a call; one that is under way may no longer be heard."""
        self._registry.add(registration)
        for call in registration.barred:
            self._forget(call)

    def close(self) -> list[News]:
        """Take in what waits, hang up on everybody and return what was left to say."""
        for _ in range(math.ceil(_LAST_S * SAMPLE_RATE / self._bank.max_samples)):
            if not self._take_in():
                break
        for intake in self._intakes:
            intake.close()
        for slot in tuple(self._calls):
            self._end(slot)
        news, self._news = self._news, []
        return news

    def _take_in(self) -> int:
        """Take in what has come, decide, and return how many samples it was."""
        count = 0
        ended: list[int] = []
        timed: dict[int, Turns] = {}
        now = self._clock()
        for intake in self._intakes:
            received = intake.receive(partial(self._open, intake))
            count += len(received.samples)
            self._hear(received)
            self._see_behind(intake, received, now)
            for slot, digit in received.digits:
                if digit == self.withdraw_digit and slot in self._calls:  # it may come twice
                    self.withdraw(self._calls[slot].session.call)
            ended += [slot for slot in received.ended if slot in self._calls]
            timed |= received.turns
        self.behind_s = float(self._behind.max(initial=0.0))
        self._decide()
        for slot in timed.keys() - set(ended):
            self._time(slot, timed[slot], now)
        for slot in ended:
            self._end(slot, timed.get(slot))
        return count

    def _hear(self, received: Received) -> None:
        """Give what came to the bank."""
        if received.lost is not None:
            for at in np.flatnonzero(received.lost).tolist():
                self._bank.skip(int(received.slots[at]), int(received.lost[at]))
            self.lost += int(received.lost.sum())
            # Of these, what the network lost is no fault of ours, and no worker mends it.
            dropped = self._behind[received.slots] > self._most_behind_s
            self.dropped += int(received.lost[dropped].sum())
        self._bank.receive(received.slots, received.counts, received.samples)
        self.heard += len(received.samples)

    def _see_behind(self, intake: Intake, received: Received, now: float) -> None:
        """Note how far behind each call is, and let the oldest audio go where it is too far."""
        slots = received.slots
        heard_s = self._bank.heard_all(slots) / SAMPLE_RATE
        if received.drained is None:
            self._began[slots], self._behind[slots] = now - heard_s, 0.0
            return
        began = np.where(received.drained, now - heard_s, self._began[slots])
        self._began[slots] = began
        self._behind[slots] = now - heard_s - began
        late = slots[self._behind[slots] > self._most_behind_s]
        if len(late):
            intake.skip(late.tolist())

    def _decide(self) -> None:
        """Tick the bank, and note what it decided of calls that may still be heard."""
        decided = list(self._bank.tick().events())
        now = self._clock()
        for slot, event in decided:
            call = self._calls.get(slot)
            if call is not None:
                delay_s = now - float(self._began[slot]) - event.time
                self._news.append(Told(call.session.id, event, delay_s))

    def _time(self, slot: int, turns: Turns, now: float) -> None:
        """Tell now and then how the turns of a call are timed."""
        call = self._calls.get(slot)
        spoken_s = turns.customer_s + turns.agent_s
        if call is None or now - call.timed_at < _TIMED_S or spoken_s == call.spoken_s:
            return
        call.timed_at, call.spoken_s = now, spoken_s
        timing = _timing(self._bank.heard(slot) / SAMPLE_RATE, turns)
        self._news.append(Timed(call.session.id, timing))

    def _open(self, intake: Intake, offer: Offer) -> int | None:
        """Give a call a slot, if it may be heard and there is one."""
        known = self._registry.known(offer)
        reason = self._registry.refusal(known)
        if reason is None and known.call in self._slots:
            reason = Refusal.DUPLICATE
        if reason is None:
            try:
                slot = self._bank.open(Role.CUSTOMER)
            except UsageError:
                reason = Refusal.NO_ROOM
        if reason is not None:
            self._news.append(Refused(known.call, reason))
            return None
        session = Session(
            secrets.token_hex(6),
            known.call,
            known.queue,
            known.agent,
            known.consent,
            known.customer,
        )
        self._calls[slot], self._slots[known.call] = (
            _Call(session, intake, self._clock()),
            slot,
        )
        self._began[slot], self._behind[slot] = self._clock(), 0.0
        self._news.append(Begun(session))
        return slot

    def _forget(self, call: str) -> None:
        """Hear a call no longer, if it is under way; nothing of it is told any more."""
        slot = self._slots.get(call)
        if slot is not None:
            self._calls[slot].intake.forget(slot)
            self._close(slot)
            self._news.append(Forgotten(call))

    def _end(self, slot: int, turns: Turns | None = None) -> None:
        """Say what is left to say of a call, and forget it."""
        session = self._calls[slot].session.id
        delay_s = max(self._clock() - float(self._began[slot]), 0.0)
        for _, event in self._bank.flush(slot).events():
            self._news.append(Told(session, event, delay_s - event.time))
        duration_s = self._bank.heard(slot) / SAMPLE_RATE
        timing = _timing(duration_s, turns) if turns else None
        self._news.append(Ended(session, duration_s, self._bank.speech_s(slot), timing))
        self._close(slot)

    def _close(self, slot: int) -> None:
        """Forget a call."""
        del self._slots[self._calls.pop(slot).session.call]
        self._behind[slot] = 0.0
        self._bank.close(slot)


def _timing(duration_s: float, turns: Turns) -> Timing:
    return Timing(
        round(duration_s, 4),
        round(turns.customer_s, 2),
        round(turns.agent_s, 2),
        round(turns.talk_over_s, 2),
        turns.hears_customer,
    )
