"""Running extremes and counts, against a loop; histories, against the whole row at once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hackles.features.statistics import trailing
from hackles.framing import Batch
from hackles.history import SPAN_FRAMES, History, Lately, trailing_count

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
        batch = Batch(
            slots, np.array(position)[slots], np.array(tick)[slots], np.array(position)[slots]
        )
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
    both = Batch(np.array([0, 1]), np.zeros(2, int), np.array([2, 2]), np.zeros(2, int))
    history.extend(both, np.array([[1.0, 2.0], [3.0, 4.0]]))
    history.clear(slot)
    old = history.extend(both, np.zeros((2, 2)))[:, :3]
    assert old[slot].tolist() == [-1.0, -1.0, -1.0]
    assert old[1 - slot].tolist() == [-1.0, *([1.0, 2.0] if slot else [3.0, 4.0])]


@settings(derandomize=True, deadline=None)
@given(
    counts=st.lists(st.tuples(st.integers(0, 25), st.integers(0, 25)), min_size=1, max_size=12),
    n_spans=st.integers(1, 4),
    combine=st.sampled_from([np.minimum, np.add]),
    data=st.data(),
)
def test_lately_looks_back_on_whole_spans_and_its_own(counts, n_spans, combine, data):
    """Two calls, cut at random, against a loop over the whole row."""
    total = [sum(column) for column in zip(*counts, strict=True)]
    seed = data.draw(st.integers(0, 10**6))
    values = np.random.default_rng(seed).integers(0, 50, (2, max(total), 2)).astype(np.int16)
    start = 99 if combine is np.minimum else 0
    lately, position = Lately(2, (2, n_spans), combine, start, np.int16), np.zeros(2, dtype=int)
    found: list[list[np.ndarray]] = [[], []]
    for tick in np.array(counts):
        slots = np.flatnonzero(tick)
        batch = Batch(slots, position[slots], tick[slots], position[slots])
        whose = np.repeat(slots, batch.counts)
        result = lately.update(batch, values[whose, batch.frame[batch.inside]].T)
        for slot in slots:
            found[slot].append(result[:, whose == slot].T)
        position += tick
    for slot in range(2):
        for frame, some in enumerate(np.concatenate([np.zeros((0, 2)), *found[slot]])):
            begin = max(0, (frame // SPAN_FRAMES - n_spans) * SPAN_FRAMES)
            assert np.array_equal(some, combine.reduce(values[slot, begin : frame + 1], axis=0))


def test_clearing_makes_lately_forget_one_call():
    def thirteen(*taken: int) -> Batch:
        before = np.array(taken)
        return Batch(np.array([0, 1]), before, np.array([13, 13]), before)

    lately = Lately(2, (1, 3), np.add, 0, np.int16)
    ones = np.ones((1, 26))
    lately.update(thirteen(0, 0), ones)
    lately.clear(0)
    after = lately.update(thirteen(0, 13), ones)
    assert after[0].tolist() == [*range(1, 14), *range(14, 27)]


def test_some_quantities_look_back_on_fewer_spans():
    both = Lately(1, (3, 6), np.add, 0, np.int16, shorter=(2, 2))
    long, short = Lately(1, (1, 6), np.add, 0, np.int16), Lately(1, (2, 2), np.add, 0, np.int16)
    values, at = np.random.default_rng(0).integers(0, 50, (3, 400)), 0
    for count in (7, 10, 33, 150, 200):
        before = np.array([at])
        batch, some = Batch(np.array([0]), before, np.array([count]), before), slice(at, at + count)
        apart = [long.update(batch, values[:1, some]), short.update(batch, values[1:, some])]
        assert np.array_equal(both.update(batch, values[:, some]), np.concatenate(apart))
        at += count


def test_a_history_of_several_quantities_is_that_of_each():
    several = History(2, 3, -1.0, shape=(2,))
    each = [History(2, 3, -1.0) for _ in range(2)]
    batch = Batch(np.array([0, 1]), np.zeros(2, int), np.array([4, 1]), np.zeros(2, int))
    for seed in range(3):
        new = np.random.default_rng(seed).random((2, 4, 2)).astype(np.float32)
        whole = several.extend(batch, new)
        for k, one in enumerate(each):
            assert np.array_equal(whole[..., k], one.extend(batch, new[..., k]))
