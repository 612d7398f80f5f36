"""Training against the assignment's algorithm as a student writes it, and each of its shortcuts alone."""

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from assignment1 import LogisticRegression, SoftmaxRegression, load_mnist, sweep, train
from assignment1.mnist import Dataset, Split
from assignment1.models import SMALL
from assignment1.training import Pixels, accuracies

plain = runpy.run_path(str(Path(__file__).parent.parent / "benchmarks" / "reference.py"))


@pytest.fixture(scope="module")
def mnist():
    return load_mnist()


def first(data: Dataset, count: int) -> Dataset:
    return Dataset(Split(*(a[:count] for a in data.train)), data.validation, lambda: data.test)


@pytest.mark.parametrize("lam, patience", [(0.0, 1), (0.0, 4), (0.3, 3)])
@pytest.mark.parametrize("kind", [LogisticRegression, SoftmaxRegression])
def test_a_run_is_that_of_the_plain_algorithm(mnist, kind, lam, patience):
    softmax = kind is SoftmaxRegression
    data = first(mnist.softmax(), 2000) if softmax else mnist.binary(2, 3)
    settings: dict[str, Any] = dict(learning_rate=0.3 if softmax else 0.1, epochs=12, batch_size=128, seed=7)
    expected = plain["train"]((data.train, data.validation), lam, patience=patience, **settings)
    run = train(kind(lam), data, patience=patience, progress=False, **settings)
    assert (run.steps, run.best_step) == (expected["steps"], expected["best_step"])
    assert run.stopped_early
    for name, measured in vars(run.history).items():
        np.testing.assert_allclose(measured, expected[name], rtol=1e-8, err_msg=name)


