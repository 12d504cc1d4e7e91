"""Train the detector, judge it on what it did not see, and write it.

    python -m models.training --corpora DIR [--out FILE] [--report FILE] [--splits FILE] [--steps N]

Deterministic; half an hour on two cores. With `--steps 0` there is no network, and no PyTorch is
needed: a few minutes.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from joblib import Parallel, delayed
from scipy.special import gammaincinv

from hackles.classifier import SENSITIVITIES, Classifier, Sensitivity
from hackles.errors import UsageError
from hackles.rejudging import judge
from models.training.baselines import draw_baselines, own_calm
from models.training.calls import speakers_of
from models.training.corpora import NEVER_TRAINED, Clip, read_clips
from models.training.crossed import EVERYTHING, crossed
from models.training.evaluate import auc_by_corpus
from models.training.examples import examples
from models.training.export import export, metadata
from models.training.fit import Model, strangers
from models.training.learning import STEPS
from models.training.measure import measure_clips, training_readings
from models.training.splits import Fold, a_fifth, hold_out, save
from models.training.truth import Verdict, verdict
from models.training.tune import CALLS, Tuned, composed, count, settings_of, tune

MEASURED_ON = "composed calls of speakers that it never heard (synthetic, from acted speech)"
_SEED = 2027
"""Of the calls of held-out speakers; the benchmark's are others."""
_KINDS = {"escalating": 1.0, "calm": 1.0}

HELD_OUT = {"nemo": 2, "spanish": 3, "ravdess": 4, "emodb": 3, "ased": 8}
"""Speakers per corpus that the shipped model never hears: the benchmarks use them."""

_DEFAULT_OUT = Path(__file__).parents[1] / "hackles_models" / "default.onnx"


def train(
    corpora: Path,
    out: Path,
    steps: int = STEPS,
    calls: int = CALLS,
    record: Path | None = None,
) -> dict[str, Any]:
    """Train on all speakers but the held-out ones; return the figures.

    Args:
        corpora: the folder of labelled speech.
        out: where the model goes.
        steps: how long the network learns; 0 for none.
        calls: of each kind and fold, to choose the tracker's settings by.
        record: where it goes who was left out of what, if anywhere.

    Raises:
        UsageError: if there is nothing, or too little, to train on.
    """
    every_clip = read_clips(corpora)
    clips = [clip for clip in every_clip if clip.corpus not in NEVER_TRAINED]
    if not clips:
        names = " and ".join(sorted(NEVER_TRAINED))
        raise UsageError(f"{corpora} has nothing to train on, for {names} are for tests only.")
    held_out = hold_out(clips, a_fifth(clips) | HELD_OUT)
    own_clips = [clip for clip in clips if clip.speaker not in held_out]
    _say(f"measuring {len(clips)} clips, alone and in runs, over good lines and bad")
    data = examples(clips, *training_readings(clips, held_out))
    data = data.rows(~data.spoken_by(held_out))
    for corpus in np.unique(data.corpus):
        own = data.rows(data.corpus == corpus)
        if not (own.calm.any() and own.angry.any()):
            raise UsageError(f"{corpus} has no calm, or no angry, speech to train on; add some.")
    folds = strangers(data)
    if record:
        save(record, {"held_out": [Fold("held_out", held_out)], "left_out_in_turn": folds})
    _say("fitting, with each part of the data left out in turn")
    models = crossed(data, steps)
    _say("choosing the tracker's settings on composed calls of training speakers")
    with tempfile.TemporaryDirectory() as scratch:
        tuned = tune(own_clips, models, folds, Path(scratch), calls)
    model = models[EVERYTHING]
    used = list(dict.fromkeys(clip.corpus for clip in clips))
    about = metadata(model, _unmeasured(model, tuned), used, sorted(held_out))
    export(model, about, out)
    calls_of = [clip for clip in clips if clip.speaker in held_out]
    if found := _worth(Classifier(out), calls_of, calls):
        _say("calls of speakers that were held out are judged")
        about = metadata(model, found, used, sorted(held_out), MEASURED_ON)
        export(model, about, out)
    return {
        "clips": len(clips),
        "held_out": sorted(held_out),
        "calibration": {
            "slopes": list(model.slopes),
            "offset": model.offset,
            "calm_logit": model.calm_logit,
            "own_share": model.own_share,
        },
        "sensitivities": msgspec.to_builtins(about.sensitivities),
        "composed_calls_of_strangers": {
            name: {
                "all": _figures([v for some in one.verdicts.values() for v in some]),
                **{fold: _figures(some) for fold, some in one.verdicts.items()},
            }
            for name, one in tuned.items()
        },
        "auc": _auc(model, every_clip, held_out),
    }


def _unmeasured(model: Model, tuned: Mapping[str, Tuned]) -> dict[str, Sensitivity]:
    return {
        name: Sensitivity(tracker=settings_of(model, one.settings)) for name, one in tuned.items()
    }


def _worth(
    classifier: Classifier, clips: Sequence[Clip], calls: int
) -> dict[str, Sensitivity] | None:
    """Return what the sensitivities are worth on calls of these speakers, if there are any."""
    speakers = speakers_of(clips)
    if len(speakers) < 2:
        return None
    each = [[name] for name in speakers]
    per_speaker = max(1, 5 * calls // len(speakers))
    found = Parallel(-1)(
        delayed(composed)(speakers, who, per_speaker, _KINDS, _SEED) for who in each
    )
    truths = [truth for some, _ in found for truth in some]
    measured = [one for _, some in found for one in some]
    worth = {}
    for name in SENSITIVITIES:
        alerts = judge(measured, classifier.at(name))
        verdicts = [verdict(*pair) for pair in zip(truths, alerts, strict=True)]
        counted = count(verdicts)
        delays = counted.delays_s
        worth[name] = Sensitivity(
            tracker=classifier.metadata.sensitivities[name].tracker,
            false_per_hour=round(counted.false_per_hour, 2),
            false_per_hour_below=round(_upper(counted.false_alerts) / counted.hours, 2),
            recall=round(counted.recall, 3),
            early_share=round(counted.early / max(counted.calls, 1), 3),
            delay_median_s=round(float(np.median(delays)), 1) if delays else None,
        )
    return worth


def _upper(alerts: int) -> float:
    """Return the 95 % upper bound of the mean of a Poisson count (Garwood 1936)."""
    return float(gammaincinv(alerts + 1, 0.95))


def _auc(model: Model, clips: Sequence[Clip], held_out: Collection[str]) -> dict[str, Any]:
    """Return how well it tells anger from all else in clips that it never heard."""
    tests = {
        "held_out_speakers": [clip for clip in clips if clip.speaker in held_out],
        "never_trained_on": [clip for clip in clips if clip.corpus in NEVER_TRAINED],
    }
    found = {}
    for name, some in tests.items():
        if some:
            test = examples(some, measure_clips(some))
            for cold in (True, False):
                baselines = draw_baselines(test, model.prior_mean, float(cold), seed=1)
                logit = model.logits(test.values, test.contours, baselines)[:, 0]
                if not cold:
                    logit = model.relative(logit, *own_calm(test, logit, 0.0, seed=1))
                kind = "cold" if cold else "with_baseline"
                found[f"{name}_{kind}"] = auc_by_corpus(test, logit)
    return found


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
    parser.add_argument(
        "--steps", type=int, default=STEPS, help="how long the network learns; 0 for no network"
    )
    options = parser.parse_args(arguments)
    try:
        report = train(options.corpora, options.out, options.steps, options.calls, options.splits)
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
