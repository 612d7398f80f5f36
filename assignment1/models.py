"""The two models as the report's equations have them: forward pass, loss, gradient and accuracy.

Inputs are X (N, 785), targets Y (N, K) and weights w (785, K), whose entry in row i and column k is w_ki.
Public methods raise ValueError for inputs and targets that do not fit the model (`assignment1.arguments`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assignment1 import arguments
from assignment1.mnist import preprocess
from assignment1.shown import Shown

Array = NDArray[np.floating]


class Regression(Shown, ABC):
    """What both models share: weights `w`, zero at first, and `lam`, the strength of the L2 penalty."""

    K: ClassVar[int]  # outputs
    lam: float  # at least 0
    w: Array  # (785, K), float32 or float64

    def __init__(self, lam: float = 0.0) -> None:
        self.lam, self.w = lam, np.zeros((785, self.K))

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, arguments.of_model(name, value, self.K))

    def copy(self, w: Array) -> Self:
        """The same model with other weights `w` (785, K)."""
        model = type(self).__new__(type(self))
        model.lam, model.w = self.lam, w
        return model

    def logits(self, X: Array) -> Array:
        """z = X w, (N, K)."""
        return arguments.inputs(X, len(self.w)) @ self.w

    def forward(self, X: Array) -> Array:
        """The outputs Y_hat (N, K): probabilities."""
        return self.activation(self.logits(X))

    def probabilities(self, images: ArrayLike) -> Array:
        """`forward` of images as they come, (28, 28) or (N, 28, 28) of 0 to 255, or prepared, (N, 785)."""
        X = arguments.array("images", images)
        return self.forward(X if X.shape[1:] == (785,) else preprocess(X))

    def predict(self, images: ArrayLike) -> NDArray[np.integer]:
        """The digits of images, (N,); by logistic regression the targets 1 and 0."""
        P = self.probabilities(images)
        if not arguments.all_finite(P):
            raise ValueError("the model's outputs are not finite; expected finite weights, not as large")
        return P.argmax(axis=1) if self.K > 1 else (P[:, 0] >= 0.5).astype(int)

    def loss(self, X: Array, Y: Array) -> float:
        """The average cross-entropy C(w) in nats, without the penalty (tasks 2a, 3a)."""
        z, Y = self._logits_and_targets(X, Y)
        return float(self.cross_entropy(z, Y).mean(dtype=np.float64))

    def objective(self, X: Array, Y: Array) -> float:
        """The penalised cost J(w) = C(w) + lam R(w), R the sum of all squared weights (task 4a)."""
        return self.loss(X, Y) + self.lam * float((self.w**2).sum())

    def gradient(self, X: Array, Y: Array) -> Array:
        """dJ/dw = -X^T (Y - Y_hat) / N + 2 lam w, (785, K) (tasks 1a, 1b, 4a)."""
        z, Y = self._logits_and_targets(X, Y)
        return -(X.T @ (Y - self.activation(z))) / len(X) + 2 * self.lam * self.w

    def accuracy(self, X: Array, Y: Array) -> float:
        """The share of the N examples that are classified correctly; NaN if a logit is not finite."""
        z, Y = self._logits_and_targets(X, Y)
        return float(self.correct(z, Y).mean()) if arguments.all_finite(z) else np.nan

    def _logits_and_targets(self, X: Array, Y: Array) -> tuple[Array, Array]:
        z = self.logits(X)
        return z, arguments.targets(Y, len(X), self.w.shape[1], X.dtype)

    @staticmethod
    @abstractmethod
    def activation(z: Array) -> Array:
        """Probabilities (N, K) of logits (N, K)."""

    @staticmethod
    @abstractmethod
    def cross_entropy(z: Array, Y: Array) -> Array:
        """Each example's cross-entropy (N,) in nats, from its logits: no logarithm of 0 is ever taken."""

    @staticmethod
    @abstractmethod
    def correct(z: Array, Y: Array) -> NDArray[np.bool_]:
        """Which of the N examples are classified correctly (N,)."""


class LogisticRegression(Regression):
    """Binary regression: one output, the probability of target 1 (task 2).

    >>> LogisticRegression().loss(*load_mnist().binary(2, 3).train)  # ln 2, as all weights are zero
    0.693147..."""

    K = 1

    @staticmethod
    def activation(z: Array) -> Array:
        """The sigmoid 1 / (1 + e^-z), by e^-|z| so that nothing overflows."""
        e = np.exp(-np.abs(z))
        return np.where(z >= 0, 1, e) / (1 + e)

    @staticmethod
    def cross_entropy(z: Array, Y: Array) -> Array:
        """-(y ln y_hat + (1 - y) ln(1 - y_hat)) = ln(1 + e^z) - y z."""
        arguments.alike(z, Y, 1)
        return (np.logaddexp(0, z) - Y * z)[:, 0]

    @staticmethod
    def correct(z: Array, Y: Array) -> NDArray[np.bool_]:
        """Target 1 is predicted where y_hat >= 0.5, that is z >= 0."""
        arguments.alike(z, Y, 1)
        return ((z >= 0) == (Y == 1))[:, 0]


class SoftmaxRegression(Regression):
    """Multi-class regression: K = 10 outputs that add up to 1 (tasks 3 and 4).

    >>> SoftmaxRegression(lam=0.1).probabilities(load_mnist().test_images[:3]).shape
    (3, 10)"""

    K = 10

    @staticmethod
    def activation(z: Array) -> Array:
        """Softmax e^z_k / sum_k' e^z_k', shifted by the largest logit so that nothing overflows."""
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    @staticmethod
    def cross_entropy(z: Array, Y: Array) -> Array:
        """-sum_k y_k ln y_hat_k = ln(sum_k e^z_k) - sum_k y_k z_k, for one-hot y."""
        arguments.alike(z, Y)
        z = z - z.max(axis=1, keepdims=True)  # leaves the difference as it is, and nothing overflows
        return np.log(np.exp(z).sum(axis=1)) - (Y * z).sum(axis=1)

    @staticmethod
    def correct(z: Array, Y: Array) -> NDArray[np.bool_]:
        """The class of the largest output is predicted; of several, the first."""
        arguments.alike(z, Y)
        return z.argmax(axis=1) == Y.argmax(axis=1)
