"""The mean image, which all images share: one step moves all their logits along it (tasks 2e, 4c and 4d)."""

from typing import NamedTuple

import numpy as np

from assignment1.mnist import Dataset, Split
from assignment1.models import Array, LogisticRegression, Regression
from study.task2e_spikes import BATCH, RATE, Course, batches, gradients, models


def centred(data: Dataset) -> Dataset:
    """Return the data set with the training images' mean subtracted from all pixels; the bias's 1 stays."""
    mean = data.train.X.mean(axis=0)
    mean[784:] = 0

    def subtract(split: Split) -> Split:
        return Split(split.X - mean, split.Y)

    return Dataset(subtract(data.train), subtract(data.validation), lambda: subtract(data.test))


def moved_origin(model: Regression, data: Split) -> Regression:
    """Return the model whose outputs for images less the mean of `data` are those of `model` before."""
    w = model.w.copy()
    w[784] += data.X[:, :784].mean(axis=0) @ w[:784]
    return model.copy(w)


class Shifts(NamedTuple):
    """For each step of task 2's run: how many too many its batch counts, and how far all logits then move."""

    residual: Array  # (epochs, batches), sum of outputs minus targets of the batch, before its step
    shift: Array  # (epochs, batches), mean change of the validation logits
    predicted: float  # shift for a residual of 1, if all images were the mean image

    def fit(self, epochs: int) -> tuple[float, float]:
        """Return the correlation of shift and residual over the first epochs, and slope over prediction."""
        residual = self.residual[:epochs].ravel()
        shift = self.shift[:epochs].ravel()
        slope = np.polyfit(residual, shift, 1)[0]
        return float(np.corrcoef(residual, shift)[0, 1]), float(slope / self.predicted)


def shifts(course: Course, data: Dataset) -> Shifts:
    """Return the shifts of every step of the run."""
    residual = []
    for number, (X, Y) in enumerate(batches(data.train)):
        w = course.w[:, number : -1 : course.per_epoch]
        residual.append((LogisticRegression.activation(X @ w) - Y).sum(axis=0))
    shape = (-1, course.per_epoch)
    shift = data.validation.X.mean(axis=0) @ np.diff(course.w)
    common = data.train.X.mean(axis=0) @ data.validation.X.mean(axis=0)
    predicted = float(-RATE * common / BATCH)
    return Shifts(np.transpose(residual), shift.reshape(shape), predicted)


def residuals(w: Array, data: Split) -> Array:
    """Return the sum of outputs minus targets of each batch, all at the weights w (785,): (batches,)."""
    return BATCH * gradients(w, data)[784]  # of the bias, whose input is 1


class Step(NamedTuple):
    """One step, taken apart into its part along the mean image and the rest."""

    before: Array  # (images,), validation logits
    after: Array
    share: float  # of the step's squared norm that lies along the mean image
    wrong: dict[str, int]  # misclassified images of target 1: before, after the step, its part, the rest

    @property
    def change(self) -> Array:
        """Return the change of each logit."""
        return self.after - self.before


def step(course: Course, data: Dataset, batch: int, epoch: int) -> Step:
    """Return the step that `batch` makes in `epoch`."""
    w = course.before(batch, epoch)
    whole = course.w[:, course.update(batch, epoch)] - w
    mean = data.train.X.mean(axis=0)
    length = mean @ mean
    along = (whole @ mean) / length * mean
    rest = whole - along
    X, Y = data.validation
    two = Y[:, 0] == 1
    share = along @ along / (whole @ whole)
    wrong = {}
    for name, part in {"before": 0 * w, "step": whole, "along": along, "rest": rest}.items():
        logits = X[two] @ (w + part)
        wrong[name] = int((logits < 0).sum())
    before = X @ w
    after = X @ (w + whole)
    return Step(before, after, float(share), wrong)


class Curvatures(NamedTuple):
    """Curvatures of the training cost (second derivatives along a direction), times the learning rate."""

    largest: float
    second: float
    along_mean: float  # share of the squared norm of the first's direction that lies along the mean image


def curvatures(w: Array, data: Split, rate: float = RATE) -> Curvatures:
    """Return the two largest curvatures of task 2's cost at the weights w (785,)."""
    X, _ = data
    (model,) = models(w[:, None])
    p = model.forward(X)
    weighted = X * (p * (1 - p))
    hessian = weighted.T @ X / len(X)
    value, vector = np.linalg.eigh(hessian)
    mean = X.mean(axis=0)
    along = vector[:, -1] @ mean
    share = along**2 / (mean @ mean)
    return Curvatures(rate * value[-1], rate * value[-2], float(share))
