"""The report's figures: each function takes runs and returns a matplotlib Figure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from assignment1.models import Array
from assignment1.training import Run

STYLE = ["default", str(Path(__file__).with_name("report.mplstyle"))]
BLUE, ORANGE, GREEN, PURPLE, BLACK = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000"
LAMBDA_COLOURS = {0.0: BLACK, 0.001: BLUE, 0.01: GREEN, 0.1: PURPLE, 1.0: ORANGE}
DASHES = ["-", "--", "-.", ":", (0, (5, 1))]
WIDTH = 6.3  # inches: the report's text width


def axes(ylabel: str, ylim: tuple[float, float], height: float = 3.0) -> tuple[Figure, Axes]:
    """An empty figure of the text's width with gradient steps below."""
    figure, ax = plt.subplots(figsize=(WIDTH, height))
    ax.set(xlabel="gradient steps", ylabel=ylabel, ylim=ylim)
    return figure, ax


def label(ax: Axes, x: float, y: float, text: str, colour: str) -> None:
    """Name a curve at its right end, in its colour."""
    ax.annotate(
        text, (x, y), xytext=(4, 0), textcoords="offset points", color=colour, va="center", fontsize=8
    )


def mark(ax: Axes, run: Run) -> None:
    """Mark the best step and the early stop."""
    low, high = ax.get_ylim()
    marks = [(run.best_step, "best", "left" if not run.stopped_early else "right")]
    marks += [(run.steps - 1, "stop", "left")] if run.stopped_early else []
    for step, name, _ in marks:
        ax.axvline(step, color="0.4", linewidth=0.7, linestyle=":")
        ax.annotate(
            name,
            (step, high - 0.03 * (high - low)),
            xytext=(-3 if name == "best" else 3, 0),
            textcoords="offset points",
            ha="right" if name == "best" else "left",
            va="top",
            fontsize=8,
            color="0.3",
        )


