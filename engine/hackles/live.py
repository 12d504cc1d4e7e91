"""Audio at the pace at which it was spoken.

So far this plays a recording as if it were a call; the daemon that takes real calls will stand
here too.
"""

import time
from collections.abc import Callable, Iterable, Iterator

from hackles.config import SAMPLE_RATE
from hackles.types import Block

_TICK_SAMPLES = SAMPLE_RATE // 10
"""A tenth of a second: what the engine looks at together in a live call."""


def paced(
    blocks: Iterable[Block],
    speed: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Block]:
    """Yield audio in ticks of at most a tenth of a second, each when it has been spoken.

    Args:
        blocks: of one party, in order.
        speed: how many times as fast as it was spoken; 1 is real time.
        clock: seconds from any start.
        sleep: waits for so many seconds.
    """
    begun = clock()
    for block in blocks:
        for at in range(0, len(block.samples), _TICK_SAMPLES):
            tick = block.part(at, at + _TICK_SAMPLES)
            spoken_s = (tick.start + len(tick.samples)) / SAMPLE_RATE
            sleep(max(0.0, spoken_s / speed - (clock() - begun)))
            yield tick
