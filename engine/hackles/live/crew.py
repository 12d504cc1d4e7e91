"""The workers: one thread beside the front, or several processes that may die alone."""

import asyncio
import logging
import select
import socket
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from hackles.errors import UsageError
from hackles.live.engine import tls_of
from hackles.live.news import Order, Report, Stop
from hackles.live.workers import ProcessWorker, ThreadWorker
from hackles.models import Model
from hackles.settings import Settings

_log = logging.getLogger(__name__)

_RETRY_S: Final = 0.05
_REST_S: Final = (0.0, 0.0, 1.0, 5.0, 15.0)
"""Before a worker is started once more: the longer, the more often it died lately."""

_LATELY_S: Final = 120.0
_MOST_READ: Final = 2**16

OnReport = Callable[[int, Report], None]
OnDeath = Callable[[int], None]


class Crew(Protocol):
    """All workers together."""

    def order(self, order: Order) -> None:
        """Ask all of them for something."""

    def pass_on(self, way: str, connected: socket.socket, host: str) -> None:
        """Give one of them a connection."""

    def is_whole(self) -> bool:
        """Return whether all of them are there."""

    def close(self) -> None:
        """End them at once, whatever they are doing."""


class Alone:
    """One worker: a thread."""

    def __init__(
        self, settings: Settings, model: Model, on_report: OnReport, on_death: OnDeath
    ) -> None:
        """Start it; call it on the loop that is to be told.

        Raises:
            HacklesError: if the engine cannot run with these settings.
        """
        loop = asyncio.get_running_loop()
        self._is_whole = True

        def tell(report: Report | None) -> None:
            if report is not None:
                loop.call_soon_threadsafe(on_report, 0, report)
            else:
                self._is_whole = False
                loop.call_soon_threadsafe(on_death, 0)

        self._worker = ThreadWorker(settings, model, tell)

    def order(self, order: Order) -> None:
        """See `Crew`."""
        self._worker.order(order)

    def pass_on(self, way: str, connected: socket.socket, host: str) -> None:
        """See `Crew`."""
        self._worker.pass_on(way, connected, host)

    def is_whole(self) -> bool:
        """See `Crew`."""
        return self._is_whole

    def close(self) -> None:
        """The thread ends with the process."""


