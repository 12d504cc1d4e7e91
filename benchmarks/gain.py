"""Does gain alone move an alert? The same calls 12 dB louder and 12 dB softer.

    python -m benchmarks.gain --corpora DIR [--calls 3] [--out FILE]

In float, so that nothing clips. Calls of the speakers whom the shipped model has never heard, at
each of its sensitivities: of how many episodes the other level has one that begins at the same
reading, or at the one before or after it.
"""

import argparse
import sys
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from benchmarks.calls import SEED, apart
from benchmarks.record import command, commit, show, write
from hackles.classifier import SENSITIVITIES, Classifier, default_classifier
from hackles.config import SAMPLE_RATE
from hackles.errors import UsageError
from hackles.listening import Measured
from hackles.rejudging import judge
from models.training.calls import KINDS, Speakers, compose
from models.training.corpora import read_clips
from models.training.measure import measure
from models.training.truth import episodes

GAINS_DB = (-12.0, 12.0)


def heard(speakers: Speakers, customer: str, calls: int) -> dict[float, list[Measured]]:
    """Return the windows of a customer's calls at each gain."""
    sounds = [
        compose(speakers, customer, kind, number, SEED).customer
        for kind, number in product(KINDS[:2], range(calls))
    ]
    return {
        gain_db: list(measure(sound * np.float32(10 ** (gain_db / 20)) for sound in sounds))
        for gain_db in (0.0, *GAINS_DB)
    }


def compared(
    plain: list[Measured], louder: list[Measured], classifier: Classifier
) -> dict[str, float]:
    """Return how many episodes either level has, and how many of them the other has, too."""
    begun = [[episodes(own) for own in judge(some, classifier)] for some in (plain, louder)]
    both = matched = 0
    for call, first, second in zip(plain, *begun, strict=True):
        places = [
            np.searchsorted(call.position, np.array(starts) * SAMPLE_RATE - 1).tolist()
            for starts in (first, second)
        ]
        for own, others in (places, reversed(places)):
            both += len(own)
            matched += sum(any(abs(at - other) <= 1 for other in others) for at in own)
    return {"episodes": both, "matched": matched, "share": round(matched / max(both, 1), 4)}


def main(arguments: list[str] | None = None) -> int:
    """Compose, hear, compare, print and keep."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--corpora", type=Path, required=True, help="folder of labelled speech")
    parser.add_argument("--calls", type=int, default=3, help="of each kind and speaker")
    parser.add_argument("--out", type=Path, help="where the figures go, as JSON")
    options = parser.parse_args(arguments)
    found: dict[str, Any] = {"commit": commit()}
    shipped = default_classifier()
    try:
        speakers = apart(read_clips(options.corpora), frozenset(shipped.metadata.held_out))[0]
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    done = Parallel(-1)(delayed(heard)(speakers, who, options.calls) for who in sorted(speakers))
    levels = {gain_db: [m for some in done for m in some[gain_db]] for gain_db in done[0]}
    for name in SENSITIVITIES:
        classifier = shipped.at(name)
        found[name] = {
            f"{gain_db:+g} dB": compared(levels[0.0], levels[gain_db], classifier)
            for gain_db in GAINS_DB
        }
        show(f"episodes at another level, {name}", found[name])
    if options.out:
        write(options.out, command("-m benchmarks.gain", options), found)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
