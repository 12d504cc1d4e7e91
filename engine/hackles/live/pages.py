"""HTTP beside the daemon's own loop."""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Iterator
from typing import Final, cast

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from hackles.capture.sockets import listening
from hackles.errors import UsageError
from hackles.settings import host_port

_DATE_S: Final = 1.0
"""Answers bear the time of day, to the second."""

HEAD_S = 10.0
"""So long the head of a request may take: whoever only connects keeps nobody else out for long."""


class Patient(H11Protocol):
    """A connection that is closed if no whole head of a request comes in time.

    uvicorn itself waits without end for the first request, and for the rest of a later one.
    """

    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._wait_or_not()

    def data_received(self, data: bytes) -> None:
        """Take in what came, and wait on if that was not a whole head."""
        super().data_received(data)
        self._wait_or_not()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._wait_no_longer()
        super().connection_lost(exc)

    def _wait_or_not(self) -> None:
        cycle = cast(RequestResponseCycle | None, self.cycle)
        if cycle is not None and not cycle.response_complete:
            self._wait_no_longer()
        elif self._patience is None:
            self._patience = self.loop.call_later(HEAD_S, self._give_up)

    def _wait_no_longer(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _give_up(self) -> None:
        self.transport.close()


class Page(uvicorn.Server):
    """An HTTP server that leaves signals to us."""

    def __init__(
        self,
        app: Starlette,
        stack: contextlib.ExitStack,
        listen: str,
        *,
        most: int = 64,
        certificate: str = "",
        key: str = "",
    ) -> None:
        """Listen.

        Args:
            app: what answers.
            stack: closes the socket at its end.
            listen: host:port.
            most: so many connections at a time; further ones are told to come again.
            certificate: PEM, with `key`, for https; "" for none.
            key: the same.

        Raises:
            UsageError: if one cannot listen there, or the certificate is none.
        """
        self._socket = stack.enter_context(contextlib.closing(listening(*host_port(listen))))
        # Whoever is accepted has it from here: an answer's body is not to wait until its head has
        # been confirmed, which takes 40 ms. asyncio overlooks sockets made by `create_server`.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        config = uvicorn.Config(
            app,
            http=Patient,
            log_config=None,
            proxy_headers=False,  # or whoever is on this machine could say to come from elsewhere
            server_header=False,
            access_log=False,
            lifespan="off",
            limit_concurrency=most,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=1,
            ssl_certfile=certificate or None,
            ssl_keyfile=key or None,
        )
        try:
            config.load()
        except (OSError, ssl.SSLError) as error:
            raise UsageError(
                f"{certificate} with {key} is no certificate with its key ({error}); "
                "both must be PEM files."
            ) from error
        super().__init__(config)
        self._is_told_to_end = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield

    def end(self) -> None:
        """Answer nobody any longer; who does not read, or sends half a request, is cut off."""
        # It would tell of each of those, with a traceback.
        logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
        self.should_exit = True
        self._is_told_to_end.set()

    async def main_loop(self) -> None:
        """Wait for the end; uvicorn's own asks ten times a second whether it has come."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._is_told_to_end.wait(), _DATE_S)

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer until told to stop."""
        await super().serve(sockets or [self._socket])