def loss(run: Run, ylim: tuple[float, float]) -> Figure:
    """Training loss, mean and standard deviation over ten steps, beside the validation loss (2b, 3b)."""
    with plt.style.context(STYLE):
        figure, ax = axes("cross-entropy (nats)", ylim)
        tens = run.history.train_loss[: run.steps // 10 * 10].reshape(-1, 10)
        x, mean, deviation = np.arange(len(tens)) * 10 + 4.5, tens.mean(axis=1), tens.std(axis=1)
        ax.fill_between(x, mean - deviation, mean + deviation, color=BLUE, alpha=0.2, linewidth=0)
        ax.plot(x, mean, color=BLUE, label="training: mean of ten steps (band: one standard deviation)")
        ax.plot(
            run.history.step, run.history.validation_loss, "--", color=ORANGE, label="validation: each check"
        )
        ax.legend(frameon=False, fontsize=8, loc="upper center")
        mark(ax, run)
    return figure


def accuracy(run: Run, ylim: tuple[float, float]) -> Figure:
    """Training and validation accuracy at every check (2c, 3c)."""
    with plt.style.context(STYLE):
        figure, ax = axes("accuracy", ylim)
        ax.plot(run.history.step, run.history.train_accuracy, color=BLUE, label="training")
        ax.plot(run.history.step, run.history.validation_accuracy, "--", color=ORANGE, label="validation")
        ax.legend(frameon=False, fontsize=8, loc="lower right")
        mark(ax, run)
    return figure


def validation_accuracies(runs: Mapping[str, Run], ylim: tuple[float, float]) -> Figure:
    """Validation accuracy of several runs on one axis (2e)."""
    with plt.style.context(STYLE):
        figure, ax = axes("validation accuracy", ylim)
        for (name, run), colour, dash in zip(runs.items(), (ORANGE, BLUE), DASHES, strict=False):
            ax.plot(
                run.history.step, run.history.validation_accuracy, linestyle=dash, color=colour, label=name
            )
        ax.legend(frameon=False, fontsize=8, loc="lower right")
    return figure


def lambdas(runs: Mapping[float, Run], ylim: tuple[float, float]) -> Figure:
    """Validation accuracy for every lambda, zoomed, with the whole range in an inset (4c)."""
    with plt.style.context(STYLE):
        figure, ax = axes("validation accuracy", ylim, height=3.6)
        inset = ax.inset_axes((0.55, 0.12, 0.4, 0.33))
        for (lam, run), dash in zip(runs.items(), DASHES, strict=True):
            for where in (ax, inset):
                where.plot(
                    run.history.step,
                    run.history.validation_accuracy,
                    color=LAMBDA_COLOURS[lam],
                    linestyle=dash,
                    linewidth=1.1 if where is ax else 0.6,
                    label=rf"$\lambda$ = {lam:g}",
                )
        ax.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
        inset.tick_params(labelsize=6)
        inset.set_title("whole range", fontsize=7)
    return figure


def weights(models: Mapping[float, Array]) -> Figure:
    """Each class's weights as an image, a row for each lambda (4b)."""
    with plt.style.context(STYLE):
        figure, grid = plt.subplots(len(models), 10, figsize=(WIDTH, 1.9), squeeze=False)
        for row, (lam, w) in zip(grid, models.items(), strict=True):
            top = np.abs(w[:784]).max()
            for digit, ax in enumerate(row):
                image = ax.imshow(
                    w[:784, digit].reshape(28, 28), cmap="RdBu_r", vmin=-top, vmax=top, interpolation="none"
                )
                ax.set(xticks=[], yticks=[])
                ax.spines[:].set_visible(False)
                if row is grid[0]:
                    ax.set_title(str(digit))
            row[0].set_ylabel(rf"$\lambda$ = {lam:g}")
            figure.colorbar(image, ax=list(row), fraction=0.03, pad=0.01).ax.tick_params(labelsize=6)
    return figure


def norms(runs: Mapping[float, Run]) -> Figure:
    """The weights' length (Euclidean norm) at the end of training against lambda (4e)."""
    with plt.style.context(STYLE):
        figure, ax = plt.subplots(figsize=(WIDTH, 2.6))
        lengths = [float(np.linalg.norm(run.last.w)) for run in runs.values()]
        ax.plot(range(len(runs)), lengths, "o", color=BLUE)
        for x, length in enumerate(lengths):
            ax.annotate(f"{length:.3f}", (x, length), xytext=(0, 5), textcoords="offset points", ha="center")
        ax.set(xlabel=r"$\lambda$", ylabel=r"length $|w|$", ylim=(0, max(lengths) * 1.2))
        ax.set_xticks(range(len(runs)), [f"{lam:g}" for lam in runs])
    return figure


# Evidence of tasks 2e and 3d


def every_step(step: Array, loss: Array, check_every: int) -> Figure:
    """The validation loss after every step, and what a check now and then sees of it (2e)."""
    with plt.style.context(STYLE):
        figure, ax = axes("validation loss (nats)", (0.06, loss.max() + 0.01), height=2.6)
        seen = step % check_every == 0
        ax.plot(step, loss, color="0.65", linewidth=0.7)
        ax.plot(step[seen], loss[seen], "o", color=BLUE, markersize=2.2)
        hit = seen & (loss > np.median(loss) + 0.02)
        ax.plot(step[hit], loss[hit], "o", color=ORANGE, markersize=7, fillstyle="none")
        for at in np.flatnonzero(hit):
            above = (step[at], loss[at] + 0.004)
            ax.annotate(f"step {step[at]}", above, color=ORANGE, ha="center", va="bottom", fontsize=8)
        ax.text(
            0.99,
            0.97,
            "grey: every step\ndots: checks",
            transform=ax.transAxes,
            ha="right",
            va="top",
            fontsize=8,
        )
        ax.set_xlim(step[0], step[-1])
    return figure


def by_batch(rise: Array, norm: Array) -> Figure:
    """What each batch's update does to the validation loss, and its gradient's length (2e).

    Both are (batches,), means over epochs. The batch that raises the loss most and the one that lowers it
    most are named.
    """
    with plt.style.context(STYLE):
        figure, panels = plt.subplots(1, 2, figsize=(WIDTH, 2.3))
        names = ("change of validation loss", "length of gradient")
        worst, cure = int(rise.argmax()), int(rise.argmin())
        for ax, values, name in zip(panels, (rise, norm), names, strict=True):
            bars = ax.bar(np.arange(1, len(values) + 1), values, color="0.6")
            for i, colour in ((worst, ORANGE), (cure, BLUE)):
                bars[i].set_color(colour)
                beside = (i + 1.6, values[i])
                ax.annotate(f"batch {i + 1}", beside, color=colour, va="center", fontsize=8)
            ax.set(xlabel="batch", ylabel=name)
    return figure


def image_rows(rows: Mapping[str, tuple[Array, list[str]]]) -> Figure:
    """Rows of images (n, 784) with a line of text under each, and a name over each row."""
    with plt.style.context(STYLE):
        count = max(len(images) for images, _ in rows.values())
        size, gaps = (WIDTH, 1.05 * len(rows)), {"hspace": 0.3}
        figure, grid = plt.subplots(len(rows), count, figsize=size, squeeze=False, gridspec_kw=gaps)
        for line, (name, (images, texts)) in zip(grid, rows.items(), strict=True):
            for ax, image, text in zip(line, images, texts, strict=True):
                ax.imshow(image.reshape(28, 28), cmap="gray_r", interpolation="none")
                ax.set(xticks=[], yticks=[])
                ax.set_xlabel(text, labelpad=2, fontsize=8)
                ax.spines[:].set_visible(False)
            title = line[0].text(0, 1.12, name, transform=line[0].transAxes, fontsize=8)
            title.set_in_layout(False)  # else the first column becomes as wide as the name
    return figure


def spike_sizes(arms: Mapping[str, Array]) -> Figure:
    """The size of the spikes in each arm of the experiment, one dot a seed, the mean as a line (2e)."""
    with plt.style.context(STYLE):
        figure, ax = plt.subplots(figsize=(WIDTH, 0.32 * len(arms) + 0.7))
        for y, sizes in enumerate(arms.values()):
            jitter = np.linspace(-0.22, 0.22, len(sizes)) if len(sizes) > 1 else np.zeros(1)
            ax.plot(sizes, y + jitter, "o", color=BLUE, markersize=3.5, fillstyle="none", markeredgewidth=0.8)
            ax.plot([np.mean(sizes)] * 2, [y - 0.32, y + 0.32], color=ORANGE, linewidth=2)
        ax.set_yticks(range(len(arms)), list(arms))
        ax.set(
            xlabel="rise of the validation loss above its median, mean of three epochs (nats)",
            ylim=(len(arms) - 0.5, -0.5),
        )
        ax.set_xlim(left=0)
        ax.grid(axis="y", visible=False)
    return figure
