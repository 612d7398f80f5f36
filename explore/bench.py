"""A bench to train at: settings, curves that grow, a stop that keeps the run, several runs side by side."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from numbers import Real
from typing import Any

import ipywidgets as widgets
import numpy as np

from assignment1 import arguments
from assignment1.mnist import MNIST, Dataset, preprocess
from assignment1.models import LogisticRegression, Regression, SoftmaxRegression
from assignment1.progress import Interrupt
from assignment1.run import Log, Run, Settings
from assignment1.training import gradient_descent
from explore.pad import DIGITS, Pad, draw, starts
from explore.paths import Data, columns
from explore.pictures import curves, strip
from explore.views import of_model, words

EVERY = 0.2  # seconds between drawings of the curves
SCORED = 5  # of so many checks, one takes the training accuracy
COSTLY = 8  # images shown of a run
BOX: Data = {"style": {"description_width": "130px"}, "layout": {"width": "265px"}}
WRAP = {"flex_flow": "row wrap"}
ORDERS = {"every epoch": True, "once": "once", "not": False}

Choice = widgets.Dropdown
Number = widgets.FloatText  # IntText takes 1e9 for 1
LIMITS: Data = {  # the least and the greatest, of its kind; a bounded control would change a number unsaid
    "learning_rate": (1e-6, 100.0),
    "lam": (0.0, 10.0),
    "batch_size": (1, 4000),
    "epochs": (1, 1000),
    "patience": (0, 1000),
    "seed": (0, 10**6),
}


@dataclass
class Trial:
    """A run that was asked for: what is trained on what, and how far it went."""

    model: Regression
    data: Dataset
    classes: tuple[str, ...]
    settings: Settings
    log: Log
    run: Run | None = None  # once it has ended

    @property
    def per_epoch(self) -> int:
        """The steps in an epoch."""
        return len(self.data.train.X) // self.settings.batch_size


class Bench(widgets.VBox):
    """Widgets to train with. `runs` has the finished runs by name, `chosen` the one that is shown below.

    While a run trains, its weights are shown, and what it makes of the drawing on a `pad`, if there is one.
    """

    drawing: Pad | None = None
    failure: Exception | None = None  # of the latest run

    def __init__(self, mnist: MNIST, drawing: Pad | None = None) -> None:
        self.stopping = threading.Event()  # which close() sets, also of what is refused
        arguments.instance("mnist", mnist, MNIST, "load_mnist()")
        if drawing is not None:
            self.drawing = arguments.instance("drawing", drawing, Pad, "draw(model, mnist)")
            drawing.observe(self._follow, "pixels")
        self.trials: dict[str, Trial] = {}
        self.count = 0
        self.thread = threading.Thread()
        self.all_digits = cache(lambda: mnist.softmax(np.float32))
        self.two_digits = cache(lambda one, other: mnist.binary(one, other, np.float32))
        self.what = widgets.ToggleButtons(options=["all ten digits", "two digits"])
        self.what.style.button_width = "120px"
        self.positive = _control(Choice, "one digit", "4", options=DIGITS)
        self.negative = _control(Choice, "the other", "9", options=DIGITS)
        for digit in (self.positive, self.negative):
            widgets.dlink((self.what, "value"), (digit, "disabled"), lambda what: what != "two digits")
        self.settings = {
            "learning_rate": _control(Number, "learning rate", 0.05, step=0.01),
            "lam": _control(Number, "lambda (penalty)", 0, step=0.001),
            "batch_size": _control(Number, "batch size", 128),
            "epochs": _control(Number, "epochs", 20),
            "patience": _control(Number, "patience (0: none)", 10),
            "shuffle": _control(Choice, "shuffle", True, options=ORDERS),
            "seed": _control(Number, "seed", 0),
        }
        self.usual = {name: control.value for name, control in self.settings.items()}
        self.go = _button("Train", "play", self._press)
        self.go.button_style = "primary"
        self.halt = _button("Stop and keep", "stop", self.stop)
        self.forget = _button("Forget all runs", "trash", self._forget)
        self.status = widgets.HTML()
        self.chart = widgets.HTML()
        self.choice = _control(Choice, "look at run", None, options=[])
        self.choice.layout.width = "auto"
        self.choice.observe(self._look, "value")
        self.details = widgets.HTML()
        self._busy(False)
        self._draw("Press Train.")
        digits = widgets.HBox([self.what, self.positive, self.negative], layout=WRAP)
        settings = widgets.HBox(list(self.settings.values()), layout=WRAP)
        buttons = widgets.HBox([self.go, self.halt, self.forget], layout=WRAP)
        super().__init__([digits, settings, buttons, self.status, self.chart, self.choice, self.details])

    @property
    def runs(self) -> dict[str, Run]:
        """The finished runs by name."""
        return {name: trial.run for name, trial in self.trials.items() if trial.run}

    @property
    def chosen(self) -> Run:
        """The run that is shown; ValueError if there is none."""
        return self._found(self.choice.value)

    def _found(self, name: str | None) -> Run:
        if name is None:
            raise ValueError("no run is there yet; press Train, or call train() and wait()")
        return self.runs[name]

    def pad(self) -> Pad:
        """Return a pad for the best weights of the chosen run; raise ValueError if there is none."""
        best = self.chosen.best
        trial = self.trials[self.choice.value]
        return draw(best, trial.data, trial.classes, f"run {self.choice.value}")

    def train(self, **settings: Any) -> None:
        """Start a run with the settings of the controls, some of them set first, in the background.

        Raise ValueError while another run is in progress, and for a setting that no run can have.
        """
        if self.thread.is_alive():
            raise ValueError("a run is in progress; stop() it, or wait() for its end")
        values = {name: self._checked(name, value) for name, value in settings.items()}
        for name, value in values.items():
            self.settings[name].value = value
        name, trial = self._asked()
        self.failure = None
        self.thread = threading.Thread(target=self._train, args=(name, trial), daemon=True)
        self.stopping.clear()
        self._busy(True)
        self.thread.start()

    def _press(self) -> None:
        """Start a run, or tell why there can be none."""
        try:
            self.train()
        except ValueError as error:  # the same digit twice, or a number beyond its limits
            self._draw(str(error))

    def stop(self) -> None:
        """End the run in progress, which is kept."""
        self.stopping.set()

    def close(self) -> None:
        """End the run in progress, and close the widget, as a cell that is run again does."""
        self.stop()
        if self.drawing is not None:
            self.drawing.unobserve(self._follow, "pixels")
        super().close()

    def wait(self) -> Run:
        """Return the latest run, once it has ended; raise what it failed by, or ValueError if there is none.

        An interrupt ends the run, which is kept.
        """
        if self.thread.ident:  # it was started
            with Interrupt(self.stop):
                self.thread.join()
        if self.failure:
            raise self.failure.with_traceback(None)  # or it has the lines of an earlier cell, too
        return self._found(next(reversed(self.runs), None))

    def _checked(self, name: str, value: object) -> Any:
        """Return a value that a run can have; raise ValueError for another."""
        if name not in self.settings:
            raise ValueError(f"there is no setting {name}; expected one of {', '.join(self.settings)}")
        label = self.settings[name].description
        if name == "shuffle":
            return arguments.choice(label, value, (True, False, "once"))
        if name == "patience" and value is None:
            return 0
        low, high = LIMITS[name]
        kind = type(low)
        number = isinstance(value, Real) and not isinstance(value, bool)
        if number and low <= value <= high and kind(value) == value:
            return kind(value)
        raise ValueError(
            f"{label} is {arguments.shown(value).removesuffix('.0')}; "
            f"expected {'a whole number, ' * (kind is int)}{low:g} to {high:,.7g}"
        )

    def _asked(self) -> tuple[str, Trial]:
        values = {name: self._checked(name, control.value) for name, control in self.settings.items()}
        differ = ""
        for key, value in values.items():
            if key == "learning_rate" or value != self.usual[key]:
                label, *_ = self.settings[key].description.split(" (")
                differ += f", {label} {value}"
        values["patience"] = values["patience"] or None
        lam = values.pop("lam")
        if self.what.value == "two digits":
            classes: tuple[str, ...] = (self.positive.value, self.negative.value)
            name = " and ".join(classes)
            data = self.two_digits(*map(int, classes))
            model: Regression = LogisticRegression(lam)
        else:
            classes = DIGITS
            name = "all digits"
            data = self.all_digits()
            model = SoftmaxRegression(lam)
        self.count += 1
        name = f"{self.count}: {name}{differ}"
        settings = Settings(**values, train_accuracy_every=SCORED)
        return name, Trial(model, data, classes, settings, Log())

    def _train(self, name: str, trial: Trial) -> None:
        """Make a whole run, in a thread of its own."""
        drawn = 0.0

        def watch(log: Log, model: Regression) -> None:
            nonlocal drawn
            trial.log = log
            if time.monotonic() - drawn > EVERY:
                epoch = log.step[-1] // trial.per_epoch + 1
                far = f"epoch {epoch} of {trial.settings.epochs}, step {len(log.train_loss):,}"
                self._draw(f"{name}: {far}")
                self.details.value = f"<p>{escape(name)}, so far:</p>" + self._seen(model, trial.classes)
                drawn = time.monotonic()

        self.trials[name] = trial
        try:
            with np.errstate(over="ignore", invalid="ignore"):  # a run that diverges ends with an error
                trial.run = gradient_descent(
                    trial.model, trial.data, trial.settings, stop=self.stopping, watch=watch
                )
        except Exception as error:  # it is told, and the bench goes on
            self.failure = error
            del self.trials[name]
            self._draw(f"This run failed: {error}")
            self._look(None)
        else:
            self._draw(f"{type(trial.model).__name__}: {trial.run.ending}")
            self.choice.options = list(self.runs)
            self.choice.value = name
        self._busy(False)

    def _busy(self, busy: bool) -> None:
        self.go.disabled = self.forget.disabled = self.choice.disabled = busy
        self.halt.disabled = not busy

    def _draw(self, status: str) -> None:
        logs = [(name, trial.log, trial.per_epoch) for name, trial in self.trials.items()]
        self.chart.value = curves(logs)
        self.status.value = f'<div role="status">{escape(status)}</div>'

    def _look(self, change: object) -> None:
        """Show the chosen run: its summary, its weights and the images that it misclassifies at most cost."""
        name = self.choice.value
        if name is None:
            self.details.value = ""
            return
        trial = self.trials[name]
        run = self.runs[name]
        found = starts(run.best, trial.data.validation, trial.classes, random=0, costly=COSTLY)
        seen = self._seen(run.best, trial.classes)
        self.details.value = words(run) + seen + strip(found.images, found.titles)

    def _follow(self, change: object) -> None:
        """Show what the chosen run makes of another drawing; a run that trains does so by itself."""
        if not self.thread.is_alive():
            self._look(change)

    def _seen(self, model: Regression, classes: Sequence[str]) -> str:
        """Return a model's weights as images, and what it makes of the drawing."""
        weights = words(model) + of_model(model, classes)
        if self.drawing is None or not self.drawing.image.any():
            return weights
        X = preprocess(self.drawing.image)
        z = X @ columns(model)
        (P,) = SoftmaxRegression.activation(z)
        what = "The example on the pad" if self.drawing.fresh else "Your drawing"
        return f"<p>{what}: {classes[P.argmax()]} with {P.max():.1%}.</p>{weights}"

    def _forget(self) -> None:
        self.trials.clear()
        self.choice.options = []
        self._draw("Press Train.")

    def _repr_mimebundle_(self, **arguments: Any) -> Data:
        """Return the widgets and, for where there is no kernel, the curves and the chosen run."""
        data = super()._repr_mimebundle_(**arguments)
        still = self.chart.value + self.details.value
        return data | {"text/html": still, "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"Bench: {len(self.runs)} run{'s' * (len(self.runs) != 1)}: {'; '.join(self.runs)}"


def _control(kind: Any, name: str, value: Any, **options: Any) -> Any:
    return kind(description=name, value=value, **options, **BOX)


def _button(name: str, icon: str, act: Callable[[], object]) -> widgets.Button:
    button = widgets.Button(description=name, icon=icon, layout={"width": "auto"})
    button.on_click(lambda _: act())
    return button
