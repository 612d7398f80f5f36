"""Train a model, the fast way unless the plain one is asked for."""

from collections.abc import Sequence
from threading import Event
from typing import Any, Literal

import numpy as np

from assignment1 import arguments
from assignment1.fast.engine import fast_descent, prepare, suits
from assignment1.mnist import Dataset
from assignment1.models import Regression
from assignment1.run import Run, Settings
from assignment1.training import gradient_descent


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
    epoch, and without, in file order. The validation loss is checked after the first step, and then about
    `checks_per_epoch` times an epoch, but at most after every step; the run ends after `patience` such
    checks in a row that are worse than the best. The training accuracy, which decides nothing, is taken at
    every `train_accuracy_every`-th check, or with None never. The precision is that of the data. `method`
    "plain" is `gradient_descent`, "fast" the same numbers, but for rounding, from `assignment1.fast.engine`.
    An interrupt ends the run and keeps it.

    Raises ValueError or TypeError for settings or data that cannot be right, FloatingPointError when the run
    diverges.

    >>> run = train(LogisticRegression(lam=0.01), load_mnist().binary(4, 9), learning_rate=0.05, epochs=5)
    >>> run.epoch, run.settings["seed"], run.settings["lam"]  # lambda belongs to the model
    (5, 0, 0.01)
    """
    settings = Settings(
        learning_rate, epochs, batch_size, shuffle, seed, patience, checks_per_epoch, train_accuracy_every
    )
    fast = arguments.choice("method", method, ("fast", "plain")) == "fast"
    shown = arguments.choice("progress", progress, (True, False))
    (run,) = descend([model], data, [settings], fast=fast, shown=shown)
    if isinstance(run, FloatingPointError):
        raise run
    return run


def descend(
    models: Sequence[Regression],
    data: Dataset,
    settings: Sequence[Settings],
    *,
    fast: bool = True,
    shown: bool,
    stop: Event | None = None,
) -> list[Any]:
    """Run `fast_descent` where all is as it expects, and `gradient_descent` for the rest.

    The settings differ in the learning rate and the seed at most; runs of one seed are trained together. What
    diverges the fast way is left to the plain one: its word is the last. Returns for each model a run, a
    FloatingPointError, or None for what a `stop` came before.
    """
    found: list[Any] = [None] * len(models)
    stopped = stop.is_set if stop else bool
    moderate = all(1e-20 < one.learning_rate < 1e20 for one in settings)  # of others, float32 sees nothing
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        ready = prepare(models, data, settings[0]) if fast and moderate and all(map(suits, models)) else None
        for seed in dict.fromkeys(one.seed for one in settings):
            rows = [i for i, one in enumerate(settings) if one.seed == seed]
            some = [models[i] for i in rows]
            own = [settings[i] for i in rows]
            runs = fast_descent(some, ready, own, shown=shown, stop=stop) if ready else [None] * len(rows)
            for i, run in zip(rows, runs, strict=True):
                found[i] = run
                if run or stopped():
                    continue
                try:
                    found[i] = gradient_descent(models[i], data, settings[i], shown=shown, stop=stop)
                except FloatingPointError as error:
                    found[i] = error
            if stopped():
                break
    return found
