"""Tasks 4c to 4e: paired differences, scores and the run beside the minima, against independent oracles."""

from typing import Any

import numpy as np
import pytest
from scipy.special import log_softmax
from scipy.stats import ttest_1samp, ttest_rel

from assignment1 import SoftmaxRegression, load_mnist, sweep, train
from assignment1.mnist import Dataset, Split
from study import optima, tables
from study import statistics as intervals
from study import task4d_path as path
from study import task4d_penalty as task4

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def mnist():
    return load_mnist()


@pytest.fixture(scope="module")
def images(mnist):
    return mnist.softmax()


@pytest.fixture(scope="module")
def few(images) -> Dataset:
    """Return the first 600 training and 500 validation images; the next 700 training images are held out."""
    train, validation, held = (
        Split(*(a[part] for a in s))
        for s, part in (
            (images.train, slice(600)),
            (images.validation, slice(500)),
            (images.train, slice(600, 1300)),
        )
    )
    return Dataset(train, validation, lambda: held)


@pytest.fixture(scope="module")
def minima():
    return optima.load_optima()


@pytest.fixture(scope="module")
def runs(few):
    points: dict[str, Any] = dict(lam=(0.0, *task4.PENALTIES), seed=range(3))
    return sweep(SoftmaxRegression, few, learning_rate=0.01, epochs=10, checks_per_epoch=1, **points)


def hits_and_losses(model, split):
    z = split.X @ model.w
    loss = -(split.Y * log_softmax(z, axis=1)).sum(axis=1)
    return (z.argmax(axis=1) == split.Y.argmax(axis=1)).astype(float), loss


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


def test_comparison_by_image_has_mcnemars_error(few, minima):
    one, two = minima[0.01], minima[0.00001]
    (right, cost), (right_2, cost_2) = (hits_and_losses(m, few.validation) for m in (one, two))
    gained, lost, n = (right > right_2).sum(), (right < right_2).sum(), 500
    found = task4.compare(one, {"two": [two]}, few.validation)["two"]
    assert found.accuracy.mean == pytest.approx((gained - lost) / n)
    variance = (gained + lost - (gained - lost) ** 2 / n) / n / (n - 1)
    assert found.accuracy.error == pytest.approx(np.sqrt(variance))
    assert found.loss.mean == pytest.approx(cost.mean() - cost_2.mean())
    assert found.loss.error == pytest.approx((cost - cost_2).std(ddof=1) / np.sqrt(n))
    both = task4.compare_both(one, {3: [two]}, few)
    assert both[3].validation == found
    assert both[3].held.accuracy.size == 700
    (row,) = tables.compared_rows(both)
    assert row[0] == "3" and len(row) == 5 and row[1] == tables.points(found.accuracy)


def test_scores_agree_with_plain_arithmetic_everywhere(few, minima):
    found = task4.everywhere({0.1: minima[0.1], 0.001: minima[0.001]}, few)
    for lam, each in found.items():
        for score, split in zip(each, (few.train, few.validation, few.test), strict=True):
            right, loss = hits_and_losses(minima[lam], split)
            assert score == pytest.approx((loss.mean(), right.mean()))
    (_, row) = tables.minima_rows(found, minima)
    assert row[:2] == ("0.001", f"{np.linalg.norm(minima[0.001].w):.3f}") and len(row) == 8


def test_equal_steps_name_what_varies(few, runs):
    found = task4.equal_steps(runs, few)[1.0]
    by_hand = [
        np.mean(runs[1.0, s].history.validation_loss[8:]) - np.mean(runs[0.0, s].history.validation_loss[8:])
        for s in range(3)
    ]
    assert (found.loss.mean, found.loss.size) == (
        pytest.approx(np.mean(by_hand)),
        3,
    )
    assert found.loss.error == pytest.approx(np.std(by_hand, ddof=1) / np.sqrt(3))
    right = {
        lam: np.mean([hits_and_losses(runs[lam, s].last, few.test)[0] for s in range(3)], axis=0)
        for lam in (0.0, 1.0)
    }
    assert found.held.mean == pytest.approx((right[1.0] - right[0.0]).mean())
    assert found.held.error == pytest.approx((right[1.0] - right[0.0]).std(ddof=1) / np.sqrt(700))
    rows = tables.step_rows({1.0: found})
    assert rows[0][0] == "1" and rows[0][4] == tables.points(found.held, 3)


