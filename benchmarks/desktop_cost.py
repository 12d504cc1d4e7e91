"""What `hackles live` costs on an agent's own PC: its start, its memory, one call in real time.

    python -m benchmarks.desktop_cost [--way device] [--minutes 1.5] [--against CHECKOUT]

Beside each figure stands the least that it could be on this machine at this hour: the same Python
with the libraries that nothing can do without; the engine alone over the same audio, in one go,
and its code in the processor's caches. With --against, another checkout is measured by
turns with this one.
"""

import os

# Read when numpy is imported.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import argparse
import json
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np
import soundfile

from benchmarks.daemon_under_load import free_ports
from benchmarks.desktop_ways import WAYS, Line, customer
from benchmarks.live_capacity import transform_us
from benchmarks.live_same import compared, scored
from benchmarks.record import ROOT, Figures, command, commit, show, write
from hackles.bank import Bank
from hackles.classifier import default_classifier
from hackles.config import SAMPLE_RATE
from hackles.live.room import DESKTOP_TICK_S
from hackles.types import AnyArray, Role

_SAMPLE: Final = ROOT / "audio_samples/en_rising_1.wav"
_PATIENCE_S: Final = 60.0
_SETTLED_S: Final = 2.0
_VARYING: Final = ("s", "cpu_s", "idle_percent", "call_percent")
_EVENTS: Final = ("reading", "alert", "gap", "summary")

_SETTINGS: Final = """
[compliance]
notice = "nobody is listened to: a benchmark"
basis = "none needed"

[control]
listen = "127.0.0.1:{port}"

[output]
jsonl = "calls.jsonl"
"""
_RUN: Final = "from hackles.cli import main; main()"
_NEEDED: Final = {
    "Python alone": "",
    "Python with numpy, onnxruntime, asyncio": "import asyncio, numpy, onnxruntime",
}


@dataclass(frozen=True)
class Running:
    """A process that is measured."""

    process: subprocess.Popen[bytes]

    def cpu_s(self) -> float:
        """Return the CPU seconds of all threads that are there, to the nanosecond."""
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9

    def memory_mb(self) -> Figures:
        """Return what it has in memory: all, its share of it, and what is its own alone."""
        text = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        kib = {key: int(value) for key, value in re.findall(r"^(\w+): +(\d+) kB", text, re.M)}
        own = kib["Private_Clean"] + kib["Private_Dirty"]
        found = {"resident": kib["Rss"], "proportional": kib["Pss"], "own": own}
        return {f"{name}_mb": round(value * 1024 / 1e6, 1) for name, value in found.items()}

    def share(self, seconds: float) -> float:
        """Return how many percent of a core it takes, over so many seconds."""
        began, before = time.monotonic(), self.cpu_s()
        time.sleep(seconds)
        return 100 * (self.cpu_s() - before) / (time.monotonic() - began)


@contextmanager
def daemon(checkout: Path, folder: Path, line: Line) -> Iterator[tuple[Running, Figures]]:
    """Start a daemon; yield it with how long it took, and stop it in the end."""
    (port,) = free_ports(1)
    (folder / "hackles.toml").write_text(_SETTINGS.format(port=port) + line.settings)
    places = [checkout / "engine", checkout / "models", checkout]
    path = os.pathsep.join(map(str, places))
    environment = {**os.environ, "PYTHONPATH": path, **line.environment}
    started = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-c", line.program + _RUN, "live", "--config", folder / "hackles.toml"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        running = Running(process)
        try:
            _wait_for(process, f"http://127.0.0.1:{port}/health")
            seconds = time.monotonic() - started
            yield running, {"s": round(seconds, 2), "cpu_s": round(running.cpu_s(), 2)}
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(_PATIENCE_S)


