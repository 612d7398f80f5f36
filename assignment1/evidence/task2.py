"""Tasks 2d and 2e: what early stopping reacts to, and why the validation curve spikes in file order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import ArrayLike, NDArray

from assignment1.mnist import Dataset, Split
from assignment1.models import Array, LogisticRegression, Regression
from assignment1.run import Run
from assignment1.training import EarlyStopping
from assignment1.workers import guarded

RATE, BATCH = 0.05, 128  # task 2's learning rate and batch size
Ints = NDArray[np.integer]


def stop(run: Run, patience: int) -> tuple[int, int] | None:
    """The check at which early stopping would have ended `run`, and the best check; None if it would not.

    `run` is one made without early stopping, so that no run is made twice; both index its history.
    """
    rule = EarlyStopping(patience)
    for check, loss in enumerate(run.history.validation_loss):
        rule.update(loss)
        if rule.stopped:
            return check, rule.best_check
    return None


def loss_difference(a: Regression, b: Regression, split: Split) -> tuple[float, float]:
    """Mean over the images of a's cross-entropy less b's, and its standard error, in nats."""
    X, Y = split
    paired = a.cross_entropy(a.logits(X), Y) - b.cross_entropy(b.logits(X), Y)
    return float(paired.mean()), float(paired.std(ddof=1) / np.sqrt(len(paired)))


def cost_as_written(model: Regression, split: Split) -> float:
    """C(w) in nats as task 1a writes it, from probabilities, for the printed digits; inf if one rounds to 0.

    `fsum` rounds once only, so that the last digit does not depend on the order a processor sums in.
    """
    Y_hat, Y = model.forward(split.X), split.Y
    return -math.fsum((Y * np.log(Y_hat) + (1 - Y) * np.log(1 - Y_hat)).ravel()) / len(Y)


def run_lengths(labels: ArrayLike) -> Ints:
    """Lengths of the runs of equal labels, in order: 2 2 3 2 gives 2 1 1."""
    labels = np.asarray(labels).ravel()
    ends = np.flatnonzero(labels[1:] != labels[:-1]) + 1
    return np.diff(np.concatenate(([0], ends, [len(labels)])))


def permuted_runs(labels: ArrayLike, permutations: int = 2000, seed: int = 0) -> Array:
    """Mean and greatest run length in each random order of the labels, (permutations, 2)."""
    rng, labels = np.random.default_rng(seed), np.asarray(labels).ravel()
    lengths = (run_lengths(rng.permutation(labels)) for _ in range(permutations))
    return np.array([(runs.mean(), runs.max()) for runs in lengths])


def trajectory(data: Dataset, epochs: int) -> Array:
    """The weights before each step of task 2's run in file order, and after the last: (785, steps + 1)."""
    model, W = LogisticRegression().copy(np.zeros((785, 1), data.train.X.dtype)), []
    for _ in range(epochs):
        for batch in batches(data):
            W.append(model.w)
            model = model.copy(model.w - RATE * model.gradient(*batch))
    return np.hstack([*W, model.w])


def batches(data: Dataset) -> list[Split]:
    """The training images in file order, 128 at a time, without an incomplete last batch."""
    X, Y = data.train
    return [Split(X[i : i + BATCH], Y[i : i + BATCH]) for i in range(0, len(X) - BATCH + 1, BATCH)]


def along(W: Array, split: Split) -> tuple[Array, Array]:
    """Loss and accuracy (S,) on a split for each of the S columns of W (785, S), in one product."""
    model, (X, Y) = LogisticRegression(), split
    Z = W.T @ X.T
    loss = [model.cross_entropy(z[:, None], Y).mean(dtype=np.float64) for z in Z]
    return np.array(loss), np.array([model.correct(z[:, None], Y).mean() for z in Z])


def step_from(w: Array, data: Dataset) -> tuple[Array, Array]:
    """Each batch's gradient at w (785,), and the weights one step along it leads to; both (785, batches)."""
    model = LogisticRegression().copy(w[:, None])
    gradients = np.hstack([model.gradient(*batch) for batch in batches(data)])
    return gradients, w[:, None] - RATE * gradients


def recovery(W: Array, data: Dataset, culprit: int) -> Array:
    """What share of the rise that batch `culprit` causes would each batch have taken back, had it come next?

    W is a `trajectory`; the result has a row for each epoch and a column for each batch (counted from 0).
    """
    rows, per_epoch = [], len(batches(data))
    for at in range(culprit, W.shape[1] - 1, per_epoch):
        (before, after), _ = along(W[:, at : at + 2], data.validation)
        rows.append((after - along(step_from(W[:, at + 1], data)[1], data.validation)[0]) / (after - before))
    return np.array(rows)


def costliest(w: Array, split: Split, count: int = 10) -> tuple[Ints, Array, Array]:
    """The images of a batch with the greatest cross-entropy at weights w (785,), in falling order.

    Their rows, their cross-entropy in nats, and their shares of the batch's gradient: of its length, how much
    their own gradients add up to along it.
    """
    model, (X, Y) = LogisticRegression().copy(w[:, None]), split
    z = model.logits(X)
    cost, along_gradient = model.cross_entropy(z, Y), X @ model.gradient(X, Y)
    shares = ((model.activation(z) - Y) * along_gradient)[:, 0]
    rows = np.argsort(-cost)[:count]
    return rows, cost[rows], shares[rows] / shares.sum()


