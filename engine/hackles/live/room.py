"""How much a worker looks at together, and how often: by the ways in that it has."""

import math
from typing import Final, NamedTuple

from hackles.config import FRAMES_PER_S
from hackles.pace import TICK_S
from hackles.settings import Settings

DESKTOP = frozenset({"device"})
"""Ways in that bring what one person hears."""

DESKTOP_TICK_S: Final = 1.0
"""A tick takes nearly as long for one call as for fifty, so that fewer of them are what makes one
call cheap. There is a reading a second, and a person in conversation need not be warned sooner;
where a hundred calls share a core, a tenth of a second costs little more."""

_BURST: Final = 3.2
"""So many times what a tick brings may be taken in by the next one, to catch up."""

_AT_ONCE: Final = 2
"""Of a device or a pipe: a call may begin in the tick in which the one before ends."""


class Room(NamedTuple):
    """What a worker needs.

    Attributes:
        tick_s: from one tick to the next.
        max_frames: the most frames of one call that a tick looks at.
        calls: at most so many at a time.
    """

    tick_s: float
    max_frames: int
    calls: int


def room_for(settings: Settings, has_files: bool) -> Room:
    """Return what a worker needs.

    Args:
        settings: the daemon's.
        has_files: whether pipes, folders and devices are this worker's.
    """
    ways = {way for way in ("audiosocket", "media") if getattr(settings, way) is not None}
    if has_files:
        ways |= {way for way in ("pipe", "folder", "device") if getattr(settings, way)}
    tick_s = DESKTOP_TICK_S if ways <= DESKTOP else TICK_S
    calls = settings.engine.calls
    if ways <= {"pipe", "device"}:
        n_sources = len(settings.pipe) + (settings.device is not None)
        calls = min(calls, _AT_ONCE * max(n_sources, 1))
    return Room(tick_s, math.ceil(_BURST * tick_s * FRAMES_PER_S), calls)
