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
        llr_limit: one reading's log-likelihood ratio is held within plus and minus this.
        drift: what each reading loses; below zero, doubt speaks for irritation.
        rising: the sum at which `rising` is said.
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


class Tracker:
    """Level, trend and state of every call."""

    def __init__(self, n_slots: int, settings: Settings) -> None:
        """Start every call calm."""
        self._settings = settings
        self._state: Ints = np.zeros(n_slots, dtype=np.int64)
        self._up: AnyArray = np.zeros(n_slots)
        self._down: AnyArray = np.zeros(n_slots)
        # Sums without drift: they tell since when, not whether.
        self._rise: AnyArray = np.zeros(n_slots)
        self._fall: AnyArray = np.zeros(n_slots)
        self._rise_since: Ints = np.zeros(n_slots, dtype=np.int64)
        self._fall_since: Ints = np.zeros(n_slots, dtype=np.int64)
        self._level: AnyArray = np.full(n_slots, -1.0)
        self._trend: AnyArray = np.zeros(n_slots)
        self._readings: Ints = np.zeros(n_slots, dtype=np.int64)

    def clear(self, slot: int) -> None:
        """Forget a call."""
        for array in (self._state, self._up, self._down, self._readings, self._trend):
            array[slot] = 0
        for array in (self._rise, self._fall, self._rise_since, self._fall_since):
            array[slot] = 0
        self._level[slot] = -1.0

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
        probability = np.rint(probability.astype(np.float64) * 1e4) / 1e4
        share = fresh / np.maximum(covered, 1)
        self._follow(slots, probability, fresh)
        self._sum(slots, self._ratio(probability), share, start)
        before, after = self._state[slots], self._next(slots)
        entered = np.where(after != before, after, -1)
        since = np.where(after == EASED, self._fall_since[slots], self._rise_since[slots])
        self._enter(slots, before, after)
        self._readings[slots] += 1
        settling = self._readings[slots] <= self._settings.settling
        below = np.where(settling, self._settings.settling_below, self._settings.calm_below)
        calm = ((after == CALM) | (after == EASED)) & (probability < below)
        calm &= settling | (self._up[slots] < self._settings.rising / 2)
        level, trend = self._level[slots], self._trend[slots]
        return Step(np.where(entered == CALM, -1, entered), since, level, trend, calm)

    def _ratio(self, probability: AnyArray) -> AnyArray:
        """Return log-likelihood ratios against the prior, limited."""
        ratio = logit(probability) - logit(np.float64(self._settings.prior))
        limit = self._settings.llr_limit
        return np.minimum(np.maximum(ratio, -limit), limit)

    def _follow(self, slots: Ints, probability: AnyArray, fresh: Ints) -> None:
        """Let the shown level and its trend follow (Holt's double exponential smoothing)."""
        old = self._level[slots]
        first = old < 0
        gain = self._settings.level_gain * np.minimum(fresh / FRAMES_PER_S, 1.0)
        minutes = fresh / (60.0 * FRAMES_PER_S)
        new = np.where(first, probability, old + gain * (probability - old))
        slope = np.where(first, 0.0, (new - old) / np.maximum(minutes, 1e-9))
        self._trend[slots] += 0.5 * gain * (slope - self._trend[slots])
        self._level[slots] = new

    def _sum(self, slots: Ints, ratio: AnyArray, share: AnyArray, start: Ints) -> None:
        """Advance all sums; note where those without drift last left zero."""
        drift = self._settings.drift
        for sums, change in (
            (self._up, ratio - drift),
            (self._down, -ratio - drift),
        ):
            sums[slots] = np.maximum(sums[slots] + change * share, 0.0)
        for sums, since, change in (
            (self._rise, self._rise_since, ratio),
            (self._fall, self._fall_since, -ratio),
        ):
            old = sums[slots]
            since[slots] = np.where(old == 0.0, start, since[slots])
            sums[slots] = np.maximum(old + change * share, 0.0)
        # A long anger must not take as long to fade: no sum outgrows its highest threshold.
        self._up[slots] = np.minimum(self._up[slots], self._settings.irritated)
        self._down[slots] = np.minimum(self._down[slots], self._settings.eased)

    def _next(self, slots: Ints) -> Ints:
        """Return the state that each call's sums call for."""
        settings = self._settings
        state, up = self._state[slots], self._up[slots]
        outside = (state == CALM) | (state == EASED)
        eased = self._down[slots] >= settings.eased
        high = (up >= settings.irritated) & (self._level[slots] >= settings.irritated_level)
        result = np.where(eased, np.where(outside, CALM, EASED), state)
        result = np.where(outside & (up >= settings.rising), RISING, result)
        return np.where(high & ~eased, IRRITATED, result)

    def _enter(self, slots: Ints, before: Ints, after: Ints) -> None:
        """Enter the new states; easing takes the evidence for irritation with it."""
        self._state[slots] = after
        eased = (after == EASED) & (before != EASED)
        self._up[slots] = np.where(eased, 0.0, self._up[slots])
        self._down[slots] = np.where(eased | (after != before), 0.0, self._down[slots])
