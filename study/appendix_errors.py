"""What the softmax model misclassifies, and how well its probabilities are calibrated."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar

from assignment1.mnist import Split
from assignment1.models import Array, Regression
from study.statistics import Interval, paired


class Readings(NamedTuple):
    """How a model classifies N images."""

    Y_hat: Array  # (N, K), probabilities
    digit: NDArray[np.intp]  # (N,), the true class
    read: NDArray[np.intp]  # (N,), the most probable class, which is the prediction
    loss: Array  # (N,), nats


def readings(model: Regression, split: Split) -> Readings:
    """What a softmax model makes of the images of `split`."""
    z = model.logits(split.X)
    return Readings(
        model.activation(z), split.Y.argmax(axis=1), z.argmax(axis=1), model.cross_entropy(z, split.Y)
    )


def confusion(seen: Readings) -> NDArray[np.intp]:
    """How many images of each true digit (row) are classified as each digit (column)."""
    K = seen.Y_hat.shape[1]
    return np.bincount(seen.digit * K + seen.read, minlength=K * K).reshape(K, K)


def confused_pairs(counts: NDArray[np.intp], top: int) -> list[tuple[int, int, int]]:
    """The `top` pairs of digits that are most often confused, and how often."""
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


def best_scale(model: Regression, split: Split) -> float:
    """The factor on all logits, and so on all weights, that gives the lowest loss (Guo et al., 2017)."""
    z = model.logits(split.X)
    found = minimize_scalar(lambda k: model.cross_entropy(k * z, split.Y).mean(), (0.5, 2), tol=1e-6)
    return float(found.x)


def costliest(seen: Readings, count: int) -> NDArray[np.intp]:
    """The indices of the `count` images with the largest loss, the largest first."""
    return np.argsort(-seen.loss, kind="stable")[:count]


class Sureness(NamedTuple):
    """Accuracy and mean confidence, the probability of the predicted class, over some images."""

    accuracy: float
    confidence: float
    lacking: Interval  # accuracy minus confidence, paired by image


def sureness(model: Regression, split: Split) -> Sureness:
    """Is the model as confident as it is accurate? The difference is paired by image."""
    z = model.logits(split.X)
    right, confidence = model.correct(z, split.Y), model.activation(z).max(axis=1)
    return Sureness(float(right.mean()), float(confidence.mean()), paired(right, confidence))


class Burden(NamedTuple):
    """How the summed loss is spread over images, as shares of it."""

    hundredth: float  # of the hundredth of the images with the largest loss
    misclassified: float
    median: float  # nats an image
    mean: float
    cheapest: int  # how many of the images of least loss together cost less than the `count` of largest loss


def burden(seen: Readings, count: int = 16) -> Burden:
    """Which images the loss comes from."""
    ordered, total = np.sort(seen.loss), seen.loss.sum()
    return Burden(
        float(ordered[-(len(ordered) // 100) :].sum() / total),
        float(seen.loss[seen.read != seen.digit].sum() / total),
        float(np.median(seen.loss)),
        float(seen.loss.mean()),
        int((np.cumsum(ordered) < ordered[-count:].sum()).sum()),
    )


class Confused(NamedTuple):
    """The confusion table and what it says of digits and of pairs."""

    counts: NDArray[np.intp]  # (10, 10), true digit in the row, predicted one in the column
    wrong: int
    share: Array  # (10,), each digit's accuracy, with Wilson's 95 % interval
    low: Array
    high: Array
    pairs: list[tuple[int, int, int]]  # the four most confused pairs, and how often
    in_pairs: float  # their share of all errors

    @property
    def hardest(self) -> int:
        """The digit of the lowest accuracy."""
        return int(self.share.argmin())

    @property
    def easiest(self) -> int:
        """The digit of the highest accuracy."""
        return int(self.share.argmax())


def confused(seen: Readings) -> Confused:
    """`confusion` with each digit's accuracy and the pairs most often confused."""
    counts = confusion(seen)
    n, hits, wrong = counts.sum(axis=1), np.diag(counts), int(counts.sum() - np.trace(counts))
    pairs = confused_pairs(counts, 4)
    return Confused(counts, wrong, hits / n, *wilson(hits, n), pairs, sum(n for *_, n in pairs) / wrong)


def pair_list(pairs: list[tuple[int, int, int]]) -> str:
    """Pairs of digits in words, with how often they are confused."""
    return ", ".join(f"{i} and {j} ({n} times)" for i, j, n in pairs)


def cases_list(seen: Readings, which: NDArray[np.intp]) -> str:
    """Some images in words."""
    return ", ".join(f"{seen.digit[i]} classified as {seen.read[i]}" for i in which)
