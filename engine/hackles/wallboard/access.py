"""Who may look at the board: nobody signs in (this machine alone), or by password, or by a proxy.

Accounts stand in the board's book whichever it is: a proxy says who somebody is, the book what they
may do.
"""

import hmac
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from hackles.errors import UsageError
from hackles.wallboard import accounts, sessions
from hackles.wallboard.accounts import Accounts
from hackles.wallboard.audit import Audit
from hackles.wallboard.book import Book
from hackles.wallboard.limits import Limits
from hackles.wallboard.proxies import Proxies
from hackles.wallboard.sessions import Sessions
from hackles.wallboard.settings import Settings
from hackles.wallboard.viewer import ALL_TEAMS, Role, Viewer
from hackles.wallboard.visit import Visit

TABLES: Final = accounts.TABLES + sessions.TABLES

LOCAL: Final = Viewer("local", frozenset(Role), frozenset({ALL_TEAMS}))
"""Whoever sits at this machine, where nobody signs in."""

_NOT_SIGNED_IN: Final = "Sign in first."
_NOT_LOCAL: Final = "Nobody signs in here, so the board is for this machine alone."
_NOT_BY_PROXY: Final = "Come by the proxy that signs people in; it did not say who you are."
_UNKNOWN: Final = "You have no account at this board; ask its administrator for one."


class Access:
    """Tells who asks, and lets them sign in and out."""

    def __init__(
        self,
        settings: Settings,
        book: Book,
        audit: Audit,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Prepare.

        Args:
            settings: say who people are, and how one knows.
            book: has `TABLES`.
            audit: is told who signs in and out.
            clock: in seconds since 1970.

        Raises:
            UsageError: if the engines' secret cannot be read, or a proxy's network is none.
        """
        self.settings, self.audit, self.clock = settings, audit, clock
        self.accounts = Accounts(book, clock)
        self.sessions = Sessions(book, settings.sign_in, clock)
        self.proxies = Proxies(settings.board.proxies)
        self.limits = Limits(clock)
        self._token = engines_secret(settings.feed.token_file)
        self._key = secrets.token_bytes(32)

    def visit(self, asked: HTTPConnection) -> Visit:
        """Return who asks."""
        address, is_tls = self.proxies.address(asked), self.proxies.is_tls(asked)
        by = self.settings.sign_in.by
        secret = asked.cookies.get(cookie(is_tls), "") if by == "password" else ""

        def viewer(is_use: bool) -> tuple[Viewer | None, HTTPException]:
            if by == "nobody":
                is_here = self.proxies.is_here(asked)
                return LOCAL if is_here else None, HTTPException(401, _NOT_LOCAL)
            if by == "password":
                name = self.sessions.name(secret, is_use)
                return self._viewer(name), HTTPException(401, _NOT_SIGNED_IN)
            name = self._said(asked)
            refused = HTTPException(403, _UNKNOWN) if name else HTTPException(401, _NOT_BY_PROXY)
            return self._viewer(name), refused

        found, refused = viewer(is_use=True)
        return Visit(
            address=address,
            is_tls=is_tls,
            viewer=found,
            refused=refused,
            csrf=self.csrf(found, secret) if found else "",
            secret=secret,
            may_look=lambda: found is not None and viewer(is_use=False)[0] == found,
        )

    def csrf(self, viewer: Viewer, secret: str) -> str:
        """Return what a page must send back; another session, or none, does not know it."""
        key = secret.encode() or self._key + viewer.name.encode()
        return hmac.digest(key, b"csrf", "sha256").hex()

    def is_engine(self, asked: HTTPConnection) -> bool:
        """Return whether somebody brings the engines' secret, or is here and there is none."""
        if self._token is None:
            return self.proxies.is_here(asked)
        scheme, _, token = asked.headers.get("authorization", "").partition(" ")
        is_same = hmac.compare_digest(token.strip().encode(), self._token)
        return is_same and scheme.lower() == "bearer"

    def _said(self, asked: HTTPConnection) -> str:
        """Return whom a declared proxy names; two names are none."""
        names = asked.headers.getlist(self.settings.sign_in.header)
        if len(names) != 1 or not self.proxies.vouch(asked):
            return ""
        return names[0].strip()

    def _viewer(self, name: str) -> Viewer | None:
        account = self.accounts.find(name) if name else None
        return account.viewer if account else None


def cookie(is_tls: bool) -> str:
    """Return the name of the session's cookie; by TLS one that no other host can set."""
    return "__Host-hackles" if is_tls else "hackles"


def engines_secret(path: str) -> bytes | None:
    """Return the engines' secret, or None if there is none.

    Raises:
        UsageError: if the file cannot be read, or holds nothing.
    """
    if not path:
        return None
    try:
        token = Path(path).read_bytes().strip()
    except (OSError, ValueError) as error:  # no name of a file may have a NUL
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"token_file cannot be read ({reason}); name a file that this user may read."
        ) from error
    if not token:
        raise UsageError("token_file names a file that holds nothing; fill it.")
    return token
