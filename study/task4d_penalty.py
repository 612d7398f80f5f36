"""Tasks 4c to 4e: what the penalty does to accuracy, loss and norm, where a run ends and at the optimum."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from assignment1.fast.evaluation import Evaluation, evaluate
from assignment1.fast.train import train
from assignment1.mnist import Dataset, Split
from assignment1.models import Array, Regression, SoftmaxRegression
from assignment1.run import Run
from study.cache import kept
from study.evaluate import Key, evaluate_groups
from study.optima import Objective, minimise
from study.statistics import Interval, over_images

PENALTIES = (0.001, 0.01, 0.1, 1.0)  # the assignment's: the text names each, so that no other can stand here
FEW = 1000  # training images, of which a linear layer fits too much


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


def compare(model: Regression, others: Mapping[Key, Evaluation], split: Split) -> dict[Key, Compared]:
    """Return `model` minus each of the `others`, paired by image.

    The others are groups that were evaluated on the same split, such as runs that differ in their shuffles;
    a group counts by its mean.
    """
    correct, loss = evaluate([model], split)
    result = {}
    for key, other in others.items():
        accuracy = over_images(correct[0] - other.correct.mean(axis=0))
        result[key] = Compared(accuracy, over_images(loss[0] - other.loss.mean(axis=0)))
    return result


@kept
def with_few(data: Dataset, lams: Sequence[float]) -> dict[float, Regression]:
    """Return the minimum of J over the first FEW images for each lambda, and for 0 a run stopped early."""
    first = Split(*(part[:FEW] for part in data.train))
    few = Dataset(first, data.validation, data.make_test)
    model = SoftmaxRegression()
    run = train(
        model,
        few,
        learning_rate=0.01,
        epochs=500,
        checks_per_epoch=1,
        patience=10,
        train_accuracy_every=None,
        progress=False,
    )
    found = {0.0: run.best}
    w = model.w
    for lam in sorted(lams, reverse=True):
        w = minimise(Objective(*first, lam), w, tolerance=1e-3 * lam)
        found[lam] = SoftmaxRegression(lam).copy(w)
    return found


def against_mildest(models: Mapping[float, Regression], split: Split) -> dict[float, Compared]:
    """Return the model of each lambda minus that of the smallest, on the same images."""
    mildest = evaluate_groups({0: [models[min(models)]]}, split)
    return {lam: compare(model, mildest, split)[0] for lam, model in models.items()}


def everywhere(models: Mapping[Key, Regression], data: Dataset) -> dict[Key, Everywhere]:
    """Return the scores of each model on all three sets of images."""
    parts = [scores(list(models.values()), split) for split in (data.train, data.validation, data.test)]
    return dict(zip(models, map(Everywhere, *parts), strict=True))


def scores(models: Sequence[Regression], split: Split) -> list[Scores]:
    """Return the mean loss and the accuracy of each model."""
    correct, loss = evaluate(models, split)
    return list(map(Scores, loss.mean(axis=1), correct.mean(axis=1)))


def late(accuracy: Array, checks: int = 10) -> Late:
    """Return the median and the spread of the last `checks` accuracies; of one the deviation is NaN."""
    last = accuracy[-checks:]
    deviation = last.std(ddof=1) if len(last) > 1 else np.nan
    return Late(float(np.median(last)), float(last.min()), float(last.max()), float(deviation))


def lag(run: Run, other: Run, checks: int = 100) -> Array:
    """Return the validation accuracy of `run` minus that of `other` at the last `checks` that both made."""
    both = min(len(run.history.step), len(other.history.step))
    accuracy = run.history.validation_accuracy[:both]
    others = other.history.validation_accuracy[:both]
    return (accuracy - others)[-checks:]


def norm(model: Regression) -> float:
    """Return the Euclidean norm of all weights, the bias's included."""
    return float(np.linalg.norm(model.w))


def ratios(norms: Mapping[float, float]) -> list[float]:
    """Return how many times smaller each norm is than the one before it."""
    return [before / after for before, after in pairwise(norms.values())]
