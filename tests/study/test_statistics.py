"""Intervals against SciPy's, and blocks of neighbouring images against values with and without neighbours."""

import numpy as np
import pytest
from scipy import stats

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


def test_an_interval_tells_a_mean_from_0_where_students_test_does():
    values = np.random.default_rng(0).normal(size=12)
    for shift in (0, 9):
        found, test = intervals.interval(values + shift), stats.ttest_1samp(values + shift, 0)
        assert found.ratio == pytest.approx(test.statistic)
        assert (found.beyond > 1) == (test.pvalue < 0.05) == found.certain == (shift > 0)


def test_where_nothing_varies_an_interval_has_no_width():
    difference = intervals.apart([1, 1], [2, 2])
    assert (difference.mean, difference.half, difference.freedom) == (-1, 0, 2) and difference.certain
    right = np.ones(100, bool)
    assert intervals.over_sets(right, right).half == 0
    assert intervals.estimate_apart(np.ones((2, 100)), np.ones((2, 50))) == intervals.Estimate(0, 0, 0)
    for values, ratio, beyond in (([1, 1], np.inf, np.inf), ([-1, -1], -np.inf, np.inf), ([0, 0], 0, 0)):
        found = intervals.interval(values)
        assert (found.ratio, found.beyond) == (ratio, beyond)


def test_an_estimate_tells_shuffles_from_images():
    runs, images = np.array([0.1, 0.2, 0.4]), np.random.default_rng(0).normal(0, 1, 48)
    found = intervals.estimate(runs[:, None] + images)
    assert found.mean == pytest.approx(runs.mean() + images.mean())
    assert found.shuffles == pytest.approx(stats.t.ppf(0.975, 2) * stats.sem(runs))
    of_two = images.reshape(24, 2).mean(axis=1)  # 20 blocks or more
    assert found.images == pytest.approx(stats.t.ppf(0.975, 23) * stats.sem(of_two))
    assert found.both == pytest.approx(np.hypot(found.shuffles, found.images)) and not found.certain


def test_two_sets_of_images_are_compared_by_blocks_of_500_or_by_twenty():
    rng = np.random.default_rng(0)
    runs = np.array([[0.1], [0.2], [0.4]])
    one = rng.normal(2, 1, 4200)
    other = rng.normal(0, 1, 10_499)
    found = intervals.estimate_apart(runs + one, 0 * runs + other)
    assert found.mean == pytest.approx(runs.mean() + one.mean() - other.mean())
    assert found.shuffles == pytest.approx(stats.t.ppf(0.975, 2) * stats.sem(runs[:, 0]))
    by_block = [
        [a[i : i + n].mean() for i in range(0, len(a) - n + 1, n)] for a, n in ((one, 210), (other, 500))
    ]
    assert [len(means) for means in by_block] == [20, 20]  # an incomplete one is left out
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


def test_an_interval_over_images_holds_where_neighbours_are_alike():
    rng = np.random.default_rng(0)
    hands = rng.normal(size=(400, 100))  # of as many writers each, who wrote 50 images one after the other
    found = [intervals.over_images(hand.repeat(50)) for hand in hands]
    assert found[0].mean == pytest.approx(hands[0].mean()) and found[0].size == 20
    assert np.mean([one.certain for one in found]) == pytest.approx(0.05, abs=0.025)
    independent = [intervals.interval(hand.repeat(50)) for hand in hands]
    assert np.mean([one.certain for one in independent]) > 0.5


def test_a_mean_over_images_counts_those_after_the_last_block():
    values = np.random.default_rng(0).normal(size=1049) + np.arange(1049) / 100
    assert intervals.over_images(values).mean == pytest.approx(values.mean())


def test_large_sets_are_compared_in_blocks_of_500():
    rng = np.random.default_rng(0)
    a, b = rng.random(20_000) < 0.9, rng.random(10_499) < 0.8
    found = intervals.over_sets(a, b)
    means = (a.reshape(40, 500).mean(axis=1), b[:10_000].reshape(20, 500).mean(axis=1))
    welch = stats.ttest_ind(*means, equal_var=False)
    low, high = welch.confidence_interval(0.95)
    assert found.half == pytest.approx((high - low) / 2) and found.size == 60
    assert found.mean == a.mean() - b.mean()  # of all images, those after the last block among them


@pytest.mark.parametrize("hits, n", [(0, 10), (7, 10), (10, 10), (9153, 10_000)])
def test_wilson_intervals(hits, n):
    # the ends are the shares from which hits / n is 1.96 standard errors away
    for end in intervals.wilson(hits, n):
        assert abs(hits / n - end) == pytest.approx(1.959964 * np.sqrt(end * (1 - end) / n), rel=1e-5)


@pytest.mark.parametrize("seed", [0, 1, 3])  # whose ratios are not at the very ends of the interval
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
