"""Is the gradient the cost's derivative? Central differences and the complex step (tasks 2a, 3a)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assignment1 import arguments as check
from assignment1.models import Array, Regression


def central_difference_error(
    model: Regression, X: Array, Y: Array, epsilon: float = 1e-2, checks: int | None = None, seed: int = 0
) -> float:
    """Largest |(J(w + epsilon) - J(w - epsilon)) / (2 epsilon) - dJ/dw|, one weight at a time.

    Over `checks` weights drawn at random by `seed`, or over all. The assignment asks for at most epsilon^2,
    on X (100, 785) and Y (100, K). NaN or infinity as soon as a number in it is.
    """
    epsilon, gradient, errors = check.real("epsilon", epsilon), check.gradient(model, X, Y), []
    for index in _chosen(model, checks, seed):
        step = np.zeros(model.w.shape)
        step.flat[index] = epsilon
        up, down = (model.copy(w).objective(X, Y) for w in (model.w + step, model.w - step))
        errors.append((up - down) / (2 * epsilon) - gradient.flat[index])
    return float(np.abs(errors).max())


def complex_step_error(
    model: Regression, X: Array, Y: Array, checks: int | None = None, seed: int = 0
) -> float:
    """Largest |Im J(w + ih) / h - dJ/dw| with h = 1e-30, one weight at a time.

    No difference is taken, so that there is no truncation error (Squire and Trapp, 1998).
    """
    gradient, h, errors, Z = check.gradient(model, X, Y), 1e-30, [], model.logits(X)
    Y = check.targets(Y, *Z.shape)
    for index in _chosen(model, checks, seed):
        i, k = divmod(int(index), model.w.shape[1])
        w, z = model.w.astype(complex), Z.astype(complex)
        w[i, k] += 1j * h
        z[:, k] += 1j * h * X[:, i]
        # the cost of the report's equations, as it stands there: a formula apart from the models' code
        terms = np.log(np.exp(z).sum(axis=1)) if z.shape[1] > 1 else np.log(1 + np.exp(z[:, 0]))
        J = (terms - (Y * z).sum(axis=1)).mean() + model.lam * (w**2).sum()
        errors.append(J.imag / h - gradient[i, k])
    return float(np.abs(errors).max())


def _chosen(model: Regression, checks: int | None, seed: int) -> NDArray[np.integer]:
    """The weights to check, by their places in w."""
    count = model.w.size if checks is None else check.whole("checks", checks)
    return np.random.default_rng(check.whole("seed", seed, low=0)).permutation(model.w.size)[:count]
