"""Task 4b: how rough the weights are, and along which directions of the pixels they lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

from assignment1.mnist import Split
from assignment1.models import Array, Regression, SoftmaxRegression
from study.cache import kept

EDGES = (0, 10, 30, 100, 300, 784)  # the bands of principal directions, by rank


class View(NamedTuple):
    """What the weights of a model look like."""

    roughness: float
    likeness: Array  # (K,), the correlation of each class's weights with its centred mean image


class Directions(NamedTuple):
    """The principal directions of the training pixels, the one of the largest variance first."""

    variance: Array  # (784,), of the pixels along each direction
    vectors: Array  # (784, 784), a direction in each column
    roughness: Array  # (784,), of each direction as an image


class Band(NamedTuple):
    """Neighbouring principal directions, and what part of each model's squared weights lies along them."""

    first: int  # ranks, counted from 1
    last: int
    variance: float  # mean over the band
    roughness: float
    shares: tuple[float, ...]


class Sums(NamedTuple):
    """Roughness of sums of n random centred images with random coefficients."""

    mean: float
    deviation: float  # standard deviation from sum to sum


def roughness(w: Array) -> float:
    """Mean squared difference of neighbouring pixels' weights (785, K) over twice their mean square.

    It has no scale: 0 for constant weights, 1 for independent ones of mean 0. The bias's weight is left out.
    """
    image = w[:784].reshape(28, 28, -1)
    squares = [np.square(np.diff(image, axis=axis)).mean() for axis in (0, 1)]
    return float(np.mean(squares) / (2 * np.square(image).mean()))


def class_means(data: Split) -> Array:
    """Each class's mean image minus the mean of these means (785, K)."""
    means = data.X.T @ data.Y / data.Y.sum(axis=0)
    return means - means.mean(axis=1, keepdims=True)


def likeness(w: Array, means: Array) -> Array:
    """Correlation over the 784 pixels of each class's weights with its mean image, both (785, K): (K,)."""
    return np.array([np.corrcoef(a, b)[0, 1] for a, b in zip(w[:784].T, means[:784].T, strict=True)])


def views(models: Mapping[float, Regression], data: Split) -> dict[float, View]:
    """`roughness` of each model's weights and `likeness` to the class means of `data`."""
    means = class_means(data)
    return {lam: View(roughness(m.w), likeness(m.w, means)) for lam, m in models.items()}


def largest(models: Mapping[float, Regression]) -> dict[float, float]:
    """The largest absolute weight of a pixel of each model: the end of its colour scale."""
    return {lam: float(np.abs(m.w[:784]).max()) for lam, m in models.items()}


def dark_pixels(data: Split) -> NDArray[np.intp]:
    """The pixels, by number, that are black (-1) in every image of `data`."""
    return np.flatnonzero((data.X[:, :784] == -1).all(axis=0))


def opposite(models: Sequence[Regression], pixels: NDArray[np.intp]) -> float:
    """The largest difference between a weight of the `pixels` and the negative of its class's bias weight."""
    return max(float(np.abs(m.w[pixels] + m.w[784]).max()) for m in models)


@kept
def directions(data: Split) -> Directions:
    """The principal directions of the 784 pixels over the images of `data`."""
    s, V = np.linalg.eigh(np.cov(data.X[:, :784].T, bias=True))
    s, V = np.maximum(s[::-1], 0), V[:, ::-1]
    return Directions(s, V, np.array([roughness(v[:, None]) for v in V.T]))


def along(w: Array, found: Directions, edges: Sequence[int] = EDGES) -> Array:
    """The sum of the squared weights (785, K) along the directions of each band, (bands,)."""
    squares = np.square(found.vectors.T @ w[:784]).sum(axis=1)
    return np.array([squares[a:b].sum() for a, b in pairwise(edges)])


