"""Task 4c: why the accuracy of the run with lambda = 1 swings from check to check."""

from collections.abc import Iterator
from functools import partial
from itertools import islice, repeat
from typing import NamedTuple

import numpy as np
from scipy.sparse.linalg import eigsh

from assignment1.fast.evaluation import evaluate
from assignment1.mnist import Dataset, Split
from assignment1.models import Ints, Regression, SoftmaxRegression
from study.cache import kept
from study.mean_image import centred, moved_origin
from study.optima import Objective
from study.task4d_penalty import Late, late

RATE = 0.01  # task 4's learning rate
BATCH = 128
CHECKS = 12
EVERY = 31  # updates from check to check
Rows = Ints | slice


class Curvature(NamedTuple):
    """The direction of largest curvature of J."""

    largest: float  # the curvature, nats per squared unit of the weights
    along_mean: float  # the share of the direction's squared norm that lies along the mean image


@kept
def arms(start: SoftmaxRegression, data: Dataset) -> dict[str, Late]:
    """Return the last CHECKS validation accuracies when training goes on from `start`, in five ways.

    "as in task 4c", batches are random; "mean image subtracted" differs in the inputs alone, "a tenth of the
    rate" in the learning rate, "equal shares" in that each batch has the digits in the shares of all training
    images. The first three checks are left out. "all images" makes each update from all of them, is checked
    after each update, and leaves out as many checks as it keeps.
    """
    rng = np.random.default_rng(0)
    labels = data.train.Y.argmax(axis=1)
    train = partial(follow, start, data.train)
    inputs = centred(data)
    same = moved_origin(start, data.train)
    usual, again = (shuffled(len(labels), np.random.default_rng(0)) for _ in range(2))
    ways = {
        "as in task 4c": train(RATE, usual),
        "mean image subtracted": follow(same, inputs.train, RATE, again),
        "a tenth of the rate": train(RATE / 10, shuffled(len(labels), rng)),
        "equal shares": train(RATE, in_shares(labels, rng)),
        "all images": train(RATE, repeat(slice(None)), every=1),
    }
    result = {}
    for name, passed in ways.items():
        settled = CHECKS if name == "all images" else 3
        models = list(islice(passed, settled, settled + CHECKS))
        validation = inputs.validation if "subtracted" in name else data.validation
        accuracy = evaluate(models, validation).correct.mean(axis=1)
        result[name] = late(accuracy, CHECKS)
    return result


def follow(
    model: Regression, data: Split, rate: float, batches: Iterator[Rows], every: int = EVERY
) -> Iterator[Regression]:
    """Yield the model after every `every`-th update, one from each batch of rows."""
    for update, rows in enumerate(batches, 1):
        w = model.w - rate * model.gradient(data.X[rows], data.Y[rows])
        model = model.copy(w.astype(data.X.dtype))
        if update % every == 0:
            yield model


def shuffled(images: int, rng: np.random.Generator) -> Iterator[Rows]:
    """Yield the batches of an order that is drawn anew in each epoch, without end."""
    while True:
        order = rng.permutation(images)
        for start in range(0, images - BATCH + 1, BATCH):
            yield order[start : start + BATCH]


def in_shares(labels: Ints, rng: np.random.Generator) -> Iterator[Rows]:
    """Yield batches with the same number of each digit, as near as can be to its share of all images."""
    exact = np.bincount(labels) / len(labels) * BATCH
    counts = np.floor(exact).astype(int)
    most_lacking = np.argsort(counts - exact)[: BATCH - counts.sum()]
    counts[most_lacking] += 1
    members = [np.flatnonzero(labels == k) for k in range(len(counts))]
    while True:
        drawn = []
        for images, count in zip(members, counts, strict=True):
            drawn.append(rng.choice(images, count, replace=False))
        yield np.concatenate(drawn)


def curvature(model: SoftmaxRegression, data: Split) -> Curvature:
    """Return the largest eigenvalue of J's Hessian at the weights of `model`, on the first 5,000 images.

    Gradient descent on all images is stable up to a learning rate of 2 over this number.
    """
    X = data.X[:5000]
    J = Objective(X, data.Y[:5000], model.lam)
    v0 = np.random.default_rng(0).normal(size=model.w.size)
    values, vectors = eigsh(J.hessian(model.w), k=1, tol=1e-2, v0=v0)
    direction = vectors.reshape(model.w.shape)  # of norm 1
    mean = X.mean(axis=0)
    along = mean @ direction / np.linalg.norm(mean)
    share = np.square(along).sum()
    return Curvature(values[0], share)


def lead(model: Regression, data: Split) -> float:
    """Return the median, over images, of the largest logit minus the second largest."""
    z = np.sort(model.logits(data.X), axis=1)
    difference = z[:, -1] - z[:, -2]
    return float(np.median(difference))
