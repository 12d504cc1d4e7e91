"""Who asks for something, from where, and how: what one request tells of that."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request

from hackles.wallboard.viewer import Viewer


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request's asker.

    Attributes:
        address: from where, as the declared proxies say; "" if they do not.
        is_tls: whether it came by TLS, to us or to a declared proxy.
        viewer: who it is; None for a stranger ...
        refused: ... and what to tell a stranger who must not be one.
        csrf: what their page must send back with whatever is not a GET; "" for a stranger.
        secret: of the session; "" where there are none.
        may_look: returns whether this viewer would still be let in; for streams that stay open.
    """

    address: str
    is_tls: bool
    viewer: Viewer | None
    refused: HTTPException
    csrf: str = ""
    secret: str = ""
    may_look: Callable[[], bool] = lambda: False


def visit(request: Request) -> Visit:
    """Return who asks, as the application found out before it let the request through."""
    found: Visit = request.state.visit
    return found
