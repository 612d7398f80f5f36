"""The runs on the held-out images, and what it costs to choose by the validation images."""

from collections.abc import Mapping
from itertools import islice
from typing import NamedTuple

import numpy as np

from assignment1.fast.evaluation import evaluate
from assignment1.mnist import Dataset, Split
from assignment1.models import Array, Regression
from assignment1.run import Run
from study.cache import kept
from study.statistics import Interval, over_images, over_sets
from study.task4c_oscillation import RATE, follow, shuffled

CHECKS = 30  # among which is chosen
SPLITS = 200


class Final(NamedTuple):
    """A run's accuracies, with its last and its best weights, on validation and held-out images."""

    means: list[float]  # last weights: validation, held-out; best weights: validation, held-out
    held: Interval  # the last of these
    gap: Interval  # best weights: validation minus held-out, over both sets of images
    gap_last: Interval  # last weights


class Price(NamedTuple):
    """By how much the accuracy on the images that chose a check exceeds that on all others, by random split.

    `chosen` is how many different checks were chosen.
    """

    mean: float  # over the splits
    chosen: int


class Prices(NamedTuple):
    """The price of two ways to choose among the same checks."""

    by_loss: Price  # the lowest loss, as the assignment does
    by_accuracy: Price  # the highest accuracy


def finals(runs: Mapping[str, Run], data: Dataset) -> dict[str, Final]:
    """Return the accuracies of runs on the validation images of `data` and on the held-out ones."""
    result = {}
    for name, run in runs.items():
        models = [run.last, run.best]
        last, best = evaluate(models, data.validation).correct
        last_held, best_held = evaluate(models, data.test).correct
        means = [correct.mean() for correct in (last, last_held, best, best_held)]
        gaps = over_sets(best, best_held), over_sets(last, last_held)
        result[name] = Final(means, over_images(best_held), *gaps)
    return result


@kept
def prices(start: Regression, data: Dataset) -> Prices:
    """Return what it costs to choose one of a run's next CHECKS checks by a validation set of 10,000.

    The run goes on from `start` with the training images. The validation and the held-out images are pooled
    and split at random, SPLITS times, into one part as large as the validation set, which chooses, and the
    rest. Both parts are samples of the same images, so that the excess of the chosen check on the first is
    the price, and not that one set is easier. The mean over all checks of the same difference, 0 but for the
    split's luck, is taken off.
    """
    rng = np.random.default_rng(0)
    batches = shuffled(len(data.train.X), rng)
    passed = list(islice(follow(start, data.train, RATE, batches), CHECKS))
    seen = [evaluate(passed, part) for part in (data.validation, data.make_test())]  # which is not kept
    correct, loss = map(np.hstack, zip(*seen, strict=True))
    return price(correct.astype(float), loss, len(data.validation.X), rng)


def price(right: Array, loss: Array, size: int, rng: np.random.Generator) -> Prices:
    """Return the prices from accuracies and losses (checks, N), with `size` of the N images to choose by."""
    n = right.shape[1]
    total = right.sum(axis=1)
    chosen = []
    excess = []
    for _ in range(SPLITS):
        mine = np.zeros(n)
        mine[rng.choice(n, size, replace=False)] = 1
        own = right @ mine
        difference = own / size - (total - own) / (n - size)
        checks = [(loss @ mine).argmin(), own.argmax()]
        chosen.append(checks)
        excess.append(difference[checks] - difference.mean())
    prices = []
    for found, which in zip(np.transpose(excess), np.transpose(chosen), strict=True):
        prices.append(Price(float(found.mean()), len(np.unique(which))))
    return Prices(*prices)


def halves(model: Regression, split: Split) -> tuple[float, float, Interval]:
    """Return the accuracy on the first and on the second half of the images, and their difference."""
    (correct,) = evaluate([model], split).correct
    first, second = np.array_split(correct, 2)
    return first.mean(), second.mean(), over_sets(second, first)
