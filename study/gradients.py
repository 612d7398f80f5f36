"""Tasks 2a and 3a: every component of the gradient against two numerical derivatives of the cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from assignment1.models import Array, Regression


class GradientCheck(NamedTuple):
    """The largest errors of a model's gradient over all of its weights."""

    weights: int
    central: float  # |(J(w + epsilon) - J(w - epsilon)) / (2 epsilon) - dJ/dw|
    complex_step: float  # |Im J(w + ih) / h - dJ/dw|
    cost: float  # |J(w) - the model's own|
    largest: float  # component of the gradient, for comparison


def check_all(model: Regression, X: Array, Y: Array, epsilon: float = 1e-2) -> GradientCheck:
    """Differentiate J numerically by each of the weights, on X (N, 785) and Y (N, K).

    The cost is written here as the report's equations have it, apart from the code that is checked. A weight
    w_ki acts through z_k alone, so that all of an output's weights are moved together, one an array's row:
    z_k + h x_i, (785, N). The complex step (Squire and Trapp, 1998) takes no difference: nothing cancels.
    """
    gradient, central, exact, J = model.gradient(X, Y), [], [], []
    for k in range(model.w.shape[1]):
        moved = {h: objective(model, X, Y, k, h) for h in (epsilon, -epsilon, 1e-30j, 0.0)}
        central.append((moved[epsilon] - moved[-epsilon]) / (2 * epsilon) - gradient[:, k])
        exact.append(moved[1e-30j].imag / 1e-30 - gradient[:, k])
        J.append(moved[0.0] - model.objective(X, Y))
    worst = (float(np.abs(errors).max()) for errors in (central, exact, J, gradient))
    return GradientCheck(model.w.size, *worst)


def objective(model: Regression, X: Array, Y: Array, k: int, h: complex) -> NDArray[Any]:
    """J when h is added to w_ki, for each i: (785,)."""
    z = X @ model.w
    z_k = z[:, k] + h * X.T
    others = np.delete(z, k, axis=1)
    # of softmax ln(sum_k e^z_k) - sum_k y_k z_k, and with one output only ln(1 + e^z) - y z
    total = np.exp(z_k) + (np.exp(others).sum(axis=1) if others.size else 1)
    fit = Y[:, k] * z_k + (np.delete(Y, k, axis=1) * others).sum(axis=1)
    R = (model.w**2).sum() + 2 * h * model.w[:, k] + h**2
    return (np.log(total) - fit).mean(axis=1) + model.lam * R


HEADER = r"$\lambda$", "weights", "central differences", "complex step", "largest component"


def rows(checked: Mapping[float, GradientCheck]) -> list[tuple[str, ...]]:
    """A table's rows, under HEADER, one for each lambda."""
    return [
        (f"{lam:g}", f"{c.weights:,}", _sci(c.central), _exact(c.complex_step), f"{c.largest:.2f}")
        for lam, c in checked.items()
    ]


def _sci(value: float) -> str:
    mantissa, exponent = f"{value:.1e}".split("e")
    return rf"${mantissa} \times 10^{{{int(exponent)}}}$"


def _exact(value: float) -> str:
    """Of an error that is nothing but rounding, whose digits are not the same on each machine, the bound."""
    return "below $10^{-12}$" if value < 1e-12 else _sci(value)
