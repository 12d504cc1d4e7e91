"""The server made from the table of roads; what each road asks for is seen to here, for all.

Nothing is left to a road but its own answer: who may go it, how often, from which page, and the
headers of what comes back are the same for whatever is added later.
"""

import hmac
from collections.abc import Awaitable, Callable, Sequence
from typing import Final
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hackles.live.asking import answered
from hackles.wallboard.access import Access
from hackles.wallboard.guard import Guard, headers
from hackles.wallboard.limits import too_often
from hackles.wallboard.proxies import nearby
from hackles.wallboard.roads import ANYBODY, ENGINE, SIGNED_IN, Road
from hackles.wallboard.visit import Visit

_MINUTE_S: Final = 60.0


def application(roads: Sequence[Road], access: Access) -> Starlette:
    """Return the server of all roads.

    Args:
        roads: the whole table; it is kept as `app.state.roads` for the documents.
        access: knows who asks.
    """
    app = Starlette(
        routes=[Route(road.path, _endpoint(road, access), methods=[road.method]) for road in roads],
        middleware=[Middleware(Guard, access=access)],
        exception_handlers={HTTPException: _said, Exception: _failed(access)},
    )
    app.router.redirect_slashes = False
    app.state.roads = tuple(roads)
    return app


def _endpoint(road: Road, access: Access) -> Callable[[Request], Awaitable[Response]]:
    """Return a road's answer behind all that it asks for."""

    async def endpoint(request: Request) -> Response:
        visit = access.visit(request)
        _check_page(road, request, access)
        _check_often(road, access, visit)
        _check_who(road, request, access, visit)
        if road.method != "GET" and road.who != ENGINE:
            _check_deed(road, request, visit)
        request.state.visit = visit
        return await road.answer(request, visit.viewer)

    return endpoint


def _check_page(road: Road, request: Request, access: Access) -> None:
    """Refuse what another site's page asks for; to pages that anybody may have they may lead."""
    if road.who == ANYBODY and road.method == "GET":
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if road.who == ENGINE:
        if site is not None or origin is not None:
            raise HTTPException(403, "This road is for engines; a page may ask for nothing here.")
        return
    own = {request.headers.get("host"), urlsplit(access.settings.board.public_url).netloc}
    is_own = origin is None or urlsplit(origin).netloc in own - {"", None}
    if site not in (None, "same-origin", "none") or not is_own:
        raise HTTPException(403, "Another site's page may ask for nothing here.")


def _check_often(road: Road, access: Access, visit: Visit) -> None:
    """Refuse whoever goes a road too often."""
    who = f"viewer {visit.viewer.name}" if visit.viewer else f"address {nearby(visit.address)}"
    wait_s = access.limits.spend(f"{road.method} {road.path} {who}", road.limit, _MINUTE_S)
    if wait_s:
        raise too_often(wait_s)


def _check_who(road: Road, request: Request, access: Access, visit: Visit) -> None:
    """Refuse whoever may not go a road."""
    if road.who == ANYBODY:
        return
    if road.who == ENGINE:
        if not access.is_engine(request):
            sentence = "Bring the secret of the engines' feed: Authorization: Bearer …."
            raise HTTPException(401, sentence, {"WWW-Authenticate": "Bearer"})
        return
    if visit.viewer is None:
        raise visit.refused
    if road.who != SIGNED_IN and not visit.viewer.roles & road.who:
        raise HTTPException(403, "Your account may not do this; ask the board's administrator.")


def _check_deed(road: Road, request: Request, visit: Visit) -> None:
    """Refuse what our own page would not send; who has not signed in has no token yet."""
    given = request.headers.get("x-csrf-token", "")
    if road.who != ANYBODY and not hmac.compare_digest(given.encode(), visit.csrf.encode()):
        raise HTTPException(403, "Send the header X-CSRF-Token with what GET /api/me says.")
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise HTTPException(415, "Send JSON, with the header Content-Type: application/json.")


async def _said(_request: Request, error: Exception) -> Response:
    """Return a fault as JSON."""
    if not isinstance(error, HTTPException):
        raise error
    sentence = error.detail
    if not sentence.endswith("."):  # the router's own, such as "Not Found"
        sentence = _SENTENCES.get(error.status_code, sentence)
    response = answered({"error": sentence}, error.status_code)
    response.headers.update(error.headers or {})
    return response


_SENTENCES: Final = {
    400: "This request is no HTTP that can be understood.",
    404: "There is nothing here; GET /api/openapi.json says what there is.",
    405: "This cannot be asked for in this way; the header Allow says how.",
}


def _failed(access: Access) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Return what answers when something of ours broke; what it was, the server's log says."""

    async def failed(request: Request, _error: Exception) -> Response:
        response = answered({"error": "Something went wrong; the board's log says what."}, 500)
        response.headers.update(headers(request, access))
        return response

    return failed
