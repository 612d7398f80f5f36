"""Figures of runs: loss and accuracy against gradient steps.

A step of the axis is an update made: a check at step s, counted from 0, is drawn at s + 1.
"""

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from assignment1.models import Array
from assignment1.run import Run
from study.figures.style import (
    DASHED,
    DASHES,
    LINE,
    RING,
    TRAINING,
    VALIDATION,
    Entries,
    Limits,
    Look,
    Range,
    around,
    decimal,
    end_names,
    fit,
    in_steps,
    in_style,
    key,
    letter,
    panels,
    run_look,
    shades,
    step_scales,
)

Curve = tuple[Array, Array]  # updates made, and what was measured then
NAMES = {
    "validation_accuracy": "validation accuracy",
    "validation_loss": "validation loss (nats)",
    "train_accuracy": "training accuracy",
}
NARROW = 0.12  # inches: a margin without names
POINTS = 400  # of the training loss, at most: more than the width can show


@in_style
def plot(run: Run) -> Figure:
    """Draw loss and accuracy of any run, on training and validation images, with its settings above.

    The limits hold all that comes after the first epoch.
    """
    _check(run)
    figure, (upper, lower) = panels([1.35, 1.35], right=NARROW, top=0.76, between=0.25)
    _draw_loss(upper, run)
    _draw_accuracy(lower, run)
    left = upper.get_position().x0
    _finish([upper, lower], run, _band(run))
    top = 1 - 0.07 / figure.get_figheight()
    figure.text(left, top, _about(run), va="top")
    return figure


@in_style
def loss(run: Run, ylim: Limits = None) -> Figure:
    """Draw the training and validation loss of a run (2b, 3b), within `ylim` if it ends there.

    The training loss is its mean over an epoch, around each step; the band holds the middle 80% of the single
    batches' losses there. The validation loss is that of every check; a ring marks its lowest.
    """
    _check(run)
    figure, (ax,) = panels([1.25], right=NARROW)
    _draw_loss(ax, run, ylim)
    _finish([ax], run, _band(run))
    return figure


@in_style
def accuracy(run: Run, ylim: Limits = None) -> Figure:
    """Draw the training and validation accuracy of a run at every check (2c, 3c).

    The limits are `ylim` if the run ends there, or those of all that comes after the first epoch. A ring
    marks the check of the lowest validation loss. A run that took no training accuracy shows one curve.
    """
    _check(run)
    figure, (ax,) = panels([1.25], right=NARROW)
    _draw_accuracy(ax, run, ylim)
    entries: Entries = {}
    if np.isfinite(run.history.train_accuracy).any():
        entries["training"] = dict(color=TRAINING)
    _finish([ax], run, entries)
    return figure


def _check(run: object) -> None:
    """Raise TypeError for what is no run."""
    if not isinstance(run, Run):
        raise TypeError(f"run is {run!r:.80}; expected a run, as train returns it")


def _draw_loss(ax: Axes, run: Run, ylim: Limits = None) -> None:
    batches = run.batches_per_epoch
    step, mean, low, high = over_an_epoch(run.history.train_loss, batches)
    ax.fill_between(step, low, high, color=TRAINING, alpha=0.18, linewidth=0)
    ax.plot(step, mean, color=TRAINING)
    ax.set_ylabel("cross-entropy (nats)")
    band = [(step + 1, low), (step + 1, high)]
    _add_validation(ax, run, "validation_loss", ylim, band)


def _draw_accuracy(ax: Axes, run: Run, ylim: Limits = None) -> None:
    step, train = _curve(run, "train_accuracy")
    ax.plot(step, train, color=TRAINING)
    ax.set_ylabel("accuracy")
    _add_validation(ax, run, "validation_accuracy", ylim, [(step, train)])


def _add_validation(ax: Axes, run: Run, measure: str, ylim: Limits, others: list[Curve]) -> None:
    """Draw the validation curve with a ring at the best check, and set the limits.

    The curve lies on a white one, which keeps it apart from those that it crosses.
    """
    step, y = _curve(run, measure)
    ax.plot(step, y, color="white", linewidth=2.4)
    ax.plot(step, y, color=VALIDATION, linestyle=DASHED)
    best = step == run.best_step + 1
    ax.plot(step[best], y[best], **RING, clip_on=False, zorder=5)
    ax.set_xlim(0, run.steps)
    curves = [*others, (step, y)]
    ax.set_ylim(_limits(ylim, curves, run.batches_per_epoch))