def costliest_3s(w: Array, data: Dataset) -> tuple[Array, Array]:
    """Of each batch's ten costliest 3s at weights w (785,): how alike they are, and how many are misread."""
    rows = []
    for X, Y in batches(data):
        threes = Split(X[Y[:, 0] == 0], Y[Y[:, 0] == 0])
        ten = threes.X[costliest(w, threes)[0]]
        rows.append((likeness(ten), misread(w, Split(ten, np.zeros((len(ten), 1)))).sum()))
    alike, wrong = np.array(rows, float).T
    return alike, wrong


def misread(w: Array, split: Split) -> NDArray[np.bool_]:
    """Which images of a split are misread at weights w (785,)?"""
    model = LogisticRegression().copy(w[:, None])
    return ~model.correct(model.logits(split.X), split.Y)


def likeness(X: Array) -> float:
    """The mean correlation of pixels over all pairs of the images in X (N, 785)."""
    N = len(X)
    return float((np.corrcoef(X[:, :784]).sum() - N) / (N * (N - 1)))


def scattered(data: Dataset, moved: Sequence[int], seed: int, spared: Sequence[int] = ()) -> Dataset:
    """The images of the batches `moved` change places with random others; all the rest stays where it is.

    No image of a batch in `spared` moves, nor of the incomplete last batch. Batches are counted from 0.
    """
    order, places = np.arange(len(data.train.X)), np.arange(len(data.train.X) // BATCH * BATCH)
    batch = places // BATCH
    inside = places[np.isin(batch, moved)]
    outside = places[~np.isin(batch, [*moved, *spared])]
    partners = np.random.default_rng(seed).choice(outside, len(inside), replace=False)
    order[inside], order[partners] = partners, inside
    return replace(data, train=Split(data.train.X[order], data.train.Y[order]))


def spike_size(data: Dataset, epochs: int = 10, measured: int = 3) -> float:
    """How far the validation loss rises above its median in an epoch, mean of the last `measured` epochs.

    Trained in file order for `epochs`, the loss is taken after every step of the last ones; in nats.
    """
    steps = measured * len(batches(data))
    loss = along(trajectory(data, epochs)[:, -steps:], data.validation)[0].reshape(measured, -1)
    return float((loss.max(axis=1) - np.median(loss, axis=1)).mean())


def intervention(data: Dataset, culprit: int, seeds: int = 10) -> dict[str, Array]:
    """The `spike_size` of each seed when certain batches are scattered, the culprit (from 0) or others.

    Two batches in a row are scattered, the culprit and the next or two others, or one of the two alone.
    The images of the culprit and the next stay together wherever they are not the ones scattered.
    """
    pair = (culprit, culprit + 1)
    free = [b for b in range(len(batches(data)) - 1) if not {b, b + 1} & set(pair)]
    moved: dict[str, list[tuple[int, ...]]] = {"both": [pair], "culprit": [pair[:1]], "next": [pair[1:]]}
    moved["others"] = [(b, b + 1) for b in np.random.default_rng(0).choice(free, seeds).tolist()]

    def size(train: Split, validation: Split, seed: int, these: tuple[int, ...]) -> float:
        given = Dataset(train, validation, lambda: validation)
        return spike_size(scattered(given, these, seed, pair))

    tasks = [(seed, these[seed % len(these)]) for these in moved.values() for seed in range(seeds)]
    sizes = Parallel(n_jobs=-1)(delayed(guarded(size))(data.train, data.validation, *task) for task in tasks)
    return dict(zip(moved, np.reshape(sizes, (-1, seeds)), strict=True))


def summary(run: Run, test: Split, checks: int = 124) -> tuple[float, ...]:
    """Mean, median, deviation and greatest jump of the last validation losses; the best weights' test loss.

    With a check every 6 steps and 31 batches an epoch, 31 checks in a row see each place in the epoch once:
    124 see it four times, whatever the order of the images is. All in nats.
    """
    loss = run.history.validation_loss[-checks:]
    jump = np.abs(np.diff(loss)).max()
    return loss.mean(), float(np.median(loss)), loss.std(ddof=1), jump, run.best.loss(*test)


def costliest_batch(run: Run, skipped: int = 10) -> tuple[int, int, int]:
    """The place in the epoch that has the greatest batch loss most often: its number from 1, how often, of.

    The first epochs are skipped. In a random order each epoch no place should stand out.
    """
    loss = run.history.train_loss
    per_epoch = loss.size // run.epoch
    worst = loss.reshape(run.epoch, per_epoch)[skipped:].argmax(axis=1)
    times = np.bincount(worst)
    return int(times.argmax()) + 1, int(times.max()), len(worst)


def mean_and_error(values: ArrayLike) -> tuple[float, float]:
    """The mean of a sample and its standard error."""
    sample = np.asarray(values, float)
    return float(sample.mean()), float(sample.std(ddof=1) / np.sqrt(len(sample)))


def with_error(values: ArrayLike) -> str:
    """A table's cell: the mean of a sample and its standard error, or the value if there is only one."""
    sample = np.asarray(values, float)
    if len(sample) == 1:
        return f"{sample[0]:.4f}"
    return "{:.4f} ± {:.4f}".format(*mean_and_error(sample))
