"""Task 4d: gradient descent without a penalty beside the path of the minima, and where it leads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from assignment1.mnist import Dataset, Split
from assignment1.models import Array, Regression, SoftmaxRegression
from study.optima import smallest_margin
from study.task4d_penalty import norm, scores

Key = TypeVar("Key")


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
    """What weights that classify every training image correctly do on the validation images."""

    margin: float  # the smallest lead of the target's logit over every other on training images, in 1/255
    missed: float  # the share of the validation images that are misclassified
    behind: float  # the mean of max_k z_k - z_y there, for weights of norm 1
    loss: Array  # for weights of the norms asked


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


def passing(
    runs: Mapping[int, Sequence[Regression]], optima: Mapping[float, Regression], split: Split
) -> Passing:
    """How closely the weights of `runs`, by epoch, pass by the `optima`, by falling lambda.

    Runs that differ in their shuffles count by their mean norm and their mean loss.
    """
    each = [place(dict(zip(runs, models, strict=True)), split) for models in zip(*runs.values(), strict=True)]
    course = {epoch: Point(*np.mean([points[epoch] for points in each], axis=0).tolist()) for epoch in runs}
    path = place(optima, split)
    losses = [point.loss for point in course.values()]
    off = float(np.abs(aside(course.values(), path.values())).max())
    return Passing(course, path, off, 1 - min(losses) / losses[0], losses[-1] / min(losses) - 1)


def separation(w: Array, data: Dataset, norms: Sequence[float] = (1e3, 1e4, 1e5)) -> Separation:
    """Along the whole-numbered weights `w`: a bound on the validation loss that grows with their norm.

    The cross-entropy is at least max_k z_k - z_y, so that at norm r the mean loss is at least r `behind`.
    """
    unit, (X, Y) = SoftmaxRegression().copy(w / np.linalg.norm(w)), data.validation
    z = unit.logits(X)
    behind = float((z.max(axis=1) - z[Y > 0]).mean())
    loss = np.array([unit.cross_entropy(r * z, Y).mean() for r in norms])
    return Separation(smallest_margin(w, data.train), 1 - unit.accuracy(X, Y), behind, loss)
