"""The caller's own calm voice, learned in this call.

A running mean over calm readings, shrunk to a population prior while little has been heard. It
learns from calm readings only, so it stands still while irritation rises. Two things are kept
of each caller: the mean functionals, which the model gets beside each reading, and the mean
logit, because some voices sound irritated to the model whatever their mood, and how far it
spreads, because some move more than others while they are calm.
"""

import numpy as np

from hackles.types import Array, Bools, Ints

_PRIOR_READINGS = np.float32(4.0)
"""How many readings the prior weighs: after 4 s of calm speech, half."""

_PRIOR_SPREAD_READINGS = np.float32(10.0)
"""How many readings the population's spread of logits weighs: a spread is harder to learn."""
_LEAST_SPREAD = np.float32(0.2)

_LONGEST_MEMORY = np.float32(60.0)
"""Readings after which new ones no longer weigh less: the baseline can follow a slow drift."""


class Baseline:
    """Mean functionals, and mean logit, of each caller's calm speech."""

    def __init__(
        self,
        n_slots: int,
        prior: Array,
        calm_logit: float,
        own_share: float = 1.0,
        calm_spread: float = 0.0,
    ) -> None:
        """Start every call at the prior.

        Args:
            n_slots: how many calls at a time.
            prior: the population's mean calm functionals, shape (n_functionals,).
            calm_logit: the population's mean logit in calm speech.
            own_share: how much of what sets the caller's own mean apart from that is taken off.
            calm_spread: the population's standard deviation of calm logits within a call, to which
                the caller's own is brought; 0 to leave it.
        """
        self._prior = prior
        self._calm_logit = np.float32(calm_logit)
        self._own_share = np.float32(own_share)
        self._calm_spread = np.float32(calm_spread)
        self._mean: Array = np.zeros((n_slots, len(prior)), dtype=np.float32)
        self._logit: Array = np.zeros(n_slots, dtype=np.float32)
        self._variance: Array = np.zeros(n_slots, dtype=np.float32)
        self.readings: Array = np.zeros(n_slots, dtype=np.float32)
        """Calm readings learned from, per call."""

    def clear(self, slot: int) -> None:
        """Start anew: another call, or another speaker."""
        self._mean[slot] = 0.0
        self._logit[slot] = 0.0
        self._variance[slot] = 0.0
        self.readings[slot] = 0.0

    def own(self, slots: Ints) -> Array:
        """Return the callers' own means, unshrunk; meaningless where `readings` is 0."""
        return self._mean[slots]

    def shrunk(self, slots: Ints) -> Array:
        """Return the callers' means, shrunk to the prior, shape (n, n_functionals)."""
        return shrink(self._mean[slots], self.readings[slots], self._prior)

    def relative(self, slots: Ints, logit: Array) -> Array:
        """Return logits as they would be if the caller's calm voice were an average one.

        Args:
            slots: shape (n,).
            logit: what the model said, shape (n,).
        """
        weight = self._own_share * known(self.readings[slots])
        moved: Array = logit - weight * (self._logit[slots] - self._calm_logit)
        if not self._calm_spread:
            return moved
        result: Array = self._calm_logit + (moved - self._calm_logit) * (
            self._calm_spread / self._spread(slots)
        )
        return result

    def _spread(self, slots: Ints) -> Array:
        """Return the callers' standard deviations of calm logits, shrunk to the population's."""
        readings = self.readings[slots]
        total = readings * self._variance[slots] + _PRIOR_SPREAD_READINGS * self._calm_spread**2
        result: Array = np.sqrt(total / (readings + _PRIOR_SPREAD_READINGS))
        return np.maximum(result, _LEAST_SPREAD)

    def learn(self, slots: Ints, values: Array, logit: Array, calm: Bools) -> None:
        """Take in new readings where they are calm.

        Args:
            slots: shape (n,), each slot once.
            values: functionals, shape (n, n_functionals).
            logit: what the model said, shape (n,).
            calm: shape (n,).
        """
        readings, mean, own = self.readings[slots], self._mean[slots], self._logit[slots]
        count = np.minimum(readings + calm, _LONGEST_MEMORY)
        gain = calm / np.maximum(count, np.float32(1.0))
        self.readings[slots] = count
        self._mean[slots] = mean + gain[:, None] * (values - mean)
        new = own + gain * (logit - own)
        variance = self._variance[slots]
        self._logit[slots] = new
        # Welford's: the product of the distances to the old and to the new mean.
        self._variance[slots] = variance + gain * ((logit - own) * (logit - new) - variance)


def known(readings: Array) -> Array:
    """Return how much the caller's own calm weighs against the prior, 0 to 1."""
    result: Array = readings / (readings + _PRIOR_READINGS)
    return result


def shrink(mean: Array, readings: Array, prior: Array) -> Array:
    """Return `mean` of `readings` readings, drawn towards the prior; training uses it too."""
    weight = known(readings)[:, None]
    result: Array = (weight * mean + (np.float32(1.0) - weight) * prior).astype(np.float32)
    return result
