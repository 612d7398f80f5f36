"""The two models as the report's equations have them: forward pass, loss, gradient and accuracy.

Inputs are X (N, 785), targets Y (N, K), logits z (N, K) and weights w (785, K), whose entry in row i and
column k is w_ki. Public methods validate inputs and targets; the methods that take logits, which training
calls in each step, expect them validated.
"""

from abc import ABC, abstractmethod
from copy import copy
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assignment1 import arguments
from assignment1.mnist import preprocess

Array = arguments.Floats
Ints = NDArray[np.integer]
Truths = NDArray[np.bool_]


class Regression(ABC):
    """Weights `w`, zero at first, and `lam`, the strength of the L2 penalty: all that both models share.

    A subclass may define `activation`, `cross_entropy`, `correct` and the methods that end in `_at`; training
    uses these.
    """

    K: ClassVar[int]  # outputs

    def __init__(self, lam: float = 0.0) -> None:
        self.lam = lam
        self.w = np.zeros((785, self.K))

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name in ("accuracy", "forward", "gradient", "logits", "loss", "objective"):
            if getattr(cls, name) is not getattr(Regression, name):
                raise TypeError(
                    f"{cls.__name__} defines {name}, which training does not use; "
                    "define loss_at, gradient_at or accuracy_at"
                )

    @property
    def lam(self) -> float:
        """The strength of the penalty, at least 0."""
        return self._lam

    @lam.setter
    def lam(self, value: float) -> None:
        self._lam = arguments.real("lam", value, zero=True)

    @property
    def w(self) -> Array:
        """The weights (785, K), float32 or float64."""
        return self._w

    @w.setter
    def w(self, value: Array) -> None:
        self._w = arguments.weights(value, self.K)

    def copy(self, w: Array) -> Self:
        """Return the same model with other weights `w` (785, K)."""
        model = copy(self)
        model.w = w
        return model

    def __repr__(self) -> str:
        with np.errstate(over="ignore"):
            norm = np.linalg.norm(self.w)
        return f"{type(self).__name__}(lam={self.lam:g}): weights {self.w.shape}, norm {norm:.4g}"

    def logits(self, X: Array) -> Array:
        """Return z = X w, (N, K)."""
        return arguments.inputs(X, len(self.w)) @ self.w

    def forward(self, X: Array) -> Array:
        """Return the outputs Y_hat (N, K), which are probabilities."""
        return self.activation(self.logits(X))

    def probabilities(self, images: ArrayLike) -> Array:
        """Return the outputs for images, (28, 28) or (N, 28, 28) of 0 to 255, or for inputs X (N, 785)."""
        return self.activation(self._logits_of(images))

    def predict(self, images: ArrayLike) -> Ints:
        """Return the digits of images, (N,), for logistic regression the targets 1 and 0.

        Raises ValueError where the logits, which decide as in `correct`, are not finite.
        """
        z = self._logits_of(images)
        if not arguments.all_finite(z):
            raise ValueError("the model's outputs are not finite; expected finite weights, not as large")
        if self.K == 1:
            return (z[:, 0] >= 0).astype(int)
        return z.argmax(axis=1)

    def _logits_of(self, images: ArrayLike) -> Array:
        X = arguments.array("images", images)
        if X.shape[1:] != (785,):
            X = preprocess(X)
        return self.logits(X)

    def loss(self, X: Array, Y: Array) -> float:
        """Return the average cross-entropy C(w) in nats, without the penalty (tasks 2a, 3a)."""
        X, Y = self._valid(X, Y)
        return self.loss_at(X @ self.w, Y)

    def objective(self, X: Array, Y: Array) -> float:
        """Return the penalised cost J(w) = C(w) + lam R(w), R the sum of all squared weights (task 4a)."""
        return self.loss(X, Y) + self.lam * float((self.w**2).sum())

    def gradient(self, X: Array, Y: Array) -> Array:
        """Return dJ/dw = -X^T (Y - Y_hat) / N + 2 lam w, (785, K) (tasks 1a, 1b, 4a)."""
        X, Y = self._valid(X, Y)
        return self.gradient_at(X @ self.w, X, Y)

    def accuracy(self, X: Array, Y: Array) -> float:
        """Return the share of the N examples that are classified correctly; NaN if a logit is not finite."""
        X, Y = self._valid(X, Y)
        return self.accuracy_at(X @ self.w, Y)

    def _valid(self, X: Array, Y: Array) -> tuple[Array, Array]:
        X = arguments.inputs(X, len(self.w))
        return X, arguments.targets(Y, len(X), self.K, X.dtype)

    def loss_at(self, z: Array, Y: Array) -> float:
        """Return the average cross-entropy in nats at logits z."""
        return float(self.cross_entropy(z, Y).mean(dtype=np.float64))

    def gradient_at(self, z: Array, X: Array, Y: Array) -> Array:
        """Return dJ/dw (785, K) at logits z = X w."""
        Y_hat = self.activation(z)
        arguments.alike(Y_hat, Y, name="Y_hat")
        residual = Y - Y_hat
        return -(X.T @ residual) / len(X) + 2 * self.lam * self.w

    def accuracy_at(self, z: Array, Y: Array) -> float:
        """Return the share that is classified correctly at logits z; NaN if one of them is not finite."""
        if not arguments.all_finite(z):
            return np.nan
        return float(self.correct(z, Y).mean())

    @staticmethod
    @abstractmethod
    def activation(z: Array) -> Array:
        """Return the probabilities (N, K) of logits (N, K)."""

    @staticmethod
    @abstractmethod
    def cross_entropy(z: Array, Y: Array) -> Array:
        """Return each example's cross-entropy (N,) in nats, from its logits, without a logarithm of 0."""

    @staticmethod
    @abstractmethod
    def correct(z: Array, Y: Array) -> Truths:
        """Return which of the N examples are classified correctly (N,)."""