def test_late_looks_at_the_last_checks_alone():
    found = task4.late(np.array([0.0, 0.1, 5.0, 1.0, 2.0, 6.0]), 4)
    assert (found.median, found.low, found.high) == (3.5, 1.0, 6.0)
    assert found.range == 5 and found.deviation == pytest.approx(np.std([5, 1, 2, 6], ddof=1))


def test_numbers_in_words():
    assert tables.points(intervals.Interval(-0.0012, 0.0003, 9, 8)) == "−0.12 ± 0.07"
    assert tables.loss_points(intervals.Interval(0.0012, 0.0003, 9, 8)) == "+1.2 ± 0.7"
    assert tables.listed([1, 2, 3.14159]) == "1.00, 2.00 and 3.14" and tables.listed([2], 0) == "2"
    assert tables.plain(0.00001) == "0.00001" and tables.minus(-0.5, 1) == "−0.5"
    assert task4.ratios({0: 8.0, 1: 4.0, 2: 1.0}) == [2, 4]


def test_stop_measures_against_the_optimum(few):
    run = train(SoftmaxRegression(0.1), few, learning_rate=0.01, epochs=3, seed=0, progress=False)
    w = optima.minimise(optima.Objective(few.train.X, few.train.Y, 0.1), np.zeros((785, 10)), 1e-9)
    optimum = SoftmaxRegression(0.1).copy(w)
    ended = task4.stop(run, optimum, few.train)
    least, slope = optimum.objective(*few.train), np.linalg.norm(run.last.gradient(*few.train))
    np.testing.assert_allclose(1 + ended.excess, run.last.objective(*few.train) / least)
    assert 0 < ended.excess * least <= slope**2 / (4 * 0.1)
    assert ended.distance * np.linalg.norm(w) == pytest.approx(np.linalg.norm(run.last.w - w))
    assert ended.distance * np.linalg.norm(w) <= slope / (2 * 0.1)
    (row,) = tables.run_rows({0.1: run}, few)
    assert row[:2] == ("0.1", "12") and row[5] == f"{run.last.accuracy(*few.train):.4f}"


def test_aside_is_nothing_on_the_path_and_a_share_beside_it():
    way = [
        path.Point(1.0, 8.0),
        path.Point(2.0, 4.0),
        path.Point(4.0, 2.0),
    ]  # a power law, straight in logarithms
    beside = [path.Point(2**0.5, 8 / 2**0.5), path.Point(3.0, 1.1 * 8 / 3)]
    assert path.aside(beside, way) == pytest.approx([0, 0.1], abs=1e-12)


def test_passing_measures_the_course_and_the_path(few, minima):
    runs = {50: [minima[0.01]], 100: [minima[0.003]], 200: [minima[0.001]]}
    found = path.passing(runs, minima, few.validation)
    assert found.off < 1e-12  # these are on the path
    two = path.passing({1: [minima[0.01], minima[0.001]]}, minima, few.validation).course[1]
    ends = path.place({lam: minima[lam] for lam in (0.01, 0.001)}, few.validation).values()
    assert two == pytest.approx(np.mean(list(ends), axis=0))
    losses = [minima[lam].loss(*few.validation) for lam in (0.01, 0.003, 0.001)]
    assert [point.loss for point in found.course.values()] == pytest.approx(losses)
    assert found.path[0.01].norm == pytest.approx(np.sqrt((minima[0.01].w ** 2).sum()))
    assert found.fall == pytest.approx(1 - min(losses) / losses[0])
    assert found.rise == pytest.approx(losses[-1] / min(losses) - 1)


def test_the_loss_along_separating_weights_is_above_its_bound(few):
    w = optima.load_separator()
    found = path.separation(w, few)
    z = few.validation.X @ w / np.linalg.norm(w)
    behind = [max(row) - row[k] for row, k in zip(z, few.validation.Y.argmax(axis=1), strict=True)]
    assert found.behind == pytest.approx(np.mean(behind))
    assert found.missed == pytest.approx(np.mean(np.array(behind) > 0))
    scaled = SoftmaxRegression().copy(1e3 * w / np.linalg.norm(w))
    assert found.loss[0] == pytest.approx(hits_and_losses(scaled, few.validation)[1].mean())
    assert (found.loss >= found.behind * np.array(path.NORMS)).all() and found.margin > 0
