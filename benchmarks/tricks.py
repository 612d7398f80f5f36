"""What each trick of the training buys: the same work with it and without it, in turns; JSON on stdout.

`PREDICTED` was written before the first measurement: how much longer (in %) the run takes without a trick
that is in use, or how much shorter with one that is not.
"""

import json
import sys
import time
from contextlib import ExitStack
from unittest.mock import patch

import numpy as np

from assignment1 import SoftmaxRegression, load_mnist, sweep, train
from assignment1.fast import engine, evaluation

PREDICTED = {
    "lazy evaluation": 180,
    "without the constant columns": 11,
    "pixels as whole numbers": 9,
    "batches' products in the other order": 10,
    "classes first in memory": 6,
    "training accuracy in float32": 9,
    "training accuracies 32 at a time": 4,
    "losses of steps 16 at a time": 8,
    "evaluation in blocks of images": 2,
    "five lambdas trained together": 50,
    "at least one job for each worker": 14,
}
ROUNDS, EPOCHS = 3, 8
WORKERS = None
COMPACT = engine.CompactInputs


class AllColumns(COMPACT):
    """Every column is kept, as if its weights were not zero at first."""

    def __init__(self, X, start, shuffle):
        super().__init__(X, np.ones_like(start), shuffle)


def double_accuracies(kind, W, inputs, Y_rows):
    right = 0
    for part in evaluation.blocks(inputs.varying):
        z = evaluation.logits(inputs.take(part, W.dtype), W)
        right = right + kind.correct(z, Y_rows[:, part].T[..., None]).sum(axis=0)
    return (right / len(inputs.varying)).tolist()


def changes():
    on, this, many = patch.object, sys.modules[__name__], sys.modules["assignment1.sweep"]
    return {
        "lazy evaluation": lambda: (
            on(engine.RunInProgress, "checks_to_come", lambda self: 1),
            on(engine, "DEFERRED", 1),
        ),
        "without the constant columns": lambda: (on(engine, "CompactInputs", AllColumns),),
        "pixels as whole numbers": lambda: (on(engine, "as_whole_numbers", lambda X: (X, 1)),),
        "batches' products in the other order": lambda: (on(evaluation, "SMALL", 0),),
        "classes first in memory": lambda: (
            on(engine, "logits", evaluation.product),
            on(evaluation, "logits", evaluation.product),
        ),
        "training accuracy in float32": lambda: (on(engine, "training_accuracies", double_accuracies),),
        "training accuracies 32 at a time": lambda: (on(engine, "DEFERRED", 100),),
        "losses of steps 16 at a time": lambda: (on(engine, "LOGGED", 1),),
        "evaluation in blocks of images": lambda: (on(evaluation, "ROWS", 20_000),),
        "five lambdas trained together": lambda: (on(many, "TOGETHER", 1),),
        "at least one job for each worker": lambda: (on(this, "WORKERS", 1),),
    }


def one_run(images):
    settings = dict(learning_rate=0.01, epochs=EPOCHS, seed=0, patience=10, progress=False)
    return [train(SoftmaxRegression(), images, **settings)]


def lambdas(images):
    settings = dict(learning_rate=0.01, epochs=2 * EPOCHS, seed=0, progress=False, workers=WORKERS)
    return sweep(SoftmaxRegression, images, lam=(0.0, 1e-4, 1e-3, 1e-2, 0.1), **settings).values()


WORK = {
    "five lambdas trained together": lambdas,
    "at least one job for each worker": lambdas,
}  # of the others: one_run


def seconds(work, images, patches):
    with ExitStack() as stack:
        for change in patches:
            stack.enter_context(change)
        start = time.perf_counter()
        runs = work(images)
        elapsed = time.perf_counter() - start
    return elapsed, np.concatenate([run.history.validation_loss for run in runs])


def main():
    images, rows = load_mnist().softmax(), {}
    for name, change in changes().items():
        work, ratios = WORK.get(name, one_run), []
        _, expected = seconds(work, images, ())
        for _ in range(ROUNDS):
            plain, _ = seconds(work, images, ())
            changed, losses = seconds(work, images, change())
            np.testing.assert_allclose(losses, expected, rtol=1e-8)
            ratios.append(changed / plain)
        rows[name] = dict(predicted=PREDICTED[name], ratios=[round(ratio, 3) for ratio in ratios])
        print(name, rows[name], file=sys.stderr, flush=True)
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