@pytest.mark.parametrize("stack", [(), (1,), (3,)])
@pytest.mark.parametrize("images", [50, SMALL // 10])
def test_products_are_those_of_the_equations_for_each_run_of_a_stack(stack, images):
    rng = np.random.default_rng(0)
    X, w = rng.normal(size=(images, 785)), rng.normal(size=(785, 10, *stack))
    z = SoftmaxRegression().copy(w).logits(X)
    np.testing.assert_allclose(z, np.einsum("nd,dk...->nk...", X, w), atol=1e-11)
    assert z.strides[0] == z.itemsize


@pytest.mark.parametrize("stack", [(), (3,)])
@pytest.mark.parametrize("ties", [False, True])
def test_of_equal_logits_the_first_is_the_reading(ties, stack):
    rng = np.random.default_rng(0)
    z = rng.integers(0, 4, (500, 10, *stack)).astype(float) if ties else rng.normal(size=(500, 10, *stack))
    Y = np.eye(10)[rng.integers(0, 10, 500)].reshape(500, 10, *(1 for _ in stack))
    expected = z.argmax(axis=1) == Y.argmax(axis=1)
    np.testing.assert_array_equal(SoftmaxRegression.correct(z, Y), expected)
    assert 0 < expected.mean() < 1


@pytest.mark.parametrize("every", [2, 3, None])
def test_training_accuracies_are_left_out_and_nothing_else(mnist, every):
    data = first(mnist.softmax(), 2000)
    settings: dict[str, Any] = dict(learning_rate=0.05, epochs=12, seed=7, patience=4, progress=False)
    whole = sweep(SoftmaxRegression, data, lam=(0.0, 0.1), workers=1, **settings)
    runs = sweep(SoftmaxRegression, data, lam=(0.0, 0.1), workers=1, **settings, train_accuracy_every=every)
    assert len(whole[0.0].history.step) != len(whole[0.1].history.step)
    for lam, run in runs.items():
        expected = dict(vars(whole[lam].history))
        check = np.arange(len(run.history.step))
        left_out = check % every != 0 if every else check >= 0
        expected["train_accuracy"] = np.where(left_out, np.nan, expected["train_accuracy"])
        for name, measured in vars(run.history).items():
            np.testing.assert_array_equal(measured, expected[name], err_msg=name)


@pytest.mark.parametrize("change", ["pixels", "no pixels", "no bias", "nothing constant", "weights not zero"])
def test_pixels_stand_for_the_images_whatever_these_are(mnist, change):
    data, model = first(mnist.binary(2, 3), 1000), LogisticRegression(0.1)
    X, Y = data.train
    if change == "no pixels":
        X = X**3
    if change == "no bias":
        X = np.hstack([X[:, :784], X[:, 300:301]])
    if change == "nothing constant":
        X = X + np.random.default_rng(0).normal(0, 0.1, X.shape)
    if change == "weights not zero":
        model = model.copy(np.random.default_rng(1).normal(0, 0.01, (785, 1)))
    pixels = Pixels(X, model.w[..., None])
    assert pixels.unit == (1 if change in ("no pixels", "nothing constant") else 255)
    assert pixels.fixed.any() == (change not in ("nothing constant", "weights not zero"))
    shuffled = Dataset(Split(X, Y), data.validation, lambda: data.test)
    settings: dict[str, Any] = dict(learning_rate=0.05, epochs=4, shuffle="once", seed=2, progress=False)
    run, w = train(model, shuffled, **settings), model.w
    order = np.random.default_rng(2).permutation(len(X))
    for start in list(range(0, 896, 128)) * 4:
        x, y = X[order[start : start + 128]], Y[order[start : start + 128]]
        w = w - 0.05 * (x.T @ (1 / (1 + np.exp(-x @ w)) - y) / 128 + 2 * 0.1 * w)
    np.testing.assert_allclose(run.last.w, w, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("kind, K", [(LogisticRegression, 1), (SoftmaxRegression, 10)])
def test_accuracies_are_exact_though_float32_cannot_tell_the_classes_apart(kind, K):
    rng = np.random.default_rng(0)
    X, Y = rng.uniform(-1, 1, (500, 785)), np.eye(10)[np.zeros(500, int)][:, :K]
    w = np.repeat(rng.normal(size=(785, 1)), K, axis=1)
    w = w - X.T @ np.linalg.solve(X @ X.T, X @ w) if K == 1 else w  # logits of about 0, or all alike
    w[:, 0] += 1e-9 * rng.normal(size=785)
    model = kind().copy(w)
    assert 0.3 < model.accuracy(X, Y) < 0.7
    assert kind().copy(w.astype(np.float32)).accuracy(X.astype(np.float32), Y) != model.accuracy(X, Y)
    both = kind.stack([model, model.copy(-w)])
    pixels = Pixels(X, both.w)
    found = accuracies(both.copy(pixels.compress(both.w)), pixels, np.ascontiguousarray(Y.T))
    assert found == [model.accuracy(X, Y), model.copy(-w).accuracy(X, Y)]


def test_shuffled_once_is_the_file_order_of_shuffled_images(mnist):
    data, settings = mnist.binary(2, 3), dict[str, Any](learning_rate=0.05, epochs=3, progress=False)
    order = np.random.default_rng(5).permutation(len(data.train.X))
    shuffled = Dataset(Split(*(part[order] for part in data.train)), data.validation, lambda: data.test)
    once = train(LogisticRegression(), data, shuffle="once", seed=5, **settings)
    filed = train(LogisticRegression(), shuffled, shuffle=False, **settings)
    np.testing.assert_allclose(once.history.train_loss, filed.history.train_loss, rtol=1e-12)
    each = train(LogisticRegression(), data, seed=5, **settings).history.train_loss
    same = each == once.history.train_loss
    assert same[:31].all() and not same[31:].any()


def test_in_file_order_and_in_float32(mnist):
    double, single = (mnist.binary(2, 3, dtype) for dtype in (np.float64, np.float32))
    settings: dict[str, Any] = dict(learning_rate=0.05, epochs=3, shuffle=False, progress=False)
    run, rough = (train(LogisticRegression(), data, **settings) for data in (double, single))
    assert (run.last.w.dtype, rough.last.w.dtype) == (np.float64, np.float32)
    np.testing.assert_allclose(rough.history.validation_loss, run.history.validation_loss, rtol=1e-4)
    assert not np.array_equal(rough.history.validation_loss, run.history.validation_loss)
    assert rough.history.validation_loss.dtype == np.float64
