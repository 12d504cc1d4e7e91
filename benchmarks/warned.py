"""What warnings were worth: counts, rates, delays, their ranges, and the curve between them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import chi2

from hackles.types import AnyArray, Ints
from models.training.truth import Verdict

DRAWS = 1000
TARGETS_PER_HOUR = (1.0, 10.0)
_SEED = 11
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
        draws = [sums[:, rows].sum(axis=1) for rows in _draws(self.verdicts[0])]
        found = {}
        for target in TARGETS_PER_HOUR:
            at = _most_sensitive(sums.sum(axis=1), target)
            recalls = [_recall_at(drawn, target) for drawn in draws]
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


def _draws(verdicts: Sequence[Verdict]) -> Iterator[Ints]:
    """Yield speakers drawn with replacement within each corpus, as places in `_by_speaker`."""
    rng = np.random.default_rng(_SEED)
    corpus = np.array([c for _, c in sorted({(v.speaker, v.corpus) for v in verdicts})])
    groups = [np.flatnonzero(corpus == name) for name in np.unique(corpus)]
    for _ in range(DRAWS):
        yield np.concatenate([rng.choice(group, len(group)) for group in groups])


def _ranges(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    sums = _by_speaker(verdicts)
    speakers = sorted({v.speaker for v in verdicts})
    delays = [_delays([v for v in verdicts if v.speaker == name]) for name in speakers]
    drawn = [(sums[rows].sum(axis=0), rows) for rows in _draws(verdicts)]
    return {
        "recall_range": _range([s[_WARNED] / s[_CALLS] for s, _ in drawn if s[_CALLS]]),
        "false_per_hour_range": _range([s[_FALSE] / s[_HOURS] for s, _ in drawn if s[_HOURS]], 1),
        "delay_median_range_s": _range(
            [np.median(some) for _, r in drawn if len(some := _all(delays, r))], 1
        ),
    }


def _all(delays: Sequence[AnyArray], rows: Ints) -> AnyArray:
    return np.concatenate([delays[row] for row in rows])


def _delays(verdicts: Sequence[Verdict]) -> AnyArray:
    return np.array([v.delay_s for v in verdicts if v.delay_s is not None])


def _ratio(part: float, whole: float, digits: int = 3) -> float | None:
    return round(float(part) / float(whole), digits) if whole else None


def _percentile(values: AnyArray, percent: float) -> float | None:
    return round(float(np.percentile(values, percent)), 1) if len(values) else None


def _range(values: Sequence[float], digits: int = 3) -> list[float] | None:
    """Return the 2.5th and 97.5th percentile."""
    if not values:
        return None
    return [round(float(edge), digits) for edge in np.percentile(values, [2.5, 97.5])]
