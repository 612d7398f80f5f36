"""Is the gradient the cost's derivative? Central differences and the complex step (tasks 2a, 3a)."""

from __future__ import annotations

import numpy as np

from assignment1.models import Array, Regression


def central_difference_error(
    model: Regression, X: Array, Y: Array, epsilon: float = 1e-2, checks: int = 100, seed: int = 0
) -> float:
    """Largest |(J(w + epsilon) - J(w - epsilon)) / (2 epsilon) - dJ/dw| over `checks` random weights.

    The assignment asks for at most epsilon^2, on X (100, 785) and Y (100, K).
    """
    gradient, rng, worst = model.gradient(X, Y), np.random.default_rng(seed), 0.0
    for index in rng.choice(model.w.size, min(checks, model.w.size), replace=False):
        step = np.zeros(model.w.size)
        step[index] = epsilon
        up, down = (model.copy(model.w + sign * step.reshape(model.w.shape)) for sign in (1, -1))
        slope = (up.objective(X, Y) - down.objective(X, Y)) / (2 * epsilon)
        worst = max(worst, abs(slope - gradient.flat[index]))
    return worst


def complex_step_error(model: Regression, X: Array, Y: Array, checks: int = 100, seed: int = 0) -> float:
    """Largest |Im J(w + ih) / h - dJ/dw| with h = 1e-30, over `checks` random weights.

    No difference is taken, so nothing cancels: exact to rounding (Squire and Trapp, 1998).
    """
    gradient, rng, worst, h = model.gradient(X, Y), np.random.default_rng(seed), 0.0, 1e-30
    for index in rng.choice(model.w.size, min(checks, model.w.size), replace=False):
        w = model.w.astype(complex)
        w.flat[index] += 1j * h
        z = X @ w
        # the cost of the report's equations, as it stands there: a formula apart from the models' code
        terms = np.log(np.exp(z).sum(axis=1)) if z.shape[1] > 1 else np.log(1 + np.exp(z[:, 0]))
        J = (terms - (Y * z).sum(axis=1)).mean() + model.lam * (w**2).sum()
        worst = max(worst, abs(J.imag / h - gradient.flat[index]))
    return worst
