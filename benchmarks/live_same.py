"""Does `hackles live` tell what `hackles score` tells? Ten calls at a time, in real time.

The recordings of `audio_samples/` are played by `hackles simulate` into the daemon, over each
protocol, and what it wrote is compared with the score of the file, event by event.

    python -m benchmarks.live_same --calls 10
"""

import argparse
import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.daemon_under_load import PROGRAM, Daemon, daemon
from benchmarks.record import ROOT, Figures, command, commit, show, write

_TARGETS = {"audiosocket": "audiosocket://127.0.0.1:{}", "media": "ws://127.0.0.1:{}/media"}
_EVENTS = ("reading", "alert", "gap", "summary")
_NUMBERS = ("irritation", "arousal", "confidence", "level", "duration_s", "speech_s")

Record = dict[str, Any]


def scored(path: str, customer: str = "right") -> list[Record]:
    """Return what `hackles score` tells of a recording."""
    score = [*PROGRAM, "score", path, "--customer", customer, "--format", "jsonl"]
    done = subprocess.run(score, check=True, capture_output=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def played(running: Daemon, protocol: str, calls: int, more: Sequence[str]) -> dict[str, str]:
    """Play calls in real time; return the recording of each call."""
    to = _TARGETS[protocol].format(running.port)
    simulate = [*PROGRAM, "simulate", str(ROOT / "audio_samples"), "--customer", "right"]
    simulate += ["--to", to, "--calls", str(calls), "--format", "jsonl", *more]
    done = subprocess.run(simulate, check=True, capture_output=True)
    said = [json.loads(line) for line in done.stdout.splitlines()]
    return {one["call"]: one["file"] for one in said if "call" in one}


def compared(live: Sequence[Record], score: Sequence[Record]) -> Figures:
    """Return how far two runs of one call agree."""
    pairs = list(zip(live, score, strict=False))
    same = [_kind(one) == _kind(other) for one, other in pairs]
    times = [abs(one.get("time", 0) - other.get("time", 0)) for one, other in pairs]
    numbers = [
        abs(one[name] - other[name])
        for one, other in pairs
        for name in _NUMBERS
        if isinstance(one.get(name), float) and isinstance(other.get(name), float)
    ]
    return {
        "events": len(score),
        "alerts": sum(one["type"] == "alert" for one in score),
        "not_alike": abs(len(live) - len(score)) + same.count(False),
        "time_s_at_most": max(times),
        "number_at_most": round(max(numbers), 6),
    }


def _kind(record: Record) -> tuple[str, object]:
    return record["type"], record.get("state", record.get("reason", record.get("error")))


def main(arguments: Sequence[str] | None = None) -> None:
    """Play, compare, print and write the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--calls", type=int, default=10)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/live_same.json")
    options = parser.parse_args(arguments)
    begun = {"commit": commit()}
    scores: dict[str, list[Record]] = {}
    found: dict[str, dict[str, Figures]] = {}
    for protocol in _TARGETS:
        with (
            tempfile.TemporaryDirectory() as folder,
            daemon(Path(folder), protocol, options.calls, options.workers, None) as running,
        ):
            files = played(running, protocol, options.calls, ())
            running.wait_for_ends(len(files))
            records = running.records()
        rows = found[protocol] = {}
        for call, file in files.items():
            scores.setdefault(file, scored(file))
            live = [r for r in records if r["call"] == call and r["type"] in _EVENTS]
            rows[f"{len(rows) + 1} {Path(file).stem}"] = compared(live, scores[file])
        show(f"Live over {protocol} against score", rows)
    write(options.out, command("benchmarks/live_same.py", options), {**begun, "calls": found})


if __name__ == "__main__":
    main()
