"""Task 3d: where the training and the validation curves part, and where the validation loss turns.

"After e epochs" means everywhere the weights after the last update of epoch e, of four runs without early
stopping that differ in their shuffles. `python -m study.task3d_overfitting` takes them to 600 epochs, in
some two minutes, into data/long_run.npz.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from assignment1 import arguments
from assignment1.fast.train import train
from assignment1.fast.workers import guarded
from assignment1.mnist import DATA, Dataset, Split, load_mnist
from assignment1.models import Array, Regression, SoftmaxRegression
from study import stored
from study.cache import kept
from study.statistics import Estimate, Interval, estimate, estimate_apart, interval

FILE = DATA / "long_run.npz"
RUNS, EVERY, LAST = 4, 50, 600  # runs kept, epochs between their weights, the last epoch
EPOCHS = (1, 2, 5, 10, 15, 20, 30, 40, 50)  # what the report computes itself
SETTINGS = dict(learning_rate=0.01, batch_size=128, checks_per_epoch=1, train_accuracy_every=None)

Stages = dict[int, list[Regression]]  # after each of some epochs, the model of each run


@kept
def stages(data: Dataset, epochs: Iterable[int] = EPOCHS, runs: int = RUNS) -> Stages:
    """Task 3's run without early stopping, `runs` times: the models after each of `epochs`, in rising order.

    A run is made in parts, from one of `epochs` to the next, and each part has shuffles of its own: the
    seed of the part that ends after epoch e of run r is 1000 r + e.
    """
    ends = list(epochs)

    def one(run: int, train_: Split, validation: Split) -> list[Regression]:
        given, model, passed = Dataset(train_, validation, lambda: validation), SoftmaxRegression(), []
        for start, end in zip([0, *ends], ends, strict=False):
            part = dict(epochs=end - start, seed=1000 * run + end, progress=False)
            model = train(model, given, **SETTINGS | part).last  # type: ignore[arg-type, assignment]
            passed.append(model)
        return passed  # type: ignore[return-value]

    each = Parallel(n_jobs=-1)(delayed(guarded(one))(run, data.train, data.validation) for run in range(runs))
    return {end: list(models) for end, models in zip(ends, zip(*each, strict=True), strict=True)}


class Marks(NamedTuple):
    """What each run makes of each image, (runs, images)."""

    right: NDArray[np.bool_]
    loss: Array  # nats


@kept
def marks(stages: Stages, split: Split) -> dict[int, Marks]:
    """What each model of each stage makes of the images of `split`, by epoch, in the precision of these."""
    models = [model for stage in stages.values() for model in stage]
    w = np.hstack([model.w for model in models]).astype(split.X.dtype)  # one product reads X once for all
    right, loss = np.empty((len(models), len(split.X)), bool), np.empty((len(models), len(split.X)))
    for start in range(0, len(split.X), 2000):  # as many images as the cache holds
        X, Y = split.X[start : start + 2000], split.Y[start : start + 2000]
        for i, z in enumerate(np.hsplit(np.matmul(X, w, order="F"), len(models))):
            right[i, start : start + 2000] = models[i].correct(z, Y)
            loss[i, start : start + 2000] = models[i].cross_entropy(z, Y)
    parts = zip(np.split(right, len(stages)), np.split(loss, len(stages)), strict=True)
    return {epoch: Marks(*part) for epoch, part in zip(stages, parts, strict=True)}


class Gaps(NamedTuple):
    """Training accuracy minus that on other images, after some epochs; the same for the loss, other sign.

    Positive where the training images fare better.
    """

    epochs: Array
    accuracy: Array  # (epochs, runs)
    accuracy_at: dict[int, Estimate]
    loss_at: dict[int, Estimate]  # nats, other images minus training images

    def crossing(self) -> Interval:
        """The epoch at which a run's accuracy gap turns positive, between two of `epochs`: mean over runs.

        NaN for a run whose gap is positive from the start or is not positive at the end.
        """
        return interval([_crossing(self.epochs, gap) for gap in self.accuracy.T])

    def growth(self, start: int, end: int) -> Interval:
        """How much the accuracy gap grows from one of `epochs` to another, over the runs."""
        first, last = (list(self.epochs).index(epoch) for epoch in (start, end))
        return interval(self.accuracy[last] - self.accuracy[first])


def _crossing(epochs: Array, gap: Array) -> float:
    below = np.flatnonzero(gap <= 0)
    if not len(below) or below[-1] == len(gap) - 1:
        return float("nan")
    i = below[-1]
    return float(np.interp(0, gap[i : i + 2], epochs[i : i + 2]))


def gaps(training: Mapping[int, Marks], others: Mapping[int, Marks]) -> Gaps:
    """How the training images fare, compared with others, after each of the epochs."""
    accuracy = {e: estimate_apart(training[e].right, others[e].right) for e in training}
    loss = {e: estimate_apart(others[e].loss, training[e].loss) for e in training}
    runs = [training[e].right.mean(axis=1) - others[e].right.mean(axis=1) for e in training]
    return Gaps(np.array(list(training), float), np.array(runs), accuracy, loss)


class Change(NamedTuple):
    """How accuracy and loss (nats) change from one epoch to another, paired by run and by image."""

    accuracy: Estimate
    loss: Estimate


def change(before: Marks, after: Marks) -> Change:
    """What comes of going on from `before` to `after`: the same runs on the same images."""
    accuracy = after.right.astype(float) - before.right
    return Change(estimate(accuracy), estimate(after.loss - before.loss))


class Turn(NamedTuple):
    """Where the validation loss is lowest when the validation images are drawn again, with replacement."""

    epoch: int  # for the images as they are
    low: int  # 2.5% of the draws have it earlier
    high: int  # 2.5% later
    earliest: int
    latest: int
    draws: int


def turn(loss: Mapping[int, Array], draws: int = 1000, seed: int = 0) -> Turn:
    """The epoch of the lowest loss and its bootstrap (Efron, 1979), from the `loss` (images,) of each."""
    epochs, L = np.array(list(loss)), np.array(list(loss.values()), np.float32)
    rng, n = np.random.default_rng(seed), L.shape[1]
    lowest = np.array(
        [(L @ np.bincount(rng.integers(n, size=n), minlength=n)).argmin() for _ in range(draws)]
    )
    found = epochs[lowest]
    low, high = np.quantile(found, (0.025, 0.975), method="inverted_cdf")
    here = int(epochs[L.mean(axis=1, dtype=float).argmin()])
    return Turn(here, int(low), int(high), int(found.min()), int(found.max()), draws)


def means(found: Mapping[int, Marks]) -> Array:
    """The mean loss over runs and images after each of the epochs, in nats."""
    return np.array([seen.loss.mean() for seen in found.values()])


def curves(gap: Gaps, loss: Mapping[str, Array], epochs: Iterable[int]) -> tuple[Any, ...]:
    """What `figures.parting` draws: the gap, half its interval over images, and both losses."""
    half = gap.accuracy_at[int(gap.epochs[-1])].images
    parts = loss["training"], loss["validation"]
    return [(gap.epochs, gap.accuracy.T)], half, np.array(list(epochs)), *parts


def lowest(found: Mapping[int, Marks]) -> list[int]:
    """Each run's epoch of the lowest mean loss."""
    epochs, loss = list(found), np.array([seen.loss.mean(axis=1) for seen in found.values()])
    return [epochs[i] for i in loss.argmin(axis=0)]


