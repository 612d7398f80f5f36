"""What each trick of the training buys: the same run with it and without it, in turns."""

from contextlib import ExitStack, nullcontext
from time import perf_counter
from unittest.mock import patch

import kernels  # noqa: F401

import numpy as np

from assignment1 import SoftmaxRegression, load_mnist, train
from assignment1.fast import engine, evaluation
from assignment1.fast.engine import CompactInputs

ROUNDS = 3
SETTINGS = dict(learning_rate=0.01, epochs=50, seed=0, patience=10, progress=False)


def all_columns(X, start, shuffle):
    """Return the inputs with every column kept, as if its weights were not zero at first."""
    return CompactInputs(X, np.ones_like(start), shuffle)


change = patch.object
TRICKS = {  # how many times as long a run takes without one, as predicted; the changes that remove it
    "lazy evaluation": (2.80, change(engine, "DEFERRED", 1)),
    "evaluation in a second thread": (1.25, change(engine, "second_thread", nullcontext)),
    "without the constant columns": (1.11, change(engine, "CompactInputs", all_columns)),
    "pixels as whole numbers": (1.09, change(engine, "as_whole_numbers", lambda X: (X, 1))),
    "batches' products in the other order": (1.10, change(evaluation, "SMALL", 0)),
    "classes first in memory": (
        1.06,
        change(engine, "logits", evaluation.product),
        change(evaluation, "logits", evaluation.product),
    ),
    "training accuracy in float32": (1.09, change(engine, "ROUGH", np.float64)),
    "training accuracies 32 at a time": (1.04, change(engine, "DEFERRED", 100)),
    "losses of steps 16 at a time": (1.08, change(engine, "LOGGED", 1)),
    "evaluation in blocks of images": (1.02, change(evaluation, "ROWS", 20_000)),
}


def measure(data, removal=()):
    """Return the seconds of a run under some changes of the code, and its validation losses."""
    with ExitStack() as stack:
        for removed in removal:
            stack.enter_context(removed)
        start = perf_counter()
        run = train(SoftmaxRegression(), data, **SETTINGS)
        return perf_counter() - start, run.history.validation_loss


def compare(data, removal):
    """Return how many times as long the run takes without a trick, by rounds; the losses must agree."""
    _, expected = measure(data)
    ratios = []
    for _ in range(ROUNDS):
        seconds, _ = measure(data)
        without, losses = measure(data, removal)
        np.testing.assert_allclose(losses, expected, rtol=1e-8)
        ratios.append(round(without / seconds, 3))
    return ratios


def compare_all():
    """Return what each trick buys, as predicted and as measured."""
    data = load_mnist().softmax()
    found = {}
    for name, (predicted, *removal) in TRICKS.items():
        found[name] = dict(predicted=predicted, ratios=compare(data, removal))
        print(f"  {name}: {found[name]}", flush=True)
    return found
