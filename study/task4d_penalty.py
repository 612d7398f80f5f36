"""Tasks 4c to 4e: what the penalty does to accuracy, loss and norm, at equal steps and at the optimum."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, pairwise
from typing import NamedTuple, TypeVar

import numpy as np

from assignment1.mnist import Dataset, Split
from assignment1.models import Array, Regression, SoftmaxRegression
from assignment1.run import Run
from study.cache import kept
from study.statistics import Interval, paired

Key = TypeVar("Key")
PENALTIES = (0.001, 0.01, 0.1, 1.0)  # task 4c's


class Scores(NamedTuple):
    """Loss without the penalty, in nats, and accuracy on one split."""

    loss: float
    accuracy: float


class Compared(NamedTuple):
    """What one model has more than another on the same images."""

    accuracy: Interval
    loss: Interval  # nats, without the penalty


class Everywhere(NamedTuple):
    """A model's scores on the three sets of images."""

    training: Scores
    validation: Scores
    held: Scores  # on the held-out images


class Both(NamedTuple):
    """What one model has more than another, on two sets of images."""

    validation: Compared
    held: Compared


class EqualSteps(NamedTuple):
    """A penalty minus no penalty after equally many updates.

    `images` and `held` are of the last weights, each image with its mean over the seeds.
    """

    validation: Interval  # accuracy, over shuffles
    training: Interval
    loss: Interval  # of validation, nats
    images: Interval  # validation accuracy, over images
    held: Interval  # accuracy on the held-out images, over images


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


@kept
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


Some = Regression | Sequence[Regression]


def compare(model: Regression, others: Mapping[Key, Some], split: Split) -> dict[Key, Compared]:
    """What `model` has more than each of the `others`, paired by image (McNemar's variance).

    Several models in place of one, such as runs that differ in their shuffles, count by their mean.
    """
    groups = {key: [m] if isinstance(m, Regression) else list(m) for key, m in others.items()}
    (own, *right), (cost, *costs) = per_image([model, *chain(*groups.values())], split)
    ends = np.cumsum([len(group) for group in groups.values()])[:-1]
    each = zip(groups, np.split(np.array(right), ends), np.split(np.array(costs), ends), strict=True)
    return {key: Compared(paired(own, r.mean(axis=0)), paired(cost, c.mean(axis=0))) for key, r, c in each}


def over_seeds(runs: Mapping[tuple[float, int], Run], a: float, b: float, measure: str) -> Interval:
    """Lambda a's `measure` (of History) minus b's, paired by seed, each the mean of the run's last fifth.

    The error is that of the shuffles: it says nothing of other images.
    """
    seeds = [seed for lam, seed in runs if lam == a and (b, seed) in runs]
    return paired(*([_late_mean(runs[lam, seed], measure) for seed in seeds] for lam in (a, b)))


def _late_mean(run: Run, measure: str) -> float:
    return float(getattr(run.history, measure)[run.history.step >= 0.8 * run.steps].mean())


def everywhere(models: Mapping[Key, Regression], data: Dataset) -> dict[Key, Everywhere]:
    """The scores of each model on all three sets of images."""
    parts = [scores(models.values(), part) for part in (data.train, data.validation, data.test)]
    return {key: Everywhere(*each) for key, *each in zip(models, *parts, strict=True)}


def compare_both(model: Regression, others: Mapping[Key, Some], data: Dataset) -> dict[Key, Both]:
    """`compare` on the validation images and on the held-out ones."""
    one, two = (compare(model, others, part) for part in (data.validation, data.test))
    return {key: Both(one[key], two[key]) for key in others}


def equal_steps(runs: Mapping[tuple[float, int], Run], data: Dataset) -> dict[float, EqualSteps]:
    """Each penalty of `runs` (by lambda and seed), minus none."""
    last, result = [run.last for run in runs.values()], {}
    parts = [per_image(last, part)[0] for part in (data.validation, data.test)]
    mean = {
        lam: [right[[other == lam for other, _ in runs]].mean(axis=0) for right in parts]
        for lam in (0.0, *PENALTIES)
    }
    for lam in PENALTIES:
        measures = ("validation_accuracy", "train_accuracy", "validation_loss")
        shuffles = (over_seeds(runs, lam, 0.0, measure) for measure in measures)
        images = (paired(a, b) for a, b in zip(mean[lam], mean[0.0], strict=True))
        result[lam] = EqualSteps(*shuffles, *images)
    return result


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


def norm(model: Regression) -> float:
    """The Euclidean norm of all weights, the bias's included."""
    return float(np.linalg.norm(model.w))


def ratios(norms: Mapping[float, float]) -> list[float]:
    """How many times smaller each norm is than the one before it."""
    values = list(norms.values())
    return [a / b for a, b in pairwise(values)]


def points(difference: Interval, digits: int = 2) -> str:
    """A difference of accuracies in percentage points, with half of its 95% interval."""
    return f"{100 * difference.mean:+.{digits}f} ± {100 * difference.half:.{digits}f}".replace("-", "−")


def loss_points(difference: Interval) -> str:
    """A difference of losses in thousandths of a nat, with half of its 95% interval."""
    return f"{1000 * difference.mean:+.1f} ± {1000 * difference.half:.1f}".replace("-", "−")


def run_rows(runs: Mapping[float, Run], data: Dataset) -> list[tuple[str, ...]]:
    """A table's rows: lambda, updates, accuracy over the last checks, loss and training accuracy."""
    rows: list[tuple[str, ...]] = []
    for lam, run in runs.items():
        m, loss, fitted = late(run.history.validation_accuracy), run.last.loss(*data.validation), run.last
        row = f"{lam:g}", f"{run.steps:,}", f"{m.median:.4f}", f"{m.low:.4f} to {m.high:.4f}"
        rows.append((*row, f"{loss:.4f}", f"{fitted.accuracy(*data.train):.4f}"))
    return rows


def compared_rows(found: Mapping[int, Both]) -> list[tuple[str, ...]]:
    """A table's rows: the key, accuracy on both sets (points), loss on both (thousandths of a nat)."""
    return [
        (
            f"{epoch}",
            *(points(part.accuracy) for part in both),
            *(loss_points(part.loss) for part in both),
        )
        for epoch, both in found.items()
    ]


def minus(value: float, digits: int) -> str:
    """A number with a minus sign that is one."""
    return f"{value:.{digits}f}".replace("-", "−")


def step_rows(steps: Mapping[float, EqualSteps]) -> list[tuple[str, ...]]:
    """A table's rows: lambda, the accuracies (points) and the loss (thousandths of a nat)."""
    return [
        (
            f"{lam:g}",
            points(s.validation, 3),
            points(s.training, 3),
            loss_points(s.loss),
            points(s.held, 3),
        )
        for lam, s in steps.items()
    ]


def minima_rows(at: Mapping[float, Everywhere], optima: Mapping[float, Regression]) -> list[tuple[str, ...]]:
    """A table's rows: lambda, norm, the losses and the accuracies on all sets."""
    return [
        (
            plain(lam),
            f"{norm(optima[lam]):.3f}",
            *(f"{part.loss:.4f}" for part in parts),
            *(f"{part.accuracy:.4f}" for part in parts),
        )
        for lam, parts in at.items()
    ]


def plain(lam: float) -> str:
    """A lambda without an exponent."""
    return np.format_float_positional(lam, trim="-")


def listed(values: Iterable[float], digits: int = 2) -> str:
    """Numbers as "1.00, 2.00 and 3.00"."""
    *most, last = (f"{value:.{digits}f}" for value in values)
    return f"{', '.join(most)} and {last}" if most else last
