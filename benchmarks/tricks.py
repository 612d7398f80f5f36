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
from assignment1 import SoftmaxRegression, load_mnist, models, sweep, train, training

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
    "argmax only at a tie": 3,
    "five lambdas in stacks": 50,
    "a stack for each worker": 14,
    "not used: small products in halves": -1,
}
ROUNDS, EPOCHS = 3, 8
WORKERS = None
TIMES, PIXELS = models._times, training.Pixels


class AllColumns(PIXELS):
    """Every column is kept, as if its weights were not zero at first."""

    def __init__(self, X, start, shuffle):
        super().__init__(X, np.ones_like(start), shuffle)


def double_accuracies(model, pixels, Y_rows):
    right = 0
    for part in training.blocks(pixels.varying):
        z = model.logits(pixels.take(part, model.w.dtype))
        right = right + model.correct(z, Y_rows[:, part].T[..., None]).sum(axis=0)
    return (right / len(pixels.varying)).tolist()


def by_argmax(z, Y):
    return z.argmax(axis=1) == Y.argmax(axis=1)


def in_halves(M, A, order="C"):
    if len(M) != 128:
        return TIMES(M, A, order)
    return np.concatenate([TIMES(half, A, order) for half in (M[:64], M[64:])])


def changes():
    rule, on, kind = training.EarlyStopping, patch.object, SoftmaxRegression
    this, many = sys.modules[__name__], sys.modules["assignment1.sweep"]
    return {
        "lazy evaluation": lambda: (on(rule, "earliest_stop", lambda self: 1), on(training, "TOGETHER", 1)),
        "without the constant columns": lambda: (on(training, "Pixels", AllColumns),),
        "pixels as whole numbers": lambda: (on(training, "whole", lambda X: (X, 1)),),
        "batches' products in the other order": lambda: (on(models, "SMALL", 0),),
        "classes first in memory": lambda: (
            on(models.Regression, "logits", lambda self, X: TIMES(X, self.w)),
        ),
        "training accuracy in float32": lambda: (on(training, "accuracies", double_accuracies),),
        "training accuracies 32 at a time": lambda: (on(training, "TOGETHER", 100),),
        "losses of steps 16 at a time": lambda: (on(training, "LOGGED", 1),),
        "evaluation in blocks of images": lambda: (on(training, "ROWS", 20_000),),
        "argmax only at a tie": lambda: (on(kind, "correct", staticmethod(by_argmax)),),
        "five lambdas in stacks": lambda: (on(many, "STACK", 1),),
        "a stack for each worker": lambda: (on(this, "WORKERS", 1),),
        "not used: small products in halves": lambda: (on(models, "_times", in_halves),),
    }


def one_run(images):
    settings = dict(learning_rate=0.01, epochs=EPOCHS, seed=0, patience=10, progress=False)
    return [train(SoftmaxRegression(), images, **settings)]


def lambdas(images):
    settings = dict(learning_rate=0.01, epochs=2 * EPOCHS, seed=0, progress=False, workers=WORKERS)
    return sweep(SoftmaxRegression, images, lam=(0.0, 1e-4, 1e-3, 1e-2, 0.1), **settings).values()


WORK = {"five lambdas in stacks": lambdas, "a stack for each worker": lambdas}  # of the others: one_run


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
