"""Support vector machines with a Gaussian kernel, many on the same clips.

The kernel takes longer than the machine; those that differ in strength alone share it.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.svm import SVC

from hackles.types import AnyArray, Array, Bools

_ROWS = 64  # at a time, so that they stay in the processor's cache


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
        """Return exp(-gamma |a - b|^2) of each pair, shape (n, n), good until the next."""
        if not self._kernel.size:
            self._kernel = np.empty((len(self.inputs), len(self.inputs)))
        if gamma != self._gamma:
            gaussian(self.inputs, self.inputs, gamma, self._kernel)
            self._gamma = gamma
        return self._kernel


def gaussian(a: Array, b: Array, gamma: float, out: AnyArray | None = None) -> AnyArray:
    """Return exp(-gamma |a - b|^2) of each row of one with each of the other, shape (n_a, n_b).

    Args:
        a: shape (n_a, n_inputs).
        b: shape (n_b, n_inputs).
        gamma: how narrow the kernel is.
        out: where to put it, if anywhere.
    """
    kernel: AnyArray = np.empty((len(a), len(b))) if out is None else out
    scale = np.float32(np.sqrt(2 * gamma))
    a, b = a * scale, b * scale
    halves_a, halves_b = (np.sum(one**2, axis=1) / np.float32(2) for one in (a, b))
    for at in range(0, len(a), _ROWS):
        part = a[at : at + _ROWS] @ b.T
        part -= halves_a[at : at + _ROWS, None]
        part -= halves_b
        kernel[at : at + _ROWS] = np.exp(np.minimum(part, 0.0, out=part), out=part)
    return kernel


@dataclass(frozen=True, slots=True)
class GaussianMachine:
    """A fitted machine: the clips at its margin and their weights."""

    support: Array
    weights: AnyArray
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
            machine.dual_coef_[0],
            float(machine.intercept_[0]),
            gamma,
        )

    def decide(self, inputs: AnyArray) -> AnyArray:
        """Return decision values, shape (n,), positive for anger."""
        kernel = gaussian(inputs.astype(np.float32), self.support, self.gamma)
        result: AnyArray = kernel @ self.weights + self.offset
        return result
