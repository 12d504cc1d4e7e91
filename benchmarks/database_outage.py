"""The database goes for a minute while a hundred calls are heard: is every event there, once?

Calls are played by `hackles simulate` into `hackles live`, which writes JSON lines and the record.
The server of a PostgreSQL database is stopped as if it had been killed; an SQLite database is kept
locked by somebody else. Then every line is sought in the record, and every row in the lines.

    python -m benchmarks.database_outage --database postgresql
"""

import argparse
import contextlib
import sqlite3
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from sqlalchemy import select

from benchmarks.daemon_under_load import PROGRAM, Daemon, daemon
from benchmarks.postgresql import Server, programs
from benchmarks.record import ROOT, Figures, command, commit, show, write
from hackles.settings import Store
from hackles.store.database import Database, open_database
from hackles.store.tables import calls, entries, gaps, readings
from hackles.store.units import ratio, ticks
from hackles.store.verifying import verify

_ENTRIES = {"call": "begun", "alert": "alert", "summary": "summary"}
_PATIENCE_S = 60.0

Outage = Callable[[], AbstractContextManager[None]]


@contextlib.contextmanager
def place(kind: str, folder: Path) -> Iterator[tuple[Store, Outage]]:
    """Give the settings of a record, and a way to take its database away."""
    record = str(folder / "record")
    if kind == "sqlite":
        yield Store(folder=record), lambda: _locked(folder / "record" / "hackles.db")
        return
    found = programs()
    if found is None:
        raise SystemExit("There is no PostgreSQL here; install it, or choose sqlite.")
    server = Server(found)
    try:
        yield Store(folder=record, database=server.database()), lambda: _stopped(server)
    finally:
        server.remove()


@contextlib.contextmanager
def _stopped(server: Server) -> Iterator[None]:
    server.stop("immediate")
    yield
    server.start()


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with contextlib.closing(sqlite3.connect(path, timeout=60, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


def played(running: Daemon, n_calls: int, rounds: int) -> subprocess.Popen[bytes]:
    """Begin to play calls, one round after the other."""
    simulate = [*PROGRAM, "simulate", str(ROOT / "audio_samples"), "--customer", "right"]
    simulate += ["--to", f"audiosocket://127.0.0.1:{running.port}", "--calls", str(n_calls)]
    both = [[*simulate, "--name", f"round-{number}"] for number in range(rounds)]
    script = "import subprocess, sys\nfor one in eval(sys.argv[1]): subprocess.run(one, check=True)"
    return subprocess.Popen([PROGRAM[0], "-c", script, repr(both)], stdout=subprocess.DEVNULL)


def waiting_kib(folder: Path) -> float:
    """Return how much waits for the database."""
    found = (folder / "record" / "spool").glob("*.jsonl")
    total = 0
    for path in found:
        with contextlib.suppress(FileNotFoundError):
            total += path.stat().st_size
    return total / 1024


def told(records: Sequence[dict[str, Any]]) -> tuple[Counter[Any], list[Any]]:
    """Return what the lines tell: scores, and entries in their order."""
    scores: Counter[Any] = Counter()
    log: list[Any] = []
    for one in records:
        session, kind = one["session"], one["type"]
        if kind == "reading":
            levels = (ratio(one[name]) for name in ("irritation", "arousal", "confidence"))
            scores[session, kind, ticks(one["time"]), *levels] += 1
        elif kind == "gap":
            scores[session, kind, ticks(one["time"]), ticks(one["since"]), one["reason"]] += 1
        elif one.get("state") not in ("refused", "withdrawn"):
            log.append((session, _ENTRIES[kind], one.get("id") if kind == "alert" else None))
    return scores, log


def kept(database: Database) -> tuple[Counter[Any], list[Any]]:
    """Return what the record holds, as `told` does."""
    scores: Counter[Any] = Counter()
    with database.reading() as connection:
        session_of = {
            number: name for name, number in connection.execute(select(calls.c.session, calls.c.id))
        }
        for row in connection.execute(select(readings)):
            levels = row.irritation, row.arousal, row.confidence
            scores[session_of[row.call], "reading", row.time, *levels] += 1
        for row in connection.execute(select(gaps)):
            scores[session_of[row.call], "gap", row.time, row.since, row.reason] += 1
        wanted = select(entries.c.call, entries.c.kind, entries.c.id).order_by(entries.c.seq)
        log = [
            (session_of.get(call, ""), kind, id_ if kind == "alert" else None)
            for call, kind, id_ in connection.execute(wanted)
        ]
    return scores, log


def compared(records: Sequence[dict[str, Any]], database: Database) -> Figures:
    """Return how far the lines and the record agree."""
    scores, log = told(records)
    kept_scores, kept_log = kept(database)
    found = verify(database)
    return {
        "events": scores.total() + len(log),
        "of_them_alerts": sum(kind == "alert" for _, kind, _ in log),
        "missing": (scores - kept_scores).total() + (Counter(log) - Counter(kept_log)).total(),
        "twice_or_others": (kept_scores - scores).total()
        + (Counter(kept_log) - Counter(log)).total(),
        "entries_out_of_order": sum(a != b for a, b in zip(log, kept_log, strict=False)),
        "faults_of_the_chain": len(found.faults) + found.more_faults,
    }


def measured(kind: str, options: argparse.Namespace, folder: Path) -> Figures:
    """Play, take the database away in the middle, and compare."""
    with place(kind, folder) as (section, outage):
        more = f'\n[store]\nfolder = "record"\ndatabase = "{section.database}"\n'
        with daemon(folder, "audiosocket", options.calls, 1, None, more) as running:
            cpu, began = running.cpu_s(), time.monotonic()
            with played(running, options.calls, options.rounds) as calls_:
                time.sleep(options.before_s)
                heard = running.metric("hackles_readings_total")
                with outage():
                    time.sleep(options.away_s)
                    most = waiting_kib(folder)
                    heard = running.metric("hackles_readings_total") - heard
                back = time.monotonic()
                while waiting_kib(folder) and time.monotonic() - back < _PATIENCE_S:
                    time.sleep(0.05)
                caught_up_s = time.monotonic() - back
                calls_.wait()
            running.wait_for_ends(options.calls * options.rounds)
            cpu, wall = running.cpu_s() - cpu, time.monotonic() - began
            dropped = running.metric("hackles_sink_dropped_total")
            lost_s = running.metric("hackles_lost_audio_seconds_total")
        database = open_database(section)
        figures = compared(running.records(), database)
        database.close()
    return {
        "calls": options.calls * options.rounds,
        **figures,
        "dropped": dropped,
        "audio_lost_s": round(lost_s, 1),  # by a machine that is too busy: other events, not fewer
        "readings_while_away": heard,
        "waited_kib": round(most),
        "caught_up_after_s": round(caught_up_s, 1),
        "daemon_cores": round(cpu / wall, 3),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Play, compare, print and write the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--before-s", type=float, default=60.0)
    parser.add_argument("--away-s", type=float, default=60.0)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    options.out = options.out or (
        ROOT / f"benchmarks/results/database_outage_{options.database}.json"
    )
    begun = {"commit": commit()}
    with tempfile.TemporaryDirectory() as folder:
        figures = measured(options.database, options, Path(folder))
    rows = {name.replace("_", " "): {options.database: value} for name, value in figures.items()}
    show(f"The database away for {options.away_s:.0f} s", rows)
    write(options.out, command("benchmarks/database_outage.py", options), begun | figures)


if __name__ == "__main__":
    main()
