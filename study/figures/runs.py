"""Figures of runs: loss and accuracy against gradient steps.

A step of the axis is an update made: a check at step s, counted from 0, is drawn at s + 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from assignment1.models import Array
from assignment1.run import Run
from study.figures.style import (
    BLUE,
    DASHED,
    DASHES,
    LINE,
    LOOKS,
    ORANGE,
    RING,
    STYLE,
    decimal,
    end_names,
    epochs_above,
    fit,
    key,
    letter,
    on_white,
    panels,
    shades,
    step_axes,
    steps_below,
)

Limits = tuple[float, float] | None
NAMES = {
    "validation_accuracy": "validation accuracy",
    "validation_loss": "validation loss (nats)",
    "train_accuracy": "training accuracy",
}
POINTS = 400  # of the training loss, at most: more than the width can show


def plot(run: Run) -> Figure:
    """Loss and accuracy of any run, on training and validation images, with its settings above.

    Takes a Run, as `train` and `sweep` return. Its limits hold all that comes after the first epoch.
    """
    with plt.style.context(STYLE):
        figure, (upper, lower) = panels([1.35, 1.35], top=0.9, between=0.25)
        draw_loss(upper, run)
        draw_accuracy(lower, run)
        for ax, quantity in ((upper, "cross-entropy (nats)"), (lower, "accuracy")):
            ax.set(ylabel=quantity, xlim=(0, run.steps))
        epochs_above(upper, run.batches_per_epoch)
        upper.tick_params(labelbottom=False)
        steps_below(lower)
        key(figure, lower, _marks(run, band=True))
        figure.text(upper.get_position().x0, 1 - 0.07 / figure.get_figheight(), _about(run), va="top")
        fit(figure)
    return figure


def loss(run: Run, ylim: Limits = None) -> Figure:
    """Training and validation loss of a run (2b, 3b), within `ylim`, or all that comes after the first epoch.

    The training loss is its mean over an epoch, around each step; the band holds the middle 80% of the single
    batches' losses there. The validation loss is that of every check; a ring marks its lowest.
    """
    with plt.style.context(STYLE):
        figure, ax = step_axes("cross-entropy (nats)", ylim, run.batches_per_epoch)
        draw_loss(ax, run, ylim)
        ax.set_xlim(0, run.steps)
        key(figure, ax, _marks(run, band=True))
        fit(figure)
    return figure


def accuracy(run: Run, ylim: Limits = None) -> Figure:
    """Training and validation accuracy of a run at every check (2c, 3c).

    The limits are `ylim`, or those of all that comes after the first epoch. A ring marks the check of the
    lowest validation loss. A run that took no training accuracy shows one curve.
    """
    with plt.style.context(STYLE):
        figure, ax = step_axes("accuracy", ylim, run.batches_per_epoch)
        draw_accuracy(ax, run, ylim)
        ax.set_xlim(0, run.steps)
        key(figure, ax, _marks(run))
        fit(figure)
    return figure


def draw_loss(ax: Axes, run: Run, ylim: Limits = None) -> None:
    """What `loss` shows, on given axes."""
    x, mean, low, high = over_an_epoch(run.history.train_loss, run.batches_per_epoch)
    validation = run.history.validation_loss
    ax.fill_between(x, low, high, color=BLUE, alpha=0.18, linewidth=0)
    ax.plot(x, mean, color=BLUE)
    on_white(ax, run.history.step + 1, validation, color=ORANGE, linestyle=DASHED)
    _mark(ax, run, validation)
    if ylim is None:
        begun = run.history.step >= run.batches_per_epoch
        later = x >= run.batches_per_epoch
        ax.set_ylim(*_around(*_some((low, later), (high, later), (validation, begun))))
    else:
        ax.set_ylim(ylim)
    window = 2 * _half(run.steps, run.batches_per_epoch) + 1
    kind = "\nepoch’s mean" if window >= run.batches_per_epoch else f"\nmean of {window}"
    training = "training," + kind if window > 1 else "training"
    end_names(ax, [(mean[-1], training, BLUE), (validation[-1], "validation", ORANGE)])


def draw_accuracy(ax: Axes, run: Run, ylim: Limits = None) -> None:
    """What `accuracy` shows, on given axes."""
    step, train, validation = (
        run.history.step + 1,
        run.history.train_accuracy,
        run.history.validation_accuracy,
    )
    taken = np.isfinite(train)
    names = [(validation[-1], "validation", ORANGE)]
    if taken.any():
        ax.plot(step[taken], train[taken], color=BLUE)
        names.append((train[taken][-1], "training", BLUE))
    on_white(ax, step, validation, color=ORANGE, linestyle=DASHED)
    _mark(ax, run, validation)
    if ylim is None:
        begun = step > run.batches_per_epoch
        ax.set_ylim(*_around(*_some((train, taken & begun), (validation, begun))))
    else:
        ax.set_ylim(ylim)
    end_names(ax, names)


def over_an_epoch(losses: Array, batches: int) -> tuple[Array, Array, Array, Array]:
    """Steps, and the mean and the 10th and 90th percentile of the losses of an epoch's batches around each.

    `losses` is (steps,). An epoch holds every image once, so that its mean is free of what single batches do.
    At the start the window is as wide as the step allows; the last half epoch has none and is left out. A run
    of less than ten epochs has windows of a tenth of its steps.
    """
    half = _half(len(losses), batches)
    last = len(losses) - 1 - half
    steps = np.unique(np.linspace(0, last, min(last + 1, POINTS)).round().astype(int))
    windows = [losses[s - min(s, half) : s + min(s, half) + 1] for s in steps]
    low, high = np.array([np.percentile(w, (10, 90)) for w in windows]).T
    return steps, np.array([w.mean() for w in windows]), low, high


def _half(steps: int, batches: int) -> int:
    """How many batches a window holds on either side."""
    return min(batches, steps // 10) // 2


def _around(*curves: Array) -> tuple[float, float]:
    """Limits that leave a margin of 4% around what is finite."""
    values = np.concatenate(curves)
    values = values[np.isfinite(values)]
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    margin = 0.04 * (high - low) or 0.05 * abs(high) or 0.05
    return low - margin, high + margin


def _some(*curves: tuple[Array, NDArray[np.bool_]]) -> list[Array]:
    """The chosen part of each curve, or all of it where nothing is chosen."""
    return [curve[chosen] if chosen.any() else curve for curve, chosen in curves]


def _mark(ax: Axes, run: Run, y: Array) -> None:
    """A ring at the lowest validation loss's check."""
    best = int(np.searchsorted(run.history.step, run.best_step))
    ax.plot(run.best_step + 1, y[best], **RING, clip_on=False, zorder=5)


