"""Which addresses may be told anything: those of the public internet, unless others are allowed.

A webhook is a way to let this machine ask something of another that the asker cannot reach
(server-side request forgery), so it is the address that counts, after the name was looked up.
"""

import ipaddress
import socket
from typing import Final, TypeAlias

_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_INSIDE_4: Final = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "192.0.0.0/24",  # for protocols (RFC 6890)
        "192.88.99.0/24",  # relays of 6to4, which are gone (RFC 7526)
        "168.63.129.16/32",  # Azure's own door into a virtual machine's settings
    )
)
_UNICAST_6: Final = ipaddress.IPv6Network("2000::/3")
_INSIDE_6: Final = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # for protocols, Teredo among them
        "2001:db8::/32",  # for documents ...
        "3fff::/20",  # ... (RFC 9637)
    )
)
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_LAST_4_BYTES: Final = 2**32 - 1


def is_public(address: str) -> bool:
    """Return whether an address is one that everybody on the internet can reach.

    Args:
        address: IPv4 or IPv6, as a lookup of a name gives it.
    """
    try:
        return _is_public(ipaddress.ip_address(address))
    except ValueError:
        return False


def literal(host: str) -> str | None:
    """Return the address that a host is, in whatever way it is written; None if it is a name.

    A lookup takes 2130706433, 0x7f.1 and 0177.0.0.1 for 127.0.0.1, as C libraries ever did.
    """
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return None


def _is_public(address: _Address) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        is_inside = any(address in network for network in _INSIDE_4)
        return address.is_global and not address.is_multicast and not is_inside
    within = _within(address)
    if within is not None:
        return _is_public(within)
    is_inside = any(address in network for network in _INSIDE_6)
    return address in _UNICAST_6 and not is_inside and address.is_global


def _within(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that is reached by an IPv6 address (mapped, 6to4, NAT64), if any."""
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & _LAST_4_BYTES)
    return address.ipv4_mapped or address.sixtofour
