"""The training of `assignment1.training.gradient_descent`, faster: the same numbers, but for rounding.

The ladder, from the plain loop up. Each line is one idea, with how many times as long the run takes without
it alone (`make bench PARTS=tricks`; the machine is noisy, and benchmarks/README.md says how and why):

    3.00  lazy evaluation: the weights of several checks take one product; steps too many are dropped
    1.39  without the constant columns: one column stands for the 89 inputs that never vary
    1.37  pixels as whole numbers: a quarter of the bytes to gather
    1.34  training accuracy in float32: half the time; near ties are decided in float64
    1.25  classes first in memory: element-wise work runs along the images, not along ten classes
    1.20  evaluation in a second thread: no step waits for it
    1.09  evaluation in blocks of images: their logits stay in the cache
    1.06  training accuracies 32 at a time: nothing waits for them
    1.05  losses of steps 16 at a time: nothing waits for them either
    1.04  batches' products in the other order: small products are faster so, and are then turned

Runs that differ in the penalty and the learning rate alone can be trained together, on the same batches:
their weights are one array W (785, K, R) with an axis of R runs, and each product serves them all. Apart, the
runs of a sweep over five lambdas take 1.06 times as much of the processor by AVX-512, 1.15 by AVX2.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import compress
from threading import Event
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray
from threadpoolctl import ThreadpoolController

from assignment1 import arguments
from assignment1.fast.evaluation import blocks, logits, margin, measured, product
from assignment1.mnist import Dataset, Split
from assignment1.models import Array, LogisticRegression, Regression, SoftmaxRegression
from assignment1.progress import interrupt, progress
from assignment1.run import Run, RunInProgress, Settings
from assignment1.training import orders, trainable

METHODS = [name for name in vars(Regression) if not name.startswith("_")]
DEFERRED = 320  # outputs, of all the weights evaluated in one product, at most: more gain little
LOGGED = 16  # steps whose losses are computed together
ROUGH = np.float32  # in which most training accuracies are decided
BLAS = ThreadpoolController().select(user_api="blas")


def written(kind: type) -> list[Any]:
    """Return what the fast way takes for granted of a kind of model: its methods, and whether K is 1."""
    return [getattr(kind, "K", None) == 1, *(getattr(kind, name, None) for name in METHODS)]


# as they are now, whoever replaces their methods
KNOWN = {kind: written(kind) for kind in (LogisticRegression, SoftmaxRegression)}


def suits(model: Regression) -> bool:
    """Return whether the fast way trains a model as the plain way does: no method is another's.

    The work of some is done otherwise here, and the rest are given logits (N, K, R).
    """
    return written(type(model)) in KNOWN.values() and vars(model).keys().isdisjoint(METHODS)


class Prepared(NamedTuple):
    """A data set as the fast way reads it."""

    inputs: "CompactInputs"
    Y_rows: Array  # (K, N)
    validation: Split


def prepare(models: Sequence[Regression], data: Dataset, settings: Settings) -> Prepared:
    """Validate a data set and make it compact, once for all runs of `models`; they are of one kind.

    Their settings differ in the learning rate and the seed at most. Raises the errors of `trainable`.
    """
    data = trainable(models[0], data, settings)
    start = np.stack([model.w for model in models], axis=-1, dtype=data.train.X.dtype)
    inputs = CompactInputs(data.train.X, start, settings.shuffle)
    return Prepared(inputs, np.ascontiguousarray(data.train.Y.T), data.validation)


@contextmanager
def second_thread() -> Iterator[Executor | None]:
    """Yield a thread that works beside this one, each with one thread of BLAS; None where BLAS has only one.

    There this process has one core, be it a worker's or all there is, or a BLAS unknown to threadpoolctl.
    """
    if not any(library["num_threads"] > 1 for library in BLAS.info()):
        yield None
        return
    with BLAS.limit(limits=1), ThreadPoolExecutor(1, initializer=np.seterr, initargs=("ignore",)) as thread:
        yield thread


def fast_descent(
    models: Sequence[Regression],
    data: Prepared,
    settings: Sequence[Settings],
    *,
    shown: bool,
    stop: Event | None = None,
) -> list[Run | None]:
    """Train a copy of each model as `gradient_descent` does, all on the same batches.

    The models are of one kind; their settings differ in the learning rate at most. Returns a run for each
    model, or None if it diverged.
    """
    runs = list(map(RunInProgress, models, settings))
    per_epoch = data.Y_rows.shape[1] // settings[0].batch_size
    check_every = max(per_epoch // settings[0].checks_per_epoch, 1)
    bar = progress(settings[0].epochs, "epoch", shown)
    with second_thread() as thread, interrupt(stop) as stop, bar as advance:
        trainer = Trainer(runs, data, thread)
        for step, (X, Y) in enumerate(compact_batches(data.inputs, data.Y_rows, settings[0])):
            trainer.update(X, Y)
            if step % check_every == 0:
                trainer.check(step)
            if (step + 1) % per_epoch == 0:
                advance()
            if not trainer.live or stop.is_set():
                break
        trainer.finish()
        return [run.finish(per_epoch, stop.is_set()) if sound(run) else None for run in runs]


def sound(run: RunInProgress) -> bool:
    """Return whether all losses and the last weights are finite."""
    losses = np.array(run.log.train_loss + run.log.validation_loss)
    return arguments.all_finite(losses) and arguments.all_finite(run.last)


class Trainer:
    """Runs that share their batches: the weights (V + 1, K, R) of those that go on, and all that waits.

    Checks are evaluated several at a time, and beside the steps if there is another `thread`. So a run has
    gone some steps further when it is known to have ended; these are dropped.
    """

    def __init__(self, runs: Sequence[RunInProgress], data: Prepared, thread: Executor | None = None) -> None:
        start = np.stack([run.model.w for run in runs], axis=-1, dtype=data.Y_rows.dtype)
        self.live = list(runs)
        self.kind = type(runs[0].model)
        self.data = data
        self.W = data.inputs.compress(start)
        # of several runs as large as W: else NumPy's inner loops run along R alone
        shape = self.W.shape if len(runs) > 1 else (1,)
        lam = np.array([run.model.lam for run in runs], start.dtype)
        rate = np.array([run.settings.learning_rate for run in runs], start.dtype)
        self.decay = np.broadcast_to(1 - 2 * rate * lam, shape).copy()
        self.rate = np.broadcast_to(rate / data.inputs.unit**2, shape).copy()
        self.begin = thread.submit if thread else at_once
        self.ahead = 1 if thread else 0  # groups of checks that are evaluated while the next are noted
        dropped = 2 * min(runs[0].settings.patience or DEFERRED, DEFERRED)  # checks, at most
        self.most = dropped / (1 + self.ahead)  # checks in a group
        self.unlogged: list[Any] = []  # logits and targets of the latest steps
        self.noted: list[Any] = []  # checks: step, weights
        self.begun: deque[Any] = deque()  # evaluations of checks: runs, checks, what comes of them
        self.unscored: list[Any] = []  # weights whose training accuracy is due, and its log and check
        self.scored: list[Any] = []  # logs and checks, what comes of their weights

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
        """Note the weights; evaluate those noted in one product, which reads X once, when they are enough."""
        self.noted.append((step, self.W.copy()))
        if len(self.noted) >= min(DEFERRED / self.W[0].size, self.most):
            self.evaluate()

    def evaluate(self) -> None:
        """Begin to evaluate the checks noted; take those begun before them, without another thread these."""
        full = [self.data.inputs.expand(W) for _, W in self.noted]
        W = np.concatenate(full, axis=2)
        found = self.begin(measured, [self.kind] * W.shape[2], W, *self.data.validation)
        self.begun.append((self.live, self.noted, full, found))
        self.noted = []
        if len(self.begun) > self.ahead:
            self.take()

    def take(self) -> None:
        """Take the evaluations begun first; runs that have stopped or diverged leave."""
        self.log_losses()
        runs, checks, fulls, found = self.begun.popleft()
        if self.unscored and not found.done():
            self.score(at_once)  # and not wait
        correct, losses = found.result()
        measurements = zip(losses.mean(axis=1).tolist(), correct.mean(axis=1).tolist(), strict=True)
        for (step, W), full in zip(checks, fulls, strict=True):
            for i, run in enumerate(runs):
                measurement = next(measurements)
                if run.stopping.stopped:
                    continue
                if run.take(step, full[..., i], *measurement):
                    self.unscored.append((W[..., i], run.log, len(run.log.step) - 1))
        stay = [not run.stopping.stopped and sound(run) for run in self.live]
        if not all(stay):
            self.live = list(compress(self.live, stay))
            self.W = np.compress(stay, self.W, axis=-1)
            self.decay = np.compress(stay, self.decay, axis=-1)
            self.rate = np.compress(stay, self.rate, axis=-1)
        if len(self.unscored) * self.kind.K >= DEFERRED:
            self.score(self.begin)

    def score(self, begin: Callable[..., Future[Any]]) -> None:
        """Compute the training accuracies that are due, as `begin` does; nothing waits for them."""
        weights, *places = zip(*self.unscored, strict=True)
        W = np.stack(weights, axis=-1)
        found = begin(training_accuracies, self.kind, W, self.data.inputs, self.data.Y_rows)
        self.scored.append((*places, found))
        self.unscored = []

    def finish(self) -> None:
        """Evaluate all that is left."""
        if self.noted:
            self.evaluate()
        while self.begun:
            self.take()
        self.log_losses()
        W = self.data.inputs.expand(self.W)
        for i, run in enumerate(self.live):
            run.last = W[..., i]
        if self.unscored:
            self.score(at_once)
        for logs, checks, found in self.scored:
            for log, check, accuracy in zip(logs, checks, found.result(), strict=True):
                log.train_accuracy[check] = accuracy


def at_once(function: Callable[..., Any], *arguments: Any) -> Future[Any]:
    """Call a function as an executor does, but here and now."""
    found: Future[Any] = Future()
    found.set_result(function(*arguments))
    return found


class CompactInputs:
    """The training images as the steps read them: whole numbers, and without the columns that never vary.

    Gradient descent does not notice a rotation of the inputs' axes. Where columns of X are constant, as at
    the border of the images, one column of their common norm does for all of them: their weights, zero at
    first, stay in step with the bias's. Nor does it notice a unit, if rate and penalty go with it: 255 X are
    whole numbers, a quarter of the bytes to gather. Exact but for rounding.
    """

    def __init__(self, X: Array, start: Array, shuffle: object = True) -> None:
        # in file order the numbers are those of X itself, as are the digits that task 2d prints
        numbers, self.unit = as_whole_numbers(X) if shuffle else (X, 1)
        constant = numbers.max(axis=0) == numbers.min(axis=0)
        has_weight = start.any(axis=(1, 2))
        self.fixed = constant & ~has_weight & bool(shuffle)
        self.varying = numbers
        if self.fixed.any():
            kept = np.flatnonzero(~self.fixed)
            room = np.empty(X.size, X.dtype) if numbers is X else numbers.reshape(-1)
            self.varying = room[: len(X) * len(kept)].reshape(len(X), -1)
            for part in blocks(X):
                self.varying[part] = numbers[part].take(kept, axis=1)  # read before it is written over
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
    recognised, and decided again in full precision. What is too large has a bound that is infinite. A logit
    that is not finite costs no other example its place in the sum, as it does in `accuracy_at`.
    """
    single = W.astype(ROUGH)
    correct = np.zeros(W.shape[2])
    x = inputs.largest.astype(ROUGH)
    w = np.abs(single)
    reach = np.tensordot(x, w, 1).max()
    lost = (1 + x.max()) * (1 + w.max())
    error = 2 * 800 * (2.0**-24 * reach + 2.0**-126 * lost)  # of a margin
    for part in blocks(inputs.varying):
        Y = Y_rows[:, part].T[..., None]
        z = logits(inputs.take(part, ROUGH), single)
        lead = margin(z, Y.astype(ROUGH))
        right = lead > 0
        near = np.flatnonzero(~(np.abs(lead) > error).all(axis=1))
        images = inputs.take(part.start + near, W.dtype)
        right[near] = kind.correct(logits(images, W), Y[near])
        correct += right.sum(axis=0)
    return (correct / len(inputs.varying)).tolist()
