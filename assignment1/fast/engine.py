"""The training of `assignment1.training.gradient_descent`, faster: the same numbers, but for rounding.

The ladder, from the plain loop up. Each line is one idea, with how many times as long the run takes without
it alone (`make bench PARTS=tricks`; the machine is noisy, and benchmarks/README.md says how and why):

    3.05  lazy evaluation: the weights of several checks are evaluated in one product, once a run could stop
    2.13  without the constant columns: one column stands for the 89 inputs that never vary
    1.24  pixels as whole numbers: a quarter of the bytes to gather
    1.18  training accuracy in float32: half the time; near ties are decided in float64
    1.14  training accuracies 32 at a time: nothing waits for them
    1.13  classes first in memory: element-wise work runs along the images, not along ten classes
    1.04  batches' products in the other order: small products are faster so, and are then turned
    1.01  losses of steps 16 at a time: nothing waits for them either
    0.94  evaluation in blocks of images: their logits stay in the cache
"""

from collections.abc import Iterator
from threading import Event
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from assignment1.fast.evaluation import blocks, logits, margin, product, scores
from assignment1.mnist import Dataset
from assignment1.models import Array, Regression
from assignment1.progress import interrupt, progress
from assignment1.run import EarlyStopping, Log, Run, Settings
from assignment1.training import orders, trainable

DEFERRED = 320  # outputs, of all the weights evaluated in one product, at most: more gain little
LOGGED = 16  # steps whose losses are computed together


def suits(model: Regression) -> bool:
    """Return whether the fast way trains this kind of model as the plain way does."""
    names = ("loss_at", "gradient_at", "accuracy_at")  # their work is done otherwise here
    return all(getattr(type(model), name, None) is getattr(Regression, name) for name in names)


