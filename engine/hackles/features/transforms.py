"""The Fourier and the cosine transform of rows in float32: SciPy's, without the rest of it.

To import `scipy.fft` takes a fifth of a second and 20 MB, nearly all of it for other kinds of
arrays than NumPy's, and for transforms that nobody asks for here. The library behind it is one
file, which is loaded by itself where it lies and works as it is known to: the bits are the same.
Where it does not, `scipy.fft` does it.
"""

import importlib.util
import sys
from collections.abc import Callable
from importlib.machinery import PathFinder
from types import ModuleType
from typing import Any, Final, NamedTuple

import numpy as np

from hackles.types import AnyArray, Array

_LIBRARIES: Final = (("_pocketfft", "pypocketfft"), ("_duccfft", "pyduccfft"))
"""Until SciPy 1.17, and since; called in the same way."""

_FORWARD: Final = True
_NOT_NORMALISED: Final = 0
_THREADS: Final = 1

_TYPES: Final = ["complex64", "float32", "float32"]


class Transforms(NamedTuple):
    """The two that are needed; the cosine transform may be worked out in place."""

    rfft: Callable[[Array], AnyArray]
    dct: Callable[[Array, int], Array]


def by_library(library: ModuleType) -> Transforms:
    """Return the transforms as the library behind SciPy has them."""
    fourier: Any = library.r2c
    cosine: Any = library.dct

    def rfft(rows: Array) -> AnyArray:
        found: AnyArray = fourier(rows, (1,), _FORWARD, _NOT_NORMALISED, None, _THREADS)
        return found

    def dct(rows: Array, kind: int) -> Array:
        found: Array = cosine(rows, kind, (1,), _NOT_NORMALISED, rows, _THREADS, None)
        return found

    return Transforms(rfft, dct)


def by_scipy() -> Transforms:
    """Return the transforms as everybody may use them."""
    import scipy.fft

    cosine: Any = scipy.fft.dct

    def rfft(rows: Array) -> AnyArray:
        found: AnyArray = scipy.fft.rfft(rows, axis=1)
        return found

    def dct(rows: Array, kind: int) -> Array:
        found: Array = cosine(rows, type=kind, axis=1, overwrite_x=True)
        return found

    return Transforms(rfft, dct)


def library() -> ModuleType | None:
    """Return the library behind SciPy, if it lies where it is known to."""
    scipy = importlib.util.find_spec("scipy")
    for folder, name in _LIBRARIES:
        full = f"scipy.fft.{folder}.{name}"
        if full in sys.modules:
            return sys.modules[full]
        places = [
            f"{place}/fft/{folder}" for place in (scipy and scipy.submodule_search_locations) or ()
        ]
        spec = PathFinder.find_spec(full, places)
        if spec is None or spec.loader is None:
            continue
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        sys.modules[full] = module  # whoever imports scipy.fft later gets the same one
        return module
    return None


def is_sound(transforms: Transforms) -> bool:
    """Return whether they give what is known of four numbers, and in float32."""
    rows = np.array([[1.0, 2.0, 3.0, 4.0]], dtype=np.float32)
    fourier, first = transforms.rfft(rows), transforms.dct(rows[:, :3].copy(), 1)
    third = transforms.dct(rows[:, :2].copy(), 3)
    root = 2.0 * np.sqrt(2.0)
    return (
        [found.dtype.name for found in (fourier, first, third)] == _TYPES
        and np.allclose(fourier, [[10.0, -2.0 + 2.0j, -2.0]], atol=1e-5)
        and np.allclose(first, [[8.0, -2.0, 0.0]], atol=1e-5)
        and np.allclose(third, [[1.0 + root, 1.0 - root]], atol=1e-5)
    )


def chosen() -> Transforms:
    """Return the library's, if that can be had and is what it was."""
    try:
        found = library()
        if found is not None and is_sound(transforms := by_library(found)):
            return transforms
    except (ImportError, AttributeError, TypeError, ValueError, RuntimeError):
        pass  # another SciPy than is known here, which can be asked as everybody does
    return by_scipy()


rfft, dct = chosen()
