"""The training of `assignment1.training.gradient_descent`, faster: the same numbers, but for rounding.

The ladder, from the plain loop up. Each line is one idea, with how many times as long the run takes without
it alone (`make bench PARTS=tricks`; the machine is noisy, and benchmarks/README.md says how and why):

    2.63  lazy evaluation: the weights of several checks are evaluated in one product, once a run could stop
    1.77  without the constant columns: one column stands for the 89 inputs that never vary
    1.29  pixels as whole numbers: a quarter of the bytes to gather
    1.22  classes first in memory: element-wise work runs along the images, not along ten classes
    1.14  training accuracy in float32: half the time; near ties are decided in float64
    1.10  training accuracies 32 at a time: nothing waits for them
    1.05  losses of steps 16 at a time: nothing waits for them either
    1.04  batches' products in the other order: small products are faster so, and are then turned
    1.04  evaluation in blocks of images: their logits stay in the cache

Runs that differ in the penalty and the learning rate alone can be trained together, on the same batches:
their weights are one array W (785, K, R) with an axis of R runs, and each product serves them all. Apart, the
runs of a sweep over five lambdas took 1.3 to 1.45 times as long.
"""

from collections.abc import Iterator, Sequence
from itertools import compress
from threading import Event
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from assignment1 import arguments
from assignment1.fast.evaluation import blocks, logits, margin, measured, product
from assignment1.mnist import Dataset
from assignment1.models import Array, LogisticRegression, Regression, SoftmaxRegression
from assignment1.progress import interrupt, progress
from assignment1.run import EarlyStopping, Log, Run, Settings
from assignment1.training import orders, trainable

METHODS = [name for name in vars(Regression) if not name.startswith("_")]
DEFERRED = 320  # outputs, of all the weights evaluated in one product, at most: more gain little
LOGGED = 16  # steps whose losses are computed together


def written(kind: type) -> list[Any]:
    """Return what the fast way takes for granted of a kind of model: its methods, and whether K is 1."""
    return [getattr(kind, "K", None) == 1, *(getattr(kind, name, None) for name in METHODS)]


KNOWN = [written(LogisticRegression), written(SoftmaxRegression)]  # as they are now, whoever replaces them


def suits(model: Regression) -> bool:
    """Return whether the fast way trains a model as the plain way does: no method is another's.

    The work of some is done otherwise here, and the rest are given logits (N, K, R).
    """
    return written(type(model)) in KNOWN and vars(model).keys().isdisjoint(METHODS)


