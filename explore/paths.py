"""The models that the pad's slider runs along: minima for ever smaller penalties, and runs stopped early."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from assignment1.fast.evaluation import evaluate
from assignment1.fast.sweep import sweep
from assignment1.mnist import Dataset
from assignment1.models import Array, Regression, SoftmaxRegression
from study.optima import load_optima
from study.task3d_overfitting import load_long_run

PENALTY, STOPPED = "Penalty: the minimum for", "No penalty, stopped after"
RATE, BATCH = 0.01, 128  # task 3's learning rate and batch size
EPOCHS = (1, 3, 10)  # beside those stored, which are multiples of 50


class Entry(NamedTuple):
    """A place on the slider: its name, what it belongs to, the model and what is known of it."""

    name: str
    group: str
    model: Regression
    facts: list[tuple[str, str]]  # what, and its value in words


def entries(models: dict[str, Regression], group: str, data: Dataset | None = None) -> list[Entry]:
    """Named models as entries, their losses and accuracies measured if there is `data`."""
    measured = facts(list(models.values()), data) if data else [[] for _ in models]
    return [
        Entry(name, group, model, known)
        for (name, model), known in zip(models.items(), measured, strict=True)
    ]


def facts(models: Sequence[Regression], data: Dataset) -> list[list[tuple[str, str]]]:
    """Norm, losses (nats, without the penalty) and accuracies of models of one kind."""
    training = evaluate(models, data.train)
    validation = evaluate(models, data.validation)
    loss = training.loss.mean(axis=1)
    right = training.correct.mean(axis=1)
    loss_val = validation.loss.mean(axis=1)
    right_val = validation.correct.mean(axis=1)
    return [
        [
            ("norm of the weights", f"{np.linalg.norm(model.w):.3g}"),
            ("training loss, accuracy", f"{loss[i]:.4f}, {100 * right[i]:.2f}%"),
            ("validation loss, accuracy", f"{loss_val[i]:.4f}, {100 * right_val[i]:.2f}%"),
        ]
        for i, model in enumerate(models)
    ]


def optima() -> dict[str, Regression]:
    """The stored minima, strongest penalty first."""
    return {f"\N{GREEK SMALL LETTER LAMDA} = {plain(lam)}": model for lam, model in load_optima().items()}


def stopped(data: Dataset) -> dict[str, Regression]:
    """Task 3's run, without a penalty, after so many epochs: the first are trained, the others stored."""
    runs = sweep(
        SoftmaxRegression,
        data,
        epochs=EPOCHS,
        learning_rate=RATE,
        batch_size=BATCH,
        workers=1,
        progress=False,
    )
    found = {epoch: run.last for epoch, run in runs.items()} | dict(load_long_run())
    return {f"{epoch} epoch{'s' * (epoch > 1)}": model for epoch, model in found.items()}


def columns(model: Regression) -> Array:
    """Weights (785, K) that give the model's probabilities by softmax: of one output, for target 1 and 0."""
    return model.w if model.K > 1 else np.hstack([model.w / 2, -model.w / 2])


def plain(number: float) -> str:
    """A number without an exponent."""
    return np.format_float_positional(number, trim="-")
