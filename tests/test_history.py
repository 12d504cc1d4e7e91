"""Running extremes and counts, against a loop; histories, against the whole row at once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hackles.framing import Batch
from hackles.history import History, trailing, trailing_count

LEVELS = st.floats(-1e6, 1e6, width=32) | st.sampled_from([-np.inf, np.inf])


@st.composite
def rows_and_width(draw: st.DrawFn, dtype=np.float32, elements=LEVELS) -> tuple[np.ndarray, int]:
    shape = draw(st.tuples(st.integers(1, 4), st.integers(1, 70)))
    return draw(hnp.arrays(dtype, shape, elements=elements)), draw(st.integers(1, shape[1]))


def each_stretch(rows: np.ndarray, width: int) -> np.ndarray:
    """Return all stretches of `width` neighbours, one by one, shape (n, places, width)."""
    places = rows.shape[1] - width + 1
    return np.array([[row[at : at + width] for at in range(places)] for row in rows])


@settings(derandomize=True, deadline=None, max_examples=200)
@given(rows_and_width())
def test_trailing_is_the_extreme_of_each_stretch(case):
    rows, width = case
    stretches = each_stretch(rows, width)
    assert np.array_equal(trailing(np.minimum, rows, width), stretches.min(axis=2))
    assert np.array_equal(trailing(np.maximum, rows, width), stretches.max(axis=2))


@settings(derandomize=True, deadline=None, max_examples=200)
@given(
    rows_and_width(np.int8, st.integers(0, 1)) | rows_and_width(np.bool_, st.booleans()),
)
def test_trailing_count_is_the_number_set_in_each_stretch(case):
    flags, width = case
    counts = trailing_count(flags, width)
    assert counts.dtype == np.int32
    assert np.array_equal(counts, each_stretch(flags, width).astype(int).sum(axis=2))


def test_many_flags_do_not_overflow_their_small_type():
    assert trailing_count(np.ones((1, 1000), dtype=np.int8), 999).tolist() == [[999, 999]]


def test_trailing_leaves_its_input_alone():
    rows = np.arange(10, dtype=np.float32)[None]
    for width in (1, 4, 10):
        trailing(np.minimum, rows, width)
    assert rows.tolist() == [list(range(10))]


@settings(derandomize=True, deadline=None)
@given(
    counts=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=12),
    length=st.integers(1, 12),
)
def test_any_cutting_gives_the_neighbours_of_the_whole_row(counts, length):
    """Two calls, with other numbers of new values in each tick; zero values: not in the tick."""
    history, position = History(2, length, -1.0), [0, 0]
    for tick in counts:
        slots = np.flatnonzero(tick)
        if not len(slots):
            continue
        batch = Batch(slots, np.array(position)[slots], np.array(tick)[slots])
        new = batch.frame.astype(np.float32) + 1000 * slots[:, None]
        new[~batch.inside] = np.nan
        whole = history.extend(batch, new)
        assert whole.shape == (len(slots), length + batch.width)
        for row, slot in enumerate(slots):
            heard = np.arange(position[slot] + tick[slot], dtype=np.float32) + 1000 * slot
            expected = np.concatenate([np.full(length, -1.0), heard])[-(length + tick[slot]) :]
            assert np.array_equal(whole[row, : length + tick[slot]], expected)
            position[slot] += tick[slot]


@pytest.mark.parametrize("slot", [0, 1])
def test_clearing_forgets_one_call_and_no_other(slot):
    history = History(2, 3, -1.0)
    both = Batch(np.array([0, 1]), np.array([0, 0]), np.array([2, 2]))
    history.extend(both, np.array([[1.0, 2.0], [3.0, 4.0]]))
    history.clear(slot)
    old = history.extend(both, np.zeros((2, 2)))[:, :3]
    assert old[slot].tolist() == [-1.0, -1.0, -1.0]
    assert old[1 - slot].tolist() == [-1.0, *([1.0, 2.0] if slot else [3.0, 4.0])]
