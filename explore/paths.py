"""The models that the pad's slider runs along: minima for ever smaller penalties, and runs stopped early."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from assignment1.fast.sweep import sweep
from assignment1.mnist import Dataset
from assignment1.models import Array, Ints, Regression, SoftmaxRegression
from study.figures.style import decimal
from study.optima import load_optima
from study.task3d_overfitting import load_long_runs
from study.task4d_penalty import norm, scores

EPOCHS = (1, 3, 10)  # beside those stored, which are multiples of 50

Data = dict[str, Any]


class Entry(NamedTuple):
    """A place on the slider: its name, the group that it belongs to, the model and the known facts."""

    name: str
    group: str
    model: Regression
    facts: list[tuple[str, str]]  # names, and values in words


def entries(models: Mapping[str, Regression], group: str, data: Dataset) -> list[Entry]:
    """Return named models of one kind as entries, with the norms of their weights, and losses and accuracies.

    Losses are in nats, without the penalty.
    """
    found = []
    for name, model in models.items():
        found.append(Entry(name, group, model, [("norm of the weights", f"{norm(model):.3g}")]))
    for part, split in (("training", data.train), ("validation", data.validation)):
        for entry, at in zip(found, scores(list(models.values()), split), strict=True):
            entry.facts.append((f"{part} loss, accuracy", f"{at.loss:.4f}, {at.accuracy:.2%}"))
    return found


def minima(data: Dataset) -> list[Entry]:
    """Return the stored minima, strongest penalty first."""
    models = {f"\N{GREEK SMALL LETTER LAMDA} = {decimal(lam)}": model for lam, model in load_optima().items()}
    return entries(models, "Penalty: the minimum for", data)


def stopped(data: Dataset) -> list[Entry]:
    """Return task 3's run after several numbers of epochs: the first are trained here, the others stored."""
    runs = sweep(SoftmaxRegression, data, epochs=EPOCHS, learning_rate=0.01, workers=1, progress=False)
    found = {epoch: [run.last] for epoch, run in runs.items()} | load_long_runs()
    models = {f"{epoch} epoch{'s' * (epoch > 1)}": first for epoch, (first, *_) in found.items()}
    return entries(models, "No penalty, stopped after", data)


def targets(Y: Array) -> Ints:
    """Return the target of each image (N,): its class, or of one output 0 or 1."""
    return Y.argmax(axis=1) if Y.shape[1] > 1 else Y[:, 0].astype(int)


def columns(model: Regression) -> Array:
    """Return weights whose softmax gives the model's probabilities: for one output, of target 1 and 0."""
    if model.K > 1:
        return model.w
    return np.hstack([model.w / 2, -model.w / 2])


def rounded(models: Sequence[Regression]) -> tuple[Ints, Array]:
    """Return weights (models, 785, K) as whole numbers of 16 bits, and each model's unit (models,).

    Sums of weights are rounded, from the first pixel on: so the errors cancel over any stretch of equal
    pixels, such as the black border, where errors of the weights themselves would add up.
    """
    W = np.stack([columns(model) for model in models])
    scales = np.abs(W).max(axis=(1, 2)) / 32766
    sums = np.rint(np.cumsum(W / scales[:, None, None], axis=1))
    return np.diff(sums, axis=1, prepend=0).astype("<i2"), scales
