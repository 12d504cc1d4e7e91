"""HTTP with patience that ends: whoever connects must ask for something soon.

uvicorn itself waits for ever for the head of a request, so a stranger with some connections, each
of which says nothing or a letter a minute, would keep everybody else out.
"""

import asyncio
from typing import Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

_HEAD_S: Final = 10.0


class Patient(H11Protocol):
    """uvicorn's HTTP/1.1, for its setting `http`; a head that takes too long is not waited for."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take in what came, and wait no longer once the head is all there."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._wait_no_longer()
        elif self._late is None:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._wait_no_longer()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._late = self.loop.call_later(_HEAD_S, self.transport.close)

    def _wait_no_longer(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
