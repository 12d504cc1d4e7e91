"""`hackles live` itself, as a user starts it, with calls that come in over loopback.

The daemon is the installed program in processes of its own; the telephone system is another
(`telephone_system.py`). What was told, and when, is read from the JSON lines that it wrote.
"""

import contextlib
import json
import math
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.live_capacity import telephone_system
from benchmarks.record import Figures
from benchmarks.telephone_system import GROUPS, PACKET_SAMPLES, Order, Sent, number_of
from hackles.config import SAMPLE_RATE

_PATIENCE_S = 60.0
PROGRAM = (sys.executable, "-c", "from hackles.cli import main; main()")

_SETTINGS = """
[compliance]
notice = "nobody is listened to: a benchmark"
basis = "none needed"

[engine]
calls = {calls}
workers = {workers}

[{section}]
listen = "127.0.0.1:{port}"
{role}

[control]
listen = "127.0.0.1:{control}"

[output]
console = false
jsonl = "calls.jsonl"
rotate_mb = 100000

[log]
level = "warning"
"""


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@dataclass
class Daemon:
    """A daemon that runs."""

    folder: Path
    process: subprocess.Popen[bytes]
    port: int
    control: int
    told: int = field(default=0)

    def get(self, path: str) -> str:
        """Return what the control API says."""
        url = f"http://127.0.0.1:{self.control}{path}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            text: str = answer.read().decode()
        return text

    def metric(self, name: str) -> float:
        """Return the sum of a metric over its labels."""
        lines = [line for line in self.get("/metrics").splitlines() if line.startswith(name)]
        return sum(float(line.rpartition(" ")[2]) for line in lines)

    def processes(self) -> list[int]:
        """Return its processes: the front, and its workers if they are processes."""
        found = [self.process.pid]
        for entry in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                parent = entry.read_text().rpartition(")")[2].split()[1]
                if int(parent) == self.process.pid:
                    found.append(int(entry.parent.name))
        return found

    def groups(self) -> list[list[int]]:
        """Return the processes of each worker; with one, that is the daemon, front and all."""
        workers = [pid for pid in self.processes() if _is_worker(pid)]
        return [[pid] for pid in workers or self.processes()]

    def cpu_s(self) -> float:
        """Return the CPU seconds of all its processes."""
        return sum(cpu_s_of(pid) for pid in self.processes())

    def resident_kib(self) -> int:
        """Return what all its processes have in memory."""
        return sum(resident_kib_of(pid) for pid in self.processes())

    def wait_for_ends(self, count: float) -> None:
        """Return once so many calls have ended since it began, and have been written down."""
        _wait(lambda: self.metric('hackles_calls_total{state="ended"}') >= count, _PATIENCE_S)
        time.sleep(0.5)  # until the file has the last lines

    def records(self) -> list[dict[str, Any]]:
        """Return all that it wrote."""
        text = (self.folder / "calls.jsonl").read_bytes()
        return [json.loads(line) for line in text.splitlines()]

    def new_events(self) -> list[tuple[int, int, float]]:
        """Return call, deciding sample and time of telling of events since it was last asked."""
        with (self.folder / "calls.jsonl").open("rb") as file:
            file.seek(self.told)
            lines = file.read().split(b"\n")
        self.told += sum(len(line) + 1 for line in lines[:-1])
        records = [json.loads(line) for line in lines[:-1]]
        return [
            (number_of(r["call"]), round(r["time"] * SAMPLE_RATE), _monotonic(r["at"]))
            for r in records
            if r["type"] in ("reading", "alert", "gap")
        ]


def _is_worker(pid: int) -> bool:
    return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()


_CPU_GROUPS = Path("/sys/fs/cgroup/cpu")
_PERIOD_US = 10_000
_FIRST = "262144"
"""Its share is a group's own: it goes before whatever else runs on the machine."""


@contextlib.contextmanager
def limited(groups: Sequence[Sequence[int]], share: float | None) -> Iterator[None]:
    """Give each group of processes so much of a core, and no more (cgroups v1, as root)."""
    if share is None:
        yield
        return
    folders = [_CPU_GROUPS / f"hackles-{os.getpid()}-{number}" for number in range(len(groups))]
    try:
        for folder, pids in zip(folders, groups, strict=True):
            folder.mkdir()
            (folder / "cpu.cfs_period_us").write_text(str(_PERIOD_US))
            (folder / "cpu.cfs_quota_us").write_text(str(round(share * _PERIOD_US)))
            (folder / "cpu.shares").write_text(_FIRST)
            for pid in pids:
                (folder / "cgroup.procs").write_text(str(pid))
        yield
    finally:
        for folder in folders:
            for left in (folder / "cgroup.procs").read_text().split():
                with contextlib.suppress(OSError):
                    (_CPU_GROUPS / "cgroup.procs").write_text(left)
            folder.rmdir()


