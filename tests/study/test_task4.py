"""Tasks 4c to 4e: paired differences, scores and the run beside the minima, against independent oracles."""

from typing import Any

import numpy as np
import pytest
from scipy.special import log_softmax
from scipy.stats import sem

from assignment1 import SoftmaxRegression, sweep
from study import optima, tables
from study import statistics as intervals
from study import task4d_penalty as task4
from study import task4e_path as path
from study.evaluate import evaluate_groups

pytest_plugins = "small_images"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def runs(few):
    points: dict[str, Any] = dict(lam=(0.0, *task4.PENALTIES), seed=range(3))
    return sweep(SoftmaxRegression, few, learning_rate=0.01, epochs=10, checks_per_epoch=1, **points)


def hits_and_losses(model, split):
    z = split.X @ model.w
    loss = -(split.Y * log_softmax(z, axis=1)).sum(axis=1)
    return (z.argmax(axis=1) == split.Y.argmax(axis=1)).astype(float), loss


def test_comparison_is_paired_by_image_in_blocks(few, minima):
    one, two = minima[0.01], minima[0.00001]
    (right, cost), (right_2, cost_2) = (hits_and_losses(m, few.validation) for m in (one, two))
    seen = evaluate_groups({"two": [two]}, few.validation)
    found = task4.compare(one, seen, few.validation)["two"]
    for part, values in ((found.accuracy, right - right_2), (found.loss, cost - cost_2)):
        assert part.mean == pytest.approx(values.mean())
        assert part.error == pytest.approx(sem(values.reshape(20, 25).mean(axis=1)))
    assert tables.against_rows({0.001: {5: found, 50: found}}) == [
        ("0.001", *[tables.points(found.accuracy)] * 2)
    ]


def test_minima_of_few_images_are_where_the_gradient_vanishes(few):
    found = task4.with_few(few, (0.1, 1.0))
    assert list(found) == [0.0, 1.0, 0.1] and len(few.train.X) < task4.FEW
    stopped = found.pop(0.0)
    assert stopped.loss(*few.validation) < 1 < len(found)
    for lam, model in found.items():
        assert model.lam == lam and np.linalg.norm(model.gradient(*few.train)) < 1e-3 * lam
    assert task4.norm(found[1.0]) < task4.norm(found[0.1])
    against = task4.against_mildest(found, few.validation)
    right, mild = (hits_and_losses(found[lam], few.validation)[0] for lam in (1.0, 0.1))
    assert against[1.0].accuracy.mean == pytest.approx((right - mild).mean()) and against[0.1].loss.mean == 0


def test_scores_agree_with_plain_arithmetic_everywhere(few, minima):
    found = task4.everywhere({0.1: minima[0.1], 0.001: minima[0.001]}, few)
    for lam, each in found.items():
        for score, split in zip(each, (few.train, few.validation, few.test), strict=True):
            right, loss = hits_and_losses(minima[lam], split)
            assert score == pytest.approx((loss.mean(), right.mean()))
    (_, row) = tables.minima_rows(found, minima)
    assert row[:2] == ("0.001", f"{np.linalg.norm(minima[0.001].w):.3f}") and len(row) == 8


def test_late_looks_at_the_last_checks_alone():
    found = task4.late(np.array([0.0, 0.1, 5.0, 1.0, 2.0, 6.0]), 4)
    assert (found.median, found.low, found.high) == (3.5, 1.0, 6.0)
    assert found.range == 5 and found.deviation == pytest.approx(np.std([5, 1, 2, 6], ddof=1))
    assert np.isnan(task4.late(np.array([0.5])).deviation)


def test_numbers_in_words():
    assert tables.points(intervals.Interval(-0.0012, 0.0003, 9, 8)) == "−0.12 ± 0.07"
    assert tables.listed([1, 2, 3.14159]) == "1.00, 2.00 and 3.14" and tables.listed([2], 0) == "2"
    assert tables.minus(-0.5, 1) == "−0.5"
    assert task4.ratios({0: 8.0, 1: 4.0, 2: 1.0}) == [2, 4]


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
