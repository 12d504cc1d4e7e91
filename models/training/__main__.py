"""Train the detector, judge it on what it did not see, and write it.

    python -m models.training --corpora DIR [--out FILE] [--report FILE] [--splits FILE] [--quick]

Deterministic; a quarter of an hour on one core. `--quick` leaves out leave-one-speaker-out (five
minutes).
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from hackles.errors import UsageError
from models.training.corpora import NEVER_TRAINED, Clip, read_clips
from models.training.evaluate import auc_by_corpus, unseen_logits
from models.training.export import export, metadata, unmeasured
from models.training.fit import draw_baselines, examples, fit_calibrated
from models.training.measure import measure_clips, measure_runs
from models.training.splits import (
    Fold,
    a_fifth,
    hold_out,
    leave_one_corpus_out,
    leave_one_speaker_out,
    save,
)
from models.training.truth import Verdict
from models.training.tune import CALLS, count, tune

HELD_OUT = {"nemo": 2, "spanish": 3, "ravdess": 4, "emodb": 3, "ased": 8}
"""Speakers per corpus that the shipped model never hears: the benchmarks use them."""

_DEFAULT_OUT = Path(__file__).parents[1] / "hackles_models" / "default.onnx"


def train(
    corpora: Path, out: Path, quick: bool, calls: int = CALLS, record: Path | None = None
) -> dict[str, Any]:
    """Train on all speakers but the held-out ones; return the figures.

    Args:
        corpora: the folder of labelled speech.
        out: where the model goes.
        quick: leave out leave-one-speaker-out.
        calls: of each kind and fold, to choose the tracker's settings by.
        record: where it goes who was left out of what, if anywhere.

    Raises:
        UsageError: if there is nothing, or too little, to train on.
    """
    every_clip = read_clips(corpora)
    clips = [clip for clip in every_clip if clip.corpus not in NEVER_TRAINED]
    others = [clip for clip in every_clip if clip.corpus in NEVER_TRAINED]
    if not clips:
        names = " and ".join(sorted(NEVER_TRAINED))
        raise UsageError(f"{corpora} has nothing to train on, for {names} are for tests only.")
    held_out = hold_out(clips, a_fifth(clips) | HELD_OUT)
    splits = _splits(clips, quick)
    if record:
        save(record, {"held_out": [Fold("held_out", held_out)], **splits})
    _say(f"measuring {len(clips)} clips, alone and in runs")
    alone, runs = measure_clips(clips), measure_runs(clips)
    everything, clip_by_clip = examples(clips, alone, runs), examples(clips, alone)
    data = everything.rows(~everything.spoken_by(held_out))
    for corpus in np.unique(data.corpus):
        own = data.rows(data.corpus == corpus)
        if not (own.calm.any() and own.angry.any()):
            raise UsageError(f"{corpus} has no calm, or no angry, speech to train on; add some.")
    _say("choosing the tracker's settings on composed calls of training speakers")
    with tempfile.TemporaryDirectory() as scratch:
        own_clips = [clip for clip in clips if clip.speaker not in held_out]
        settings, tuned = tune(own_clips, data, Path(scratch), calls)
    _say("fitting")
    model = fit_calibrated(data)
    used = list(dict.fromkeys(clip.corpus for clip in clips))
    export(model, metadata(model, unmeasured(settings), used, sorted(held_out)), out)
    report: dict[str, Any] = {
        "clips": len(clips),
        "held_out": sorted(held_out),
        "calibration": {"slope": model.slope, "offset": model.offset},
        "tracker": {n: getattr(settings, n) for n in settings.__struct_fields__},
        f"composed_calls_leave_{'one_corpus' if len(used) > 1 else 'speakers'}_out": {
            "all": _figures([one for found in tuned.values() for one in found]),
            **{corpus: _figures(found) for corpus, found in tuned.items()},
        },
    }
    tests = {}
    if held_out:
        tests["held_out_speakers"] = clip_by_clip.rows(clip_by_clip.spoken_by(held_out))
    if others:
        _say(f"measuring {len(others)} clips of corpora that are never trained on")
        tests["never_trained_on"] = examples(others, measure_clips(others))
    report["auc"] = {}
    for cold in (True, False):
        kind = "cold" if cold else "with_baseline"
        for name, test in tests.items():
            baselines = draw_baselines(test, model.prior_mean, float(cold), seed=1)
            logits = model.logits(test.values, baselines)[:, 0]
            report["auc"][f"{name}_{kind}"] = auc_by_corpus(test, logits)
        for name, folds in splits.items():
            _say(f"{name.replace('_', ' ')}, {kind}")
            unseen = unseen_logits(everything, clip_by_clip, folds, cold)
            report["auc"][f"{name}_{kind}"] = auc_by_corpus(clip_by_clip, unseen)
    return report


def _splits(clips: list[Clip], quick: bool) -> dict[str, tuple[Fold, ...]]:
    """Return whom to leave out in turn; of one corpus alone, its speakers only."""
    corpora = leave_one_corpus_out(clips)
    splits = {"leave_one_corpus_out": corpora} if len(corpora) > 1 else {}
    if not quick:
        splits["leave_one_speaker_out"] = leave_one_speaker_out(clips)
    return splits


def _figures(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    found = count(verdicts)
    figures = asdict(found) | {"recall": found.recall, "false_per_hour": found.false_per_hour}
    delays = figures.pop("delays_s")
    figures["delay_median_s"] = float(np.median(delays)) if delays else None
    return figures


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Train, and print and keep the figures."""
    parser = argparse.ArgumentParser(description="Train, judge and write the detector.")
    parser.add_argument("--corpora", type=Path, required=True, help="folder of labelled speech")
    parser.add_argument("--out", type=Path, default=_DEFAULT_OUT, help="where the model goes")
    parser.add_argument("--report", type=Path, help="where the figures go, as JSON")
    parser.add_argument("--splits", type=Path, help="where it goes who was left out, as JSON")
    parser.add_argument(
        "--calls", type=int, default=CALLS, help="calls to choose the tracker by, of each kind"
    )
    parser.add_argument("--quick", action="store_true", help="no leave-one-speaker-out")
    options = parser.parse_args(arguments)
    try:
        report = train(options.corpora, options.out, options.quick, options.calls, options.splits)
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    text = json.dumps(report, indent=1)
    if options.report:
        options.report.write_text(text + "\n", encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
