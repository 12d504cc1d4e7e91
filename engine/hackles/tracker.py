"""Readings to states: is irritation rising?

Sequential change detection on log-likelihood ratios, a row per call. Overlapping windows are
not fresh evidence, so each ratio counts only in proportion to the new speech in its window.

Source:
    Page 1954, "Continuous inspection schemes", Biometrika 41 (CUSUM): S = max(0, S + llr). The
    onset is estimated as the reading after which an unbiased sum (no drift) last left zero.
"""

from dataclasses import dataclass

import msgspec
import numpy as np

from hackles.config import FRAMES_PER_S
from hackles.types import AnyArray, Array, Bools, Ints, State

_STATES = tuple(State)
CALM, RISING, IRRITATED, EASED = (_STATES.index(s) for s in _STATES)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The tracker's settings; they travel with the model.

    Attributes:
        prior: probability of irritation at which a reading speaks for neither side.
        calm_logit: the population's mean logit in calm speech.
        own_share: how much of what sets the caller's own calm logit apart from that is taken off.
        calm_spread: the population's standard deviation of calm logits within a call.
        llr_limit: one reading's log-likelihood ratio is held within plus and minus this.
        drift: what each reading loses; below zero, doubt speaks for irritation.
        rising: the sum at which `rising` is said, once the shown level has reached the prior.
        irritated: the sum at which `irritated` is said ...
        irritated_level: ... once the shown level has reached this.
        eased: the sum, counted downwards, at which an episode is over.
        calm_below: readings under this probability may teach the baseline.
        settling: for so many readings a call is taken to begin calm ...
        settling_below: ... as long as a reading is under this probability.
        level_gain: how fast the shown level follows, per fully fresh reading.
    """

    prior: float
    calm_logit: float
    own_share: float
    calm_spread: float
    llr_limit: float
    drift: float
    rising: float
    irritated: float
    irritated_level: float
    eased: float
    calm_below: float
    settling: int
    settling_below: float
    level_gain: float


def logit(probability: AnyArray) -> AnyArray:
    """Return log odds; probabilities are held 1e-4 away from 0 and 1."""
    held = np.minimum(np.maximum(probability, 1e-4), 1 - 1e-4)
    result: AnyArray = np.log(held / (1 - held))
    return result


def probability(logit: AnyArray) -> AnyArray:
    """Return the probability of log odds."""
    result: AnyArray = 1 / (1 + np.exp(-logit))
    return result


@dataclass(frozen=True, slots=True)
class Step:
    """What one reading of each of n calls did; arrays of shape (n,).

    Attributes:
        entered: index of the state entered, or -1.
        since: estimated onset of the change, in samples.
        calm: whether the baseline may learn from this reading.
    """

    entered: Ints
    since: Ints
    level: AnyArray
    trend_per_min: AnyArray
    calm: Bools


# What is known of each call, a column each. `up` and `down` decide; `rise` and `fall` are the same
# sums without drift, which tell since when.
_COLUMNS = (
    "state",
    "readings",
    "level",
    "trend",
    "up",
    "down",
    "rise",
    "fall",
    "rise_since",
    "fall_since",
)
_STATE, _READINGS, _LEVEL, _TREND, _UP, _DOWN, _RISE, _FALL, _RISE_SINCE, _FALL_SINCE = range(
    len(_COLUMNS)
)


class Tracker:
    """Level, trend and state of every call."""

    def __init__(self, n_slots: int, settings: Settings) -> None:
        """Start every call calm."""
        self.settings = settings
        self._calls: AnyArray = np.zeros((n_slots, len(_COLUMNS)))

    @property
    def settings(self) -> Settings:
        """By which it decides; they may change at any time."""
        return self._settings

    @settings.setter
    def settings(self, settings: Settings) -> None:
        self._settings = settings
        self._prior_logit = float(logit(np.array(settings.prior)))

    def clear(self, slot: int) -> None:
        """Forget a call."""
        self._calls[slot] = 0.0

    def update(
        self, slots: Ints, probability: Array, fresh: Ints, covered: Ints, start: Ints
    ) -> Step:
        """Take in one reading of each of some calls.

        Args:
            slots: shape (n,), each slot once.
            probability: of irritation, shape (n,).
            fresh: new speech frames in each window.
            covered: speech frames in each window.
            start: position in samples at which each reading's fresh speech began.
        """
        # Rounded, so that the last bits of a matrix product cannot decide between states.
        rounded: AnyArray = np.rint(probability.astype(np.float64) * 1e4) / 1e4
        call = self._calls[slots].T.copy()
        self._follow(call, rounded, fresh)
        self._sum(call, self._ratio(rounded), fresh / np.maximum(covered, 1), start)
        entered = self._enter(call)
        calm = self._calm(call, rounded)
        self._calls[slots] = call.T
        since = np.where(entered == EASED, call[_FALL_SINCE], call[_RISE_SINCE])
        return Step(entered, since.astype(np.int64), call[_LEVEL], call[_TREND], calm)

    def _ratio(self, probability: AnyArray) -> AnyArray:
        """Return log-likelihood ratios against the prior, limited."""
        limit = self._settings.llr_limit
        return np.minimum(np.maximum(logit(probability) - self._prior_logit, -limit), limit)

    def _follow(self, call: AnyArray, probability: AnyArray, fresh: Ints) -> None:
        """Let the shown level and its trend follow (Holt's double exponential smoothing)."""
        call[_READINGS] += 1
        old = np.where(call[_READINGS] == 1, probability, call[_LEVEL])
        gain = self._settings.level_gain * np.minimum(fresh / FRAMES_PER_S, 1.0)
        call[_LEVEL] = old + gain * (probability - old)
        slope = (call[_LEVEL] - old) / np.maximum(fresh / (60.0 * FRAMES_PER_S), 1e-9)
        call[_TREND] += 0.5 * gain * (slope - call[_TREND])

    def _sum(self, call: AnyArray, ratio: AnyArray, share: AnyArray, start: Ints) -> None:
        """Advance all sums; note where those without drift last left zero."""
        call[_RISE_SINCE] = np.where(call[_RISE] == 0.0, start, call[_RISE_SINCE])
        call[_FALL_SINCE] = np.where(call[_FALL] == 0.0, start, call[_FALL_SINCE])
        drift = self._settings.drift
        change = np.stack([ratio - drift, -ratio - drift, ratio, -ratio])
        call[_UP : _FALL + 1] = np.maximum(call[_UP : _FALL + 1] + change * share, 0.0)
        # A long anger must not take as long to fade: no sum outgrows its threshold.
        call[_UP] = np.minimum(call[_UP], self._settings.irritated)
        call[_DOWN] = np.minimum(call[_DOWN], self._settings.eased)

    def _enter(self, call: AnyArray) -> Ints:
        """Enter the states that the sums call for; return those that are news, or -1."""
        settings = self._settings
        before, up, level = call[_STATE], call[_UP], call[_LEVEL]
        outside = _outside(call)
        eased = call[_DOWN] >= settings.eased
        risen = outside & (up >= settings.rising) & (level >= settings.prior)
        high = (up >= settings.irritated) & (level >= settings.irritated_level) & ~eased
        after = np.where(eased, np.where(outside, CALM, EASED), before)
        after = np.where(high, IRRITATED, np.where(risen, RISING, after))
        changed = after != before
        if changed.any():
            # Easing takes the evidence for irritation with it; a new state is doubted anew.
            call[_DOWN : _FALL + 1 : _FALL - _DOWN] *= ~changed
            call[_UP : _RISE + 1 : _RISE - _UP] *= ~(changed & (after == EASED))
            call[_STATE] = after
        return np.where(changed & (after != CALM), after, -1).astype(np.int64)

    def _calm(self, call: AnyArray, probability: AnyArray) -> Bools:
        """Return where the baseline may learn: from clearly calm readings, and the first ones."""
        settings = self._settings
        settling = call[_READINGS] <= settings.settling
        below = np.where(settling, settings.settling_below, settings.calm_below)
        quiet = settling | (call[_UP] < settings.rising / 2)
        result: Bools = _outside(call) & quiet & (probability < below)
        return result


def _outside(call: AnyArray) -> Bools:
    """Return which calls are in no episode."""
    result: Bools = (call[_STATE] == CALM) | (call[_STATE] == EASED)
    return result
