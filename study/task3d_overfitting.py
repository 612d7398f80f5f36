"""Task 3d: where the training and the validation curves part, and where the validation loss turns.

"After e epochs" means everywhere the weights after the last update of epoch e, of four runs without early
stopping that differ in their shuffles. `python -m study.task3d_overfitting` takes them to 600 epochs, in
some two minutes, into data/long_run.npz.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from assignment1.fast.engine import Trainer, compact_batches, prepare
from assignment1.fast.evaluation import Evaluation
from assignment1.fast.train import train
from assignment1.mnist import DATA, Dataset, Split, load_mnist
from assignment1.models import Array, Regression, SoftmaxRegression
from assignment1.run import RunInProgress, Settings
from study import stored
from study.cache import kept
from study.statistics import Estimate, blocks, estimate, estimate_apart

FILE = DATA / "long_run.npz"
RUNS = 4
DRAWS = 4000  # of the bootstrap
EVERY = 50  # epochs between the weights that are stored
LAST = 600  # epochs
EPOCHS = (1, 2, 5, 10, 15, 20, 30, 40, 50)  # what the report computes itself

SETTINGS: dict[str, Any] = dict(learning_rate=0.01, epochs=50, train_accuracy_every=None, progress=False)

Stages = dict[int, list[Regression]]  # after each of some epochs, the model of each run
Evaluations = Mapping[int, Evaluation]  # after each of some epochs, `correct` and `loss` are (runs, images)


@kept
def stages(data: Dataset, epochs: Sequence[int] = EPOCHS) -> Stages:
    """Return the models of task 3's run without early stopping, made RUNS times, after each of `epochs`.

    The epochs rise. A run is made in parts, from one of `epochs` to the next, and each part has shuffles of
    its own: the seed of the part that ends after epoch e of run r is 1000 r + e.
    """
    result: Stages = {epoch: [] for epoch in epochs}
    start = SoftmaxRegression()
    settings = Settings(0.01, epochs=1)
    ready = prepare([start], replace(data, validation=data.train), settings)
    for run in range(RUNS):
        trainer = Trainer([RunInProgress(start, settings)], ready)
        before = 0
        for epoch in epochs:
            part = replace(settings, epochs=epoch - before, seed=1000 * run + epoch)
            for X, Y in compact_batches(ready.inputs, ready.Y_rows, part):
                trainer.update(X, Y)
            result[epoch].append(start.copy(ready.inputs.expand(trainer.W)[..., 0]))
            before = epoch
    return result


class Elsewhere(NamedTuple):
    """A model trained on images that task 3 does not use."""

    model: Regression
    gap: float  # its accuracy on these minus that on the other half of them


def elsewhere(data: Dataset) -> list[Elsewhere]:
    """Return the last model of a run on each half of the held-out images, of as many epochs as task 3's."""
    halves = list(map(Split, *(np.split(part, 2) for part in data.test)))
    found = []
    for own, other in (halves, halves[::-1]):
        model = train(SoftmaxRegression(), replace(data, train=own), **SETTINGS).last
        gap = model.accuracy(*own) - model.accuracy(*other)
        found.append(Elsewhere(model, gap))
    return found


class Gaps(NamedTuple):
    """Training accuracy minus that on other images, after some epochs."""

    epochs: Array
    accuracy: Array  # (epochs, runs)
    accuracy_at: dict[int, Estimate]

    def curve(self) -> tuple[Array, Array, Array]:
        """Return the epochs, and the mean gap and half of its 95% interval after each."""
        found = self.accuracy_at.values()
        return self.epochs, np.array([gap.mean for gap in found]), np.array([gap.both for gap in found])


def gaps(training: Evaluations, others: Evaluations) -> Gaps:
    """Compare the accuracy on the training images with that on others, after each of the epochs."""
    accuracy = []
    accuracy_at = {}
    for epoch, own in training.items():
        other = others[epoch]
        accuracy.append(own.correct.mean(axis=1) - other.correct.mean(axis=1))
        accuracy_at[epoch] = estimate_apart(own.correct, other.correct)
    return Gaps(np.array(list(training), float), np.array(accuracy), accuracy_at)


def growth(training: Evaluations, others: Evaluations, start: int, end: int) -> Estimate:
    """Return by how much the gap of the accuracies grows from one epoch to another, of the same runs."""
    grown = [found[end].correct.astype(float) - found[start].correct for found in (training, others)]
    return estimate_apart(*grown)


class Change(NamedTuple):
    """Changes of accuracy and loss (nats) from one epoch to another, paired by run and by image."""

    accuracy: Estimate
    loss: Estimate


def change(before: Evaluation, after: Evaluation) -> Change:
    """Return the change from `before` to `after`, of the same runs on the same images."""
    accuracy = after.correct.astype(float) - before.correct
    return Change(estimate(accuracy), estimate(after.loss - before.loss))


class Turn(NamedTuple):
    """The epoch of the lowest mean loss, and what it is when runs and images are drawn with replacement."""

    epoch: int  # for the runs and the images as they are
    shares: dict[int, float]  # the share of the draws by their epoch of the lowest loss, by rising epoch
    rise: float  # to the higher of the mean losses one of the epochs sooner and later, in nats


def turn(found: Evaluations) -> Turn:
    """Return the epoch of the lowest loss and its bootstrap (Efron, 1979), of runs and blocks of images.

    The epochs are those of `found`, so that no minimum between them is seen.
    """
    epochs = list(found)
    L = blocks(np.array([seen.loss for seen in found.values()]))
    _, runs, n = L.shape
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(DRAWS):
        some = L[:, rng.integers(runs, size=runs)].sum(axis=1)
        counts = np.bincount(rng.integers(n, size=n), minlength=n)
        drawn.append(epochs[(some @ counts).argmin()])
    lowest, times = np.unique(drawn, return_counts=True)
    shares = dict(zip(lowest.tolist(), (times / DRAWS).tolist(), strict=True))
    loss = means(found)
    here = loss.argmin()
    rise = loss[max(here - 1, 0) : here + 2].max() - loss[here]
    return Turn(epochs[here], shares, float(rise))


def lowest(found: Evaluations) -> list[int]:
    """Return the epoch after which the mean loss of each run is lowest."""
    epochs = list(found)
    losses = np.array([seen.loss.mean(axis=1) for seen in found.values()])
    return [epochs[at] for at in losses.argmin(axis=0)]


def means(found: Evaluations) -> Array:
    """Return the mean loss over runs and images after each of the epochs, in nats."""
    return np.array([seen.loss.mean() for seen in found.values()])


def load_long_runs() -> Stages:
    """Return the stored models of each run, after each 50 epochs; raise ValueError for another file."""
    by_epoch = stored.read(FILE)["w"].swapaxes(0, 1)
    result: Stages = {}
    for i, weights in enumerate(by_epoch, 1):
        result[EVERY * i] = [SoftmaxRegression().copy(w) for w in weights]
    return result


def distance(a: Sequence[Regression], b: Sequence[Regression]) -> float:
    """Return the largest difference of two weights, of any run."""
    difference = np.subtract([model.w for model in a], [model.w for model in b])
    return float(np.abs(difference).max())


def main() -> None:
    """Train the runs and write them to FILE, in float32."""
    stops = range(EVERY, LAST + 1, EVERY)  # the first is the last of EPOCHS
    found = stages(load_mnist().softmax(np.float32), [*EPOCHS, *stops[1:]])
    w = np.array([[model.w for model in found[epoch]] for epoch in stops], np.float32)
    stored.write(FILE, w=w.swapaxes(0, 1))


if __name__ == "__main__":
    main()
