"""Task 2e: experiments on the order of the training images. Batches are numbered from 1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed

from assignment1.fast.sweep import sweep
from assignment1.fast.train import train
from assignment1.fast.workers import guarded
from assignment1.mnist import Dataset, Split
from assignment1.models import Array, LogisticRegression
from assignment1.run import Run
from study.cache import kept
from study.statistics import Interval, apart, interval
from study.task2e_spikes import BATCH, Few, Ints, along, batches, weights


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
    """The numbers 0 to count - 1, where those `inside` have changed places with those `outside`."""
    rows = np.arange(count)
    rows[inside], rows[outside] = outside, inside
    return rows


def orders(data: Dataset, batch: int, each: list[Few], arm: str, seed: int) -> Order:
    """The file's order with some images moved; `each` are the costliest 3s of every batch.

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
    rng, N = np.random.default_rng(seed), len(data.train.X)
    place = np.arange(N) // BATCH + 1
    full, three = place <= N // BATCH, data.train.Y[:, 0] == 0
    other = int(rng.choice([b + 1 for b in range(N // BATCH) if abs(b + 1 - batch) > 1]))
    mine, ten = place == batch, np.isin(np.arange(N), each[batch - 1].rows)

    def some(where: Array, count: int) -> Ints:
        return rng.choice(np.flatnonzero(where), count, replace=False)

    away = full & ~mine
    inside = {
        "ten": each[batch - 1].rows,
        "next ten": each[batch - 1].next_rows,
        "other ten": some(mine & three & ~ten, len(each[batch - 1].rows)),
        "ten elsewhere": each[other - 1].rows,
        "batch": np.flatnonzero(mine),
        "other batch": np.flatnonzero(place == other),
        "together": each[batch - 1].rows,
    }[arm]
    if arm == "together":
        outside = some(three & (place == other), len(inside))
    else:
        alike = three if "ten" in arm else True
        outside = some(away & alike & ~np.isin(place, place[inside]), len(inside))
    return Order(exchange(inside, outside, N), other if arm == "together" else batch)


def reordered(data: Dataset, rows: Ints) -> Dataset:
    """The same data with the training images in another order."""
    return replace(data, train=Split(data.train.X[rows], data.train.Y[rows]))


def spike(data: Dataset, epochs: int = 10, measured: int = 3) -> Spike:
    """Train in the order of `data` and measure the spikes in the last `measured` epochs."""
    per_epoch = len(batches(data))
    loss, _ = along(weights(data, epochs)[:, -1 - measured * per_epoch :], data.validation)
    rise, each = np.diff(loss).reshape(measured, -1), loss[1:].reshape(measured, -1)
    size = (each.max(axis=1) - np.median(each, axis=1)).mean()
    return Spike(float(size), int(rise.mean(axis=0).argmax()) + 1)


class Arm(NamedTuple):
    """An arm of the experiment: each seed's spikes."""

    size: Array  # (seeds,), nats
    batch: Ints  # (seeds,), the batch that raises the loss most
    expected: Ints  # (seeds,), the batch where it should, if the ten images cause it

    @property
    def mean(self) -> float:
        """The mean size, nats."""
        return float(self.size.mean())


@kept
def intervene(data: Dataset, batch: int, each: list[Few], seeds: int = 10) -> dict[str, Arm]:
    """Train in each of the ARMS' orders, for each seed; "file" is the file's own order, once."""
    order = {(arm, seed): orders(data, batch, each, arm, seed) for arm in ARMS for seed in range(seeds)}
    order["file", 0] = Order(np.arange(len(data.train.X)), batch)

    def one(train_: Split, validation: Split, rows: Ints) -> Spike:
        return spike(reordered(Dataset(train_, validation, lambda: validation), rows))

    work = (delayed(guarded(one))(data.train, data.validation, given.rows) for given in order.values())
    found = dict(zip(order, Parallel(n_jobs=-1)(work), strict=True))

    def arm(name: str) -> Arm:
        keys = [key for key in order if key[0] == name]
        size = np.array([found[key].size for key in keys])
        return Arm(size, np.array([found[k].batch for k in keys]), np.array([order[k].batch for k in keys]))

    return {name: arm(name) for name in ("file", *ARMS)}


class Shuffling(NamedTuple):
    """Runs of task 2 in some order: a value for each seed, of the last checks' validation losses, in nats."""

    mean: Array
    median: Array
    spread: Array  # their standard deviation
    test: Array  # the best weights' loss on the held-out images
    marks: Array  # (seeds, images), the same for each image

    def cell(self, name: str) -> str:
        """A table's cell: mean and half a 95% interval over the seeds, or the value if there is only one."""
        values = getattr(self, name)
        if len(values) == 1:
            return f"{values[0]:.4f}"
        found = interval(values)
        return f"{found.mean:.4f} ± {found.half:.4f}"


def shufflings(data: Dataset, ten: Ints, seeds: int = 10, epochs: int = 33) -> dict[str, Shuffling]:
    """Runs in file order, with ten images `ten` put apart, shuffled once, and shuffled before each epoch."""
    plan: dict[str, Any] = dict(
        learning_rate=0.05, epochs=epochs, batch_size=BATCH, train_accuracy_every=None, progress=False
    )
    place, three = np.arange(len(data.train.X)) // BATCH, data.train.Y[:, 0] == 0
    away = np.flatnonzero(three & (place < len(batches(data))) & (place != place[ten[0]]))
    draw = [np.random.default_rng(seed).choice(away, len(ten), replace=False) for seed in range(seeds)]
    moved = {i: reordered(data, exchange(ten, outside, len(place))) for i, outside in enumerate(draw)}
    found = {"file": [train(LogisticRegression(), data, shuffle=False, **plan)]}
    found["ten apart"] = list(sweep(LogisticRegression, moved, shuffle=False, **plan).values())
    for name, shuffle in (("once", "once"), ("each epoch", True)):
        runs = sweep(LogisticRegression, data, shuffle=shuffle, seed=range(seeds), **plan)
        found[name] = list(runs.values())
    return {name: shuffling(runs, data.test) for name, runs in found.items()}


def shuffling(runs: list[Run], test: Split, checks: int = 124) -> Shuffling:
    """Summarise runs. With a check every 6 updates and 31 batches an epoch, 31 checks in a row see each place
    in the epoch once: 124 see it four times, whatever the order of the images is."""
    loss = np.array([run.history.validation_loss[-checks:] for run in runs])
    marks = np.array([run.best.cross_entropy(run.best.logits(test.X), test.Y) for run in runs])
    parts = loss.mean(axis=1), np.median(loss, axis=1), loss.std(axis=1, ddof=1)
    return Shuffling(*parts, marks.mean(axis=1, dtype=float), marks)


class Gain(NamedTuple):
    """What shuffling adds to the best weights' loss on the held-out images, in nats, seed by seed."""

    shuffles: Interval
    images: Interval


def gain(found: Mapping[str, Shuffling], name: str = "each epoch") -> Gain:
    """The loss of the best weights with shuffling minus that in file order."""
    difference = found[name].marks - found["file"].marks
    return Gain(interval(difference.mean(axis=1)), interval(difference.mean(axis=0)))


def contrast(arms: Mapping[str, Arm], one: str, other: str) -> Interval:
    """By how much the spikes of one arm exceed those of another, nats."""
    return apart(arms[one].size, arms[other].size)


def titles(batch: int) -> dict[str, str]:
    """What the arms are called in the report's figure."""
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


ORDER = "order", "mean", "median", "standard deviation", "held-out images"


def rows(found: Mapping[str, Shuffling]) -> list[tuple[str, ...]]:
    """A table's rows, under ORDER."""
    names = {
        "file": "file order",
        "ten apart": "the ten 3s apart",
        "once": "shuffled once",
        "each epoch": "shuffled each epoch",
    }
    columns = ("mean", "median", "spread", "test")
    return [(title, *(found[name].cell(column) for column in columns)) for name, title in names.items()]
