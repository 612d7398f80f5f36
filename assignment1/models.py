"""The two models: forward pass, loss, gradient and accuracy, as the report's equations have them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[np.floating]


class Regression:
    """What both models share: weights `w` (785, K), all zero at first, and the penalty's strength `lam`.

    `stack` makes one model of S models: weights (785, K, S), strengths (S,). Its outputs have the same last
    axis, its targets are Y (N, K, 1), and the same equations hold.
    """

    lam: Any  # float, or (S,) in a stack

    def __init__(self, w: Array, lam: float = 0.0) -> None:
        if not (np.isfinite(lam) and lam >= 0):
            raise ValueError(f"lam is {lam}; expected a finite number of at least 0")
        self.w, self.lam = w, lam

    def copy(self, w: Array) -> Self:
        """The same model with other weights `w` (785, K)."""
        model = type(self).__new__(type(self))
        model.w, model.lam = w, self.lam
        return model

    @classmethod
    def stack(cls, models: Sequence[Self], dtype: DTypeLike = np.float64) -> Self:
        """Models as one, so that each product reads its inputs once for all of them."""
        model = models[0].copy(np.stack([m.w for m in models], axis=-1, dtype=dtype))
        model.lam = np.array([m.lam for m in models], dtype=model.w.dtype)
        return model

    def logits(self, X: Array) -> Array:
        """z = X w, (N, K), for inputs X (N, 785). ValueError when the widths differ."""
        if X.ndim != 2 or X.shape[1] != len(self.w):
            raise ValueError(
                f"X has shape {X.shape}; expected (N, {len(self.w)}): preprocess() adds the bias column"
            )
        if len(X) * self.w[0].size < SMALL:
            return _times(X, self.w).copy(order="F")
        return _times(X, self.w, order="F")

    def forward(self, X: Array) -> Array:
        """The outputs Y_hat (N, K), probabilities, for inputs X (N, 785)."""
        return self.activation(self.logits(X))

    def loss(self, X: Array, Y: Array) -> float:
        """The average cross-entropy C(w) in nats, without the penalty (tasks 2a, 3a)."""
        return float(self.cross_entropy(self.logits(X), Y).mean())

    def objective(self, X: Array, Y: Array) -> float:
        """The penalised cost J(w) = C(w) + lam R(w), R the sum of all squared weights (task 4a)."""
        return self.loss(X, Y) + self.lam * float((self.w**2).sum())

    def gradient(self, X: Array, Y: Array) -> Array:
        """dJ/dw = -X^T (Y - Y_hat) / N + 2 lam w, (785, K) (tasks 1a, 1b, 4a)."""
        return self.gradient_at(X, Y, self.logits(X))

    def gradient_at(self, X: Array, Y: Array, z: Array) -> Array:
        """`gradient`, given the logits z = X w (N, K)."""
        gradient = _times(X.T, (self.activation(z) - Y) / len(X))
        if np.size(self.lam) > 1 or self.lam:
            gradient += 2 * self.lam * self.w
        return gradient

    def accuracy(self, X: Array, Y: Array) -> float:
        """The share of the N examples that are classified rightly."""
        return float(self.correct(self.logits(X), Y).mean())

    @staticmethod
    def activation(z: Array) -> Array:
        """Probabilities (N, K) of logits (N, K)."""
        raise NotImplementedError

    @staticmethod
    def cross_entropy(z: Array, Y: Array) -> Array:
        """Each example's cross-entropy (N,) from its logits, so that no logarithm of 0 is taken."""
        raise NotImplementedError

    @staticmethod
    def margin(z: Array, Y: Array) -> Array:
        """How far each example (N,) is on the right side: above 0 it is classified rightly, 0 is a tie."""
        raise NotImplementedError

    @staticmethod
    def correct(z: Array, Y: Array) -> NDArray[np.bool_]:
        """Which of the N examples are classified rightly (N,)."""
        raise NotImplementedError


