"""A training run: its settings, the rule that ends it, its log on the way and its result."""

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

from assignment1 import arguments
from assignment1.models import Array, Regression


@dataclass(frozen=True)
class Settings:
    """How to train; `train` says what each setting means. The penalty belongs to the model."""

    learning_rate: float
    epochs: int
    batch_size: int = 128
    shuffle: bool | Literal["once"] = True
    seed: int = 0
    patience: int | None = None
    checks_per_epoch: int = 5
    train_accuracy_every: int | None = 1

    def __post_init__(self) -> None:
        checked: dict[str, Any] = {
            "learning_rate": arguments.real("learning_rate", self.learning_rate),
            "shuffle": arguments.choice("shuffle", self.shuffle, (True, False, "once")),
            "seed": arguments.whole("seed", self.seed, low=0),
        }
        for name, value in vars(self).items():
            or_none = ", or None" if name in ("patience", "train_accuracy_every") else ""
            if name not in checked and not (value is None and or_none):
                checked[name] = arguments.whole(name, value, unit=or_none)
        vars(self).update(checked)  # past the frozen object's own guard


@dataclass
class EarlyStopping:
    """Stop after `patience` consecutive checks worse than the best.

    NaN counts as worse, a tie does not; None disables stopping.
    """

    patience: int | None
    best: float = math.inf
    waited: int = 0  # checks since the best

    def update(self, loss: float) -> None:
        """Take the validation loss of the next check."""
        if math.isfinite(loss) and loss <= self.best:
            self.best = loss
            self.waited = 0
        else:
            self.waited += 1

    @property
    def improved(self) -> bool:
        """Whether the latest check is the best so far."""
        return self.waited == 0

    @property
    def stopped(self) -> bool:
        """Whether it is time to stop."""
        return self.patience is not None and self.waited >= self.patience


@dataclass(frozen=True, eq=False, repr=False)
class History:
    """The measurements of a run. Steps are counted from 0: a check at step s follows s + 1 updates."""

    train_loss: Array  # (steps,): each batch's loss in nats, with the weights before its update
    step: Array  # (checks,): the steps at which a check was made
    validation_loss: Array  # (checks,), nats, without the penalty
    validation_accuracy: Array  # (checks,)
    train_accuracy: Array  # (checks,), over all training images; NaN where it was not asked for

    def __repr__(self) -> str:
        lines = [f"History of {len(self.train_loss):,} steps and {len(self.step):,} checks"]
        for name, values in vars(self).items():
            lines.append(f"  {name:20} {values.shape!s:9} {values[:1]} to {values[-1:]}")
        return "\n".join(lines)


@dataclass(frozen=True, eq=False, repr=False)
class Run:
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
    interrupted: bool  # by Ctrl+C or the kernel's interrupt; the run until then is here
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

    @property
    def ending(self) -> str:
        """How and when the run ended, in words."""
        why = "stopped early" if self.stopped_early else "all epochs done"
        if self.interrupted:
            why = "interrupted"
        return f"{why}, in epoch {self.epoch}, at step {self.steps:,}"

    def __repr__(self) -> str:
        h = self.history
        best = int(np.searchsorted(h.step, self.best_step))
        lines = [f"{type(self.last).__name__}: {self.ending}"]
        for name, check in (("best", best), ("last", len(h.step) - 1)):
            loss = h.validation_loss[check]
            digits = f"{loss:.5f}" if loss < 1e6 else f"{loss:.5g}"  # not three hundred of them
            scores = f"validation loss {digits}, accuracy {h.validation_accuracy[check]:.4f}"
            taken = h.train_accuracy[check]
            training = f"; training accuracy {taken:.4f}" if np.isfinite(taken) else ""
            lines.append(f"  {name} check, at step {h.step[check] + 1:,}: {scores}{training}")
        settings = ", ".join(f"{name}={value!r}" for name, value in self.settings.items())
        return "\n".join([*lines, f"  settings: {settings}"])


@dataclass
class Log:
    """The measurements of a run so far; the fields are those of `History`."""

    train_loss: list[float] = field(default_factory=list)
    step: list[int] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    validation_accuracy: list[float] = field(default_factory=list)
    train_accuracy: list[float] = field(default_factory=list)

    def diverged(self) -> bool:
        """Return whether one of the latest losses is not finite."""
        latest = self.train_loss[-1:] + self.validation_loss[-1:]
        return not all(map(math.isfinite, latest))


class RunInProgress:
    """A run and what it has measured so far."""

    def __init__(self, model: Regression, settings: Settings) -> None:
        self.model = model
        self.settings = settings
        self.stopping = EarlyStopping(settings.patience)
        self.log = Log()
        self.best = self.last = model.w
        self.best_step = 0

    def take(self, step: int, w: Array, loss: float, accuracy: float) -> bool:
        """Take the evaluation of one more check, of the weights `w` (785, K); drop what is after the end.

        Return whether the training accuracy is asked for at this check.
        """
        every = self.settings.train_accuracy_every
        due = every is not None and len(self.log.step) % every == 0
        self.log.step.append(step)
        self.log.validation_loss.append(loss)
        self.log.validation_accuracy.append(accuracy)
        self.log.train_accuracy.append(np.nan)  # until it is computed
        self.stopping.update(loss)
        if self.stopping.improved:
            self.best = w
            self.best_step = step
        if self.stopping.stopped:
            self.last = w
            del self.log.train_loss[step + 1 :]
        return due

    def finish(self, per_epoch: int, interrupted: bool) -> Run:
        """Return the run; raise FloatingPointError, which names the step, if the last loss is not finite."""
        log = self.log
        lam = self.model.lam
        words = asdict(self.settings) | {"lam": lam}
        if log.diverged():
            loss = next(x for x in (log.train_loss[-1], log.validation_loss[-1]) if not math.isfinite(x))
            advice = "try a smaller learning_rate" + (" or lam" if lam else "")
            if not math.isfinite(log.train_loss[0]):  # before any update
                advice = "the model's weights at the start, or the inputs X, are too large"
            where = f"the loss is {loss} at step {len(log.train_loss) - 1}"
            raise FloatingPointError(f"training diverged: {where} with {words}; {advice}")
        return Run(
            steps=len(log.train_loss),
            epoch=(len(log.train_loss) - 1) // per_epoch + 1,
            stopped_early=self.stopping.stopped,
            interrupted=interrupted and not self.stopping.stopped,
            last=self.model.copy(self.last.copy()),
            best=self.model.copy(self.best.copy()),
            best_step=self.best_step,
            history=History(**{name: np.array(values) for name, values in vars(log).items()}),
            batches_per_epoch=per_epoch,
            settings=words,
        )
