"""The minima of J = C + lam R on the training images: solver, store and proof (tasks 4b to 4e).

`python -m study.optima` (`make optima`) solves them again, in some seven minutes, into
data/optima.npz.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import brentq
from scipy.sparse.linalg import LinearOperator, cg

from assignment1.mnist import DATA, Split, load_mnist
from assignment1.models import Array, SoftmaxRegression
from study import stored

FILE = DATA / "optima.npz"
PATH = (1.0, 0.1, 0.01, 0.003, 0.001, 0.0003, 0.0001, 0.00003, 0.00001)  # each solve starts from the last


class Certificate(NamedTuple):
    """What the gradient at w proves about the optimum w* of J, which is 2 lam-strongly convex.

    For every v, J(v) >= J(w) + <grad J(w), v - w> + lam |v - w|^2. The right side is smallest, over all v,
    at J(w) - |grad J(w)|^2 / (4 lam); and <grad J(w), w - w*> >= 2 lam |w - w*|^2 (Boyd and
    Vandenberghe, Convex Optimization, 9.1.2).
    """

    gradient: float  # |grad J(w)|
    gap: float  # J(w) - J(w*) is at most this
    distance: float  # |w - w*| is at most this


def certificates(models: Sequence[SoftmaxRegression], data: Split) -> list[Certificate]:
    """How far each model can be from its optimum on `data`. ValueError for lam = 0: no bound exists."""
    least = min(model.lam for model in models)
    if least <= 0:
        raise ValueError(f"lam is {least}; expected above 0: else J is not strongly convex")
    residuals = []
    for Z in np.split(data.X @ np.hstack([model.w for model in models]), len(models), axis=1):
        residuals.append(models[0].activation(Z) - data.Y)
    each = np.split(data.X.T @ np.hstack(residuals) / len(data.X), len(models), axis=1)
    sizes = [float(np.linalg.norm(g + 2 * m.lam * m.w)) for g, m in zip(each, models, strict=True)]
    return [
        Certificate(size, size**2 / (4 * m.lam), size / (2 * m.lam))
        for size, m in zip(sizes, models, strict=True)
    ]


def load_optima(path: str | Path = FILE) -> dict[float, SoftmaxRegression]:
    """The stored optimum for each lambda, strongest penalty first; `certificates` proves them."""
    kept = stored.read(path)
    return {
        float(lam): SoftmaxRegression(float(lam)).copy(w)
        for lam, w in zip(kept["lam"], kept["w"], strict=True)
    }


def load_separator(path: str | Path = FILE) -> Array:
    """The stored whole-numbered weights (785, 10) that classify every training image correctly."""
    return stored.read(path)["separator"]


def smallest_margin(w: Array, data: Split) -> float:
    """The smallest lead of the target's logit over every other, in units of 1/255, for whole-numbered `w`.

    255 X is whole too, so that float64 makes no error as long as no sum can pass 2^53; ValueError if one can.
    """
    if not np.array_equal(w, np.rint(w)) or 255 * np.abs(w).sum(axis=0).max() >= 2**52:
        raise ValueError("the weights are too large or not whole; expected whole numbers of some ten digits")
    Z = np.concatenate([np.rint(255 * X) @ w for X in np.array_split(data.X, 10)])
    return float((Z[data.Y > 0] - np.where(data.Y > 0, -np.inf, Z).max(axis=1)).min())


def minimise(model: SoftmaxRegression, data: Split, tolerance: float) -> SoftmaxRegression:
    """Newton's method from the weights of `model`, lam > 0, until |grad J| <= `tolerance`.

    Each direction is halved until J falls enough. RuntimeError after 100 iterations.
    """
    for _ in range(100):
        g = model.gradient(*data)
        if np.linalg.norm(g) <= tolerance:
            return model
        d, J, step = newton_direction(model, data.X, g), model.objective(*data), 1.0
        slope, noise = float((g * d).sum()), 1e-15
        while model.copy(model.w + step * d).objective(*data) > J + 1e-4 * step * slope + noise:
            step /= 2
        model = model.copy(model.w + step * d)
    raise RuntimeError(f"lam {model.lam}: |grad J| is {np.linalg.norm(g)} after 100 steps, not {tolerance}")


def newton_direction(model: SoftmaxRegression, X: Array, g: Array) -> Array:
    """d with H d = -g, H the Hessian of J, by preconditioned conjugate gradients (785, 10).

    The residual allowed shrinks with |g|, which makes the convergence superlinear (Nocedal and Wright,
    Numerical Optimization, 7.1). The preconditioner forgets that the classes are coupled.
    """
    p, N = model.forward(X), len(X)
    curvature = (p * (1 - p)).mean(axis=1, keepdims=True)
    block = cho_factor((X * curvature).T @ X / N + 2 * model.lam * np.eye(X.shape[1]))

    def hessian(v: Array) -> Array:
        v = v.reshape(g.shape)
        u = p * (X @ v)
        return (X.T @ (u - p * u.sum(axis=1, keepdims=True)) / N + 2 * model.lam * v).ravel()

    def precondition(v: Array) -> Array:
        return cho_solve(block, v.reshape(g.shape)).ravel()

    square = (g.size, g.size)
    H, M = LinearOperator(square, matvec=hessian), LinearOperator(square, matvec=precondition)
    d, _ = cg(H, -g.ravel(), rtol=min(0.3, np.linalg.norm(g) ** 0.5), maxiter=1000, M=M)
    return d.reshape(g.shape)


def separate(w: Array, data: Split) -> Array:
    """Whole-numbered weights (785, 10) that classify every image of `data` correctly, from weights `w`.

    Minimises the squared hinge, sum over n and k != y of max(0, 1 - z_y + z_k)^2, plus mu |w|^2, for ever
    smaller mu, by Newton's method (Keerthi and DeCoste, JMLR 6, 2005). RuntimeError if images are left over,
    which proves nothing.
    """
    scale = 1e5  # rounding to 1/scale moves no margin by more than 785/scale
    for mu in np.repeat(np.logspace(-3, -6, 7), 20):
        direction = hinge_minimum(w, data, mu) - w
        w = w + hinge_step(w, direction, data, mu) * direction
        whole = np.rint(w * scale)
        if smallest_margin(whole, data) > 0:
            return whole
    raise RuntimeError("some images are still misclassified; are the data separable?")


def hinges(w: Array, data: Split) -> Array:
    """max(0, 1 - z_y + z_k) for every image and class k, 0 for k = y, (N, 10)."""
    Z = data.X @ w
    return np.where(data.Y > 0, 0, np.maximum(0, 1 - Z[data.Y > 0][:, None] + Z))


def hinge_minimum(w: Array, data: Split, mu: float) -> Array:
    """The minimum (785, 10) that there would be if the hinges active at `w` stayed the active ones."""
    image, k = np.nonzero(hinges(w, data))
    sign = data.Y[image] - np.eye(10)[k]
    rows, row = np.unique(image, return_inverse=True)
    kernel = data.X[rows] @ data.X[rows].T
    G = kernel[np.ix_(row, row)] * (sign @ sign.T)
    G[np.diag_indices(len(G))] += mu
    a = cho_solve(cho_factor(G, overwrite_a=True), np.ones(len(G)))
    D = np.zeros_like(data.Y)
    np.add.at(D, image, a[:, None] * sign)
    return data.X.T @ D


def hinge_step(w: Array, d: Array, data: Split, mu: float) -> float:
    """The step in [0, 1] along `d` that minimises the penalised hinge: a root of its slope, which grows."""

    def slope(t: float) -> float:
        v = hinges(w + t * d, data)
        return float(
            (data.X.T @ (v - data.Y * v.sum(axis=1, keepdims=True)) * d).sum() + mu * ((w + t * d) * d).sum()
        )

    return 1.0 if slope(1) <= 0 or slope(0) >= 0 else brentq(slope, 0, 1, xtol=1e-6)


def main() -> None:
    """Solve the path and the separation, and write both to FILE."""
    data = load_mnist().softmax().train
    w, solved = SoftmaxRegression().w, []
    for lam in PATH:
        w = minimise(SoftmaxRegression(lam).copy(w), data, tolerance=1e-7 * lam).w
        solved.append(w)
        print(f"lambda {lam:g} solved", flush=True)
    separator = separate(w, data).astype(np.int32)
    stored.write(FILE, lam=np.array(PATH), w=np.array(solved), separator=separator)


if __name__ == "__main__":
    main()
