"""What each trick of the training buys: the same work with it and without it, in turns; JSON on stdout.

`PREDICTED` was written before the first measurement: how much longer (in %) the run takes without a trick
that is in use, or how much shorter with one that is not.
"""

import json
import sys
import time
from contextlib import ExitStack
from functools import partialmethod
from unittest.mock import patch

import numpy as np
from assignment1 import LogisticRegression, SoftmaxRegression, load_mnist, models, sweep, train, training

PREDICTED = {
    "lazy evaluation": 180,
    "gather into a buffer": 95,
    "training accuracy in float32": 9,
    "classes first in memory": 6,
    "training accuracies 64 at a time": 4,
    "losses of steps 16 at a time": 8,
    "evaluation in blocks of images": 2,
    "five lambdas in one stack": 100,
    "five seeds side by side": 38,
    "not used: pixels gathered as bytes": -8,
    "not used: gradient in kept buffers": -2,
    "not used: argmax only at a tie": -3,
    "not used: small products in halves": -6,
}
ROUNDS, EPOCHS = 3, 8
TIMES = models._times


def gather_anew(self):
    for start in range(0, len(self.X) - self.plan.batch_size + 1, self.plan.batch_size):
        rows = self.orders[0][start : start + self.plan.batch_size]
        yield self.X[rows], self.Y_rows.take(rows, axis=1).T[..., None]
    self.reorder()


def gather_bytes(self, pixels):
    batch = np.ones((self.plan.batch_size, self.X.shape[1]))
    small = np.empty((self.plan.batch_size, self.X.shape[1] - 1), np.uint8)
    for start in range(0, len(self.X) - self.plan.batch_size + 1, self.plan.batch_size):
        rows = self.orders[0][start : start + self.plan.batch_size]
        np.take(pixels, rows, axis=0, out=small, mode="clip")
        np.multiply(small, 2 / 255, out=batch[:, :-1])
        batch[:, :-1] -= 1
        yield batch, self.Y_rows.take(rows, axis=1).T[..., None]
    self.reorder()


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


def in_halves(M, A):
    rows, m = A.T.reshape(-1, len(A)), len(M)
    if M.ndim == 3 or not 1e6 < rows.size * m <= 2e6:
        return TIMES(M, A)
    out = np.empty((len(rows), m), M.dtype)  # OpenBLAS packs nothing for products of up to a million
    for half in (slice(m // 2), slice(m // 2, m)):
        np.matmul(rows, M[half].T, out=out[:, half])
    return out.reshape(*A.T.shape[:-1], m).T


def kept_buffers():
    penalty, gradient = np.empty((1, 10, 785)), np.empty((1, 10, 785))

    def gradient_at(self, X, Y, z):
        D = ((self.activation(z) - Y) / len(X)).T.reshape(-1, len(X))
        np.matmul(D, X, out=gradient[0])
        np.multiply(self.w.T, 2 * self.lam[0], out=penalty)
        return np.add(gradient, penalty, out=gradient).T

    return (patch.object(models.Regression, "gradient_at", gradient_at),)


def changes(mnist):
    pixels = mnist.train_images[:20_000].reshape(20_000, 784)
    rule, on, kind = training.EarlyStopping, patch.object, SoftmaxRegression
    many = sys.modules["assignment1.sweep"]
    return {
        "lazy evaluation": lambda: (on(rule, "earliest_stop", lambda self: 1), on(training, "SCORED", 1)),
        "gather into a buffer": lambda: (on(training.Batches, "epoch", gather_anew),),
        "training accuracy in float32": lambda: (on(training, "accuracies", double_accuracies),),
        "classes first in memory": lambda: (on(models, "_times", examples_first),),
        "losses of steps 16 at a time": lambda: (on(training, "LOGGED", 1),),
        "training accuracies 64 at a time": lambda: (on(training, "SCORED", 100),),
        "not used: argmax only at a tie": lambda: (on(kind, "correct", staticmethod(by_margin)),),
        "evaluation in blocks of images": lambda: (on(training, "ROWS", 20_000),),
        "five lambdas in one stack": lambda: (on(many, "STACK", 1),),
        "five seeds side by side": lambda: (on(many, "SEEDS", 1),),
        "not used: pixels gathered as bytes": lambda: (
            on(training.Batches, "epoch", partialmethod(gather_bytes, pixels)),
        ),
        "not used: gradient in kept buffers": kept_buffers,
        "not used: small products in halves": lambda: (on(models, "_times", in_halves),),
    }


def one_run(images, digits):
    settings = dict(learning_rate=0.01, epochs=EPOCHS, seed=0, patience=10, progress=False)
    return [train(SoftmaxRegression(), images, **settings)]


def lambdas(images, digits):
    settings = dict(learning_rate=0.01, epochs=EPOCHS // 4, seed=0, progress=False, workers=1)
    return sweep(SoftmaxRegression, images, lam=(0.0, 1e-4, 1e-3, 1e-2, 0.1), **settings).values()


def seeds(images, digits):
    settings = dict(learning_rate=0.05, epochs=EPOCHS, progress=False, workers=1)
    return sweep(LogisticRegression, digits, seed=range(10), **settings).values()


WORK = {"five lambdas in one stack": lambdas, "five seeds side by side": seeds}  # of the others: one_run


def seconds(work, data, patches):
    with ExitStack() as stack:
        for change in patches:
            stack.enter_context(change)
        start = time.perf_counter()
        runs = work(*data)
        elapsed = time.perf_counter() - start
    return elapsed, np.concatenate([run.history.validation_loss for run in runs])


def main():
    mnist = load_mnist()
    data, rows = (mnist.softmax(), mnist.binary(2, 3)), {}
    for name, change in changes(mnist).items():
        work, ratios = WORK.get(name, one_run), []
        _, expected = seconds(work, data, ())
        for _ in range(ROUNDS):
            plain, _ = seconds(work, data, ())
            changed, losses = seconds(work, data, change())
            np.testing.assert_allclose(losses, expected, rtol=1e-8)
            ratios.append(changed / plain)
        rows[name] = dict(predicted=PREDICTED[name], ratios=[round(ratio, 3) for ratio in ratios])
        print(name, rows[name], file=sys.stderr, flush=True)
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
