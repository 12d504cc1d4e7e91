"""The caller's own calm voice, learned in this call.

A running mean over calm readings, shrunk to a population prior while little has been heard. It
learns from calm readings only, so it stands still while irritation rises.
"""

import numpy as np

from hackles.types import Array, Bools, Ints

_PRIOR_READINGS = np.float32(4.0)
"""How many readings the prior weighs: after 4 s of calm speech, half."""

_LONGEST_MEMORY = np.float32(60.0)
"""Readings after which new ones no longer weigh less: the baseline can follow a slow drift."""


class Baseline:
    """Mean functionals of each caller's calm speech."""

    def __init__(self, n_slots: int, prior: Array) -> None:
        """Start every call at the prior, shape (n_functionals,)."""
        self._prior = prior
        self._mean: Array = np.zeros((n_slots, len(prior)), dtype=np.float32)
        self.readings: Array = np.zeros(n_slots, dtype=np.float32)
        """Calm readings learned from, per call."""

    def clear(self, slot: int) -> None:
        """Start anew: another call, or another speaker."""
        self._mean[slot] = 0.0
        self.readings[slot] = 0.0

    def own(self, slots: Ints) -> Array:
        """Return the callers' own means, unshrunk; meaningless where `readings` is 0."""
        return self._mean[slots]

    def shrunk(self, slots: Ints) -> Array:
        """Return the callers' means, shrunk to the prior, shape (n, n_functionals)."""
        return shrink(self._mean[slots], self.readings[slots], self._prior)

    def learn(self, slots: Ints, values: Array, calm: Bools) -> None:
        """Take in new readings where they are calm.

        Args:
            slots: shape (n,), each slot once.
            values: functionals, shape (n, n_functionals).
            calm: shape (n,).
        """
        slots, values = slots[calm], values[calm]
        count = np.minimum(self.readings[slots] + 1, _LONGEST_MEMORY)
        self.readings[slots] = count
        self._mean[slots] += (values - self._mean[slots]) / count[:, None]


def shrink(mean: Array, readings: Array, prior: Array) -> Array:
    """Return `mean` of `readings` readings, drawn towards the prior; training uses it too."""
    weight = (readings / (readings + _PRIOR_READINGS))[:, None]
    result: Array = (weight * mean + (np.float32(1.0) - weight) * prior).astype(np.float32)
    return result
