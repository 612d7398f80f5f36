"""Task 2e: which batch causes the spikes of the validation curve in file order, and what is in it.

Batches (in the file's order), epochs and updates are numbered from 1, as in the report.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assignment1.mnist import Dataset, Split
from assignment1.models import Array, LogisticRegression

RATE, BATCH = 0.05, 128  # task 2's learning rate and batch size
TEN = 10  # images that are looked at of a batch
Ints = NDArray[np.integer]


class Course(NamedTuple):
    """Task 2's run in file order, watched after every update (S of them) instead of at the checks."""

    w: Array  # (785, S + 1), the weights at the start and after each update
    loss: Array  # (S + 1,), validation loss in nats
    accuracy: Array  # (S + 1,), on the validation images
    per_epoch: int  # batches

    @property
    def rise(self) -> Array:
        """What each update changes the validation loss by, (epochs, batches)."""
        return np.diff(self.loss).reshape(-1, self.per_epoch)

    def update(self, batch: int, epoch: int) -> int:
        """The number of the update that `batch` makes in `epoch`."""
        return (epoch - 1) * self.per_epoch + batch

    def before(self, batch: int, epoch: int) -> Array:
        """The weights (785,) that `batch` meets in `epoch`."""
        return self.w[:, self.update(batch, epoch) - 1]


def course(data: Dataset, epochs: int) -> Course:
    """Make the run. In file order, with zero initial weights, no other run is possible."""
    w = weights(data, epochs)
    return Course(w, *along(w, data.validation), len(batches(data)))


def weights(data: Dataset, epochs: int) -> Array:
    """The run's weights at the start and after each update, (785, S + 1)."""
    model, W = LogisticRegression().copy(np.zeros((785, 1), data.train.X.dtype)), []
    parts = batches(data)
    for _ in range(epochs):
        for batch in parts:
            W.append(model.w)
            model = model.copy(model.w - RATE * model.gradient(*batch))
    return np.hstack([*W, model.w])


def batches(data: Dataset) -> list[Split]:
    """The training images in file order, 128 at a time, without an incomplete last batch."""
    X, Y = data.train
    return [Split(X[i : i + BATCH], Y[i : i + BATCH]) for i in range(0, len(X) - BATCH + 1, BATCH)]


def along(w: Array, split: Split) -> tuple[Array, Array]:
    """Loss and accuracy (S,) on a split for each of the S columns of w (785, S), in one product."""
    model, (X, Y) = LogisticRegression(), split
    Z = w.T @ X.T
    loss = [model.cross_entropy(z[:, None], Y).mean(dtype=np.float64) for z in Z]
    return np.array(loss), np.array([model.correct(z[:, None], Y).mean() for z in Z])


class Spikes(NamedTuple):
    """What the course of a run says of its spikes, from some epoch on."""

    batch: int  # the batch whose update raises the validation loss most, on average
    next: int  # the batch that lowers it most
    up: Array  # (epochs,), by how much the former raises it
    second: Array  # (epochs,), by how much any other batch raises it at most
    always: bool  # whether the two are the highest and the lowest in each of the epochs
    updates: Ints  # the updates of the former at which a check falls
    seen: Ints  # the checks whose loss is higher by 0.02 than the median of the epochs


def find(course: Course, first: int = 2, check_every: int = 6, late: int = 11) -> Spikes:
    """Find the spikes from epoch `first` on, and the checks that show one from epoch `late` on.

    A check is made after updates 1, 1 + check_every, and so on.
    """
    rise = course.rise[first - 1 :]
    mean = rise.mean(axis=0)
    batch, after = int(mean.argmax()), int(mean.argmin())
    always = bool((rise.argmax(axis=1) == batch).all() and (rise.argmin(axis=1) == after).all())
    update = np.arange((late - 1) * course.per_epoch + 1, len(course.loss))
    checks = update[(update - 1) % check_every == 0]
    met = checks[(checks - 1) % course.per_epoch == batch]
    seen = checks[course.loss[checks] > np.median(course.loss[update]) + 0.02]
    second = np.delete(rise, batch, axis=1).max(axis=1)
    return Spikes(batch + 1, after + 1, rise[:, batch], second, always, met, seen)


def gradients(w: Array, data: Dataset) -> Array:
    """Each batch's gradient at the weights w (785,): (785, batches)."""
    model = LogisticRegression().copy(w[:, None])
    return np.hstack([model.gradient(*batch) for batch in batches(data)])


def norms(course: Course, data: Dataset, batch: int, first: int = 11) -> Array:
    """The norm of each batch's gradient at the weights that `batch` meets, (epochs, batches)."""
    epochs = range(first, len(course.rise) + 1)
    return np.array([np.linalg.norm(gradients(course.before(batch, e), data), axis=0) for e in epochs])


def recovery(course: Course, data: Dataset, batch: int, first: int = 11) -> Array:
    """What share of the rise by `batch` each batch would have undone, had it come next: (batches,).

    The mean over the epochs from `first` on.
    """
    rows = []
    for epoch in range(first, len(course.rise) + 1):
        at = course.update(batch, epoch)
        up, w = course.loss[at] - course.loss[at - 1], course.w[:, at]
        stepped = w[:, None] - RATE * gradients(w, data)
        rows.append((course.loss[at] - along(stepped, data.validation)[0]) / up)
    return np.mean(rows, axis=0)


class Few(NamedTuple):
    """The ten 3s of a batch with the greatest cross-entropy at some weights, costliest first."""

    rows: Ints  # their places in the file of 2s and 3s, from 0
    next_rows: Ints  # those of the ten that come next
    X: Array  # (10, 785)
    cost: Array  # nats
    norm: float  # of the batch's gradient
    norm_without: float  # of that gradient when their terms are left out of its sum
    wrong: int  # how many of them are misclassified
    alike: float  # the mean correlation of their pixels over all pairs
    slant: float  # mean of `slant`


