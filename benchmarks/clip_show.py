"""The tables of `clip_accuracy` on the terminal."""

from collections.abc import Mapping

from benchmarks.clip_judging import BY_CORPUS, BY_SPEAKER, UNTRAINED
from benchmarks.record import Figures, show

_WHATS = ("auc", "auc_against_calm", "uar", "recall", "ece", "eer", "recall_at_5_percent_false")
_KINDS = ("sex", "pitch", "language")


def show_all(figures: Figures) -> None:
    """Print every figure, with its interval where all clips come together."""
    for split in (BY_CORPUS, BY_SPEAKER, UNTRAINED):
        if split not in figures:
            continue
        for what in _WHATS:
            rows = {name: _row(found, what) for name, found in figures[split]["all"].items()}
            show(f"{split}: {what.replace('_', ' ')}", rows)
        for kind in _KINDS:
            for name, groups in figures[split].get(kind, {}).items():
                show(f"{split}, by {kind}: {name}", {g: _cells(of) for g, of in groups.items()})
    for name, found in figures["codecs"].items():
        if isinstance(found, Mapping):
            show(f"by codec: {name}", {codec: _cells(of) for codec, of in found.items()})


def show_chances(figures: Figures) -> None:
    """Print what was made of permuted labels."""
    for split in (BY_CORPUS,):
        rows = {
            name: {
                what: f"{of['mean']:.3f} ± {of.get('standard_error', float('nan')):.3f}"
                for what, of in found.items()
            }
            for name, found in figures[split].items()
        }
        show(f"{split}, emotions permuted within speakers: AUC", rows)


def _row(found: Mapping[str, Figures], what: str) -> Figures:
    """Return one figure by corpus, the mean and the pooled one with their intervals."""
    return {
        where: _cell(of[what]) if where in ("mean", "pooled") else f"{of[what]['value']:.3f}"
        for where, of in found.items()
    }


def _cells(of: Figures) -> Figures:
    return {what: _cell(one) if isinstance(one, Mapping) else one for what, one in of.items()}


def _cell(of: Mapping[str, float]) -> str:
    between = f" ({of['low']:.3f} to {of['high']:.3f})" if "low" in of else ""
    return f"{of['value']:.3f}{between}"
