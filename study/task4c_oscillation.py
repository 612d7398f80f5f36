"""Task 4c: why the accuracy of the run with lambda = 1 swings from check to check."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, eigsh
from threadpoolctl import threadpool_limits

from assignment1.mnist import Dataset, Split
from assignment1.models import Array, Regression, SoftmaxRegression
from study.cache import kept
from study.task4d_penalty import Late, late, scores

RATE, BATCH, EVERY = 0.01, 128, 31  # task 4's learning rate and batch size, updates from check to check
Rows = NDArray[np.intp]


class Curvature(NamedTuple):
    """The direction of largest curvature of J."""

    largest: float  # the curvature, nats per squared unit of the weights
    along_mean: float  # the share of the direction's squared norm that lies along the mean image


@kept
@threadpool_limits.wrap(limits=1)  # more threads than one lose time on products this small
def arms(start: SoftmaxRegression, data: Dataset, checks: int = 12, settle: int = 3) -> dict[str, Late]:
    """The last `checks` validation accuracies when training goes on from `start`, in four ways.

    "as in task 4c", batches are random; "a tenth of the rate" differs in the learning rate alone, "equal
    shares" in that each batch has the digits in the shares of all training images, and "all images" makes
    each update from all of them and looks at the last `checks` updates. The first `settle` are left out.
    """
    n, rng, labels = EVERY * (checks + settle), np.random.default_rng(0), data.train.Y.argmax(axis=1)
    whole = (np.arange(len(labels)) for _ in range(2 * checks))
    result = {}
    for name, rate, batches, every in (
        ("as in task 4c", RATE, shuffled(labels, n, rng), EVERY),
        ("a tenth of the rate", RATE / 10, shuffled(labels, n, rng), EVERY),
        ("equal shares", RATE, in_shares(labels, n, rng), EVERY),
        ("all images", RATE, whole, 1),
    ):
        passed = list(follow(start, data.train, rate, batches))[every - 1 :: every][-checks:]
        result[name] = late(np.array([s.accuracy for s in scores(passed, data.validation)]), checks)
    return result


def follow(model: Regression, data: Split, rate: float, batches: Iterator[Rows]) -> Iterator[Regression]:
    """The model after each update, one from each batch of rows."""
    for rows in batches:
        X, Y = data if len(rows) == len(data.X) else (data.X[rows], data.Y[rows])
        model = model.copy((model.w - rate * model.gradient(X, Y)).astype(data.X.dtype))
        yield model


def shuffled(labels: Rows, updates: int, rng: np.random.Generator) -> Iterator[Rows]:
    """Batches of an order that is drawn anew in each epoch."""
    per_epoch = len(labels) // BATCH
    for update in range(updates):
        if update % per_epoch == 0:
            order = rng.permutation(len(labels))
        start = update % per_epoch * BATCH
        yield order[start : start + BATCH]


def in_shares(labels: Rows, updates: int, rng: np.random.Generator) -> Iterator[Rows]:
    """Batches with the same number of each digit, as near as can be to its share of all images."""
    exact = np.bincount(labels) / len(labels) * BATCH
    counts = np.floor(exact).astype(int)
    counts[np.argsort(counts - exact)[: BATCH - counts.sum()]] += 1
    members = [np.flatnonzero(labels == k) for k in range(len(counts))]
    for _ in range(updates):
        yield np.concatenate([rng.choice(m, c, replace=False) for m, c in zip(members, counts, strict=True)])


def curvature(model: SoftmaxRegression, data: Split, count: int = 5000) -> Curvature:
    """The largest eigenvalue of J's Hessian at the weights of `model`, on the first `count` images.

    Gradient descent on all images is stable up to a learning rate of 2 over this number.
    """
    X, shape = data.X[:count], model.w.shape
    p = model.forward(X)

    def hessian(v: Array) -> Array:
        u = p * (X @ v.reshape(shape))
        g = X.T @ (u - p * u.sum(axis=1, keepdims=True)) / len(X)
        return (g + 2 * model.lam * v.reshape(shape)).ravel()

    square = LinearOperator((model.w.size,) * 2, matvec=hessian, dtype=np.float64)
    v0 = np.random.default_rng(0).normal(size=model.w.size)
    values, vectors = eigsh(square, k=1, tol=1e-2, v0=v0)
    mean = X.mean(axis=0) / np.linalg.norm(X.mean(axis=0))
    along = np.square(mean @ vectors[:, 0].reshape(shape)).sum() / np.square(vectors).sum()
    return Curvature(float(values[0]), float(along))


def lead(model: Regression, data: Split) -> float:
    """The median, over images, of the largest logit minus the second largest."""
    z = np.sort(model.logits(data.X), axis=1)
    return float(np.median(z[:, -1] - z[:, -2]))
