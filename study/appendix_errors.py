"""What the softmax model misclassifies, and how well its probabilities are calibrated."""

from typing import NamedTuple

import numpy as np

from assignment1.fast.evaluation import evaluate
from assignment1.mnist import Split
from assignment1.models import Array, Ints, Regression
from study.statistics import Interval, over_images, wilson


class Readings(NamedTuple):
    """How a model classifies N images."""

    digit: Ints  # (N,), the true class
    read: Ints  # (N,), the most probable class, which is the prediction
    loss: Array  # (N,), nats


def readings(model: Regression, split: Split) -> Readings:
    """Return how a softmax model classifies the images of `split`."""
    (loss,) = evaluate([model], split).loss
    return Readings(split.Y.argmax(axis=1), model.predict(split.X), loss)


def confused_pairs(counts: Ints, top: int) -> list[tuple[int, int, int]]:
    """Return the `top` pairs of digits that are most often confused, and how often."""
    i, j = np.triu_indices(len(counts), 1)
    both = counts[i, j] + counts[j, i]
    order = np.argsort(-both, kind="stable")[:top]
    return list(zip(i[order].tolist(), j[order].tolist(), both[order].tolist(), strict=True))


def costliest(seen: Readings, count: int) -> Ints:
    """Return the indices of the `count` images with the largest loss, the largest first."""
    return np.argsort(-seen.loss, kind="stable")[:count]


class Sureness(NamedTuple):
    """Accuracy and mean confidence, the probability of the predicted class, over some images."""

    accuracy: float
    confidence: float
    lacking: Interval  # accuracy minus confidence, paired by image


def sureness(model: Regression, split: Split) -> Sureness:
    """Compare the model's confidence with its accuracy."""
    (correct,) = evaluate([model], split).correct
    confidence = confidences(model, split)
    return Sureness(correct.mean(), float(confidence.mean()), over_images(correct - confidence))


def confidences(model: Regression, split: Split) -> Array:
    """Return the probability of each image's predicted class, (N,), in the precision of the images."""
    w = model.w.astype(split.X.dtype)
    return model.copy(w).forward(split.X).max(axis=1)


class Reliability(NamedTuple):
    """Accuracy against confidence, by groups of images of like confidence: each is (groups,)."""

    confidence: Array  # mean
    accuracy: Array  # with Wilson's 95 % interval
    low: Array
    high: Array


def reliability(model: Regression, split: Split, groups: int = 10, fewest: int = 100) -> Reliability:
    """Group the images by confidence in equal steps, leaving out groups of fewer than `fewest` images."""
    (correct,) = evaluate([model], split).correct
    confidence = confidences(model, split)
    group = np.ceil(groups * confidence)
    found = []
    for number in range(1, groups + 1):
        own = group == number
        images = own.sum()
        if images < fewest:
            continue
        right = correct[own].sum()
        low, high = wilson(right, images)
        found.append([confidence[own].mean(), right / images, low, high])
    return Reliability(*np.array(found).reshape(-1, 4).T)


class Confused(NamedTuple):
    """The confusion table, with each digit's accuracy and the most confused pairs."""

    counts: Ints  # (10, 10), true digit in the row, predicted one in the column
    wrong: int
    share: Array  # (10,), each digit's accuracy, with Wilson's 95 % interval; NaN for one without images
    low: Array
    high: Array
    pairs: list[tuple[int, int, int]]  # the four most confused pairs, and how often
    in_pairs: float  # their share of all errors; 0 if there is none


def confused(seen: Readings) -> Confused:
    """Count the images of each digit that are classified as each, with the pairs most often confused."""
    counts = np.bincount(10 * seen.digit + seen.read, minlength=100).reshape(10, 10)
    n = counts.sum(axis=1)
    hits = np.diag(counts)
    wrong = int(n.sum() - hits.sum())
    low, high = np.transpose(list(map(wilson, hits.tolist(), n.tolist())))
    pairs = confused_pairs(counts, 4)
    in_pairs = sum(times for _, _, times in pairs) / max(wrong, 1)
    share = hits / np.where(n, n, np.nan)
    return Confused(counts, wrong, share, low, high, pairs, in_pairs)
