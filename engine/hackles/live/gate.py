"""Where connections are accepted, and those from elsewhere turned away."""

import asyncio
import ipaddress
import logging
import socket
from collections.abc import Callable, Sequence
from typing import Final

from hackles.capture.sockets import Listener
from hackles.settings import host_port

_log = logging.getLogger(__name__)

_REST_S: Final = 1.0
"""After nobody could be taken in, it is tried again after so long."""


class Gate:
    """One listening address."""

    def __init__(
        self,
        way: str,
        listen: str,
        allow_from: Sequence[str],
        pass_on: Callable[[str, socket.socket, str], None],
        turned_away: Callable[[], None],
    ) -> None:
        """Listen; nobody is let in before `open`.

        Args:
            way: the section of the settings.
            listen: host and port.
            allow_from: networks; anybody if there are none.
            pass_on: takes a connection of a way, and the host that it came from.
            turned_away: is told of each that is not let in.

        Raises:
            UsageError: if one cannot listen there.
        """
        self._way, self._pass_on, self._turned_away = way, pass_on, turned_away
        self._networks = [ipaddress.ip_network(network, strict=False) for network in allow_from]
        self._listener = Listener(*host_port(listen))
        self.port = self._listener.port
        self._said: set[str] = set()

    def open(self) -> None:
        """Let people in, from the loop that runs now."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._listener.fileno(), self._let_in)

    def close(self) -> None:
        """Let nobody in any longer."""
        self._loop.remove_reader(self._listener.fileno())
        self._listener.close()

    def _let_in(self) -> None:
        for connected, host in self._listener.accepted():
            if self._may(host):
                self._pass_on(self._way, connected, host)
            else:
                connected.close()
                self._turned_away()
                self._say(host)
        if self._listener.has_failed:
            self._loop.remove_reader(self._listener.fileno())
            self._loop.call_later(_REST_S, self._try_again)

    def _try_again(self) -> None:
        if self._listener.fileno() >= 0:
            self._loop.add_reader(self._listener.fileno(), self._let_in)

    def _may(self, host: str) -> bool:
        """Return whether a host is in one of the networks."""
        address = ipaddress.ip_address(host.partition("%")[0])
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return not self._networks or any(address in network for network in self._networks)

    def _say(self, host: str) -> None:
        """Log a stranger once."""
        if host not in self._said and len(self._said) < 100:
            self._said.add(host)
            _log.warning(
                "A connection from %s is turned away: [%s] allow_from does not name it.",
                host,
                self._way,
            )
