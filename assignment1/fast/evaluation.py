"""Many weights at once: their logits, losses and accuracies from products that read the images once.

R weights are one array W (785, K, R); logits are (N, K, R), targets (N, K, 1). The models' own functions of
logits act along axis 1, so that they serve for these too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike

from assignment1 import arguments
from assignment1.mnist import Split
from assignment1.models import Array, Regression

ROWS = 2500  # images at a time: with all, their logits miss the cache
SMALL = 10_000  # outputs up to which a product is faster in the other order


def together(models: Sequence[Regression], dtype: DTypeLike = np.float64) -> Array:
    """The weights of R models as one array (785, K, R)."""
    return np.stack([model.w for model in models], axis=-1, dtype=dtype)


def evaluated(kind: type[Regression], W: Array, X: Array, Y: Array) -> tuple[list[float], list[float]]:
    """The mean cross-entropy (nats) and the accuracy over X of each of the R weights in W (785, K, R)."""
    Y_rows, loss, correct = np.ascontiguousarray(Y.T), *np.zeros((2, W.shape[2]))
    for part in blocks(X):
        z, Y_part = logits(X[part], W), Y_rows[:, part].T[..., None]
        loss += kind.cross_entropy(z, Y_part).sum(axis=0, dtype=np.float64)
        correct += kind.correct(z, Y_part).sum(axis=0)
    correct[~np.isfinite(loss)] = np.nan  # what is not finite is no prediction, wrong or right
    return (loss / len(X)).tolist(), (correct / len(X)).tolist()


def scores(models: Sequence[Regression], split: Split) -> tuple[list[float], list[float]]:
    """The loss and the accuracy of each model, all of one kind, on a split: `loss` and `accuracy`, faster."""
    X, Y = _checked(models, split)
    return evaluated(type(models[0]), together(models, X.dtype), X, Y)


def gradients(models: Sequence[Regression], split: Split) -> Array:
    """The gradient (785, K, R) of each of R models, all of one kind, on a split: `gradient`, faster."""
    X, Y = _checked(models, split)
    W, lam = together(models, X.dtype), np.array([model.lam for model in models])
    z = logits(X, W)
    return product(X.T, (models[0].activation(z) - Y[..., None]) / len(z)) + 2 * lam * W


def _checked(models: Sequence[Regression], split: Split) -> tuple[Array, Array]:
    if len(kinds := {type(model) for model in models}) != 1:
        found = ", ".join(sorted(kind.__name__ for kind in kinds)) or "empty"
        raise ValueError(f"models is {found}; expected one model or several, of one kind")
    model = arguments.instance("a model", models[0], Regression, "SoftmaxRegression()")
    return arguments.split(split, 785, model.K, "the split")


def margin(z: Array, Y: Array) -> Array:
    """How far each example is on the right side (N, R): above 0 it is classified correctly, 0 is a tie."""
    if z.shape[1] == 1:
        return (z * (2 * Y - 1))[:, 0]
    others = z - np.where(Y > 0, np.inf, 0).astype(z.dtype)
    return np.einsum("nk...,nk...->n...", Y, z) - others.max(axis=1)


def logits(X: Array, W: Array) -> Array:
    """z = X W (N, K, R), in memory with an example next to an example, not a class next to a class.

    So element-wise work runs along the examples. A product of few outputs is faster in the other order, and
    is then turned.
    """
    if len(X) * W[0].size < SMALL:
        return product(X, W).copy(order="F")
    return product(X, W, order="F")


def product(M: Array, A: Array, order: Literal["C", "F"] = "C") -> Array:
    """M A, (m, K, R) for M (m, n) and A (n, K, R)."""
    return np.matmul(M, A.reshape(len(A), -1), order=order).reshape(len(M), *A.shape[1:])


def blocks(X: Any) -> Iterator[slice]:
    """X in parts of ROWS images."""
    return (slice(start, start + ROWS) for start in range(0, len(X), ROWS))
