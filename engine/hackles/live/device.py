"""The API by which a softphone's hooks tell where calls of [device] begin and end."""

from typing import Annotated

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hackles.errors import UsageError
from hackles.live.asking import Body, answered, read
from hackles.live.line import Line

_Label = Annotated[str, msgspec.Meta(max_length=200)]


class _Start(Body):
    call: _Label = ""
    queue: _Label = ""
    agent: _Label = ""
    customer: _Label = ""
    consent: bool | None = None


class _End(Body):
    call: _Label = ""


class _Consent(Body):
    consent: bool
    call: _Label = ""


def routes(line: Line) -> list[Route]:
    """Return the roads that lead to the agent's line."""
    api = _Api(line)
    return [
        Route("/device/start", api.start, methods=["POST"]),
        Route("/device/end", api.end, methods=["POST"]),
        Route("/device/consent", api.consent, methods=["POST"]),
    ]


class _Api:
    """One method for each road; what cannot be done as things stand is a 409, in a sentence."""

    def __init__(self, line: Line) -> None:
        self._line = line

    async def start(self, request: Request) -> Response:
        """Take a call onto the line."""
        said = await read(request, _Start)
        try:
            call = self._line.begin(
                said.call,
                queue=said.queue,
                agent=said.agent,
                customer=said.customer,
                consent=said.consent,
            )
        except UsageError as error:
            raise HTTPException(409, str(error)) from error
        return answered({"call": call}, 201)

    async def end(self, request: Request) -> Response:
        """Let the call go."""
        said = await read(request, _End)
        try:
            return answered({"call": self._line.end(said.call).call})
        except UsageError as error:
            raise HTTPException(409, str(error)) from error

    async def consent(self, request: Request) -> Response:
        """Note that the caller agrees, or not (any longer)."""
        said = await read(request, _Consent)
        try:
            take = self._line.agree if said.consent else self._line.refuse
            return answered({"call": take(said.call), "consent": said.consent})
        except UsageError as error:
            raise HTTPException(409, str(error)) from error
