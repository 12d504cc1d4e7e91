"""Audio at the pace at which it is spoken: a recording played as a call, and calls that come in."""

import time
from collections.abc import Callable, Iterable, Iterator

from hackles.bank import Bank
from hackles.capture.intake import Intake, Received
from hackles.config import SAMPLE_RATE
from hackles.errors import UsageError
from hackles.types import Block, Event, Role

TICK_S = 0.1
"""What the engine looks at together in a live call."""

_LAST_TICKS = 40
"""At the end, so much of what waits is still looked at: a dozen seconds of each call."""

_TICK_SAMPLES = round(TICK_S * SAMPLE_RATE)


def paced(
    blocks: Iterable[tuple[Block, Block | None]],
    speed: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[tuple[Block, Block | None]]:
    """Yield audio in ticks of at most a tenth of a second, each when it has been spoken.

    Args:
        blocks: the customer's and the agent's, in order, as `Recording.blocks` yields them.
        speed: how many times as fast as it was spoken; 1 is real time.
        clock: seconds from any start.
        sleep: waits for so many seconds.
    """
    begun = clock()
    for customer, agent in blocks:
        for at in range(0, len(customer.samples), _TICK_SAMPLES):
            tick = customer.part(at, at + _TICK_SAMPLES)
            spoken_s = (tick.start + len(tick.samples)) / SAMPLE_RATE
            sleep(max(0.0, spoken_s / speed - (clock() - begun)))
            yield tick, agent and agent.part(at, at + _TICK_SAMPLES)


def ticks(
    clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
) -> Iterator[float]:
    """Yield the time at which each tick was due, a tenth of a second apart, when it is.

    A tick that takes too long is followed at once by the next; those missed are left out.
    """
    due = clock()
    while True:
        sleep(max(0.0, due - clock()))
        yield due
        due = max(due + TICK_S, clock())


class LiveCalls:
    """Calls that come and go, all in one bank: the customer's side of each."""

    def __init__(self, bank: Bank, intake: Intake) -> None:
        """Say where calls come in, and where they are listened to."""
        self._bank, self._intake = bank, intake
        self._names: dict[int, str] = {}

    def tick(self) -> list[tuple[str, Event]]:
        """Take in what has come and return what was decided: the call's name, and the event."""
        return self._decide(self._intake.receive(self._open))

    def _decide(self, received: Received) -> list[tuple[str, Event]]:
        """Return what was decided on what was received."""
        self._bank.receive(received.slots, received.counts, received.samples)
        events = [(self._names[slot], event) for slot, event in self._bank.tick().events()]
        for slot in received.ended:
            events += self._end(slot)
        return events

    def close(self) -> list[tuple[str, Event]]:
        """Take in what waits, hang up on everybody and return what was left to say."""
        events = []
        for _ in range(_LAST_TICKS):
            received = self._intake.receive(self._open)
            events += self._decide(received)
            if not len(received.samples):
                break
        self._intake.close()
        return events + [event for slot in tuple(self._names) for event in self._end(slot)]

    def __len__(self) -> int:
        """Return how many calls there are."""
        return len(self._names)

    def _open(self, name: str) -> int | None:
        """Give a call a slot, if there is one."""
        try:
            slot = self._bank.open(Role.CUSTOMER)
        except UsageError:
            return None
        self._names[slot] = name
        return slot

    def _end(self, slot: int) -> list[tuple[str, Event]]:
        """Flush and forget a call."""
        name = self._names.pop(slot)
        events = [(name, event) for _, event in self._bank.flush(slot).events()]
        self._bank.close(slot)
        return events
