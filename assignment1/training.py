"""Mini-batch gradient descent with early stopping, for one model or a stack of them."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
from tqdm import tqdm

from assignment1.mnist import Dataset, Split
from assignment1.models import Array, Regression

SCORED = 64  # models whose training accuracies are computed together: more gain nothing
ROWS = 1000  # images at a time in an evaluation: their logits stay in the cache


@dataclass(frozen=True)
class History:
    """What a run measured. A step is counted from 0, so `step` s of a check means after s + 1 updates."""

    train_loss: Array  # (steps,): each batch's loss in nats, with the weights before its update
    step: Array  # (checks,): the steps at which a check was made
    validation_loss: Array  # (checks,), nats, without the penalty
    validation_accuracy: Array  # (checks,)
    train_accuracy: Array  # (checks,), over all training images


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


@dataclass
class Lane:
    """One run while it trains: its model, which keeps its first weights, and what it has measured."""

    model: Regression
    settings: dict[str, Any]
    stopping: EarlyStopping
    last: Array
    best: Array
    train_loss: list[float] = field(default_factory=list)
    checks: list[tuple[int, float, float]] = field(default_factory=list)  # step, validation loss, accuracy
    train_accuracy: list[float] = field(default_factory=list)
    stopped: bool = False

    def take(self, step: int, w: Array, loss: float, accuracy: float) -> None:
        """One more check is evaluated."""
        self.last = w
        self.checks.append((step, loss, accuracy))
        self.stopped = self.stopping.update(loss)
        if self.stopping.waited == 0:
            self.best = w

    def diverged(self) -> int | None:
        """The first step whose loss was not finite."""
        bad = np.flatnonzero(~np.isfinite(self.train_loss))
        return int(bad[0]) if len(bad) else None

    def result(self, per_epoch: int) -> Run | FloatingPointError:
        """The finished run, or the error that tells that it diverged."""
        if (bad := self.diverged()) is not None:
            return FloatingPointError(
                f"training diverged: loss {self.train_loss[bad]} at step {bad} with {self.settings}; "
                "try a smaller learning_rate"
            )
        at, loss, accuracy = (np.array(column) for column in zip(*self.checks, strict=True))
        return Run(
            steps=len(self.train_loss),
            epoch=(len(self.train_loss) - 1) // per_epoch + 1,
            stopped_early=self.stopped,
            last=self.model.copy(self.last.copy()),
            best=self.model.copy(self.best.copy()),
            best_step=int(at[self.stopping.best_index]),
            history=History(np.array(self.train_loss), at, loss, accuracy, np.array(self.train_accuracy)),
            batches_per_epoch=per_epoch,
            settings=self.settings,
        )


def train_stack(
    models: Sequence[Regression],
    rates: Sequence[float],
    train: Split,
    validation: Split,
    *,
    epochs: int,
    batch_size: int,
    shuffle: bool,
    seed: int | None,
    patience: int | None,
    checks_per_epoch: int,
    progress: bool,
) -> list[Run | FloatingPointError]:
    """`train` for models that share all but lam and learning rate: each batch is gathered once for all."""
    shared = dict(epochs=epochs, batch_size=batch_size, shuffle=shuffle, seed=seed, patience=patience)
    shared |= dict(checks_per_epoch=checks_per_epoch)
    X, X_val = train.X, validation.X
    Y_rows, Y_val_rows = np.ascontiguousarray(train.Y.T), np.ascontiguousarray(validation.Y.T)
    stack = type(models[0]).stack(models, X.dtype)
    rate = np.array(rates, X.dtype)
    lanes = [
        Lane(m, dict(learning_rate=r, lam=m.lam) | shared, EarlyStopping(patience), m.w, m.w)
        for m, r in zip(models, rates, strict=True)
    ]
    live = list(lanes)
    pending: list[tuple[int, Array]] = []  # checks not yet evaluated: step, weights of the live lanes
    unscored: list[tuple[Lane, Array]] = []  # weights whose training accuracy is not yet known

    def evaluate() -> None:
        # A check only stores the weights. They are evaluated together, in one product that reads X once, as
        # late as the early-stop rule allows: it cannot fire before, so no step is ever undone.
        nonlocal live, rate, stack
        W = np.concatenate([w.T for _, w in pending]).T
        scores = zip(*validate(stack.copy(W), X_val, Y_val_rows), strict=True)
        for step, w in pending:
            for i, lane in enumerate(live):
                lane.take(step, w[..., i], *next(scores))
                unscored.append((lane, w[..., i]))
        pending.clear()
        go_on = [not lane.stopped and lane.diverged() is None for lane in live]
        if not all(go_on):
            for i, lane in enumerate(live):
                lane.last = stack.w[..., i]
            live = [lane for lane, goes in zip(live, go_on, strict=True) if goes]
            stack = stack.copy(np.ascontiguousarray(stack.w.T[go_on]).T)
            stack.lam, rate = np.array([lane.model.lam for lane in live], X.dtype), rate[go_on]
        if len(unscored) >= SCORED or not live:
            score()

    def score() -> None:
        W = np.stack([w.T for _, w in unscored]).T
        for (lane, _), accuracy in zip(unscored, accuracies(stack.copy(W), X, Y_rows), strict=True):
            lane.train_accuracy.append(accuracy)
        unscored.clear()

    per_epoch = len(X) // batch_size
    check_every = max(per_epoch // checks_per_epoch, 1)
    batches = draw(X, Y_rows, batch_size, np.random.default_rng(seed) if shuffle else None)
    with Progress(total=epochs, disable=not progress) as bar, np.errstate(over="ignore", invalid="ignore"):
        for step, (X_batch, Y_batch) in enumerate(islice(batches, epochs * per_epoch)):
            z = stack.logits(X_batch)
            loss = stack.cross_entropy(z, Y_batch).mean(axis=0, dtype=np.float64)
            for lane, value in zip(live, loss.tolist(), strict=True):
                lane.train_loss.append(value)
            update = stack.gradient_at(X_batch, Y_batch, z)
            update *= rate
            stack.w = stack.w - update
            if step % check_every == 0:
                pending.append((step, stack.w))
                if len(pending) >= min(10, *(lane.stopping.earliest_stop() for lane in live)):
                    evaluate()
            if (step + 1) % per_epoch == 0:
                bar.advance()
            if not live:
                break
        if pending:
            evaluate()
        for i, lane in enumerate(live):
            lane.last = stack.w[..., i]
        if unscored:
            score()
    return [lane.result(per_epoch) for lane in lanes]


def draw(
    X: Array, Y_rows: Array, size: int, rng: np.random.Generator | None
) -> Iterator[tuple[Array, Array]]:
    """Endless batches, in a new order each epoch, or in file order without `rng`."""
    order, X_batch = np.arange(len(X)), np.empty((size, X.shape[1]), X.dtype)
    while True:
        if rng is not None:
            rng.shuffle(order)
        for start in range(0, len(X) - size + 1, size):
            rows = order[start : start + size]
            if rng is None:
                yield X[start : start + size], Y_rows[:, start : start + size].T[..., None]
            else:
                # mode="clip" lets take write straight into the buffer, five times as fast as X[order]
                np.take(X, rows, axis=0, out=X_batch, mode="clip")
                yield X_batch, Y_rows.take(rows, axis=1).T[..., None]


def validate(model: Regression, X: Array, Y_rows: Array) -> tuple[list[float], list[float]]:
    """The mean cross-entropy and the accuracy over X of each model of a stack."""
    loss, right = np.zeros((2, model.w.shape[2]))
    for start in range(0, len(X), ROWS):
        Y = Y_rows[:, start : start + ROWS].T[..., None]
        z = model.logits(X[start : start + ROWS])
        loss += model.cross_entropy(z, Y).sum(axis=0, dtype=np.float64)
        right += model.correct(z, Y).sum(axis=0)
    return (loss / len(X)).tolist(), (right / len(X)).tolist()


def accuracies(model: Regression, X: Array, Y_rows: Array) -> list[float]:
    """The accuracy over X of each model of a stack, exact, though most of the work is in float32.

    No decision hangs on these, so a product in half the time will do. By its error bound, n u |x| |w| with
    n = 785 and u = 2^-24, an example near the border is recognised and decided again in X's own precision.
    """
    single, right = model.copy(model.w.astype(np.float32)), np.zeros(model.w.shape[2])
    error = 2 * 800 * 2.0**-24 * np.abs(model.w).sum(axis=0).max()  # of a margin, for |x| = 1
    for start in range(0, len(X), ROWS):
        X_part, Y = X[start : start + ROWS], Y_rows[:, start : start + ROWS].T[..., None]
        X_single = X_part.astype(np.float32)
        margin = model.margin(single.logits(X_single), Y.astype(np.float32))
        right += (margin > 0).sum(axis=0)
        near = ~(np.abs(margin) > error * np.abs(X_single).max()).all(axis=1)
        exact = model.correct(model.logits(X_part[near]), Y[near])
        right += exact.sum(axis=0) - (margin[near] > 0).sum(axis=0, dtype=float)
    return (right / len(X)).tolist()


def train(
    model: Regression,
    data: Dataset,
    *,
    learning_rate: float,
    epochs: int,
    batch_size: int = 128,
    shuffle: bool = True,
    seed: int | None = None,
    patience: int | None = None,
    checks_per_epoch: int = 5,
    progress: bool = True,
) -> Run:
    """Train a copy of `model` on `data.train`; `model` itself keeps its weights.

    Batches are drawn in file order, or with `shuffle` in a new random order each epoch, by `seed`. The
    validation loss is checked `checks_per_epoch` times an epoch, at most after every step. An incomplete
    last batch is dropped.
    Raises ValueError for a setting out of range and FloatingPointError when the loss diverges.
    """
    shared: dict[str, Any] = dict(epochs=epochs, batch_size=batch_size, shuffle=shuffle, seed=seed)
    shared |= dict(patience=patience, checks_per_epoch=checks_per_epoch)
    check_settings(len(data.train.X), learning_rate=learning_rate, **shared)
    (run,) = train_stack([model], [learning_rate], data.train, data.validation, progress=progress, **shared)
    if isinstance(run, FloatingPointError):
        raise run
    return run


def check_settings(
    N: int,
    *,
    learning_rate: float,
    epochs: int,
    batch_size: int,
    shuffle: bool,
    seed: int | None,
    patience: int | None,
    checks_per_epoch: int,
) -> None:
    """ValueError, naming the value, for a setting that cannot train on N images."""
    whole = "a whole number, 1 or more"
    _require(math.isfinite(learning_rate) and learning_rate > 0, "learning_rate", learning_rate, "above 0")
    _require(isinstance(epochs, int) and epochs >= 1, "epochs", epochs, whole)
    fits = isinstance(batch_size, int) and 1 <= batch_size <= N
    _require(fits, "batch_size", batch_size, f"1 to {N}, the number of images")
    _require(patience is None or patience >= 1, "patience", patience, "1 or more, or None")
    checks = isinstance(checks_per_epoch, int) and checks_per_epoch >= 1
    _require(checks, "checks_per_epoch", checks_per_epoch, whole)
    _require(not shuffle or seed is not None, "seed", seed, "a number, so that the run can be repeated")


def _require(holds: bool, name: str, value: object, expected: str) -> None:
    if not holds:
        raise ValueError(f"{name} is {value!r}; expected {expected}")


class Progress:
    """A tqdm bar that leaves nothing behind in a terminal or a notebook's outputs."""

    def __init__(self, total: int, disable: bool, unit: str = "epoch") -> None:
        self.shown = Cell() if "ipykernel" in sys.modules else sys.stderr
        off = {"disable": True} if disable else {}  # left unsaid, TQDM_DISABLE decides
        self.bar = tqdm(total=total, unit=unit, leave=False, delay=0.5, file=self.shown, **off)

    def __enter__(self) -> Progress:
        return self

    def advance(self, note: str = "") -> None:
        """One more is done."""
        self.bar.set_postfix_str(note, refresh=False)
        self.bar.update()

    def __exit__(self, *exception: object) -> None:
        self.bar.close()
        if isinstance(self.shown, Cell):
            self.shown.clear()


class Cell:
    """A stream whose last line is shown below the running notebook cell, until it is cleared."""

    def __init__(self) -> None:
        self.handle: Any = None

    def write(self, text: str) -> None:
        """Show `text` in place of what was shown before."""
        from IPython.display import DisplayHandle

        line = text.strip("\r\n ")
        if not line:
            return
        if self.handle is None:
            self.handle = DisplayHandle()
            self.handle.display({"text/plain": line}, raw=True)
        else:
            self.handle.update({"text/plain": line}, raw=True)

    def flush(self) -> None:
        """Nothing is buffered."""

    def clear(self) -> None:
        """Take the line away."""
        if self.handle is not None:
            self.handle.update({}, raw=True)
