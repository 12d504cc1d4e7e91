"""What each group of features buys: AUC of the shipped kind of classifier without it.

    python -m benchmarks.ablation --corpora DIR [--out FILE]

Leave one corpus out, clip by clip, cold and with the caller's baseline: with all groups, with each
group left out, and with each alone. A group that can be left out for nothing buys nothing.
"""

import argparse
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from benchmarks.record import command, commit, write
from models.training.corpora import NEVER_TRAINED, read_clips
from models.training.evaluate import auc_by_corpus, unseen_logits
from models.training.examples import Examples, examples
from models.training.fit import USED, Inputs
from models.training.measure import measure_clips, measure_runs
from models.training.splits import Fold, leave_one_corpus_out

GROUPS: dict[str, tuple[str, ...]] = {
    "pitch": ("f0_st_p20", "f0_st_p50", "f0_st_p80", "f0_st_range", "f0_st_sd"),
    "voicing": ("voiced_ratio", "voicing_mean", "voicing_sd"),
    "voiced segments": ("voiced_s_mean", "voiced_segment_rate"),
    "alpha ratio": ("alpha_ratio_db_mean", "alpha_ratio_db_sd", "alpha_ratio_db_p80"),
    "hammarberg": ("hammarberg_db_mean", "hammarberg_db_sd"),
    "spread": ("spread_hz_mean", "spread_hz_sd"),
    "flux": ("flux_db_mean", "flux_db_sd"),
    "mfcc": tuple(f"mfcc{order}_mean" for order in range(1, 5)),
    "syllables": ("syllable_rate",),
}
"""What the classifier looks at, and what it is offered and does not (yet) take."""


def judge(
    data: Examples, test: Examples, folds: Sequence[Fold], names: Collection[str]
) -> dict[str, dict[str, float]]:
    """Return the AUC by corpus, mean and pooled, with some functionals as inputs."""
    inputs = Inputs.of(names)
    return {
        kind: auc_by_corpus(test, unseen_logits(data, test, folds, cold, inputs))
        for kind, cold in (("cold", True), ("baseline", False))
    }


def ablate(corpora: Path) -> dict[str, Any]:
    """Return the AUC with everything, without each group, and with each alone."""
    clips = [clip for clip in read_clips(corpora) if clip.corpus not in NEVER_TRAINED]
    alone = measure_clips(clips)
    data, test = examples(clips, alone, measure_runs(clips)), examples(clips, alone)
    folds = leave_one_corpus_out(clips)
    sets: dict[str, Collection[str]] = {"used": USED}
    for group, names in GROUPS.items():
        if set(names) <= set(USED):
            sets[f"without {group}"] = [n for n in USED if n not in names]
        else:
            sets[f"and {group}"] = [*USED, *names]
        sets[f"{group} alone"] = names
    result: dict[str, Any] = {}
    for name, some in sets.items():
        result[name] = judge(data, test, folds, some)
        means = [f"{result[name][k][what]:.4f}" for k in ("cold", "baseline") for what in _TOLD]
        print(f"{name:28s}", *means, file=sys.stderr, flush=True)
    return result


_TOLD = ("mean", "pooled")


def main() -> int:
    """Print the table, and keep it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpora", type=Path, required=True, help="folder of labelled speech")
    parser.add_argument("--out", type=Path, help="where the figures go, as JSON")
    options = parser.parse_args()
    print(" " * 28, "cold: mean, pooled; baseline: mean, pooled", file=sys.stderr)
    figures = {"commit": commit(), "auc": ablate(options.corpora)}
    if options.out:
        write(options.out, command("benchmarks/ablation.py", options), figures)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
