"""Audio at the pace at which it was spoken.

So far this plays a recording as if it were a call; the daemon that takes real calls will stand
here too.
"""

import time
from collections.abc import Callable, Iterable, Iterator

from hackles.config import SAMPLE_RATE
from hackles.types import Block

_BLOCK_SAMPLES = 160
"""20 ms, as a telephone sends them."""

_TICK_SAMPLES = SAMPLE_RATE // 10
"""A tenth of a second, counted in samples: seconds added up would drift."""


def paced(
    blocks: Iterable[Block],
    speed: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[list[Block]]:
    """Yield what arrives in each tenth of a second: blocks of 20 ms, `speed` times real time.

    Args:
        blocks: of one party, in order.
        speed: 1 is real time.
        clock: seconds from any start.
        sleep: waits for so many seconds.
    """
    begun = clock()
    arrived: list[Block] = []
    due = _TICK_SAMPLES
    for packet in _packets(blocks):
        arrived.append(packet)
        heard = packet.start + len(packet.samples)
        if heard >= due:
            sleep(max(0.0, heard / SAMPLE_RATE / speed - (clock() - begun)))
            yield arrived
            arrived, due = [], (heard // _TICK_SAMPLES + 1) * _TICK_SAMPLES
    if arrived:
        yield arrived


def _packets(blocks: Iterable[Block]) -> Iterator[Block]:
    for block in blocks:
        for at in range(0, len(block.samples), _BLOCK_SAMPLES):
            yield block.part(at, at + _BLOCK_SAMPLES)
