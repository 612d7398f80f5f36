"""Task 2d: what early stopping reacts to. Updates, checks and epochs are counted from 1."""

import math
from typing import NamedTuple

import numpy as np

from assignment1.fast.evaluation import evaluate
from assignment1.mnist import Split
from assignment1.models import Regression
from assignment1.run import Run
from assignment1.training import EarlyStopping


class Stop(NamedTuple):
    """Where early stopping with some patience would have ended a run, and the best check until then."""

    updates: int
    epoch: int  # the one in progress
    loss: float  # validation loss at the last check, nats
    best: int  # updates made at the best check
    best_loss: float
    place: int  # the batch of the epoch after which the best check falls


def stop(run: Run, patience: int) -> Stop:
    """Return where `patience`, in checks, would have ended a run without early stopping; else its end."""
    rule = EarlyStopping(patience)
    for loss in run.history.validation_loss:
        rule.update(loss)
        if rule.stopped:
            break
    step = int(run.history.step[rule.seen - 1])
    best_step = int(run.history.step[rule.best_check])
    epochs = step // run.batches_per_epoch
    place = best_step % run.batches_per_epoch
    return Stop(step + 1, epochs + 1, loss, best_step + 1, rule.best, place + 1)


def stops(run: Run) -> dict[int, Stop]:
    """Return `stop` for each patience up to 31 checks, after which a check falls on the same batch again."""
    return {patience: stop(run, patience) for patience in range(1, 32)}


class Next(NamedTuple):
    """The next check after the best one that falls after the same batch of an epoch."""

    updates: int
    loss: float  # validation loss, nats


def same_place(run: Run, best: int) -> Next:
    """Return the check one period of checks and epochs after the one at `best` updates.

    Raises ValueError if the run ends before.
    """
    updates = run.history.step + 1
    period = np.lcm(updates[1] - updates[0], run.batches_per_epoch)
    later = best + int(period)
    (loss,) = run.history.validation_loss[updates == later]
    return Next(later, loss)


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
