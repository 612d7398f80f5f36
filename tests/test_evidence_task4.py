"""The optima and the evidence of task 4 against planted cases and independent oracles."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from assignment1 import SoftmaxRegression, load_mnist, sweep, train
from assignment1.evidence import optima, task4
from assignment1.mnist import Dataset, Split
from scipy.stats import pearsonr, ttest_rel
from sklearn.linear_model import LogisticRegression as SklearnLogistic


@pytest.fixture(scope="module")
def mnist():
    return load_mnist()


@pytest.fixture(scope="module")
def images(mnist):
    return mnist.softmax()


@pytest.fixture(scope="module")
def few(images) -> Dataset:
    """The first 600 training and 500 validation images."""
    train, validation = (
        Split(*(a[:n] for a in s)) for s, n in ((images.train, 600), (images.validation, 500))
    )
    return Dataset(train, validation, lambda: validation)


@pytest.fixture(scope="module")
def stored():
    return optima.load_optima()


def test_minimise_finds_scikit_learns_optimum(few):
    X, Y = few.train
    lam = 0.01
    ours = optima.minimise(SoftmaxRegression(lam), few.train, 1e-9)
    theirs = SklearnLogistic(C=1 / (2 * lam * len(X)), fit_intercept=False, tol=1e-10, max_iter=5000)
    np.testing.assert_allclose(ours.w, theirs.fit(X, Y.argmax(axis=1)).coef_.T, atol=1e-6)


def test_the_certificate_is_exact_where_the_penalty_is_all_there_is():
    # without inputs C is ln 10 everywhere, so that J* = ln 10 at w* = 0
    data, w = Split(np.zeros((3, 785)), np.eye(10)[:3]), np.random.default_rng(0).normal(size=(785, 10))
    model = SoftmaxRegression(0.3).copy(w)
    (proof,) = optima.certificates([model], data)
    assert proof.gap == pytest.approx(model.objective(*data) - np.log(10))
    assert proof.distance == pytest.approx(np.linalg.norm(w))
    with pytest.raises(ValueError, match=r"lam is 0.0; expected above 0"):
        optima.certificates([model, SoftmaxRegression(0.0)], data)


def test_the_certificate_bounds_what_is_known_of_weights_beside_the_optimum(images, stored):
    best = stored[0.001]
    for lam in (0.003, 0.0003):
        model = best.copy(stored[lam].w)  # the wrong optimum for this J
        (proof,) = optima.certificates([model], images.train)
        excess = model.objective(*images.train) - best.objective(*images.train)
        assert 1e-3 < excess <= proof.gap
        assert 1 < np.linalg.norm(model.w - best.w) <= proof.distance


def test_the_stored_optima_are_optima(images, stored):
    assert list(stored) == sorted(stored, reverse=True) and {1.0, 0.1, 0.01, 0.001} <= set(stored)
    some = [stored[lam] for lam in (1.0, 0.001, 0.00001)]
    for model, proof in zip(some, optima.certificates(some, images.train), strict=True):
        assert proof.gradient == pytest.approx(np.linalg.norm(model.gradient(*images.train)), rel=1e-3)
        assert proof.gap < 1e-12 and proof.distance < 1e-6
    lengths = [np.linalg.norm(model.w) for model in stored.values()]
    assert all(a < b for a, b in pairwise(lengths))


def test_the_stored_separator_reads_every_training_image_rightly_in_whole_numbers(mnist, images):
    w = optima.load_separator()
    assert optima.smallest_margin(w, images.train) > 0
    some = slice(None, None, 40)
    X = 2 * mnist.train_images[:20000][some].reshape(-1, 784).astype(int) - 255
    Z = X @ w[:784].astype(int) + 255 * w[784].astype(int)
    assert (Z.argmax(axis=1) == mnist.train_labels[:20000][some]).all()
    lead = [z[y] - np.delete(z, y).max() for z, y in zip(Z, mnist.train_labels[:20000][some], strict=True)]
    assert optima.smallest_margin(w, Split(*(a[some] for a in images.train))) == min(lead)


def test_a_missing_store_is_named_with_the_remedy(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"gone.npz is missing.*make optima"):
        optima.load_optima(tmp_path / "gone.npz")


def test_smallest_margin_refuses_what_float64_cannot_prove(few):
    for w in (np.full((785, 10), 0.5), np.full((785, 10), 2.0**48)):
        with pytest.raises(ValueError, match="whole numbers"):
            optima.smallest_margin(w, few.train)


def test_separate_finds_a_proof_or_says_that_it_found_none(few):
    X, Y = few.train
    start = optima.minimise(SoftmaxRegression(1.0), few.train, 1e-4).w
    assert optima.smallest_margin(np.rint(start * 1e5), few.train) < 0
    assert optima.smallest_margin(optima.separate(start, few.train), few.train) > 0
    twins = Split(X[[0, 0, 1]], Y[[0, 1, 2]])  # one image with two labels
    with pytest.raises(RuntimeError, match="misread"):
        optima.separate(start, twins)


def test_the_wrong_classes_share_of_the_gradient(few):
    # at zero weights the right class has (1 - 0.1)^2, each of the nine others 0.1^2
    assert task4.wrong_share(SoftmaxRegression(), few.train) == pytest.approx(0.09 / (0.81 + 0.09))


def test_roughness_of_known_images():
    noise = np.random.default_rng(0).normal(size=(785, 400))
    assert task4.roughness(noise) == pytest.approx(1, abs=0.01)
    assert task4.roughness(5 * noise) == pytest.approx(task4.roughness(noise))
    assert task4.roughness(np.ones((785, 10))) == 0
    checkers = (-1.0) ** np.add.outer(np.arange(28), np.arange(28)).ravel()
    assert task4.roughness(np.append(checkers, 9.0)[:, None]) == pytest.approx(2)


def test_means_and_likeness_agree_with_the_raw_images_and_scipy(mnist, images):
    means = task4.class_means(images.train, centred=False)
    sevens = mnist.train_images[:20000][mnist.train_labels[:20000] == 7].mean(axis=0).ravel() / 255 * 2 - 1
    np.testing.assert_allclose(means[:784, 7], sevens, atol=1e-12)
    np.testing.assert_allclose(task4.class_means(images.train, centred=True).sum(axis=1), 0, atol=1e-12)
    w = np.random.default_rng(0).normal(size=(785, 10))
    assert task4.likeness(w, means)[7] == pytest.approx(pearsonr(w[:784, 7], sevens)[0])


def test_the_weight_of_a_pixel_that_is_always_black_is_the_negative_bias(mnist, images, few):
    dark = task4.dark_pixels(images.train)
    assert (
        dark.tolist()
        == np.flatnonzero(mnist.train_images[:20000].reshape(20000, -1).max(axis=0) == 0).tolist()
    )
    run = train(SoftmaxRegression(0.1), few, learning_rate=0.05, epochs=2, seed=0, progress=False)
    np.testing.assert_allclose(run.last.w[dark], np.tile(-run.last.w[784], (len(dark), 1)), atol=1e-12)
    assert np.abs(run.last.w[784]).min() > 1e-6


def test_paired_differences_agree_with_scipy_and_mcnemar(few, stored):
    a, b = np.random.default_rng(0).normal(size=(2, 12))
    result = task4.paired(a, b)
    assert result.mean / result.error == pytest.approx(ttest_rel(a, b).statistic)
    with pytest.raises(ValueError, match="1 pairs"):
        task4.paired([1.0], [2.0])
    one, two = stored[0.01], stored[0.00001]
    right = [m.correct(m.logits(few.validation.X), few.validation.Y) for m in (one, two)]
    gained, lost = (right[0] & ~right[1]).sum(), (right[1] & ~right[0]).sum()
    result, n = task4.over_images(one, two, few.validation), 500
    assert result.mean == pytest.approx((gained - lost) / n)
    variance = (gained + lost - (gained - lost) ** 2 / n) / n / (n - 1)
    assert result.error == pytest.approx(np.sqrt(variance))


def test_equal_steps_pair_the_seeds(few):
    points: dict[str, Any] = dict(lam=(0.0, 1.0), seed=range(3))
    runs = sweep(SoftmaxRegression, few, learning_rate=0.01, epochs=10, checks_per_epoch=1, **points)
    result = task4.over_seeds(runs, 1.0, 0.0, "validation_loss")
    by_hand = [
        np.mean(runs[1.0, s].history.validation_loss[8:]) - np.mean(runs[0.0, s].history.validation_loss[8:])
        for s in range(3)
    ]
    assert (result.mean, result.pairs) == (pytest.approx(np.mean(by_hand)), 3) and result.mean > 0.1
    assert result.error == pytest.approx(np.std(by_hand, ddof=1) / np.sqrt(3))


def test_descent_goes_on_from_where_it_was(few):
    passed = task4.descent(few, (1, 3))
    first = train(SoftmaxRegression(), few, learning_rate=0.01, epochs=1, seed=1, progress=False).last
    np.testing.assert_allclose(passed[1].w, first.w, atol=1e-12)
    then = train(first, few, learning_rate=0.01, epochs=2, seed=3, progress=False).last
    np.testing.assert_allclose(passed[3].w, then.w, atol=1e-12)
    assert task4.nearest(passed[1], {0.1: passed[3], 0.2: first}) == 0.2


def test_aside_is_nothing_on_the_path_and_a_share_beside_it():
    path = [(1.0, 8.0), (2.0, 4.0), (4.0, 2.0)]  # a power law, straight in logarithms
    beside = [(np.sqrt(2), 8 / np.sqrt(2)), (3.0, 1.1 * 8 / 3)]
    np.testing.assert_allclose(task4.aside(beside, path), [0, 0.1], atol=1e-12)


def test_place_and_look_give_what_their_parts_give(few, stored):
    w = stored[0.01].w
    expected = np.sqrt((w**2).sum()), stored[0.01].loss(*few.validation)
    assert task4.place({7: stored[0.01]}, few.validation) == {7: pytest.approx(expected)}
    centred, raw = (task4.likeness(w, task4.class_means(few.train, c)).mean() for c in (True, False))
    means = [task4.class_means(few.train, c) for c in (True, False)]
    assert task4.look(w, *means) == (task4.roughness(w), centred, raw) and centred > raw


def test_stop_measures_against_the_optimum(few):
    run = train(SoftmaxRegression(0.1), few, learning_rate=0.01, epochs=3, seed=0, progress=False)
    optimum = optima.minimise(SoftmaxRegression(0.1), few.train, 1e-9)
    ended = task4.stop(run, optimum, few.train)
    np.testing.assert_allclose(ended.J, run.last.objective(*few.train))
    np.testing.assert_allclose(1 + ended.excess, ended.J / optimum.objective(*few.train))
    assert 0 < ended.excess * optimum.objective(*few.train) <= ended.gradient**2 / (4 * 0.1)
    assert ended.distance * np.linalg.norm(optimum.w) <= ended.gradient / (2 * 0.1)
    for model, found in zip(
        (run.last, optimum), task4.scores((run.last, optimum), few.validation), strict=True
    ):
        assert found.accuracy == model.accuracy(*few.validation)
        assert found.loss == pytest.approx(model.loss(*few.validation), rel=1e-12)
