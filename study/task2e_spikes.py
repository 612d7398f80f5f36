"""Task 2e: which batch causes the spikes of the validation curve in file order, and what is in it.

Batches (in the file's order), epochs and updates are numbered from 1, as in the report.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from assignment1.fast.evaluation import evaluate
from assignment1.mnist import Dataset, Split
from assignment1.models import Array, Ints, LogisticRegression

RATE = 0.05  # task 2's learning rate
BATCH = 128
EVERY = 6  # updates from check to check
LATE = 11  # the epoch from which on the course is nearly level
TEN = 10  # images that are looked at of a batch


class Course(NamedTuple):
    """Task 2's run in file order, watched after every update (S of them) instead of at the checks."""

    w: Array  # (785, S + 1), the weights at the start and after each update
    loss: Array  # (S + 1,), validation loss in nats
    per_epoch: int  # batches

    @property
    def rise(self) -> Array:
        """Return the change of the validation loss by each update, (epochs, batches)."""
        return np.diff(self.loss).reshape(-1, self.per_epoch)

    def update(self, batch: int, epoch: int) -> int:
        """Return the number of the update that `batch` makes in `epoch`."""
        return (epoch - 1) * self.per_epoch + batch

    def before(self, batch: int, epoch: int) -> Array:
        """Return the weights (785,) that `batch` meets in `epoch`."""
        return self.w[:, self.update(batch, epoch) - 1]


def course(data: Dataset, epochs: int) -> Course:
    """Make the run. In file order, with zero initial weights, no other run is possible."""
    w = weights(data.train, epochs)
    return Course(w, losses(w, data.validation), len(batches(data.train)))


def weights(data: Split, epochs: int, rate: float = RATE) -> Array:
    """Return the run's weights at the start and after each update, (785, S + 1)."""
    w = np.zeros((785, 1), data.X.dtype)
    passed = [w]
    parts = batches(data)
    for _ in range(epochs):
        for batch in parts:
            w = w - rate * gradient(w, *batch)
            passed.append(w)
    return np.hstack(passed)


def gradient(w: Array, X: Array, Y: Array) -> Array:
    """Return a batch's gradient at the weights w (785, 1), with no look at the inputs: in half the time."""
    return X.T @ (LogisticRegression.activation(X @ w) - Y) / len(X)


def batches(data: Split) -> list[Split]:
    """Return the images in file order, 128 at a time, without an incomplete last batch."""
    starts = range(0, len(data.X) - BATCH + 1, BATCH)
    return [Split(data.X[start : start + BATCH], data.Y[start : start + BATCH]) for start in starts]


def models(w: Array) -> list[LogisticRegression]:
    """Return a model for each of the S columns of w (785, S)."""
    return [LogisticRegression().copy(column[:, None]) for column in w.T]


def losses(w: Array, split: Split) -> Array:
    """Return the loss (S,) on a split for each of the S columns of w (785, S)."""
    return evaluate(models(w), split).loss.mean(axis=1)


def costs(w: Array, split: Split) -> Array:
    """Return the loss (N,) of each image of a split at the weights w (785,)."""
    return evaluate(models(w[:, None]), split).loss[0]


class Spikes(NamedTuple):
    """The spikes that the course of a run shows from some epoch on."""

    batch: int  # the batch whose update raises the validation loss most, on average
    next: int  # the batch that lowers it most
    up: Array  # (epochs,), by how much the former raises it
    second: Array  # (epochs,), by how much any other batch raises it at most
    always: bool  # true if the two are the highest and the lowest in each of the epochs
    updates: Ints  # the updates of the former at which a check falls


def find(course: Course) -> Spikes:
    """Find the spikes from epoch 2 on, and the checks that show one from epoch LATE on.

    A check is made after updates 1, 1 + EVERY, and so on.
    """
    rise = course.rise[1:]
    mean = rise.mean(axis=0)
    batch = int(mean.argmax())
    after = int(mean.argmin())
    second = np.delete(rise, batch, axis=1).max(axis=1)
    highest = rise.argmax(axis=1) == batch
    lowest = rise.argmin(axis=1) == after
    always = bool((highest & lowest).all())
    updates = np.arange(course.update(1, LATE), len(course.loss))
    checks = updates[(updates - 1) % EVERY == 0]
    met = checks[(checks - 1) % course.per_epoch == batch]
    return Spikes(batch + 1, after + 1, rise[:, batch], second, always, met)


def gradients(w: Array, data: Split) -> Array:
    """Return each batch's gradient at the weights w (785,): (785, batches)."""
    return np.hstack([gradient(w[:, None], *batch) for batch in batches(data)])


def recovery(course: Course, data: Dataset, batch: int) -> Array:
    """Return the share of the rise by `batch` that each batch would have undone as the next one: (batches,).

    The shares are means over the epochs from LATE on.
    """
    rows = []
    for epoch in range(LATE, len(course.rise) + 1):
        at = course.update(batch, epoch)
        w = course.w[:, at]
        stepped = w[:, None] - RATE * gradients(w, data.train)
        undone = course.loss[at] - losses(stepped, data.validation)
        rows.append(undone / (course.loss[at] - course.loss[at - 1]))
    return np.mean(rows, axis=0)


class Few(NamedTuple):
    """The ten 3s of a batch with the greatest cross-entropy at some weights, costliest first."""

    rows: Ints  # their places in the file of 2s and 3s, from 0
    next_rows: Ints  # those of the ten that come next
    X: Array  # (10, 785)
    cost: Array  # nats
    wrong: int  # how many of them are misclassified
    slant: float  # mean of `slant`


def few(model: LogisticRegression, batch: Split, start: int) -> Few:
    """Return the ten costliest 3s of a batch whose first image is number `start` of the file."""
    X, Y = batch
    (correct,), (loss,) = evaluate([model], batch)
    cost = np.where(Y[:, 0] == 0, loss, -np.inf)
    order = np.argsort(-cost)
    ten = order[:TEN]
    after = order[TEN : 2 * TEN]
    images = X[ten]
    wrong = TEN - int(correct[ten].sum())
    lean = float(slant(images).mean())
    return Few(start + ten, start + after, images, cost[ten], wrong, lean)


def few_of_each(w: Array, data: Dataset) -> list[Few]:
    """Return the ten costliest 3s of every batch, all at the same weights w (785,)."""
    (model,) = models(w[:, None])
    return [few(model, batch, BATCH * number) for number, batch in enumerate(batches(data.train))]


def slant(X: Array) -> Array:
    """Return the lean of each image in X (N, 785): pixels to the right per pixel upwards of an upright line.

    From the second moments of the ink, as in deslanting (LeCun et al., 1998): minus the covariance of column
    and row over the variance of the row.
    """
    ink = (X[:, :784] + 1) / 2  # from 0 (background) to 1
    share = ink / ink.sum(axis=1, keepdims=True)
    row, column = np.divmod(np.arange(784), 28)
    mean = share @ row
    covariance = share @ (row * column) - mean * (share @ column)
    return -covariance / (share @ row**2 - mean**2)


def run_lengths(labels: ArrayLike) -> Ints:
    """Return the lengths of the runs of equal labels, in order: 2 2 3 2 gives 2 1 1."""
    labels = np.ravel(labels)
    ends = np.flatnonzero(np.diff(labels)) + 1
    return np.diff(ends, prepend=0, append=len(labels))
