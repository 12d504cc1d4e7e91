"""TCP for telephone systems: whoever connects is taken in and kept, and never waited for."""

import itertools
import logging
import socket
from collections.abc import Iterator
from typing import Final, Protocol

from hackles.errors import UsageError

_log = logging.getLogger(__name__)

_BACKLOG: Final = 4096
"""Connections that may wait for the next tick: all calls of a site may begin anew at once."""

_KEEPALIVE: Final = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 6}
"""Seconds and counts: a host that has died is noticed after two minutes. No data is sent."""


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        UsageError: if one cannot listen there.
    """
    if not 0 <= port < 2**16:
        raise UsageError(f"There is no port {port}; choose one from 1 to 65535.")
    try:
        # Looked up before there is a socket: create_server leaves it open at a name that is none.
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address, family=family, backlog=_BACKLOG)
    except (OSError, ValueError, TypeError) as error:  # a name may be no name at all
        reason = str(getattr(error, "strerror", None) or error).partition(" (while ")[0]
        raise UsageError(
            f"Cannot listen on {host} port {port} ({reason}); choose another address or port."
        ) from error


class Door(Protocol):
    """Where connections come from: a listening socket, or a process that passes them on."""

    def accepted(self) -> Iterator[tuple[socket.socket, str]]:
        """Yield the connections that wait, non-blocking, and the host that each came from."""

    def close(self) -> None:
        """Let nobody in any longer."""


class Listener:
    """A listening socket that is asked who has come.

    SO_RCVBUF stays as it is: Linux lets a connection's memory grow as it is needed, unless somebody
    fixes its size.
    """

    def __init__(self, host: str, port: int) -> None:
        """Listen.

        Raises:
            UsageError: if one cannot listen there.
        """
        self._socket = listening(host, port)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _KEEPALIVE.items():
            if hasattr(socket, name):
                self._socket.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        self.port: int = self._socket.getsockname()[1]
        self.has_failed = False
        """Whether somebody waits who cannot be taken in, for want of descriptors, say."""

    def accepted(self) -> Iterator[tuple[socket.socket, str]]:
        """Yield the connections that wait, and the host that each came from."""
        while True:
            try:
                connected, address = self._socket.accept()
            except BlockingIOError:
                return
            except ConnectionAbortedError:
                continue
            except OSError as error:
                if not self.has_failed:
                    _log.error("Calls wait, but cannot be accepted: %s.", error)
                self.has_failed = True
                return
            self.has_failed = False
            connected.setblocking(False)
            yield connected, address[0]

    def fileno(self) -> int:
        """Return the descriptor that can be read when somebody waits."""
        return self._socket.fileno()

    def close(self) -> None:
        """Listen no longer."""
        self._socket.close()


class Unheard:
    """Connections that are read and forgotten until the other side hangs up.

    Of those that are no calls, or have never shown that they are, only so many are kept: whoever
    connects could take all our files otherwise. Calls are kept however many they are.
    """

    def __init__(self, max_read: int, greeting: bytes, most: int = 4096) -> None:
        """Say how much is read of each at a time, and how many are kept.

        Args:
            max_read: in bytes.
            greeting: what a call begins with.
            most: above so many, the oldest that is no call is closed.
        """
        self._is_call: dict[socket.socket, bool | None] = {}
        self._scratch = memoryview(bytearray(max_read))
        self._greeting = greeting
        self._most = most

    def add(self, connected: socket.socket, is_call: bool | None) -> None:
        """Keep this one; None if it is to be told by what it says first."""
        self._is_call[connected] = is_call
        if len(self._is_call) > self._most:
            strangers = (other for other, is_call in self._is_call.items() if not is_call)
            for stranger in itertools.islice(strangers, 1):
                self._let_go(stranger)

    def drain(self) -> None:
        """Read once from each, and close those that the other side has left."""
        for connected, is_call in tuple(self._is_call.items()):
            try:
                count = connected.recv_into(self._scratch)
            except BlockingIOError:
                continue
            except OSError:
                count = 0
            if not count:
                self._let_go(connected)
            elif is_call is None:
                said = self._scratch[: min(count, len(self._greeting))]
                self._is_call[connected] = self._greeting.startswith(said)

    def close(self) -> None:
        """Hang up on everybody."""
        for connected in tuple(self._is_call):
            self._let_go(connected)

    def _let_go(self, connected: socket.socket) -> None:
        """Close one."""
        del self._is_call[connected]
        connected.close()
