"""The library behind SciPy against SciPy itself: the same bits, wherever they come from."""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.fft
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from hackles.features import transforms

ROWS = arrays.arrays(
    np.float32,
    st.tuples(st.integers(0, 5), st.integers(2, 600)),
    elements=st.floats(-1e3, 1e3, width=32),
)


def same_bits(found, expected):
    """Return whether two arrays are one, bit for bit."""
    return found.dtype == expected.dtype and found.tobytes() == expected.tobytes()


@given(rows=ROWS)
def test_the_transforms_are_scipy_s_bit_for_bit(rows):
    assert same_bits(transforms.rfft(rows.copy()), scipy.fft.rfft(rows, axis=1))
    for kind in (1, 3):
        expected = scipy.fft.dct(rows, type=kind, axis=1)
        assert same_bits(transforms.dct(rows.copy(), kind), expected)
        assert same_bits(transforms.by_scipy().dct(rows.copy(), kind), expected)


def test_the_library_of_the_installed_scipy_is_found_and_sound():
    assert transforms.is_sound(transforms.by_library(transforms.library()))
    assert transforms.is_sound(transforms.by_scipy())


def refusing(*_):
    """Stand for a function that has other arguments now."""
    raise TypeError("it takes none of that")


@pytest.mark.parametrize(
    "found",
    [
        None,
        SimpleNamespace(),
        SimpleNamespace(r2c=refusing, dct=refusing),
        SimpleNamespace(r2c=lambda *_: np.zeros((1, 3)), dct=lambda rows, *_: rows),
    ],
    ids=["not there", "without functions", "with other arguments", "with other results"],
)
def test_with_a_library_that_is_not_what_it_was_scipy_is_asked(monkeypatch, found):
    monkeypatch.setattr(transforms, "library", lambda: found)
    assert transforms.is_sound(transforms.chosen())


@pytest.mark.parametrize(
    "order", [("hackles.features", "scipy.fft"), ("scipy.fft", "hackles.features")]
)
def test_whoever_imports_scipy_beside_gets_the_same_library(order):
    code = f"""
import sys
import {order[0]}
print("scipy.fft" in sys.modules)
import {order[1]}
import numpy as np, scipy.fft
from hackles.features import transforms
print(transforms.library() in sys.modules.values())
print(np.allclose(scipy.fft.rfft(np.ones(4)), [4, 0, 0]))
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, *rest = said.stdout.split()
    assert first == str(order[0] == "scipy.fft")
    assert rest == ["True", "True"]
