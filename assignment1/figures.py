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
WIDTH = 5.25  # inches: the text width of the report


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
