"""Task 2e: experiments on the order of the training images. Batches are numbered from 1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from itertools import chain, islice
from typing import Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed

from assignment1.fast.evaluation import evaluate
from assignment1.fast.sweep import sweep
from assignment1.fast.workers import guarded
from assignment1.mnist import Dataset, Split
from assignment1.models import Array, LogisticRegression
from assignment1.run import Run
from study.cache import kept
from study.statistics import Interval, apart, interval
from study.task2e_spikes import BATCH, RATE, Few, Ints, batches, losses, weights


class Order(NamedTuple):
    """An order of the training images, and the batch in which the spikes are then expected."""

    rows: Ints  # (N,), of the file's order
    batch: int


class Spike(NamedTuple):
    """The spikes of a run in some order, over its last epochs."""

    size: float  # how far the validation loss rises above its median in an epoch, mean over epochs, nats
    batch: int  # the batch that raises the loss most, on average


ARMS = ("ten", "next ten", "other ten", "ten elsewhere", "batch", "other batch", "together")


def exchange(inside: Ints, outside: Ints, count: int) -> Ints:
    """Return the numbers 0 to count - 1, where those `inside` have changed places with those `outside`."""
    rows = np.arange(count)
    rows[inside] = outside
    rows[outside] = inside
    return rows


def orders(data: Split, batch: int, each: list[Few], arm: str, seed: int) -> Order:
    """Return the file's order with some images moved; `each` are the costliest 3s of every batch.

    Moved images change places with others of complete batches, drawn at random by `seed`:

    - "ten": the ten costliest 3s of `batch`, with 3s of any other batches;
    - "next ten": the ten next costliest 3s of `batch`, likewise;
    - "other ten": ten random 3s of `batch` but for the costliest ten, likewise;
    - "ten elsewhere": the ten costliest 3s of another batch, likewise;
    - "batch", "other batch": all images of `batch`, or of another one, with any;
    - "together": the ten costliest 3s of `batch`, with ten 3s that are together in another.

    Images of `batch` are moved only where this says so. The first four and the last leave as many 2s
    and 3s in every batch as it has.
    """
    rng = np.random.default_rng(seed)
    N = len(data.X)
    place = np.arange(N) // BATCH + 1
    mine = place == batch
    three = data.Y[:, 0] == 0
    ten = each[batch - 1].rows
    complete = place <= N // BATCH
    far = np.unique(place[complete & (abs(place - batch) > 1)])
    other = int(rng.choice(far))
    rest = np.setdiff1d(np.flatnonzero(mine & three), ten)
    random_ten = rng.choice(rest, len(ten), replace=False)
    if arm == "together":
        outside = rng.choice(np.flatnonzero(three & (place == other)), len(ten), replace=False)
        return Order(exchange(ten, outside, N), other)
    inside = {
        "ten": ten,
        "next ten": each[batch - 1].next_rows,
        "other ten": random_ten,
        "ten elsewhere": each[other - 1].rows,
        "batch": np.flatnonzero(mine),
        "other batch": np.flatnonzero(place == other),
    }[arm]
    used = np.isin(place, place[inside])
    free = complete & ~mine & ~used
    if "ten" in arm:
        free &= three
    outside = rng.choice(np.flatnonzero(free), len(inside), replace=False)
    return Order(exchange(inside, outside, N), batch)


def reordered(split: Split, rows: Ints) -> Split:
    """Return the same images in another order."""
    return Split(split.X[rows], split.Y[rows])


def spike(data: Split, validation: Split, epochs: int = 10, measured: int = 3) -> Spike:
    """Train in the order of `data` and measure the spikes in the last `measured` epochs."""
    late = measured * len(batches(data))
    loss = losses(weights(data, epochs)[:, -late - 1 :], validation)
    rise = np.diff(loss).reshape(measured, -1)
    by_epoch = loss[1:].reshape(measured, -1)
    size = by_epoch.max(axis=1) - np.median(by_epoch, axis=1)
    highest = rise.mean(axis=0).argmax()
    return Spike(float(size.mean()), int(highest) + 1)


def spike_in(order: Order, data: Split, validation: Split) -> Spike:
    """Return `spike` of the images of `data` in another order."""
    return spike(reordered(data, order.rows), validation)


class Arm(NamedTuple):
    """The spikes of each seed in an arm of the experiment."""

    size: Array  # (seeds,), nats
    batch: Ints  # (seeds,), the batch that raises the loss most
    expected: Ints  # (seeds,), the batch where it should, if the ten images cause it

    @property
    def mean(self) -> float:
        """Return the mean size, nats."""
        return float(self.size.mean())


@kept
def intervene(data: Dataset, batch: int, each: list[Few], seeds: int = 10) -> dict[str, Arm]:
    """Train in each of the ARMS' orders, for each seed; "file" is the file's own order, once."""
    tried = {"file": [Order(np.arange(len(data.train.X)), batch)]}
    for arm in ARMS:
        tried[arm] = [orders(data.train, batch, each, arm, seed) for seed in range(seeds)]
    one = delayed(guarded(spike_in))
    work = (one(order, data.train, data.validation) for order in chain(*tried.values()))
    spikes = iter(Parallel(n_jobs=-1)(work))
    arms = {}
    for arm, expected in tried.items():
        size, found = zip(*islice(spikes, len(expected)), strict=True)
        batches_expected = [order.batch for order in expected]
        arms[arm] = Arm(np.array(size), np.array(found), np.array(batches_expected))
    return arms


class Shuffling(NamedTuple):
    """Runs of task 2 in some order: a value for each seed, of the last checks' validation losses, in nats."""

    mean: Array
    median: Array
    spread: Array  # their standard deviation
    held: Array  # (seeds, images), the loss of the best weights on each held-out image

    @property
    def test(self) -> Array:
        """Return the loss of the best weights on the held-out images."""
        return self.held.mean(axis=1)


