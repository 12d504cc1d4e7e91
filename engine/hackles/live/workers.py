"""Where an engine runs: on a thread beside the front, or in a process of its own."""

import logging
import multiprocessing
import os
import queue
import signal
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from multiprocessing.connection import Connection
from typing import Protocol

from hackles.errors import HacklesError
from hackles.live import doors, logs
from hackles.live.engine import Engine
from hackles.live.news import Order, Report
from hackles.models import Model
from hackles.settings import Settings

_log = logging.getLogger(__name__)

WAYS = ("audiosocket", "media")
"""The sections whose connections are passed on."""


class Worker(Protocol):
    """What the front knows of a worker."""

    def order(self, order: Order) -> None:
        """Ask for something; orders come before the connections that are passed on after them."""

    def pass_on(self, way: str, connected: socket.socket, host: str) -> bool:
        """Pass a connection on; return False if the worker is too busy to take it now."""


class ThreadWorker:
    """An engine on a thread of this process."""

    def __init__(
        self, settings: Settings, model: Model, report: Callable[[Report | None], None]
    ) -> None:
        """Start it, and wait until it listens.

        Args:
            settings: the daemon's.
            model: that judges.
            report: takes what happened, on the engine's thread; None if the engine broke.

        Raises:
            HacklesError: if the model, or a way in, cannot be had.
        """
        self._doors = {way: doors.Passed() for way in WAYS}
        self._orders: deque[Order] = deque()
        self._has_orders = threading.Event()
        self._report = report
        begun: Future[None] = Future()
        threading.Thread(
            target=self._run, args=(settings, model, begun), name="engine", daemon=True
        ).start()
        begun.result()

    def order(self, order: Order) -> None:
        """See `Worker`."""
        self._orders.append(order)
        self._has_orders.set()

    def pass_on(self, way: str, connected: socket.socket, host: str) -> bool:
        """See `Worker`."""
        self._doors[way].pass_on(connected, host)
        return True

    def _run(self, settings: Settings, model: Model, begun: "Future[None]") -> None:
        try:
            # Made where it runs: a way in may have an event loop, and this thread has none yet.
            engine = Engine(settings, model, self._doors)
            begun.set_result(None)
            engine.run(self._take_orders, self._report, self._has_orders.wait)
        except HacklesError as error:
            if not _tell(begun, error):
                raise
        finally:
            fault = sys.exception()
            if fault is not None and not _tell(begun, fault):
                self._report(None)

    def _take_orders(self) -> Iterator[Order]:
        self._has_orders.clear()  # first, so that one that comes meanwhile wakes for the next tick
        while self._orders:
            yield self._orders.popleft()


def _tell(begun: "Future[None]", error: BaseException) -> bool:
    """Give an error to whoever waits for a beginning; return whether anybody still does."""
    if begun.done():
        return False
    begun.set_exception(error)
    return True


class ProcessWorker:
    """An engine in a process of its own, which the front may outlive."""

    def __init__(self, settings: Settings, model: Model, number: int) -> None:
        """Start it; its reports, and the end of them, come through `reports`."""
        context = multiprocessing.get_context("spawn")
        self.reports, theirs = context.Pipe()
        self._channel, their_channel = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._channel.setblocking(False)
        self.process = context.Process(
            target=_serve, args=(settings, model, number, theirs, their_channel), daemon=True
        )
        self.process.start()
        theirs.close()
        their_channel.close()
        # Who starts, or hangs, reads no orders for a while: a thread waits for it, not the front.
        self._orders: queue.Queue[Order | None] = queue.Queue()
        self._sender = threading.Thread(target=self._send_orders, name="orders", daemon=True)
        self._sender.start()

    def order(self, order: Order) -> None:
        """See `Worker`."""
        self._orders.put(order)

    def _send_orders(self) -> None:
        while (order := self._orders.get()) is not None:
            try:
                self.reports.send(order)
            except OSError:
                _log.debug("A worker that has ended was asked for something.")
            self._orders.task_done()

    def pass_on(self, way: str, connected: socket.socket, host: str) -> bool:
        """See `Worker`."""
        if self._orders.unfinished_tasks:
            return False  # an order must not be overtaken
        try:
            doors.send(self._channel, way, connected, host)
        except OSError:  # busy, or gone: whoever asked tries again, perhaps with another
            return False
        return True

    def close(self) -> None:
        """End it at once, and give back what it took."""
        self.process.kill()
        self.process.join()
        self._orders.put(None)
        self._sender.join()
        self.reports.close()
        self._channel.close()


def _serve(
    settings: Settings, model: Model, number: int, front: Connection, channel: socket.socket
) -> None:
    """Run an engine in this process until told to stop, or the front has gone."""
    for ours in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ours, signal.SIG_IGN)  # they are the front's business
    logs.begin(settings.log)
    channel.setblocking(False)
    passed = {way: doors.Passed() for way in WAYS}
    try:
        engine = Engine(settings, model, passed, has_files=number == 0, cpu_clock=time.process_time)
    except HacklesError as error:
        _log.error("A worker cannot begin: %s", error)
        sys.exit(1)

    def orders() -> Iterator[Order]:
        # Connections first: an order that went out before one of these is surely there by now.
        doors.receive(channel, passed)
        while front.poll():
            yield front.recv()

    try:
        engine.run(orders, front.send, front.poll)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        os._exit(1)  # nobody is left to tell
