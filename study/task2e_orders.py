"""Task 2e: experiments on the order of the training images. Batches are numbered from 1."""

from itertools import chain, islice
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed

from assignment1.fast.workers import guarded
from assignment1.mnist import Dataset, Split
from assignment1.models import Array, Ints
from study.cache import kept
from study.mean_image import centred
from study.task2e_spikes import BATCH, RATE, Few, batches, losses, slant, weights


class Order(NamedTuple):
    """An order of the training images, and the batch in which the spikes are then expected."""

    rows: Ints  # (N,), of the file's order
    batch: int


EPOCHS = 10
LATE = 3  # the last epochs, in which the spikes are measured
ARMS = {  # the names of the arms in the report's figure: which images, then what else
    "file": "file order",
    "ten": "the ten apart",
    "other ten": "ten random ones of batch {} apart",
    "together": "the ten together, elsewhere",
    "same slant": "exchanged for ones of the same slant",
    "upright": "exchanged for costly upright ones",
    "shuffled": "in a random order",
    "half": "half the learning rate",
    "centred": "mean image subtracted",
}
DOSES = (1, 3, 5, 20)  # how many of the costliest 3s are moved, beside ten
ALIKE = 30  # 3s of nearly the same slant, of which one is drawn


def exchange(inside: Ints, outside: Ints, count: int) -> Ints:
    """Return the numbers 0 to count - 1, where those `inside` have changed places with those `outside`."""
    rows = np.arange(count)
    rows[inside] = outside
    rows[outside] = inside
    return rows


def orders(data: Split, batch: int, each: list[Few], arm: str, seed: int) -> Order:
    """Return the file's order with some 3s moved; `each` are the costliest 3s of every batch.

    The 3s change places with others of complete batches, so that every batch keeps its numbers of digits:

    - "ten": the ten costliest of `batch`, with random ones of other batches;
    - a number: so many of the costliest of `batch`, likewise;
    - "other ten": ten random ones of `batch` but for the costliest ten, likewise;
    - "together": the ten costliest of `batch`, with ten that are together in another;
    - "same slant": the ten, each with one of nearly its slant;
    - "upright": the ten, with the ten costliest of other batches that lean less than the average 3.

    Only "shuffled" is a random order of all images.
    """
    rng = np.random.default_rng(seed)
    N = len(data.X)
    if arm == "shuffled":
        return Order(rng.permutation(N), batch)
    complete = N // BATCH
    place = np.arange(N) // BATCH + 1
    mine = place == batch
    three = data.Y[:, 0] == 0
    three &= place <= complete
    costliest = each[batch - 1]
    inside = costliest.rows
    free = three & ~mine
    expected = batch
    if arm.isdecimal():
        twenty = np.append(costliest.rows, costliest.next_rows)
        inside = twenty[: int(arm)]
    if arm == "other ten":
        rest = np.setdiff1d(np.flatnonzero(mine & three), inside)
        inside = rng.choice(rest, len(inside), replace=False)
    if arm == "together":
        far = three & (abs(place - batch) > 1)
        expected = rng.choice(np.unique(place[far]))
        free = three & (place == expected)
    candidates = np.flatnonzero(free)
    if arm == "same slant":
        outside = alike(slant(data.X), inside, candidates, rng)
    elif arm == "upright":
        outside = uprights(data, batch, each)
    else:
        outside = rng.choice(candidates, len(inside), replace=False)
    rows = exchange(inside, outside, N)
    return Order(rows, expected)


def uprights(data: Split, batch: int, each: list[Few]) -> Ints:
    """Return the ten costliest 3s of complete batches but `batch` that lean less than the average 3."""
    three = data.Y[:, 0] == 0
    ordinary = slant(data.X[three]).mean()
    others = [few for number, few in enumerate(each, 1) if number != batch]
    places = np.concatenate([few.rows for few in others])
    costs = np.concatenate([few.cost for few in others])
    upright = slant(data.X[places]) < ordinary
    places = places[upright]
    costliest = np.argsort(-costs[upright])
    ten = len(each[batch - 1].rows)
    return places[costliest[:ten]]


def alike(lean: Array, inside: Ints, free: Ints, rng: np.random.Generator) -> Ints:
    """Return one of the `free` images for each of those `inside`, drawn among those of the nearest slant."""
    drawn: list[int] = []
    for image in inside:
        left = np.setdiff1d(free, drawn)
        apart = abs(lean[left] - lean[image])
        nearest = left[np.argsort(apart)[:ALIKE]]
        drawn.append(rng.choice(nearest))
    return np.array(drawn)


def reordered(split: Split, rows: Ints) -> Split:
    """Return the same images in another order."""
    return Split(split.X[rows], split.Y[rows])


def spike(order: Order, data: Split, validation: Split, slower: int = 1) -> tuple[float, int]:
    """Train in an order of `data`; return the size of the spikes in the last epochs, and their batch.

    The size, in nats, is the largest validation loss of an epoch minus its median, mean over epochs. The
    batch is the one that raises the loss most, on average. A learning rate that is `slower` so many times
    has as many times the epochs.
    """
    data = reordered(data, order.rows)
    epochs = LATE * slower
    late = epochs * len(batches(data))
    w = weights(data, EPOCHS * slower, RATE / slower)
    loss = losses(w[:, -late - 1 :], validation)
    rise = np.diff(loss).reshape(epochs, -1)
    by_epoch = loss[1:].reshape(epochs, -1)
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


class Trial(NamedTuple):
    """A run of the experiment: an order of the training images, the images, and how many times slower."""

    order: Order
    train: Split
    validation: Split
    slower: int = 1


def trials(data: Dataset, batch: int, each: list[Few], seeds: int) -> dict[str, list[Trial]]:
    """Return the trials of each arm: as many as `seeds`, half of them for a dose, one without a seed."""
    images = (data.train, data.validation)
    file = Order(np.arange(len(data.train.X)), batch)
    moved = centred(data)
    centre = (moved.train, moved.validation)
    tried = {
        "file": [Trial(file, *images)],
        "half": [Trial(file, *images, 2)],
        "centred": [Trial(file, *centre)],
    }
    seeded = [arm for arm in ARMS if arm not in tried]
    count = dict.fromkeys(seeded, seeds) | {"upright": 1}
    count |= dict.fromkeys(map(str, DOSES), seeds // 2)
    for arm, number in count.items():
        tried[arm] = []
        for seed in range(number):
            order = orders(data.train, batch, each, arm, seed)
            tried[arm].append(Trial(order, *images))
    return tried


@kept
def intervene(data: Dataset, batch: int, each: list[Few], seeds: int) -> dict[str, Arm]:
    """Train in each of the ARMS' ways and with each of the DOSES, as `trials` has them; seeds: 2 or more."""
    tried = trials(data, batch, each, seeds)
    one = delayed(guarded(spike))
    work = chain(*tried.values())
    spikes = iter(Parallel(n_jobs=-1)(one(*trial) for trial in work))
    arms = {}
    for arm, runs in tried.items():
        size, found = zip(*islice(spikes, len(runs)), strict=True)
        expected = [trial.order.batch for trial in runs]
        arms[arm] = Arm(np.array(size), np.array(found), np.array(expected))
    return arms


def titles(batch: int) -> dict[str, str]:
    """Return the names of the arms in the report's figure."""
    return {arm: title.format(batch) for arm, title in ARMS.items()}
