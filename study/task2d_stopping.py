"""Task 2d: what early stopping reacts to.

Updates, checks and epochs are counted from 1, but `best_step` and `history.step` of a run from 0.
"""

from collections.abc import Mapping
from math import fsum, nan
from typing import NamedTuple

import numpy as np

from assignment1.fast.evaluation import evaluate
from assignment1.mnist import Split
from assignment1.models import Array, Regression
from assignment1.run import Run


class Ends(NamedTuple):
    """Where early stopping ended runs that differ in their shuffles."""

    steps: list[int]
    stopped: int  # how many it ended


def ends(runs: Mapping[int, Run]) -> Ends:
    """Return the steps of each run, and how many of the runs early stopping ended."""
    return Ends([run.steps for run in runs.values()], sum(run.stopped_early for run in runs.values()))


class Variation(NamedTuple):
    """The variation of the validation loss late in a run beside its fall; NaN for a run that is too short."""

    deviation: float  # standard deviation of the last checks but the highest
    fall: float  # in ten checks, from the medians of the last checks and of as many before


def variation(run: Run, checks: int = 31) -> Variation:
    """Return how much the loss varies, and how far it falls, over the last so many checks, in nats."""
    loss = run.history.validation_loss
    if len(loss) < 2 * checks:
        return Variation(nan, nan)
    last = loss[-checks:]
    before = loss[-2 * checks : -checks]
    usual = np.sort(last)[:-1]
    fall = np.median(before) - np.median(last)
    return Variation(float(usual.std(ddof=1)), float(fall) * 10 / checks)


def recurring(losses: Array) -> float:
    """Return the share of the variation within epochs that recurs in each, of losses (epochs, batches)."""
    within = losses - losses.mean(axis=1, keepdims=True)
    chance = within - within.mean(axis=0)
    left = np.square(chance).sum() / np.square(within).sum()
    return 1 - float(left)


def largest_change(run: Run, after: int) -> float:
    """Return the largest change of accuracy from check to check after the first `after`; NaN without two."""
    accuracy = run.history.validation_accuracy[after:]
    if len(accuracy) < 2:
        return nan
    return float(np.abs(np.diff(accuracy)).max())


def loss_after(run: Run, updates: int) -> float:
    """Return the validation loss, in nats, at the last check that is not after so many updates, or NaN."""
    losses = run.history.validation_loss[run.history.step < updates]
    return losses[-1] if len(losses) else nan


def disagreements(a: Regression, b: Regression, split: Split) -> int:
    """Count the images of a split that one of two models classifies correctly and the other does not."""
    one, other = evaluate([a, b], split).correct
    return int((one != other).sum())


def cost_as_written(model: Regression, split: Split) -> float:
    """Return C(w) in nats from probabilities, as task 1a writes it; infinity if a probability rounds to 0.

    `fsum` rounds once only, so that the last digit does not depend on the order a processor sums in.
    """
    Y_hat = model.forward(split.X)
    with np.errstate(divide="ignore"):
        costs = np.log(np.where(split.Y == 1, Y_hat, 1 - Y_hat))
    return -fsum(costs.ravel()) / len(costs)


# The numbers that a reference run of the course's code prints for the last weights.
REFERENCE = {
    "epoch in which the run ends": "34",
    "updates": "1039",
    "training cross-entropy": "0.07088705555893647",
    "validation cross-entropy": "0.06577187753329566",
    "training accuracy": "0.9757802746566792",
    "validation accuracy": "0.9794319294809011",
}


class Reproduced(NamedTuple):
    """One reference value and this run's."""

    quantity: str
    reference: str
    here: float | int

    @property
    def error(self) -> float:
        """Return the relative difference."""
        return abs(self.here / float(self.reference) - 1)


def reproduced(run: Run, train: Split, validation: Split) -> list[Reproduced]:
    """Return the reference values beside those of the last weights of `run`."""
    splits = (train, validation)
    losses = [cost_as_written(run.last, split) for split in splits]
    accuracies = [run.last.accuracy(*split) for split in splits]
    here = [run.epoch, run.steps, *losses, *accuracies]
    return [Reproduced(*row, value) for row, value in zip(REFERENCE.items(), here, strict=True)]
