"""Task 4b: how rough the weights are, and along which directions of the pixels they lie."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import pearsonr
from threadpoolctl import threadpool_limits

from assignment1.mnist import Split
from assignment1.models import Array, Regression
from study.cache import kept
from study.optima import Objective, minimise

EDGES = (0, 10, 30, 100, 300, 784)  # the bands of principal directions, by rank
LEADING = 200  # the directions that the control keeps
REPEATS = 20  # sums of each number of images


class View(NamedTuple):
    """The look of a model's weights."""

    roughness: float
    likeness: Array  # (K,), the correlation of each class's weights with its centred mean image


class Directions(NamedTuple):
    """The principal directions of the training pixels, the one of the largest variance first."""

    variance: Array  # (784,), of the pixels along each direction
    vectors: Array  # (784, 784), a direction in each column
    roughness: Array  # (784,), of each direction as an image


class Band(NamedTuple):
    """Neighbouring principal directions, and the part of each model's squared weights along them."""

    first: int  # ranks, counted from 1
    last: int
    variance: float  # mean over the band
    roughness: float
    shares: list[float]


class Sums(NamedTuple):
    """Roughness of sums of n random centred images with random coefficients."""

    mean: float
    deviation: float  # standard deviation from sum to sum


def roughness(w: Array) -> float:
    """Return the mean squared difference of neighbouring pixels' weights over twice their mean square.

    The weights are (784, K), or (785, K), of which the bias's are left out. The roughness has no scale: it is
    0 for constant weights and 1 for independent ones of mean 0.
    """
    image = w[:784].reshape(28, 28, -1)
    down = np.square(np.diff(image, axis=0)).mean()
    across = np.square(np.diff(image, axis=1)).mean()
    return float((down + across) / (4 * np.square(image).mean()))


def views(models: Mapping[float, Regression], data: Split) -> dict[float, View]:
    """Return the roughness of each model's weights and their likeness to the class means of `data`."""
    means = data.X.T @ data.Y / data.Y.sum(axis=0)
    centred = means - means.mean(axis=1, keepdims=True)
    result = {}
    for lam, model in models.items():
        likeness = pearsonr(model.w[:784], centred[:784], axis=0).statistic
        result[lam] = View(roughness(model.w), likeness)
    return result


def largest(models: Mapping[float, Regression]) -> dict[float, float]:
    """Return the largest absolute weight of a pixel of each model: the end of its colour scale."""
    return {lam: np.abs(model.w[:784]).max() for lam, model in models.items()}


def dark_pixels(data: Split) -> NDArray[np.intp]:
    """Return the pixels, by number, that are black (-1) in every image of `data`."""
    return np.flatnonzero((data.X[:, :784] == -1).all(axis=0))


def opposite(models: Sequence[Regression], pixels: NDArray[np.intp]) -> float:
    """Return the largest difference between a weight of the `pixels` and minus its class's bias weight."""
    w = np.array([model.w for model in models])
    return np.abs(w[:, pixels] + w[:, 784:]).max()


@kept
def directions(data: Split) -> Directions:
    """Return the principal directions of the 784 pixels over the images of `data`."""
    covariance = np.cov(data.X[:, :784].T, bias=True)
    variance, vectors = np.linalg.eigh(covariance)
    variance = np.maximum(variance[::-1], 0)
    vectors = vectors[:, ::-1]
    return Directions(variance, vectors, _each_roughness(vectors.T))


def _each_roughness(images: Array) -> Array:
    return np.array([roughness(image[:, None]) for image in images])


def bands(found: Directions, models: Sequence[Regression]) -> list[Band]:
    """Return the bands of principal directions with the share that each of the `models` has along them."""
    squares = []
    for model in models:
        along = found.vectors.T @ model.w[:784]
        squares.append(np.square(along).sum(axis=1))
    result = []
    for start, end in pairwise(EDGES):
        variance = found.variance[start:end].mean()
        rough = found.roughness[start:end].mean()
        shares = [each[start:end].sum() / each.sum() for each in squares]
        result.append(Band(start + 1, end, float(variance), float(rough), shares))
    return result


def sums(data: Split, counts: Sequence[int]) -> dict[int, Sums]:
    """Return the roughness of sums of so many images, drawn without repetition, with normal coefficients."""
    rng = np.random.default_rng(0)
    P = data.X[:, :784]
    mean = P.mean(axis=0)
    result = {}
    for n in counts:
        c = np.zeros((REPEATS, len(P)))
        for row in c:
            drawn = rng.choice(len(P), n, replace=False)
            row[drawn] = rng.normal(size=n)
        means = c.sum(axis=1, keepdims=True) * mean
        found = _each_roughness(c @ P - means)
        result[n] = Sums(float(found.mean()), float(found.std(ddof=1)))
    return result


def effective_images(model: Regression, data: Split) -> float:
    """Return over how many images the residual Y - Y_hat is spread: (sum_n r_n^2)^2 / sum_n r_n^4."""
    residual = data.Y - model.forward(data.X)
    squares = np.square(residual).sum(axis=1)
    return squares.sum() ** 2 / np.square(squares).sum()


@kept
@threadpool_limits.wrap(limits=1)  # more threads than one lose time on products this small
def shrinkage(data: Split, found: Directions) -> dict[str, dict[float, float]]:
    """Return the roughness of optima on images whose variances along the principal directions are rearranged.

    Of the first 4,000 images the LEADING directions are kept: once with their variances "as they are",
    once "equal", once "reversed", so that the rough directions vary most; their sum stays. Images are only
    scaled along each direction, so that the classes can be told apart as well as before.
    """
    variance = found.variance[:LEADING]
    vectors = found.vectors[:, :LEADING]
    P = data.X[:, :784]
    A = (P[:4000] - P.mean(axis=0)) @ vectors
    Y = data.Y[:4000]
    equal = np.full(LEADING, variance.mean())
    arms = {"as they are": variance, "equal": equal, "reversed": variance[::-1]}
    result: dict[str, dict[float, float]] = {}
    for name, target in arms.items():
        scaled = A * np.sqrt(target / variance)
        X = np.hstack([scaled, np.ones((len(Y), 1))])
        w: Array = np.zeros((LEADING + 1, 10))
        result[name] = {}
        for lam in (1.0, 0.001):
            w = minimise(Objective(X, Y, lam), w, tolerance=1e-5)
            result[name][lam] = roughness(vectors @ w[:-1])
    return result
