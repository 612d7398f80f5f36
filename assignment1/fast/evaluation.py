"""Evaluate many weights at once: logits, losses and accuracies from products that read the images once.

R weights are one array W (785, K, R), and their logits one (N, K, R).
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from assignment1 import arguments
from assignment1.mnist import Split
from assignment1.models import Array, Regression, Truths

ROWS = 2500  # images at a time: with all, their logits miss the cache
SMALL = 10_000  # outputs up to which a product is faster in the other order


class Evaluation(NamedTuple):
    """How R models classify N images."""

    correct: Truths  # (R, N)
    loss: Array  # (R, N), nats, without the penalty


def evaluate(models: Sequence[Regression], split: Split) -> Evaluation:
    """Return which images of a split each model classifies correctly, and the loss of each.

    The models are of one kind, and their `correct` and `cross_entropy` decide, not `accuracy_at` and
    `loss_at`; the weights are cast to the precision of the images. Raises ValueError or TypeError for models
    or a split that do not fit.
    """
    kinds = {type(model) for model in models}
    if len(kinds) != 1:
        found = ", ".join(sorted(kind.__name__ for kind in kinds)) or "empty"
        raise ValueError(f"models is {found}; expected one model or several, of one kind")
    model = arguments.instance("a model", models[0], Regression, "SoftmaxRegression()")
    X, Y = arguments.split(split, 785, model.K, "the split")
    W = np.stack([model.w for model in models], axis=-1, dtype=X.dtype)
    return measured(models, W, X, Y)


def measured(models: Sequence[Any], W: Array, X: Array, Y: Array) -> Evaluation:
    """Return the evaluation over X of the weights W (785, K, R), each by the functions of its own model."""
    correct = np.empty((len(models), len(X)), bool)
    loss = np.empty((len(models), len(X)))
    Y_rows = np.ascontiguousarray(Y.T)
    for part in blocks(X):
        z = logits(X[part], W)
        targets = Y_rows[:, part].T
        for i, model in enumerate(models):
            correct[i, part] = model.correct(z[..., i], targets)
            loss[i, part] = model.cross_entropy(z[..., i], targets)
    return Evaluation(correct, loss)


def margin(z: Array, Y: Array) -> Array:
    """Return how far each example is on the right side (N, R): above 0 it is correct, 0 is a tie."""
    if z.shape[1] == 1:
        return (z * (2 * Y - 1))[:, 0]
    others = z - np.where(Y > 0, np.inf, 0).astype(z.dtype)
    return np.einsum("nk...,nk...->n...", Y, z) - others.max(axis=1)


def logits(X: Array, W: Array) -> Array:
    """Return z = X W (N, K, ...), in memory with an example next to an example, not a class next to a class.

    So element-wise work runs along the examples. A product of few outputs is faster in the other order, and
    is then turned.
    """
    if len(X) * W[0].size < SMALL:
        return product(X, W).copy(order="F")
    return product(X, W, order="F")


def product(M: Array, A: Array, order: Any = "C") -> Array:
    """Return M A, (m, ...) for M (m, n) and A (n, ...)."""
    flat = A.reshape(len(A), -1)
    found = np.matmul(M, flat, order=order)
    return found.reshape(len(M), *A.shape[1:])


def blocks(X: Any) -> Iterator[slice]:
    """Yield slices of ROWS images that make up X."""
    return (slice(start, start + ROWS) for start in range(0, len(X), ROWS))
