"""Signing in and out, one's password, who one is, and the audit log."""

from typing import Annotated, Final

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hackles.live.asking import Body, Nothing, answered, read
from hackles.wallboard import documents, passwords
from hackles.wallboard.access import Access, cookie
from hackles.wallboard.accounts import LONGEST_NAME, Account, key
from hackles.wallboard.audit import Entries
from hackles.wallboard.limits import too_often
from hackles.wallboard.passwords import Passwords
from hackles.wallboard.proxies import nearby
from hackles.wallboard.queries import query
from hackles.wallboard.roads import ANYBODY, SIGNED_IN, Road
from hackles.wallboard.shapes import Me
from hackles.wallboard.viewer import Role, Viewer
from hackles.wallboard.visit import Visit, visit

_Password = Annotated[str, msgspec.Meta(max_length=passwords.LONGEST)]

_MINUTES_S: Final = 600.0
_MOST_OF_NAME: Final = 10
"""Faults in ten minutes of one name from one address."""
_MOST_OF_ADDRESS: Final = 60
"""Of all names: a whole floor may sit behind one address."""

_WRONG: Final = "Name or password are not right."
_FAULTS: Final = {401: "The password is not right.", 409: "Nobody signs in here by password."}


class SignIn(Body):
    """Whoever signs in, and how that is known."""

    name: Annotated[str, msgspec.Meta(max_length=LONGEST_NAME)]
    password: _Password


class PasswordChange(Body):
    """The password until now, and from now on."""

    old: _Password
    new: _Password


class AuditQuery(Body):
    """Which entries of the log: those older than `before`, at most `limit`."""

    before: Annotated[int, msgspec.Meta(ge=1, le=2**53)] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100


def roads(access: Access) -> list[Road]:
    """Return the roads for signing in and out, for the audit log, and the documents."""
    door = _Door(access)
    return [
        Road(
            method="POST",
            path="/api/sign-in",
            who=ANYBODY,
            answer=door.sign_in,
            says="Sign in; the session comes as a cookie.",
            body=SignIn,
            gives=Me,
            faults=_FAULTS,
        ),
        Road(
            method="POST",
            path="/api/sign-out",
            who=SIGNED_IN,
            answer=door.sign_out,
            says="End one's session.",
            body=Nothing,
            gives=Nothing,
        ),
        Road(
            method="POST",
            path="/api/password",
            who=SIGNED_IN,
            answer=door.change,
            says="Change one's password; all other sessions of the account end.",
            body=PasswordChange,
            gives=Me,
            faults=_FAULTS,
        ),
        Road(
            method="GET",
            path="/api/me",
            who=SIGNED_IN,
            answer=door.me,
            says="Say who asks, and what they may do.",
            gives=Me,
        ),
        Road(
            method="GET",
            path="/api/audit",
            who=frozenset({Role.ADMINISTRATOR}),
            answer=door.audit,
            says="List who did what, the newest first.",
            query=AuditQuery,
            gives=Entries,
        ),
        *documents.roads(),
    ]


class _Door:
    """One method for each road."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._passwords = Passwords() if access.settings.sign_in.by == "password" else None

    async def sign_in(self, request: Request, _viewer: Viewer | None) -> Response:
        """Let somebody in who knows a password, in a session that nobody knew before."""
        said, asked = await read(request, SignIn), visit(request)
        account = await self._known(asked, said.name, said.password)
        self._access.audit.note(account.viewer.name, "signed in", address=asked.address)
        if asked.secret:
            self._access.sessions.end(asked.secret)
        return self._begin(asked, account.viewer)

    async def sign_out(self, request: Request, viewer: Viewer | None) -> Response:
        """End a session; where there is none, nothing ends."""
        await read(request, Nothing)
        asked = visit(request)
        response = answered({})
        if asked.secret and viewer:
            self._access.sessions.end(asked.secret)
            self._access.audit.note(viewer.name, "signed out", address=asked.address)
            response.delete_cookie(
                cookie(asked.is_tls), secure=asked.is_tls, httponly=True, samesite="strict"
            )
        return response

    async def change(self, request: Request, viewer: Viewer | None) -> Response:
        """Change a password; whoever else is signed in by the old one is not any longer."""
        said, asked = await read(request, PasswordChange), visit(request)
        name = viewer.name if viewer else ""
        if len(said.new) < passwords.SHORTEST:
            raise HTTPException(422, f"A password has {passwords.SHORTEST} characters or more.")
        account = await self._known(asked, name, said.old)
        await self._keep(account, said.new)
        self._access.audit.note(name, "changed the password", name, asked.address)
        self._access.sessions.end_all(name)
        return self._begin(asked, account.viewer)

    async def me(self, request: Request, viewer: Viewer | None) -> Response:
        """Return who asks."""
        return answered(self._me(viewer, visit(request).csrf))

    async def audit(self, request: Request, _viewer: Viewer | None) -> Response:
        """Return a part of the audit log."""
        which = query(request, AuditQuery)
        return answered(Entries(entries=self._access.audit.entries(which.before, which.limit)))

    async def _known(self, asked: Visit, name: str, password: str) -> Account:
        """Return the account whose password this is, and note it if it is not.

        Raises:
            HTTPException: if it is not, or was tried too often.
        """
        if self._passwords is None:
            raise HTTPException(409, _FAULTS[409])
        keys = self._spend(asked, name)
        account = self._access.accounts.find(name)
        known = account.password if account else ""
        is_fit = await self._passwords.fit(password, known)
        if not is_fit or account is None or account != self._access.accounts.find(name):
            # What is no account's name may be a password in the wrong field.
            about = account.viewer.name if account else ""
            self._access.audit.note("", "wrong password", about, asked.address)
            raise HTTPException(401, _WRONG)
        for spent in keys:
            self._access.limits.give_back(spent)
        if self._passwords.is_outdated(known):
            await self._keep(account, password)
        return account

    def _spend(self, asked: Visit, name: str) -> list[str]:
        """Count a try before it is known whether it is a fault, so that many at once count."""
        address = nearby(asked.address)
        most = {
            f"sign-in {address} {key(name)}": _MOST_OF_NAME,
            f"sign-in {address}": _MOST_OF_ADDRESS,
        }
        for kept, n in most.items():
            wait_s = self._access.limits.spend(kept, n, _MINUTES_S)
            if wait_s:
                raise too_often(wait_s)
        return list(most)

    async def _keep(self, account: Account, password: str) -> None:
        """Keep another hash, unless somebody else did so while it was made."""
        if self._passwords:
            password = await self._passwords.hash(password)
            if self._access.accounts.find(account.viewer.name) == account:
                self._access.accounts.set_password(account.viewer.name, password)

    def _begin(self, asked: Visit, viewer: Viewer) -> Response:
        """Return the answer that brings a new session."""
        secret = self._access.sessions.begin(viewer.name)
        response = answered(self._me(viewer, self._access.csrf(viewer, secret)))
        response.set_cookie(
            cookie(asked.is_tls),
            secret,
            max_age=3600 * self._access.settings.sign_in.hours,
            secure=asked.is_tls,
            httponly=True,
            samesite="strict",
        )
        return response

    def _me(self, viewer: Viewer | None, csrf: str) -> Me:
        if viewer is None:
            raise TypeError("The road is for who has signed in.")
        return Me(
            name=viewer.name,
            roles=sorted(viewer.roles),
            teams=sorted(viewer.teams),
            csrf=csrf,
            sign_in=self._access.settings.sign_in.by,
        )