def _marks(run: Run, band: bool = False) -> list[tuple[Artist, str]]:
    area = Patch(facecolor=BLUE, alpha=0.18)
    wide = band and _half(run.steps, run.batches_per_epoch) > 0
    found = [(area, "middle 80% of the batches")] if wide else []
    return [*found, (Line2D([], [], **RING), f"lowest validation loss, after {run.best_step + 1:,} steps")]


def _about(run: Run) -> str:
    """A run's settings and how it ended, in two lines."""
    s = run.settings
    order = {True: f"shuffled, seed {s.get('seed')}", "once": f"shuffled once, seed {s.get('seed')}"}
    known = {"learning_rate": "learning rate {:g}", "lam": "𝜆 = {:g}", "batch_size": "batches of {}"}
    words = [text.format(s[name]) for name, text in known.items() if name in s]
    words.append(order.get(s.get("shuffle", False), "in file order"))
    end = f"stopped early in epoch {run.epoch}" if run.stopped_early else f"ended with epoch {run.epoch}"
    return f"{', '.join(words)};\n{end}, after {run.steps:,} steps"


def compare(runs: Mapping[str, Run], ylim: Limits = None, measure: str = "validation_accuracy") -> Figure:
    """One measure of several runs on one axis, each named at its end by its key (2e).

    `measure` is one of a History: validation_accuracy, validation_loss or train_accuracy. A line break in a
    key breaks the name. Later runs lie above earlier ones. Without `ylim` all is seen that comes after the
    first epoch.
    """
    _require(runs)
    if measure not in NAMES:
        raise ValueError(f"measure is {measure!r}; expected one of {', '.join(NAMES)}")
    with plt.style.context(STYLE):
        lines = sum(1 + name.count("\n") for name in runs)
        batches = next(iter(runs.values())).batches_per_epoch
        figure, ax = step_axes(NAMES[measure], ylim, batches, height=max(1.5, (lines - 1) * LINE / 72))
        ends = []
        for i, (name, run) in enumerate(runs.items()):
            step, y = _curve(run, measure)
            colour, dash = LOOKS[i % len(LOOKS)]
            ax.plot(step, y, color=colour, linestyle=dash, linewidth=1.6 if i == 0 else 1.1)
            ends.append((y[-1] if len(y) else np.nan, name, colour))
        ax.set_xlim(0, max(run.steps for run in runs.values()))
        if ylim is None:
            ax.set_ylim(*_later((_curve(run, measure) for run in runs.values()), batches))
        end_names(ax, ends)
        fit(figure)
    return figure


