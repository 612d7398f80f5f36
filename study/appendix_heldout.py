"""The runs on the held-out images, and what it costs to choose by the validation images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from assignment1.mnist import Dataset, Split
from assignment1.models import Array, Regression
from assignment1.run import Run
from study.appendix_errors import wilson
from study.cache import kept
from study.statistics import Interval, apart, interval
from study.task4c_oscillation import EVERY, RATE, follow, shuffled
from study.task4d_penalty import per_image


class Final(NamedTuple):
    """A run's accuracies, with its last and its best weights, on validation and held-out images."""

    last: float
    last_held: float
    best: float
    best_held: float
    low: float  # Wilson's 95 % interval of best_held
    high: float
    gap: Interval  # best minus best_held, over both sets of images
    gap_last: Interval  # last minus last_held


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
    """The accuracies of runs on the validation images of `data` and on those it holds out (`data.test`)."""
    models = [model for run in runs.values() for model in (run.last, run.best)]
    here, there = (per_image(models, part)[0] for part in (data.validation, data.test))
    result = {}
    for i, name in enumerate(runs):
        (last, best), (last_held, held) = (right[2 * i : 2 * i + 2] for right in (here, there))
        low, high = wilson(held.sum(), len(held))
        a, b, c, d = (float(right.mean()) for right in (last, last_held, best, held))
        gaps = apart(best, held), apart(last, last_held)
        result[name] = Final(a, b, c, d, float(low), float(high), *gaps)
    return result


@kept
@threadpool_limits.wrap(limits=1)  # more threads than one lose time on products this small
def prices(
    start: Regression, data: Split, own: Split, other: Split, *, checks: int = 30, splits: int = 200
) -> Prices:
    """What it costs to choose one of a run's next `checks` checks by a validation set of 10,000.

    The run goes on from `start` with the images of `data`. `own` and `other`, the validation and the held-out
    images, are pooled and split at random, `splits` times, into one part as large as `own`, which chooses,
    and the rest. Both parts are samples of the same images, so that the excess of the chosen check on the
    first is the price, and not that one set is easier. The mean over all checks of the same difference, 0 but
    for the split's luck, is taken off.
    """
    rng = np.random.default_rng(0)
    labels = data.Y.argmax(axis=1)
    steps = follow(start, data, RATE, shuffled(labels, EVERY * checks, rng))
    passed = list(steps)[EVERY - 1 :: EVERY]
    parts = [per_image(passed, part) for part in (own, other)]
    right, loss = (np.concatenate(both, axis=1) for both in zip(*parts, strict=True))
    return Prices(*price(right, loss, len(own.X), splits, rng), checks)


def price(right: Array, loss: Array, size: int, splits: int, rng: np.random.Generator) -> tuple[Price, Price]:
    """The price by loss and by accuracy, from (checks, N) of both, with `size` images to choose by."""
    total, n, chosen, excess = right.sum(axis=1), right.shape[1], [], []
    for _ in range(splits):
        mine = np.zeros(n)
        mine[rng.choice(n, size, replace=False)] = 1
        own = right @ mine
        difference = own / size - (total - own) / (n - size)
        chosen.append(((loss @ mine).argmin(), own.argmax()))
        excess.append(difference[list(chosen[-1])] - difference.mean())
    ways = zip(np.transpose(excess), np.transpose(chosen), strict=True)
    by_loss, by_accuracy = (Price(interval(e), len(set(c.tolist()))) for e, c in ways)
    return by_loss, by_accuracy


def halves(model: Regression, split: Split) -> tuple[float, float, float]:
    """The accuracy on the first and on the second half of the images, and the error of their difference."""
    right, _ = per_image([model], split)
    parts = np.array_split(right[0], 2)
    error = np.sqrt(sum(part.var(ddof=1) / len(part) for part in parts))
    return float(parts[0].mean()), float(parts[1].mean()), float(error)


def final_rows(table: Mapping[str, Final]) -> list[tuple[str, ...]]:
    """A table's rows: run, the accuracies of its last and of its best weights, the interval of the latter."""
    return [(name, *(f"{a:.4f}" for a in f[:4]), f"{f.low:.4f} to {f.high:.4f}") for name, f in table.items()]
