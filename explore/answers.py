"""What the answers to the questions of explore.ipynb measure; their text stands in text/explore.md."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import combinations
from typing import NamedTuple

import numpy as np

from assignment1.fast.sweep import sweep
from assignment1.fast.train import train
from assignment1.mnist import MNIST, Dataset, Split
from assignment1.models import LogisticRegression, Regression, SoftmaxRegression
from study.optima import load_optima


class Pair(NamedTuple):
    """Two digits, and how well a logistic regression tells them apart on the validation images."""

    digits: str
    accuracy: float
    error: float  # the standard error of the accuracy, as the images are a sample

    @property
    def score(self) -> str:
        """The accuracy and its standard error, in words."""
        return f"{100 * self.accuracy:.1f}% ± {100 * self.error:.1f}%"


class Rate(NamedTuple):
    """What a learning rate does: in one step on all images from zero weights, and in five epochs."""

    rate: float
    one_step: float  # the training loss after the step, nats; before it, ln 10
    lowest: float  # validation losses of the last epoch's checks, nats
    highest: float


def pairs(mnist: MNIST) -> list[Pair]:
    """Return all 45 pairs, the hardest first: ten epochs each, at a learning rate of 0.05."""
    sets = {pair: partial(mnist.binary, *pair, np.float32) for pair in combinations(range(10), 2)}
    runs = sweep(LogisticRegression, sets, learning_rate=0.05, epochs=10, checks_per_epoch=1, progress=False)
    found = []
    for (one, other), run in runs.items():
        accuracy = float(run.history.validation_accuracy[-1])
        images = np.isin(mnist.test_labels, (one, other)).sum()
        error = np.sqrt(accuracy * (1 - accuracy) / images)
        found.append(Pair(f"{one} and {other}", accuracy, float(error)))
    return sorted(found, key=lambda pair: pair.accuracy)


def curvature(split: Split) -> float:
    """Return the largest curvature of the softmax loss at zero weights: that of X^T X / N, over K.

    There every output is 1/K, and the Hessian is X^T X / N times (I - 1/K)/K, whose largest value is 1/K.
    """
    X = split.X.astype(float)
    largest = np.linalg.eigvalsh(X.T @ X)[-1]
    return float(largest / split.Y.size)


def rates(data: Dataset) -> list[Rate]:
    """Return what the bench's learning rate and one of 1 do with the softmax model."""
    zero = SoftmaxRegression()
    gradient = zero.gradient(*data.train)
    found = []
    for rate in (0.05, 1.0):
        run = train(zero, data, learning_rate=rate, epochs=5, progress=False)
        last = run.history.validation_loss[-5:]
        stepped = zero.copy(-rate * gradient).loss(*data.train)
        found.append(Rate(rate, stepped, float(last.min()), float(last.max())))
    return found


def sevens(mnist: MNIST) -> dict[float, float]:
    """Return, by lambda, the share of MNIST's test images of a 7 that the optimum takes for a 1."""
    images = mnist.test_images[mnist.test_labels == 7]
    return {lam: float((model.predict(images) == 1).mean()) for lam, model in load_optima().items()}


def moved(model: Regression, mnist: MNIST, pixels: Sequence[int]) -> dict[int, float]:
    """Return the accuracy on MNIST's test images moved right and down by so many pixels."""
    found = {}
    for n in pixels:
        images = np.zeros_like(mnist.test_images)
        images[:, n:, n:] = mnist.test_images[:, : 28 - n, : 28 - n]
        found[n] = float((model.predict(images) == mnist.test_labels).mean())
    return found
