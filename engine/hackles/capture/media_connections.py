"""WebSockets from a door, each with its stream; an event loop that runs only when it is asked to.

picows makes a server and aiofastnet reads its connections; the connections come from elsewhere,
so the server's part that listens is left out.
"""

import asyncio
import itertools
import logging
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import aiofastnet
import picows

from hackles.capture.complaints import Complaints, Relay
from hackles.capture.intake import Refusal, Troubles
from hackles.capture.media_access import Access, Admission
from hackles.capture.media_connection import LARGEST_MESSAGE, Connection
from hackles.capture.media_stream import Stream
from hackles.capture.sockets import Door

_GREETING_S: Final = 10.0
"""So long a connection has from its first byte to its start; TLS is part of it."""

_MOST_GREETING: Final = 2048
"""Connections without a start; with more, those that come wait in the kernel."""

_KERNEL_BYTES: Final = 2**18
"""What the kernel keeps of a connection: a dozen seconds, should everything stand still."""

_TLS_BYTES: Final = 2 * (2**14 + 64)
"""Two records; what aiofastnet takes by itself is 256 KiB each way for each call."""

_QUIET_S: Final = 20.0
"""After so long a silence a connection is pinged, and closed after as long again without a pong."""

_WELCOMING_PASSES: Final = 3
"""Passes of the loop from a socket to the answer to its upgrade."""

_CLOSING_PASSES: Final = 8
"""Passes of the loop that end every connection, even one that is just being accepted."""

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class _Arrival:
    """A connection without a start."""

    fileno: int
    host: str
    deadline: float
    transport: asyncio.Transport | None = None


class _Loop(asyncio.SelectorEventLoop):
    """A loop whose servers do not listen.

    Attributes:
        factory: of the protocols of the last server that was made.
    """

    factory: Callable[[], asyncio.BaseProtocol]

    async def create_server(  # type: ignore[override]
        self, protocol_factory: Callable[[], asyncio.BaseProtocol], *_: Any, **__: Any
    ) -> None:
        """Keep the factory."""
        self.factory = protocol_factory


