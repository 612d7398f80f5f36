"""The minima of J = C + lam R on the training images: solver, store and proof (tasks 4b to 4e).

`python -m study.optima` (`make optima`) solves them again, in some seven minutes, into
data/optima.npz.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import brentq
from scipy.sparse.linalg import LinearOperator, cg

from assignment1.fast.evaluation import blocks, margin
from assignment1.mnist import DATA, Dataset, Split, load_mnist
from assignment1.models import Array, SoftmaxRegression
from study import stored

FILE = DATA / "optima.npz"
PATH = (1.0, 0.1, 0.01, 0.003, 0.001, 0.0003, 0.0001, 0.00003, 0.00001)  # each solve starts from the last
NOISE = 1e-15  # of J, by rounding
SCALE = 1e5  # rounding to 1/SCALE moves no margin by more than 785/SCALE


class Certificate(NamedTuple):
    """Bounds from the gradient at w: how far the optimum w* of J can be, which is 2 lam-strongly convex.

    For every v, J(v) >= J(w) + <grad J(w), v - w> + lam |v - w|^2. The right side is smallest, over all v,
    at J(w) - |grad J(w)|^2 / (4 lam); and <grad J(w), w - w*> >= 2 lam |w - w*|^2 (Boyd and
    Vandenberghe, Convex Optimization, 9.1.2).
    """

    gap: float  # J(w) - J(w*) is at most this
    distance: float  # |w - w*| is at most this


class Objective(NamedTuple):
    """J of softmax regression as a function of the weights (D, K), for inputs of any width D."""

    X: Array  # (N, D)
    Y: Array  # (N, K)
    lam: float

    def value(self, w: Array) -> float:
        """Return J(w) in nats."""
        C = SoftmaxRegression.cross_entropy(self.X @ w, self.Y).mean()
        return C + self.lam * np.square(w).sum()

    def gradient(self, w: Array) -> Array:
        """Return dJ/dw (D, K)."""
        residual = SoftmaxRegression.activation(self.X @ w) - self.Y
        return self.X.T @ residual / len(self.X) + 2 * self.lam * w

    def hessian(self, w: Array) -> LinearOperator:
        """Return the Hessian of J at w, which acts on flattened weights."""
        p = SoftmaxRegression.activation(self.X @ w)

        def product(v: Array) -> Array:
            v = v.reshape(w.shape)
            u = p * (self.X @ v)
            curved = self.X.T @ (u - p * u.sum(axis=1, keepdims=True)) / len(self.X)
            return (curved + 2 * self.lam * v).ravel()

        return LinearOperator((w.size, w.size), matvec=product, dtype=float)


def certificates(models: Sequence[SoftmaxRegression], data: Dataset) -> list[Certificate]:
    """Bound the distance of each model from its optimum on the training images.

    Raises ValueError for lam = 0, where no bound exists.
    """
    result = []
    for model in models:
        lam = model.lam
        if lam <= 0:
            raise ValueError(f"lam is {lam}; expected above 0: else J is not strongly convex")
        size = float(np.linalg.norm(model.gradient(*data.train)))
        result.append(Certificate(size**2 / (4 * lam), size / (2 * lam)))
    return result


def load_optima() -> dict[float, SoftmaxRegression]:
    """Return the stored optimum for each lambda, strongest penalty first; `certificates` proves them."""
    arrays = stored.read(FILE)
    both = zip(arrays["lam"].tolist(), arrays["w"], strict=True)
    return {lam: SoftmaxRegression(lam).copy(w) for lam, w in both}


def load_separator() -> Array:
    """Return the stored whole-numbered weights (785, 10) that classify every training image correctly."""
    return stored.read(FILE)["separator"]


def smallest_margin(w: Array, data: Split) -> float:
    """Return the smallest lead of the target's logit over every other, in units of 1/255.

    The weights `w` are whole numbers, and so is 255 X: float64 makes no error as long as no sum can pass
    2^53. Raises ValueError if one can.
    """
    largest_sum = 255 * np.abs(w).sum(axis=0).max()
    if largest_sum >= 2**52 or not np.array_equal(w, np.rint(w)):
        raise ValueError("the weights are too large or not whole; expected whole numbers of some ten digits")
    smallest = []
    for part in blocks(data.X):
        z = np.rint(255 * data.X[part]) @ w
        smallest.append(margin(z, data.Y[part]).min())
    return float(min(smallest))


def minimise(J: Objective, w: Array, tolerance: float) -> Array:
    """Return the weights at the minimum of J, lam > 0, by Newton's method from `w`.

    Each direction is halved until J falls enough. The end is where |grad J| <= `tolerance`. Raises
    RuntimeError after 100 iterations.
    """
    for _ in range(100):
        g = J.gradient(w)
        if np.linalg.norm(g) <= tolerance:
            return w
        d = newton_direction(J, w, g)
        slope = (g * d).sum()
        here = J.value(w) + NOISE
        step = 1.0
        while J.value(w + step * d) > here + 1e-4 * step * slope:
            step /= 2
        w = w + step * d
    raise RuntimeError(f"lam {J.lam}: |grad J| is {np.linalg.norm(g)} after 100 steps, not {tolerance}")


def newton_direction(J: Objective, w: Array, g: Array) -> Array:
    """Return d with H d = -g, H the Hessian of J, by preconditioned conjugate gradients (D, K).

    The residual allowed shrinks with |g|, which makes the convergence superlinear (Nocedal and Wright,
    Numerical Optimization, 7.1). The preconditioner forgets that the classes are coupled.
    """
    p = SoftmaxRegression.activation(J.X @ w)
    curvature = (p * (1 - p)).mean(axis=1, keepdims=True)
    penalty = 2 * J.lam * np.eye(len(w))
    half = J.X * np.sqrt(curvature)  # BLAS makes one half of a product with itself
    gram = half.T @ half / len(J.X)
    block = cho_factor(gram + penalty)

    def precondition(v: Array) -> Array:
        return cho_solve(block, v.reshape(w.shape)).ravel()

    M = LinearOperator((w.size, w.size), matvec=precondition, dtype=float)
    allowed = min(0.3, np.linalg.norm(g) ** 0.5)
    d, _ = cg(J.hessian(w), -g.ravel(), rtol=allowed, maxiter=1000, M=M)
    return d.reshape(w.shape)


def separate(w: Array, data: Split) -> Array:
    """Return whole-numbered weights (785, 10) that classify every image of `data` correctly.

    Minimises, from weights `w`, the squared hinge, sum over n and k != y of max(0, 1 - z_y + z_k)^2, plus
    mu |w|^2, for ever smaller mu, by Newton's method (Keerthi and DeCoste, JMLR 6, 2005). Raises
    RuntimeError if images are left over, which proves nothing.
    """
    for mu in np.repeat(np.logspace(-3, -6, 7), 20):
        direction = hinge_minimum(w, data, mu) - w
        w = w + hinge_step(w, direction, data, mu) * direction
        whole = np.rint(w * SCALE)
        if smallest_margin(whole, data) > 0:
            return whole
    raise RuntimeError("some images are still misclassified; are the data separable?")


def hinges(w: Array, data: Split) -> Array:
    """Return max(0, 1 - z_y + z_k) for every image and class k, 0 for k = y, (N, 10)."""
    z = data.X @ w
    own = z[data.Y > 0][:, None]
    return np.where(data.Y > 0, 0, np.maximum(0, 1 - own + z))


def hinge_minimum(w: Array, data: Split, mu: float) -> Array:
    """Return the minimum (785, 10) that there would be if the hinges active at `w` stayed the active ones."""
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
    """Return the step in [0, 1] along `d` that minimises the penalised hinge: a root of its growing slope."""

    def slope(t: float) -> float:
        moved = w + t * d
        v = hinges(moved, data)
        gradient = data.X.T @ (v - data.Y * v.sum(axis=1, keepdims=True)) + mu * moved
        return (gradient * d).sum()

    if slope(1) <= 0 or slope(0) >= 0:
        return 1.0
    return brentq(slope, 0, 1, xtol=1e-6)


def main() -> None:
    """Solve the path and the separation, and write both to FILE."""
    data = load_mnist().softmax().train
    w = SoftmaxRegression().w
    solved = []
    for lam in PATH:
        w = minimise(Objective(*data, lam), w, tolerance=1e-7 * lam)
        solved.append(w)
        print(f"lambda {lam:g} solved", flush=True)
    separator = separate(w, data).astype(np.int32)
    stored.write(FILE, lam=np.array(PATH), w=np.array(solved), separator=separator)


if __name__ == "__main__":
    main()
