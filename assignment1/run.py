"""What a training run returns, and the log that it keeps on the way."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from assignment1.models import Array, Regression
from assignment1.shown import Shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from assignment1.training import EarlyStopping, Settings


@dataclass(frozen=True, repr=False)
class History(Shown):
    """What a run measured. Steps are counted from 0: check `step` s sees the weights after s + 1 updates."""

    train_loss: Array  # (steps,): each batch's loss in nats, with the weights before its update
    step: Array  # (checks,): the steps at which a check was made
    validation_loss: Array  # (checks,), nats, without the penalty
    validation_accuracy: Array  # (checks,)
    train_accuracy: Array  # (checks,), over all training images; NaN where it was not asked for


@dataclass(frozen=True, repr=False)
class Run(Shown):
    """A training run: how far it went, its weights and its history.

    >>> run = train(SoftmaxRegression(), load_mnist().softmax(), learning_rate=0.05, epochs=1, progress=False)
    >>> run.steps, run.epoch, run.stopped_early, run.interrupted
    (156, 1, False, False)
    >>> len(run.history.validation_loss), run.model is run.best
    (6, True)
    """

    steps: int  # updates made
    epoch: int  # the epoch in progress at the end, counted from 1
    stopped_early: bool
    interrupted: bool  # by Ctrl+C or the kernel's interrupt; what was done until then is here
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

    def plot(self) -> Figure:
        """Its loss and its accuracy, training and validation, as a figure.

        >>> digits = load_mnist().binary(2, 3)
        >>> figure = train(LogisticRegression(), digits, learning_rate=0.05, epochs=2).plot()
        >>> [ax.get_ylabel() for ax in figure.axes][:1]
        ['...']
        """
        from study import figures  # which a run does not need

        return figures.plot(self)


@dataclass
class Log:
    """What a run has measured so far; the fields are those of `History`."""

    train_loss: list[float] = field(default_factory=list)
    step: list[int] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    validation_accuracy: list[float] = field(default_factory=list)
    train_accuracy: list[float] = field(default_factory=list)  # of the checks at which it was taken

    def diverged(self) -> bool:
        """Whether one of the latest losses is not finite."""
        return not all(
            math.isfinite(losses[-1]) for losses in (self.train_loss, self.validation_loss) if losses
        )

    def finish(
        self,
        settings: Settings,
        stopping: EarlyStopping,
        per_epoch: int,
        *,
        last: Regression,
        best: Regression,
        interrupted: bool,
    ) -> Run:
        """The run. FloatingPointError, which names the step, if a loss is not finite."""
        said = asdict(settings) | {"lam": last.lam}
        losses = [*enumerate(self.train_loss), *zip(self.step, self.validation_loss, strict=True)]
        step, loss = min((at for at in losses if not math.isfinite(at[1])), default=(0, 0.0))
        if not math.isfinite(loss):
            todo = "try a smaller learning_rate" + (" or lam" if last.lam else "")
            if not math.isfinite(self.train_loss[0]):  # before any update
                todo = "the model's weights at the start, or the inputs X, are too large"
            raise FloatingPointError(
                f"training diverged: the loss is {loss} at step {step} with {said}; {todo}"
            )
        train_accuracy = np.full(len(self.step), np.nan)
        if settings.train_accuracy_every:
            train_accuracy[:: settings.train_accuracy_every] = self.train_accuracy
        return Run(
            steps=len(self.train_loss),
            epoch=(len(self.train_loss) - 1) // per_epoch + 1,
            stopped_early=stopping.stopped,
            interrupted=interrupted and not stopping.stopped,
            last=last,
            best=best,
            best_step=self.step[stopping.best_check],
            history=History(
                np.array(self.train_loss),
                np.array(self.step),
                np.array(self.validation_loss),
                np.array(self.validation_accuracy),
                train_accuracy,
            ),
            batches_per_epoch=per_epoch,
            settings=said,
        )
