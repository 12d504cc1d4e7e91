"""Statistics over the valid entries of each row, vectorised over rows.

`values` has shape (n, length); `weight`, of the same shape, is 1 where an entry counts and 0
where not. A row without a valid entry gives zero: whoever asks checks the count first. No
nan-functions: they cost thirty times as much.
"""

from collections.abc import Callable

import numpy as np

from hackles.types import AnyArray, Array, Bools


def mean(values: Array, weight: Array) -> Array:
    """Return the mean of each row's valid entries, shape (n,)."""
    # einsum, not matmul: a row's result must not depend on the rows beside it.
    total: Array = np.einsum("ij,ij->i", values, weight)
    total /= np.maximum(np.einsum("ij->i", weight), np.float32(1.0))
    return total


def moments(values: Array, weight: Array) -> tuple[Array, Array]:
    """Return the means and the standard deviations of several quantities' valid entries.

    Args:
        values: shape (n, k, length), k quantities with the same valid entries.
        weight: shape (n, length).

    Returns:
        Two arrays of shape (n, k).
    """
    count = np.maximum(np.einsum("ij->i", weight), np.float32(1.0))[:, None]
    average = np.einsum("nkl,nl->nk", values, weight) / count
    centred = values - average[:, :, None]
    centred *= weight[:, None]
    return average, np.sqrt(np.einsum("nkl,nkl->nk", centred, centred) / count)


def trailing(
    pick: Callable[[AnyArray, AnyArray], AnyArray], values: AnyArray, width: int
) -> AnyArray:
    """Return `pick` (np.minimum or np.maximum) over each `width` neighbours of each row.

    Returns:
        Shape (..., length - width + 1); the last column covers the last `width` values.
    """
    covered = 1
    result = values
    while covered * 2 <= width:
        result = pick(result[..., covered:], result[..., :-covered])
        covered *= 2
    rest = width - covered
    return pick(result[..., rest:], result[..., :-rest]) if rest else result


def percentiles(values: Array, valid: Bools, wanted: tuple[float, ...]) -> list[Array]:
    """Return percentiles of the valid entries, linearly interpolated.

    Args:
        values: shape (..., length).
        valid: same shape.
        wanted: percents.

    Returns:
        One array of shape (...) for each that is wanted.

    Source:
        Hyndman & Fan 1996, definition 7 (numpy's default).
    """
    length = values.shape[-1]
    ordered = np.sort(np.where(valid, values, np.float32(np.inf)), axis=-1).reshape(-1, length)
    count = valid.reshape(-1, length).sum(axis=1)
    ordered[count == 0] = 0.0
    last = np.maximum(count - 1, 0)
    place: AnyArray = last[:, None] * (np.array(wanted) / 100.0)
    below = place.astype(np.int64)
    rows = np.arange(len(ordered))[:, None]
    low, high = ordered[rows, below], ordered[rows, np.minimum(below + 1, last[:, None])]
    found = (low + (high - low) * (place - below)).astype(np.float32)
    return list(found.T.reshape(len(wanted), *values.shape[:-1]))
