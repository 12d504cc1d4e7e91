"""Who looks at the board, and what each is told: the same bytes to all who may see the same."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from hackles.wallboard.scope import Scope, scope_of
from hackles.wallboard.shapes import Changes, View
from hackles.wallboard.viewer import Viewer
from hackles.wallboard.views import Watch

if TYPE_CHECKING:
    from hackles.wallboard.floor import Floor

PULSE_S: Final = 0.25
"""So often people are told, at most."""

ALIVE_S: Final = 15.0
"""So often at least."""

_ALIVE: Final = b"event: alive\ndata:\n\n"

_Key: TypeAlias = tuple[Scope, str]


class Seat:
    """One who looks.

    What is not taken in time is thrown away, and the whole board told instead: what waits for
    somebody slow does not grow.
    """

    def __init__(self) -> None:
        """Begin with wanting the whole board."""
        self.wants_view, self.is_waiting = True, False
        self._next = b""
        self._is_told = asyncio.Event()

    def tell(self, frame: bytes) -> None:
        """Put a frame there to be sent."""
        self._next += frame
        self._is_told.set()

    def skip(self) -> None:
        """Throw away what was not taken."""
        self._next, self.wants_view = b"", True

    @property
    def is_free(self) -> bool:
        """Whether all that was told was taken."""
        return not self._next

    def wake(self) -> None:
        """Have it look whether all is over."""
        self._is_told.set()

    async def take(self) -> bytes:
        """Wait for what is to be sent; b"" if there is nothing more."""
        self.is_waiting = True
        try:
            await self._is_told.wait()
        finally:
            self.is_waiting = False
        self._is_told.clear()
        frame, self._next = self._next, b""
        return frame


class Table:
    """All who look at the same: of one scope, in one language."""

    def __init__(self, watch: Watch) -> None:
        """Begin with nobody."""
        self._watch = watch
        self.seats: set[Seat] = set()

    def pulse(self) -> None:
        """Tell what is new."""
        told = self._watch.changes()
        if told is not None:
            frame = _frame(told)
            for seat in self.seats:
                if isinstance(told, View):
                    self._tell_view(seat, frame)
                elif seat.is_free and not seat.wants_view:
                    seat.tell(frame)
                else:
                    seat.skip()
        self._welcome()

    def _welcome(self) -> None:
        """Tell the whole board to those who want it and are ready for it."""
        new = [seat for seat in self.seats if seat.wants_view and seat.is_waiting]
        if new:
            frame = _frame(self._watch.view())
            for seat in new:
                self._tell_view(seat, frame)

    def _tell_view(self, seat: Seat, frame: bytes) -> None:
        if seat.is_waiting or seat.is_free:
            seat.skip()
            seat.wants_view = False
            seat.tell(frame)
        else:
            seat.skip()


class Hub:
    """All tables."""

    def __init__(self, floor: "Floor") -> None:
        """Show this floor to nobody yet."""
        self._floor = floor
        self._tables: dict[_Key, Table] = {}
        self._is_closed = asyncio.Event()

    @property
    def n_viewers(self) -> int:
        """How many look."""
        return sum(len(table.seats) for table in self._tables.values())

    async def stream(
        self, viewer: Viewer, language: str, may_look: Callable[[], bool]
    ) -> AsyncIterator[bytes]:
        """Yield frames of server-sent events: the whole board, then what changes.

        Args:
            viewer: who looks.
            language: of all texts.
            may_look: is asked before each frame; the stream ends if it says no.
        """
        key, seat = (scope_of(viewer), language), Seat()
        table = self._tables.get(key)
        if table is None:
            table = self._tables[key] = Table(Watch(self._floor, *key))
        table.seats.add(seat)
        try:
            while not self._is_closed.is_set():
                frame = await seat.take()
                if self._is_closed.is_set() or not may_look():
                    return
                if frame:
                    yield frame
        finally:
            table.seats.discard(seat)
            if not table.seats and self._tables.get(key) is table:
                del self._tables[key]

    async def run(self) -> None:
        """Keep time, and tell who looks, until closed."""
        loop = asyncio.get_running_loop()
        alive_at = loop.time() + ALIVE_S
        while not self._is_closed.is_set():
            self._floor.tick()
            is_alive_due = loop.time() >= alive_at
            if is_alive_due:
                alive_at += ALIVE_S
            self.pulse(is_alive_due)
            with suppress(TimeoutError):
                async with asyncio.timeout(PULSE_S):
                    await self._is_closed.wait()

    def pulse(self, is_alive_due: bool = False) -> None:
        """Tell all who look what is new, and perhaps that the board is alive."""
        for table in self._tables.values():
            table.pulse()
            if is_alive_due:
                for seat in table.seats:
                    if seat.is_waiting:
                        seat.tell(_ALIVE)

    def close(self) -> None:
        """Let all go."""
        self._is_closed.set()
        for table in self._tables.values():
            for seat in table.seats:
                seat.wake()


def _frame(told: View | Changes) -> bytes:
    name = b"view" if isinstance(told, View) else b"changes"
    return b"event: " + name + b"\ndata: " + msgspec.json.encode(told) + b"\n\n"