def _wait_for(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the daemon ended with {process.returncode}")
        with suppress(OSError), urllib.request.urlopen(url, timeout=10):
            return
        time.sleep(0.005)
    raise TimeoutError("the daemon did not begin")


def least(imports: str) -> tuple[Figures, Figures]:
    """Return how long Python takes to start with some imports, and what it has in memory then."""
    code = f"{imports}\nprint(flush=True)\ninput()"
    began = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        if process.stdout is None or process.stdin is None:
            raise RuntimeError("there is no pipe to the process")
        process.stdout.readline()
        seconds, running = time.monotonic() - began, Running(process)
        found = {"s": round(seconds, 2), "cpu_s": round(running.cpu_s(), 2)}, running.memory_mb()
        process.stdin.write(b"\n")
    return found


def engine_share(samples: AnyArray, tick_s: float) -> float:
    """Return how many percent of a core the engine would take if it never had to wake up."""
    scaled = (samples / 32768).astype(np.float32)
    bank = Bank(1, default_classifier(), max_frames=round(320 * tick_s))
    slots, length = np.array([bank.open(Role.CUSTOMER)]), round(tick_s * SAMPLE_RATE)
    began = time.thread_time()
    for at in range(0, len(scaled), length):
        some = scaled[at : at + length]
        bank.receive(slots, np.array([len(some)]), some)
        bank.tick().events()
    return 100 * (time.thread_time() - began) * SAMPLE_RATE / len(samples)


def measured(checkout: Path, way: str, samples: AnyArray, idle_s: float) -> dict[str, Figures]:
    """Return what a daemon costs, and how what it told of the call agrees with its score."""
    with tempfile.TemporaryDirectory() as name, WAYS[way](Path(name)) as line:
        folder = Path(name)
        soundfile.write(folder / "call.wav", samples, SAMPLE_RATE)
        with daemon(checkout, folder, line) as (running, start):
            time.sleep(_SETTLED_S)
            memory = running.memory_mb()
            idle = running.share(idle_s)
            began, before = time.monotonic(), running.cpu_s()
            line.play(folder / "call.wav")
            called = 100 * (running.cpu_s() - before) / (time.monotonic() - began)
            after = running.memory_mb()
        told = _told(folder / "calls.jsonl")
        score = scored(str(folder / "call.wav"), "mono")
    same = compared(told, score) if line.is_exact else {"events": len(told)}
    return {
        "start": start,
        "memory": memory,
        "memory, with a call": after,
        "cpu": {"idle_percent": round(idle, 3), "call_percent": round(called, 3)},
        "told": same,
    }


def _told(path: Path) -> list[dict[str, Any]]:
    records = [json.loads(line) for line in path.read_bytes().splitlines()]
    return [record for record in records if record["type"] in _EVENTS]


def _middle(rows: Sequence[Figures]) -> Figures:
    """Return the median of each figure, and of start and CPU the worst beside it."""
    found: Figures = {}
    for key in rows[0]:
        values = [row[key] for row in rows]
        found[key] = round(median(values), 6)
        if key in _VARYING and len(rows) > 1:
            found[f"{key}_worst"] = max(values)
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--way", choices=WAYS, default="device")
    parser.add_argument("--minutes", type=float, default=1.5, help="of the call")
    parser.add_argument("--idle-s", type=float, default=20.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--against", type=Path, help="another checkout, by turns with this one")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/desktop_cost.json")
    options = parser.parse_args(arguments)
    begun, samples = {"commit": commit()}, customer(_SAMPLE, 60 * options.minutes)
    checkouts = {"hackles live": ROOT}
    if options.against is not None:
        checkouts["the other checkout"] = options.against.resolve()
    rows: dict[str, list[dict[str, Figures]]] = {}
    for number in range(options.rounds):
        for name, imports in _NEEDED.items():
            start, memory = least(imports)
            rows.setdefault(name, []).append({"start": start, "memory": memory})
        for name, checkout in checkouts.items():
            found = measured(checkout, options.way, samples, options.idle_s)
            rows.setdefault(name, []).append(found)
            print(number + 1, name, found, flush=True)
        alone = {
            "call_percent": round(engine_share(samples, DESKTOP_TICK_S), 3),
            "rfft_and_irfft_us": round(transform_us(), 2),
        }
        rows.setdefault("the engine without a pause", []).append({"cpu": alone})
    figures = {
        part: {
            name: _middle([one[part] for one in many])
            for name, many in rows.items()
            if part in many[0]
        }
        for part in ("start", "memory", "memory, with a call", "cpu", "told")
    }
    for part, some in figures.items():
        show(part, some)
    result = {**begun, "tick_s": DESKTOP_TICK_S, **figures}
    write(options.out, command("benchmarks/desktop_cost.py", options), result)


if __name__ == "__main__":
    main()
