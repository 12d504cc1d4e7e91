"""The whole service, as strangers try it: its roads, and what there is to find behind them.

Where a road is not built yet, a stand-in with the same path and the same rights.
"""

from importlib.resources import files
from typing import Literal

import msgspec
from sse_starlette import EventSourceResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

from hackles.exchange.messages import Answer, Message
from hackles.live.asking import Body, answered, read
from hackles.wallboard.roads import ANYBODY, ENGINE, SIGNED_IN, Road
from hackles.wallboard.viewer import ALL_TEAMS, Role
from hackles.wallboard.visit import visit

TABLES = ()
"""Of the rooms whose roads are below, beside those of access and audit."""

CALLS = {"call-of-billing": "Billing", "call-of-sales": "Sales"}
ALERTS = {"alert-of-billing": "Billing", "alert-of-sales": "Sales"}
FILE = "page.css"
FILLED = {"session": "call-of-billing", "alert": "alert-of-billing", "name": FILE}
"""What stands in paths."""

SEES = frozenset({Role.SUPERVISOR, Role.AGENT})


class Step(Body):
    step: Literal["seen", "helping", "resolved", "false_alarm"]


class Sent(msgspec.Struct):
    ok: bool = True


def service_roads(access):
    """Return all roads beside those of access."""

    def seen(viewer, team):
        is_theirs = team is not None and viewer.teams & {team, ALL_TEAMS}
        return bool(is_theirs) and Role.SUPERVISOR in viewer.roles

    async def calls(request, viewer):
        name = request.path_params["session"]
        if not seen(viewer, CALLS.get(name)):
            raise HTTPException(404, "There is no such call on your board.")
        return answered(Sent())

    async def view(request, viewer):
        return answered({name: 1 for name, team in CALLS.items() if seen(viewer, team)})

    async def step(request, viewer):
        await read(request, Step)
        name = request.path_params["alert"]
        if not seen(viewer, ALERTS.get(name)):
            raise HTTPException(404, "There is no such alert on your board.")
        access.audit.note(viewer.name, "seen", name, visit(request).address)
        return answered(Sent())

    async def events(request, viewer):
        async def stream():
            while visit(request).may_look():
                yield {"event": "alive", "data": ""}
                await asyncio.sleep(0.02)

        import asyncio

        return EventSourceResponse(stream())

    async def feed(request, viewer):
        return answered(Answer(board="b", run="r", heard=0))

    async def page(request, viewer):
        return Response("<!doctype html><title>Board</title>", media_type="text/html")

    async def static(request, viewer):
        name = request.path_params["name"]
        file = files("hackles.live") / "page" / name
        if not file.is_file():
            raise HTTPException(404, "There is no such page.")
        return Response(file.read_bytes(), media_type="text/css")

    async def broken(request, viewer):
        raise RuntimeError("a secret of ours")

    return [
        _road("GET", "/api/view", SEES, view, gives=dict[str, int]),
        _road("GET", "/api/events", SEES, events, kind="text/event-stream"),
        _road("GET", "/api/calls/{session}", SEES, calls, gives=Sent),
        _road("POST", "/api/alerts/{alert}/step", SEES, step, body=Step, gives=Sent),
        _road("GET", "/api/day", frozenset({Role.ANALYST, Role.SUPERVISOR}), view, gives=dict),
        _road("POST", "/feed", ENGINE, feed, body=Message, gives=Answer),
        _road("GET", "/", ANYBODY, page, kind="text/html", is_documented=False),
        _road("GET", "/static/{name}", ANYBODY, static, kind="text/css", is_documented=False),
        _road("GET", "/broken", SIGNED_IN, broken, is_documented=False),
    ]


def _road(method, path, who, answer, **more):
    return Road(method=method, path=path, who=who, answer=answer, says="Stand in.", **more)
