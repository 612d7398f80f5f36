"""Task 3d: where the training and the validation curve part, and where the validation loss turns.

`python -m assignment1.evidence.task3` trains for 600 epochs again, in about a minute, into data/long_run.npz.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from assignment1.evaluation import gradients
from assignment1.evidence.task2 import mean_and_error
from assignment1.files import DATA
from assignment1.mnist import Dataset, Split, load_mnist
from assignment1.models import Array, Regression, SoftmaxRegression
from assignment1.run import Run
from assignment1.training import train

FILE = DATA / "long_run.npz"
RATE, BATCH = 0.01, 128  # task 3's learning rate and batch size
EVERY = 50  # epochs between the weights that are kept


class Gap(NamedTuple):
    """Accuracy on training less on validation images; loss on validation less on training images."""

    accuracy: float
    accuracy_error: float  # standard error, from the finite number of images
    loss: float  # nats
    loss_error: float


def gap(models: Sequence[Regression], data: Dataset) -> Gap:
    """The gap at the models' weights, mean over the models, and its error as both image sets are samples.

    Each image counts once, with its mean over the models, which differ in the seed.
    """
    right, cost = zip(*(_means(models, split) for split in (data.train, data.validation)), strict=True)
    (a, a_error), (a_val, a_val_error) = map(mean_and_error, right)
    (c, c_error), (c_val, c_val_error) = map(mean_and_error, cost)
    return Gap(
        a - a_val, float(np.hypot(a_error, a_val_error)), c_val - c, float(np.hypot(c_error, c_val_error))
    )


def _means(models: Sequence[Regression], split: Split) -> tuple[Array, Array]:
    Z = [model.logits(split.X) for model in models]
    right = np.mean([m.correct(z, split.Y) for m, z in zip(models, Z, strict=True)], axis=0)
    return right, np.mean([m.cross_entropy(z, split.Y) for m, z in zip(models, Z, strict=True)], axis=0)


def accuracy_gaps(runs: Sequence[Run]) -> tuple[Array, Array]:
    """The epochs (checks,) at which runs of equal length took their training accuracy, and its gaps there.

    A gap is the training less the validation accuracy, (runs, checks).
    """
    gaps = np.array([run.history.train_accuracy - run.history.validation_accuracy for run in runs])
    taken = np.isfinite(gaps[0])
    return (runs[0].history.step[taken] + 1) / runs[0].batches_per_epoch, gaps[:, taken]


def crossings(runs: Sequence[Run]) -> Array:
    """The epochs (runs,) after which a run's training accuracy stays above its validation accuracy.

    0 when it is always above, and as far as the last of `accuracy_gaps` when it is not yet.
    """
    epochs, gaps = accuracy_gaps(runs)
    below = gaps <= 0
    last = below.shape[1] - 1 - below[:, ::-1].argmax(axis=1)
    return np.where(below.any(axis=1), epochs[last], 0.0)


def slopes(runs: Sequence[Run], quantity: str, epochs: int = 10) -> Array:
    """How fast a quantity of the history changes, per epoch, over the last epochs of each run (runs,)."""
    at = (runs[0].history.step + 1) / runs[0].batches_per_epoch
    last = at > at[-1] - epochs
    values = np.array([getattr(run.history, quantity)[last] for run in runs])
    return np.polyfit(at[last], values.T, 1)[0]


def check_noise(run: Run, checks: int = 50) -> float:
    """How far a check's validation loss strays, by chance, from the curve: the last checks' in nats.

    Differences of neighbours take the curve out: their standard deviation is sqrt(2) times the noise.
    """
    return float(np.diff(run.history.validation_loss[-checks:]).std(ddof=1) / np.sqrt(2))


def settled(model: Regression, split: Split, steps: int = 200, rate: float = 0.05) -> Regression:
    """The model after some steps of gradient descent on all images at once: without the batches' noise."""
    for _ in range(steps):
        model = model.copy(model.w - rate * model.gradient(*split))
    return model


def drift(models: Sequence[Regression], data: Dataset) -> tuple[Array, Array]:
    """To first order, what an epoch of gradient descent changes the training and the validation loss by.

    Both (models,), in nats.

    A step along -g, g the training loss's gradient, changes a loss by -rate <g, its gradient>: where the
    second number is above 0, fitting the training images any further raises the validation loss.
    """
    g, g_val = (gradients(models, split) for split in (data.train, data.validation))
    rate = RATE * (len(data.train.X) // BATCH)
    return -rate * (g * g).sum(axis=(0, 1)), -rate * (g * g_val).sum(axis=(0, 1))


def run_on(data: Dataset, parts: int = 12) -> Array:
    """Task 3's run without early stopping, `settled` after each 50 epochs: (parts, 785, 10)."""
    model: Regression = SoftmaxRegression()
    kept = []
    for seed in range(parts):
        run = train(
            model, data, learning_rate=RATE, epochs=EVERY, seed=seed, checks_per_epoch=1, progress=False
        )
        model = run.last
        kept.append(settled(model, data.train).w)
    return np.array(kept)


def load_long_run(path: str | Path = FILE) -> dict[int, Regression]:
    """The stored weights by epoch."""
    with np.load(path) as stored:
        W = stored["w"].astype(np.float64)
    return {EVERY * (i + 1): SoftmaxRegression().copy(w) for i, w in enumerate(W)}


def main() -> None:
    """Train and store; in float32."""
    np.savez(FILE, w=run_on(load_mnist().softmax(np.float32)).astype(np.float32))


if __name__ == "__main__":
    main()
