"""What an administrator may ask and do about webhooks."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias
from urllib.parse import urlsplit

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hackles.live.asking import Body, Nothing, answered, read
from hackles.wallboard.roads import Road
from hackles.wallboard.settings import Webhook
from hackles.wallboard.viewer import Role, Viewer
from hackles.wallboard.visit import visit
from hackles.wallboard.webhooks.outbox import Delivery
from hackles.wallboard.webhooks.service import Webhooks

_WHO: Final = frozenset({Role.ADMINISTRATOR})
_SHOWN: Final = 100
_UNKNOWN: Final = {404: "There is no webhook of this name."}


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """What could not be delivered within a day; it says nothing of what stands in it.

    Attributes:
        id: it is sent anew by the same.
        kind: what happened.
        at: since when it waited, in seconds since 1970.
        attempts: how often it was tried.
        last_error: why it came to nothing.
    """

    id: str
    kind: str
    at: float
    attempts: int
    last_error: str


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One webhook, and how it does.

    Attributes:
        name: of the settings.
        url: without what might be a secret in it.
        format: of what is sent.
        is_enabled: not after it answered 410.
        waiting: deliveries that are to come.
        failing_since_at: since when nothing gets through, or None.
        last_status: of its newest answer, or None if there was none.
        last_at: when that was, or None.
        dead: dead letters, all of them ...
        dead_letters: ... and the newest hundred.
    """

    name: str
    url: str
    format: str
    is_enabled: bool
    waiting: int
    failing_since_at: float | None
    last_status: int | None
    last_at: float | None
    dead: int
    dead_letters: list[DeadLetter]


class Replay(Body):
    """Which dead letters to send anew, by their ids; None for all."""

    ids: list[str] | None = None


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """How many are sent anew."""

    count: int


class Tested(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a test; `error` says why it did not get through, or is ""."""

    is_through: bool
    status: int | None
    error: str


_Doing: TypeAlias = Callable[[Request, Viewer, Webhook], Awaitable[Response]]


def roads(webhooks: Webhooks) -> list[Road]:
    """Return the roads."""
    return [_listing(webhooks), _replay(webhooks), _enable(webhooks), _test(webhooks)]


def told(webhooks: Webhooks, webhook: Webhook) -> Told:
    """Return how one webhook does."""
    outbox, health = webhooks.outbox, webhooks.endpoints.health(webhook.name)
    return Told(
        name=webhook.name,
        url=shown_url(webhook),
        format=webhook.format,
        is_enabled=health.is_enabled,
        waiting=outbox.count(webhook.name, "waiting"),
        failing_since_at=health.failing_since,
        last_status=health.last_status,
        last_at=health.last_at,
        dead=outbox.count(webhook.name, "dead"),
        dead_letters=[_letter(one) for one in outbox.dead(webhook.name, _SHOWN)],
    )


def shown_url(webhook: Webhook) -> str:
    """Return an address without its secrets: those of Slack and Teams stand in the path."""
    parts = urlsplit(webhook.url)
    host = parts.netloc.rpartition("@")[2]
    path = parts.path if webhook.format == "cloudevents" else "/…"
    return f"{parts.scheme}://{host}{path}"


def _letter(delivery: Delivery) -> DeadLetter:
    return DeadLetter(
        id=delivery.id,
        kind=delivery.kind,
        at=delivery.since_at,
        attempts=delivery.attempts,
        last_error=delivery.last_error,
    )


def _listing(webhooks: Webhooks) -> Road:
    async def answer(_request: Request, _viewer: Viewer | None) -> Response:
        return answered([told(webhooks, one) for one in webhooks.named.values()])

    return Road(
        method="GET",
        path="/api/webhooks",
        who=_WHO,
        answer=answer,
        says="All webhooks: whether they get through, what waits, and what could not be delivered.",
        gives=list[Told],
    )


def _replay(webhooks: Webhooks) -> Road:
    async def do(request: Request, viewer: Viewer, webhook: Webhook) -> Response:
        wanted = await read(request, Replay)
        count = webhooks.replay(webhook.name, wanted.ids)
        _note(webhooks, request, viewer, "webhook.replay", webhook)
        return answered(Replayed(count=count))

    return Road(
        method="POST",
        path="/api/webhooks/{name}/replay",
        who=_WHO,
        answer=_of_one(webhooks, do),
        says="Send dead letters anew, by the ids that they had.",
        body=Replay,
        gives=Replayed,
        faults=_UNKNOWN,
    )


def _enable(webhooks: Webhooks) -> Road:
    async def do(request: Request, viewer: Viewer, webhook: Webhook) -> Response:
        await read(request, Nothing)
        webhooks.enable(webhook.name)
        _note(webhooks, request, viewer, "webhook.enable", webhook)
        return answered(told(webhooks, webhook))

    return Road(
        method="POST",
        path="/api/webhooks/{name}/enable",
        who=_WHO,
        answer=_of_one(webhooks, do),
        says="Send again to a receiver that had answered 410; what died meanwhile is replayed.",
        body=Nothing,
        gives=Told,
        faults=_UNKNOWN,
    )


def _test(webhooks: Webhooks) -> Road:
    async def do(request: Request, viewer: Viewer, webhook: Webhook) -> Response:
        await read(request, Nothing)
        _note(webhooks, request, viewer, "webhook.test", webhook)
        outcome = await webhooks.test(webhook.name)
        return answered(
            Tested(is_through=outcome.is_done, status=outcome.status, error=outcome.error)
        )

    return Road(
        method="POST",
        path="/api/webhooks/{name}/test",
        who=_WHO,
        answer=_of_one(webhooks, do),
        says="Send an event hackles.test now, and tell what came of it.",
        body=Nothing,
        gives=Tested,
        faults=_UNKNOWN,
        limit=10,
    )


def _of_one(
    webhooks: Webhooks, do: _Doing
) -> Callable[[Request, Viewer | None], Awaitable[Response]]:
    """Return what answers for the webhook that the path names."""

    async def answer(request: Request, viewer: Viewer | None) -> Response:
        webhook = webhooks.named.get(request.path_params["name"])
        if webhook is None or viewer is None:
            raise HTTPException(404, f"{_UNKNOWN[404][:-1]}; GET /api/webhooks lists all.")
        return await do(request, viewer, webhook)

    return answer


def _note(
    webhooks: Webhooks, request: Request, viewer: Viewer, what: str, webhook: Webhook
) -> None:
    if webhooks.audit is not None:
        webhooks.audit.note(viewer.name, what, webhook.name, visit(request).address)
