"""The runs on the held-out images, and what it costs to choose by the validation images."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from assignment1.fast.evaluation import evaluate
from assignment1.mnist import Dataset, Split
from assignment1.models import Array, Regression
from assignment1.run import Run
from study.cache import kept
from study.statistics import Interval, apart, interval, wilson
from study.task4c_oscillation import RATE, follow, shuffled


class Final(NamedTuple):
    """A run's accuracies, with its last and its best weights, on validation and held-out images."""

    means: list[float]  # last weights: validation, held-out; best weights: validation, held-out
    low: float  # Wilson's 95% interval of the last of these
    high: float
    gap: Interval  # best weights: validation minus held-out, over both sets of images
    gap_last: Interval  # last weights


class Price(NamedTuple):
    """By how much the accuracy on the images that chose a check exceeds that on all others, and its error.

    The mean is over random splits of the same images; `chosen` is how many different checks were chosen.
    """

    excess: Interval
    chosen: int


class Prices(NamedTuple):
    """The price of two ways to choose among the same checks."""

    by_loss: Price  # the lowest loss, as the assignment does
    by_accuracy: Price  # the highest accuracy
    checks: int


def finals(runs: Mapping[str, Run], data: Dataset) -> dict[str, Final]:
    """Return the accuracies of runs on the validation images of `data` and on the held-out ones."""
    result = {}
    for name, run in runs.items():
        models = [run.last, run.best]
        last, best = evaluate(models, data.validation).correct
        last_held, best_held = evaluate(models, data.test).correct
        low, high = wilson(best_held.sum(), len(best_held))
        means = [float(correct.mean()) for correct in (last, last_held, best, best_held)]
        result[name] = Final(means, low, high, apart(best, best_held), apart(last, last_held))
    return result


@kept
@threadpool_limits.wrap(limits=1)  # more threads than one lose time on products this small
def prices(
    start: Regression, data: Split, own: Split, other: Split, *, checks: int = 30, splits: int = 200
) -> Prices:
    """Return what it costs to choose one of a run's next `checks` checks by a validation set of 10,000.

    The run goes on from `start` with the images of `data`. `own` and `other`, the validation and the held-out
    images, are pooled and split at random, `splits` times, into one part as large as `own`, which chooses,
    and the rest. Both parts are samples of the same images, so that the excess of the chosen check on the
    first is the price, and not that one set is easier. The mean over all checks of the same difference, 0 but
    for the split's luck, is taken off.
    """
    rng = np.random.default_rng(0)
    batches = shuffled(len(data.X), rng)
    passed = list(islice(follow(start, data, RATE, batches), checks))
    seen = [evaluate(passed, part) for part in (own, other)]
    correct, loss = (np.concatenate(both, axis=1) for both in zip(*seen, strict=True))
    by_loss, by_accuracy = price(correct.astype(float), loss, len(own.X), splits, rng)
    return Prices(by_loss, by_accuracy, checks)


def price(right: Array, loss: Array, size: int, splits: int, rng: np.random.Generator) -> tuple[Price, Price]:
    """Return the price by loss and by accuracy, from (checks, N) of both, with `size` images to choose by."""
    n = right.shape[1]
    total = right.sum(axis=1)
    chosen = []
    excess = []
    for _ in range(splits):
        mine = np.zeros(n)
        mine[rng.choice(n, size, replace=False)] = 1
        own = right @ mine
        difference = own / size - (total - own) / (n - size)
        checks = [(loss @ mine).argmin(), own.argmax()]
        chosen.append(checks)
        excess.append(difference[checks] - difference.mean())
    by_loss, by_accuracy = (
        Price(interval(gained), len(np.unique(which)))
        for gained, which in zip(np.transpose(excess), np.transpose(chosen), strict=True)
    )
    return by_loss, by_accuracy


def halves(model: Regression, split: Split) -> tuple[float, float, float]:
    """Return the accuracy on the first and on the second half of the images, and their difference's error."""
    (correct,) = evaluate([model], split).correct
    first, second = np.array_split(correct, 2)
    return float(first.mean()), float(second.mean()), apart(first, second).error