def few(w: Array, data: Dataset, batch: int) -> Few:
    """The ten costliest 3s of a batch at weights w (785,)."""
    model, (X, Y) = LogisticRegression().copy(w[:, None]), batches(data)[batch - 1]
    z = model.logits(X)
    cost = np.where(Y[:, 0] == 0, model.cross_entropy(z, Y), -np.inf)
    rows, after = np.split(np.argsort(-cost)[: 2 * TEN], 2)
    terms = (model.activation(z) - Y) * X / len(X)
    norm, without = (np.linalg.norm(t.sum(axis=0)).item() for t in (terms, np.delete(terms, rows, axis=0)))
    wrong = int((~model.correct(z, Y))[rows].sum())
    ten = X[rows]
    lean = float(slant(ten).mean())
    start = (batch - 1) * BATCH
    return Few(start + rows, start + after, ten, cost[rows], norm, without, wrong, likeness(ten), lean)


def few_of_each(w: Array, data: Dataset) -> list[Few]:
    """The ten costliest 3s of every batch, all at the same weights."""
    return [few(w, data, batch + 1) for batch in range(len(batches(data)))]


def likeness(X: Array) -> float:
    """The mean correlation of pixels over all pairs of the images in X (N, 785)."""
    N = len(X)
    return float((np.corrcoef(X[:, :784]).sum() - N) / (N * (N - 1)))


def slant(X: Array) -> Array:
    """How far an upright line leans: pixels to the right per pixel upwards, of each image in X (N, 785).

    From the second moments of the ink, as in deslanting (LeCun et al., 1998): minus the covariance of column
    and row over the variance of the row.
    """
    ink, (row, column) = _ink(X), np.mgrid[:28, :28]
    total = ink.sum(axis=(1, 2))
    dr, dc = (i - ((ink * i).sum(axis=(1, 2)) / total)[:, None, None] for i in (row, column))
    return -(ink * dr * dc).sum(axis=(1, 2)) / (ink * dr * dr).sum(axis=(1, 2))


def _ink(X: Array) -> Array:
    """From 0 (background) to 1, (N, 28, 28)."""
    return (X[:, :784].reshape(-1, 28, 28) + 1) / 2


class Victims(NamedTuple):
    """What one update does: the batch's own loss and the validation loss, and who is misclassified."""

    own: Array  # (2,), before and after, nats
    validation: Array  # (2,)
    twos: Ints  # (3,), misclassified validation 2s before, after, and after the next batch
    threes: Ints  # (3,)
    parts: Array  # (2,), what the 2s and what the 3s add to the validation loss
    X: Array  # (10, 785), the costliest of the images that the update turned wrong
    cost: Array  # (10,), after it, nats
    fresh: int  # how many images it turned wrong
    labels: Ints  # the ten's digits


def victims(course: Course, data: Dataset, batch: int, epoch: int) -> Victims:
    """Look at the update that `batch` makes in `epoch`."""
    at, (X, Y) = course.update(batch, epoch), data.validation
    w = course.w[:, at - 1 : at + 2]
    model = LogisticRegression()
    wrong = np.array([~model.correct(X @ v[:, None], Y) for v in w.T])
    two, fresh = Y[:, 0] == 1, wrong[1] & ~wrong[0]
    before, cost = (model.cross_entropy(X @ v[:, None], Y) for v in w.T[:2])
    parts = np.array([(cost - before)[which].sum() / len(Y) for which in (two, ~two)])
    after = np.where(fresh, cost, -np.inf)
    rows = np.argsort(-after)[:TEN]
    own, labels = along(w[:, :2], batches(data)[batch - 1])[0], np.where(two, 2, 3)[rows]
    twos, threes = ((wrong & which).sum(axis=1) for which in (two, ~two))
    return Victims(
        own, course.loss[at - 1 : at + 1], twos, threes, parts, X[rows], after[rows], int(fresh.sum()), labels
    )


class Lengths(NamedTuple):
    """Runs of equal labels in the file, and in random orders of the same labels."""

    number: int
    mean: float
    longest: int
    random_mean: float
    orders: int
    shorter: int  # random orders whose runs are as short, on average, or shorter
    low: float  # 95% of the random orders have their longest run between these
    high: float


def run_lengths(labels: ArrayLike) -> Ints:
    """Lengths of the runs of equal labels, in order: 2 2 3 2 gives 2 1 1."""
    labels = np.asarray(labels).ravel()
    ends = np.flatnonzero(labels[1:] != labels[:-1]) + 1
    return np.diff(np.concatenate(([0], ends, [len(labels)])))


def lengths(labels: ArrayLike, orders: int = 1000, seed: int = 0) -> Lengths:
    """Compare the runs of equal labels with those of random orders."""
    rng, labels = np.random.default_rng(seed), np.asarray(labels).ravel()
    file, drawn = run_lengths(labels), [run_lengths(rng.permutation(labels)) for _ in range(orders)]
    means, longest = np.array([(runs.mean(), runs.max()) for runs in drawn]).T
    low, high = np.percentile(longest, (2.5, 97.5))
    shorter = int((means <= file.mean()).sum())
    return Lengths(
        len(file), float(file.mean()), int(file.max()), float(means.mean()), orders, shorter, low, high
    )


def twos(data: Dataset) -> Ints:
    """How many 2s each batch holds."""
    return np.array([int(batch.Y.sum()) for batch in batches(data)])