def cpu_s_of(pid: int) -> float:
    """Return the CPU seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_kib_of(pid: int) -> int:
    """Return what a process has in memory."""
    return (
        int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") // 1024
    )


def _monotonic(at: str) -> float:
    """Return a time of day on the clock by which packets were sent."""
    wall = datetime.fromisoformat(at).timestamp()
    return wall - time.time() + time.monotonic()


@contextlib.contextmanager
def daemon(
    folder: Path, protocol: str, calls: int, workers: int, core: int | None, more: str = ""
) -> Iterator[Daemon]:
    """Start a daemon, on one core if one is named, and stop it in the end.

    Args:
    folder: for its settings and what it writes.
    protocol: of the calls.
    calls: how many it has room for, in each worker.
    workers: how many processes hear them.
    core: the one that it may use; None for all.
    more: other sections of its settings.
    """
    port, control = free_ports(2)
    section = {"audiosocket": "audiosocket", "media": "media"}[protocol]
    settings = _SETTINGS.format(
        calls=calls,
        workers=workers,
        section=section,
        port=port,
        control=control,
        role='role = "customer"' if section == "audiosocket" else "",
    )
    (folder / "hackles.toml").write_text(settings + more)
    command = [*PROGRAM, "live", "--config", str(folder / "hackles.toml")]
    if core is not None:
        command = ["taskset", "-c", str(core), *command]
    with subprocess.Popen(command) as process:
        running = Daemon(folder, process, port, control)
        try:
            _wait_for(running)
            yield running
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(_PATIENCE_S)


def _wait_for(running: Daemon) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        if running.process.poll() is not None:
            raise RuntimeError(f"the daemon ended with {running.process.returncode}")
        with contextlib.suppress(OSError):
            running.get("/health")
            return
        time.sleep(0.1)
    raise TimeoutError("the daemon did not begin")


@dataclass(frozen=True)
class Load:
    """What calls came to in a daemon.

    Attributes:
        delays_s: from the packet that decided an event until it was told.
        sent: what the telephone system sent, and when.
        cpu_s: of the daemon while the calls were there.
        sender_cpu_s: of the telephone system.
        wall_s: how long the calls were there.
    """

    delays_s: np.ndarray
    sent: Sent
    cpu_s: float
    sender_cpu_s: float
    wall_s: float


def play(running: Daemon, order: Order, skip_s: tuple[float, float]) -> Load:
    """Play calls into a daemon until they have all ended.

    Args:
        running: the daemon.
        order: what is to be sent.
        skip_s: so much at the beginning and at the end is not measured.
    """
    ended = running.metric('hackles_calls_total{state="ended"}')
    with telephone_system(order) as other:
        other.recv()
        began, cpu = time.monotonic(), running.cpu_s()
        (sender,) = multiprocessing.active_children()
        _wait(other.poll, order.rounds * 0.02 + _PATIENCE_S)
        sent = other.recv()
        cpu, wall = running.cpu_s() - cpu, time.monotonic() - began
        sender_cpu = cpu_s_of(sender.pid or 0)
        running.wait_for_ends(ended + order.n_calls)
        other.send(True)
    rounds = range(round(skip_s[0] / 0.02), order.rounds - round(skip_s[1] / 0.02))
    delays = _delays(running.new_events(), sent, rounds)
    return Load(delays, sent, cpu, sender_cpu, wall)


def _wait(happened: Callable[[], object], patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    while not happened():
        if time.monotonic() > deadline:
            raise TimeoutError("the calls did not come or end")
        time.sleep(0.25)


def _delays(told: Sequence[tuple[int, int, float]], sent: Sent, rounds: range) -> np.ndarray:
    result = []
    for call, position, now in told:
        round_ = -(-position // PACKET_SAMPLES) - 1
        if round_ in rounds:
            result.append(now - sent.times_s[round_, call % GROUPS])
    return np.array(result)


def figures(running: Daemon, load: Load, audio_before_s: float) -> Figures:
    """Return what a load came to, as figures."""
    delays = load.delays_s
    heard_s = running.metric("hackles_audio_seconds_total") - audio_before_s
    sent_s = load.sent.samples / SAMPLE_RATE
    return {
        "events": len(delays),
        "delay_ms_p50": round(1e3 * float(np.median(delays)), 1) if len(delays) else math.nan,
        "delay_ms_p99": round(1e3 * float(np.quantile(delays, 0.99)), 1) if len(delays) else None,
        "delay_ms_max": round(1e3 * float(delays.max()), 1) if len(delays) else None,
        "audio_sent_s": round(sent_s, 2),
        "audio_not_heard_s": abs(round(sent_s - heard_s, 2)),
        "packets_refused": load.sent.refused,
        "sender_late_ms_p99": round(1e3 * float(np.quantile(load.sent.late_s, 0.99)), 1),
        "daemon_cores": round(load.cpu_s / load.wall_s, 3),
        "sender_cores": round(load.sender_cpu_s / load.wall_s, 3),
        "resident_kib": running.resident_kib(),
    }
