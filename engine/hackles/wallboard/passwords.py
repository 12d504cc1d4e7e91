"""Passwords: hashed with Argon2id, beside the loop, a few at a time."""

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from starlette.exceptions import HTTPException

from hackles.errors import UsageError

SHORTEST: Final = 10
LONGEST: Final = 1024

_AT_ONCE: Final = 2
"""Each takes 64 MiB and the time of a core or more."""

_MOST_WAITING: Final = 16

_T = TypeVar("_T")


def check(password: str) -> None:
    """Refuse a password that is too short or too long.

    Raises:
        UsageError: if it is.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise UsageError(f"A password has {SHORTEST} to {LONGEST} characters; choose another one.")


def hashed(password: str) -> str:
    """Return a password's hash; takes some 50 ms.

    Raises:
        UsageError: if the password is too short or too long.
    """
    check(password)
    return PasswordHasher().hash(password)


class Passwords:
    """Hashes and compares passwords in threads."""

    def __init__(self) -> None:
        """Prepare; takes some 50 ms."""
        self._hasher = PasswordHasher()
        self._nobodys = self._hasher.hash("of nobody, for names that there are not")
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0

    async def fit(self, password: str, known: str) -> bool:
        """Return whether a password is the one of a hash; takes as long if there is no hash.

        Raises:
            HTTPException: if too many are waiting to be told.
        """
        is_fit = await self._apart(self._verify, known or self._nobodys, password)
        return is_fit and bool(known)

    def is_outdated(self, known: str) -> bool:
        """Return whether a hash is weaker than those that are made today."""
        return self._hasher.check_needs_rehash(known)

    async def hash(self, password: str) -> str:
        """Return a password's hash.

        Raises:
            HTTPException: if too many are waiting.
        """
        return await self._apart(lambda text, _: self._hasher.hash(text), password, "")

    def _verify(self, known: str, password: str) -> bool:
        try:
            return self._hasher.verify(known, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _apart(self, work: Callable[[str, str], _T], one: str, other: str) -> _T:
        """Do what takes long in a thread, once there is room.

        Raises:
            HTTPException: if too many wait for that.
        """
        if self._waiting >= _MOST_WAITING:
            sentence = "Too many people sign in just now; try again in a few seconds."
            raise HTTPException(429, sentence, {"Retry-After": "5"})
        self._waiting += 1
        try:
            async with self._room:
                return await asyncio.to_thread(work, one, other)
        finally:
            self._waiting -= 1
