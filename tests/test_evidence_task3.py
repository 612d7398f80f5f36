"""The evidence of task 3d against planted histories, finite differences and plain loops."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from assignment1 import SoftmaxRegression, load_mnist, train
from assignment1.evidence import task3
from assignment1.mnist import Dataset, Split
from scipy.stats import linregress, sem


@pytest.fixture(scope="module")
def few() -> Dataset:
    """The first 1280 training and 500 validation images."""
    data = load_mnist().softmax()
    train_, validation = Split(*(a[:1280] for a in data.train)), Split(*(a[:500] for a in data.validation))
    return Dataset(train_, validation, lambda: validation)


@pytest.fixture(scope="module")
def run(few):
    return train(SoftmaxRegression(), few, learning_rate=0.01, epochs=12, seed=0)


def with_history(run, **arrays):
    return replace(run, history=replace(run.history, **arrays))


def test_gap_is_that_of_a_loop_over_images(few):
    models = [SoftmaxRegression().copy(np.random.default_rng(s).normal(0, 0.01, (785, 10))) for s in (0, 1)]
    right, cost = [], []
    for X, Y in (few.train, few.validation):
        P = [np.exp(X @ m.w) / np.exp(X @ m.w).sum(axis=1, keepdims=True) for m in models]
        right.append(np.mean([p.argmax(axis=1) == Y.argmax(axis=1) for p in P], axis=0))
        cost.append(np.mean([-np.log((p * Y).sum(axis=1)) for p in P], axis=0))
    found = task3.gap(models, few)
    assert found.accuracy == pytest.approx(right[0].mean() - right[1].mean())
    assert found.loss == pytest.approx(cost[1].mean() - cost[0].mean())
    assert found.accuracy_error == pytest.approx(np.hypot(sem(right[0]), sem(right[1])))
    assert found.loss_error == pytest.approx(np.hypot(sem(cost[0]), sem(cost[1])))


def test_the_gap_crosses_where_it_was_planted(run):
    epochs = (run.history.step + 1) / 10
    early, late = (
        with_history(run, train_accuracy=0.5 + 0.01 * (epochs - e), validation_accuracy=0.5 + 0 * epochs)
        for e in (3.05, 7.05)
    )
    np.testing.assert_allclose(task3.crossings([early, late]), [2.9, 6.9])
    ahead = with_history(run, train_accuracy=1 + 0 * epochs, validation_accuracy=0 * epochs)
    assert task3.crossings([ahead]).tolist() == [0]
    at, gaps = task3.accuracy_gaps([early])
    np.testing.assert_allclose(gaps[0], 0.01 * (epochs - 3.05), atol=1e-12)
    assert at.tolist() == epochs.tolist()
    now_and_then = np.where(np.arange(len(epochs)) % 5 == 0, early.history.train_accuracy, np.nan)
    at, some = task3.accuracy_gaps([with_history(early, train_accuracy=now_and_then)])
    assert at.tolist() == epochs[::5].tolist() and some.tolist() == gaps[:, ::5].tolist()


def test_slope_is_that_of_the_last_epochs(run):
    at, loss = (run.history.step + 1) / 10, run.history.validation_loss
    expected = linregress(at[at > at[-1] - 5], loss[at > at[-1] - 5]).slope
    assert task3.slopes([run], "validation_loss", 5)[0] == pytest.approx(expected)


def test_noise_is_told_from_the_curve(run):
    noise = np.random.default_rng(0).normal(0, 0.003, 2000)
    loss = np.linspace(2, 1, 2000) + noise
    assert task3.check_noise(with_history(run, validation_loss=loss), 2000) == pytest.approx(0.003, rel=0.08)


def test_drift_is_what_a_small_step_does(few, run):
    g = run.last.gradient(*few.train)
    h, epoch = 1e-6, 0.01 * 10
    stepped = run.last.copy(run.last.w - h * g)
    measured = [(stepped.loss(*s) - run.last.loss(*s)) / h * epoch for s in (few.train, few.validation)]
    np.testing.assert_allclose(np.ravel(task3.drift([run.last], few)), measured, rtol=1e-4)


def test_run_on_goes_on_from_the_unsettled_weights(few):
    few = replace(few, train=Split(*(a[:256] for a in few.train)))
    W = task3.run_on(few, 2)
    settings: dict[str, Any] = dict(learning_rate=0.01, epochs=50)
    first = train(SoftmaxRegression(), few, seed=0, **settings).last
    second = train(first, few, seed=1, **settings).last
    np.testing.assert_allclose(W[1], task3.settled(second, few.train).w, atol=1e-12)
    noise = np.linalg.norm(first.gradient(*few.train))
    assert np.linalg.norm(first.copy(W[0]).gradient(*few.train)) < 0.9 * noise


def test_the_stored_run_fits_ever_better_while_the_validation_loss_turns():
    data, stored = load_mnist().softmax(), task3.load_long_run()
    assert list(stored) == list(range(50, 601, 50))
    ends = [stored[epoch] for epoch in (50, 600)]
    assert ends[0].loss(*data.train) > ends[1].loss(*data.train)
    early, late = task3.drift(ends, data)[1]
    assert early < 0 < late
