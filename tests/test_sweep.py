"""Sweeps: the numbers of single runs, in the order asked, whatever fails and whoever works."""

from typing import Any

import numpy as np
import pytest
from assignment1 import LogisticRegression, Run, SoftmaxRegression, load_mnist, sweep, train
from assignment1.mnist import Dataset, Split

SETTINGS: dict[str, Any] = dict(learning_rate=0.05, epochs=12, patience=3, progress=False)


@pytest.fixture(scope="module")
def mnist():
    return load_mnist()


def assert_same(run: Run, other: Run) -> None:
    assert (run.steps, run.epoch, run.stopped_early) == (other.steps, other.epoch, other.stopped_early)
    assert (run.best_step, run.settings) == (other.best_step, other.settings)
    for name, measured in vars(run.history).items():
        np.testing.assert_allclose(measured, getattr(other.history, name), rtol=1e-8)
    for mine, theirs in ((run.last, other.last), (run.best, other.best)):
        assert type(mine) is type(theirs) and mine.lam == theirs.lam
        np.testing.assert_allclose(mine.w, theirs.w, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_sweep_gives_the_numbers_of_single_runs_in_the_order_asked(mnist, workers):
    sets = {"2 or 3": mnist.binary(2, 3), "4 or 9": lambda: load_mnist().binary(4, 9)}
    runs = sweep(LogisticRegression, sets, lam=(0.1, 0.0), seed=range(2), workers=workers, **SETTINGS)
    assert list(runs) == [(d, lam, seed) for d in sets for lam in (0.1, 0.0) for seed in (0, 1)]
    pairs = {"2 or 3": (2, 3), "4 or 9": (4, 9)}
    for (digits, lam, seed), run in runs.items():
        assert_same(run, train(LogisticRegression(lam), mnist.binary(*pairs[digits]), seed=seed, **SETTINGS))
    assert len({run.steps for run in runs.values()}) > 2  # they stopped apart, so runs left their stacks


def test_a_softmax_stack_gives_the_numbers_of_single_runs(mnist):
    images = mnist.softmax()
    small = Dataset(Split(*(a[:2000] for a in images.train)), images.validation, lambda: images.test)
    settings = SETTINGS | dict(epochs=3, patience=2, seed=1)
    runs = sweep(SoftmaxRegression, small, lam=(0.0, 1.0), **settings | dict(learning_rate=[0.01, 0.3]))
    for (lam, rate), run in runs.items():
        assert_same(run, train(SoftmaxRegression(lam), small, **settings | dict(learning_rate=rate)))


def test_a_run_that_fails_names_its_settings_and_loses_no_other(mnist):
    settings = SETTINGS | dict(epochs=2, learning_rate=0.05, seed=0)
    with pytest.warns(RuntimeWarning, match="failed"):
        runs = sweep(LogisticRegression, mnist.binary(2, 3), lam=(0.0, -1.0, 1e300), **settings)
    assert list(runs) == [0.0]
    assert_same(runs[0.0], train(LogisticRegression(), mnist.binary(2, 3), **settings))
    with pytest.raises(ValueError, match=r"lam is -1.0.*'seed': 0"):
        runs[-1.0]
    with pytest.raises(FloatingPointError, match=r"diverged.*'lam': 1e\+300"):
        runs[1e300]
    with pytest.raises(KeyError, match="no run of this sweep"):
        runs[5.0]


def test_an_unknown_or_missing_setting_is_named(mnist):
    digits = mnist.binary(2, 3)
    with pytest.raises(TypeError, match="epoch"):
        sweep(LogisticRegression, digits, epoch=3, learning_rate=0.1)
    with pytest.raises(TypeError, match="learning_rate"):
        sweep(LogisticRegression, digits, epochs=3)
