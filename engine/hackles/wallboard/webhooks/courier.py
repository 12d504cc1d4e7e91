"""Takes to one webhook's address what waits for it, and knows when to leave it in peace.

While all is well a few deliveries are under way at a time; while the address fails, one. Once
something gets through after that, all that waits is due at once, at the address's pace.
"""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from hackles.wallboard.webhooks.endpoints import Endpoints, Health
from hackles.wallboard.webhooks.outbox import Delivery, Outbox
from hackles.wallboard.webhooks.outcome import AT_ONCE, Outcome
from hackles.wallboard.webhooks.schedule import DAY_S, next_at

if TYPE_CHECKING:
    from hackles.wallboard.webhooks.sending import Sender

_log = logging.getLogger(__name__)

_DOWN: Final = 3
"""An address that failed so often in a row was down; if less, the fault may lie with one message,
which keeps to its own schedule."""

_LOOK_S: Final = 10.0
"""So often the book is looked at: `hackles wallboard webhooks` may have changed it."""

DISABLED: Final = "switched off, since it answered 410"


class Courier:
    """Sends what waits for one webhook."""

    def __init__(
        self,
        name: str,
        sender: "Sender",
        outbox: Outbox,
        endpoints: Endpoints,
        *,
        pace_s: float,
        clock: Callable[[], float] = time.time,
        random: Callable[[], float],
        rest: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Take what it needs; at most one delivery goes out in each `pace_s`."""
        self._name, self._sender = name, sender
        self._outbox, self._endpoints = outbox, endpoints
        self._pace_s, self._clock, self._random, self._rest = pace_s, clock, random, rest
        self._under_way: dict[str, tuple[str, asyncio.Task[None]]] = {}
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Look now whether something is to be sent."""
        self._woken.set()

    def forget(self, session: str) -> None:
        """Break off what is under way of a call."""
        for other, task in [*self._under_way.values()]:
            if other == session:
                task.cancel()

    async def run(self) -> None:
        """Send what falls due, without end."""
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    self._woken.clear()
                    await self._set_out(group)
                    await self._wait()
        finally:
            await self._sender.close()

    async def settle(self) -> None:
        """Send what is due now, and see the end of it."""
        is_idle = False
        while not is_idle:
            async with asyncio.TaskGroup() as group:
                is_idle = not await self._set_out(group)

    def next_at(self) -> float | None:
        """Return when something is to be sent again, seconds since 1970; None if nothing waits."""
        health = self._endpoints.health(self._name)
        first = self._outbox.next_at(self._name) if health.is_enabled else None
        return None if first is None else max(first, health.next_at)

    async def _set_out(self, group: asyncio.TaskGroup) -> int:
        """Set out with all that may go now; return how many."""
        count = 0
        while (delivery := self._take()) is not None:
            task = group.create_task(self._deliver(delivery))
            self._under_way[delivery.id] = delivery.session, task
            task.add_done_callback(partial(self._landed, delivery.id))
            count += 1
            await self._rest(self._pace_s)
        return count

    def _landed(self, id_: str, _task: asyncio.Task[None]) -> None:
        del self._under_way[id_]
        self.wake()

    def _take(self) -> Delivery | None:
        """Return what goes next; None if nothing is due, or may go."""
        health, now = self._endpoints.health(self._name), self._clock()
        if not health.is_enabled or now < health.next_at or not self._has_room(health):
            return None
        found = self._outbox.due(self._name, now, AT_ONCE + 1)
        return next((one for one in found if one.id not in self._under_way), None)

    def _has_room(self, health: Health) -> bool:
        most = AT_ONCE if health.failing_since is None else 1
        return len(self._under_way) < most

    async def _wait(self) -> None:
        """Wait until something may be due, or has ended."""
        at, wait_s = self.next_at(), _LOOK_S
        if at is not None and self._has_room(self._endpoints.health(self._name)):
            wait_s = min(max(at - self._clock(), 0.05), _LOOK_S)
        # Not `wait_for`: before Python 3.12 it swallows a cancellation that comes with the event.
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._woken.wait()

    async def _deliver(self, delivery: Delivery) -> None:
        """Try once; while the book cannot be written, it stays there and nothing is sent."""
        try:
            await self._try(delivery)
        except sqlite3.OperationalError as error:
            _log.warning("Webhook %s waits: the book cannot be written (%s).", self._name, error)
            await self._rest(_LOOK_S)

    async def _try(self, delivery: Delivery) -> None:
        began_at = self._clock()
        self._outbox.begins(delivery)
        outcome = await self._sender.post(delivery.id, delivery.media_type, delivery.body)
        if outcome.is_done:
            self._succeeded(delivery, outcome, began_at)
        elif outcome.is_gone:
            self._gone(outcome)
        else:
            self._failed(delivery, outcome)

    def _succeeded(self, delivery: Delivery, outcome: Outcome, began_at: float) -> None:
        now = self._clock()
        self._outbox.done(delivery, now)
        before = self._endpoints.succeeded(self._name, outcome.status, began_at, now)
        if before.failures >= _DOWN:
            _log.info("Webhook %s gets through again.", self._name)
            self._outbox.all_due(self._name, now)

    def _failed(self, delivery: Delivery, outcome: Outcome) -> None:
        now = self._clock()
        health = self._endpoints.failed(self._name, outcome.status, outcome.retry_after_s, now)
        if health.failures == _DOWN:
            _log.warning("Webhook %s: %s; it is tried again.", self._name, outcome.error)
        at = next_at(delivery.since_at, now, self._random)
        if at is None:
            self._outbox.died(delivery, now, outcome.error)
            _log.error("Webhook %s: given up after a day; replay it once it is back.", self._name)
            self._outbox.all_died(self._name, now, "nothing got through for a day", now - DAY_S)
        else:
            self._outbox.again(delivery, at, outcome.error)

    def _gone(self, outcome: Outcome) -> None:
        now = self._clock()
        self._endpoints.failed(self._name, outcome.status, None, now)
        self._endpoints.enable(self._name, False)
        self._outbox.all_died(self._name, now, DISABLED, now)
        _log.error(
            "Webhook %s answered 410, so it wants nothing more and is switched off; an "
            "administrator can switch it on again.",
            self._name,
        )
