"""Tasks 4c to 4e: what the penalty does to accuracy, loss and norm, at equal steps and at the optimum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from assignment1.fast.evaluation import evaluate
from assignment1.mnist import Dataset, Split
from assignment1.models import Array, Regression, SoftmaxRegression
from assignment1.run import Run
from study.evaluate import Key, evaluate_groups
from study.statistics import Interval, paired

PENALTIES = (0.001, 0.01, 0.1, 1.0)  # task 4c's


class Scores(NamedTuple):
    """Loss without the penalty, in nats, and accuracy on one split."""

    loss: float
    accuracy: float


class Compared(NamedTuple):
    """One model minus another on the same images."""

    accuracy: Interval
    loss: Interval  # nats, without the penalty


class Everywhere(NamedTuple):
    """A model's scores on the three sets of images."""

    training: Scores
    validation: Scores
    held: Scores  # on the held-out images


class Both(NamedTuple):
    """One model minus another on two sets of images."""

    validation: Compared
    held: Compared


class EqualSteps(NamedTuple):
    """A penalty minus no penalty after equally many updates."""

    validation: Interval  # accuracy, over shuffles
    training: Interval
    loss: Interval  # of validation, nats
    held: Interval  # accuracy of the last weights on the held-out images, mean of the seeds, over images


class Late(NamedTuple):
    """The validation accuracy over the last checks of a run."""

    median: float
    low: float
    high: float
    deviation: float  # standard deviation

    @property
    def range(self) -> float:
        """Return the highest minus the lowest."""
        return self.high - self.low


class Stop(NamedTuple):
    """The distance of the end of a run from the optimum of its J on the training images."""

    excess: float  # (J(w) - J*) / J*
    distance: float  # |w - w*| / |w*|


def compare(
    model: Regression, others: Mapping[Key, Sequence[Regression]], split: Split
) -> dict[Key, Compared]:
    """Return `model` minus each of the `others`, paired by image (McNemar's variance).

    The others are groups, such as runs that differ in their shuffles; a group counts by its mean.
    """
    correct, loss = evaluate([model], split)
    result = {}
    for key, other in evaluate_groups(others, split).items():
        accuracy = paired(correct[0], other.correct.mean(axis=0))
        result[key] = Compared(accuracy, paired(loss[0], other.loss.mean(axis=0)))
    return result


def compare_both(
    model: Regression, others: Mapping[Key, Sequence[Regression]], data: Dataset
) -> dict[Key, Both]:
    """Return `compare` on the validation images and on the held-out ones."""
    validation = compare(model, others, data.validation)
    held = compare(model, others, data.test)
    return {key: Both(validation[key], held[key]) for key in others}


def everywhere(models: Mapping[Key, Regression], data: Dataset) -> dict[Key, Everywhere]:
    """Return the scores of each model on all three sets of images."""
    training = scores(models, data.train)
    validation = scores(models, data.validation)
    held = scores(models, data.test)
    return {key: Everywhere(training[key], validation[key], held[key]) for key in models}


def scores(models: Mapping[Key, Regression], split: Split) -> dict[Key, Scores]:
    """Return the mean loss and the accuracy of each model."""
    correct, loss = evaluate(list(models.values()), split)
    result = {}
    for i, key in enumerate(models):
        result[key] = Scores(float(loss[i].mean()), float(correct[i].mean()))
    return result


def equal_steps(runs: Mapping[tuple[float, int], Run], data: Dataset) -> dict[float, EqualSteps]:
    """Return each penalty of `runs` (by lambda and seed) minus none.

    Accuracies and loss at the checks are paired by seed, each the mean of the run's last fifth.
    """
    groups: dict[float, list[Run]] = {}
    for (lam, _), run in runs.items():
        groups.setdefault(lam, []).append(run)
    last = {lam: [run.last for run in group] for lam, group in groups.items()}
    held = evaluate_groups(last, data.test)
    free = groups[0.0]
    result = {}
    for lam in PENALTIES:
        group = groups[lam]
        validation = over_seeds(group, free, "validation_accuracy")
        training = over_seeds(group, free, "train_accuracy")
        loss = over_seeds(group, free, "validation_loss")
        images = paired(held[lam].correct.mean(axis=0), held[0.0].correct.mean(axis=0))
        result[lam] = EqualSteps(validation, training, loss, images)
    return result


def over_seeds(runs: Sequence[Run], others: Sequence[Run], measure: str) -> Interval:
    """Return a measure of the runs minus that of others of the same seeds, at the last checks."""
    return paired(late_means(runs, measure), late_means(others, measure))


def late_means(runs: Sequence[Run], measure: str) -> list[float]:
    """Return the mean of a `measure` of History over the last fifth of each run."""
    means = []
    for run in runs:
        history = run.history
        late_checks = history.step >= 0.8 * run.steps
        means.append(float(getattr(history, measure)[late_checks].mean()))
    return means


def late(accuracy: Array, checks: int = 10) -> Late:
    """Return the median and the spread of the last `checks` accuracies."""
    last = accuracy[-checks:]
    return Late(float(np.median(last)), float(last.min()), float(last.max()), float(last.std(ddof=1)))


def stop(run: Run, optimum: SoftmaxRegression, data: Split) -> Stop:
    """Return how far the last weights of `run` are from the optimum of the same J."""
    last = optimum.copy(run.last.w)
    excess = last.objective(*data) / optimum.objective(*data) - 1
    distance = np.linalg.norm(last.w - optimum.w) / norm(optimum)
    return Stop(excess, float(distance))


def norm(model: Regression) -> float:
    """Return the Euclidean norm of all weights, the bias's included."""
    return float(np.linalg.norm(model.w))


def ratios(norms: Mapping[float, float]) -> list[float]:
    """Return how many times smaller each norm is than the one before it."""
    return [before / after for before, after in pairwise(norms.values())]
