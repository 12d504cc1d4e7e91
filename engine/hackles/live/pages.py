"""HTTP beside the daemon's own loop."""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Iterator
from typing import Final, Literal

import uvicorn
from starlette.applications import Starlette

from hackles.capture.sockets import listening
from hackles.errors import UsageError
from hackles.settings import host_port

_DATE_S: Final = 1.0
"""Answers bear the time of day, to the second."""


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
        http: type[asyncio.Protocol] | Literal["auto"] = "auto",
    ) -> None:
        """Listen.

        Args:
            app: what answers.
            stack: closes the socket at its end.
            listen: host:port.
            most: so many connections at a time; further ones are told to come again.
            certificate: PEM, with `key`, for https; "" for none.
            key: the same.
            http: how HTTP is spoken; uvicorn's own way if nothing is said.

        Raises:
            UsageError: if one cannot listen there, or the certificate is none.
        """
        self._socket = stack.enter_context(contextlib.closing(listening(*host_port(listen))))
        # Whoever is accepted has it from here: an answer's body is not to wait until its head has
        # been confirmed, which takes 40 ms. asyncio overlooks sockets made by `create_server`.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        config = uvicorn.Config(
            app,
            log_config=None,
            proxy_headers=False,  # or whoever is on this machine could say to come from elsewhere
            server_header=False,
            access_log=False,
            lifespan="off",
            http=http,
            ws="none",
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