class LogisticRegression(Regression):
    """Binary regression: one output, the probability of target 1 (task 2).

    >>> LogisticRegression().loss(*load_mnist().binary(2, 3).train)  # ln 2, as all weights are zero
    0.693147...
    """

    K = 1

    @staticmethod
    def activation(z: Array) -> Array:
        """Return the sigmoid 1 / (1 + e^-z), by e^-|z| so that nothing overflows."""
        e = np.exp(-np.abs(z))
        return np.where(z >= 0, 1, e) / (1 + e)

    @staticmethod
    def cross_entropy(z: Array, Y: Array) -> Array:
        """Return -(y ln y_hat + (1 - y) ln(1 - y_hat)) = ln(1 + e^z) - y z."""
        arguments.alike(z, Y, 1)
        return (np.logaddexp(0, z) - Y * z)[:, 0]

    @staticmethod
    def correct(z: Array, Y: Array) -> Truths:
        """Predict target 1 where y_hat >= 0.5, that is z >= 0; return where this is right."""
        arguments.alike(z, Y, 1)
        return ((z >= 0) == (Y == 1))[:, 0]


class SoftmaxRegression(Regression):
    """Multi-class regression: K = 10 outputs that add up to 1 (tasks 3 and 4).

    >>> SoftmaxRegression(lam=0.1).probabilities(load_mnist().test_images[:3]).shape
    (3, 10)
    """

    K = 10

    @staticmethod
    def activation(z: Array) -> Array:
        """Return softmax e^z_k / sum_k' e^z_k', shifted by the largest logit so that nothing overflows."""
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    @staticmethod
    def cross_entropy(z: Array, Y: Array) -> Array:
        """Return -sum_k y_k ln y_hat_k = ln(sum_k e^z_k) - sum_k y_k z_k, for one-hot y."""
        arguments.alike(z, Y)
        z = z - z.max(axis=1, keepdims=True)  # leaves the difference as it is, and nothing overflows
        return np.log(np.exp(z).sum(axis=1)) - (Y * z).sum(axis=1)

    @staticmethod
    def correct(z: Array, Y: Array) -> Truths:
        """Predict the class of the largest output, of several the first; return where this is right."""
        arguments.alike(z, Y)
        return z.argmax(axis=1) == Y.argmax(axis=1)