def lambdas(runs: Mapping[float, Run], ylim: Limits = None, zoom: Limits = None) -> Figure:
    """Validation accuracy of a run for each lambda (4c): (a) all on one axis, (b) those that end near the
    top.

    Both panels have the same steps; a dot ends each curve. `ylim` and `zoom` are the limits of (a) and (b).
    Without them (a) shows all that comes after the first epoch, and (b) the last two thirds of the runs that
    end within 0.03 of the highest; where that would not enlarge (a) by half there is no (b). Lambda 0 is grey
    and wide, so that the curve of a weak penalty that lies upon it leaves it visible.
    """
    _require(runs)
    with plt.style.context(STYLE):
        curves = {lam: _curve(run, "validation_accuracy") for lam, run in sorted(runs.items())}
        batches = next(iter(runs.values())).batches_per_epoch
        near = _near([y for _, y in curves.values()])
        whole, near = ylim or _later(curves.values(), batches), zoom or near
        both = zoom is not None or 1.5 * (near[1] - near[0]) < whole[1] - whole[0]
        lines = (len(runs) + 1) * LINE / 72
        figure, axes = panels([max(1.35, lines), 1.2][: 1 + both], top=0.72 if both else 0.5, between=0.32)
        for ax, limits in zip(axes, (whole, near), strict=False):
            handles = _draw_lambdas(ax, curves)
            ax.set(ylim=limits, xlim=(0, 1.015 * max(run.steps for run in runs.values())))
            ax.set_ylabel("validation accuracy")
            steps_below(ax)
        if both:
            letter(axes[0], "a", "every run")
            letter(axes[1], "b", "enlarged")
            axes[0].set_xlabel("")
            axes[0].tick_params(labelbottom=False)
        epochs_above(axes[0], batches)
        names = [f"{decimal(lam)}" for lam in curves]
        axes[0].legend(handles, names, loc="upper left", bbox_to_anchor=(1.01, 1.06), title="𝜆")
        fit(figure)
    return figure


def _draw_lambdas(ax: Axes, curves: Mapping[float, tuple[Array, Array]]) -> list[Line2D]:
    handles = []
    positive = iter(shades(sum(lam > 0 for lam in curves)))
    for i, (lam, (step, y)) in enumerate(curves.items()):
        colour = next(positive) if lam > 0 else "0.58"
        # wide without penalty, so that the weakest penalty's curve, which may lie upon it, leaves it visible
        look: dict[str, Any] = dict(
            color=colour, linestyle=DASHES[i % len(DASHES)], linewidth=1.1 if lam else 2.8
        )
        ax.plot(step, y, **look)
        ax.plot(step[-1:], y[-1:], "o", color=colour, markersize=3.5, zorder=4)
        handles.append(Line2D([], [], **look))
    return handles


def _later(curves: Iterable[tuple[Array, Array]], batches: int) -> tuple[float, float]:
    """Limits of what comes after the first epoch."""
    return _around(*_some(*((y, step > batches) for step, y in curves)))


def _near(curves: Sequence[Array]) -> tuple[float, float]:
    """Limits of the last two thirds of the curves that end within 0.03 of the highest."""
    highest = max(y[-1] for y in curves)
    return _around(*(y[len(y) // 3 :] for y in curves if y[-1] >= highest - 0.03))


def _curve(run: Run, measure: str) -> tuple[Array, Array]:
    """Updates made and a measure, where it was taken."""
    y = getattr(run.history, measure)
    taken = np.isfinite(y)
    return run.history.step[taken] + 1, y[taken]


def _require(runs: Mapping[Any, Run]) -> None:
    if not runs:
        raise ValueError("runs is empty; expected one run or more, each by its name or its lambda")
