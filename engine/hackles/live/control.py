"""The API for the telephone system beside the daemon: who is who, consent, snooze, health.

Loopback only, since nobody signs in. A web page that the machine's user happens to look at may
reach loopback too: so a foreign `Host` is refused, and a body must be said to be JSON, for which
a browser asks leave that is never given, and what a browser says another site asks for is refused:
even to look would count as having been shown.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal, Protocol

import msgspec
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from hackles.live.asking import Body, answered, read
from hackles.live.desk import LiveCall
from hackles.live.news import Registration
from hackles.records import Satisfaction, satisfaction
from hackles.types import Role

_HOSTS: Final = ("localhost", "127.0.0.1", "[::1]", "::1")

_DOORS: Final = ("/", "/agent")

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_Label = Annotated[str, msgspec.Meta(max_length=200)]


class _Call(Body):
    id: _Name
    role: Literal["customer", "agent", "mixed", "unknown"]
    call: _Label = ""
    queue: _Label = ""
    agent: _Label = ""
    consent: bool | None = None
    customer: _Label = ""


class _Consent(Body):
    consent: bool


class _Snooze(Body):
    minutes: Annotated[float, msgspec.Meta(ge=0, le=24 * 60)]
    call: _Label = ""
    agent: _Label = ""


class _Satisfaction(Body):
    call: _Name
    score: float
    best: float
    worst: float
    comment: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    source: _Label = ""


class Front(Protocol):
    """What the API asks of the daemon."""

    def register(self, registration: Registration) -> None:
        """Take in what is said of a call."""

    def withdraw(self, call: str) -> None:
        """Listen to a call no longer, and delete what is kept of it."""

    def has_withdrawn(self, call: str) -> bool:
        """Return whether the caller withdrew consent."""

    def snooze(self, who: str, seconds: float) -> None:
        """Show no new warnings for an agent, or of a call, for a while."""

    def record(self, call: str, deed: Satisfaction) -> None:
        """Record what a customer says of a call, which may be over."""

    def calls(self) -> list[LiveCall]:
        """Return the calls that are listened to."""

    def health(self) -> tuple[bool, dict[str, object]]:
        """Return whether all is well, and how things stand."""

    def metrics(self) -> bytes:
        """Return what Prometheus reads."""


def control(front: Front, pages: Sequence[Route] = ()) -> Starlette:
    """Return the API, with further roads (pages for people, …) beside it."""
    api = _Api(front)
    routes = [
        Route("/calls", api.calls, methods=["GET"]),
        Route("/calls", api.register, methods=["POST"]),
        Route("/calls/{call:path}/consent", api.consent, methods=["POST"]),
        Route("/snooze", api.snooze, methods=["POST"]),
        Route("/satisfaction", api.satisfaction, methods=["POST"]),
        *_watching(api),
        *pages,
    ]
    hosts = Middleware(TrustedHostMiddleware, allowed_hosts=list(_HOSTS), www_redirect=False)
    return Starlette(
        routes=routes,
        middleware=[hosts, Middleware(_OwnPages)],
        exception_handlers={HTTPException: _said},
    )


class _OwnPages:
    """Refuses what other sites' pages ask for; to the agent's page they may lead."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        is_own = headers.get("sec-fetch-site", "none") in ("same-origin", "none")
        is_led = headers.get("sec-fetch-mode") == "navigate" and scope["path"] in _DOORS
        if is_own or is_led:
            await self._app(scope, receive, send)
        else:
            refused = answered({"error": "Another site's page may ask for nothing here."}, 403)
            await refused(scope, receive, send)


def watching(front: Front) -> Starlette:
    """Return what a monitoring system elsewhere may ask: no call's name is in it."""
    return Starlette(routes=_watching(_Api(front)), exception_handlers={HTTPException: _said})


def _watching(api: "_Api") -> list[Route]:
    return [
        Route("/health", api.health, methods=["GET"]),
        Route("/metrics", api.metrics, methods=["GET"]),
    ]


class _Api:
    """One method for each road."""

    def __init__(self, front: Front) -> None:
        self._front = front

    async def calls(self, _request: Request) -> Response:
        """Return the calls that are listened to."""
        return answered({"calls": [_told(call) for call in self._front.calls()]})

    async def register(self, request: Request) -> Response:
        """Take in whose voice a call will bring, and whether it may be heard."""
        said = await read(request, _Call)
        role = Role(said.role)
        if role in (Role.MIXED, Role.UNKNOWN):
            raise HTTPException(
                422,
                f"A call with the role '{role}' cannot be heard: only the customer's voice may "
                "be. Send the customer's leg alone and say so: role = customer.",
            )
        name = said.call or said.id
        self._front.register(
            Registration(said.id, name, role, said.queue, said.agent, said.consent, said.customer)
        )
        return answered({"id": said.id, "call": name}, 201)

    async def consent(self, request: Request) -> Response:
        """Withdraw a caller's consent; within a call it is not given again."""
        call = request.path_params["call"]
        said = await read(request, _Consent)
        if not said.consent:
            self._front.withdraw(call)
        elif self._front.has_withdrawn(call):
            raise HTTPException(
                409, "This caller withdrew consent; within a call it is not given again."
            )
        return answered({"call": call, "consent": said.consent})

    async def snooze(self, request: Request) -> Response:
        """Show no new warnings for an agent, or of a call, for some minutes; 0 ends it."""
        said = await read(request, _Snooze)
        if bool(said.call) == bool(said.agent):
            raise HTTPException(422, "Say whom to spare: a call or an agent.")
        self._front.snooze(said.call or said.agent, 60 * said.minutes)
        return answered({"minutes": said.minutes})

    async def satisfaction(self, request: Request) -> Response:
        """Take in a customer's answer to a survey."""
        said = await read(request, _Satisfaction)
        if self._front.has_withdrawn(said.call):
            raise HTTPException(409, "This caller withdrew consent; nothing is kept of the call.")
        try:
            answer = satisfaction(said.score, said.best, said.worst, said.comment, said.source)
        except ValueError as error:
            raise HTTPException(422, str(error)) from error
        self._front.record(said.call, answer)
        return answered({"call": said.call, "score": answer.score}, 202)

    async def health(self, _request: Request) -> Response:
        """Return how things stand; 503 if a worker is not there."""
        is_well, standing = self._front.health()
        return answered(standing, 200 if is_well else 503)

    async def metrics(self, _request: Request) -> Response:
        """Return what Prometheus reads."""
        return Response(self._front.metrics(), media_type="text/plain; version=0.0.4")


async def _said(_request: Request, error: Exception) -> Response:
    """Return an error as JSON."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    return answered(
        {"error": getattr(error, "detail", "Something went wrong; see the log.")}, status
    )


def _told(call: LiveCall) -> dict[str, Any]:
    session = call.session
    return {
        "call": session.call,
        "session": session.id,
        "queue": session.queue,
        "agent": session.agent,
        "time": call.time,
        "state": call.state,
        "level": call.level,
        "alerts": call.tally.alerts,
    }
