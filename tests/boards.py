"""What tests of the exchange share: a Redis that can be killed, a board that can be started anew,
and an engine's sink on its thread."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from hackles.exchange.messages import Beat, Heard, Message
from hackles.exchange.outbox import Outbox
from hackles.records import LiveRecord
from hackles.sinks.board import BoardSink
from hackles.sinks.sink import Feed
from hackles.types import Alert, Reading, State
from hackles.wallboard.intake import Intake

REDIS = shutil.which("redis-server")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Redis:
    """A real one, that keeps nothing on disk."""

    def __init__(self) -> None:
        if REDIS is None:
            if os.environ.get("HACKLES_REQUIRE_ALL") == "1":
                pytest.fail("redis-server is not installed: apt-get install redis-server")
            pytest.skip("redis-server is not installed")
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", "/tmp"]
        self.process = subprocess.Popen(
            [str(REDIS), *options, "--appendonly", "no"], stdout=subprocess.DEVNULL
        )
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.01)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@contextmanager
def redis() -> Iterator[Redis]:
    server = Redis()
    try:
        yield server
    finally:
        server.kill()


class Board:
    """An intake on a loop of its own, and what it handed on, beats aside."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.beats: list[Message] = []
        self.intake = Intake(self._take)
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()
        self._tasks: list = []

    def _take(self, message: Message) -> None:
        (self.beats if isinstance(message.said, Beat) else self.messages).append(message)

    def of(self, engine: str) -> list[Message]:
        return [one for one in self.messages if one.engine == engine]

    def lines(self, kind: str) -> list[dict]:
        heard = [one.said.line for one in self.messages if isinstance(one.said, Heard)]
        return [line for line in heard if line["type"] == kind]

    def acknowledge(self, *said) -> None:
        self.loop.call_soon_threadsafe(self.intake.acknowledge, *said)

    def listen(self, url: str, password: str = "") -> None:
        """Hear engines by way of a broker."""
        run = self.intake.run(url, password)
        self._tasks.append(asyncio.run_coroutine_threadsafe(run, self.loop))

    def serve(self, port: int) -> None:
        """Hear engines directly."""
        (feed,) = self.intake.roads()

        async def answered(request):
            return await feed.answer(request, None)

        routes = [Route(feed.path, answered, methods=[feed.method])]
        config = uvicorn.Config(
            Starlette(routes=routes), port=port, log_config=None, lifespan="off",
            timeout_graceful_shutdown=1,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._server.capture_signals = contextlib.nullcontext
        self._tasks.append(asyncio.run_coroutine_threadsafe(self._server.serve(), self.loop))
        while not self._server.started:
            time.sleep(0.01)

    def close(self) -> None:
        if hasattr(self, "_server"):
            self._server.should_exit = True
            with contextlib.suppress(Exception):
                self._tasks.pop().result(10)
        for task in self._tasks:
            task.cancel()
        asyncio.run_coroutine_threadsafe(_settled(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


async def _settled() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


@contextmanager
def board() -> Iterator[Board]:
    one = Board()
    try:
        yield one
    finally:
        one.close()


class Engine:
    """An engine's sink on its thread, and the orders that it was given."""

    def __init__(self, name: str, link, run: str = "run", room: int = 20_000) -> None:
        self.name, self.orders = name, []
        self.outbox = Outbox(name, run, room)
        self.sink = BoardSink(link, self.outbox, self._obey)
        self.feed = Feed(self.sink)

    def _obey(self, order) -> bool:
        self.orders.append(order)
        return True

    def say(self, number: int, count: int = 1) -> None:
        for one in range(number, number + count):
            self.feed.put(reading(one))

    def close(self) -> None:
        self.feed.close(10)


@contextmanager
def engine(name: str, link, **options) -> Iterator[Engine]:
    one = Engine(name, link, **options)
    try:
        yield one
    finally:
        one.close()


def reading(number: int, call: str = "call 1") -> LiveRecord:
    """Return a reading that is told from all others by its time."""
    event = Reading(time=float(number), irritation=0.25, arousal=0.5, confidence=0.75)
    return LiveRecord(call, "s1", "sales", "a7", 1000.0 + number, event)


def alert(number: int, state: State = State.RISING, call: str = "call 1", **more) -> LiveRecord:
    event = Alert(float(number), number - 5.0, state, 0.5, 1.0, 0.75, ())
    return LiveRecord(call, "s1", "sales", "a7", 1000.0 + number, event, **more)


def times(messages: list[Message]) -> list[float]:
    return [one.said.line["time"] for one in messages if isinstance(one.said, Heard)]
