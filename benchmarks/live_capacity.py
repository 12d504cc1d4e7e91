"""How many live calls one core can hold, and what a call costs.

A second process plays calls over real connections on loopback, 20 ms packets in real time, 45 %
of them speech (`telephone_system.py`). This one listens to all of them on one core, and counts
as held what meets both: nothing dropped, and 99 % of events told within 250 ms of the moment at
which the packet left that decided them.

    python -m benchmarks.live_capacity --protocol audiosocket --calls 10 100 500 1000
"""

import os

# Read when numpy is imported.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import argparse
import math
import multiprocessing
import resource
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from time import monotonic, process_time
from typing import Any

import numpy as np
import scipy.fft

from benchmarks.floor import per_row_us
from benchmarks.others import others, silero
from benchmarks.record import ROOT, Figures, command, commit, show, write
from benchmarks.stages import STAGES, Stages, watched
from benchmarks.telephone_system import (
    GROUPS,
    PACKET_S,
    PACKET_SAMPLES,
    Order,
    Sent,
    number_of,
    serve_order,
)
from benchmarks.throughput import Job, traffic
from hackles.bank import Bank
from hackles.capture.audiosocket_reads import Reads
from hackles.capture.audiosocket_server import AudioSockets
from hackles.capture.g711 import Encoding, decode
from hackles.capture.intake import Intake
from hackles.capture.media_connections import Connections
from hackles.capture.media_websocket import MediaWebSockets
from hackles.capture.sockets import Listener
from hackles.classifier import default_classifier
from hackles.config import SAMPLE_RATE
from hackles.live.calls import LiveCalls
from hackles.live.news import Begun, Ended, Told
from hackles.pace import ticks
from hackles.records import line
from hackles.types import Array, Event, Role

_WARM_UP_S = 8.0
_LAST_S = 1.0
_PATIENCE_S = 60.0
_LATEST_S = 0.25

LIVE_STAGES: Stages = (
    ("receive: recv", Reads, "read"),
    ("receive: the rest", AudioSockets, "receive"),
    ("receive: event loop, JSON, base64", Connections, "_run_once"),
    ("receive: the rest", MediaWebSockets, "receive"),
    *STAGES,
)


def mu_law(samples: Array) -> np.ndarray:
    """Return the nearest mu-law codes, in packets, shape (n_packets, PACKET_SAMPLES)."""
    table = decode(np.arange(256, dtype=np.uint8), Encoding.MU_LAW)
    order = np.argsort(table, kind="stable")
    middles = (table[order][1:] + table[order][:-1]) / 2
    codes = order[np.searchsorted(middles, samples)].astype(np.uint8)
    n_packets = len(codes) // PACKET_SAMPLES
    return codes[: n_packets * PACKET_SAMPLES].reshape(n_packets, PACKET_SAMPLES)


@dataclass
class Listened:
    """What listening came to.

    Attributes:
        told: call, sample that decided it, and when it was told, of each event.
        tick_s: how long each tick took while everything was measured.
        cpu_s: of the process, while it was.
        wall_s: how long it was.
        stages: CPU seconds.
    """

    told: list[tuple[int, int, float]] = field(default_factory=list)
    tick_s: list[float] = field(default_factory=list)
    cpu_s: float = 0.0
    wall_s: float = 0.0
    stages: dict[str, float] = field(default_factory=dict)

    def count(self, name: str, event: Event, now: float) -> None:
        """Take in one event that was told at `now`."""
        self.told.append((number_of(name), round(event.time * SAMPLE_RATE), now))


