"""The rules for reaching a wallboard: one way, and no voices' scores in clear over a network."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import parse_qs, urlsplit

from hackles.configuration.addresses import is_loopback
from hackles.configuration.faults import Finding, Section
from hackles.settings import Board

_IN_CLEAR: Final = {"http": "https", "redis": "rediss"}


def findings(part: Section, board: Board) -> Iterator[Finding]:
    """Yield what is wrong with the section of the wallboard."""
    if bool(board.url) == bool(board.broker):
        text = "needs either url or broker, and not both: where the board is, or what lies between"
        yield Finding(part.path, text, ("url", "broker"))
    for key in ("url", "broker"):
        yield from _address(part, key, getattr(board, key))


def _address(part: Section, key: str, url: str) -> Iterator[Finding]:
    """Yield what is wrong with a URL; what it says is not repeated, for a secret may be in it."""
    if not url:
        return
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        parts = None
    if parts is None or not parts.hostname:
        yield Finding(
            part.path, f"{key} names no host, or a port that there is not; correct it", (key,)
        )
        return
    if parts.scheme in _IN_CLEAR and not is_loopback(parts.hostname):
        text = (
            f"{key} sends what happens in calls over the network without encryption; begin it "
            f"with {_IN_CLEAR[parts.scheme]}://"
        )
        yield Finding(part.path, text, (key,), is_warning=True)
    if key == "url" and (parts.username or parts.query):
        text = "url may have a host, a port and a path alone; name the secret in token_file"
        yield Finding(part.path, text, (key,))
    if key == "broker" and (parts.password or "password" in parse_qs(parts.query)):
        text = (
            "broker has a password in it, which whoever may read this file sees; move it to a file "
            "that token_file names"
        )
        yield Finding(part.path, text, (key,), is_warning=True)
