"""What a wallboard takes: its CPU, how far viewers are behind, and how smoothly its page runs.

    python -m benchmarks.wallboard_load [--calls 200] [--viewers 50] [--minutes 5]

An engine's feed of so many calls, one reading a second each; so many viewers, each with a
connection of its own that reads the events as they come; and the page in Debian's Chromium, which
counts its frames. All on this machine at a time.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any, Final

import msgspec

from benchmarks.daemon_under_load import free_ports
from benchmarks.record import ROOT, Figures, command, commit, show, write
from benchmarks.wallboard_floor import feed

_RUN: Final = "from hackles.cli import main; main()"
_SETTLE_S: Final = 10.0
_PATIENCE_S: Final = 30.0
_FRAMES: Final = """
() => {
  window.frames_at = [];
  const tick = (t) => { window.frames_at.push(t); requestAnimationFrame(tick); };
  requestAnimationFrame(tick);
}
"""


class _Row(msgspec.Struct):
    points: list[tuple[float, float]] = []


class _Told(msgspec.Struct):
    rows: list[_Row] = []


_told = msgspec.json.Decoder(_Told).decode


@contextmanager
def board(port: int, folder: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a wallboard on a port of this machine."""
    path = Path(folder) / "wallboard.toml"
    path.write_text(f'[board]\nlisten = "127.0.0.1:{port}"\n', encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, "-c", _RUN, "wallboard", "--config", str(path)],
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join([str(ROOT / "engine"), str(ROOT / "models")])},
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            _wait_for(f"http://127.0.0.1:{port}/api/view")
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(_PATIENCE_S)


def _wait_for(url: str) -> None:
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def cpu_s(process: int) -> float:
    """Return the CPU seconds of all threads of a process."""
    tasks = Path(f"/proc/{process}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def memory_mb(process: int) -> float:
    """Return what a process holds in memory."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


async def _view(port: int, begun: float, until: float, seen: Figures) -> None:
    """Read the events as they come, and note how far each is behind what it tells."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
    ask = f"GET /api/events?lang=en HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"
    writer.write(ask.encode())
    while time.time() < until:
        try:
            line = await asyncio.wait_for(reader.readline(), max(until - time.time(), 0.1))
        except TimeoutError:
            break
        if not line:
            seen["cut_off"] += 1
            break
        seen["bytes"] += len(line)
        if line.startswith(b"data:") and line[5:].strip():
            rows = _told(line[5:]).rows
            newest = [row.points[-1][0] for row in rows if row.points]
            if newest and time.time() - begun > _SETTLE_S:
                seen["events"] += 1
                seen["worst_s"] = max(seen["worst_s"], time.time() - begun - min(newest))
                seen["late_s"].append(time.time() - begun - max(newest))
    writer.close()


def view(port: int, n_viewers: int, begun: float, until: float, out: Any) -> None:
    """Look at a board as so many viewers, in a process of their own."""

    async def all_of_them() -> list[Figures]:
        seen: list[Figures] = [
            {"events": 0, "bytes": 0, "worst_s": 0.0, "late_s": [], "cut_off": 0}
            for _ in range(n_viewers)
        ]
        await asyncio.gather(*[_view(port, begun, until, one) for one in seen])
        return seen

    seen = asyncio.run(all_of_them())
    late = sorted(s for one in seen for s in one["late_s"])
    out.put(
        {
            "viewers": n_viewers,
            "events_each": round(median(one["events"] for one in seen)),
            "kb_per_s_each": round(median(one["bytes"] for one in seen) / (until - begun) / 1e3, 1),
            "behind_median_s": round(median(late), 3),
            "behind_p99_s": round(late[int(0.99 * len(late))], 3),
            "behind_worst_s": round(max(one["worst_s"] for one in seen), 3),
            "cut_off": sum(one["cut_off"] for one in seen),
        }
    )


def frames(port: int, seconds: float) -> Figures:
    """Return how many frames a second the page showed in Chromium."""
    from tests.browser import browser

    with browser() as running:
        page = running.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"http://127.0.0.1:{port}/")
        page.wait_for_timeout(3000)
        page.evaluate(_FRAMES)
        page.wait_for_timeout(1000 * seconds)
        at = page.evaluate("window.frames_at")
    apart = [after - before for before, after in pairwise(at)]
    by_second = [0] * (int((at[-1] - at[0]) / 1000) + 1)
    for time_ms in at:
        by_second[int((time_ms - at[0]) / 1000)] += 1
    whole = by_second[:-1]
    return {
        "seconds": len(whole),
        "mean_per_s": round(1000 * (len(at) - 1) / (at[-1] - at[0]), 1),
        "worst_second": min(whole),
        "seconds_under_50": sum(1 for count in whole if count < 50),
        "longest_ms": round(max(apart), 1),
    }


def measured(n_calls: int, n_viewers: int, minutes: float, with_page: bool) -> dict[str, Figures]:
    """Run a board under load, and return what it cost and what was seen of it."""
    seconds = 60 * minutes
    found: dict[str, Figures] = {}
    with tempfile.TemporaryDirectory() as folder:
        port = free_ports(1)[0]
        with board(port, folder) as process:
            start = multiprocessing.get_context("spawn")
            seen, begun = start.Queue(), time.time()
            until = begun + _SETTLE_S + seconds
            feeding = start.Process(
                target=feed, args=(port, n_calls, begun, _SETTLE_S + seconds + 1)
            )
            feeding.start()
            viewing = start.Process(target=view, args=(port, n_viewers, begun, until, seen))
            viewing.start()
            time.sleep(_SETTLE_S)
            before, since = cpu_s(process.pid), time.monotonic()
            if with_page:
                found["page"] = frames(port, seconds / 2)
            time.sleep(max(until - time.time() - 1, 0))
            used = 100 * (cpu_s(process.pid) - before) / (time.monotonic() - since)
            found["server"] = {
                "cpu_percent": round(used, 2),
                "memory_mb": round(memory_mb(process.pid), 1),
            }
            found["viewers"] = seen.get(timeout=_PATIENCE_S)
            viewing.join(_PATIENCE_S)
            feeding.join(_PATIENCE_S)
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--viewers", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--without-page", action="store_true")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/wallboard_load.json")
    options = parser.parse_args(arguments)
    begun = {"commit": commit()}
    found = measured(options.calls, options.viewers, options.minutes, not options.without_page)
    show("a wallboard under load", found)
    print(json.dumps(found))
    write(options.out, command("benchmarks/wallboard_load.py", options), {**begun, **found})


if __name__ == "__main__":
    main()
