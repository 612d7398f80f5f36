"""The fast way of training against the plain one, both against a student's, and each shortcut alone."""

import runpy
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assignment1 import LogisticRegression, Run, SoftmaxRegression, load_mnist, sweep, train
from assignment1.fast import evaluation
from assignment1.fast.engine import CompactInputs, training_accuracies
from assignment1.mnist import Dataset, Split
from assignment1.run import Settings

pytestmark = pytest.mark.slow

student = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "reference.py"))


@pytest.fixture(scope="module")
def mnist():
    return load_mnist()


def first(data: Dataset, count: int) -> Dataset:
    return Dataset(Split(*(a[:count] for a in data.train)), data.validation, lambda: data.test)


COUNTS = ("steps", "epoch", "stopped_early", "interrupted", "best_step", "batches_per_epoch", "settings")


def both(model: Any, data: Dataset, **settings: Any) -> tuple[Run, Run]:
    """Return the run made the plain way, and the fast way."""
    plain = train(model, data, method="plain", progress=False, **settings)
    return plain, train(model, data, method="fast", progress=False, **settings)


def assert_same(run: Run, other: Run, rtol: float = 1e-8) -> None:
    for name in COUNTS:
        assert getattr(run, name) == getattr(other, name), name
    for name, measured in vars(run.history).items():
        np.testing.assert_allclose(measured, getattr(other.history, name), rtol=rtol, err_msg=name)
    for mine, theirs in ((run.last, other.last), (run.best, other.best)):
        assert type(mine) is type(theirs) and mine.lam == theirs.lam and mine.w.dtype == theirs.w.dtype
        np.testing.assert_allclose(mine.w, theirs.w, rtol=rtol, atol=1e-2 * rtol)


KINDS: list[dict[str, Any]] = [
    dict(),
    dict(shuffle=False),
    dict(shuffle="once"),
    dict(lam=0.3),
    dict(patience=1, learning_rate=0.5),
    dict(patience=4, epochs=12, learning_rate=0.3),
    dict(batch_size=700, checks_per_epoch=1),
    dict(batch_size=1, epochs=1, checks_per_epoch=200, learning_rate=5e-4, images=300),
    dict(train_accuracy_every=3),
    dict(train_accuracy_every=None, seed=5),
]


def test_both_ways_are_compared_in_every_setting():
    untried = sorted({field.name for field in fields(Settings)} - set().union(*KINDS))
    assert untried == [], (
        "new in Settings: add a line to KINDS and a draw to fast/test_both_ways.py; "
        "assignment1/fast/engine.py must obey it"
    )


@pytest.mark.parametrize("change", KINDS, ids=str)
@pytest.mark.parametrize("kind", [LogisticRegression, SoftmaxRegression])
def test_both_ways_of_training_give_the_same_run(mnist, kind, change):
    whole = mnist.binary(2, 3) if kind is LogisticRegression else mnist.softmax()
    X, Y = whole.validation
    settings = dict[str, Any](learning_rate=0.05, epochs=4, seed=3, images=1500) | change
    few = first(replace(whole, validation=Split(X[:500], Y[:500])), settings.pop("images"))
    model = kind(settings.pop("lam", 0.0))
    plain, fast = both(model, few, **settings)
    assert_same(fast, plain)
    assert (model.w == 0).all()
    assert plain.stopped_early == ("patience" in change)


def test_both_ways_give_the_same_run_in_float32(mnist):
    data = first(mnist.binary(2, 3, np.float32), 1500)
    settings: dict[str, Any] = dict(learning_rate=0.05, epochs=2, shuffle=False)
    plain, fast = both(LogisticRegression(), data, **settings)
    assert plain.last.w.dtype == np.float32
    assert_same(fast, plain, rtol=1e-3)


@pytest.mark.parametrize("method", ["plain", "fast"])
@pytest.mark.parametrize("lam, patience", [(0.0, 1), (0.0, 4), (0.3, 3)])
@pytest.mark.parametrize("kind", [LogisticRegression, SoftmaxRegression])
def test_a_run_is_that_of_a_students_code(mnist, kind, lam, patience, method):
    softmax = kind is SoftmaxRegression
    data = first(mnist.softmax(), 2000) if softmax else mnist.binary(2, 3)
    settings: dict[str, Any] = dict(learning_rate=0.3 if softmax else 0.1, epochs=12, batch_size=128, seed=7)
    expected = student["train"]((data.train, data.validation), lam, patience=patience, **settings)
    run = train(kind(lam), data, patience=patience, progress=False, method=method, **settings)
    assert (run.steps, run.best_step) == (expected["steps"], expected["best_step"])
    assert run.stopped_early
    for name, measured in vars(run.history).items():
        np.testing.assert_allclose(measured, expected[name], rtol=1e-8, err_msg=name)