def bands(found: Directions, models: Sequence[Regression]) -> list[Band]:
    """The bands of principal directions with the share that each of the `models` has along them."""
    shares = np.array([part / part.sum() for part in (along(m.w, found) for m in models)])
    return [
        Band(a + 1, b, float(found.variance[a:b].mean()), float(found.roughness[a:b].mean()), tuple(share))
        for a, b, share in zip(EDGES, EDGES[1:], shares.T.tolist(), strict=False)
    ]


def sums(data: Split, counts: Sequence[int], repeats: int = 20, seed: int = 0) -> dict[int, Sums]:
    """The roughness of sums of so many images, drawn without repetition, with normal coefficients."""
    rng, P = np.random.default_rng(seed), data.X[:, :784]
    c = np.zeros((len(counts) * repeats, len(P)))
    for n, row in zip(np.repeat(counts, repeats), c, strict=True):
        which = rng.choice(len(P), n, replace=False)
        row[which] = rng.normal(size=n)
    found = [roughness(w[:, None]) for w in c @ P - c.sum(axis=1, keepdims=True) * P.mean(axis=0)]
    each = np.array(found).reshape(len(counts), repeats)
    return {n: Sums(float(r.mean()), float(r.std(ddof=1))) for n, r in zip(counts, each, strict=True)}


def effective_images(model: Regression, data: Split) -> float:
    """Over how many images the residual Y - Y_hat is spread: (sum_n r_n^2)^2 / sum_n r_n^4."""
    squares = np.square(data.Y - model.forward(data.X)).sum(axis=1)
    return float(squares.sum() ** 2 / np.square(squares).sum())


@kept
@threadpool_limits.wrap(limits=1)  # more threads than one lose time on products this small
def shrinkage(
    data: Split, found: Directions, lambdas: Sequence[float] = (1.0, 0.001), count: int = 4000, q: int = 200
) -> dict[str, dict[float, float]]:
    """The roughness of optima on images whose variances along the principal directions were rearranged.

    Of the first `count` images the `q` leading directions are kept: once with their variances "as they are",
    once "equal", once "reversed", so that the rough directions vary most; their sum stays. What each image
    has along each direction is only scaled, so that the classes can be told apart as well as before.
    """
    variance, vectors = found.variance[:q], found.vectors[:, :q]
    A, Y = (data.X[:count, :784] - data.X[:, :784].mean(axis=0)) @ vectors, data.Y[:count]
    arms = {"as they are": variance, "equal": np.full(q, variance.mean()), "reversed": variance[::-1]}
    result: dict[str, dict[float, float]] = {}
    for name, target in arms.items():
        X, w, result[name] = np.hstack([A * np.sqrt(target / variance), np.ones((count, 1))]), None, {}
        for lam in lambdas:
            w = _minimum(Split(X, Y), lam, w)
            result[name][lam] = roughness(vectors @ w[:q])
    return result


def _minimum(data: Split, lam: float, start: Array | None) -> Array:
    """The weights at the minimum of J on `data`, of any width, by L-BFGS."""
    shape = data.X.shape[1], data.Y.shape[1]

    def cost_and_gradient(v: Array) -> tuple[float, Array]:
        w = v.reshape(shape)
        z = data.X @ w
        cost = SoftmaxRegression.cross_entropy(z, data.Y).mean() + lam * np.square(v).sum()
        gradient = data.X.T @ (SoftmaxRegression.activation(z) - data.Y) / len(data.X) + 2 * lam * w
        return float(cost), gradient.ravel()

    first = np.zeros(shape) if start is None else start
    found = minimize(cost_and_gradient, first.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 500})
    return found.x.reshape(shape)


def band_rows(found: Sequence[Band]) -> list[tuple[str, ...]]:
    """A table's rows: ranks, mean variance and roughness, and each model's share."""
    return [
        (
            f"{band.first} to {band.last}",
            f"{band.variance:.3g}",
            f"{band.roughness:.2f}",
            *(f"{share:.1%}" for share in band.shares),
        )
        for band in found
    ]
