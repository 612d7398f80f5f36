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
    1.05  five lambdas trained together: on the same batches, in one product (a sweep)
    1.01  losses of steps 16 at a time: nothing waits for them either
    0.94  evaluation in blocks of images: their logits stay in the cache
    0.92  at least one job for each worker: both cores have work (a sweep)

Runs that differ in the penalty and the learning rate alone can be trained together, on the same batches:
their weights are one array W (785, K, R) with an axis of R runs, and each product serves them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from assignment1.fast.evaluation import blocks, evaluated, logits, margin, product, together
from assignment1.mnist import Dataset
from assignment1.models import Array, Regression
from assignment1.progress import interruptible, progress
from assignment1.run import Log, Run
from assignment1.training import EarlyStopping, Settings

DEFERRED = 320  # outputs, of all the weights evaluated in one product, at most: more gain little
LOGGED = 16  # steps whose losses are computed together


def train_together(
    models: Sequence[Regression], settings: Sequence[Settings], data: Dataset, shown: bool
) -> list[Run | FloatingPointError]:
    """Train a copy of each model by its settings, which may differ in the learning rate; both are checked.

    A run that diverges gives its error in place of the run.
    """
    runs = [
        RunInProgress(model, own, EarlyStopping(own.patience))
        for model, own in zip(models, settings, strict=True)
    ]
    trainer, common = Trainer(runs, data), settings[0]
    per_epoch = len(data.train.X) // common.batch_size
    check_every = max(per_epoch // common.checks_per_epoch, 1)
    quiet = np.errstate(over="ignore", invalid="ignore")
    with interruptible() as interrupted, progress(common.epochs, "epoch", shown) as advance, quiet:
        for step, (X, Y) in enumerate(trainer.batches):
            trainer.update(X, Y)
            if step % check_every == 0:
                trainer.check(step)
            if (step + 1) % per_epoch == 0:
                advance()
            if not trainer.live or interrupted():
                break
        trainer.finish()
        return [run.result(per_epoch, interrupted()) for run in runs]


@dataclass
class RunInProgress:
    """One of the runs that are trained together: what it has measured so far."""

    model: Regression
    settings: Settings
    stopping: EarlyStopping
    log: Log = field(default_factory=Log)
    best: Array = field(init=False)  # weights (785, K), so far and in the end
    last: Array = field(init=False)

    def __post_init__(self) -> None:
        self.best = self.model.w

    def take(self, step: int, w: Array, loss: float, accuracy: float) -> None:
        """One more check is evaluated, of the weights `w` (785, K)."""
        self.log.step.append(step)
        self.log.validation_loss.append(loss)
        self.log.validation_accuracy.append(accuracy)
        self.stopping.update(loss)
        if self.stopping.improved:
            self.best = w

    def checks_to_come(self) -> float:
        """How many further checks early stopping cannot end the run before."""
        return np.inf if self.settings.patience is None else self.settings.patience - self.stopping.waited

    def goes_on(self) -> bool:
        """Whether it has neither stopped nor diverged."""
        return not self.stopping.stopped and bool(np.isfinite(self.log.train_loss).all())

    def result(self, per_epoch: int, interrupted: bool) -> Run | FloatingPointError:
        """The run, or the error that says where it diverged."""
        last, best = (self.model.copy(w.copy()) for w in (self.last, self.best))
        try:
            return self.log.finish(
                self.settings, self.stopping, per_epoch, last=last, best=best, interrupted=interrupted
            )
        except FloatingPointError as error:
            return error


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
            self.fixed = (numbers == numbers[0]).all(axis=0) & ~start.any(axis=(1, 2))
        else:  # in file order nothing is gathered, and the digits that task 2d prints are those of X itself
            numbers, self.unit, self.fixed = X, 1, np.zeros(X.shape[1], bool)
        kept = np.flatnonzero(~self.fixed)
        self.varying = numbers.take(kept, axis=1) if self.fixed.any() else numbers
        norm = np.linalg.norm(X[0, self.fixed])
        self.direction = X[0, self.fixed] / (norm or 1)  # all of them may be 0
        largest = np.maximum(self.varying.max(axis=0), -self.varying.min(axis=0))
        self.largest = np.append(largest, self.unit * norm)

    def take(self, rows: Any, dtype: DTypeLike) -> Array:
        """These columns of some images, (n, V + 1)."""
        X = np.full((len(self.varying[rows]), len(self.largest)), self.largest[-1], dtype)
        X[:, :-1] = self.varying[rows]
        return X

    def compress(self, W: Array) -> Array:
        """The weights (785, K, R) for these columns, (V + 1, K, R)."""
        kept = W[~self.fixed]
        return np.concatenate([kept, np.zeros_like(kept[:1])]) / self.unit

    def expand(self, W: Array) -> Array:
        """The weights (785, K, R) that `W` (V + 1, K, R) stand for."""
        full = np.empty((len(self.fixed), *W.shape[1:]), W.dtype)
        full[~self.fixed] = self.unit * W[:-1]
        full[self.fixed] = self.unit * self.direction[:, None, None] * W[-1]
        return full


def as_whole_numbers(X: Array) -> tuple[NDArray[Any], int]:
    """255 X as whole numbers and 255, or X itself and 1 if these are no pixels."""
    numbers, limit = np.empty(X.shape, np.int16), 1000 * np.finfo(X.dtype).eps
    for start in range(0, len(X), 100):  # as many images as the cache holds
        part = slice(start, start + 100)
        scaled = 255 * X[part]
        with np.errstate(invalid="ignore"):  # of what is no pixel
            np.rint(scaled, out=numbers[part], casting="unsafe")
        scaled -= numbers[part]
        if not np.abs(scaled, out=scaled).max() < limit:
            return X, 1
    return numbers, 255


class Batches:
    """The batches of all epochs: X (n, V + 1) and Y (n, K, 1), in the order of `training.batches`."""

    def __init__(self, inputs: CompactInputs, Y: Array, settings: Settings) -> None:
        self.inputs, self.settings, size = inputs.varying, settings, settings.batch_size
        self.Y_rows = np.ascontiguousarray(Y.T)
        # one for all batches: it stays in the cache
        self.gathered = np.empty((size, self.inputs.shape[1]), self.inputs.dtype)
        self.X = np.full((size, len(inputs.largest)), inputs.largest[-1], Y.dtype)

    def __iter__(self) -> Iterator[tuple[Array, Array]]:
        settings, size = self.settings, self.settings.batch_size
        rng, order = np.random.default_rng(settings.seed), np.arange(self.Y_rows.shape[1])
        for epoch in range(settings.epochs):
            if settings.shuffle is True or (settings.shuffle == "once" and epoch == 0):
                rng.shuffle(order)
            Y_epoch = self.Y_rows.take(order, axis=1)  # at once: a tenth of what it takes by batches
            for start in range(0, len(order) - size + 1, size):
                part = slice(start, start + size)
                # "clip": directly to its place, without a copy
                np.take(self.inputs, order[part], axis=0, out=self.gathered, mode="clip")
                self.X[:, :-1] = self.gathered
                yield self.X, Y_epoch[:, part].T[..., None]


class Trainer:
    """Runs that share their batches: the weights of those still going on, and what is yet to be evaluated."""

    def __init__(self, runs: Sequence[RunInProgress], data: Dataset) -> None:
        self.live, self.kind, dtype = list(runs), type(runs[0].model), data.train.X.dtype
        self.validation = data.validation
        start = together([run.model for run in runs], dtype)
        self.inputs = CompactInputs(data.train.X, start, runs[0].settings.shuffle)
        self.batches = Batches(self.inputs, data.train.Y, runs[0].settings)
        self.W = self.inputs.compress(start)
        # of several runs as large as W: else NumPy's inner loops run along R alone
        shape = self.W.shape if len(runs) > 1 else (1,)
        lam = np.array([run.model.lam for run in runs], dtype) * self.inputs.unit**2
        rate = np.array([run.settings.learning_rate for run in runs], dtype) / self.inputs.unit**2
        self.lam, self.rate = (np.broadcast_to(values, shape).copy() for values in (lam, rate))
        self.unlogged: list[tuple[Array, Array]] = []  # logits and targets of the latest steps
        self.pending: list[tuple[int, Array]] = []  # checks to evaluate: step, weights
        self.unscored: list[tuple[RunInProgress, Array]] = []  # weights whose training accuracy is due

    def update(self, X: Array, Y: Array) -> None:
        """One step of gradient descent; its logits are kept for `log`."""
        z = logits(X, self.W)
        self.unlogged.append((z, Y))
        gradient = product(X.T, (self.kind.activation(z) - Y) / len(X))
        if self.lam.size > 1 or self.lam[0]:
            gradient += 2 * self.lam * self.W
        gradient *= self.rate
        self.W -= gradient
        if len(self.unlogged) >= LOGGED:
            self.log()

    def log(self) -> None:
        """Compute the losses of the latest steps, with the weights before them; nothing waits for these."""
        if self.unlogged:
            z, Y = (np.concatenate(parts) for parts in zip(*self.unlogged, strict=True))
            steps = len(self.unlogged), -1, len(self.live)
            losses = self.kind.cross_entropy(z, Y).reshape(steps).mean(axis=1, dtype=np.float64)
            for run, latest in zip(self.live, losses.T.tolist(), strict=True):
                run.log.train_loss.extend(latest)
            self.unlogged.clear()

    def check(self, step: int) -> None:
        """Note the weights, and evaluate those noted once early stopping could end a run.

        It cannot before, so that no step is ever undone; and the weights noted are evaluated in one product,
        which reads X once.
        """
        self.pending.append((step, self.W.copy()))
        due = min(DEFERRED / self.W[0].size, *(run.checks_to_come() for run in self.live))
        if len(self.pending) >= due:
            self.evaluate()

    def evaluate(self) -> None:
        """Evaluate the checks noted; runs that stop or have diverged leave."""
        self.log()
        noted = [(step, self.inputs.expand(W)) for step, W in self.pending]
        all_weights = np.concatenate([W for _, W in noted], axis=2)
        scores = zip(*evaluated(self.kind, all_weights, *self.validation), strict=True)
        for (step, W), (_, compressed) in zip(noted, self.pending, strict=True):
            for i, run in enumerate(self.live):
                run.take(step, W[..., i], *next(scores))
                if run.settings.takes_train_accuracy(len(run.log.step) - 1):
                    self.unscored.append((run, compressed[..., i]))
        self.pending.clear()
        self.keep([run.goes_on() for run in self.live])
        if sum(w.shape[1] for _, w in self.unscored) >= DEFERRED:
            self.score()

    def keep(self, stay: list[bool]) -> None:
        """Go on with the runs that `stay`."""
        W = self.inputs.expand(self.W)
        for i, run in enumerate(self.live):
            run.last = W[..., i]
        if not all(stay):
            self.live = [run for run, stays in zip(self.live, stay, strict=True) if stays]
            self.W, self.lam, self.rate = (
                np.compress(stay, of_all, axis=-1) for of_all in (self.W, self.lam, self.rate)
            )

    def score(self) -> None:
        """Compute the training accuracies that are due; nothing waits for them."""
        W = np.stack([w for _, w in self.unscored], axis=-1)
        found = training_accuracies(self.kind, W, self.inputs, self.batches.Y_rows)
        for (run, _), accuracy in zip(self.unscored, found, strict=True):
            run.log.train_accuracy.append(accuracy)
        self.unscored.clear()

    def finish(self) -> None:
        """Evaluate what is left; every run leaves."""
        if self.pending:
            self.evaluate()
        self.log()
        self.keep([False] * len(self.live))
        if self.unscored:
            self.score()


def training_accuracies(
    kind: type[Regression], W: Array, inputs: CompactInputs, Y_rows: Array
) -> list[float]:
    """The accuracy over all `inputs` of each of the R weights, exact, though most of the work is in float32.

    No decision hangs on these, so a product in half the time will do. By its error bound, n u |x| |w| with
    n = 785 and u = 2^-24, an example near the border is recognised, and decided again in full precision.
    """
    single, correct = W.astype(np.float32), np.zeros(W.shape[2])
    error = 2 * 800 * 2.0**-24 * np.tensordot(inputs.largest, np.abs(W), 1).max()  # of a margin
    for part in blocks(inputs.varying):
        Y = Y_rows[:, part].T[..., None]
        lead = margin(logits(inputs.take(part, np.float32), single), Y.astype(np.float32))
        correct += (lead > 0).sum(axis=0)
        near = part.start + np.flatnonzero(~(np.abs(lead) > error).all(axis=1))
        exact = kind.correct(logits(inputs.take(near, W.dtype), W), Y[near - part.start])
        correct += exact.sum(axis=0) - (lead[near - part.start] > 0).sum(axis=0, dtype=float)
    return (correct / len(inputs.varying)).tolist()
