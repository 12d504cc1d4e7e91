"""Connections to exactly the address that was checked.

The name is looked up here, all its addresses are checked, and one of these is connected to: a name
that means another address the next time (DNS rebinding) gains nothing. TLS goes on to ask for the
name itself.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, TypeAlias

import httpcore

from hackles.wallboard.webhooks.addresses import is_public

Resolve: TypeAlias = Callable[[str, int], Awaitable[list[str]]]
"""Gives the addresses of a host; raises OSError if it has none."""

_TRIED: Final = 3
"""Addresses of one name that are tried, one after the other."""


class RefusedError(Exception):
    """The address is one that this webhook must not reach; the message says why."""


async def resolve(host: str, port: int) -> list[str]:
    """Return the addresses that a name means now.

    Raises:
        OSError: if it means none.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Guarded(httpcore.AsyncNetworkBackend):
    """Connects where it may."""

    def __init__(self, allow_private: bool, is_encrypted: bool, resolve: Resolve) -> None:
        """Take what is allowed; what is not encrypted may go to private addresses alone."""
        self._allow_private, self._is_encrypted = allow_private, is_encrypted
        self._resolve = resolve
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Look the name up, check what it means, and connect to that.

        Raises:
            RefusedError: if it means an address that may not be reached.
            httpcore.ConnectError: if it means none, or none answers.
        """
        addresses = await self._checked(host, port)
        share = None if timeout is None else timeout / len(addresses)
        for address in addresses[:-1]:
            try:
                return await self._backend.connect_tcp(
                    address, port, share, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._backend.connect_tcp(
            addresses[-1], port, share, local_address, socket_options
        )

    async def _checked(self, host: str, port: int) -> list[str]:
        try:
            found = await self._resolve(host, port)
        except OSError as error:
            raise httpcore.ConnectError("the name means no address") from error
        except UnicodeError as error:
            raise httpcore.ConnectError("the name is none") from error
        are_public = [is_public(address) for address in found]
        if not self._allow_private and not all(are_public):
            raise RefusedError("the address is private, and allow_private does not stand there")
        if not self._is_encrypted and any(are_public):
            raise RefusedError("the address is public, and http:// is for private ones")
        return found[:_TRIED]
