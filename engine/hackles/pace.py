"""Audio at the pace at which it is spoken: a recording played as a call, and the engine's tick."""

import time
from collections.abc import Callable, Iterable, Iterator

from hackles.config import SAMPLE_RATE
from hackles.types import Block

TICK_S = 0.1
"""What the engine looks at together in live calls, where many come in."""

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
    period_s: float = TICK_S,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> Iterator[float]:
    """Yield the time at which each tick was due, when it is.

    A tick that takes too long is followed at once by the next; those missed are left out. Who wakes
    up early ticks at once, and then a whole period later.

    Args:
        period_s: from one to the next.
        clock: seconds from any start.
        sleep: waits for so many seconds, or less if there is a reason to tick.
    """
    due = clock()
    while True:
        sleep(max(0.0, due - clock()))
        began = min(due, clock())
        yield began
        due = max(began + period_s, clock())
