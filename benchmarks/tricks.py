"""What each trick of the training buys: the same run with it and without it, in turns; JSON on stdout.

`PREDICTED` was written before the first measurement: how much longer (in %) the run takes without a trick
that is in use, or how much shorter with one that is not.
"""

import json
import sys
import time
from contextlib import ExitStack
from functools import partial
from unittest.mock import patch

import numpy as np
from assignment1 import SoftmaxRegression, load_mnist, models, train, training

PREDICTED = {
    "lazy evaluation": 180,
    "gather into a buffer": 95,
    "small products in halves": 6,
    "training accuracy in float32": 9,
    "classes first in memory": 6,
    "training accuracies 64 at a time": 4,
    "losses of steps 16 at a time": 8,
    "evaluation in blocks of images": 2,
    "not used: pixels gathered as bytes": -8,
    "not used: gradient in kept buffers": -2,
    "not used: argmax only at a tie": -3,
}
ROUNDS, EPOCHS = 3, 8


def gather_anew(X, Y_rows, plan):
    order, rng, size = np.arange(len(X)), np.random.default_rng(plan.seed), plan.batch_size
    while True:
        rng.shuffle(order)
        for start in range(0, len(X) - size + 1, size):
            rows = order[start : start + size]
            yield X[rows], Y_rows.take(rows, axis=1).T[..., None]


def gather_bytes(pixels, X, Y_rows, plan):
    order, rng, size = np.arange(len(X)), np.random.default_rng(plan.seed), plan.batch_size
    batch = np.ones((size, X.shape[1]))
    small = np.empty((size, X.shape[1] - 1), np.uint8)
    while True:
        rng.shuffle(order)
        for start in range(0, len(X) - size + 1, size):
            rows = order[start : start + size]
            np.take(pixels, rows, axis=0, out=small, mode="clip")
            np.multiply(small, 2 / 255, out=batch[:, :-1])
            batch[:, :-1] -= 1
            yield batch, Y_rows.take(rows, axis=1).T[..., None]


def double_accuracies(model, X, Y_rows):
    right = 0
    for part in training.blocks(X):
        right = right + model.correct(model.logits(X[part]), Y_rows[:, part].T[..., None]).sum(axis=0)
    return (right / len(X)).tolist()


def examples_first(M, A):
    rows = A.T.reshape(-1, len(A))
    return np.ascontiguousarray((rows @ M.T).reshape(*A.T.shape[:-1], -1).T)


def by_margin(z, Y):
    margin = SoftmaxRegression.margin(z, Y)
    return margin > 0 if margin.all() else z.argmax(axis=1) == Y.argmax(axis=1)


def kept_buffers():
    penalty, gradient = np.empty((1, 10, 785)), np.empty((1, 10, 785))

    def gradient_at(self, X, Y, z):
        D = ((self.activation(z) - Y) / len(X)).T.reshape(-1, len(X))
        for half in (slice(392), slice(392, 785)):
            np.matmul(D, X[:, half], out=gradient[0][:, half])
        np.multiply(self.w.T, 2 * self.lam[0], out=penalty)
        return np.add(gradient, penalty, out=gradient).T

    return (patch.object(models.Regression, "gradient_at", gradient_at),)


def changes(mnist):
    pixels = mnist.train_images[:20_000].reshape(20_000, 784)
    rule, on, kind = training.EarlyStopping, patch.object, SoftmaxRegression
    return {
        "lazy evaluation": lambda: (on(rule, "earliest_stop", lambda self: 1), on(training, "SCORED", 1)),
        "gather into a buffer": lambda: (on(training, "batches", gather_anew),),
        "small products in halves": lambda: (on(models, "SMALL", 0),),
        "training accuracy in float32": lambda: (on(training, "accuracies", double_accuracies),),
        "classes first in memory": lambda: (on(models, "_times", examples_first),),
        "losses of steps 16 at a time": lambda: (on(training, "LOGGED", 1),),
        "training accuracies 64 at a time": lambda: (on(training, "SCORED", 100),),
        "not used: argmax only at a tie": lambda: (on(kind, "correct", staticmethod(by_margin)),),
        "evaluation in blocks of images": lambda: (on(training, "ROWS", 20_000),),
        "not used: pixels gathered as bytes": lambda: (
            on(training, "batches", partial(gather_bytes, pixels)),
        ),
        "not used: gradient in kept buffers": kept_buffers,
    }


def seconds(images, patches):
    with ExitStack() as stack:
        for change in patches:
            stack.enter_context(change)
        start = time.perf_counter()
        settings = dict(learning_rate=0.01, epochs=EPOCHS, seed=0, patience=10, progress=False)
        run = train(SoftmaxRegression(), images, **settings)
        return time.perf_counter() - start, run.history.validation_loss


def main():
    mnist = load_mnist()
    images, rows = mnist.softmax(), {}
    _, expected = seconds(images, ())
    for name, change in changes(mnist).items():
        ratios = []
        for _ in range(ROUNDS):
            plain, _ = seconds(images, ())
            changed, losses = seconds(images, change())
            np.testing.assert_allclose(losses, expected, rtol=1e-8)
            ratios.append(changed / plain)
        rows[name] = dict(predicted=PREDICTED[name], ratios=[round(ratio, 3) for ratio in ratios])
        print(name, rows[name], file=sys.stderr, flush=True)
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
