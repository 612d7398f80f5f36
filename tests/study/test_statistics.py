"""Intervals against SciPy's, and blocks of neighbouring images against values with and without neighbours."""

import numpy as np
import pytest
from scipy import stats
from scipy.stats import ttest_1samp, ttest_rel

from study import statistics as intervals


def test_intervals_are_students():
    a, b = np.random.default_rng(0).normal(1, 2, (2, 5))
    found, t = intervals.interval(a), stats.t.interval(0.95, 4, a.mean(), stats.sem(a))
    assert (found.low, found.high, found.size) == (pytest.approx(t[0]), pytest.approx(t[1]), 5)
    welch = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    assert (intervals.apart(a, b).low, intervals.apart(a, b).high) == pytest.approx(tuple(welch))
    assert intervals.interval([1, 1.1, 0.9]).certain and not intervals.interval([1, -1, 0.1]).certain
    with pytest.raises(ValueError, match="1 values; expected two"):
        intervals.interval([3.0])


def test_paired_differences_agree_with_scipy():
    a, b = np.random.default_rng(0).normal(size=(2, 12))
    result = intervals.paired(a, b)
    assert result.ratio == pytest.approx(ttest_rel(a, b).statistic)
    ends = ttest_1samp(a - b, 0).confidence_interval(0.95)
    assert (result.low, result.high) == pytest.approx((ends.low, ends.high))
    assert (result.beyond > 1) == (ttest_rel(a, b).pvalue < 0.05)
    shifted = intervals.paired(a + 9, b)
    assert shifted.beyond > 1 and ttest_rel(a + 9, b).pvalue < 0.05 and shifted.low > 0
    with pytest.raises(ValueError, match="1 values"):
        intervals.paired([1.0], [2.0])


def test_an_estimate_tells_shuffles_from_images():
    runs, images = np.array([0.1, 0.2, 0.4]), np.random.default_rng(0).normal(0, 1, 40)
    found = intervals.estimate(runs[:, None] + images)
    assert found.mean == pytest.approx(runs.mean() + images.mean())
    assert found.shuffles == pytest.approx(stats.t.ppf(0.975, 2) * stats.sem(runs))
    assert found.images == pytest.approx(stats.t.ppf(0.975, 39) * stats.sem(images))
    assert found.both == pytest.approx(np.hypot(found.shuffles, found.images)) and not found.certain


def test_two_sets_of_images_are_compared_by_blocks_of_500():
    rng = np.random.default_rng(0)
    runs = np.array([[0.1], [0.2], [0.4]])
    one = rng.normal(2, 1, 4200)
    other = rng.normal(0, 1, 1999)
    found = intervals.estimate_apart(runs + one, 0 * runs + other)
    assert found.mean == pytest.approx(runs.mean() + one.mean() - other.mean())
    assert found.shuffles == pytest.approx(stats.t.ppf(0.975, 2) * stats.sem(runs[:, 0]))
    by_block = [[a[i : i + 500].mean() for i in range(0, len(a) - 499, 500)] for a in (one, other)]
    assert [len(means) for means in by_block] == [8, 3]  # incomplete ones are left out
    welch = stats.ttest_ind(*by_block, equal_var=False).confidence_interval(0.95)
    assert found.images == pytest.approx((welch[1] - welch[0]) / 2) and found.certain


def test_blocks_are_means_of_neighbours():
    values = np.random.default_rng(0).normal(size=(2, 3, 17))
    found = intervals.blocks(values, 5)
    assert found.shape == (2, 3, 3)
    assert found[1, 2, 1] == pytest.approx(values[1, 2, 5:10].mean())
    assert intervals.blocks(np.array([True, False, True, True]), 2).tolist() == [0.5, 1]
    with pytest.raises(ValueError, match="9 images; expected 10 or more, for two blocks of 5"):
        intervals.blocks(values[..., :9], 5)


@pytest.mark.parametrize("seed", range(3))
def test_neighbours_vary_together_only_where_they_do(seed):
    rng = np.random.default_rng(seed)
    right = rng.random(20_000) < 0.9
    found = intervals.neighbours(right)
    means = [right[i : i + 100].mean() for i in range(0, 20_000, 100)]
    assert found.ratio == pytest.approx(np.var(means, ddof=1) / (right.var() / 100))
    assert found.low < found.ratio < found.high and found.low < 1 < found.high
    # 200 blocks: the variance of their means is about chi-squared with 199 degrees of freedom
    expected = stats.chi2.ppf((0.025, 0.975), 199) / 199
    assert (found.low, found.high) == pytest.approx(tuple(expected), abs=0.06)
    writers = intervals.neighbours(np.repeat(right[:2000], 10))
    assert writers.ratio == pytest.approx(10, rel=0.3) and writers.ratio > 3 * writers.high
    with pytest.raises(ValueError, match="199 images"):
        intervals.neighbours(right[:199])
