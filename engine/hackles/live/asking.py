"""What HTTP brings and takes: a body read with patience that ends, answers as JSON."""

import asyncio
from typing import Final, TypeVar

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

_LARGEST_BODY: Final = 16_384
_BODY_S: Final = 5.0
"""Whoever sends half a request must not keep others out for long."""


class Body(msgspec.Struct, forbid_unknown_fields=True):
    """What all bodies have in common."""


class Nothing(Body):
    """An object with nothing in it: that something is to be done is all that is said."""


_B = TypeVar("_B", bound=Body)


async def read(request: Request, kind: type[_B]) -> _B:
    """Return a request's body.

    Raises:
        HTTPException: if it is not what it should be; the sentence says what is wrong.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise HTTPException(415, "Send JSON, with the header Content-Type: application/json.")
    try:
        async with asyncio.timeout(_BODY_S):
            body = await _body(request)
    except TimeoutError as error:
        raise HTTPException(408, f"The body did not come within {_BODY_S:.0f} s.") from error
    except ClientDisconnect as error:
        raise HTTPException(400, "The body did not come.") from error
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise HTTPException(422, f"The body is not what is asked for: {error}.") from error


async def _body(request: Request) -> bytes:
    body = b""
    async for some in request.stream():
        body += some
        if len(body) > _LARGEST_BODY:
            raise HTTPException(413, f"The body may have {_LARGEST_BODY} bytes, not more.")
    return body


def answered(content: object, status: int = 200) -> Response:
    """Return an answer."""
    return Response(msgspec.json.encode(content), status, media_type="application/json")
