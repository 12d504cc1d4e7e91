"""Half an hour of calls that come and go in `hackles live`: does anything grow, or slow down?

python -m benchmarks.daemon_soak --minutes 30 --calls 100
"""

import os

# Read when numpy is imported.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.daemon_under_load import daemon, figures, play
from benchmarks.live_capacity import by_name, mu_law
from benchmarks.record import ROOT, Figures, command, commit, show, write
from benchmarks.telephone_system import Order
from benchmarks.throughput import traffic

_WARM_UP_S = 2.0
_LAST_S = 1.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--protocol", choices=("audiosocket", "media"), default="audiosocket")
    parser.add_argument("--calls", type=int, default=100, help="at a time")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--call-minutes", type=float, default=3.0, help="then all begin anew")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/daemon_soak.json")
    options = parser.parse_args(arguments)
    begun = {"commit": commit()}
    samples, share = traffic()
    codes = mu_law(samples)
    rounds = round(60 * options.call_minutes / 0.02)
    waves: dict[str, Figures] = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        daemon(Path(folder), options.protocol, options.calls, 1, None) as running,
    ):
        began, heard_s = time.monotonic(), 0.0
        for number in range(round(options.minutes / options.call_minutes)):
            order = Order(
                options.protocol, running.port, options.calls, rounds, codes, number, None
            )
            load = play(running, order, (_WARM_UP_S, _LAST_S))
            minute = f"{(time.monotonic() - began) / 60:.1f} min"
            waves[minute] = figures(running, load, heard_s)
            heard_s = running.metric("hackles_audio_seconds_total")
            print(minute, waves[minute], flush=True)
    resident = [wave["resident_kib"] for wave in waves.values()]
    growth = resident[-1] / resident[0] - 1
    show("Waves of calls", by_name(waves))
    print(f"memory: {growth:+.2%} from the end of the first wave to the end of the last")
    result = {
        **begun,
        "speech_share": round(share, 3),
        "memory_growth": round(growth, 4),
        "waves": waves,
    }
    write(options.out, command("benchmarks/daemon_soak.py", options), result)


if __name__ == "__main__":
    main()
