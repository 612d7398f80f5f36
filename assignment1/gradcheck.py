"""Compare the gradient in the code with two numerical derivatives of the cost (tasks 2a, 3a)."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from assignment1 import arguments
from assignment1.models import Array, Regression

TINY = 1e-30  # the complex step: no difference is taken, so that nothing cancels (Squire and Trapp, 1998)


class GradientErrors(NamedTuple):
    """The largest errors of a model's gradient over all of its weights."""

    weights: int
    central: float  # |(J(w + epsilon) - J(w - epsilon)) / (2 epsilon) - dJ/dw|
    complex_step: float  # |Im J(w + ih) / h - dJ/dw|
    cost: float  # |J(w) - the model's own|
    largest: float  # component of the gradient, for comparison


def gradient_errors(model: Regression, X: Array, Y: Array, epsilon: float = 1e-2) -> GradientErrors:
    """Differentiate J numerically by each of the weights; return the largest errors, NaN if a number is NaN.

    The assignment asks for a central error of at most epsilon^2 on X (100, 785) and Y (100, K). Raises
    ValueError or TypeError for arguments that do not fit.

    >>> gradient_errors(LogisticRegression(), *load_mnist().binary(2, 3).validation).central < 1e-4
    True
    """
    epsilon = arguments.real("epsilon", epsilon)
    model = arguments.instance("model", model, Regression, "SoftmaxRegression()")
    gradient = arguments.gradient(model.gradient(X, Y), model.w)
    Y = arguments.targets(Y, len(X), model.K)
    J = model.objective(X, Y)
    errors = []
    for k in range(model.K):
        steps = (epsilon, -epsilon, TINY * 1j, 0)
        above, below, tilted, here = (moved_cost(model, X, Y, k, h) for h in steps)
        exact = gradient[:, k]
        central = (above - below) / (2 * epsilon) - exact
        complex_step = tilted.imag / TINY - exact
        errors.append((central, complex_step, here - J, exact))
    largest = np.abs(errors).max(axis=(0, 2))
    return GradientErrors(model.w.size, *largest.tolist())


def moved_cost(model: Regression, X: Array, Y: Array, k: int, h: complex) -> NDArray[Any]:
    """Return J when h is added to w_ki, for each i: (785,).

    The cost is written here as the report's equations have it, apart from the models' code. The weight w_ki
    acts through z_k alone, so that z_k + h x_i is computed for all i at once, one i a row.
    """
    z = X @ model.w
    z_k = z[:, k] + h * X.T
    others = np.delete(z, k, axis=1)
    # of softmax ln(sum_k e^z_k) - sum_k y_k z_k, and with one output only ln(1 + e^z) - y z
    rest = np.exp(others).sum(axis=1) if others.size else 1
    total = np.exp(z_k) + rest
    fit_others = (np.delete(Y, k, axis=1) * others).sum(axis=1)
    fit = Y[:, k] * z_k + fit_others
    R = (model.w**2).sum() + 2 * h * model.w[:, k] + h**2
    return (np.log(total) - fit).mean(axis=1) + model.lam * R