class LogisticRegression(Regression):
    """Binary regression: one output, the probability of target 1 (task 2)."""

    def __init__(self, lam: float = 0.0) -> None:
        super().__init__(np.zeros((785, 1)), lam)

    def probability_loss(self, X: Array, Y: Array) -> float:
        """C(w) as task 1a writes it, from probabilities, for the printed digits; inf if one rounds to 0.

        `fsum` rounds once only, so that the last digit does not depend on the order a processor sums in.
        """
        Y_hat = self.forward(X)
        return -math.fsum((Y * np.log(Y_hat) + (1 - Y) * np.log(1 - Y_hat)).ravel()) / len(X)

    @staticmethod
    def activation(z: Array) -> Array:
        """The sigmoid 1 / (1 + exp(-z)), by exp(-|z|) so that nothing overflows."""
        e = np.exp(-np.abs(z))
        return np.where(z >= 0, 1, e) / (1 + e)

    @staticmethod
    def cross_entropy(z: Array, Y: Array) -> Array:
        """-(y ln y_hat + (1 - y) ln(1 - y_hat)) = ln(1 + e^z) - y z."""
        return (np.logaddexp(0, z) - Y * z)[:, 0]

    @staticmethod
    def margin(z: Array, Y: Array) -> Array:
        """The logit, with the sign that the target wants."""
        return (z * (2 * Y - 1))[:, 0]

    @staticmethod
    def correct(z: Array, Y: Array) -> NDArray[np.bool_]:
        """Target 1 is predicted where y_hat >= 0.5, that is z >= 0."""
        return ((z >= 0) == (Y > 0.5))[:, 0]


class SoftmaxRegression(Regression):
    """Multi-class regression: K = 10 outputs that add up to 1 (tasks 3 and 4)."""

    def __init__(self, lam: float = 0.0) -> None:
        super().__init__(np.zeros((785, 10)), lam)

    @staticmethod
    def activation(z: Array) -> Array:
        """Softmax e^z_k / sum_k' e^z_k', shifted by the largest logit so that nothing overflows."""
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    @staticmethod
    def cross_entropy(z: Array, Y: Array) -> Array:
        """-sum_k y_k ln y_hat_k = ln(sum_k e^z_k) - sum_k y_k z_k, for one-hot y."""
        top = z.max(axis=1)
        return np.log(np.exp(z - top[:, None]).sum(axis=1)) + top - _target(z, Y)

    @staticmethod
    def margin(z: Array, Y: Array) -> Array:
        """The target's logit less the largest of the others."""
        return _target(z, Y) - (z - np.where(Y > 0, np.inf, 0).astype(z.dtype)).max(axis=1)

    @staticmethod
    def correct(z: Array, Y: Array) -> NDArray[np.bool_]:
        """The most probable class is the predicted one, of several the first.

        Only a tie needs `argmax`, which takes an eighth of an evaluation's time along so short an axis.
        """
        top = z == z.max(axis=1, keepdims=True)
        if np.count_nonzero(top) > top[:, 0].size:
            return z.argmax(axis=1) == Y.argmax(axis=1)
        return (top & (Y > 0)).any(axis=1)


# Logits lie in memory with an example next to an example (order "F"), not a class next to a class, so that
# element-wise work runs along the examples. A product of fewer outputs is faster in the other order: a batch
# of 128 takes two thirds of the time, and is turned in 2 microseconds.
SMALL = 10_000


def _times(M: Array, A: Array, order: Literal["C", "F"] = "C") -> Array:
    """M A, (m, K) for M (m, n) and A (n, K), or (m, K, S) for a stack A (n, K, S)."""
    return np.matmul(M, A.reshape(len(A), -1), order=order).reshape(len(M), *A.shape[1:])


def _target(z: Array, Y: Array) -> Array:
    """The logit of each example's target (N,), or (N, S), for one-hot Y."""
    return np.einsum("nk...,nk...->n...", Y, z)
