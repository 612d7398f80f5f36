"""Mini-batch gradient descent with early stopping."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from tqdm import tqdm

from assignment1.mnist import Dataset
from assignment1.models import Array, Regression


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
    seen: int = field(default=0)

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
    (X, Y), (X_val, Y_val) = data.train, data.validation
    N = len(X)
    settings: dict[str, Any] = dict(learning_rate=learning_rate, epochs=epochs, batch_size=batch_size)
    settings |= dict(shuffle=shuffle, seed=seed, patience=patience, lam=model.lam)
    settings |= dict(checks_per_epoch=checks_per_epoch)
    _require(math.isfinite(learning_rate) and learning_rate > 0, "learning_rate", learning_rate, "above 0")
    _require(isinstance(epochs, int) and epochs >= 1, "epochs", epochs, "a whole number, 1 or more")
    _require(
        isinstance(batch_size, int) and 1 <= batch_size <= N,
        "batch_size",
        batch_size,
        f"1 to {N}, the number of images",
    )
    _require(patience is None or patience >= 1, "patience", patience, "1 or more, or None")
    _require(
        isinstance(checks_per_epoch, int) and checks_per_epoch >= 1,
        "checks_per_epoch",
        checks_per_epoch,
        "a whole number, 1 or more",
    )
    _require(not shuffle or seed is not None, "seed", seed, "a number, so that the run can be repeated")

    batches = settings["batches_per_epoch"] = N // batch_size
    check_every = max(batches // checks_per_epoch, 1)
    rng = np.random.default_rng(seed)
    model = model.copy(model.w.astype(X.dtype))
    stopping = EarlyStopping(patience)
    losses: list[float] = []
    pending: list[tuple[int, Array]] = []  # checks not yet evaluated: step, copy of the weights
    checked: list[tuple[int, float, float, float]] = []
    best = model.w
    order, X_batch, stop = np.arange(N), np.empty((batch_size, X.shape[1]), X.dtype), False

    def evaluate() -> bool:
        # A check only stores the weights. They are evaluated together, in one product that reads X once, as
        # late as the early-stop rule allows: it cannot fire before, so no step is ever undone.
        nonlocal best
        K = model.w.shape[1]
        W = np.hstack([w for _, w in pending])
        Z_val, Z = X_val @ W, X @ W
        done = False
        for i, (step, w) in enumerate(pending):
            z_val, z = Z_val[:, i * K : (i + 1) * K], Z[:, i * K : (i + 1) * K]
            loss = float(model.cross_entropy(z_val, Y_val).mean(dtype=np.float64))
            scores = (float(model.correct(z_val, Y_val).mean()), float(model.correct(z, Y).mean()))
            checked.append((step, loss, *scores))
            done = stopping.update(loss)
            if stopping.waited == 0:
                best = w
        pending.clear()
        return done

    step, epoch = 0, 1
    with Progress(total=epochs, disable=not progress) as bar:
        for epoch in range(1, epochs + 1):  # noqa: B007
            if shuffle:
                rng.shuffle(order)
            for b in range(batches):
                rows = slice(b * batch_size, (b + 1) * batch_size)
                if shuffle:
                    # mode="clip" lets take write straight into the buffer, five times as fast as X[order]
                    np.take(X, order[rows], axis=0, out=X_batch, mode="clip")
                    Y_batch = Y[order[rows]]
                else:
                    X_batch, Y_batch = X[rows], Y[rows]
                z = model.logits(X_batch)
                losses.append(float(model.cross_entropy(z, Y_batch).mean(dtype=np.float64)))
                if not math.isfinite(losses[-1]):
                    raise FloatingPointError(
                        f"training diverged: loss {losses[-1]} at step {step} with {settings}; "
                        "try a smaller learning_rate"
                    )
                model.w = model.w - learning_rate * model.gradient_at(X_batch, Y_batch, z)
                if step % check_every == 0:
                    pending.append((step, model.w))
                    if len(pending) >= min(stopping.earliest_stop(), 10):
                        stop = evaluate()
                step += 1
                if stop:
                    break
            bar.advance(checked[-1][1] if checked else math.nan)
            if stop:
                break
        if pending:
            evaluate()

    at, val_loss, val_accuracy, train_accuracy = (np.array(column) for column in zip(*checked, strict=True))
    return Run(
        steps=step,
        epoch=epoch,
        stopped_early=stop,
        last=model,
        best=model.copy(best),
        best_step=int(at[stopping.best_index]),
        history=History(np.array(losses), at, val_loss, val_accuracy, train_accuracy),
        settings=settings,
    )


def _require(holds: bool, name: str, value: object, expected: str) -> None:
    if not holds:
        raise ValueError(f"{name} is {value!r}; expected {expected}")


class Progress:
    """A tqdm bar over epochs that leaves nothing behind in a terminal or a notebook's outputs."""

    def __init__(self, total: int, disable: bool) -> None:
        self.shown = Cell() if "ipykernel" in sys.modules else sys.stderr
        self.bar = tqdm(total=total, unit="epoch", leave=False, delay=0.5, file=self.shown, disable=disable)

    def __enter__(self) -> Progress:
        return self

    def advance(self, validation_loss: float) -> None:
        """One more epoch is done."""
        self.bar.set_postfix_str(f"validation loss {validation_loss:.4f}", refresh=False)
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
