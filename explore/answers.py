"""The answers to the questions of explore.ipynb, measured when they are shown; each is folded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from itertools import combinations
from typing import NamedTuple

import numpy as np

from assignment1.fast.sweep import sweep
from assignment1.fast.train import train
from assignment1.mnist import MNIST, Dataset, Split
from assignment1.models import LogisticRegression, Regression, SoftmaxRegression
from study.figures.style import decimal
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


class Answers:
    """The four answers, folded; what they say is measured when they are first shown."""

    def __init__(self, mnist: MNIST) -> None:
        self.mnist = mnist

    @cached_property
    def texts(self) -> dict[str, str]:
        """The answer to each question."""
        data = self.mnist.softmax(np.float32)
        shifted = moved(load_optima()[0.001], self.mnist, range(5))
        return {
            "Which pair of digits is hardest to tell apart?": hardest(pairs(self.mnist)),
            "What does a learning rate of 1 do, and why?": too_fast(rates(data), curvature(data.train)),
            "At which lambda does your 7 become a 1?": becomes_one(sevens(self.mnist)),
            "How much is lost if a digit is not in the middle?": off_centre(shifted),
        }

    def __repr__(self) -> str:
        return "\n\n".join(f"{question}\n{answer}" for question, answer in self.texts.items())

    def _repr_html_(self) -> str:
        return "".join(
            f"<details><summary>Answer: {question}</summary><p style='max-width:46em'>{answer}</p></details>"
            for question, answer in self.texts.items()
        )


def hardest(found: Sequence[Pair]) -> str:
    """Return the first answer."""
    one, two, *_, easy = found
    difference = "more than two standard errors."
    if two.accuracy - one.accuracy < 2 * np.hypot(one.error, two.error):
        difference = (
            "within two standard errors: which of the two is harder cannot be told from so few images."
        )
    return (
        f"After ten epochs {one.digits} are told apart with {one.score}, {two.digits} with {two.score} "
        f"(validation accuracy and its standard error). The difference is {difference} "
        f"The easiest are {easy.digits}, with {easy.score}."
    )


def too_fast(found: Sequence[Rate], L: float) -> str:
    """Return the second answer."""
    slow, fast = found
    return (
        f"The loss jumps: over the last of five epochs the validation loss lies between {fast.lowest:.2f} "
        f"and {fast.highest:.2f}, at a rate of {slow.rate:g} between {slow.lowest:.3f} and "
        f"{slow.highest:.3f}. In its steepest direction the loss has a curvature of {L:.1f} at zero "
        f"weights. In that direction a step goes beyond the minimum as soon as the rate is above "
        f"1/{L:.1f} = {1 / L:.3f}, and ends higher than it began above {2 / L:.3f}. One step on all images "
        f"from zero weights takes the training loss from {np.log(10):.2f} to {slow.one_step:.2f} at a rate "
        f"of {slow.rate:g}, and to {fast.one_step:.1f} at {fast.rate:g}. It does not grow for ever: where "
        f"the outputs are near 0 and 1 the loss is straight, and its gradient bounded."
    )


def becomes_one(shares: Mapping[float, float]) -> str:
    """Return the third answer."""
    each = ", ".join(f"{100 * share:.1f}% at {decimal(lam)}" for lam, share in shares.items())
    first = 100 * (shares[1.0] - shares[0.01])
    then = 100 * (shares[0.01] - shares[0.00001])
    return (
        f"That depends on your 7. Of MNIST's test images of a 7, the optimum takes for a 1, by lambda: "
        f"{each}. From 1 to 0.01 the share falls by {first:.1f} points, from there on by {then:.1f}."
    )


def off_centre(found: Mapping[int, float]) -> str:
    """Return the fourth answer."""
    each = ", ".join(f"{n}: {100 * accuracy:.1f}%" for n, accuracy in found.items())
    return (
        f"Accuracy on test images moved to the right and down by so many pixels: {each}. Each weight "
        "belongs to a place: the model knows no digit, only 784 pixels. With the switch on, the pad moves a "
        "digit back first, and a move by whole pixels changes nothing."
    )
