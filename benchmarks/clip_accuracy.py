"""How well single clips are judged: hackles' kind of model, and the reference to beat.

    python -m benchmarks.clip_accuracy --corpora DIR [--out FILE] [--cache DIR] [--shuffle SEED ...]

Both get the same clips over the same telephone (level, noise, mu-law), the same splits by corpus
and by speaker, weights and baselines. The reference is eGeMAPS with the best of three classifiers
(`reference`). `clip_judging` says who judges whom, `figures` what is counted.

With --shuffle, the emotions are permuted among the clips of each speaker first: whatever is then
told apart is a leak.
"""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from joblib import parallel_config
from threadpoolctl import threadpool_limits

from benchmarks import cache
from benchmarks.clip_features import (
    CODECS,
    MU_LAW,
    CodedClips,
    Heard,
    measure_all,
    measure_joined,
)
from benchmarks.clip_groups import for_codecs
from benchmarks.clip_judging import (
    TRAINED,
    UNTRAINED,
    Logits,
    folds,
    judge_hackles,
    judge_reference,
    tasks,
)
from benchmarks.clip_report import chances, report
from benchmarks.clip_show import show_all, show_chances
from benchmarks.record import Figures, command, commit, write
from benchmarks.reference import LOGISTIC, Chosen
from hackles.classifier import default_classifier
from hackles.errors import UsageError
from models.training.corpora import NEVER_TRAINED, Clip, read_clips
from models.training.examples import Examples
from models.training.splits import as_json

_STARTED = time.monotonic()


def measure(clips: Sequence[Clip], folder: Path) -> tuple[dict[str, Heard], Examples]:
    """Return all clips as both systems measure them, and runs of those to train on."""
    known = [clip for clip in clips if clip.corpus not in NEVER_TRAINED]
    others = [clip for clip in clips if clip.corpus in NEVER_TRAINED]
    places = for_codecs(known)
    sets: dict[str, CodedClips] = {TRAINED: (list(enumerate(known)), MU_LAW)}
    if others:
        sets[UNTRAINED] = (list(enumerate(others)), MU_LAW)
    sets |= {codec: ([(place, known[place]) for place in places], codec) for codec in CODECS}
    heard, runs = measure_all(sets, known, held_out(), folder)
    return heard | {MU_LAW: heard[TRAINED].some(places)}, runs


def judge(
    sets: Mapping[str, Heard], runs: Examples
) -> tuple[dict[str, Logits], dict[str, dict[str, Chosen]], Figures]:
    """Return what both systems say, what the reference was chosen to be, and the splits."""
    known = sets[TRAINED]
    splits = folds(known.clips, held_out())
    todo = tasks(sets, splits)
    _say("hackles: fitting")
    hackles = judge_hackles(known, runs, todo)
    _say("the reference: choosing and fitting")
    reference, chosen = judge_reference(known, todo)
    saved = {name: as_json(some) for name, some in splits.items()}
    return {"hackles": hackles, "reference": reference}, chosen, saved


def held_out() -> frozenset[str]:
    """Return the speakers whom the model that travels with hackles has never heard."""
    return frozenset(default_classifier().metadata.held_out)


def shuffled(clips: Sequence[Clip], seed: int) -> list[Clip]:
    """Return the clips with the emotions permuted among those of each speaker."""
    rng = np.random.default_rng(seed)
    places: dict[str, list[int]] = {}
    for place, clip in enumerate(clips):
        places.setdefault(clip.speaker, []).append(place)
    result = list(clips)
    for own in places.values():
        for place, other in zip(own, rng.permutation(own).tolist(), strict=True):
            result[place] = replace(clips[place], emotion=clips[other].emotion)
    return result


def compare(clips: Sequence[Clip], folder: Path) -> Figures:
    """Return all figures of both systems."""
    _say(f"measuring {len(clips)} clips")
    sets, runs = measure(clips, folder)
    logits, chosen, splits = judge(sets, runs)
    _say("figures")
    return report(sets, logits, chosen) | {"splits": splits}


def shuffle(clips: Sequence[Clip], folder: Path, seeds: Sequence[int]) -> Figures:
    """Return what both systems make of labels that mean nothing.

    The reference with corpora left out only, and by logistic regression: support vector machines
    that find nothing take an hour, and what would leak is the same.
    """
    _say(f"measuring {len(clips)} clips")
    known = measure(clips, folder)[0][TRAINED]
    found: list[tuple[list[Clip], dict[str, Logits]]] = []
    permuted = [shuffled(known.clips, seed) for seed in seeds]
    for mixed, runs in zip(permuted, measure_joined(permuted, folder), strict=True):
        _say(f"permutation {len(found) + 1} of {len(seeds)}")
        heard = replace(known, clips=tuple(mixed))
        todo = tasks({TRAINED: heard}, folds(mixed))
        logits = {
            "hackles": judge_hackles(heard, runs, todo),
            "reference": judge_reference(heard, todo, LOGISTIC)[0],
        }
        found.append((mixed, logits))
    return chances(found, seeds)


def _say(text: str) -> None:
    print(f"{time.monotonic() - _STARTED:5.0f} s  {text}", file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Judge, print and keep."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--corpora", type=Path, required=True, help="folder of labelled speech")
    parser.add_argument("--out", type=Path, help="where the figures go, as JSON")
    parser.add_argument("--cache", type=Path, help="where features are kept (.cache)")
    parser.add_argument("--shuffle", type=int, nargs="+", metavar="SEED", help="permute emotions")
    options = parser.parse_args(arguments)
    begun: Figures = {"commit": commit()}
    folder = options.cache or cache.DEFAULT
    try:
        clips = read_clips(options.corpora)
        # One thread each: two processes share two cores, and sums come in the same order.
        with parallel_config("loky", inner_max_num_threads=1), threadpool_limits(1):
            if options.shuffle:
                figures = shuffle(clips, folder, options.shuffle)
                show_chances(figures)
            else:
                figures = compare(clips, folder)
                show_all(figures)
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    if options.out:
        write(options.out, command("-m benchmarks.clip_accuracy", options), begun | figures)
    _say("done")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
