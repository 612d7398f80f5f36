"""Task 2e: experiments on the order of the training images. Batches are numbered from 1."""

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
from study.statistics import Estimate, estimate
from study.task2e_spikes import BATCH, RATE, Few, Ints, batches, losses, weights


class Order(NamedTuple):
    """An order of the training images, and the batch in which the spikes are then expected."""

    rows: Ints  # (N,), of the file's order
    batch: int


EPOCHS = 10
LATE = 3  # the last epochs, in which the spikes are measured
CHECKS = 124  # the last checks of task 2: with 31 batches an epoch, four at each place in the epoch
ARMS = {  # the names of the arms in the report's figure
    "ten": "the ten costliest 3s",
    "next ten": "the next ten 3s",
    "other ten": "ten random 3s of batch {}",
    "ten elsewhere": "ten of another batch",
    "batch": "all of batch {}",
    "other batch": "all of another batch",
    "together": "the ten, kept together",
}


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
    inside = {
        "ten": ten,
        "together": ten,
        "next ten": each[batch - 1].next_rows,
        "other ten": random_ten,
        "ten elsewhere": each[other - 1].rows,
        "batch": np.flatnonzero(mine),
        "other batch": np.flatnonzero(place == other),
    }[arm]
    used = np.isin(place, place[inside])
    free = complete & ~mine & ~used
    expected = batch
    if arm == "together":
        free = place == other
        expected = other
    if "batch" not in arm:
        free &= three
    outside = rng.choice(np.flatnonzero(free), len(inside), replace=False)
    return Order(exchange(inside, outside, N), expected)


def reordered(split: Split, rows: Ints) -> Split:
    """Return the same images in another order."""
    return Split(split.X[rows], split.Y[rows])


def spike(order: Order, data: Split, validation: Split) -> tuple[float, int]:
    """Train in an order of `data`; return the size of the spikes in the last epochs, and their batch.

    The size, in nats, is the largest validation loss of an epoch minus its median, mean over epochs. The
    batch is the one that raises the loss most, on average.
    """
    data = reordered(data, order.rows)
    late = LATE * len(batches(data))
    loss = losses(weights(data, EPOCHS)[:, -late - 1 :], validation)
    rise = np.diff(loss).reshape(LATE, -1)
    by_epoch = loss[1:].reshape(LATE, -1)
    size = by_epoch.max(axis=1) - np.median(by_epoch, axis=1)
    highest = rise.mean(axis=0).argmax()
    return float(size.mean()), int(highest) + 1


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
def intervene(data: Dataset, batch: int, each: list[Few], seeds: int) -> dict[str, Arm]:
    """Train in each of the ARMS' orders, for each seed; "file" is the file's own order, once."""
    tried = {"file": [Order(np.arange(len(data.train.X)), batch)]}
    for arm in ARMS:
        tried[arm] = [orders(data.train, batch, each, arm, seed) for seed in range(seeds)]
    one = delayed(guarded(spike))
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


def shufflings(data: Dataset, ten: Ints, seeds: int) -> dict[str, Shuffling]:
    """Train in file order, with ten images `ten` put apart, shuffled once, and shuffled before each epoch."""
    N = len(data.train.X)
    place = np.arange(N) // BATCH
    others = data.train.Y[:, 0] == 0
    others &= place != place[ten[0]]
    others &= place < N // BATCH
    moved = {}
    for seed in range(seeds):
        outside = np.random.default_rng(seed).choice(np.flatnonzero(others), len(ten), replace=False)
        rows = exchange(ten, outside, N)
        moved[seed] = replace(data, train=reordered(data.train, rows))
    run = partial(
        sweep,
        LogisticRegression,
        learning_rate=RATE,
        epochs=33,
        batch_size=BATCH,
        train_accuracy_every=None,
        progress=False,
    )
    orders = {
        "file": run(data, shuffle=False, seed=[0]),
        "ten apart": run(moved, shuffle=False),
        "once": run(data, shuffle="once", seed=range(seeds)),
        "each epoch": run(data, seed=range(seeds)),
    }
    return {name: shuffling(runs, data.test) for name, runs in orders.items()}


def shuffling(runs: Mapping[Any, Run], test: Split) -> Shuffling:
    """Summarise the last CHECKS of runs, and the loss of their best weights on the images of `test`."""
    loss = np.array([run.history.validation_loss[-CHECKS:] for run in runs.values()])
    best = [run.best for run in runs.values()]
    spread = loss.std(axis=1, ddof=1)
    return Shuffling(loss.mean(axis=1), np.median(loss, axis=1), spread, evaluate(best, test).loss)


def gain(found: Mapping[str, Shuffling]) -> Estimate:
    """Return the best weights' loss on held-out images with shuffling minus that in file order, in nats."""
    return estimate(found["each epoch"].held - found["file"].held)


def titles(batch: int) -> dict[str, str]:
    """Return the names of the file's order and of the arms in the report's figure."""
    named = {"file": "file order"}
    for arm, title in ARMS.items():
        named[arm] = title.format(batch)
    return named