class Connections:
    """All connections of a way in."""

    def __init__(
        self,
        door: Door,
        new_stream: Callable[[Complaints], Stream],
        troubles: Troubles,
        clock: Callable[[], float],
        *,
        path: str,
        access: Access,
        tls: ssl.SSLContext | None,
    ) -> None:
        """Begin without any; see `MediaWebSockets`."""
        self._door, self._new_stream = door, new_stream
        self._troubles, self._clock = troubles, clock
        self._complaints = Complaints(_log, clock)
        self._path, self._access = path, access
        self._arrivals: dict[int, _Arrival] = {}
        self._greeting: list[Connection] = []
        self._all: set[Connection] = set()
        self._paused: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._tls: dict[str, Any] = {}
        if tls:
            self._tls = {
                "ssl": tls,
                "ssl_handshake_timeout": _GREETING_S,
                "ssl_incoming_bio_size": _TLS_BYTES,
                "ssl_outgoing_bio_size": _TLS_BYTES,
            }
        self._loop = _Loop()
        self._loop.set_exception_handler(self._note)
        self._loop.run_until_complete(self._make_server())

    def read(self) -> None:
        """Take in who has come, and read each connection until the kernel has no more of it."""
        room = _MOST_GREETING - len(self._arrivals)
        self._paused = {one for one in self._paused if not one.resume()}
        passes = 1
        for connected, host in itertools.islice(self._door.accepted(), max(0, room)):
            passes = _WELCOMING_PASSES
            arrival = _Arrival(connected.fileno(), host, self._clock() + _GREETING_S)
            self._arrivals[arrival.fileno] = arrival
            task = self._loop.create_task(self._welcome(connected, arrival))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        for _ in range(passes):
            self._run_once()
        if self._arrivals:
            self._hurry()

    def started(self) -> list[Connection]:
        """Return the connections that have said since the last time what they carry."""
        started = [one for one in self._greeting if one.stream.start]
        if started:
            self._greeting = [one for one in self._greeting if not one.stream.start]
        for one in started:
            self._arrivals.pop(_fileno(one.transport), None)
            if not one.is_granted and not self._shows_token(one.stream):
                self._refuse("The call %r is refused: its token is wrong.", one.stream.name)
                one.deny()
        return [one for one in started if one.stream.is_call]

    def connected(self, connection: Connection) -> None:
        """Take note of a connection that has been upgraded."""
        self._all.add(connection)
        self._greeting.append(connection)

    def disconnected(self, connection: Connection) -> None:
        """Take note of a connection that is gone."""
        self._all.discard(connection)
        self._paused.discard(connection)

    def paused(self, connection: Connection) -> None:
        """Take note of a connection that has sent too much."""
        self._paused.add(connection)

    def close(self) -> None:
        """Hang up on everybody, and let nobody in any longer."""
        if self._loop.is_closed():
            return
        self._door.close()
        for task in self._tasks:
            task.cancel()
        self._run_once()
        transports = [arrival.transport for arrival in self._arrivals.values()]
        for transport in [*transports, *(one.transport for one in self._all)]:
            if transport:
                transport.abort()
        for _ in range(_CLOSING_PASSES):
            self._run_once()
        self._loop.close()

    async def _make_server(self) -> None:
        await picows.ws_create_server(
            self._upgrade,
            logger_name=self._wire_log(),
            websocket_handshake_timeout=_GREETING_S,
            enable_auto_ping=True,
            enable_auto_pong=False,
            auto_ping_idle_timeout=_QUIET_S,
            auto_ping_reply_timeout=_QUIET_S,
            max_frame_size=LARGEST_MESSAGE,
            use_aiofastnet=False,
        )

    async def _welcome(self, connected: socket.socket, arrival: _Arrival) -> None:
        try:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _KERNEL_BYTES)
            arrival.transport, _ = await aiofastnet.connect_accepted_socket(
                self._loop, self._loop.factory, connected, **self._tls
            )
        except OSError as error:  # TLS's errors are among them
            connected.close()
            self._forget(arrival)
            self._troubles[Refusal.GREETING] += 1
            self._complaints.info("A connection from %s came to nothing: %s.", arrival.host, error)

    def _upgrade(
        self, request: picows.WSUpgradeRequest
    ) -> Connection | picows.WSUpgradeResponseWithListener | None:
        """Return who listens to a connection; None is answered with 404."""
        target = request.path.decode("latin-1")
        admission = self._access.at_upgrade(target, self._path, request.headers)
        if admission is Admission.ELSEWHERE:
            self._troubles[Refusal.GREETING] += 1
            return None
        if admission is Admission.REFUSED:
            self._refuse("A stream is refused: its signature or token is wrong, or missing.")
            refused = picows.WSUpgradeResponse.create_error_response(403, b"403 Forbidden")
            return picows.WSUpgradeResponseWithListener(refused, None)
        is_granted = admission is Admission.GRANTED
        return Connection(self._new_stream(self._complaints), self, is_granted=is_granted)

    def _shows_token(self, stream: Stream) -> bool:
        shown = stream.start.parameters.get("token", "") if stream.start else ""
        return self._access.is_token(shown)

    def _refuse(self, sentence: str, *args: str) -> None:
        self._troubles[Refusal.SIGNATURE] += 1
        self._complaints.warning(sentence, *args)

    def _hurry(self) -> None:
        """Hang up on those who have not said in time what they carry."""
        now = self._clock()
        for arrival in tuple(self._arrivals.values()):
            if arrival.transport is None:
                continue
            if arrival.transport.is_closing():
                self._forget(arrival)
            elif now >= arrival.deadline:
                self._troubles[Refusal.GREETING] += 1
                self._complaints.info("A connection from %s did not start a stream.", arrival.host)
                arrival.transport.abort()
        self._greeting = [
            one for one in self._greeting if one.stream.start or not one.transport.is_closing()
        ]

    def _forget(self, arrival: _Arrival) -> None:
        if self._arrivals.get(arrival.fileno) is arrival:  # a number may be another's by now
            del self._arrivals[arrival.fileno]

    def _note(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Log what befell one connection: it concerns no other, and is no error of ours."""
        self._complaints.info("%s: %r", context.get("message"), context.get("exception"))

    def _wire_log(self) -> logging.Logger:
        """Return where picows logs what its connections do."""
        log = logging.Logger(f"{__name__}.wire")
        log.setLevel(logging.WARNING)  # below it picows shows requests, and the tokens in them
        log.addHandler(Relay(self._complaints))
        return log

    def _run_once(self) -> None:
        self._loop.call_soon(self._loop.stop)
        self._loop.run_forever()


def _fileno(transport: asyncio.Transport) -> int:
    result: int = transport.get_extra_info("socket").fileno()
    return result
