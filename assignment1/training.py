"""Mini-batch gradient descent with early stopping, for one model or a stack of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

from assignment1.mnist import Dataset, Split
from assignment1.models import Array, Regression
from assignment1.progress import Progress

Shuffle = bool | Literal["once"]

TOGETHER = 320  # outputs, of all the weights evaluated in one product, at most: more gain little
LOGGED = 16  # steps whose losses are computed together: a twentieth of a run's time less than one by one
ROWS = 2500  # images at a time in an evaluation: with all, their logits miss the cache, at half as much again


@dataclass(frozen=True)
class History:
    """What a run measured. A step is counted from 0, so `step` s of a check means after s + 1 updates."""

    train_loss: Array  # (steps,): each batch's loss in nats, with the weights before its update
    step: Array  # (checks,): the steps at which a check was made
    validation_loss: Array  # (checks,), nats, without the penalty
    validation_accuracy: Array  # (checks,)
    train_accuracy: Array  # (checks,), over all training images; NaN where it was not asked for


@dataclass(frozen=True)
class Run:
    """A training run: how far it went, its weights and its history."""

    steps: int  # updates made
    epoch: int  # the epoch in progress at the end, counted from 1
    stopped_early: bool
    last: Regression  # the last weights
    best: Regression  # the weights of the lowest validation loss
    best_step: int  # the step, counted from 0, of that check
    history: History
    batches_per_epoch: int
    settings: dict[str, Any]

    @property
    def model(self) -> Regression:
        """The model to use: the best."""
        return self.best


@dataclass
class EarlyStopping:
    """Stop once `patience` checks in a row were strictly worse than the best; None never stops.

    A tie is an improvement; NaN never is.
    """

    patience: int | None
    best: float = math.inf
    best_index: int = -1
    waited: int = 0
    seen: int = 0

    def update(self, loss: float) -> bool:
        """Take the next check's validation loss; is it time to stop?"""
        if loss <= self.best:
            self.best, self.best_index, self.waited = loss, self.seen, 0
        else:
            self.waited += 1
        self.seen += 1
        return self.patience is not None and self.waited >= self.patience

    def earliest_stop(self) -> int | float:
        """How many further checks the rule cannot stop before."""
        return math.inf if self.patience is None else self.patience - self.waited


@dataclass(frozen=True)
class Plan:
    """How to train, but for the penalty and the learning rate; `train` says what each setting means."""

    epochs: int
    batch_size: int = 128
    shuffle: Shuffle = True
    seed: int | None = None
    patience: int | None = None
    checks_per_epoch: int = 5
    train_accuracy_every: int | None = 1

    def check(self, N: int, learning_rate: float) -> None:
        """ValueError, naming the value, for what cannot train on N images."""
        rate_holds = math.isfinite(learning_rate) and learning_rate > 0
        _require(rate_holds, "learning_rate", learning_rate, "a finite number above 0")
        for name in ("epochs", "batch_size", "checks_per_epoch"):
            value = getattr(self, name)
            _require(isinstance(value, int) and value >= 1, name, value, "a whole number, 1 or more")
        _require(self.batch_size <= N, "batch_size", self.batch_size, f"1 to {N}, the number of images")
        for name in ("patience", "train_accuracy_every"):
            value = getattr(self, name)
            _require(value is None or value >= 1, name, value, "1 or more, or None")
        _require(self.shuffle in (True, False, "once"), "shuffle", self.shuffle, "True, False or 'once'")
        seeded = not self.shuffle or self.seed is not None
        _require(seeded, "seed", self.seed, "a number, so that the run can be repeated")


def _require(holds: bool, name: str, value: object, expected: str) -> None:
    if not holds:
        raise ValueError(f"{name} is {value!r}; expected {expected}")


def train(
    model: Regression,
    data: Dataset,
    *,
    learning_rate: float,
    epochs: int,
    batch_size: int = 128,
    shuffle: Shuffle = True,
    seed: int | None = None,
    patience: int | None = None,
    checks_per_epoch: int = 5,
    train_accuracy_every: int | None = 1,
    progress: bool = True,
) -> Run:
    """Train a copy of `model` on `data.train`; `model` itself keeps its weights.

    Batches are drawn in a new random order each epoch, by `seed`; with `shuffle` "once", in that of the first
    epoch, and without, in file order. The validation loss is checked `checks_per_epoch` times an epoch, at
    most after every step. The training accuracy, up to a third of the time yet deciding nothing, is taken
    at every `train_accuracy_every`-th check from the first on, or with None never. An incomplete last
    batch is dropped. The precision is that of the data.
    Raises ValueError for a setting out of range and FloatingPointError when the loss diverges.
    """
    plan = Plan(epochs, batch_size, shuffle, seed, patience, checks_per_epoch, train_accuracy_every)
    plan.check(len(data.train.X), learning_rate)
    (run,) = train_stack([model], [learning_rate], data.train, data.validation, plan, progress)
    if isinstance(run, FloatingPointError):
        raise run
    return run