def _curve(run: Run, measure: str) -> Curve:
    """Return updates made and a measure, where it was taken."""
    y = getattr(run.history, measure)
    taken = np.isfinite(y)
    return run.history.step[taken] + 1, y[taken]


def over_an_epoch(losses: Array, batches: int) -> tuple[Array, Array, Array, Array]:
    """Return steps, and the mean and the 10th and 90th percentile of an epoch's batch losses around each.

    `losses` is (steps,). An epoch holds every image once, so that its mean is free of what single batches do.
    At the start the window is as wide as the step allows; the last half epoch has none and is left out. A run
    of less than ten epochs has windows of a tenth of its steps.
    """
    half = _half(len(losses), batches)
    last = len(losses) - 1 - half
    apart = np.linspace(0, last, min(last + 1, POINTS))
    steps = np.unique(apart.round().astype(int))
    found = []
    for step in steps:
        reach = min(step, half)
        window = losses[step - reach : step + reach + 1]
        low, high = np.percentile(window, (10, 90))
        found.append((window.mean(), low, high))
    return steps, *np.transpose(found)


def _half(steps: int, batches: int) -> int:
    """Return how many batches a window holds on either side."""
    return min(batches, steps // 10) // 2


def _limits(ylim: Limits, curves: Sequence[Curve], batches: int) -> Range:
    """Return `ylim` if every curve ends within, else limits of what comes after the first epoch.

    Those of a curve that is shorter hold all of it.
    """
    ends = []
    parts = []
    for step, y in curves:
        later = step > batches
        parts.append(y[later] if later.any() else y)
        ends += y[-1:].tolist()
    if ylim:
        low, high = ylim
        if low <= min(ends) and max(ends) <= high:
            return ylim
    return around(np.concatenate(parts))


def _band(run: Run) -> Entries:
    """Return the key's entries for the training loss: its mean, and the band if there is one."""
    half = _half(run.steps, run.batches_per_epoch)
    name = "training"
    if half:
        window = 2 * half + 1
        name += ", mean of an epoch" if window >= run.batches_per_epoch else f", mean of {window} batches"
    entries: Entries = {name: dict(color=TRAINING)}
    if half:
        entries["middle 80% of the batches"] = Patch(facecolor=TRAINING, alpha=0.18)
    return entries


def _finish(axes: Sequence[Axes], run: Run, entries: Entries) -> None:
    """Add the scales of steps, and a key that also has the ring."""
    figure: Any = axes[0].figure
    step_scales(axes, run.batches_per_epoch)
    ring = f"lowest validation loss, after {in_steps(run.best_step + 1)}"
    both = {"validation": Look(color=VALIDATION, linestyle=DASHED), ring: RING}
    key(figure, axes[-1], entries | both)
    fit(figure)


def _about(run: Run) -> str:
    """Return a run's settings and how it ended, in two lines."""
    settings = run.settings
    order = "in file order"
    if settings["shuffle"]:
        once = " once" if settings["shuffle"] == "once" else ""
        order = f"shuffled{once}, seed {settings['seed']}"
    rate = f"learning rate {settings['learning_rate']:g}"
    penalty = f"𝜆 = {settings['lam']:g}"
    batch = f"batches of {settings['batch_size']}"
    return f"{rate}, {penalty}, {batch}, {order};\n{run.ending}"


@in_style
def compare(runs: Mapping[Any, Run], ylim: Limits = None, measure: str = "validation_accuracy") -> Figure:
    """Draw one measure of several runs on one axis, each named at its end by its key (2e).

    `measure` is one of a History: validation_accuracy, validation_loss or train_accuracy. A line break in a
    key breaks the name. Later runs lie above earlier ones. Without `ylim`, or if a run ends outside it, all
    is seen that comes after the first epoch. Raise ValueError for another measure, if there is no run, or if
    their epochs differ.
    """
    batches = _batches(runs)
    runs = {str(name): run for name, run in runs.items()}
    if measure not in NAMES:
        raise ValueError(f"measure is {measure!r}; expected one of {', '.join(NAMES)}")
    lines = sum(1 + name.count("\n") for name in runs)
    height = max(1.15, (lines - 1) * LINE / 72)
    figure, (ax,) = panels([height])
    curves: list[Curve] = []
    ends = []
    for i, (name, run) in enumerate(runs.items()):
        step, y = _curve(run, measure)
        colour, dash = run_look(i)
        ax.plot(step, y, color=colour, linestyle=dash, linewidth=1.1 if curves else 1.6)
        curves.append((step, y))
        end = y[-1] if len(y) else np.nan
        ends.append((end, name, colour))
    steps = max(run.steps for run in runs.values())
    ax.set_ylabel(NAMES[measure])
    ax.set_xlim(0, steps)
    ax.set_ylim(_limits(ylim, curves, batches))
    step_scales([ax], batches)
    end_names(ax, ends)
    fit(figure)
    return figure


@in_style
def lambdas(runs: Mapping[float, Run]) -> Figure:
    """Draw the validation accuracy of a run for each lambda (4c): (a) all, (b) those that end near the top.

    Both panels have the same steps; a dot ends each curve. (a) shows all that comes after the first epoch,
    and (b) the last two thirds of the runs that end within 0.03 of the highest; where that would not enlarge
    (a) by half there is no (b). Lambda 0 is grey and wide, so that the curve of a weak penalty that lies upon
    it leaves it visible. Raise ValueError if there is no run, or if their epochs differ.
    """
    batches = _batches(runs)
    for lam in runs:
        if not isinstance(lam, Real):
            raise TypeError(f"runs has the key {lam}; expected each run under its lambda")
    curves = {lam: _curve(runs[lam], "validation_accuracy") for lam in sorted(runs)}
    whole = _limits(None, list(curves.values()), batches)
    highest = max(y[-1] for _, y in curves.values())
    ends = [y[len(y) // 3 :] for _, y in curves.values() if y[-1] >= highest - 0.03]
    near = around(np.concatenate(ends))
    legend = (len(runs) + 1) * LINE / 72
    heights = [max(1.15, legend)]
    top = 0.36
    if 1.5 * np.ptp(near) < np.ptp(whole):
        heights.append(1)
        top = 0.58
    figure, axes = panels(heights, top=top, between=0.32)
    steps = max(run.steps for run in runs.values())
    for ax, limits in zip(axes, (whole, near), strict=False):
        _draw_lambdas(ax, curves)
        ax.set_ylabel("accuracy")
        ax.set_xlim(0, 1.015 * steps)
        ax.set_ylim(limits)
    if len(axes) == 2:
        letter(axes[0], "a", "every run")
        letter(axes[1], "b", "enlarged")
    step_scales(axes, batches)
    axes[0].legend(loc="upper left", bbox_to_anchor=(1.01, 1.06), title="𝜆")
    fit(figure)
    return figure


def _draw_lambdas(ax: Axes, curves: Mapping[float, Curve]) -> None:
    colours = shades(sum(lam > 0 for lam in curves))
    for i, (lam, (step, y)) in enumerate(curves.items()):
        dash = DASHES[i % len(DASHES)]
        colour = colours.pop(0) if lam else "0.58"
        wide = 1.1 if lam else 2.8
        ax.plot(step, y, color=colour, linestyle=dash, linewidth=wide, label=decimal(lam))
        ax.plot(step[-1:], y[-1:], "o", color=colour, markersize=3.5, zorder=4)


def _batches(runs: Mapping[Any, Run]) -> int:
    """Return the batches of an epoch, those of all runs.

    Raise TypeError for what are no runs, ValueError if there is none, or if their epochs differ.
    """
    if not isinstance(runs, Mapping) or not all(isinstance(run, Run) for run in runs.values()):
        raise TypeError(f"runs is {runs!r:.80}; expected runs by name or lambda, as sweep returns them")
    if not runs:
        raise ValueError("runs is empty; expected one run or more, each by its name or its lambda")
    batches = {run.batches_per_epoch for run in runs.values()}
    if len(batches) > 1:
        raise ValueError(f"epochs of {sorted(batches)} batches have no common scale; expected one size")
    return batches.pop()
