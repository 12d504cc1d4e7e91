"""Composed calls: which ones the benchmark hears, and the same as files to listen to.

    python -m benchmarks.calls --corpora DIR --out DIR [--each 1] [--seed 2026]

Writes each call as a stereo G.711 WAV (left the agent, right the customer) and what is true of it
as JSON beside it. They are composed from clips of one speaker, so they are synthetic
(`models/training/calls.py`); the customer's channel is bit for bit what `escalation` hears.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import msgspec
import numpy as np
import soundfile

from benchmarks.cache import digest, kept
from benchmarks.record import ROOT
from hackles.classifier import default_classifier
from hackles.config import SAMPLE_RATE
from hackles.errors import UsageError
from hackles.listening import Measured
from hackles.types import AnyArray
from models.training.calls import KINDS, Call, Speakers, compose, speakers_of
from models.training.corpora import Clip, read_clips
from models.training.measure import measure
from models.training.telephone import Line
from models.training.truth import Truth

SEED = 2026
"""Of the benchmark's calls; the tracker is tuned on calls of another."""

_TRAINING = ROOT / "models" / "training"
_MADE_BY = ("calls", "coding", "corpora", "dialogue", "measure", "noise", "telephone", "truth")
SOURCES = (ROOT / "engine" / "hackles", *(_TRAINING / f"{name}.py" for name in _MADE_BY))
NOT_CALLS = frozenset({"turev"})
"""Single words of a second: nobody speaks so on the telephone."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A call's truth and what was measured of it."""

    truth: Truth
    measured: Measured


@dataclass(frozen=True, slots=True)
class Order:
    """Calls to be composed of one speaker.

    Attributes:
        speakers: everybody who may be heard in them.
        customer: who calls.
        kind: one of `KINDS`.
        count: how many.
        line: one line for all of them; drawn for each if None.
        keep_levels: see `compose`.
    """

    speakers: Speakers = field(repr=False)
    customer: str
    kind: str
    count: int
    line: Line | None = None
    keep_levels: bool = False

    def calls(self, seed: int = SEED) -> Iterator[Call]:
        """Compose them."""
        for number in range(self.count):
            yield compose(
                self.speakers,
                self.customer,
                self.kind,
                number,
                seed,
                self.line,
                keep_levels=self.keep_levels,
            )


def hear(order: Order, cache: Path) -> list[Heard]:
    """Measure the calls of an order, or find them measured in `cache`."""
    own = order.speakers[order.customer][0].corpus
    clips = [c for some in order.speakers.values() for c in some if c.corpus == own]
    facts = [f"{c.path.name} {c.path.stat().st_size} {c.emotion} {c.intensity}" for c in clips]
    key = digest(SOURCES, ("numpy", "scipy", "soundfile", "soxr", "av"), [repr(order), *facts])
    name = f"calls-{order.customer.replace(':', '-')}-{order.kind}"
    entry = kept(cache, name, key, lambda: _measured(order))
    truths = msgspec.json.decode(entry.pop("truths").tobytes(), type=list[Truth])
    ends = np.cumsum(entry.pop("rows")).tolist()
    return [
        Heard(truth, Measured(**{name: column[start:end] for name, column in entry.items()}))
        for truth, start, end in zip(truths, [0, *ends], ends, strict=False)
    ]


def _measured(order: Order) -> dict[str, AnyArray]:
    truths: list[Truth] = []

    def customers() -> Iterator[AnyArray]:
        for call in order.calls():
            truths.append(call.truth)
            yield call.customer

    measured = list(measure(customers()))
    every = Measured.join(measured)
    columns = {name: getattr(every, name) for name in Measured.__slots__}
    told = np.frombuffer(msgspec.json.encode(truths), dtype=np.uint8)
    return columns | {"truths": told, "rows": np.array([len(m.slot) for m in measured])}


def apart(clips: Sequence[Clip], held_out: frozenset[str]) -> list[Speakers]:
    """Return speakers who may meet in a call: those held out from training, and all the others."""
    speakers = speakers_of([clip for clip in clips if clip.corpus not in NOT_CALLS])
    sides = [
        {name: own for name, own in speakers.items() if (name in held_out) is side}
        for side in (True, False)
    ]
    return [side for side in sides if side]


def write_call(call: Call, folder: Path) -> Path:
    """Write a call as a WAV file and its truth beside it; return the path of the sound."""
    truth = call.truth
    stem = f"{truth.speaker.replace(':', '_')}_{truth.kind}_{truth.number}"
    path = folder / f"{stem}.wav"
    subtype = "ALAW" if truth.codec == "A-law" else "ULAW"
    soundfile.write(path, np.stack([call.agent, call.customer], 1), SAMPLE_RATE, subtype)
    text = json.dumps(asdict(truth), ensure_ascii=False)
    path.with_suffix(".json").write_text(text + "\n", encoding="utf-8")
    return path


def main(arguments: list[str] | None = None) -> int:
    """Write calls of every speaker."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpora", type=Path, required=True, help="folder of labelled speech")
    parser.add_argument("--out", type=Path, required=True, help="folder to write them to")
    parser.add_argument("--each", type=int, default=1, help="calls of each kind and speaker")
    parser.add_argument("--kinds", nargs="+", default=KINDS[:2], choices=KINDS)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args(arguments)
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        held_out = frozenset(default_classifier().metadata.held_out)
        for speakers in apart(read_clips(options.corpora), held_out):
            for customer in speakers:
                for kind in options.kinds:
                    for call in Order(speakers, customer, kind, options.each).calls(options.seed):
                        print(write_call(call, options.out))
    except (UsageError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
