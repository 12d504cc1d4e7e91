"""What the model takes for a reading, alone and in batches, and whether a batch changes its answer.

    python -m benchmarks.model_cost [--out FILE]

CPU time of one thread, as it is and in transforms of this machine at this hour: a frame to its
spectrum, and a cosine transform (`floor`). The windows are of the sample calls.
"""

import argparse
import os

# Read when numpy is imported.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

from pathlib import Path

import numpy as np
import soundfile

from benchmarks.floor import per_row_us, transforms_us
from benchmarks.record import ROOT, Figures, command, commit, show, write
from hackles.classifier import Classifier, default_classifier
from hackles.config import FRAMES_PER_S
from hackles.listening import Measured
from models.training.measure import measure

BATCHES = (1, 8, 32, 128)


def windows() -> Measured:
    """Return the windows of all sample calls."""
    paths = sorted((ROOT / "audio_samples").glob("*.wav"))
    customers = [soundfile.read(path, dtype="float32")[0][:, 1] for path in paths]
    return Measured.join(list(measure(customers)))


def cost(model: Classifier, some: Measured) -> dict[str, Figures]:
    """Return what a reading takes in batches of several sizes, and how far its answer differs."""
    transform = sum(transforms_us())
    baseline = np.tile(model.baseline_prior, (len(some.slot), 1))
    known = np.full(len(some.slot), 20.0)
    quality = np.stack([known, some.covered / FRAMES_PER_S, some.snr_db], axis=1)
    feeds = (some.values, some.contours, baseline, quality.astype(np.float32))
    whole = model.run(*feeds).irritation
    found: dict[str, Figures] = {}
    for size in BATCHES:
        part = [feed[:size] for feed in feeds]
        taken = per_row_us(lambda part=part: model.run(*part), size)  # type: ignore[misc]
        parts = [
            model.run(*(feed[at : at + size] for feed in feeds)).irritation
            for at in range(0, len(whole), size)
        ]
        found[f"batches of {size}"] = {
            "us_per_reading": round(taken, 1),
            "transforms_per_reading": round(taken / transform, 1),
            "largest_difference": float(np.abs(np.concatenate(parts) - whole).max()),
        }
    return found


def main(arguments: list[str] | None = None) -> int:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, help="where the figures go, as JSON")
    options = parser.parse_args(arguments)
    begun: Figures = {"commit": commit()}
    found = cost(default_classifier(), windows())
    show("the model", found)
    if options.out:
        write(options.out, command("-m benchmarks.model_cost", options), begun | found)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