def fast_descent(
    model: Regression,
    data: Dataset,
    settings: Settings,
    *,
    shown: bool = False,
    stop: Event | None = None,
) -> Run:
    """Train a copy of `model` as `gradient_descent` does, with the same arguments and the same errors."""
    data = trainable(model, data, settings)
    trainer = Trainer(model, data, settings)
    per_epoch = len(data.train.X) // settings.batch_size
    check_every = max(per_epoch // settings.checks_per_epoch, 1)
    quiet = np.errstate(over="ignore", invalid="ignore")
    with interrupt(stop) as stop, progress(settings.epochs, "epoch", shown) as advance, quiet:
        for step, (X, Y) in enumerate(trainer.batches):
            trainer.update(X, Y)
            if step % check_every == 0:
                trainer.check(step)
            if (step + 1) % per_epoch == 0:
                advance()
            if trainer.ended or stop.is_set():
                break
        trainer.finish()
    return trainer.log.finish(
        settings,
        trainer.stopping,
        per_epoch,
        last=model.copy(trainer.inputs.expand(trainer.w)),
        best=model.copy(trainer.best),
        interrupted=stop.is_set(),
    )


class Trainer:
    """A run in progress: its weights, its log, and the weights that are yet to be evaluated."""

    def __init__(self, model: Regression, data: Dataset, settings: Settings) -> None:
        start = model.w.astype(data.train.X.dtype)
        self.kind = type(model)
        self.settings = settings
        self.validation = data.validation
        self.inputs = CompactInputs(data.train.X, start, settings.shuffle)
        self.batches = Batches(self.inputs, data.train.Y, settings)
        self.w = self.inputs.compress(start)
        self.lam = model.lam * self.inputs.unit**2
        self.rate = settings.learning_rate / self.inputs.unit**2
        self.log = Log()
        self.stopping = EarlyStopping(settings.patience)
        self.best = start
        self.ended = False
        self.unlogged: list[tuple[Array, Array]] = []  # logits and targets of the latest steps
        self.pending: list[tuple[int, Array]] = []  # checks to evaluate: step, weights
        self.unscored: list[Array] = []  # weights whose training accuracy is due

    def update(self, X: Array, Y: Array) -> None:
        """Make one step of gradient descent; its logits are kept for `log_losses`."""
        z = logits(X, self.w)
        self.unlogged.append((z, Y))
        gradient = product(X.T, (self.kind.activation(z) - Y) / len(X))
        if self.lam:
            gradient += 2 * self.lam * self.w
        gradient *= self.rate
        self.w -= gradient
        if len(self.unlogged) >= LOGGED:
            self.log_losses()

    def log_losses(self) -> None:
        """Compute the losses of the latest steps, with the weights before them; nothing waits for these."""
        if self.unlogged:
            z, Y = (np.concatenate(parts) for parts in zip(*self.unlogged, strict=True))
            losses = self.kind.cross_entropy(z, Y).reshape(len(self.unlogged), -1)
            self.log.train_loss.extend(losses.mean(axis=1, dtype=np.float64).tolist())
            self.unlogged.clear()

    def check(self, step: int) -> None:
        """Note the weights, and evaluate those noted once early stopping could end the run.

        It cannot before, so that no step is ever undone; and the weights noted are evaluated in one product,
        which reads X once.
        """
        self.pending.append((step, self.w.copy()))
        due = DEFERRED / self.w.shape[1]
        if self.settings.patience is not None:
            due = min(due, self.settings.patience - self.stopping.waited)
        if len(self.pending) >= due:
            self.evaluate()

    def evaluate(self) -> None:
        """Evaluate the checks noted; set `ended` if the run stops or has diverged."""
        self.log_losses()
        weights = [self.inputs.expand(w) for _, w in self.pending]
        losses, accuracies = scores(self.kind, np.stack(weights, axis=-1), *self.validation)
        self.log.validation_accuracy += accuracies
        for (step, w), full, loss in zip(self.pending, weights, losses, strict=True):
            self.log.step.append(step)
            self.log.validation_loss.append(loss)
            if self.settings.takes_train_accuracy(len(self.log.step) - 1):
                self.unscored.append(w)
            self.stopping.update(loss)
            if self.stopping.improved:
                self.best = full
        self.pending.clear()
        self.ended = self.stopping.stopped or not np.isfinite(self.log.train_loss).all()
        if len(self.unscored) * self.w.shape[1] >= DEFERRED:
            self.score()

    def score(self) -> None:
        """Compute the training accuracies that are due; nothing waits for them."""
        W = np.stack(self.unscored, axis=-1)
        self.log.train_accuracy += training_accuracies(self.kind, W, self.inputs, self.batches.Y_rows)
        self.unscored.clear()

    def finish(self) -> None:
        """Evaluate all that is left."""
        if self.pending:
            self.evaluate()
        self.log_losses()
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
        if shuffle:
            numbers, self.unit = as_whole_numbers(X)
            self.fixed = (numbers.max(axis=0) == numbers.min(axis=0)) & ~start.any(axis=1)
        else:  # in file order nothing is gathered, and the digits that task 2d prints are those of X itself
            numbers = X
            self.unit = 1
            self.fixed = np.zeros(X.shape[1], bool)
        self.varying = numbers
        if self.fixed.any():
            kept = np.flatnonzero(~self.fixed)
            self.varying = numbers.take(kept, axis=1)  # unlike indexing, keeps an image in one piece
        norm = np.linalg.norm(X[0, self.fixed])
        self.direction = X[0, self.fixed] / (norm or 1)  # all of them may be 0
        largest = np.maximum(self.varying.max(axis=0), -self.varying.min(axis=0))
        self.largest = np.append(largest, self.unit * norm)

    def take(self, rows: Any, dtype: DTypeLike) -> Array:
        """Return these columns of some images, (n, V + 1)."""
        varying = self.varying[rows]
        X = np.full((len(varying), len(self.largest)), self.largest[-1], dtype)
        X[:, :-1] = varying
        return X

    def compress(self, w: Array) -> Array:
        """Return the weights w (785, K) for these columns, (V + 1, K)."""
        return np.concatenate([w[~self.fixed], np.zeros_like(w[:1])]) / self.unit

    def expand(self, w: Array) -> Array:
        """Return the weights (785, K) that `w` (V + 1, K) stand for."""
        full = np.empty((len(self.fixed), w.shape[1]), w.dtype)
        full[~self.fixed] = self.unit * w[:-1]
        full[self.fixed] = self.unit * self.direction[:, None] * w[-1]
        return full


def as_whole_numbers(X: Array) -> tuple[NDArray[Any], int]:
    """Return 255 X as whole numbers and 255, or X itself and 1 if these are no pixels."""
    numbers = np.empty(X.shape, np.int16)
    for start in range(0, len(X), 100):  # as many images as the cache holds
        part = slice(start, start + 100)
        scaled = 255 * X[part]
        with np.errstate(invalid="ignore"):  # of inputs that are no pixels
            np.rint(scaled, out=numbers[part], casting="unsafe")
        scaled -= numbers[part]
        if not np.abs(scaled, out=scaled).max() < 1000 * np.finfo(X.dtype).eps:
            return X, 1
    return numbers, 255


class Batches:
    """The batches of all epochs: X (n, V + 1) and Y (n, K), in the order of `training.batches`."""

    def __init__(self, inputs: CompactInputs, Y: Array, settings: Settings) -> None:
        self.inputs = inputs.varying
        self.settings = settings
        self.Y_rows = np.ascontiguousarray(Y.T)
        # one for all batches: it stays in the cache
        self.gathered = np.empty((settings.batch_size, self.inputs.shape[1]), self.inputs.dtype)
        self.X = np.full((settings.batch_size, len(inputs.largest)), inputs.largest[-1], Y.dtype)

    def __iter__(self) -> Iterator[tuple[Array, Array]]:
        size = self.settings.batch_size
        for order in orders(self.Y_rows.shape[1], self.settings):
            Y_epoch = self.Y_rows.take(order, axis=1)  # at once: a tenth of the time that batches take
            for start in range(0, len(order) - size + 1, size):
                part = slice(start, start + size)
                # "clip": directly to its place, without a copy
                np.take(self.inputs, order[part], axis=0, out=self.gathered, mode="clip")
                self.X[:, :-1] = self.gathered
                yield self.X, Y_epoch[:, part].T


def training_accuracies(
    kind: type[Regression], W: Array, inputs: CompactInputs, Y_rows: Array
) -> list[float]:
    """Return the accuracy over all `inputs` of each of the R weights W, exact, though mostly in float32.

    No decision hangs on these, so a product in half the time will do. By its error bound, n u |x| |w| with
    n = 785 and u = 2^-24, an example near the border is recognised, and decided again in full precision.
    """
    single = W.astype(np.float32)
    correct = np.zeros(W.shape[2])
    error = 2 * 800 * 2.0**-24 * np.tensordot(inputs.largest, np.abs(W), 1).max()  # of a margin
    for part in blocks(inputs.varying):
        Y = Y_rows[:, part].T[..., None]
        lead = margin(logits(inputs.take(part, np.float32), single), Y.astype(np.float32))
        correct += (lead > 0).sum(axis=0)
        near = np.flatnonzero(~(np.abs(lead) > error).all(axis=1))
        exact = kind.correct(logits(inputs.take(part.start + near, W.dtype), W), Y[near])
        correct += exact.sum(axis=0) - (lead[near] > 0).sum(axis=0, dtype=float)
    return (correct / len(inputs.varying)).tolist()
