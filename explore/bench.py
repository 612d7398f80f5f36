"""A bench to train at: settings, curves that grow, a stop that keeps the run, several runs side by side."""

from __future__ import annotations

import threading
import time
from html import escape
from typing import Any

import ipywidgets as widgets
import numpy as np

from assignment1 import arguments
from assignment1.mnist import MNIST, Dataset
from assignment1.models import LogisticRegression, Regression, SoftmaxRegression
from assignment1.run import Log, Run, Settings
from assignment1.training import gradient_descent
from explore.pad import COSTLY, DIGITS, Pad, draw, starts
from explore.pictures import curves, picture, strip
from explore.views import html, text

EVERY = 0.2  # seconds between drawings of the curves
SCORED = 5  # of so many checks, one takes the training accuracy
WORDS = {"description_width": "130px"}
BOX = {"style": WORDS, "layout": {"width": "265px"}}


class Bench(widgets.VBox):
    """Widgets to train with. `runs` has the finished runs by name, `chosen` the one that is shown below."""

    def __init__(self, mnist: MNIST) -> None:
        self.mnist = arguments.instance("mnist", mnist, MNIST, "load_mnist()")
        self.runs, self.logs = dict[str, Run](), dict[str, Log]()
        self.classes, self.per_epoch = dict[str, tuple[str, ...]](), dict[str, int]()
        self.sets: dict[str, Dataset] = {}  # of the runs, by name
        self.made: dict[tuple[int, int] | None, Dataset] = {}
        self.count = 0
        self.thread: threading.Thread | None = None
        self.stopping = threading.Event()
        self._controls()
        rows = [
            widgets.HBox([self.what, self.positive, self.negative], layout={"flex_flow": "row wrap"}),
            widgets.HBox(list(self.settings.values()), layout={"flex_flow": "row wrap"}),
            widgets.HBox([self.go, self.halt, self.forget]),
            self.status,
            self.chart,
            self.choice,
            self.details,
        ]
        super().__init__(rows)
        self._draw()

    def _controls(self) -> None:
        digit = {"options": list(DIGITS), **BOX}
        self.what = widgets.ToggleButtons(
            options=["all ten digits", "two digits"], style={"button_width": "120px"}
        )
        self.positive = widgets.Dropdown(description="one digit", value="4", **digit)
        self.negative = widgets.Dropdown(description="the other", value="9", **digit)
        self.settings = {
            "learning_rate": widgets.BoundedFloatText(value=0.05, min=1e-6, max=100, step=0.01, **BOX),
            "lam": widgets.BoundedFloatText(value=0, min=0, max=10, step=0.001, **BOX),
            "batch_size": widgets.BoundedIntText(value=128, min=1, max=4000, **BOX),
            "epochs": widgets.BoundedIntText(value=20, min=1, max=1000, **BOX),
            "patience": widgets.BoundedIntText(value=10, min=0, max=1000, **BOX),
            "shuffle": widgets.Dropdown(
                options=[("every epoch", True), ("once", "once"), ("not", False)], **BOX
            ),
            "seed": widgets.BoundedIntText(value=0, min=0, max=10**6, **BOX),
        }
        said = {"lam": "lambda (penalty)", "patience": "patience (0: none)"}
        for name, control in self.settings.items():
            control.description = said.get(name, name.replace("_", " "))
        self.go = widgets.Button(description="Train", button_style="primary", icon="play")
        self.halt = widgets.Button(description="Stop and keep", disabled=True, icon="stop")
        self.forget = widgets.Button(description="Forget all runs", icon="trash")
        self.status, self.chart, self.details = (widgets.HTML() for _ in range(3))
        self.choice = widgets.Dropdown(options=[], description="look at run", style=WORDS)
        self.go.on_click(lambda _: self.train())
        self.halt.on_click(lambda _: self.stop())
        self.forget.on_click(lambda _: self._forget())
        self.choice.observe(lambda _: self._look(), "value")
        self.what.observe(lambda _: self._pair(), "value")
        self._pair()

    def train(self, **settings: Any) -> None:
        """Start a run with what the controls say, some of it set first; it goes on in the background.

        ValueError while another is in progress, and for a setting that the controls cannot have.
        """
        if self.thread is not None and self.thread.is_alive():
            raise ValueError("a run is in progress; stop() it, or wait() for its end")
        values = {name: self._checked(name, value) for name, value in settings.items()}
        for name, value in values.items():
            self.settings[name].value = value
        try:
            asked = self._asked()
        except ValueError as error:  # the same digit twice
            self._draw(str(error))
            return
        self.thread = threading.Thread(target=self._train, args=asked, daemon=True)
        self.stopping.clear()
        self.go.disabled, self.halt.disabled, self.forget.disabled = True, False, True
        self.thread.start()

    def _checked(self, name: str, value: object) -> Any:
        """What a control is set to; left to itself it would take the nearest that it can be."""
        if name not in self.settings:
            raise ValueError(f"there is no setting {name}; expected one of {', '.join(self.settings)}")
        control = self.settings[name]
        if isinstance(control, widgets.Dropdown):
            return arguments.choice(name, value, (True, False, "once"))
        if isinstance(control, widgets.BoundedIntText):
            none = name == "patience" and value is None
            return 0 if none else arguments.whole(name, value, control.min, control.max)
        number = arguments.real(name, value, zero=True)
        if control.min <= number <= control.max:
            return number
        raise ValueError(f"{name} is {number:g}; expected {control.min:g} to {control.max:g}")

    def stop(self) -> None:
        """End the run in progress; what it has done is kept."""
        self.stopping.set()

    def wait(self) -> Run:
        """The latest run, once it has ended; ValueError if there is none."""
        if self.thread is not None:
            self.thread.join()
        return self._found(next(reversed(self.runs), None))

    def _repr_mimebundle_(self, **arguments: Any) -> dict[str, Any]:
        """The widgets; and, for where there is no kernel, the curves and the chosen run as they are."""
        data = super()._repr_mimebundle_(**arguments)
        drawing, end, keys = self.chart.value.partition("</svg>")
        still = picture(drawing + end) + keys + self.details.value
        return data | {"text/html": still, "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"Bench: {len(self.runs)} run{'s' * (len(self.runs) != 1)}: {'; '.join(self.runs)}"

    @property
    def chosen(self) -> Run:
        """The run that is shown; ValueError if there is none."""
        return self._found(self.choice.value)

    def _found(self, name: str | None) -> Run:
        if name is None:
            raise ValueError("no run is there yet; press Train, or call train() and wait()")
        return self.runs[name]

    def pad(self) -> Pad:
        """A pad for the best weights of the chosen run."""
        name = self.choice.value
        return draw(self.chosen.best, self.sets[name], self.classes[name], f"run {name}")

    def _asked(self) -> tuple[str, Regression, Dataset, tuple[str, ...], dict[str, Any]]:
        settings = {name: control.value for name, control in self.settings.items()}
        settings["patience"] = settings["patience"] or None
        lam, two = settings.pop("lam"), self.what.value == "two digits"
        classes = (self.positive.value, self.negative.value) if two else DIGITS
        own = f"{' and '.join(classes) if two else 'all digits'}, rate {settings['learning_rate']:g}"
        own += f", lambda {lam:g}" if lam else ""
        model = LogisticRegression(lam) if two else SoftmaxRegression(lam)
        pair = int(classes[0]), int(classes[1])
        data = self._data(pair if two else None)
        self.count += 1
        return f"{self.count}: {own}", model, data, classes, settings

    def _data(self, pair: tuple[int, int] | None) -> Dataset:
        """All digits, or two; each set is made once."""
        if pair not in self.made:
            self.made[pair] = self.mnist.binary(*pair, np.float32) if pair else self.mnist.softmax(np.float32)
        return self.made[pair]

    def _train(
        self, name: str, model: Regression, data: Dataset, classes: tuple[str, ...], settings: dict[str, Any]
    ) -> None:
        """A whole run, in a thread of its own."""
        drawn = 0.0

        def watch(log: Log) -> None:
            nonlocal drawn
            self.logs[name] = log
            if log.step and time.monotonic() - drawn > EVERY:
                epoch, updates = log.step[-1] // self.per_epoch[name] + 1, len(log.train_loss)
                self._draw(f"{name}: epoch {epoch} of {settings['epochs']}, {updates:,} updates")
                drawn = time.monotonic()

        self.per_epoch[name] = max(len(data.train.X) // settings["batch_size"], 1)
        chosen = Settings(**settings, train_accuracy_every=SCORED)
        try:
            quiet = np.errstate(over="ignore", invalid="ignore")  # a run that diverges ends with an error
            with quiet:
                self.runs[name] = gradient_descent(model, data, chosen, stop=self.stopping, watch=watch)
        except Exception as error:  # it is told, and the bench goes on
            self.logs.pop(name, None)
            self._draw(f"This run failed: {error}")
        else:
            self.sets[name], self.classes[name] = data, classes
            self._draw(text(self.runs[name]).splitlines()[0])
            self.choice.options = list(self.runs)
            self.choice.value = name
        self.go.disabled, self.halt.disabled, self.forget.disabled = False, True, False

    def _draw(self, words: str = "Press Train.") -> None:
        self.chart.value = curves(self.logs, self.per_epoch, SCORED)
        self.status.value = f'<div role="status">{escape(words)}</div>'

    def _look(self) -> None:
        """Show the chosen run: its summary, its weights and what it misclassifies at the highest cost."""
        name = self.choice.value
        if name not in self.runs:
            self.details.value = ""
            return
        best, classes = self.runs[name].best, self.classes[name]
        found = starts(best, self.sets[name].validation, classes, random=1, costly=min(COSTLY, 8))
        summary = f"<pre style='white-space:pre-wrap'>{escape(text(self.runs[name]))}</pre>"
        self.details.value = summary + html(best) + strip(list(found.images[1:]), found.titles[1:])

    def _forget(self) -> None:
        self.runs.clear()
        self.logs.clear()
        self.choice.options = []
        self._draw()

    def _pair(self) -> None:
        for control in (self.positive, self.negative):
            control.disabled = self.what.value != "two digits"
