"""What warnings were worth: counts, rates, delays, their ranges, and the curve between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import chi2

from benchmarks.figures import resampled
from hackles.types import AnyArray
from models.training.truth import Verdict

TARGETS_PER_HOUR = (1.0, 10.0)
_CALLS, _WARNED, _FALSE, _HOURS, _EARLY, _COULD_BE_EARLY = range(6)


def figures(verdicts: Sequence[Verdict], ranges: bool = True) -> dict[str, Any]:
    """Return how many were warned of, how soon, and how often for nothing.

    Args:
        verdicts: of some calls.
        ranges: also the 95 % ranges of a bootstrap over the speakers of each corpus.
    """
    sums = _by_speaker(verdicts).sum(axis=0)
    delays = _delays(verdicts)
    found: dict[str, Any] = {
        "speakers": len({v.speaker for v in verdicts}),
        "escalating_calls": int(sums[_CALLS]),
        "warned": int(sums[_WARNED]),
        "recall": _ratio(sums[_WARNED], sums[_CALLS]),
        "early_share": _ratio(sums[_EARLY], sums[_COULD_BE_EARLY]),
        "delay_median_s": _percentile(delays, 50),
        "delay_p90_s": _percentile(delays, 90),
        "calm_hours": round(float(sums[_HOURS]), 2),
        "false_alerts": int(sums[_FALSE]),
        "false_per_hour": _ratio(sums[_FALSE], sums[_HOURS], 1),
        "false_per_hour_below": _ratio(upper_count(int(sums[_FALSE])), sums[_HOURS], 1),
    }
    return found | (_ranges(verdicts) if ranges else {})


def upper_count(count: int) -> float:
    """Return the 95 % upper bound of the mean of a Poisson count, alerts taken as independent.

    Source:
        Garwood 1936, Biometrika 28: half the 95th percentile of chi-squared with 2 (n + 1)
        degrees of freedom.
    """
    return float(chi2.ppf(0.95, 2 * (count + 1)) / 2)


@dataclass(frozen=True, slots=True)
class Curve:
    """What each of several settings does to the same calls.

    Attributes:
        thresholds: of the settings, rising: ever less sensitive.
        verdicts: per threshold, of the same calls in the same order.
    """

    thresholds: Sequence[float]
    verdicts: Sequence[Sequence[Verdict]]

    def points(self) -> list[dict[str, Any]]:
        """Return the figures at each threshold, and the range of recall there."""
        return [
            {"rising": threshold} | figures(some)
            for threshold, some in zip(self.thresholds, self.verdicts, strict=True)
        ]

    def at_rates(self) -> dict[str, dict[str, Any]]:
        """Return the best recall at no more false alerts per hour than each target.

        In every draw of the range the threshold is chosen anew.
        """
        sums = np.stack([_by_speaker(some) for some in self.verdicts])
        draws = np.einsum("ds,tsk->dtk", _drawn(self.verdicts[0]), sums)
        found = {}
        for target in TARGETS_PER_HOUR:
            at = _most_sensitive(sums.sum(axis=1), target)
            recalls = np.array([_recall_at(drawn, target) for drawn in draws])
            found[f"{target:g}_per_hour"] = {
                "rising": None if at is None else self.thresholds[at],
                **({"recall": 0.0} if at is None else figures(self.verdicts[at], ranges=False)),
                "recall_range": _range(recalls),
            }
        return found


def _most_sensitive(sums: AnyArray, per_hour: float) -> int | None:
    """Return which threshold warns of the most calls at no more false alerts; None if none does."""
    allowed = sums[:, _FALSE] <= per_hour * sums[:, _HOURS]
    return int(np.argmax(np.where(allowed, sums[:, _WARNED], -1))) if allowed.any() else None


def _recall_at(sums: AnyArray, per_hour: float) -> float:
    at = _most_sensitive(sums, per_hour)
    return 0.0 if at is None else float(sums[at, _WARNED] / max(sums[at, _CALLS], 1.0))


def _by_speaker(verdicts: Sequence[Verdict]) -> AnyArray:
    """Return sums per speaker, speakers sorted by name, shape (n_speakers, 6)."""
    speakers = sorted({v.speaker for v in verdicts})
    place = {speaker: index for index, speaker in enumerate(speakers)}
    sums = np.zeros((len(speakers), 6))
    for v in verdicts:
        sums[place[v.speaker]] += (
            v.escalates,
            v.delay_s is not None,
            v.false_alerts,
            v.calm_s / 3600,
            bool(v.early),
            v.early is not None,
        )
    return sums


def _drawn(verdicts: Sequence[Verdict]) -> AnyArray:
    """Return how often each speaker, as in `_by_speaker`, is drawn; see `resampled`."""
    return resampled(np.array([c for _, c in sorted({(v.speaker, v.corpus) for v in verdicts})]))[
        1:
    ]


def _ranges(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    drawn = _drawn(verdicts)
    sums = drawn @ _by_speaker(verdicts)
    calls, hours = sums[:, _CALLS] > 0, sums[:, _HOURS] > 0
    return {
        "recall_range": _range(sums[calls, _WARNED] / sums[calls, _CALLS]),
        "false_per_hour_range": _range(sums[hours, _FALSE] / sums[hours, _HOURS], 1),
        "delay_median_range_s": _range(_medians(verdicts, drawn), 1),
    }


def _medians(verdicts: Sequence[Verdict], drawn: AnyArray) -> AnyArray:
    """Return the median delay of each draw in which there is one."""
    speakers = sorted({v.speaker for v in verdicts})
    told = sorted((v.delay_s, speakers.index(v.speaker)) for v in verdicts if v.delay_s is not None)
    delays, whose = np.array(told).reshape(-1, 2).T
    weights = np.cumsum(drawn[:, whose.astype(np.int64)], axis=1)
    some = weights[:, -1] > 0 if len(delays) else np.zeros(len(drawn), np.bool_)
    half = [np.searchsorted(row, row[-1] / 2) for row in weights[some]]
    return delays[np.array(half, dtype=np.int64)]


def _delays(verdicts: Sequence[Verdict]) -> AnyArray:
    return np.array([v.delay_s for v in verdicts if v.delay_s is not None])


def _ratio(part: float, whole: float, digits: int = 3) -> float | None:
    return round(float(part) / float(whole), digits) if whole else None


def _percentile(values: AnyArray, percent: float) -> float | None:
    return round(float(np.percentile(values, percent)), 1) if len(values) else None


def _range(values: AnyArray, digits: int = 3) -> list[float] | None:
    """Return the 2.5th and 97.5th percentile."""
    if not len(values):
        return None
    return [round(float(edge), digits) for edge in np.percentile(values, [2.5, 97.5])]