def rows(found: Mapping[str, Mapping[int, Marks]], epochs: Iterable[int]) -> list[tuple[object, ...]]:
    """A table's rows: epochs, and mean loss and mean accuracy on each set of images."""
    return [
        (
            epoch,
            *(f"{seen[epoch].loss.mean():.4f}" for seen in found.values()),
            *(f"{seen[epoch].right.mean():.4f}" for seen in found.values()),
        )
        for epoch in epochs
    ]


def load_long_runs(path: str | Path = FILE) -> Stages:
    """The stored models: of each run, after each 50 epochs. ValueError for another file."""
    W = stored.read(path)["w"]
    models = {EVERY * (i + 1): W[:, i] for i in range(W.shape[1])}
    return {epoch: [SoftmaxRegression().copy(w) for w in each] for epoch, each in models.items()}


def load_long_run(path: str | Path = FILE, run: int = 0) -> dict[int, Regression]:
    """The stored models of one run, 0 to 3, by epoch."""
    run = arguments.whole("run", run, 0, RUNS - 1)
    return {epoch: models[run] for epoch, models in load_long_runs(path).items()}


def distance(a: Sequence[Regression], b: Sequence[Regression]) -> float:
    """The largest difference of two weights, of any run."""
    return max(float(np.abs(one.w - other.w).max()) for one, other in zip(a, b, strict=True))


def main() -> None:
    """Train the runs and write them to FILE, in float32."""
    ends = [*EPOCHS, *range(EPOCHS[-1] + EVERY, LAST + 1, EVERY)]
    found = stages(load_mnist().softmax(np.float32), ends)
    w = np.array([[m.w for m in found[e]] for e in range(EVERY, LAST + 1, EVERY)], np.float32)
    stored.write(FILE, w=np.ascontiguousarray(w.swapaxes(0, 1)))


if __name__ == "__main__":
    main()