def fast_descent(
    models: Sequence[Regression],
    data: Dataset,
    settings: Sequence[Settings],
    *,
    shown: bool,
    stop: Event | None = None,
) -> list[Run | None]:
    """Train a copy of each model as `gradient_descent` does, all on the same batches.

    The models are of one kind; their settings differ in the learning rate at most. Returns a run for each
    model, or None if it diverged, and raises the other errors of `gradient_descent`.
    """
    data = trainable(models[0], data, settings[0])
    runs = list(map(RunInProgress, models, settings))
    trainer = Trainer(runs, data)
    per_epoch = len(data.train.X) // settings[0].batch_size
    check_every = max(per_epoch // settings[0].checks_per_epoch, 1)
    with interrupt(stop) as stop, progress(settings[0].epochs, "epoch", shown) as advance:
        for step, (X, Y) in enumerate(compact_batches(trainer.inputs, trainer.Y_rows, settings[0])):
            trainer.update(X, Y)
            if step % check_every == 0:
                trainer.check(step)
            if (step + 1) % per_epoch == 0:
                advance()
            if not trainer.live or stop.is_set():
                break
        trainer.finish()
        return [run.result(per_epoch, stop.is_set()) for run in runs]


class RunInProgress:
    """One of the runs that are trained together, and what it has measured so far."""

    def __init__(self, model: Regression, settings: Settings) -> None:
        self.model = model
        self.settings = settings
        self.stopping = EarlyStopping(settings.patience)
        self.log = Log()
        self.best = self.last = model.w

    def take(self, step: int, w: Array, loss: float, accuracy: float) -> None:
        """Take the evaluation of one more check, of the weights `w` (785, K)."""
        self.log.step.append(step)
        self.log.validation_loss.append(loss)
        self.log.validation_accuracy.append(accuracy)
        self.stopping.update(loss)
        if self.stopping.improved:
            self.best = w

    def diverged(self) -> bool:
        """Return whether a loss is not finite."""
        return not np.isfinite(self.log.train_loss + self.log.validation_loss).all()

    def result(self, per_epoch: int, interrupted: bool) -> Run | None:
        """Return the run, or None if it diverged, be it with the last step."""
        if self.diverged() or not arguments.all_finite(self.last):
            return None
        return self.log.finish(
            self.settings,
            self.stopping,
            per_epoch,
            last=self.model.copy(self.last.copy()),
            best=self.model.copy(self.best.copy()),
            interrupted=interrupted,
        )


class Trainer:
    """Runs that share their batches: the weights (V + 1, K, R) of those that go on, and all that waits."""

    def __init__(self, runs: Sequence[RunInProgress], data: Dataset) -> None:
        start = np.stack([run.model.w for run in runs], axis=-1, dtype=data.train.X.dtype)
        self.live = list(runs)
        self.kind = type(runs[0].model)
        self.validation = data.validation
        self.inputs = CompactInputs(data.train.X, start, runs[0].settings.shuffle)
        self.Y_rows = np.ascontiguousarray(data.train.Y.T)
        self.W = self.inputs.compress(start)
        # of several runs as large as W: else NumPy's inner loops run along R alone
        shape = self.W.shape if len(runs) > 1 else (1,)
        lam = np.array([run.model.lam for run in runs], start.dtype)
        rate = np.array([run.settings.learning_rate for run in runs], start.dtype)
        self.decay = np.broadcast_to(1 - 2 * rate * lam, shape).copy()
        self.rate = np.broadcast_to(rate / self.inputs.unit**2, shape).copy()
        self.unlogged: list[Any] = []  # logits and targets of the latest steps
        self.pending: list[Any] = []  # checks to evaluate: step, weights
        self.unscored: list[Any] = []  # runs and weights whose training accuracy is due

    def update(self, X: Array, Y: Array) -> None:
        """Make one step of gradient descent; its logits are kept for `log_losses`."""
        z = logits(X, self.W)
        self.unlogged.append((z, Y))
        gradient = product(X.T, (self.kind.activation(z) - Y) / len(X))
        gradient *= self.rate
        self.W *= self.decay
        self.W -= gradient
        if len(self.unlogged) >= LOGGED:
            self.log_losses()

    def log_losses(self) -> None:
        """Compute the losses of the latest steps, with the weights before them; nothing waits for these."""
        if self.unlogged:
            z = np.concatenate([z for z, _ in self.unlogged])
            Y = np.concatenate([Y for _, Y in self.unlogged])
            each = self.kind.cross_entropy(z, Y)
            steps = each.reshape(len(self.unlogged), -1, len(self.live))
            losses = steps.mean(axis=1, dtype=np.float64)
            for run, latest in zip(self.live, losses.T.tolist(), strict=True):
                run.log.train_loss.extend(latest)
            self.unlogged.clear()

    def check(self, step: int) -> None:
        """Note the weights, and evaluate those noted once early stopping could end a run.

        It cannot before, so that no step is ever undone; and the weights noted are evaluated in one product,
        which reads X once.
        """
        self.pending.append((step, self.W.copy()))
        due = min(DEFERRED / self.W[0].size, *(run.stopping.to_come for run in self.live))
        if len(self.pending) >= due:
            self.evaluate()

    def evaluate(self) -> None:
        """Evaluate the checks noted; runs that stop or have diverged leave."""
        self.log_losses()
        noted = [self.inputs.expand(W) for _, W in self.pending]
        W = np.concatenate(noted, axis=2)
        correct, losses = measured([self.kind] * W.shape[2], W, *self.validation)
        found = zip(losses.mean(axis=1).tolist(), correct.mean(axis=1).tolist(), strict=True)
        for (step, compressed), full in zip(self.pending, noted, strict=True):
            for i, run in enumerate(self.live):
                run.take(step, full[..., i], *next(found))
                if run.settings.takes_train_accuracy(len(run.log.step) - 1):
                    self.unscored.append((run, compressed[..., i]))
        self.pending.clear()
        self.keep([not run.stopping.stopped and not run.diverged() for run in self.live])
        if sum(w.shape[1] for _, w in self.unscored) >= DEFERRED:
            self.score()

    def keep(self, stay: list[bool]) -> None:
        """Go on with the runs that `stay`."""
        W = self.inputs.expand(self.W)
        for i, run in enumerate(self.live):
            run.last = W[..., i]
        if not all(stay):
            self.live = list(compress(self.live, stay))
            self.W = np.compress(stay, self.W, axis=-1)
            self.decay = np.compress(stay, self.decay, axis=-1)
            self.rate = np.compress(stay, self.rate, axis=-1)

    def score(self) -> None:
        """Compute the training accuracies that are due; nothing waits for them."""
        W = np.stack([w for _, w in self.unscored], axis=-1)
        found = training_accuracies(self.kind, W, self.inputs, self.Y_rows)
        for (run, _), accuracy in zip(self.unscored, found, strict=True):
            run.log.train_accuracy.append(accuracy)
        self.unscored.clear()

    def finish(self) -> None:
        """Evaluate all that is left; every run leaves."""
        if self.pending:
            self.evaluate()
        self.log_losses()
        self.keep([False] * len(self.live))
        if self.unscored:
            self.score()


class CompactInputs:
    """The training images as the steps read them: whole numbers, and without the columns that never vary.

    Gradient descent does not notice a rotation of the inputs' axes. Where columns of X are constant, as at
    the border of the images, one column of their common norm does for all of them: their weights, zero at
    first, stay in step with the bias's. Nor does it notice a unit, if rate and penalty go with it: 255 X are
    whole numbers, a quarter of the bytes to gather. Exact but for rounding.
    """

    def __init__(self, X: Array, start: Array, shuffle: object = True) -> None:
        # in file order nothing is gathered, and the digits that task 2d prints are those of X itself
        numbers, self.unit = as_whole_numbers(X) if shuffle else (X, 1)
        constant = numbers.max(axis=0) == numbers.min(axis=0)
        has_weight = start.any(axis=(1, 2))
        self.fixed = constant & ~has_weight & bool(shuffle)
        self.varying = numbers
        if self.fixed.any():
            kept = np.flatnonzero(~self.fixed)
            self.varying = numbers.take(kept, axis=1)  # unlike indexing, keeps an image in one piece
        norm = np.linalg.norm(X[0, self.fixed].astype(float))
        self.direction = X[0, self.fixed] / (norm or 1)  # all of them may be 0
        low = self.varying.min(axis=0)
        high = self.varying.max(axis=0)
        largest = np.maximum(high, -1.0 * low)  # of whole numbers, the lowest has no opposite
        self.largest = np.append(largest, self.unit * norm)

    def take(self, rows: Any, dtype: DTypeLike) -> Array:
        """Return these columns of some images, (n, V + 1)."""
        varying = self.varying[rows]
        X = np.full((len(varying), len(self.largest)), self.largest[-1], dtype)
        X[:, :-1] = varying
        return X

    def compress(self, w: Array) -> Array:
        """Return the weights w (785, K, ...) for these columns, (V + 1, K, ...)."""
        return np.concatenate([w[~self.fixed], np.zeros_like(w[:1])]) / self.unit

    def expand(self, w: Array) -> Array:
        """Return the weights (785, K, R) that `w` (V + 1, K, R) stand for."""
        full = np.empty((len(self.fixed), *w.shape[1:]), w.dtype)
        full[~self.fixed] = self.unit * w[:-1]
        full[self.fixed] = self.unit * self.direction[:, None, None] * w[-1]
        return full


def as_whole_numbers(X: Array) -> tuple[NDArray[Any], int]:
    """Return 255 X as whole numbers and 255, or X itself and 1 if these are no pixels."""
    numbers = np.empty(X.shape, np.int16)
    limit = 1000 * np.finfo(X.dtype).eps
    for start in range(0, len(X), 100):  # as many images as the cache holds
        part = slice(start, start + 100)
        scaled = 255 * X[part]
        np.rint(scaled, out=numbers[part], casting="unsafe")
        scaled -= numbers[part]
        kept = np.count_nonzero(numbers[part]) == np.count_nonzero(X[part])  # what is tiny is not 0
        if not kept or not np.abs(scaled, out=scaled).max() < limit:
            return X, 1
    return numbers, 255


def compact_batches(
    inputs: CompactInputs, Y_rows: Array, settings: Settings
) -> Iterator[tuple[Array, Array]]:
    """Yield the batches of all epochs: X (n, V + 1) and Y (n, K, 1), in the order of `training.batches`."""
    size = settings.batch_size
    varying = inputs.varying
    # one for all batches: it stays in the cache
    gathered = np.empty((size, varying.shape[1]), varying.dtype)
    X = np.full((size, len(inputs.largest)), inputs.largest[-1], Y_rows.dtype)
    for order in orders(Y_rows.shape[1], settings):
        Y_epoch = Y_rows.take(order, axis=1)  # at once: a tenth of the time that batches take
        for start in range(0, len(order) - size + 1, size):
            part = slice(start, start + size)
            # "clip": directly to its place, without a copy
            np.take(varying, order[part], axis=0, out=gathered, mode="clip")
            X[:, :-1] = gathered
            yield X, Y_epoch[:, part].T[..., None]


def training_accuracies(
    kind: type[Regression], W: Array, inputs: CompactInputs, Y_rows: Array
) -> list[float]:
    """Return the accuracy over all `inputs` of each of the R weights W, exact, though mostly in float32.

    No decision hangs on these, so a product in half the time will do. By its error bound, n u |x| |w| with
    n = 785 and u = 2^-24, and n 2^-126 for what is too small for float32, an example near the border is
    recognised, and decided again in full precision. What is too large has a bound that is infinite.
    """
    single = W.astype(np.float32)
    correct = np.zeros(W.shape[2])
    x = inputs.largest.astype(np.float32)
    w = np.abs(single)
    reach = np.tensordot(x, w, 1).max()
    lost = (1 + x.max()) * (1 + w.max())
    error = 2 * 800 * (2.0**-24 * reach + 2.0**-126 * lost)  # of a margin
    for part in blocks(inputs.varying):
        Y = Y_rows[:, part].T[..., None]
        z = logits(inputs.take(part, np.float32), single)
        lead = margin(z, Y.astype(np.float32))
        right = lead > 0
        near = np.flatnonzero(~(np.abs(lead) > error).all(axis=1))
        images = inputs.take(part.start + near, W.dtype)
        right[near] = kind.correct(logits(images, W), Y[near])
        correct += right.sum(axis=0)
    return (correct / len(inputs.varying)).tolist()
