"""Before and after all roads: by which name the board was asked for, and headers for browsers."""

from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hackles.live.asking import answered
from hackles.wallboard.access import Access

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; media-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_TLS_ALONE: Final = "max-age=31536000"

_HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})

_LONGEST_NAME: Final = 255
"""In bytes; to ask for a file of a longer one is an error to the system, not just no file."""

_STATIC: Final = ("/static/",)
"""Only what is the same for everybody may stay with browsers and proxies."""


class Guard:
    """Refuses foreign names and odd paths, and adds headers to whatever is answered."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        """Stand before an application."""
        self._app, self._access = app, access
        public = urlsplit(access.settings.board.public_url).hostname
        self._names = _HERE | {public.lower()} if public else _HERE

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or have it answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = HTTPConnection(scope)
        more = headers(asked, self._access)
        has_body = {"content-length", "transfer-encoding"} & set(asked.headers.keys())

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(more)
                if has_body and (message["status"] >= 400 or scope["method"] == "GET"):
                    # Or the rest of what nobody reads would be waited for, however long it is.
                    MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        app = self._app
        if not self._is_ours(asked):
            app = answered({"error": "Ask for the board by the name in its public_url."}, 400)
        elif not _is_plain(scope["path"]):
            app = answered({"error": "There is nothing by this name."}, 404)
        await app(scope, receive, sent)

    def _is_ours(self, asked: HTTPConnection) -> bool:
        """Return whether the board was asked for by a name or address of its own.

        A foreign name that leads here would let its owner's pages read what ours may.
        """
        named = asked.headers.getlist("host")
        host = _host(named[0]) if len(named) == 1 else ""
        server = asked.scope.get("server")
        return host in self._names or bool(server and host == server[0])


def headers(asked: HTTPConnection, access: Access) -> dict[str, str]:
    """Return the headers that all answers bear."""
    is_static = asked.scope["path"].startswith(_STATIC)
    more = {**_HEADERS, "Cache-Control": "no-cache" if is_static else "no-store"}
    if access.proxies.is_tls(asked):
        more["Strict-Transport-Security"] = _TLS_ALONE
    return more


def _host(header: str) -> str:
    """Return a Host without its port; "" if it is none."""
    try:
        return (urlsplit(f"//{header}").hostname or "").lower()
    except ValueError:
        return ""


def _is_plain(path: str) -> bool:
    """Return whether a path has nothing in it by which one leaves a folder, or ends a line."""
    return (
        path.isprintable()
        and "\\" not in path
        and all(
            part not in (".", "..") and len(part.encode()) <= _LONGEST_NAME
            for part in path.split("/")
        )
    )
