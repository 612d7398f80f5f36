"""Task 4b: how rough the weights are, and along which directions of the pixels they lie."""

from collections.abc import Mapping, Sequence
from itertools import islice, pairwise
from typing import NamedTuple

import numpy as np

from assignment1.mnist import Dataset, Split
from assignment1.models import Array, Ints, Regression, SoftmaxRegression
from assignment1.run import Settings
from assignment1.training import batches
from study.cache import kept
from study.evaluate import Key

EDGES = (0, 10, 30, 100, 300, 784)  # the bands of principal directions, by rank


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
    so_far: list[float]  # the roughness of each model's weights along this band and those above it alone


def roughness(w: Array, other: Array | None = None) -> float:
    """Return the mean squared difference of neighbouring pixels' weights over twice their mean square.

    The weights are (784, K), or (785, K), of which the bias's are left out. The roughness has no scale: it is
    0 for constant weights and 1 for independent ones of mean 0. With `other` weights, products of both stand
    for squares, so that noise which is in one of them alone adds nothing.
    """
    first, second = (each[:784].reshape(28, 28, -1) for each in (w, w if other is None else other))
    down = (np.diff(first, axis=0) * np.diff(second, axis=0)).mean()
    across = (np.diff(first, axis=1) * np.diff(second, axis=1)).mean()
    return float((down + across) / (4 * (first * second).mean()))


def views(models: Mapping[Key, Regression], data: Split) -> dict[Key, View]:
    """Return the roughness of each model's weights and their likeness to the class means of `data`."""
    means = data.X.T @ data.Y / data.Y.sum(axis=0)
    centred = means - means.mean(axis=1, keepdims=True)
    result = {}
    for key, model in models.items():
        likeness = np.corrcoef(model.w[:784], centred[:784], rowvar=False).diagonal(model.K)
        result[key] = View(roughness(model.w), likeness)
    return result


def dark_pixels(data: Split) -> Ints:
    """Return the pixels, by number, that are black (-1) in every image of `data`."""
    return np.flatnonzero((data.X[:, :784] == -1).all(axis=0))


@kept
def directions(data: Dataset) -> Directions:
    """Return the principal directions of the 784 pixels over the training images."""
    X = data.train.X
    products = X.T @ X / len(X)  # the last row, of the bias, is the mean
    mean = products[784, :784]
    covariance = products[:784, :784] - np.outer(mean, mean)
    variance, vectors = np.linalg.eigh(covariance)
    variance = np.maximum(variance[::-1], 0)
    vectors = vectors[:, ::-1]
    each = [roughness(vector[:, None]) for vector in vectors.T]
    return Directions(variance, vectors, np.array(each))


def bands(found: Directions, models: Sequence[Regression]) -> list[Band]:
    """Return the bands of principal directions with the share that each of the `models` has along them."""
    result = []
    for start, end in pairwise(EDGES):
        shares = []
        so_far = []
        for model in models:
            pixels = model.w[:784]
            along = found.vectors[:, :end].T @ pixels
            shares.append(np.square(along[start:]).sum() / np.square(pixels).sum())
            so_far.append(roughness(found.vectors[:, :end] @ along))
        variance = float(found.variance[start:end].mean())
        rough = float(found.roughness[start:end].mean())
        result.append(Band(start + 1, end, variance, rough, shares, so_far))
    return result


def quadratic(found: Directions, data: Split, lam: float) -> Array:
    """Return the pixels' weights (784, K) at the minimum of J if C were its quadratic at zero weights.

    Along a direction of curvature h, in which minus the gradient of C at zero weights is g, they are
    g / (h + 2 lam). The images are taken less their mean, which the bias makes up for.
    """
    pixels = data.X[:, :784]
    K = data.Y.shape[1]
    excess = data.Y - 1 / K
    template = pixels.T @ excess - np.outer(pixels.mean(axis=0), excess.sum(axis=0))
    along = found.vectors.T @ template / len(pixels)
    total = curvature(found.variance, K) + 2 * lam
    return found.vectors @ (along / total[:, None])


def curvature(variance: Array, K: int = 10) -> Array:
    """Return the curvature of C at zero weights, where outputs are 1 / K, along directions of some variance.

    It is that for weights whose sum over the classes is 0, as those of gradient descent are. A variance that
    rounding left at or below 0 counts as a tiny one.
    """
    return np.maximum(variance, 1e-9) / K


@kept
def after(steps: int, data: Split) -> Regression:
    """Return the model of task 3b, without penalty and with its shuffles, after so many steps."""
    settings = Settings(0.01, epochs=50)
    model: Regression = SoftmaxRegression()
    for batch in islice(batches(data, settings), steps):
        model = model.copy(model.w - settings.learning_rate * model.gradient(*batch))
    return model
