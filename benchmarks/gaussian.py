"""Support vector machines with a Gaussian kernel, many on the same clips.

The kernel takes longer than the machine; those that differ in strength alone share it.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.svm import SVC

from hackles.types import AnyArray, Array, Bools


class Kernels:
    """Gaussian kernels of training clips with themselves; the last one is kept."""

    def __init__(self, inputs: AnyArray) -> None:
        """Take the clips.

        Args:
            inputs: standardised, shape (n, n_inputs).
        """
        self.inputs: Array = inputs.astype(np.float32)
        self._gamma: float | None = None
        self._kernel: AnyArray = np.empty((0, 0))

    def of(self, gamma: float) -> AnyArray:
        """Return exp(-gamma |a - b|^2) of each pair, shape (n, n)."""
        if gamma != self._gamma:
            kernel = gaussian(self.inputs, self.inputs, gamma)
            self._gamma, self._kernel = gamma, kernel.astype(np.float64)
        return self._kernel


def gaussian(a: Array, b: Array, gamma: float) -> Array:
    """Return exp(-gamma |a - b|^2) of each row of one with each of the other, shape (n_a, n_b)."""
    result: Array = a @ b.T
    result *= np.float32(2 * gamma)
    result -= np.float32(gamma) * np.sum(a**2, axis=1)[:, None]
    result -= np.float32(gamma) * np.sum(b**2, axis=1)
    return np.exp(np.minimum(result, 0.0, out=result), out=result)


@dataclass(frozen=True, slots=True)
class GaussianMachine:
    """A fitted machine: the clips at its margin and their weights."""

    support: Array
    weights: Array
    offset: float
    gamma: float

    @staticmethod
    def fit(
        kernels: Kernels, gamma: float, strength: float, angry: Bools, weight: AnyArray
    ) -> "GaussianMachine":
        """Fit one; `strength` is the usual C."""
        machine = SVC(C=strength, kernel="precomputed", cache_size=1000)
        machine.fit(kernels.of(gamma), angry, sample_weight=weight)
        return GaussianMachine(
            kernels.inputs[machine.support_],
            machine.dual_coef_[0].astype(np.float32),
            float(machine.intercept_[0]),
            gamma,
        )

    def decide(self, inputs: AnyArray) -> AnyArray:
        """Return decision values, shape (n,), positive for anger."""
        kernel = gaussian(inputs.astype(np.float32), self.support, self.gamma)
        return (kernel @ self.weights + self.offset).astype(np.float64)
