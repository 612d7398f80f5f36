"""Task 4d: gradient descent without a penalty beside the path of the minima, and where it leads."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from assignment1.fast.evaluation import margin
from assignment1.mnist import Dataset, Split
from assignment1.models import Array, Regression, SoftmaxRegression
from study.evaluate import Key, evaluate_groups
from study.optima import smallest_margin
from study.task4d_penalty import norm, scores

NORMS = (1e3, 1e4, 1e5)


class Point(NamedTuple):
    """A model by the norm of its weights and its loss."""

    norm: float
    loss: float  # nats


class Passing(NamedTuple):
    """Runs without penalty beside the minima of J, on one split."""

    course: dict[int, Point]  # by epoch
    path: dict[float, Point]  # by lambda
    off: float  # the largest share by which the loss differs from the path's at the same norm
    fall: float  # from the first of the epochs to the one of lowest loss, as a share
    rise: float  # from there to the last


class Separation(NamedTuple):
    """The validation loss of weights that classify every training image correctly."""

    margin: float  # the smallest lead of the target's logit over every other on training images, in 1/255
    missed: float  # the share of the validation images that are misclassified
    behind: float  # the mean of max_k z_k - z_y there, for weights of norm 1
    loss: Array  # for weights of the NORMS


def place(models: Mapping[Key, Regression], split: Split) -> dict[Key, Point]:
    """Return the norm of each model's weights and its loss on a split."""
    found = scores(models, split)
    return {key: Point(norm(model), found[key].loss) for key, model in models.items()}


def aside(passed: Iterable[Point], path: Iterable[Point]) -> Array:
    """Return how far each loss is from the path's at the same norm of the weights, as a share of it.

    Both are in rising order of the norm; the path is interpolated in the logarithm of both.
    """
    at, loss = np.log(list(passed)).T
    norms, losses = np.log(list(path)).T
    return np.expm1(loss - np.interp(at, norms, losses))


def passing(
    runs: Mapping[int, Sequence[Regression]], optima: Mapping[float, Regression], split: Split
) -> Passing:
    """Return how closely the weights of `runs`, by epoch, pass by the `optima`, by falling lambda.

    Runs that differ in their shuffles count by their mean norm and their mean loss.
    """
    course = {}
    for epoch, found in evaluate_groups(runs, split).items():
        norms = [norm(model) for model in runs[epoch]]
        course[epoch] = Point(float(np.mean(norms)), float(found.loss.mean()))
    path = place(optima, split)
    off = np.abs(aside(course.values(), path.values())).max()
    losses = [point.loss for point in course.values()]
    least = min(losses)
    fall = 1 - least / losses[0]
    rise = losses[-1] / least - 1
    return Passing(course, path, off, fall, rise)


def separation(w: Array, data: Dataset) -> Separation:
    """Bound the validation loss along the whole-numbered weights `w`; the bound grows with their norm.

    The cross-entropy is at least max_k z_k - z_y, so that at norm r the mean loss is at least r `behind`.
    """
    X, Y = data.validation
    z = X @ (w / np.linalg.norm(w))
    behind = np.maximum(0, -margin(z, Y))
    missed = ~SoftmaxRegression.correct(z, Y)
    loss = np.array([SoftmaxRegression.cross_entropy(r * z, Y).mean() for r in NORMS])
    return Separation(smallest_margin(w, data.train), missed.mean(), behind.mean(), loss)