def shufflings(data: Dataset, ten: Ints, seeds: int = 10, epochs: int = 33) -> dict[str, Shuffling]:
    """Train in file order, with ten images `ten` put apart, shuffled once, and shuffled before each epoch."""
    N = len(data.train.X)
    place = np.arange(N) // BATCH
    complete = place < N // BATCH
    elsewhere = place != place[ten[0]]
    three = data.train.Y[:, 0] == 0
    others = np.flatnonzero(three & complete & elsewhere)
    moved = {}
    for seed in range(seeds):
        outside = np.random.default_rng(seed).choice(others, len(ten), replace=False)
        rows = exchange(ten, outside, N)
        moved[seed] = replace(data, train=reordered(data.train, rows))
    run = partial(
        sweep,
        LogisticRegression,
        learning_rate=RATE,
        epochs=epochs,
        batch_size=BATCH,
        train_accuracy_every=None,
        progress=False,
    )
    return {
        "file": shuffling(run(data, shuffle=False, seed=[0]), data.test),
        "ten apart": shuffling(run(moved, shuffle=False), data.test),
        "once": shuffling(run(data, shuffle="once", seed=range(seeds)), data.test),
        "each epoch": shuffling(run(data, seed=range(seeds)), data.test),
    }


def shuffling(runs: Mapping[Any, Run], test: Split, checks: int = 124) -> Shuffling:
    """Summarise runs.

    With a check every 6 updates and 31 batches an epoch, 31 checks in a row see each place in the epoch once:
    124 see it four times, whatever the order of the images is.
    """
    loss = np.array([run.history.validation_loss[-checks:] for run in runs.values()])
    best = [run.best for run in runs.values()]
    spread = loss.std(axis=1, ddof=1)
    return Shuffling(loss.mean(axis=1), np.median(loss, axis=1), spread, evaluate(best, test).loss)


class Gain(NamedTuple):
    """The change by shuffling of the best weights' loss on the held-out images, in nats, seed by seed."""

    shuffles: Interval
    images: Interval


def gain(found: Mapping[str, Shuffling], name: str = "each epoch") -> Gain:
    """Return the loss of the best weights with shuffling minus that in file order."""
    difference = found[name].held - found["file"].held
    by_seed = difference.mean(axis=1)
    by_image = difference.mean(axis=0)
    return Gain(interval(by_seed), interval(by_image))


def contrast(arms: Mapping[str, Arm], one: str, other: str) -> Interval:
    """Return by how much the spikes of one arm exceed those of another, nats."""
    return apart(arms[one].size, arms[other].size)


def titles(batch: int) -> dict[str, str]:
    """Return the names of the arms in the report's figure."""
    return {
        "file": "file order",
        "ten": "the ten costliest 3s",
        "next ten": "the next ten 3s",
        "other ten": f"ten random 3s of batch {batch}",
        "ten elsewhere": "ten of another batch",
        "batch": f"all of batch {batch}",
        "other batch": "all of another batch",
        "together": "the ten, kept together",
    }
