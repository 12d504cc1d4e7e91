"""Masked statistics of rows, against numpy on what the mask leaves."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hackles.features.statistics import mean, moments, percentiles


def deviation(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return moments(values[:, None], weight)[1][:, 0]


PERCENTS = (0.0, 5.0, 20.0, 50.0, 80.0, 99.0, 100.0)


@st.composite
def masked(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    shape = draw(st.tuples(st.integers(1, 6), st.integers(1, 40)))
    reach = draw(st.sampled_from([1.0, 100.0, 1e6]))
    number = st.floats(-reach, reach, width=32)
    return draw(hnp.arrays(np.float32, shape, elements=number)), draw(hnp.arrays(np.bool_, shape))


def exactly(values: np.ndarray, valid: np.ndarray, of) -> np.ndarray:
    rows = zip(values.astype(np.float64), valid, strict=True)
    return np.array([of(row[some]) if some.any() else 0.0 for row, some in rows])


def near(found: np.ndarray, expected: np.ndarray, values: np.ndarray, share: float) -> None:
    """Within a share of the largest value: float32 sums know no better."""
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=share * np.abs(values).max())


@settings(derandomize=True, deadline=None)
@given(masked())
def test_the_mean_is_numpys_mean_of_the_valid_entries(case):
    values, valid = case
    near(mean(values, valid.astype(np.float32)), exactly(values, valid, np.mean), values, 1e-6)


@settings(derandomize=True, deadline=None)
@given(masked())
def test_the_deviation_is_numpys_deviation_of_the_valid_entries(case):
    values, valid = case
    found = deviation(values, valid.astype(np.float32))
    near(found, exactly(values, valid, np.std), values, 1e-5)


@settings(derandomize=True, deadline=None)
@given(masked())
def test_percentiles_are_numpys_percentiles_of_the_valid_entries(case):
    values, valid = case
    for percent, found in zip(PERCENTS, percentiles(values, valid, PERCENTS), strict=True):
        expected = exactly(values, valid, lambda row, p=percent: np.percentile(row, p))
        near(found, expected, values, 1e-6)


@settings(derandomize=True, deadline=None)
@given(masked())
def test_percentiles_rise_within_the_extremes(case):
    values, valid = case
    found = np.stack(percentiles(values, valid, PERCENTS))
    slack = 1e-6 * np.abs(values).max()
    assert np.all(np.diff(found, axis=0) >= -slack)
    for row, some, column in zip(values, valid, found.T, strict=True):
        if some.any():
            assert column[0] == row[some].min()
            assert column[-1] == row[some].max()


@settings(derandomize=True, deadline=None)
@given(masked(), st.randoms(use_true_random=False))
def test_the_order_of_entries_does_not_matter_to_percentiles(case, chance):
    values, valid = case
    order = list(range(values.shape[1]))
    chance.shuffle(order)
    for a, b in zip(
        percentiles(values, valid, PERCENTS),
        percentiles(values[:, order], valid[:, order], PERCENTS),
        strict=True,
    ):
        assert np.array_equal(a, b)


@settings(derandomize=True, deadline=None)
@given(masked())
def test_a_row_knows_nothing_of_the_rows_beside_it(case):
    values, valid = case
    weight = valid.astype(np.float32)
    for of, mask in ((mean, weight), (deviation, weight)):
        alone = [of(values[i : i + 1], mask[i : i + 1])[0] for i in range(len(values))]
        assert np.array_equal(of(values, mask), alone)
    together = np.stack(percentiles(values, valid, PERCENTS))
    for i in range(len(values)):
        alone = np.stack(percentiles(values[i : i + 1], valid[i : i + 1], PERCENTS))
        assert np.array_equal(together[:, i : i + 1], alone)


@settings(derandomize=True, deadline=None)
@given(masked(), st.floats(-1e6, 1e6, width=32))
def test_entries_without_weight_do_not_matter(case, garbage):
    values, valid = case
    weight = valid.astype(np.float32)
    other = np.where(valid, values, np.float32(garbage))
    np.testing.assert_array_equal(mean(other, weight), mean(values, weight))
    np.testing.assert_array_equal(deviation(other, weight), deviation(values, weight))
    for a, b in zip(
        percentiles(other, valid, PERCENTS), percentiles(values, valid, PERCENTS), strict=True
    ):
        np.testing.assert_array_equal(a, b)


def test_a_row_without_a_valid_entry_gives_zero():
    values, none = np.full((2, 5), 7.0, dtype=np.float32), np.zeros((2, 5), dtype=bool)
    weight = none.astype(np.float32)
    assert mean(values, weight).tolist() == [0.0, 0.0]
    assert deviation(values, weight).tolist() == [0.0, 0.0]
    assert percentiles(values, none, (20.0, 80.0))[1].tolist() == [0.0, 0.0]


@settings(derandomize=True, deadline=None)
@given(masked())
def test_several_quantities_at_once_are_each_one_alone(case):
    values, valid = case
    weight = valid.astype(np.float32)
    average, spread = moments(np.stack([values, -values, 2 * values], axis=1), weight)
    for column, alone in enumerate((values, -values, 2 * values)):
        assert np.array_equal(average[:, column], mean(alone, weight))
        assert np.array_equal(spread[:, column], deviation(alone, weight))
    ranked = percentiles(np.stack([values, -values], axis=1), np.stack([valid] * 2, axis=1), (30,))
    assert np.array_equal(ranked[0][:, 1], percentiles(-values, valid, (30,))[0])
