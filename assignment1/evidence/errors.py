"""What the softmax model gets wrong, how sure it is of it, and what the choice of validation images costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar

from assignment1.evidence import task4
from assignment1.mnist import Dataset, Split, preprocess
from assignment1.models import Array, Regression


class Readings(NamedTuple):
    """How a model reads N images."""

    Y_hat: Array  # (N, K), probabilities
    digit: NDArray[np.intp]  # (N,), the true class
    read: NDArray[np.intp]  # (N,), the most probable class
    loss: Array  # (N,), nats


def readings(model: Regression, split: Split) -> Readings:
    """What a softmax model makes of the images of `split`."""
    z = model.logits(split.X)
    return Readings(
        model.activation(z), split.Y.argmax(axis=1), z.argmax(axis=1), model.cross_entropy(z, split.Y)
    )


def confusion(seen: Readings) -> NDArray[np.intp]:
    """How many images of each true digit (row) are read as each digit (column)."""
    K = seen.Y_hat.shape[1]
    return np.bincount(seen.digit * K + seen.read, minlength=K * K).reshape(K, K)


def confused_pairs(counts: NDArray[np.intp], top: int) -> list[tuple[int, int, int]]:
    """The `top` pairs of digits that are most often read as one another, and how often."""
    both = np.triu(counts + counts.T, 1)
    order = np.argsort(-both, axis=None, kind="stable")[:top]
    return [
        (int(i), int(j), int(both[i, j])) for i, j in zip(*np.unravel_index(order, both.shape), strict=True)
    ]


def wilson(hits: ArrayLike, n: ArrayLike, z: float = 1.959964) -> tuple[Array, Array]:
    """Both ends of Wilson's interval for a proportion of `hits` in `n`; 95 % as it stands (Wilson, 1927)."""
    hits, n = np.asarray(hits, float), np.asarray(n, float)
    centre = (hits + z**2 / 2) / (n + z**2)
    half = z * np.sqrt(hits * (n - hits) / n + z**2 / 4) / (n + z**2)
    return centre - half, centre + half


class Reliability(NamedTuple):
    """Images grouped by the probability of what they are read as; groups without images are left out."""

    n: NDArray[np.intp]  # images in each group
    confidence: Array  # their mean probability
    hits: NDArray[np.intp]  # how many of them are read rightly


def reliability(seen: Readings, bins: int = 10) -> Reliability:
    """How often the model is right when it is so sure: `bins` groups of equal width in probability."""
    confidence, right = seen.Y_hat.max(axis=1), seen.read == seen.digit
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    n, total, hits = (np.bincount(place, weights, bins) for weights in (None, confidence, right))
    held = n > 0
    return Reliability(n[held], total[held] / n[held], hits[held].astype(int))


def calibration_error(groups: Reliability) -> float:
    """The expected calibration error: |accuracy - confidence|, averaged over images (Naeini et al., 2015)."""
    return float(np.abs(groups.hits - groups.n * groups.confidence).sum() / groups.n.sum())


def best_scale(model: Regression, split: Split) -> float:
    """The factor on all logits, and so on all weights, that gives the lowest loss (Guo et al., 2017)."""
    z = model.logits(split.X)
    found = minimize_scalar(lambda k: model.cross_entropy(k * z, split.Y).mean(), (0.5, 2), tol=1e-6)
    return float(found.x)


def costliest(seen: Readings, count: int) -> NDArray[np.intp]:
    """The indices of the `count` images with the largest loss, the largest first."""
    return np.argsort(-seen.loss, kind="stable")[:count]


def shifted_accuracy(model: Regression, split: Split, pixels: int) -> float:
    """The accuracy on images moved by `pixels`, the mean of up, down, left and right.

    The weights are moved the other way, which comes to the same and leaves the images where they are.
    """
    image = model.w[:784].reshape(28, 28, -1)
    moved = [np.roll(image, sign * pixels, axis).reshape(784, -1) for axis in (0, 1) for sign in (-1, 1)]
    turned = [model.copy(np.vstack([w, model.w[784:]])) for w in moved]
    return float(np.mean([score.accuracy for score in task4.scores(turned, split)]))


def negative_accuracy(model: Regression, images: NDArray[np.uint8], Y: Array) -> float:
    """The accuracy on images (N, 28, 28) with black and white exchanged."""
    return model.accuracy(preprocess(255 - images), Y)


def permuted_gradient_error(model: Regression, split: Split, seed: int = 0) -> float:
    """Largest difference between the gradient on images with permuted inputs and the permuted gradient."""
    order = np.random.default_rng(seed).permutation(len(model.w))
    permuted = model.copy(model.w[order]).gradient(split.X[:, order], split.Y)
    return float(np.abs(permuted - model.gradient(*split)[order]).max())


def wrong_class_share(model: Regression, split: Split) -> Array:
    """The share of the wrong classes in each image's squared gradient by the logits, |y_hat - y|^2 (N,)."""
    squares = (model.forward(split.X) - split.Y) ** 2
    return (squares * (1 - split.Y)).sum(axis=1) / squares.sum(axis=1)


class Score(NamedTuple):
    """Accuracy on validation images and on those never used, whose 95 % interval is low to high."""

    validation: float
    untouched: float
    low: float
    high: float
    gap: float  # validation less untouched
    error: float  # the standard error of the gap


def score(model: Regression, data: Dataset) -> Score:
    """The accuracy of `model` on the validation images of `data` and on its untouched ones."""
    (a, n), (b, m) = ((model.accuracy(*part), len(part.X)) for part in (data.validation, data.test))
    low, high = wilson(b * m, m)
    return Score(a, b, float(low), float(high), a - b, float(np.sqrt(a * (1 - a) / n + b * (1 - b) / m)))


def scores(models: Mapping[str, tuple[Regression, Dataset]]) -> dict[str, Score]:
    """The score of each model on its own data."""
    return {name: score(model, data) for name, (model, data) in models.items()}


def score_rows(table: Mapping[str, Score]) -> list[tuple[str, ...]]:
    """A table's rows: name, both accuracies, the interval, the gap with its standard error."""
    return [
        (
            name,
            f"{s.validation:.4f}",
            f"{s.untouched:.4f}",
            f"{s.low:.4f} to {s.high:.4f}",
            f"{s.gap:+.4f} ± {s.error:.4f}",
        )
        for name, s in table.items()
    ]


def other_validation(data: Dataset, unused: Split, count: int = 10_000) -> Dataset:
    """`data` validated on the first `count` of the unused images: the roles exchanged."""
    part = Split(*(a[:count].astype(data.train.X.dtype) for a in unused))
    return Dataset(data.train, part, lambda: data.validation)
