"""Connections on their way from the front, which accepts them, to the worker that reads them."""

import socket
from collections import deque
from collections.abc import Iterator
from typing import Final

_MOST_AT_ONCE: Final = 64
"""Descriptors that one message may carry; each carries one."""

_LONGEST: Final = 512


class Passed:
    """A door (see `capture.sockets.Door`) through which the front's thread passes connections."""

    def __init__(self) -> None:
        """Begin with nobody waiting."""
        self._waiting: deque[tuple[socket.socket, str]] = deque()

    def pass_on(self, connected: socket.socket, host: str) -> None:
        """Let a connection in; whoever asks next gets it."""
        self._waiting.append((connected, host))

    def accepted(self) -> Iterator[tuple[socket.socket, str]]:
        """Yield the connections that wait, non-blocking, and the host that each came from."""
        while self._waiting:
            yield self._waiting.popleft()

    def close(self) -> None:
        """Let nobody in any longer."""
        for connected, _ in self.accepted():
            connected.close()


def send(channel: socket.socket, way: str, connected: socket.socket, host: str) -> None:
    """Pass a connection on to another process.

    Raises:
        BlockingIOError: if that process is busy; try again.
    """
    socket.send_fds(channel, [f"{way} {host}".encode()], [connected.fileno()])


def receive(channel: socket.socket, doors: dict[str, Passed]) -> None:
    """Take in what another process passed on, each to its door."""
    while True:
        try:
            said, descriptors, *_ = socket.recv_fds(channel, _LONGEST, _MOST_AT_ONCE)
        except BlockingIOError:
            return
        if not said:
            return
        way, _, host = said.decode().partition(" ")
        for descriptor in descriptors:
            connected = socket.socket(fileno=descriptor)
            connected.setblocking(False)
            doors[way].pass_on(connected, host)
