"""The proxies in front of the board: from where a request comes, once their word is taken.

Whoever else sends `X-Forwarded-…` is not believed. The server must not believe it either, so it
runs with `proxy_headers=False`.
"""

import ipaddress
from collections.abc import Sequence
from typing import Final, TypeAlias

from starlette.requests import HTTPConnection

from hackles.errors import UsageError

_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_PASSED_ON: Final = frozenset({"forwarded", "via", "x-forwarded-for", "x-real-ip"})
"""Only a proxy sends these; whom an undeclared one lets in is not at this machine."""


class Proxies:
    """Networks whose word is taken for who asks and by which scheme."""

    def __init__(self, networks: Sequence[str]) -> None:
        """Take in which networks those are.

        Raises:
            UsageError: if one of them is no network.
        """
        self._networks = [_network(text) for text in networks]

    def vouch(self, asked: HTTPConnection) -> bool:
        """Return whether it is one of the proxies that passes this request on."""
        return self._has(_address(_peer(asked)))

    def address(self, asked: HTTPConnection) -> str:
        """Return who asks: the last one on the way here that is no proxy of ours; "" if unsaid."""
        nearest = _address(_peer(asked))
        if not self._has(nearest):
            return str(nearest or "")
        said = ",".join(asked.headers.getlist("x-forwarded-for"))
        for text in reversed(said.split(",") if said else []):
            found = _address(text)
            if found is None:
                return ""  # a proxy that says what is no address tells us nothing
            nearest = found
            if not self._has(found):
                break
        return str(nearest)

    def is_here(self, asked: HTTPConnection) -> bool:
        """Return whether somebody at this machine asks, and no proxy on it for somebody else."""
        is_passed_on = not _PASSED_ON.isdisjoint(asked.headers.keys())
        return is_loopback(self.address(asked)) and (self.vouch(asked) or not is_passed_on)

    def is_tls(self, asked: HTTPConnection) -> bool:
        """Return whether the request came by TLS: to us, or to the proxy that passes it on."""
        said = ",".join(asked.headers.getlist("x-forwarded-proto"))
        if said and self.vouch(asked):
            return said.rpartition(",")[2].strip().lower() == "https"
        return asked.scope.get("scheme") == "https"

    def _has(self, address: _Address | None) -> bool:
        return address is not None and any(address in network for network in self._networks)


def is_loopback(address: str) -> bool:
    """Return whether an address is this machine's own; "" is not."""
    found = _address(address)
    return found is not None and found.is_loopback


def nearby(address: str) -> str:
    """Return what counts as one asker: of an IPv6 address the /64, which one household has."""
    found = _address(address)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, 64), strict=False))
    return address


def _peer(asked: HTTPConnection) -> str:
    return asked.client.host if asked.client else ""


def _address(text: str) -> _Address | None:
    """Return an address without its port and zone; one of IPv4 in IPv6's clothes as IPv4."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _network(text: str) -> _Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise UsageError(
            f'proxies has "{text}", which is no network; write it as in "192.0.2.0/24".'
        ) from error
