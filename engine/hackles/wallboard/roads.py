"""The table of all roads of the board's API: from it the server is made, and the documents.

A road says who may go it. There is none that forgot to.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from hackles.wallboard.viewer import Role, Viewer

ANYBODY: Final = "anybody"
"""Also without having signed in."""

SIGNED_IN: Final = "signed in"
ENGINE: Final = "engine"
"""Whoever brings the secret of the engines' feed; no person."""

Who: TypeAlias = frozenset[Role] | Literal["anybody", "signed in", "engine"]

Answering: TypeAlias = Callable[[Request, Viewer | None], Awaitable[Response]]
"""Answers a request; the viewer is None where anybody may ask, and nobody signed in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Road:
    """One way in.

    Attributes:
        method: GET or POST.
        path: as Starlette writes it, such as "/api/calls/{session}".
        who: may go it.
        answer: answers.
        says: what it does, in one sentence, for the document.
        body: what must be sent, or None.
        query: what may stand behind the "?", or None.
        gives: what comes back with 200; None for what is no JSON of ours.
        kind: the media type of what comes back.
        faults: further status codes and when they come.
        is_documented: whether it stands in the OpenAPI document; pages for people do not.
        limit: requests a minute of one viewer (or address) on this road.
    """

    method: Literal["GET", "POST"]
    path: str
    who: Who
    answer: Answering
    says: str
    body: type[msgspec.Struct] | None = None
    query: type[msgspec.Struct] | None = None
    gives: Any = None
    kind: str = "application/json"
    faults: dict[int, str] = field(default_factory=dict)
    is_documented: bool = True
    limit: int = 600
