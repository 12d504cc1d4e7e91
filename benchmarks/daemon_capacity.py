"""How many calls `hackles live` holds: the daemon itself, on one core, and with two workers.

Held is a number of calls if nothing was dropped and 99 % of events were told within 250 ms of the
moment at which the packet left that decided them, as its JSON lines say. The telephone system is a
process on the same machine: what it took is told beside.

    python -m benchmarks.daemon_capacity --calls 250 500 750        # one worker, one core
    python -m benchmarks.daemon_capacity --workers 1 2 --free --share 0.4 --out FILE

The second asks what a second worker brings. On two cores the telephone system would take what that
worker needs, so each worker gets a share of a core and no more. One worker is a thread, and the
front is within its share; of several, each is a process, and the front runs where there is room.
"""

import os

# Read when numpy is imported.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.daemon_under_load import daemon, figures, limited, play
from benchmarks.live_capacity import by_name, cores, mu_law, stolen_s, transform_us
from benchmarks.record import ROOT, Figures, command, commit, show, write
from benchmarks.telephone_system import Order
from benchmarks.throughput import traffic
from hackles.config import SAMPLE_RATE

_WARM_UP_S = 8.0
_LAST_S = 1.0
_LATEST_MS = 250.0


def hold(options: argparse.Namespace, n_calls: int, workers: int, codes: np.ndarray) -> Figures:
    """Hold so many calls and return the figures."""
    own, other = (None, None) if options.free else cores()
    rounds = round((_WARM_UP_S + options.seconds + _LAST_S) / 0.02)
    stolen = stolen_s()
    with (
        tempfile.TemporaryDirectory() as folder,
        daemon(
            Path(folder),
            options.protocol,
            n_calls,
            workers,
            own,
            "[store]\n" if options.record else "",
        ) as running,
    ):
        order = Order(options.protocol, running.port, n_calls, rounds, codes, n_calls, other)
        with limited(running.groups(), options.share):
            load = play(running, order, (_WARM_UP_S, _LAST_S))
        found = figures(running, load, 0.0)
    p99 = found["delay_ms_p99"]
    is_held = p99 is not None and p99 <= _LATEST_MS and found["audio_not_heard_s"] == 0
    return {
        "workers": workers,
        "calls": n_calls,
        "held": is_held and not found["packets_refused"],
        **found,
        "stolen_s": round(stolen_s() - stolen, 2),
        "transform_us": round(transform_us(), 2),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--protocol", choices=("audiosocket", "media"), default="audiosocket")
    parser.add_argument("--calls", type=int, nargs="+", default=[250, 500, 750])
    parser.add_argument("--workers", type=int, nargs="+", default=[1])
    parser.add_argument("--free", action="store_true", help="on whichever cores there are")
    parser.add_argument("--share", type=float, help="of a core for each worker, and no more")
    parser.add_argument("--record", action="store_true", help="with a record of all of it")
    parser.add_argument("--seconds", type=float, default=20.0, help="measured, of each number")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    where = "free" if options.free else "one_core"
    where += "_record" if options.record else ""
    out = options.out or ROOT / f"benchmarks/results/daemon_{options.protocol}_{where}.json"
    begun = {"commit": commit()}
    samples, share = traffic()
    codes = mu_law(samples)
    print(f"{len(samples) / SAMPLE_RATE:.0f} s of audio, {share:.0%} of it speech", flush=True)
    held: dict[str, Figures] = {}
    # Side by side: the machine is another one a few minutes later.
    for n_calls in options.calls:
        for workers in options.workers:
            found = hold(options, n_calls, workers, codes)
            held[f"{n_calls} on {workers}"] = found
            said = f"p99 {found['delay_ms_p99']} ms, {found['audio_not_heard_s']} s not heard"
            print(f"{n_calls} calls, {workers} worker(s): {found['held']} ({said})", flush=True)
    show("Calls at a time", by_name(held))
    most = {
        str(workers): max(
            (f["calls"] for f in held.values() if f["held"] and f["workers"] == workers), default=0
        )
        for workers in options.workers
    }
    print(f"held: {most}")
    result = {**begun, "speech_share": round(share, 3), "most_held": most, "runs": held}
    write(out, command("benchmarks/daemon_capacity.py", options), result)


if __name__ == "__main__":
    main()