def listen(
    calls: LiveCalls, other: Connection, n_calls: int, seconds: float
) -> tuple[Listened, Sent]:
    """Tick until the telephone system has hung up on everybody, and all has been told."""
    listened, sent, measured_from = Listened(), None, math.inf
    names: dict[str, str] = {}
    ended = 0
    cpu_before, begun = 0.0, monotonic()
    with open(os.devnull, "wb") as out, watched(LIVE_STAGES) as spent:
        for _ in ticks():
            began = monotonic()
            if measured_from == math.inf and other.poll():
                other.recv()
                measured_from = began + _WARM_UP_S
            before = cpu_before == 0.0 and began >= measured_from
            if before:
                spent.clear()
                cpu_before = process_time()
                wall_before = began
            news = calls.tick()
            for new in news:
                if isinstance(new, Told):
                    out.write(line(names[new.session], new.event))
            now = monotonic()
            for new in news:
                if isinstance(new, Begun):
                    names[new.session.id] = new.session.call
                elif isinstance(new, Told):
                    listened.count(names[new.session], new.event, now)
                else:
                    ended += isinstance(new, Ended)
            if cpu_before and not listened.cpu_s:
                listened.tick_s.append(now - began)
                if now >= measured_from + seconds:
                    listened.cpu_s = process_time() - cpu_before
                    listened.wall_s = now - wall_before
                    listened.stages = dict(spent)
            if sent is None and measured_from < math.inf and other.poll():
                sent = other.recv()
            if sent is not None and ended == n_calls:
                other.send(True)
                return listened, sent
            if now > begun + _WARM_UP_S + seconds + _PATIENCE_S:
                raise TimeoutError(f"{ended} of {n_calls} calls came and ended")
    raise RuntimeError("a clock never stops")


