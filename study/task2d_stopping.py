"""Task 2d: what early stopping reacts to. Updates, checks and epochs are counted from 1."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from assignment1.fast.evaluation import evaluate
from assignment1.mnist import Split
from assignment1.models import Regression
from assignment1.run import Run


class Ends(NamedTuple):
    """Where early stopping ended runs that differ in their shuffles."""

    steps: list[int]
    stopped: int  # how many it ended


def ends(runs: Mapping[int, Run]) -> Ends:
    """Return the steps of each run, and how many of the runs early stopping ended."""
    return Ends([run.steps for run in runs.values()], sum(run.stopped_early for run in runs.values()))


def loss_after(run: Run, updates: int) -> float:
    """Return the validation loss, in nats, at the last check that is not after so many updates."""
    return run.history.validation_loss[run.history.step < updates][-1]


def disagreements(a: Regression, b: Regression, split: Split) -> int:
    """Count the images of a split that one of two models classifies correctly and the other does not."""
    one, other = evaluate([a, b], split).correct
    return int((one != other).sum())


def cost_as_written(model: Regression, split: Split) -> float:
    """Return C(w) in nats from probabilities, as task 1a writes it; infinity if a probability rounds to 0.

    `fsum` rounds once only, so that the last digit does not depend on the order a processor sums in.
    """
    Y_hat = model.forward(split.X)
    costs = split.Y * np.log(Y_hat) + (1 - split.Y) * np.log(1 - Y_hat)
    return -math.fsum(costs.ravel()) / len(costs)


# The numbers that a reference run of the course's code prints for the last weights; see docs/.
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
