"""Error analysis, calibration and the held-out images against scikit-learn, SciPy and planted cases."""

from typing import Any

import numpy as np
import pytest
from scipy.special import log_softmax, softmax
from scipy.stats import binomtest, sem, ttest_ind
from sklearn.metrics import confusion_matrix

from assignment1 import SoftmaxRegression, load_mnist, train
from assignment1.mnist import Dataset, Split, one_hot, preprocess
from study import appendix_errors as errors
from study import appendix_heldout as heldout
from study import figures, tables

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def case():
    """Return a rough model, the class means' templates, on 2,000 validation images, and its logits."""
    mnist = load_mnist()
    images, labels = mnist.test_images[:2000], mnist.test_labels[:2000]
    split = Split(preprocess(images), one_hot(labels))
    mean = split.X.T @ split.Y / split.Y.sum(axis=0)
    model = SoftmaxRegression().copy(0.03 * (mean - mean.mean(axis=1, keepdims=True)))
    return model, images, labels, split, split.X @ model.w


def test_confusion_and_costliest_images(case):
    model, _, labels, split, z = case
    seen = errors.readings(model, split)
    np.testing.assert_array_equal(errors.confused(seen).counts, confusion_matrix(labels, z.argmax(axis=1)))
    loss = -log_softmax(z, axis=1)[np.arange(len(z)), labels]
    worst = errors.costliest(seen, 5)
    np.testing.assert_allclose(loss[worst], sorted(loss)[:-6:-1])
    counts = np.array([[9, 1, 4], [3, 9, 0], [1, 5, 9]])
    assert errors.confused_pairs(counts, 2) == [(0, 2, 5), (1, 2, 5)]
    assert errors.confused_pairs(counts, 3)[2] == (0, 1, 4)


def test_reliability_groups_images_by_confidence(case):
    model, _, labels, split, z = case
    confidence, right = softmax(z, axis=1).max(axis=1), z.argmax(axis=1) == labels
    own = [(confidence > k / 5) & (confidence <= (k + 1) / 5) for k in range(5)]
    smallest, fewest, *_ = sorted(found.sum() for found in own)
    assert smallest < fewest
    groups = errors.reliability(model, split, groups=5, fewest=fewest)
    own = [found for found in own if found.sum() >= fewest]
    np.testing.assert_allclose(groups.confidence, [confidence[found].mean() for found in own])
    np.testing.assert_allclose(groups.accuracy, [right[found].mean() for found in own])
    for low, high, found in zip(groups.low, groups.high, own, strict=True):
        seen = binomtest(int(right[found].sum()), int(found.sum())).proportion_ci(method="wilson")
        assert (low, high) == pytest.approx(tuple(seen))
    assert errors.reliability(model, split, fewest=len(labels) + 1).confidence.shape == (0,)


def test_sureness_is_paired_by_image(case):
    model, _, labels, split, z = case
    confidence, right = softmax(z, axis=1).max(axis=1), z.argmax(axis=1) == labels
    found = errors.sureness(model, split)
    assert (found.accuracy, found.confidence) == pytest.approx((right.mean(), confidence.mean()))
    by_block = (right - confidence).reshape(20, 100).mean(axis=1)
    assert found.lacking.ratio == pytest.approx(by_block.mean() / sem(by_block))


def test_confused(case):
    model, _, labels, split, z = case
    seen = errors.readings(model, split)
    wrong = z.argmax(axis=1) != labels
    table = errors.confused(seen)
    assert table.wrong == wrong.sum()
    digit = int(table.share.argmin())
    mine = labels == digit
    assert table.share[digit] == pytest.approx(1 - wrong[mine].mean()) and table.share[digit] <= min(
        table.share
    )
    interval = binomtest(int((~wrong[mine]).sum()), int(mine.sum())).proportion_ci(0.95, method="wilson")
    assert (table.low[digit], table.high[digit]) == pytest.approx(tuple(interval))
    assert table.in_pairs == pytest.approx(sum(n for *_, n in table.pairs) / wrong.sum())
    assert tables.pair_list([(3, 5, 69), (4, 9, 81)]) == "3 and 5 (69 times), 4 and 9 (81 times)"
    words = tables.cases_list(seen, np.array([0]))
    assert words == f"{labels[0]} classified as {z[0].argmax()}"