def delays(listened: Listened, sent: Sent, rounds: range) -> np.ndarray:
    """Return the seconds from each packet of these rounds that decided something until told."""
    result = []
    for call, position, now in listened.told:
        round_ = -(-position // PACKET_SAMPLES) - 1
        if round_ in rounds:
            result.append(now - sent.times_s[round_, call % GROUPS])
    return np.array(result)


def state_bytes(thing: Any, seen: set[int]) -> int:
    """Return the bytes of all arrays that something holds."""
    if id(thing) in seen:
        return 0
    seen.add(id(thing))
    if isinstance(thing, np.ndarray):
        return int(thing.nbytes) if thing.base is None else state_bytes(thing.base, seen)
    if not type(thing).__module__.startswith("hackles"):
        return 0
    return sum(state_bytes(value, seen) for value in getattr(thing, "__dict__", {}).values())


def stolen_s() -> float:
    """Return the CPU seconds that the machine's other guests took from all of its cores."""
    with open("/proc/stat") as stat:
        return int(stat.readline().split()[8]) / os.sysconf("SC_CLK_TCK")


def transform_us() -> float:
    """Return what a Fourier transform and its inverse take now: the machine's mood."""
    frames = np.ones((512, 512), dtype=np.float32)
    return min(
        per_row_us(lambda: scipy.fft.irfft(scipy.fft.rfft(frames, axis=1), axis=1), 512)
        for _ in range(3)
    )


def resident_bytes() -> int:
    """Return what this process has in memory now."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


@contextmanager
def telephone_system(order: Order) -> Iterator[Connection]:
    """Start the other process; the connection brings its answers."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve_order, args=(order, theirs))
    process.start()
    theirs.close()
    try:
        yield ours
        process.join()
    finally:
        process.kill()
        process.join()


def intake_of(protocol: str, n_calls: int, max_samples: int) -> tuple[Intake, int]:
    """Return a way in, and the port it listens on."""
    door = Listener("127.0.0.1", 0)
    if protocol == "audiosocket":
        return AudioSockets(door, n_calls, max_samples, Role.CUSTOMER), door.port
    return MediaWebSockets(door, max_samples), door.port


def hold(
    protocol: str, n_calls: int, seconds: float, codes: np.ndarray, core: int | None, empty: int
) -> Figures:
    """Hold so many calls and return the figures."""
    bank = Bank(n_calls, default_classifier())
    intake, port = intake_of(protocol, n_calls, bank.max_samples)
    calls = LiveCalls(bank, n_calls, [intake])
    rounds = round((_WARM_UP_S + seconds + _LAST_S) / PACKET_S)
    order = Order(protocol, port, n_calls, rounds, codes, n_calls, core)
    stolen = stolen_s()
    with telephone_system(order) as other:
        listened, sent = listen(calls, other, n_calls, seconds)
    resident = resident_bytes() - empty
    calls.close()
    # Neither the warm-up nor the end, when all hang up at once.
    measured = range(round(_WARM_UP_S / PACKET_S), rounds - round(_LAST_S / PACKET_S))
    delay = delays(listened, sent, measured)
    per_call = 1e6 / listened.wall_s / n_calls
    p99 = float(np.quantile(delay, 0.99)) if len(delay) else math.nan
    late_s = float(np.quantile(sent.late_s, 0.99))
    dropped = sent.samples - calls.heard + sent.refused * PACKET_SAMPLES
    return {
        "calls": n_calls,
        "held": dropped == 0 and p99 <= _LATEST_S and late_s <= PACKET_S,
        "core_share": round(listened.cpu_s / listened.wall_s, 3),
        "us_per_call_and_s": round(listened.cpu_s * per_call, 1),
        "events": len(delay),
        "delay_ms_p50": round(1e3 * float(np.median(delay)), 1) if len(delay) else None,
        "delay_ms_p99": round(1e3 * p99, 1),
        "delay_ms_max": round(1e3 * float(delay.max()), 1) if len(delay) else None,
        "tick_ms_p50": round(1e3 * float(np.median(listened.tick_s)), 1),
        "tick_ms_max": round(1e3 * max(listened.tick_s), 1),
        "samples_dropped": dropped,
        "stolen_s": round(stolen_s() - stolen, 2),
        "transform_us": round(transform_us(), 2),
        "sender_late_ms_p99": round(1e3 * late_s, 1),
        "state_kib_per_call": round(state_bytes(bank, set()) / 1024 / n_calls, 1),
        "resident_kib_per_call": round(resident / 1024 / n_calls, 1),
        "stages": {stage: round(spent * per_call, 2) for stage, spent in listened.stages.items()}
        | {"outside of all": round((listened.cpu_s - sum(listened.stages.values())) * per_call, 2)},
    }


def without_stages(figures: Figures) -> Figures:
    """Return all but what each stage took."""
    return {name: value for name, value in figures.items() if name != "stages"}


def by_name(columns: dict[str, Figures]) -> dict[str, Figures]:
    """Return a table on its side: a row for each figure."""
    names = dict.fromkeys(name for column in columns.values() for name in column)
    return {name: {key: column.get(name, "") for key, column in columns.items()} for name in names}


def rivals(samples: Array) -> dict[str, Figures]:
    """Return how many calls others could look at on this core if they did nothing else."""
    runs, _ = others()
    some = samples[: 60 * SAMPLE_RATE]
    jobs = [Job(name, run, some) for name, run in (runs | silero()).items() if "pyin" not in name]
    for job in [*jobs, *jobs, *jobs]:
        job.measure()
    return {job.name: {"calls_at_most": round(job.speed)} for job in jobs}


def cores() -> tuple[int | None, int | None]:
    """Return a core for us and one for the telephone system, where cores can be chosen."""
    if not hasattr(os, "sched_setaffinity"):
        return None, None
    free = sorted(os.sched_getaffinity(0))
    return free[-1], free[0] if len(free) > 1 else None


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--protocol", choices=("audiosocket", "media"), default="audiosocket")
    parser.add_argument(
        "--calls", type=int, nargs="+", default=[10, 100, 250, 500, 750, 1000, 1250]
    )
    parser.add_argument("--seconds", type=float, default=20.0, help="measured, of each number")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    out = options.out or ROOT / f"benchmarks/results/live_capacity_{options.protocol}.json"
    own, other = cores()
    if own is not None:
        os.sched_setaffinity(0, {own})
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))
    begun = {"commit": commit()}
    samples, share = traffic()
    codes = mu_law(samples)
    print(f"{len(samples) / SAMPLE_RATE:.0f} s of audio, {share:.0%} of it speech")
    default_classifier()
    held: dict[str, Figures] = {}
    empty = resident_bytes()
    for n_calls in options.calls:
        figures = hold(options.protocol, n_calls, options.seconds, codes, other, empty)
        held[str(n_calls)] = figures
        print(f"{n_calls} calls: {'held' if figures['held'] else 'not held'}")
    show("Calls at a time", by_name({n: without_stages(f) for n, f in held.items()}))
    show("CPU, µs per call and second", by_name({n: f["stages"] for n, f in held.items()}))
    beside = rivals(samples)
    show("Others, if a core did nothing else", beside)
    most = max((f["calls"] for f in held.values() if f["held"]), default=0)
    print(f"held: {most} calls")
    figures = {
        **begun,
        "speech_share": round(share, 3),
        "most_held": most,
        "calls": held,
        "others": beside,
    }
    write(out, command("benchmarks/live_capacity.py", options), figures)


if __name__ == "__main__":
    main()
