"""A server that says nothing any longer, but does not hang up either, holds up nobody for ever."""

import contextlib
import os
import socket
import threading
from collections.abc import Iterator

from sqlalchemy import Connection


@contextlib.contextmanager
def deadline(connection: Connection, seconds: float) -> Iterator[None]:
    """Cut a connection to a server if what is done with it takes too long.

    Whoever waits for the server then gets its library's error for a connection that broke.

    Args:
        connection: to PostgreSQL.
        seconds: from now.
    """
    raw = connection.connection.driver_connection
    if raw is None:
        yield
        return
    line = socket.socket(fileno=os.dup(raw.fileno()))
    timer = threading.Timer(seconds, _cut, (line,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()  # the descriptor must not be another's by the time it is cut
        line.close()


def _cut(line: socket.socket) -> None:
    with contextlib.suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