def test_images_that_are_all_right_or_lack_a_digit_have_a_table():
    digits = np.arange(10)
    right = errors.confused(errors.Readings(digits, digits, np.ones(10)))
    assert (right.wrong, right.in_pairs, right.share.tolist()) == (0, 0, [1] * 10)
    two = errors.confused(errors.Readings(np.array([0, 1]), np.array([1, 0]), np.ones(2)))
    assert (two.wrong, two.in_pairs, two.share[:2].tolist()) == (2, 1, [0, 0])
    for values in (two.share, two.low, two.high):
        assert np.isnan(values).tolist() == [False] * 2 + [True] * 8
    figures.confusion(two.counts, two.low, two.high)


def test_a_model_without_a_group_of_images_has_no_curve(case):
    model, split = case[0], Split(*(a[:50] for a in case[3]))
    figure = figures.reliability({"a": errors.reliability(model, split)})
    assert np.size(figure.axes[0].lines[-1].get_xdata()) == 0


@pytest.fixture(scope="module")
def halved(case):
    """Return data whose first 500 images validate, the other 1,500 are held out, and all train."""
    split = case[3]
    return Dataset(split, Split(*(a[:500] for a in split)), lambda: Split(*(a[500:] for a in split)))


def in_parts(split, size):
    """Return the split's neighbouring images in parts of a size."""
    n = len(split.X) // size
    return [Split(*parts) for parts in zip(*(np.split(a[: n * size], n) for a in split), strict=True)]


def test_accuracies_on_held_out_images(case, halved):
    settings: dict[str, Any] = dict(learning_rate=0.01, epochs=3, seed=0, progress=False)
    run = train(SoftmaxRegression(), halved, **settings)
    found = heldout.finals({"3b": run}, halved)["3b"]
    right = [[m.accuracy(*part) for part in (halved.validation, halved.test)] for m in (run.last, run.best)]
    assert found.means == pytest.approx([*right[0], *right[1]])
    (a, b) = right[1]
    assert found.gap.mean == pytest.approx(a - b)
    sizes = ((halved.validation, 25), (halved.test, 75))  # so that there are 20 parts
    parts = [[run.best.accuracy(*part) for part in in_parts(split, size)] for split, size in sizes]
    assert found.held.error == pytest.approx(sem(parts[1])) and found.held.mean == pytest.approx(b)
    welch = ttest_ind(*parts, equal_var=False).confidence_interval(0.95)
    assert (found.gap.low, found.gap.high) == pytest.approx(tuple(welch))
    assert found.gap_last.mean == pytest.approx(right[0][0] - right[0][1])
    (row,) = tables.final_rows({"3b": found})
    assert row[0] == "3b" and row[4] == f"{b:.4f}" and len(row) == 6


def test_the_price_of_choosing_by_chance_alone_is_that_of_the_largest_of_many():
    # 20 checks of equal quality: the best of them on 400 images gains what the largest of 20 normals has
    rng = np.random.default_rng(0)
    right = (rng.random((20, 2000)) < 0.9).astype(float)
    loss = rng.normal(size=(20, 2000))  # knows nothing of the accuracy: choosing by it costs nothing
    by_loss, by_accuracy = heldout.price(right, loss, 400, rng)
    largest = np.sort(rng.normal(size=(2000, 20)), axis=1)[:, -1].mean()
    noise = np.sqrt(0.09 * (1 / 400 + 1 / 1600) * (1 - 1 / 20))
    assert by_accuracy.mean == pytest.approx(largest * noise, rel=0.1)
    assert abs(by_loss.mean) < 4 * noise / np.sqrt(200)
    assert by_loss.chosen > 5
    same = np.repeat(right[:1], 20, axis=0)  # nothing to choose from
    assert heldout.price(same, same, 400, rng)[1] == heldout.Price(0.0, 1)


def test_prices_look_at_the_checks_of_a_run_that_goes_on(case, halved):
    model = case[0]
    found = heldout.prices(model, halved)
    assert all(1 <= price.chosen <= 30 and abs(price.mean) < 0.05 for price in found)


def test_halves(case):
    model, _, labels, split, z = case
    right = (z.argmax(axis=1) == labels).astype(float)
    first, second, difference = heldout.halves(model, split)
    assert (first, second) == (pytest.approx(right[:1000].mean()), pytest.approx(right[1000:].mean()))
    means = right.reshape(40, 50).mean(axis=1)
    welch = ttest_ind(means[20:], means[:20], equal_var=False).confidence_interval(0.95)
    assert (difference.low, difference.high) == pytest.approx(tuple(welch))