def train_stack(
    models: Sequence[Regression],
    rates: Sequence[float],
    train: Split,
    validation: Split,
    plan: Plan,
    progress: bool,
) -> list[Run | FloatingPointError]:
    """Train each model at its rate, all by the same plan; a run that diverges gives its error."""
    lanes = [
        Lane(model, asdict(plan) | dict(learning_rate=rate, lam=model.lam), EarlyStopping(plan.patience))
        for model, rate in zip(models, rates, strict=True)
    ]
    stack = Stack(lanes, train, validation, plan)
    per_epoch = len(train.X) // plan.batch_size
    check_every = max(per_epoch // plan.checks_per_epoch, 1)
    steps = (batch for _ in range(plan.epochs) for batch in stack.batches.epoch())
    with Progress(plan.epochs, "epoch", progress) as bar, np.errstate(over="ignore", invalid="ignore"):
        for step, (X, Y) in enumerate(steps):
            stack.update(X, Y)
            if step % check_every == 0:
                stack.check(step)
            if (step + 1) % per_epoch == 0:
                bar.advance()
            if not stack.live:
                break
        stack.finish()
    return [lane.result(per_epoch) for lane in lanes]


class Pixels:
    """The training images as the steps read them: whole numbers, and without the columns that never vary.

    Gradient descent does not notice a rotation of the inputs' axes. Where columns of X are constant, as at
    the border of the images, one column of their common length does for all of them: their weights, zero at
    first, stay in step with the bias's. Nor does it notice a unit, if rate and penalty go with it: 255 X are
    whole numbers, a quarter of the bytes to gather. Exact but for rounding; takes a third off a run's time.
    """

    def __init__(self, X: Array, start: Array, shuffle: Shuffle = True) -> None:
        if shuffle:
            numbers, self.unit = whole(X)
            self.fixed = (numbers == numbers[0]).all(axis=0) & ~start.any(axis=(1, 2))
        else:  # in file order nothing is gathered, and the digits that task 2d prints are those of X itself
            numbers, self.unit, self.fixed = X, 1, np.zeros(X.shape[1], bool)
        kept = np.flatnonzero(~self.fixed)
        self.varying = numbers.take(kept, axis=1) if self.fixed.any() else numbers
        length = np.linalg.norm(X[0, self.fixed])
        self.direction = X[0, self.fixed] / (length or 1)  # all of them may be 0
        largest = np.maximum(self.varying.max(axis=0), -self.varying.min(axis=0))
        self.largest = np.append(largest, self.unit * length)

    def take(self, rows: Any, dtype: DTypeLike) -> Array:
        """These columns of some images, (n, V + 1)."""
        X = np.full((len(self.varying[rows]), len(self.largest)), self.largest[-1], dtype)
        X[:, :-1] = self.varying[rows]
        return X

    def compress(self, w: Array) -> Array:
        """The weights (785, K, S) for these columns, (V + 1, K, S)."""
        kept = w[~self.fixed]
        return np.concatenate([kept, np.zeros_like(kept[:1])]) / self.unit

    def expand(self, w: Array) -> Array:
        """The weights (785, K, S) that `w` (V + 1, K, S) stand for."""
        full = np.empty((len(self.fixed), *w.shape[1:]), w.dtype)
        full[~self.fixed] = self.unit * w[:-1]
        full[self.fixed] = self.unit * self.direction[:, None, None] * w[-1]
        return full


def whole(X: Array) -> tuple[NDArray[Any], int]:
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
    """Batches X (n, V + 1) and Y (n, K, 1), in the order that the plan says."""

    def __init__(self, pixels: Pixels, Y: Array, plan: Plan) -> None:
        self.pixels, self.plan = pixels.varying, plan
        self.Y_rows = np.ascontiguousarray(Y.T)
        self.rng, self.order = np.random.default_rng(plan.seed), np.arange(len(Y))
        # one for all batches: it stays in the cache
        self.gathered = np.empty((plan.batch_size, self.pixels.shape[1]), self.pixels.dtype)
        self.X = np.full((plan.batch_size, len(pixels.largest)), pixels.largest[-1], Y.dtype)
        if plan.shuffle:
            self.rng.shuffle(self.order)

    def epoch(self) -> Iterator[tuple[Array, Array]]:
        """The batches of the next epoch; an incomplete last one is dropped."""
        size = self.plan.batch_size
        Y_epoch = self.Y_rows.take(self.order, axis=1)  # at once: a tenth of what it takes by batches
        for start in range(0, len(self.order) - size + 1, size):
            part = slice(start, start + size)
            # "clip": directly to its place, without a copy
            np.take(self.pixels, self.order[part], axis=0, out=self.gathered, mode="clip")
            self.X[:, :-1] = self.gathered
            yield self.X, Y_epoch[:, part].T[..., None]
        if self.plan.shuffle is True:
            self.rng.shuffle(self.order)


@dataclass
class Lane:
    """One run of a stack: what it has measured so far."""

    model: Regression
    settings: dict[str, Any]
    stopping: EarlyStopping
    train_loss: list[float] = field(default_factory=list)
    checks: list[tuple[int, float, float]] = field(default_factory=list)  # step, validation loss, accuracy
    train_accuracy: list[float] = field(default_factory=list)
    stopped: bool = False
    best: Array = field(init=False)  # weights (785, K), so far and in the end
    last: Array = field(init=False)

    def __post_init__(self) -> None:
        self.best = self.model.w

    def take(self, step: int, w: Array, loss: float, accuracy: float) -> None:
        """One more check is evaluated, of the weights `w` (785, K)."""
        self.checks.append((step, loss, accuracy))
        self.stopped = self.stopping.update(loss)
        if self.stopping.waited == 0:
            self.best = w

    def diverged(self) -> bool:
        """Whether a loss was not finite."""
        return not np.isfinite(self.train_loss).all()

    def result(self, per_epoch: int) -> Run | FloatingPointError:
        """The finished run, or the error that says where it diverged."""
        if self.diverged():
            step = int(np.flatnonzero(~np.isfinite(self.train_loss))[0])
            return FloatingPointError(
                f"training diverged: loss {self.train_loss[step]} at step {step} with {self.settings}; "
                "try a smaller learning_rate"
            )
        at, loss, accuracy = (np.array(column) for column in zip(*self.checks, strict=True))
        train_accuracy = np.full(len(at), np.nan)
        if self.train_accuracy:
            train_accuracy[:: self.settings["train_accuracy_every"]] = self.train_accuracy
        return Run(
            steps=len(self.train_loss),
            epoch=(len(self.train_loss) - 1) // per_epoch + 1,
            stopped_early=self.stopped,
            last=self.model.copy(self.last.copy()),
            best=self.model.copy(self.best.copy()),
            best_step=int(at[self.stopping.best_index]),
            history=History(np.array(self.train_loss), at, loss, accuracy, train_accuracy),
            batches_per_epoch=per_epoch,
            settings=self.settings,
        )


class Stack:
    """Runs that share their batches, side by side in one model, so that each product serves them all."""

    def __init__(self, lanes: Sequence[Lane], train: Split, validation: Split, plan: Plan) -> None:
        self.live, self.every, dtype = list(lanes), plan.train_accuracy_every, train.X.dtype
        self.validation = validation.X, np.ascontiguousarray(validation.Y.T)
        start = type(lanes[0].model).stack([lane.model for lane in lanes], dtype)
        self.pixels = Pixels(train.X, start.w, plan.shuffle)
        self.batches = Batches(self.pixels, train.Y, plan)
        self.model = start.copy(self.pixels.compress(start.w))
        rates = np.array([lane.settings["learning_rate"] for lane in lanes], dtype)
        # of several runs as large as w: else NumPy's inner loops run along S alone
        shape = self.model.w.shape if len(lanes) > 1 else 1
        self.model.lam = np.broadcast_to(start.lam * self.pixels.unit**2, shape).copy()
        self.rate = np.broadcast_to(rates / self.pixels.unit**2, shape).copy()
        # what is not yet known: losses of steps, checks (step, weights of all), training accuracies
        self.unlogged: list[tuple[Array, Array]] = []
        self.pending: list[tuple[int, Array]] = []
        self.unscored: list[tuple[Lane, Array]] = []

    def update(self, X: Array, Y: Array) -> None:
        """One step of gradient descent; its logits are kept for `log`."""
        z = self.model.logits(X)
        self.unlogged.append((z, Y))
        gradient = self.model.gradient_at(X, Y, z)
        gradient *= self.rate
        self.model.w -= gradient
        if len(self.unlogged) >= LOGGED:
            self.log()

    def log(self) -> None:
        """Compute the losses of the latest steps, with the weights before them; nothing waits for these."""
        if self.unlogged:
            z, Y = (np.concatenate(parts) for parts in zip(*self.unlogged, strict=True))
            steps = len(self.unlogged), -1, len(self.live)
            losses = self.model.cross_entropy(z, Y).reshape(steps).mean(axis=1, dtype=np.float64)
            for lane, latest in zip(self.live, losses.T.tolist(), strict=True):
                lane.train_loss.extend(latest)
            self.unlogged.clear()

    def check(self, step: int) -> None:
        """Note the weights, and evaluate those noted once the early-stop rule could stop a run.

        Lazy evaluation: the rule cannot fire before, so no step is ever undone; and the weights noted are
        evaluated in one product, which reads X once. A run takes a third of the time.
        """
        self.pending.append((step, self.model.w.copy()))
        due = min(TOGETHER / self.model.w[0].size, *(lane.stopping.earliest_stop() for lane in self.live))
        if len(self.pending) >= due:
            self.evaluate()

    def evaluate(self) -> None:
        """Evaluate the checks noted; runs that stop or have diverged leave."""
        self.log()
        noted = [(step, self.pixels.expand(w)) for step, w in self.pending]
        together = self.model.copy(np.concatenate([w for _, w in noted], axis=2))
        scores = zip(*validate(together, *self.validation), strict=True)
        for (step, w), (_, compressed) in zip(noted, self.pending, strict=True):
            for i, lane in enumerate(self.live):
                lane.take(step, w[..., i], *next(scores))
                if self.every and (len(lane.checks) - 1) % self.every == 0:
                    self.unscored.append((lane, compressed[..., i]))
        self.pending.clear()
        self.keep([not lane.stopped and not lane.diverged() for lane in self.live])
        if sum(w.shape[1] for _, w in self.unscored) >= TOGETHER:
            self.score()

    def keep(self, stay: list[bool]) -> None:
        """Go on with the runs that `stay`."""
        w = self.pixels.expand(self.model.w)
        for i, lane in enumerate(self.live):
            lane.last = w[..., i]
        if not all(stay):
            self.live = [lane for lane, stays in zip(self.live, stay, strict=True) if stays]
            w, lam, self.rate = (
                np.compress(stay, of_all, axis=-1) for of_all in (self.model.w, self.model.lam, self.rate)
            )
            self.model = self.model.copy(w)
            self.model.lam = lam

    def score(self) -> None:
        """Compute the training accuracies that are due; nothing waits for them."""
        due = self.model.copy(np.stack([w for _, w in self.unscored], axis=-1))
        for (lane, _), accuracy in zip(
            self.unscored, accuracies(due, self.pixels, self.batches.Y_rows), strict=True
        ):
            lane.train_accuracy.append(accuracy)
        self.unscored.clear()

    def finish(self) -> None:
        """Evaluate what is left; every run leaves."""
        if self.pending:
            self.evaluate()
        self.log()
        self.keep([False] * len(self.live))
        if self.unscored:
            self.score()


def validate(model: Regression, X: Array, Y_rows: Array) -> tuple[list[float], list[float]]:
    """The mean cross-entropy and the accuracy over X of each model of a stack."""
    loss, right = np.zeros((2, model.w.shape[2]))
    for part in blocks(X):
        z, Y = model.logits(X[part]), Y_rows[:, part].T[..., None]
        loss += model.cross_entropy(z, Y).sum(axis=0, dtype=np.float64)
        right += model.correct(z, Y).sum(axis=0)
    return (loss / len(X)).tolist(), (right / len(X)).tolist()


def accuracies(model: Regression, pixels: Pixels, Y_rows: Array) -> list[float]:
    """The accuracy over all `pixels` of each model of a stack, exact, though most of the work is in float32.

    No decision hangs on these, so a product in half the time will do: a tenth of a run's time. By its error
    bound, n u |x| |w| with n = 785 and u = 2^-24, an example near the border is recognised, and decided again
    in the weights' precision.
    """
    single, right = model.copy(model.w.astype(np.float32)), np.zeros(model.w.shape[2])
    error = 2 * 800 * 2.0**-24 * np.tensordot(pixels.largest, np.abs(model.w), 1).max()  # of a margin
    for part in blocks(pixels.varying):
        Y = Y_rows[:, part].T[..., None]
        margin = model.margin(single.logits(pixels.take(part, np.float32)), Y.astype(np.float32))
        right += (margin > 0).sum(axis=0)
        near = part.start + np.flatnonzero(~(np.abs(margin) > error).all(axis=1))
        exact = model.correct(model.logits(pixels.take(near, model.w.dtype)), Y[near - part.start])
        right += exact.sum(axis=0) - (margin[near - part.start] > 0).sum(axis=0, dtype=float)
    return (right / len(pixels.varying)).tolist()


def blocks(X: Array) -> Iterator[slice]:
    """X in parts of ROWS images."""
    return (slice(start, start + ROWS) for start in range(0, len(X), ROWS))
