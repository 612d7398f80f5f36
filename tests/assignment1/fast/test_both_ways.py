"""Fast and plain are one algorithm: of any model, data and settings both give the same run or refusal.

RUN_CASES=3000 in the environment tries as many cases, drawn anew, in place of 100 that are always the same.
"""

import os
import warnings
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assignment1 import LogisticRegression, Run, SoftmaxRegression, sweep, train
from assignment1.mnist import Dataset, Split
from assignment1.run import Settings
from assignment1.training import gradient_descent

pytestmark = pytest.mark.slow

CASES = int(os.environ.get("RUN_CASES", "100"))
TRIED = settings(
    max_examples=CASES,
    derandomize="RUN_CASES" not in os.environ,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


# Models of one's own: each changes what is computed, in a form that a subclass or a session may take


def cooler(self, z):
    return super(type(self), self).activation(z / 2)


def last_axis(z, Y):
    shifted = z - z.max(axis=-1, keepdims=True)
    return np.log(np.exp(shifted).sum(axis=-1)) - (Y * shifted).sum(axis=-1)


def lenient(z, Y):
    """Count an example as correct if its logit is not the lowest, of one output if it is near enough."""
    if z.shape[1] == 1:
        return np.abs(z[:, 0] - Y[:, 0]) < 0.7
    return (z * Y).sum(axis=1) > z.min(axis=1)


def clipped(self, w):
    model = super(type(self), self).copy(np.clip(w, -0.01, 0.01))
    return model


def halved(self, z, X, Y):
    return super(type(self), self).gradient_at(z, X, Y) / 2


def squared(self, z, Y):
    return float(np.square(self.activation(z) - Y).mean())


def among_even(self, z, Y):
    return float(self.correct(z[::2], Y[::2]).mean())


OWN: dict[str, dict[str, Any]] = {
    "accuracy_at": dict(accuracy_at=among_even),
    "activation": dict(activation=cooler),
    "copy": dict(copy=clipped),
    "correct": dict(correct=staticmethod(lenient)),
    "cross_entropy": dict(cross_entropy=staticmethod(last_axis)),
    "gradient_at": dict(gradient_at=halved),
    "lam": dict(lam=property(lambda self: 0.5, lambda self, value: None)),
    "loss_at": dict(loss_at=squared),
}


@st.composite
def models(draw, kind):
    """Draw a model, and whether it is one of its own kind."""
    lam = draw(st.sampled_from([0, 0, 1e-3, 0.3, 20, 1e300]))
    own = draw(st.sampled_from([None, None, None, "K", "object", *OWN]))
    made: Any = kind
    if own == "K":
        made = type("Other", (SoftmaxRegression,), dict(K=draw(st.sampled_from([1, 2, 3]))))
    elif own in OWN:
        made = type("Own", (kind,), OWN[own])
    model = made(lam)
    if own == "object":
        model.correct = lenient
    if draw(st.integers(0, 3)) == 0:  # a start elsewhere than at zero
        rng = np.random.default_rng(draw(st.integers(0, 99)))
        w = rng.normal(0, 0.03, model.w.shape)
        w[rng.random(785) < draw(st.sampled_from([0, 0.5, 0.99]))] = 0
        model.w = w.astype(draw(st.sampled_from([np.float64, np.float32])))
    return model, own == "object" or own in OWN or (own == "K" and made.K == 1)


# Data


def images(rng, style, count):
    """Return `count` rows of 785 numbers."""
    pixels = rng.integers(0, 256, (count, 785)) * (rng.random(785) < rng.random())
    found = pixels / 255 * 2 - 1
    found[:, -1] = 1
    if style == "alike":
        found = np.repeat(found[:1], count, axis=0)
    if style == "from 0 to 1":
        found = (found + 1) / 2
    if style == "noise":
        found = rng.normal(size=found.shape)
    if style == "noise and constant columns":
        found = np.where(rng.random(785) < 0.7, rng.normal(size=785), rng.normal(size=found.shape))
    if style == "few columns":
        found[:, 5:] = 0
    if style == "zeros":
        found = 0 * found
    return found


STYLES = ["pixels", "alike", "from 0 to 1", "noise", "noise and constant columns", "few columns", "zeros"]
SIZES = [1.0, 1.0, 1.0, 1.0, 1e-17, 1e-9, 1e-3, 128.4, -32768 / 255, 1e6, 1e150]
LAYOUTS: dict[str, Any] = {
    "rows": np.ascontiguousarray,
    "columns": np.asfortranarray,
    "backwards": lambda a: np.ascontiguousarray(a[::-1, ::-1])[::-1, ::-1],
    "every second": lambda a: np.repeat(np.repeat(a, 2, axis=0), 2, axis=1)[::2, ::2],
}


@st.composite
def splits(draw, K):
    count = draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    dtype = draw(st.sampled_from([np.float64, np.float64, np.float32]))
    size = draw(st.sampled_from(SIZES))
    X = images(rng, draw(st.sampled_from(STYLES)), count) * (size if dtype is np.float64 else min(size, 1e30))
    labels = rng.integers(0, draw(st.integers(1, max(K, 2))), count)
    Y = np.eye(K)[labels] if K > 1 else labels[:, None] * 1.0
    lay = LAYOUTS[draw(st.sampled_from(list(LAYOUTS)))]
    X = lay(X.astype(dtype))
    X.flags.writeable = draw(st.booleans())
    return Split(X, Y)


def rates():
    usual = st.floats(-6, 3).map(lambda power: 10.0**power)
    return st.one_of(usual, usual, usual, st.sampled_from([1e-300, 1e-40, 1e-25, 1e-18, 1e18, 1e30, 1e308]))


@st.composite
def cases(draw):
    kind = draw(st.sampled_from([LogisticRegression, SoftmaxRegression]))
    model, own = draw(models(kind))
    train, validation = draw(splits(model.K)), draw(splits(model.K))
    count = len(train.X)
    batch = draw(st.integers(1, count + (draw(st.integers(0, 20)) == 0)))
    how = Settings(
        draw(rates()),
        draw(st.integers(1, max(1, min(8, 80 * batch // count)))),
        batch,
        draw(st.sampled_from([True, False, "once"])),
        draw(st.integers(0, 99)),
        draw(st.sampled_from([None, 1, 2, 3])),
        draw(st.sampled_from([1, 2, 5, 10**9])),
        draw(st.sampled_from([None, 1, 2, 3])),
    )
    return model, own, Dataset(train, validation, lambda: validation), how


# What must agree


@dataclass
class Plain:
    """A run of the plain way, and what tells how far rounding can move it."""

    run: Run
    weights: list[np.ndarray]  # after each step
    checked: list[np.ndarray]  # those of checks


def plain(model: Any, data: Dataset, how: Settings) -> Plain | Exception:
    weights: list[np.ndarray] = []
    try:
        with np.errstate(all="ignore"):
            run = gradient_descent(model, data, how, watch=lambda log, model: weights.append(model.w))
    except Exception as error:
        return error
    return Plain(run, weights, [weights[step] for step in run.history.step])


def turned(model: Any, data: Dataset) -> Any:
    """Return the same with the columns in another order, so that all is rounded otherwise."""
    splits = [Split(np.ascontiguousarray(X[:, ::-1]), Y) for X, Y in (data.train, data.validation)]
    return model.copy(model.w[::-1]), Dataset(splits[0], splits[1], data.make_test)


def near(found: Any, wanted: Any, tolerance: Any, what: str) -> None:
    wrong = ~(np.abs(np.asarray(found) - wanted) <= tolerance)
    assert not wrong.any(), (what, np.argwhere(wrong)[:3].tolist(), np.asarray(found)[wrong][:3])


def share_of_ties(split: Split, w: np.ndarray, drift: float, few: float) -> float:
    """Return the share of examples whose logits leave it to rounding whether they are correct."""
    X, Y = split.X.astype(float), split.Y
    z = X @ w.astype(float)
    unsure = np.abs(X) @ (few * np.abs(w).max(axis=1).astype(float) + drift)
    others = np.where(Y > 0, -np.inf, z).max(axis=1) if z.shape[1] > 1 else 0
    lead = (z * Y).sum(axis=1) - others if z.shape[1] > 1 else z[:, 0]
    return float((np.abs(lead) <= unsure).mean())


@np.errstate(all="ignore")  # what may differ by much may do so
def assert_same(fast: Run, one: Plain, other: Plain, data: Dataset) -> None:
    """Fail unless a run is that of the plain way, as nearly as rounding leaves that one itself.

    How far it may be is told by the numbers that are added up, and by a run with the columns turned round.
    """
    run = one.run
    few = 100 * float(np.finfo(run.last.w.dtype).eps)
    steps = min(len(one.weights), len(other.weights), fast.steps)
    moved = np.zeros(steps)
    size = np.zeros(steps)
    for step in range(steps):
        w = one.weights[step].astype(float)
        moved[step] = np.abs(w - other.weights[step][::-1]).max()
        size[step] = np.abs(w).max()
    width = float(
        max(np.abs(split.X).astype(float).sum(axis=1).max() for split in (data.train, data.validation))
    )
    reach = 1 + width * np.maximum.accumulate(size)
    update = run.settings["learning_rate"] * float(np.abs(data.train.X).max())  # at most, of a weight
    drift = np.maximum.accumulate(few * (size + update * reach) + 100 * moved)  # of the weights
    unsure = few * reach + width * drift  # of a loss
    near(fast.history.train_loss[:steps], run.history.train_loss[:steps], unsure, "train_loss")
    best = np.inf
    for number, step in enumerate(run.history.step[run.history.step < steps]):
        losses = [found.history.validation_loss[number] for found in (fast, run)]
        near(losses[0], losses[1], unsure[step], "validation_loss")
        assert fast.history.step[number] == step
        for name, split in (("validation_accuracy", data.validation), ("train_accuracy", data.train)):
            shares = [vars(found.history)[name][number] for found in (fast, run)]
            assert np.isnan(shares[0]) == np.isnan(shares[1]), name
            if not np.isnan(shares[0]):
                ties = share_of_ties(split, one.checked[number], drift[step], few)
                near(shares[0], shares[1], ties + 1e-12, name)
        if abs(losses[1] - best) <= unsure[step]:
            return  # whether this check is the best is for rounding to say
        best = min(best, losses[1])
    assert fast.settings == run.settings
    for name in ("steps", "epoch", "stopped_early", "interrupted", "best_step", "batches_per_epoch"):
        assert getattr(fast, name) == getattr(run, name), name
    for mine, theirs in ((fast.last, run.last), (fast.best, run.best)):
        assert type(mine) is type(theirs) and mine.lam == theirs.lam and mine.w.dtype == theirs.w.dtype
        near(mine.w, theirs.w, drift[-1], "weights")


def assert_identical(fast: Run, run: Run) -> None:
    for name, value in vars(run).items():
        other = getattr(fast, name)
        if name == "history":
            for array, mine in zip(vars(value).values(), vars(other).values(), strict=True):
                np.testing.assert_array_equal(mine, array)
        elif name in ("last", "best"):
            np.testing.assert_array_equal(other.w, value.w)
        else:
            assert other == value, name


def made(model: Any, data: Dataset, how: Settings) -> Run | Exception:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return train(model, data, **vars(how), progress=False)
    except Exception as error:
        return error


def compare(found: Run | Exception, model: Any, own: bool, data: Dataset, how: Settings) -> None:
    """Fail unless what was found is what the plain way gives: the same run, or the same refusal."""
    one = plain(model, data, how)
    if isinstance(one, Exception) or isinstance(found, Exception):
        assert (type(one), str(one)) == (type(found), str(found))
    elif own or not np.isfinite(one.weights[-1]).all():  # what diverges is left to the plain way
        assert_identical(found, one.run)
    else:
        again, columns = turned(model, data)
        other = plain(again, columns, how)
        if isinstance(other, Plain):
            assert_same(found, one, other, data)


def test_both_ways_give_the_same_run_or_the_same_refusal(tried):
    @TRIED
    @given(cases())
    def each(case):
        model, _, data, how = case
        compare(made(model, data, how), *case)

    each()
    by = f"RUN_CASES={CASES}" if "RUN_CASES" in os.environ else ""
    tried("A model, data and settings of any kind, trained both ways", CASES, "the same run or refusal", by)


@settings(TRIED, max_examples=max(CASES // 4, 1))
@given(
    cases(),
    st.lists(st.sampled_from([0.0, 1e-3, 0.5, 3.0, 1e300]), min_size=2, max_size=2, unique=True),
    rates(),
)
def test_a_sweep_gives_the_runs_of_the_plain_way_or_its_refusals(case, lams, rate):
    model, own, data, how = case
    given = vars(how) | dict(learning_rate=list({how.learning_rate: 0, rate: 0}), workers=1, progress=False)

    def kind(lam: float) -> Any:
        other = copy(model)
        other.lam = lam
        return other

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            runs = sweep(kind, data, lam=lams, **given)
        found = {**runs, **runs.failed}
    except Exception as refused:
        found = {(lams[0], how.learning_rate): refused}
        assert all(isinstance(plain(kind(lam), data, how), Exception) for lam in lams)
    for (lam, learning_rate), run in found.items():
        settings = replace(how, learning_rate=learning_rate)
        if type(run) is ValueError:  # of a sweep, errors but that of divergence name the settings as well
            error = plain(kind(lam), data, settings)
            words = str(error) if type(error) is ValueError else f"{type(error).__name__}: {error}"
            assert isinstance(error, Exception) and str(run).startswith(words)
        else:
            compare(run, kind(lam), own, data, settings)
