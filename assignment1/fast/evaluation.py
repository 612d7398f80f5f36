"""Evaluate many weights at once: logits, losses and accuracies from products that read the images once.

R weights are one array W (785, K, R); logits are (N, K, R), targets (N, K, 1). The models' own functions of
logits act along axis 1, so that they serve for these too.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from assignment1 import arguments
from assignment1.mnist import Split
from assignment1.models import Array, Regression

ROWS = 2500  # images at a time: with all, their logits miss the cache
SMALL = 10_000  # outputs up to which a product is faster in the other order


class Evaluation(NamedTuple):
    """How R models classify N images."""

    correct: NDArray[np.bool_]  # (R, N)
    loss: Array  # (R, N), nats, without the penalty


def evaluate(models: Sequence[Regression], split: Split) -> Evaluation:
    """Return which images of a split each model classifies correctly, and the loss of each.

    The models are of one kind; their weights are cast to the precision of the images. Raises ValueError or
    TypeError for models or a split that do not fit.
    """
    kinds = {type(model) for model in models}
    if len(kinds) != 1:
        found = ", ".join(sorted(kind.__name__ for kind in kinds)) or "empty"
        raise ValueError(f"models is {found}; expected one model or several, of one kind")
    model = arguments.instance("a model", models[0], Regression, "SoftmaxRegression()")
    X, Y = arguments.split(split, 785, model.K, "the split")
    W = np.stack([model.w for model in models], axis=-1, dtype=X.dtype)
    correct = np.empty((len(models), len(X)), bool)
    loss = np.empty((len(models), len(X)))
    for part in blocks(X):
        z = logits(X[part], W)
        targets = Y[part, :, None]
        correct[:, part] = model.correct(z, targets).T
        loss[:, part] = model.cross_entropy(z, targets).T
    return Evaluation(correct, loss)


def scores(kind: type[Regression], W: Array, X: Array, Y: Array) -> tuple[list[float], list[float]]:
    """Return the mean cross-entropy (nats) and the accuracy over X of each of the R weights W (785, K, R)."""
    Y_rows = np.ascontiguousarray(Y.T)
    loss = np.zeros(W.shape[2])
    correct = np.zeros(W.shape[2])
    for part in blocks(X):
        z = logits(X[part], W)
        targets = Y_rows[:, part].T[..., None]
        loss += kind.cross_entropy(z, targets).sum(axis=0, dtype=np.float64)
        correct += kind.correct(z, targets).sum(axis=0)
    correct[~np.isfinite(loss)] = np.nan  # a logit that is not finite is no prediction, wrong or right
    losses = loss / len(X)
    accuracies = correct / len(X)
    return losses.tolist(), accuracies.tolist()


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
