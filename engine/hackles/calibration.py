"""Thresholds that fit a site's own calls: how often each would alert in them, and which is wanted.

Ordinary calls are mostly calm, so every alert counts as false, unless people said otherwise.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from scipy.special import betaincinv, gammaincinv

from hackles.classifier import Classifier
from hackles.listening import Measured
from hackles.rejudging import at_threshold, judge
from hackles.tally import Tally

THRESHOLDS: Final = tuple(float(f"{0.5 * 1.2**step:.3g}") for step in range(30))
"""Of `rising`, from bold to shy."""

LITTLE_H: Final = 0.5
"""Less speech than this says little about anything."""

FEW: Final = 3
"""So many alerts must be expected at least, for a rate to show in some calls."""

_OUTSIDE: Final = 0.025
"""On either side of a range of 95 %."""

_NONE_SEEN: Final = 3.0
"""Where nothing was seen, there is less than this to expect (95 %): -ln 0.05."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Alerts that were counted in some hours of the customers' speech."""

    alerts: int
    hours: float

    @property
    def per_hour(self) -> float:
        """How many come in an hour."""
        return self.alerts / self.hours

    @property
    def range(self) -> tuple[float, float]:
        """Between what the true rate lies with 95 % confidence, alerts taken as independent.

        Source:
            Garwood 1936, Biometrika 28; without an alert the one-sided "rule of three".
        """
        if not self.alerts:
            return 0.0, _NONE_SEEN / self.hours
        low = float(gammaincinv(self.alerts, _OUTSIDE))
        high = float(gammaincinv(self.alerts + 1, 1 - _OUTSIDE))
        return low / self.hours, high / self.hours


@dataclass(frozen=True, slots=True)
class Answers:
    """What people said of alerts that they were shown.

    Attributes:
        false_alarms: alerts of this model that they called so.
        seen: alerts of this model that they saw, and did not call so.
        of_others: answered, but of other models, so they do not count.
    """

    false_alarms: int = 0
    seen: int = 0
    of_others: int = 0

    @property
    def answered(self) -> int:
        """Alerts of this model."""
        return self.false_alarms + self.seen

    @property
    def share(self) -> float:
        """Of the alerts, that is false, from 0 to 1; all where nobody answered."""
        return self.false_alarms / self.answered if self.answered else 1.0

    @property
    def range(self) -> tuple[float, float]:
        """Between what the true share lies with 95 % confidence.

        Source:
            Clopper and Pearson 1934, Biometrika 26.
        """
        false, true = self.false_alarms, self.seen
        low = float(betaincinv(false, true + 1, _OUTSIDE)) if false else 0.0
        high = float(betaincinv(false + 1, true, 1 - _OUTSIDE)) if true else 1.0
        return low, high


NOBODY: Final = Answers()
"""Nobody answered, so every alert counts as false."""


@dataclass(frozen=True, slots=True)
class Found:
    """The thresholds that are wanted, and what to expect of them.

    Attributes:
        rising: the threshold; `irritated` is kept in proportion.
        irritated: that one.
        rate: of alerts at these thresholds.
        own: of alerts at those of the sensitivity.
        is_reached: whether the alerts come as seldom as is wanted.
        can_show: whether there is enough speech for the wanted rate to show in it.
    """

    rising: float
    irritated: float
    rate: Rate
    own: Rate
    is_reached: bool
    can_show: bool


class Sweep:
    """How often each of many thresholds alerts in some calls."""

    def __init__(self, classifier: Classifier) -> None:
        """Count what a model alerts of, beginning with nothing."""
        self._classifier = classifier
        self._own = classifier.tracker.rising
        self._alerts = dict.fromkeys(sorted({*THRESHOLDS, self._own}), 0)
        self.calls = 0
        self.speech_s = 0.0

    @property
    def alerts(self) -> Mapping[float, int]:
        """Episodes by threshold of `rising`, from bold to shy."""
        return self._alerts

    @property
    def hours(self) -> float:
        """Of the customers' speech."""
        return self.speech_s / 3600

    def take(self, measured: Sequence[Measured], speech_s: float) -> None:
        """Take in some calls.

        Args:
            measured: of each call its windows.
            speech_s: seconds of the customers' speech in all of them.
        """
        self.calls += len(measured)
        self.speech_s += speech_s
        for rising in self._alerts:
            settings = at_threshold(self._classifier.tracker, rising)
            judged = judge(measured, self._classifier.with_tracker(settings))
            for alerts in judged:
                tally = Tally()
                for alert in alerts:
                    tally.count(alert)
                self._alerts[rising] += tally.alerts

    def find(self, false_per_hour: float, answers: Answers = NOBODY) -> Found:
        """Return the boldest thresholds with no more false alerts than are wanted.

        Where the calls are too few to show as much, none that is bolder than the sensitivity's.

        Args:
            false_per_hour: as many false alerts are wanted in an hour of speech at most.
            answers: of people. The upper end of the range of false ones is reckoned with.

        Raises:
            ValueError: if there is no speech.
        """
        if self.speech_s <= 0:
            raise ValueError("there is no speech to judge by")
        most = false_per_hour * self.hours
        from_shy = [t for t in reversed(self._alerts) if t >= self._peak()]
        seldom = [*takewhile(lambda t: self._alerts[t] * answers.range[1] <= most, from_shy)]
        rising = seldom[-1] if seldom else from_shy[0]
        can_show = most >= FEW
        if not can_show:
            rising = max(rising, self._own)
        settings = at_threshold(self._classifier.tracker, rising)
        return Found(
            settings.rising,
            settings.irritated,
            Rate(self._alerts[rising], self.hours),
            Rate(self._alerts[self._own], self.hours),
            is_reached=bool(seldom),
            can_show=can_show,
        )

    def _peak(self) -> float:
        """Return the threshold with most alerts; below it, several only become one."""
        most = max(self._alerts.values())
        return max(t for t, count in self._alerts.items() if count == most) if most else 0.0
