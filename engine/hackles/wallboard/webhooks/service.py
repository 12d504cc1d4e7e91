"""Webhooks: whoever is to be told what happens on the board gets it, at least once."""

import asyncio
import logging
import random as randomness
import secrets
import sqlite3
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

from hackles.wallboard.book import Book
from hackles.wallboard.happenings import Happening
from hackles.wallboard.settings import Settings, Webhook
from hackles.wallboard.webhooks import checking
from hackles.wallboard.webhooks.courier import DISABLED, Courier
from hackles.wallboard.webhooks.endpoints import Endpoints
from hackles.wallboard.webhooks.outbox import WITHDRAWN, Delivery, Outbox
from hackles.wallboard.webhooks.payload import event_id
from hackles.wallboard.webhooks.rendering import rendered, rendered_test
from hackles.wallboard.webhooks.signing import read_secrets

if TYPE_CHECKING:
    from hackles.wallboard.webhooks.connecting import Resolve
    from hackles.wallboard.webhooks.outcome import Outcome

_log = logging.getLogger(__name__)

_PACE_S: Final = {"cloudevents": 0.02, "slack": 1.0, "teams": 0.5}
"""Between two deliveries: Slack takes one a second, Teams four."""

_TIDY_S: Final = 3600.0
_BUSY_S: Final = 60.0

_SHARE: Final = 0.05
"""Of the time, at most so much goes into writing the book anew."""


class Notes(Protocol):
    """Where it is written down what an administrator did."""

    def note(self, by: str, what: str, about: str = "", address: str = "") -> None:
        """Write it down."""


class Webhooks:
    """All webhooks of a board."""

    def __init__(
        self,
        settings: Settings,
        book: Book,
        clock: Callable[[], float] = time.time,
        *,
        audit: Notes | None = None,
        random: Callable[[], float] = randomness.random,
        resolve: "Resolve | None" = None,
        rest: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Take what is to be sent where; nothing is sent before `run`.

        Raises:
            UsageError: if a webhook cannot be used as it is set.
        """
        from hackles.wallboard.webhooks import connecting
        from hackles.wallboard.webhooks.sending import Sender

        checking.check(settings.webhook)
        self.named: dict[str, Webhook] = {webhook.name: webhook for webhook in settings.webhook}
        self.outbox, self.endpoints, self.audit = Outbox(book), Endpoints(book), audit
        self._public_url, self._clock = settings.board.public_url, clock
        self._has_traces = asyncio.Event()
        self._senders = {
            name: Sender(
                webhook,
                read_secrets(webhook.secret_file) if webhook.secret_file else (),
                resolve or connecting.resolve,
                clock,
            )
            for name, webhook in self.named.items()
        }
        self._couriers = {
            name: Courier(
                name,
                self._senders[name],
                self.outbox,
                self.endpoints,
                pace_s=_PACE_S[webhook.format],
                clock=clock,
                random=random,
                rest=rest,
            )
            for name, webhook in self.named.items()
        }

    def put(self, happening: Happening) -> None:
        """Take what happened: from now on it is sent until it got through, or a day is over."""
        if happening.kind == WITHDRAWN:
            self._withdraw(happening)
            return
        for webhook in self.named.values():
            if wants(webhook, happening):
                self._add(webhook, happening)

    async def run(self) -> None:
        """Send, without end."""
        async with asyncio.TaskGroup() as group:
            for courier in self._couriers.values():
                group.create_task(courier.run())
            group.create_task(self._leave_no_trace())
            while True:
                with suppress(sqlite3.OperationalError):
                    self.outbox.purge(self._clock())
                await asyncio.sleep(_TIDY_S)

    async def settle(self) -> None:
        """Send what is due now to whoever answers, and see the end of it."""
        async with asyncio.TaskGroup() as group:
            for courier in self._couriers.values():
                group.create_task(courier.settle())

    async def close(self) -> None:
        """Close connections that are open still; `run` does so by itself."""
        for sender in self._senders.values():
            await sender.close()

    async def test(self, name: str) -> "Outcome":
        """Send a test now, whatever waits, and return what came of it."""
        id_ = f"test_{secrets.token_hex(8)}"
        made = rendered_test(self.named[name], id_, self._clock(), self._public_url)
        return await self._senders[name].post(id_, *made)

    def replay(self, name: str, ids: list[str] | None) -> int:
        """Send dead letters anew, all or some; return how many."""
        count = self.outbox.replay(name, ids, self._clock())
        self._couriers[name].wake()
        return count

    def enable(self, name: str) -> None:
        """Send to a receiver again that had answered 410, or leave in peace no longer."""
        self.endpoints.enable(name, True)
        self._couriers[name].wake()

    def next_at(self) -> float | None:
        """Return when something is to be sent again, in seconds since 1970; None if nothing is."""
        times = [courier.next_at() for courier in self._couriers.values()]
        return min((at for at in times if at is not None), default=None)

    def _add(self, webhook: Webhook, happening: Happening) -> None:
        is_enabled = self.endpoints.health(webhook.name).is_enabled
        delivery = Delivery(
            webhook.name,
            event_id(happening.id),
            happening.kind,
            happening.session,
            *rendered(webhook, happening, self._public_url),
            since_at=self._clock(),
        )
        self.outbox.add(delivery, "" if is_enabled else DISABLED)
        self._couriers[webhook.name].wake()

    def _withdraw(self, happening: Happening) -> None:
        """Delete what there is of a call; whoever heard of it is told to do the same.

        In this order: if we die in between, the engine tells us again, and nobody is left out.
        """
        for name in self.outbox.told(happening.session) & self.named.keys():
            self._add(self.named[name], happening)
        for courier in self._couriers.values():
            courier.forget(happening.session)
        self.outbox.forget(happening.session)
        self._has_traces.set()

    async def _leave_no_trace(self) -> None:
        """Write the book anew after something was deleted: as soon as nothing else is done to it.

        Also once at the beginning, for there may have been no time before the end.
        """
        while True:
            self._has_traces.clear()
            began = time.monotonic()
            while not self.outbox.compact():
                await asyncio.sleep(_BUSY_S)
                began = time.monotonic()
            await asyncio.sleep((time.monotonic() - began) / _SHARE)
            await self._has_traces.wait()


def wants(webhook: Webhook, happening: Happening) -> bool:
    """Return whether a webhook is told of a happening; engines are of no team."""
    if webhook.events and happening.kind not in webhook.events:
        return False
    is_ours = not webhook.teams or bool(set(webhook.teams) & set(happening.teams))
    return is_ours or not happening.session
