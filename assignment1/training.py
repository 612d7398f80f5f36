"""Mini-batch gradient descent with early stopping (tasks 2b to 2e, 3 and 4).

`gradient_descent` is the algorithm as the assignment describes it. `train` runs it, or the same thing faster.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from assignment1 import arguments
from assignment1.mnist import Dataset, Split
from assignment1.models import Regression
from assignment1.progress import interruptible, progress
from assignment1.run import Log, Run


def gradient_descent(model: Regression, data: Dataset, settings: Settings, shown: bool = False) -> Run:
    """Train a copy of `model`: the plain way, one batch and one check at a time.

    >>> gradient_descent(LogisticRegression(), load_mnist().binary(2, 3), Settings(0.05, epochs=2)).steps
    62"""
    data = arguments.trainable(model, data, settings)
    log, stopping = Log(), EarlyStopping(settings.patience)
    per_epoch = len(data.train.X) // settings.batch_size
    check_every = max(per_epoch // settings.checks_per_epoch, 1)  # steps
    model = best = model.copy(model.w.astype(data.train.X.dtype))
    with interruptible(log) as interrupted, progress(settings.epochs, "epoch", shown) as advance:
        for step, (X, Y) in enumerate(batches(data.train, settings)):
            log.train_loss.append(model.loss(X, Y))
            model = model.copy(model.w - settings.learning_rate * model.gradient(X, Y))
            if step % check_every == 0:
                log.step.append(step)
                log.validation_loss.append(model.loss(*data.validation))
                log.validation_accuracy.append(model.accuracy(*data.validation))
                if settings.takes_train_accuracy(len(log.step) - 1):
                    log.train_accuracy.append(model.accuracy(*data.train))
                stopping.update(log.validation_loss[-1])
                if stopping.improved:
                    best = model
            if (step + 1) % per_epoch == 0:
                advance()
            if stopping.stopped or log.diverged() or interrupted():
                break
    return log.finish(settings, stopping, per_epoch, last=model, best=best, interrupted=interrupted())


def batches(train: Split, settings: Settings) -> Iterator[Split]:
    """The batches of all epochs, in the order that the settings say; an incomplete last one is dropped."""
    rng, order = np.random.default_rng(settings.seed), np.arange(len(train.X))
    for epoch in range(settings.epochs):
        if settings.shuffle is True or (settings.shuffle == "once" and epoch == 0):
            rng.shuffle(order)
        for start in range(0, len(order) - settings.batch_size + 1, settings.batch_size):
            batch = order[start : start + settings.batch_size]
            yield Split(train.X[batch], train.Y[batch])


@dataclass
class EarlyStopping:
    """Stop once `patience` checks in a row were worse than the best (NaN is, a tie is not); None never."""

    patience: int | None
    best: float = math.inf
    best_check: int = -1
    waited: int = 0  # checks since the best
    seen: int = 0

    def __post_init__(self) -> None:
        if self.patience is not None:
            self.patience = arguments.whole("patience", self.patience)

    def update(self, loss: float) -> None:
        """Take the validation loss of the next check."""
        if math.isfinite(loss) and loss <= self.best:
            self.best, self.best_check, self.waited = loss, self.seen, 0
        else:
            self.waited += 1
        self.seen += 1

    @property
    def improved(self) -> bool:
        """Whether the latest check is the best so far."""
        return self.best_check == self.seen - 1

    @property
    def stopped(self) -> bool:
        """Whether it is time to stop."""
        return self.patience is not None and self.waited >= self.patience


@dataclass(frozen=True)
class Settings:
    """How to train; `train` says what each setting means. The penalty belongs to the model."""

    learning_rate: float
    epochs: int
    batch_size: int = 128
    shuffle: bool | Literal["once"] = True
    seed: int = 0
    patience: int | None = None
    checks_per_epoch: int = 5
    train_accuracy_every: int | None = 1

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            object.__setattr__(self, name, arguments.setting(name, value))  # of a frozen object

    def takes_train_accuracy(self, check: int) -> bool:
        """Whether the training accuracy is taken at this check, counted from 0."""
        return self.train_accuracy_every is not None and check % self.train_accuracy_every == 0


def train(
    model: Regression,
    data: Dataset,
    *,
    learning_rate: float,
    epochs: int,
    batch_size: int = 128,
    shuffle: bool | Literal["once"] = True,
    seed: int = 0,
    patience: int | None = None,
    checks_per_epoch: int = 5,
    train_accuracy_every: int | None = 1,
    method: Literal["fast", "plain"] = "fast",
    progress: bool = True,
) -> Run:
    """Train a copy of `model` on `data.train`; `model` itself keeps its weights.

    Batches are drawn in a new random order each epoch, by `seed`; with `shuffle` "once", in that of the first
    epoch, and without, in file order. `checks_per_epoch` times an epoch, but at most after every step, the
    validation loss is checked; `patience` such checks in a row that are worse than the best end the run. The
    training accuracy, which decides nothing, is taken at every `train_accuracy_every`-th check, or with None
    never. The precision is that of the data. `method` "plain" is `gradient_descent`, "fast" the same numbers,
    but for rounding, from `assignment1.fast.engine`. An interrupt ends the run and keeps it.
    ValueError or TypeError for settings or data that cannot be right; FloatingPointError when it diverges.
    >>> run = train(LogisticRegression(lam=0.01), load_mnist().binary(4, 9), learning_rate=0.05, epochs=5)
    >>> run.epoch, run.settings["seed"], run.settings["lam"]  # lambda belongs to the model
    (5, 0, 0.01)"""
    settings = Settings(
        learning_rate, epochs, batch_size, shuffle, seed, patience, checks_per_epoch, train_accuracy_every
    )
    way, shown = arguments.way(method), arguments.flag("progress", progress)
    if way == "plain":
        return gradient_descent(model, data, settings, shown)
    from assignment1.fast import engine  # which is built on this module

    (run,) = engine.train_together([model], [settings], arguments.trainable(model, data, settings), shown)
    if isinstance(run, FloatingPointError):
        raise run
    return run
