"""Redis goes for half a minute between two engines and a wallboard: does everything arrive, once?

Two engines' sinks say some hundred readings a second each, alerts among them, by way of a real
Redis that keeps nothing on disk. It is killed, and started again empty. Supervisors do something
every second meanwhile. Then what was said is compared with what was heard, both ways.

    python -m benchmarks.board_redis
"""

import argparse
import asyncio
import contextlib
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.record import ROOT, Figures, command, commit, show, write
from hackles.exchange.broker import BrokerLink
from hackles.exchange.messages import Acknowledge, Heard, Message, Order
from hackles.exchange.outbox import Outbox
from hackles.records import LiveRecord
from hackles.sinks.board import BoardSink
from hackles.sinks.sink import Feed
from hackles.types import Alert, Reading, State
from hackles.wallboard.intake import Intake

_PATIENCE_S = 60.0
_EVERY_S = 0.02


class Redis:
    """A server that keeps nothing on disk."""

    def __init__(self, folder: str) -> None:
        """Start it."""
        found = shutil.which("redis-server")
        if found is None:
            raise SystemExit("There is no redis-server here; install it.")
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        listen = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", folder]
        self._command = [found, *listen, "--save", "", "--appendonly", "no"]
        self.start()

    def start(self) -> None:
        """Start it, with nothing in it."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.01)

    def kill(self) -> None:
        """Kill it."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()


class Engine:
    """An engine's sink on its thread."""

    def __init__(self, name: str, url: str) -> None:
        """Begin."""
        self.name, self.said = name, 0
        self.orders: list[Order] = []
        self.outbox = Outbox(name, "run")
        self.feed = Feed(BoardSink(BrokerLink(url, "", name), self.outbox, self._obey))

    def say(self, count: int) -> None:
        """Say some more; each is told from all others by its time, the last is an alert."""
        for number in range(self.said, self.said + count):
            time_s = float(number)
            event: Reading | Alert = Reading(time_s, 0.25, 0.5, 0.75)
            if number == self.said + count - 1:
                event = Alert(time_s, time_s, State.RISING, 0.5, 1.0, 0.75, ())
            self.feed.put(LiveRecord(f"call {number % 100}", "s", "q", "a", time.time(), event))
        self.said += count

    def _obey(self, order: Order) -> bool:
        self.orders.append(order)
        return True


class Board:
    """What was heard, and after how long."""

    def __init__(self) -> None:
        """Begin with nothing heard."""
        self.heard: dict[str, list[float]] = {}
        self.late_s: list[float] = []
        self.intake = Intake(self._take)

    def _take(self, message: Message) -> None:
        if isinstance(message.said, Heard):
            line = message.said.line
            self.heard.setdefault(message.engine, []).append(line["time"])
            if line["type"] == "alert":
                self.late_s.append(time.time() - message.at)


@contextlib.contextmanager
def listening(board: Board, url: str) -> Iterator[asyncio.AbstractEventLoop]:
    """Let a board listen on a loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    task = asyncio.run_coroutine_threadsafe(board.intake.run(url), loop)
    try:
        yield loop
    finally:
        task.cancel()
        loop.call_soon_threadsafe(loop.call_later, 0.2, loop.stop)
        thread.join()
        loop.close()


def speak(engines: Sequence[Engine], board: Board, loop: asyncio.AbstractEventLoop,
          seconds: float, per_s: int) -> int:  # fmt: skip
    """Let engines speak and supervisors act for a while; return how often these did."""
    begun, acts = time.monotonic(), 0
    while (gone := time.monotonic() - begun) < seconds:
        for engine in engines:
            engine.say(max(round(per_s * _EVERY_S), 1))
        if gone > acts:
            acts += 1
            for engine in engines:
                loop.call_soon_threadsafe(
                    board.intake.acknowledge, engine.name, "s", "x", "seen", "anna", time.time()
                )
        time.sleep(_EVERY_S)
    return acts


def measured(options: argparse.Namespace, folder: str) -> Figures:
    """Speak, kill Redis in the middle, and compare."""
    redis, board = Redis(folder), Board()
    url = f"redis://127.0.0.1:{redis.port}"
    engines = [Engine(name, url) for name in ("one", "two")]
    with listening(board, url) as loop:
        acts = speak(engines, board, loop, options.before_s, options.per_s)
        late_s = sorted(board.late_s)
        redis.kill()
        acts += speak(engines, board, loop, options.away_s, options.per_s)
        waited = max(len(engine.outbox) for engine in engines)
        redis.start()
        back = time.monotonic()
        acts += speak(engines, board, loop, 5.0, options.per_s)
        settled_s = _settled(engines, board, acts, back)
        for engine in engines:
            engine.feed.close(5.0)
    redis.kill()
    said = {engine.name: [float(number) for number in range(engine.said)] for engine in engines}
    done = [sum(isinstance(order, Acknowledge) for order in one.orders) for one in engines]
    return {
        "said": sum(map(len, said.values())),
        "missing": sum(len(set(said[name]) - set(board.heard[name])) for name in said),
        "twice": sum(len(found) - len(set(found)) for found in board.heard.values()),
        "out_of_order": sum(found != sorted(found) for found in board.heard.values()),
        "let_go": sum(engine.outbox.lost for engine in engines),
        "orders": acts * len(engines),
        "orders_done": sum(done),
        "most_that_waited": waited,
        "all_there_after_s": round(settled_s, 2),
        "alert_median_s": round(statistics.median(late_s), 4),
        "alert_worst_s": round(late_s[-1], 4),
    }


def _settled(engines: Sequence[Engine], board: Board, acts: int, back: float) -> float:
    """Return how long after the return all was there, the speaking since then included."""

    def is_done(engine: Engine) -> bool:
        done = sum(isinstance(order, Acknowledge) for order in engine.orders)
        return len(board.heard.get(engine.name, ())) >= engine.said and done >= acts

    while not all(map(is_done, engines)) and time.monotonic() - back < _PATIENCE_S:
        time.sleep(0.02)
    return time.monotonic() - back


def main(arguments: Sequence[str] | None = None) -> None:
    """Speak, compare, print and write the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--per-s", type=int, default=300)
    parser.add_argument("--before-s", type=float, default=15.0)
    parser.add_argument("--away-s", type=float, default=30.0)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/board_redis.json")
    options = parser.parse_args(arguments)
    begun = {"commit": commit()}
    with tempfile.TemporaryDirectory() as folder:
        figures = measured(options, folder)
    rows = {name.replace("_", " "): {"redis": value} for name, value in figures.items()}
    show(f"Redis away for {options.away_s:.0f} s", rows)
    write(options.out, command("benchmarks/board_redis.py", options), begun | figures)


if __name__ == "__main__":
    main()