@pytest.mark.parametrize("method", ["plain", "fast"])
@pytest.mark.parametrize("rate, step", [(1e308, 0), (1e200, None)])
def test_a_diverged_run_names_its_step_and_the_setting(mnist, method, rate, step):
    data = first(mnist.softmax(), 1500)
    settings: dict[str, Any] = dict(learning_rate=rate, epochs=2, progress=False, method=method)
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError) as error:
        train(SoftmaxRegression(1e200), data, **settings)
    assert "diverged" in str(error.value) and "smaller learning_rate or lam" in str(error.value)
    assert step is None or f"at step {step}" in str(error.value)


@pytest.mark.parametrize("runs", [1, 3])
@pytest.mark.parametrize("images", [50, evaluation.SMALL // 10])
def test_products_are_those_of_the_equations_for_each_of_many_weights(runs, images):
    rng = np.random.default_rng(0)
    X, W = rng.normal(size=(images, 785)), rng.normal(size=(785, 10, runs))
    z = evaluation.logits(X, W)
    np.testing.assert_allclose(z, np.einsum("nd,dkr->nkr", X, W), atol=1e-11)
    assert z.strides[0] == z.itemsize


@pytest.mark.parametrize("kind, K", [(LogisticRegression, 1), (SoftmaxRegression, 10)])
def test_many_models_at_once_have_each_models_loss_and_accuracy(mnist, kind, K):
    data = mnist.binary(2, 3) if K == 1 else mnist.softmax()
    split, rng = Split(*(a[:3000] for a in data.validation)), np.random.default_rng(0)
    models = [kind(lam).copy(rng.normal(0, 0.05, (785, K))) for lam in (0.0, 0.1, 2.0)]
    found = evaluation.evaluate(models, split)
    np.testing.assert_allclose(found.loss.mean(axis=1), [model.loss(*split) for model in models], rtol=1e-12)
    assert found.correct.mean(axis=1).tolist() == [model.accuracy(*split) for model in models]


@pytest.mark.parametrize("runs", [(), (3,)])
@pytest.mark.parametrize("ties", [False, True])
def test_of_equal_logits_the_first_is_predicted(ties, runs):
    rng = np.random.default_rng(0)
    z = rng.integers(0, 4, (500, 10, *runs)).astype(float) if ties else rng.normal(size=(500, 10, *runs))
    Y = np.eye(10)[rng.integers(0, 10, 500)].reshape(500, 10, *(1 for _ in runs))
    best = np.array([row.tolist().index(max(row)) for row in np.moveaxis(z, 1, -1).reshape(-1, 10)])
    expected = best.reshape(500, *runs) == Y.argmax(axis=1)
    np.testing.assert_array_equal(SoftmaxRegression.correct(z, Y), expected)
    assert 0 < expected.mean() < 1


def test_training_accuracies_are_left_out_and_nothing_else(mnist):
    data = first(mnist.softmax(), 2000)
    X, Y = data.validation
    data = replace(data, validation=Split(X[:1000], Y[:1000]))
    settings: dict[str, Any] = dict(learning_rate=0.05, epochs=12, seed=7, patience=4, progress=False)
    whole = sweep(SoftmaxRegression, data, lam=(0.0, 0.1), workers=1, **settings)
    assert len(whole[0.0].history.step) != len(whole[0.1].history.step)
    for every in (2, 3, None):
        runs = sweep(
            SoftmaxRegression, data, lam=(0.0, 0.1), workers=1, **settings, train_accuracy_every=every
        )
        for lam, run in runs.items():
            expected = dict(vars(whole[lam].history))
            check = np.arange(len(run.history.step))
            left_out = check % every != 0 if every else check >= 0
            expected["train_accuracy"] = np.where(left_out, np.nan, expected["train_accuracy"])
            for name, measured in vars(run.history).items():
                np.testing.assert_array_equal(measured, expected[name], err_msg=name)


@pytest.mark.parametrize("change", ["pixels", "no pixels", "no bias", "nothing constant", "weights not zero"])
def test_compact_inputs_stand_for_the_images_whatever_these_are(mnist, change):
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
    before = X.copy()
    inputs = CompactInputs(X, model.w[..., None])
    np.testing.assert_array_equal(X, before)
    np.testing.assert_allclose(inputs.varying, inputs.unit * X[:, ~inputs.fixed], atol=1e-9)
    assert inputs.unit == (1 if change in ("no pixels", "nothing constant") else 255)
    assert inputs.fixed.any() == (change not in ("nothing constant", "weights not zero"))
    changed, settings = replace(data, train=Split(X, Y)), dict[str, Any](learning_rate=0.05, epochs=4, seed=2)
    plain, fast = both(model, changed, **settings)
    np.testing.assert_allclose(fast.last.w, plain.last.w, rtol=1e-9, atol=1e-13)


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
    W = np.stack([w, -w], axis=-1)
    inputs = CompactInputs(X, W)
    found = training_accuracies(kind, inputs.compress(W), inputs, np.ascontiguousarray(Y.T))
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
