"""The roads of the board itself: what people see of it, and what they do about it."""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Final, Protocol

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from hackles.live.asking import Body, answered, read
from hackles.wallboard.floor import Floor
from hackles.wallboard.hub import Hub
from hackles.wallboard.life import NotPossible, NotThere
from hackles.wallboard.roads import Road
from hackles.wallboard.shapes import CallPage, Day, Life, Taken, View
from hackles.wallboard.viewer import Role, Viewer
from hackles.wallboard.visit import visit
from hackles.wording import LANGUAGES, best_language

MOST_STREAMS: Final = 200
"""Of one account at a time: all connections are a thousand, and engines need theirs, too."""

_LOOKING: Final = frozenset({Role.SUPERVISOR, Role.AGENT, Role.ANALYST})
_ON_CALLS: Final = frozenset({Role.SUPERVISOR, Role.AGENT})
_COUNTING: Final = frozenset({Role.SUPERVISOR, Role.ANALYST})
_STREAM: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_NOT_THERE: Final = {404: "There is no such call or alert, or none that you may see."}


class TakenStep(Body):
    """What somebody does about an alert."""

    step: Taken


class Noted(Protocol):
    """What the roads ask of the audit log."""

    def note(self, by: str, what: str, about: str = "", address: str = "") -> None:
        """Note who did what."""


class _BoardRoads:
    def __init__(self, floor: Floor, hub: Hub, audit: Noted, language: str) -> None:
        self._floor, self._hub, self._audit, self._spoken = floor, hub, audit, language
        self._streams: Counter[str] = Counter()

    async def view(self, request: Request, viewer: Viewer | None) -> Response:
        return answered(self._floor.view(_known(viewer), self._language(request)))

    async def events(self, request: Request, viewer: Viewer | None) -> Response:
        who, may_look = _known(viewer), visit(request).may_look
        if self._streams[who.name] >= MOST_STREAMS:
            raise HTTPException(429, "Your account looks from too many pages; close some of them.")
        frames = self._counted(who, self._hub.stream(who, self._language(request), may_look))
        return StreamingResponse(frames, headers=_STREAM, media_type="text/event-stream")

    async def _counted(self, who: Viewer, frames: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        self._streams[who.name] += 1
        try:
            async for frame in frames:
                yield frame
        finally:
            self._streams[who.name] -= 1

    async def page(self, request: Request, viewer: Viewer | None) -> Response:
        session, language = request.path_params["session"], self._language(request)
        try:
            return answered(self._floor.page(_known(viewer), session, language))
        except NotThere as error:
            raise HTTPException(404, str(error)) from error

    async def step(self, request: Request, viewer: Viewer | None) -> Response:
        said = await read(request, TakenStep)
        who, alert = _known(viewer), request.path_params["alert"]
        try:
            life = self._floor.step(who, alert, said.step, self._language(request))
        except NotThere as error:
            raise HTTPException(404, str(error)) from error
        except NotPossible as error:
            raise HTTPException(409, str(error)) from error
        self._audit.note(
            who.name, f"alert.{said.step}", about=alert, address=visit(request).address
        )
        return answered(life)

    async def day(self, _request: Request, viewer: Viewer | None) -> Response:
        try:
            return answered(self._floor.day(_known(viewer)))
        except NotThere as error:
            raise HTTPException(404, str(error)) from error

    def _language(self, request: Request) -> str:
        wanted = request.query_params.get("lang", "")
        if wanted in LANGUAGES:
            return wanted
        return self._spoken or best_language(request.headers.get("accept-language", ""))


def roads(floor: Floor, hub: Hub, audit: Noted, language: str) -> list[Road]:
    """Return the board's roads.

    Args:
        floor: what the board knows.
        hub: tells those who look.
        audit: is told who did what.
        language: of everybody; "" for each reader's own.
    """
    to = _BoardRoads(floor, hub, audit, language)
    return [
        Road(
            method="GET",
            path="/api/view",
            who=_LOOKING,
            answer=to.view,
            says="The whole board, as you may see it.",
            gives=View,
        ),
        Road(
            method="GET",
            path="/api/events",
            who=_LOOKING,
            answer=to.events,
            says="The board as server-sent events: `view`, then `changes`, and `alive`.",
            kind="text/event-stream",
            limit=60,
        ),
        Road(
            method="GET",
            path="/api/calls/{session}",
            who=_ON_CALLS,
            answer=to.page,
            says="All that is known of one call, up to an hour after its end.",
            gives=CallPage,
            faults=_NOT_THERE,
        ),
        Road(
            method="POST",
            path="/api/alerts/{alert}/step",
            who=_ON_CALLS,
            answer=to.step,
            says="Take a step of an alert's life; it never goes back.",
            body=TakenStep,
            gives=Life,
            faults=_NOT_THERE | {409: "The alert has come further, or the step is not yours."},
        ),
        Road(
            method="GET",
            path="/api/day",
            who=_COUNTING,
            answer=to.day,
            says="Counts since midnight, of the teams that are yours.",
            gives=Day,
        ),
    ]


def _known(viewer: Viewer | None) -> Viewer:
    """Return who asks; the table of roads lets nobody else in here."""
    if viewer is None:
        raise HTTPException(401, "Sign in first.")
    return viewer
