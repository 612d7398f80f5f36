"""Tasks 4c to 4e: what the penalty does to accuracy, loss and norm, at equal steps and at the optimum."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t as student

from assignment1.mnist import Split
from assignment1.models import Array, Regression, SoftmaxRegression
from assignment1.training import Run

Key = TypeVar("Key")


class Paired(NamedTuple):
    """A mean difference, its standard error and the number of pairs behind them."""

    mean: float
    error: float
    pairs: int

    @property
    def ratio(self) -> float:
        """The mean in standard errors."""
        return self.mean / self.error

    @property
    def half(self) -> float:
        """Half the width of the 95 % confidence interval of the mean, by Student's t."""
        return self.error * float(student.ppf(0.975, self.pairs - 1))

    @property
    def differs(self) -> bool:
        """Whether that interval leaves out 0."""
        return abs(self.mean) > self.half


class Scores(NamedTuple):
    """Loss without the penalty, in nats, and accuracy on one split."""

    loss: float
    accuracy: float


class Compared(NamedTuple):
    """What one model has more than another on the same images."""

    accuracy: Paired
    loss: Paired  # nats, without the penalty


class Late(NamedTuple):
    """The validation accuracy over the last checks of a run."""

    median: float
    low: float
    high: float
    deviation: float  # standard deviation

    @property
    def range(self) -> float:
        """The highest minus the lowest."""
        return self.high - self.low


class Stop(NamedTuple):
    """Where a run ended, and how far that is from the optimum of its J on the training images."""

    J: float
    excess: float  # (J(w) - J*) / J*
    gradient: float  # |grad J(w)|
    distance: float  # |w - w*| / |w*|


class Point(NamedTuple):
    """A model in the plane of Figure 4d."""

    norm: float
    loss: float  # nats


def per_image(models: Sequence[Regression], split: Split) -> tuple[Array, Array]:
    """Whether each model classifies each image correctly (0 or 1), and its loss: both (models, N).

    All logits come from one product for every 5,000 images, which reads X once.
    """
    W, right, loss = np.hstack([model.w for model in models]).astype(split.X.dtype), [], []
    for start in range(0, len(split.X), 5000):
        X, Y = (part[start : start + 5000] for part in split)
        Z = [np.asfortranarray(z) for z in np.split(X @ W, len(models), axis=1)]
        right.append([model.correct(z, Y) for model, z in zip(models, Z, strict=True)])
        loss.append([model.cross_entropy(z, Y) for model, z in zip(models, Z, strict=True)])
    return np.concatenate(right, axis=1).astype(float), np.concatenate(loss, axis=1).astype(float)


def scores(models: Iterable[Regression], split: Split) -> list[Scores]:
    """`loss` and `accuracy` of each model."""
    right, loss = per_image(list(models), split)
    return [Scores(float(c.mean()), float(r.mean())) for r, c in zip(right, loss, strict=True)]


def paired(a: ArrayLike, b: ArrayLike) -> Paired:
    """The mean of a - b. ValueError for fewer than two pairs, which have no standard error."""
    difference = np.subtract(np.asarray(a, float), np.asarray(b, float))
    if len(difference) < 2:
        raise ValueError(f"{len(difference)} pairs; expected two or more: train with more seeds")
    error = difference.std(ddof=1) / np.sqrt(len(difference))
    return Paired(float(difference.mean()), float(error), len(difference))


def compare(model: Regression, others: Mapping[Key, Regression], split: Split) -> dict[Key, Compared]:
    """What `model` has more than each of the `others`, paired by image (McNemar's variance)."""
    (own, *right), (cost, *costs) = per_image([model, *others.values()], split)
    return {
        key: Compared(paired(own, r), paired(cost, c)) for key, r, c in zip(others, right, costs, strict=True)
    }


def over_images(a: Sequence[Regression], b: Sequence[Regression], split: Split) -> Paired:
    """The models a's accuracy minus the models b's, paired by image; each image has its mean over the models.

    The error is that of the images: it says nothing of other shuffles.
    """
    right, _ = per_image([*a, *b], split)
    return paired(right[: len(a)].mean(axis=0), right[len(a) :].mean(axis=0))


def over_seeds(runs: Mapping[tuple[float, int], Run], a: float, b: float, measure: str) -> Paired:
    """Lambda a's `measure` (of History) minus b's, paired by seed, each the mean of the run's last fifth.

    The error is that of the shuffles: it says nothing of other images.
    """
    seeds = [seed for lam, seed in runs if lam == a and (b, seed) in runs]
    return paired(*([_late_mean(runs[lam, seed], measure) for seed in seeds] for lam in (a, b)))


def _late_mean(run: Run, measure: str) -> float:
    return float(getattr(run.history, measure)[run.history.step >= 0.8 * run.steps].mean())


def late(accuracy: Array, checks: int = 10) -> Late:
    """The median and the spread of the last `checks` accuracies."""
    last = np.asarray(accuracy)[-checks:]
    return Late(float(np.median(last)), float(last.min()), float(last.max()), float(last.std(ddof=1)))


def stop(run: Run, optimum: SoftmaxRegression, data: Split) -> Stop:
    """How far the last weights of `run` are from the optimum of the same J."""
    last = SoftmaxRegression(optimum.lam).copy(run.last.w)
    J, least = last.objective(*data), optimum.objective(*data)
    return Stop(J, J / least - 1, float(np.linalg.norm(last.gradient(*data))), away(last, optimum))


def away(model: Regression, optimum: Regression) -> float:
    """|w - w*| / |w*|."""
    return float(np.linalg.norm(model.w - optimum.w) / np.linalg.norm(optimum.w))


def nearest(model: Regression, optima: Mapping[float, Regression]) -> tuple[float, float]:
    """The lambda whose optimum is nearest to the weights of `model`, and how far that is (`away`)."""
    lam = min(optima, key=lambda lam: float(np.linalg.norm(optima[lam].w - model.w)))
    return lam, away(model, optima[lam])


def place(models: Mapping[Key, Regression], split: Split) -> dict[Key, Point]:
    """The norm of each model's weights and its loss on a split."""
    found = zip(models.items(), scores(models.values(), split), strict=True)
    return {key: Point(norm(m), s.loss) for (key, m), s in found}


def aside(passed: Iterable[Point], path: Iterable[Point]) -> Array:
    """How far each loss is from the path's at the same norm of the weights, as a share of it.

    Both are in rising order of the norm; the path is interpolated in the logarithm of both.
    """
    (at, loss), (norms, losses) = (np.log(list(points)).T for points in (passed, path))
    return np.expm1(loss - np.interp(at, norms, losses))


def norm(model: Regression) -> float:
    """The Euclidean norm of all weights, the bias's included."""
    return float(np.linalg.norm(model.w))


def ratios(norms: Mapping[float, float]) -> list[float]:
    """How many times smaller each norm is than the one before it."""
    values = list(norms.values())
    return [a / b for a, b in pairwise(values)]


def growth(model: Regression, split: Split, factors: Sequence[float]) -> tuple[float, Array]:
    """A bound that grows in proportion to the weights, and the loss at some factors of them.

    The cross-entropy is at least max_k z_k - z_y, so that at k w the mean loss is at least k times the first
    number returned, the mean of that difference over the images.
    """
    z = model.logits(split.X)
    behind = float((z.max(axis=1) - z[split.Y > 0]).mean())
    return behind, np.array([model.cross_entropy(k * z, split.Y).mean() for k in factors])