class Several:
    """Processes. Who dies takes its own calls along, no other; the telephone calls go on.

    The front keeps Asterisk's connections open beside the worker that reads them: Asterisk ends
    a telephone call whose connection is closed.
    """

    def __init__(
        self,
        settings: Settings,
        model: Model,
        on_report: OnReport,
        on_death: OnDeath,
        standing_orders: Callable[[], Iterable[Order]],
    ) -> None:
        """Start them; call it on the loop that is to be told.

        Args:
            settings: the daemon's.
            model: that judges, also in whoever is started again.
            on_report: takes what a worker says.
            on_death: is told of each that died; it is being started again.
            standing_orders: what a worker that starts again must know.

        Raises:
            HacklesError: if an engine cannot run with these settings.
        """
        if not hasattr(select, "epoll"):
            raise UsageError("Several workers need Linux; set [engine] workers = 1.")
        model.load()
        tls_of(settings)
        self._settings, self._model = settings, model
        self._on_report, self._on_death = on_report, on_death
        self._standing_orders = standing_orders
        self._loop = asyncio.get_running_loop()
        self._workers: dict[int, ProcessWorker] = {}
        self._load = dict.fromkeys(range(settings.engine.workers), 0)
        self._deaths: deque[float] = deque()
        self._waiting: deque[tuple[str, socket.socket, str]] = deque()
        self._kept = _Kept(self._loop)
        self._is_closing = False
        for number in self._load:
            self._start(number)

    def order(self, order: Order) -> None:
        """See `Crew`."""
        self._is_closing = self._is_closing or isinstance(order, Stop)
        for worker in self._workers.values():
            worker.order(order)

    def pass_on(self, way: str, connected: socket.socket, host: str) -> None:
        """See `Crew`: who has least to do gets it."""
        for number in sorted(self._workers, key=self._load.__getitem__):
            if self._workers[number].pass_on(way, connected, host):
                self._load[number] += 1
                if way == "audiosocket":
                    self._kept.keep(number, connected)
                else:
                    connected.close()
                return
        if not self._waiting:
            self._loop.call_later(_RETRY_S, self._try_again)
        self._waiting.append((way, connected, host))

    def is_whole(self) -> bool:
        """See `Crew`."""
        return len(self._workers) == len(self._load)

    def close(self) -> None:
        """See `Crew`."""
        self._is_closing = True
        for number, worker in self._workers.items():
            self._loop.remove_reader(worker.reports.fileno())
            worker.close()
            self._load[number] = 0
        self._workers.clear()
        self._kept.close()

    def _try_again(self) -> None:
        waiting, self._waiting = self._waiting, deque()
        for one in waiting:
            self.pass_on(*one)

    def _start(self, number: int) -> None:
        """Start a worker and tell it what it must know."""
        if self._is_closing:
            return
        try:
            worker = self._workers[number] = ProcessWorker(self._settings, self._model, number)
        except OSError as error:  # no memory, say, or no descriptors, for a while
            _log.error("A worker cannot be started yet: %s.", error)
            self._loop.call_later(_REST_S[-1], self._start, number)
            return
        self._load[number] = 0
        for order in self._standing_orders():
            worker.order(order)
        self._loop.add_reader(worker.reports.fileno(), self._hear, number)

    def _hear(self, number: int) -> None:
        """Take in what a worker says, or that it has died."""
        worker = self._workers[number]
        try:
            while worker.reports.poll():
                report = worker.reports.recv()
                self._load[number] = report.calls
                self._on_report(number, report)
                if report.has_stopped:
                    self._loop.remove_reader(worker.reports.fileno())
                    return
        except (EOFError, OSError):
            self._bury(number)

    def _bury(self, number: int) -> None:
        """Go on without a worker, until another is there in its place."""
        worker = self._workers.pop(number)
        self._loop.remove_reader(worker.reports.fileno())
        worker.close()
        self._kept.orphan(number)
        self._on_death(number)
        now = self._loop.time()
        self._deaths.append(now)
        while self._deaths[0] < now - _LATELY_S:
            self._deaths.popleft()
        rest_s = _REST_S[min(len(self._deaths) - 1, len(_REST_S) - 1)]
        self._loop.call_later(rest_s, self._start, number)


class _Kept:
    """Connections that stay open until the other side hangs up, whatever becomes of a worker."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._of: dict[int, tuple[int, socket.socket]] = {}
        self._orphans: set[socket.socket] = set()
        # Asked only who has hung up: what they say is the worker's to read.
        self._hang_ups = select.epoll()
        loop.add_reader(self._hang_ups.fileno(), self._let_go)

    def keep(self, number: int, connected: socket.socket) -> None:
        """Keep a connection that a worker reads."""
        self._of[connected.fileno()] = number, connected
        self._hang_ups.register(connected.fileno(), select.EPOLLRDHUP)

    def orphan(self, number: int) -> None:
        """Read and forget what comes over the connections of a worker that died."""
        for descriptor, (whose, connected) in list(self._of.items()):
            if whose == number:
                self._forget(descriptor)
                self._orphans.add(connected)
                self._loop.add_reader(descriptor, self._drain, connected)

    def close(self) -> None:
        """Hang up on everybody."""
        self._loop.remove_reader(self._hang_ups.fileno())
        self._hang_ups.close()
        for _, connected in self._of.values():
            connected.close()
        for connected in self._orphans:
            self._loop.remove_reader(connected.fileno())
            connected.close()

    def _let_go(self) -> None:
        for descriptor, _ in self._hang_ups.poll(0):
            self._forget(descriptor).close()

    def _forget(self, descriptor: int) -> socket.socket:
        self._hang_ups.unregister(descriptor)
        return self._of.pop(descriptor)[1]

    def _drain(self, connected: socket.socket) -> None:
        try:
            said = connected.recv(_MOST_READ)
        except BlockingIOError:
            return
        except OSError:
            said = b""
        if not said:
            self._loop.remove_reader(connected.fileno())
            self._orphans.discard(connected)
            connected.close()
