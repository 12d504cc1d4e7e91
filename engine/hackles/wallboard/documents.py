"""The documents of the API: OpenAPI for what is asked, AsyncAPI for what is told."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from hackles.live.asking import answered
from hackles.wallboard.roads import SIGNED_IN, Road
from hackles.wallboard.viewer import Viewer


def roads() -> list[Road]:
    """Return the documents' own roads."""
    return [
        Road(
            method="GET",
            path="/api/openapi.json",
            who=SIGNED_IN,
            answer=_openapi,
            says="Say what may be asked: this document.",
            gives=dict[str, Any],
            limit=60,
        ),
        Road(
            method="GET",
            path="/api/asyncapi.json",
            who=SIGNED_IN,
            answer=_asyncapi,
            says="Say what is told without being asked: events, streams, webhooks.",
            gives=dict[str, Any],
            limit=60,
        ),
    ]


async def _openapi(request: Request, _viewer: Viewer | None) -> Response:
    from hackles.wallboard.openapi import openapi

    return answered(openapi(request.app.state.roads))


async def _asyncapi(_request: Request, _viewer: Viewer | None) -> Response:
    from hackles.wallboard.asyncapi import asyncapi

    return answered(asyncapi())
