"""Tasks 4b to 4e: the penalty's effect on weights and accuracy, at the stop and at the optimum."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assignment1 import evaluation
from assignment1.mnist import Dataset, Split
from assignment1.models import Array, Regression, SoftmaxRegression
from assignment1.run import Run
from assignment1.training import train

Key = TypeVar("Key")
SETTINGS = dict(learning_rate=0.01, batch_size=128, shuffle=True)  # tasks 3 and 4


class Paired(NamedTuple):
    """A mean difference, its standard error and the number of pairs behind them."""

    mean: float
    error: float
    pairs: int


class Scores(NamedTuple):
    """Loss without the penalty, in nats, and accuracy on one split."""

    loss: float
    accuracy: float


class Stop(NamedTuple):
    """Where a run ended, and how far that is from the optimum of its J on the training images."""

    J: float
    excess: float  # (J(w) - J*) / J*
    gradient: float  # |grad J(w)|
    distance: float  # |w - w*| / |w*|


def scores(models: Iterable[Regression], split: Split) -> list[Scores]:
    """`loss` and `accuracy` of each model, from one product."""
    both = evaluation.scores(list(models), split)
    return [Scores(loss, accuracy) for loss, accuracy in zip(*both, strict=True)]


def wrong_share(model: Regression, split: Split) -> float:
    """The share that the wrong classes have in the squared gradient by the logits, summed over all images."""
    squares = np.square(split.Y - model.forward(split.X))
    return float(squares[split.Y == 0].sum() / squares.sum())


def roughness(w: Array) -> float:
    """Mean squared difference of neighbouring pixels' weights (785, K) over twice their mean square.

    It has no scale: 0 for constant weights, 1 for independent ones of mean 0.
    """
    image = w[:784].reshape(28, 28, -1)
    squares = [np.square(np.diff(image, axis=axis)).mean() for axis in (0, 1)]
    return float(np.mean(squares) / (2 * np.square(image).mean()))


def class_means(data: Split, centred: bool) -> Array:
    """Each class's mean image (785, K); `centred`, less the mean of these means."""
    means = data.X.T @ data.Y / data.Y.sum(axis=0)
    return means - means.mean(axis=1, keepdims=True) if centred else means


def likeness(w: Array, means: Array) -> Array:
    """Correlation over the 784 pixels of each class's weights with its mean image, both (785, K): (K,)."""
    return np.array([np.corrcoef(a, b)[0, 1] for a, b in zip(w[:784].T, means[:784].T, strict=True)])


def look(w: Array, *means: Array) -> tuple[float, ...]:
    """`roughness`, and the mean `likeness` to each of several sets of mean images."""
    return roughness(w), *(float(likeness(w, m).mean()) for m in means)


def dark_pixels(data: Split) -> NDArray[np.intp]:
    """The pixels, by number, that are black (-1) in every image of `data`."""
    return np.flatnonzero((data.X[:, :784] == -1).all(axis=0))


def stop(run: Run, optimum: SoftmaxRegression, data: Split) -> Stop:
    """How far the last weights of `run` are from the optimum of the same J."""
    last = SoftmaxRegression(optimum.lam).copy(run.last.w)
    J, least = last.objective(*data), optimum.objective(*data)
    away = np.linalg.norm(last.w - optimum.w) / np.linalg.norm(optimum.w)
    return Stop(J, J / least - 1, float(np.linalg.norm(last.gradient(*data))), float(away))


def over_seeds(runs: Mapping[tuple[float, int], Run], a: float, b: float, measure: str) -> Paired:
    """Lambda a's `measure` (of History) less b's, paired by seed, each the mean of the run's last fifth."""
    seeds = [seed for lam, seed in runs if lam == a and (b, seed) in runs]
    return paired(*([late(runs[lam, seed], measure) for seed in seeds] for lam in (a, b)))


def late(run: Run, measure: str) -> float:
    """The mean of a measure of History over the checks in the last fifth of the run's steps."""
    return float(getattr(run.history, measure)[run.history.step >= 0.8 * run.steps].mean())


def over_images(a: Regression, b: Regression, split: Split) -> Paired:
    """Model a's accuracy less b's, paired by image (with McNemar's variance)."""
    return paired(*(model.correct(model.logits(split.X), split.Y) for model in (a, b)))


def paired(a: ArrayLike, b: ArrayLike) -> Paired:
    """The mean of a - b. ValueError for fewer than two pairs, which have no standard error."""
    difference = np.subtract(np.asarray(a, float), np.asarray(b, float))
    if len(difference) < 2:
        raise ValueError(f"{len(difference)} pairs; expected two or more: train with more seeds")
    error = difference.std(ddof=1) / np.sqrt(len(difference))
    return Paired(float(difference.mean()), float(error), len(difference))


def descent(data: Dataset, epochs: Iterable[int]) -> dict[int, SoftmaxRegression]:
    """The weights of a lambda = 0 run after each of `epochs`, in rising order.

    The run is made in parts, each with shuffles of its own.
    """
    model, done, passed = SoftmaxRegression(), 0, {}
    for epoch in epochs:
        part = dict(epochs=epoch - done, seed=epoch, checks_per_epoch=1, progress=False)
        run = train(model, data, **SETTINGS | part)  # type: ignore[arg-type]
        model, done = SoftmaxRegression().copy(run.last.w), epoch
        passed[epoch] = model
    return passed


def place(models: Mapping[Key, Regression], split: Split) -> dict[Key, tuple[float, float]]:
    """The length of each model's weights and its loss on a split, in nats."""
    found = zip(models.items(), scores(models.values(), split), strict=True)
    return {key: (float(np.linalg.norm(m.w)), s.loss) for (key, m), s in found}


def aside(passed: Iterable[tuple[float, float]], path: Iterable[tuple[float, float]]) -> Array:
    """How far each loss is from the path's at the same length of the weights, as a share of it.

    Both are (length, loss) in rising order of length; the path is interpolated in the logarithm of both.
    """
    (length, loss), (lengths, losses) = (np.log(list(points)).T for points in (passed, path))
    return np.expm1(loss - np.interp(length, lengths, losses))


def nearest(model: Regression, optima: Mapping[float, Regression]) -> float:
    """The lambda whose optimum is nearest to the weights of `model`."""
    return min(optima, key=lambda lam: float(np.linalg.norm(optima[lam].w - model.w)))
