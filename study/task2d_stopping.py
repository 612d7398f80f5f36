"""Task 2d: what early stopping reacts to. Updates, checks and epochs are counted from 1."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assignment1.mnist import Split
from assignment1.models import Regression
from assignment1.run import Run
from assignment1.training import EarlyStopping
from study.statistics import Interval, interval


class Stop(NamedTuple):
    """Where early stopping with some patience would have ended a run, and the best check until then."""

    patience: int  # checks
    updates: int
    epoch: int  # the one in progress
    loss: float  # validation loss at the last check, nats
    best: int  # updates made at the best check
    best_loss: float
    place: int  # the batch of the epoch after which the best check falls


def stop(run: Run, patience: int) -> Stop | None:
    """Where `run`, made without early stopping, would have been ended; None if it would not."""
    rule = EarlyStopping(patience)
    for check, loss in enumerate(run.history.validation_loss):
        rule.update(loss)
        if rule.stopped:
            return _at(run, patience, check, rule.best_check)
    return None


def _at(run: Run, patience: int, check: int, best: int) -> Stop:
    h, per_epoch = run.history, run.batches_per_epoch
    step, best_step = int(h.step[check]), int(h.step[best])
    return Stop(
        patience,
        step + 1,
        step // per_epoch + 1,
        float(h.validation_loss[check]),
        best_step + 1,
        float(h.validation_loss[best]),
        best_step % per_epoch + 1,
    )


def stops(run: Run, patiences: Iterable[int] = range(1, 32)) -> dict[int, Stop]:
    """`stop` for each patience; where none would have ended the run, its last check stands."""
    return {p: stop(run, p) or _at(run, p, -1, int(run.history.validation_loss.argmin())) for p in patiences}


class Next(NamedTuple):
    """The next check after the best one that falls after the same batch of an epoch."""

    updates: int
    loss: float  # validation loss, nats


def same_place(run: Run, best: int) -> Next:
    """Look one period of checks and epochs further than the check after `best` updates; NaN past the end."""
    steps = run.history.step + 1
    period = np.lcm(int(steps[1] - steps[0]), run.batches_per_epoch)
    at = np.flatnonzero(steps == best + period)
    return Next(best + int(period), float(run.history.validation_loss[at[0]]) if len(at) else float("nan"))


def loss_after(run: Run, updates: int) -> float:
    """The validation loss, in nats, at the last check that is not after so many updates."""
    return float(run.history.validation_loss[np.flatnonzero(run.history.step < updates)[-1]])


def loss_difference(a: Regression, b: Regression, split: Split) -> Interval:
    """Model a's cross-entropy minus b's, paired by image, in nats, with its 95% interval over the images."""
    X, Y = split
    return interval(a.cross_entropy(a.logits(X), Y) - b.cross_entropy(b.logits(X), Y))


def disagreements(a: Regression, b: Regression, split: Split) -> int:
    """How many images of a split one of two models classifies correctly and the other does not."""
    return int((_right(a, split) != _right(b, split)).sum())


def cost_as_written(model: Regression, split: Split) -> float:
    """C(w) in nats as task 1a writes it, from probabilities, for the printed digits; inf if one rounds to 0.

    `fsum` rounds once only, so that the last digit does not depend on the order a processor sums in.
    """
    Y_hat, Y = model.forward(split.X), split.Y
    return -math.fsum((Y * np.log(Y_hat) + (1 - Y) * np.log(1 - Y_hat)).ravel()) / len(Y)


def _right(model: Regression, split: Split) -> NDArray[np.bool_]:
    return model.correct(model.logits(split.X), split.Y)


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
        """The relative difference."""
        return abs(self.here / float(self.reference) - 1)


def reproduced(run: Run, train: Split, validation: Split) -> list[Reproduced]:
    """The reference values beside those of the last weights of `run`."""
    parts, model = (train, validation), run.last
    losses = [cost_as_written(model, part) for part in parts]
    here = run.epoch, run.steps, *losses, *(model.accuracy(*part) for part in parts)
    return [
        Reproduced(name, value, mine) for (name, value), mine in zip(REFERENCE.items(), here, strict=True)
    ]


Rows = list[tuple[object, ...]]
PATIENCE = "patience", "steps", "epoch", "last loss", "steps of the best", "lowest loss"


def patience_rows(found: dict[int, Stop], shown: tuple[int, ...]) -> Rows:
    """A table's rows, under PATIENCE, for some of the patiences."""
    return [
        (p, f"{s.updates:,}", s.epoch, f"{s.loss:.4f}", f"{s.best:,}", f"{s.best_loss:.4f}")
        for p, s in found.items()
        if p in shown
    ]
