"""A call's connection: it speaks when a packet is due, and says how it ended."""

import asyncio
import random
import time
from typing import Final

from hackles.simulator.target import Order
from hackles.simulator.websocket import RefusedError
from hackles.simulator.wires import Wire

_PATIENCE_S: Final = 5.0
"""So long the other side may take to let us in, or to hang up after us."""


class Line(asyncio.Protocol):
    """One call.

    Attributes:
        sent: packets that left.
        late_s: how long after it was due the latest one left.
        fault: why the call did not go to its end, or "".
    """

    def __init__(self, wire: Wire, order: Order, number: int) -> None:
        """Prepare a call."""
        self.wire = wire
        self.sent = 0
        self.late_s = 0.0
        self.fault = ""
        self._speed, self._jitter_s, self._loss = order.speed, order.jitter_s, order.loss
        self._chance = random.Random(f"{order.seed}-{number}")  # noqa: S311
        self._next = 0
        self._start_s = self._due_s = 0.0
        self._is_waiting = False
        self._transport: asyncio.Transport | None = None
        loop = asyncio.get_running_loop()
        self._open: asyncio.Future[None] = loop.create_future()
        self._gone: asyncio.Future[None] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask to be let in."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
            transport.write(self.wire.hello)
            self._look()

    def data_received(self, data: bytes) -> None:
        """Answer what must be answered."""
        try:
            answer = self.wire.hear(data)
        except RefusedError as error:
            self._end(f"the daemon does not take the call: {error}")
            return
        if self._transport is not None:
            self._transport.write(answer)
        self._look()

    def connection_lost(self, error: Exception | None) -> None:
        """Note who hung up."""
        if self._transport is not None:
            self._transport = None
            reason = f" ({error})" if error else ""
            self.fault = self.fault or f"the daemon hung up{reason}; its log says why"
        for waiting in (self._open, self._gone):
            if not waiting.done():
                waiting.set_result(None)

    def pause_writing(self) -> None:
        """Wait: the other side does not read, and what waits in here must not grow."""
        self._is_waiting = True

    def resume_writing(self) -> None:
        """Go on."""
        self._is_waiting = False

    @property
    def is_speaking(self) -> bool:
        """Whether there is more to say, and somebody to say it to."""
        return self._transport is not None and self._next < len(self.wire.packets)

    @property
    def is_finished(self) -> bool:
        """Whether everything was said that there was to say."""
        return not self.fault and self._next == len(self.wire.packets)

    async def opened(self) -> None:
        """Wait until the other side listens, and begin the call."""
        await asyncio.wait([self._open], timeout=_PATIENCE_S)
        if not self._open.done():
            self._end(f"the daemon did not answer for {_PATIENCE_S:.0f} s; is it one of hackles?")
        elif self._transport is not None:
            self._transport.write(self.wire.opening(time.time_ns() // 1_000_000))

    def start(self, now_s: float) -> None:
        """Let the first packet be due now."""
        self._start_s = now_s
        self._due_s = self._delayed(0)

    def speak(self, now_s: float) -> None:
        """Send what is due."""
        while self._due_s <= now_s and self.is_speaking and not self._is_waiting:
            self.late_s = max(self.late_s, now_s - self._due_s)
            if self._transport is not None and self._chance.random() >= self._loss:
                self._transport.write(self.wire.packet(self._next))
                self.sent += 1
            self._next += 1
            self._due_s = max(self._due_s, self._delayed(self._next))

    async def hang_up(self) -> None:
        """Say that this is all, and wait until the other side has hung up too."""
        transport = self._transport
        if transport is not None:
            self._transport = None
            if self.wire.is_open:
                transport.write(self.wire.closing(self._next))
            # To close with something unread would reset the connection, and lose what was sent.
            if transport.can_write_eof():
                transport.write_eof()
            await asyncio.wait([self._gone], timeout=_PATIENCE_S)
            transport.abort()

    def _look(self) -> None:
        if self.wire.is_open and not self._open.done():
            self._open.set_result(None)

    def _delayed(self, number: int) -> float:
        """Return when a packet leaves."""
        spoken_s = number * self.wire.packets.packet_ms / 1000
        late_s = self._chance.random() * self._jitter_s if self._jitter_s else 0.0
        return self._start_s + (spoken_s + late_s) / self._speed

    def _end(self, fault: str) -> None:
        """Leave for a reason."""
        self.fault = fault
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()
