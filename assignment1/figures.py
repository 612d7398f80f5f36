"""The report's figures: each function takes runs and returns a matplotlib Figure.

Blue solid is training, orange dashed validation, throughout; each lambda has one colour and one dash.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from assignment1.evidence.errors import Readings, Reliability
from assignment1.models import Array
from assignment1.run import Run

STYLE = ["default", str(Path(__file__).with_name("report.mplstyle"))]
# The palette of Okabe and Ito, for colour-blind readers, darkened until its text has a contrast of 4.5 : 1.
BLUE, ORANGE, GREEN, PURPLE, BLACK, SKY = "#0072B2", "#BF5000", "#007D5B", "#A8517F", "#000000", "#56B4E9"
LAMBDA_COLOURS = {0.0: BLACK, 0.001: BLUE, 0.01: GREEN, 0.1: PURPLE, 1.0: ORANGE}
LAMBDA_DASHES = {0.0: "-", 0.001: (0, (4, 2)), 0.01: (0, (6, 1)), 0.1: (0, (3, 1, 1, 1)), 1.0: (0, (1, 1))}
DASHED = (0, (4, 1.2))
WIDTH = 5.25  # inches: the report's text width


def axes(ylabel: str, ylim: tuple[float, float], height: float = 2.7) -> tuple[Figure, Axes]:
    """An empty figure of the text's width with gradient steps below."""
    figure, ax = plt.subplots(figsize=(WIDTH, height))
    ax.set(xlabel="gradient steps", ylabel=ylabel, ylim=ylim)
    return figure, ax


def label(ax: Axes, x: float, y: float, text: str, colour: str, **options: object) -> None:
    """Name a curve in its colour, to the right of (x, y) unless `options` for annotate say otherwise."""
    where = {"xytext": (4, 0), "textcoords": "offset points", "va": "center"}
    ax.annotate(text, (x, y), color=colour, **(where | options))  # type: ignore[arg-type]


def name(ax: Axes, x: float, y: float, text: str, colour: str, height: float) -> None:
    """Name a curve in its colour at `height` (a share of the axes), with a thin line from there to (x, y)."""
    line = dict(arrowstyle="-", color=colour, linewidth=0.6, shrinkA=0, shrinkB=1.5)
    where = dict(textcoords=ax.get_xaxis_transform(), ha="center", arrowprops=line)
    va = "top" if height < 0.5 else "bottom"
    ax.annotate(text, (x, y), (x, height), color=colour, va=va, **where)  # type: ignore[arg-type]


def epochs_above(ax: Axes, run: Run) -> None:
    """A second scale at the top that counts epochs."""
    batches = run.batches_per_epoch
    to_epochs, to_steps = (lambda s: np.asarray(s) / batches), (lambda e: np.asarray(e) * batches)
    top = ax.secondary_xaxis("top", functions=(to_epochs, to_steps))
    top.set_xlabel("epochs")


def mark(ax: Axes, run: Run) -> None:
    """Mark the best step and the early stop by lines with their names at the top."""
    height = ax.get_xaxis_transform()
    marks = [(run.best_step, "best", "right"), (run.steps - 1, "stop", "left")]
    for step, name, side in marks if run.stopped_early else marks[:1]:
        ax.axvline(step, color="0.35", linewidth=0.7, linestyle=(0, (1, 1.5)))
        shift = (-3, 0) if side == "right" else (3, 0)
        ax.annotate(name, (step, 0.98), shift, height, "offset points", ha=side, va="top", color="0.25")
    ax.set_xlim(right=run.steps * 1.045)


def loss(run: Run, ylim: tuple[float, float], names_at: float) -> Figure:
    """Training loss, mean and standard deviation over ten steps, beside the validation loss (2b, 3b).

    The curves' names stand at the height `names_at`, a share of the axes.
    """
    with plt.style.context(STYLE):
        figure, ax = axes("cross-entropy (nats)", ylim)
        tens = run.history.train_loss[: run.steps // 10 * 10].reshape(-1, 10)
        x, mean, deviation = np.arange(len(tens)) * 10 + 4.5, tens.mean(axis=1), tens.std(axis=1)
        edge = mean + deviation if names_at > 0.5 else mean - deviation
        ax.fill_between(x, mean - deviation, mean + deviation, color=BLUE, alpha=0.2, linewidth=0)
        ax.plot(x, mean, color=BLUE, linewidth=0.9)
        validation_curve(ax, run.history.step, run.history.validation_loss)
        at, check = int(0.26 * len(x)), int(0.9 * len(run.history.step))
        name(ax, x[at], mean[at], "training, ten-step mean", BLUE, names_at)
        at = int(0.62 * len(x))
        name(ax, x[at], edge[at], "± one standard deviation", BLUE, names_at)
        name(ax, run.history.step[check], run.history.validation_loss[check], "validation", ORANGE, names_at)
        mark(ax, run)
        epochs_above(ax, run)
    return figure


def accuracy(run: Run, ylim: tuple[float, float]) -> Figure:
    """Training and validation accuracy at every check (2c, 3c)."""
    with plt.style.context(STYLE):
        figure, ax = axes("accuracy", ylim)
        history, step = run.history, run.history.step
        train, validation = history.train_accuracy, history.validation_accuracy
        taken = np.isfinite(train)
        ax.plot(step[taken], train[taken], color=BLUE)
        validation_curve(ax, step, validation)
        late = taken & (step > step[-1] / 2)
        higher = validation[late].mean() > train[late].mean()
        at = np.flatnonzero(taken)[int(0.66 * taken.sum())]
        name(ax, step[at], train[at], "training", BLUE, 0.42 if higher else 0.92)
        name(ax, step[at], validation[at], "validation", ORANGE, 0.92 if higher else 0.42)
        mark(ax, run)
        epochs_above(ax, run)
    return figure


def validation_curve(ax: Axes, step: Array, y: Array) -> None:
    """A dashed line on a white one, which keeps it apart from what it crosses."""
    ax.plot(step, y, color="white", linewidth=2.4)
    ax.plot(step, y, color=ORANGE, linestyle=DASHED)


def validation_accuracies(file_order: Run, shuffled: Run, ylim: tuple[float, float]) -> Figure:
    """Validation accuracy with and without shuffling on one axis (2e)."""
    with plt.style.context(STYLE):
        figure, ax = axes("validation accuracy", ylim)
        ax.plot(
            file_order.history.step, file_order.history.validation_accuracy, color=ORANGE, linestyle=DASHED
        )
        ax.plot(shuffled.history.step, shuffled.history.validation_accuracy, color=BLACK)
        low = 40 + int(file_order.history.validation_accuracy[40:].argmin())
        x, y = file_order.history.step[low], file_order.history.validation_accuracy[low]
        label(ax, x, y, "file order", ORANGE, xytext=(6, 6))
        at = int(0.7 * len(shuffled.history.step))
        x, y = shuffled.history.step[at], shuffled.history.validation_accuracy[at]
        name(ax, x, y, "shuffled before each epoch", BLACK, 0.2)
        epochs_above(ax, file_order)
    return figure


def lambdas(runs: Mapping[float, Run], ylim: tuple[float, float]) -> Figure:
    """Validation accuracy for every lambda, zoomed, with the whole range in an inset (4c)."""
    with plt.style.context(STYLE):
        figure, ax = axes("validation accuracy", ylim, height=3.6)
        inset = ax.inset_axes((0.56, 0.1, 0.42, 0.36))
        for lam, run in runs.items():
            step, accuracy, colour = run.history.step, run.history.validation_accuracy, LAMBDA_COLOURS[lam]
            wide = 2.6 if lam == 0 else 1.2  # the curve that lies upon it stays visible
            ax.plot(
                step,
                accuracy,
                color=SKY if lam == 0.001 else colour,
                linestyle=LAMBDA_DASHES[lam],
                linewidth=wide,
            )
            ax.plot(step[-1], accuracy[-1], "o", color=colour, markersize=3.5)
            inset.plot(step, accuracy, color=colour, linewidth=0.8)
            beside = {0.0: (6, 9), 0.001: (6, -6), 0.01: (4, -9)}.get(lam, (6, 0))
            label(ax, step[-1], accuracy[-1], f"λ = {lam:g}", colour, xytext=beside)
        inset.set(ylim=(0, 1), yticks=(0, 0.5, 1))
        inset.annotate("the whole range", (0.97, 0.1), xycoords="axes fraction", ha="right")
        ax.set_xlim(right=max(run.steps for run in runs.values()) * 1.14)
        epochs_above(ax, runs[0.0])
    return figure


def weights(models: Mapping[float, Array]) -> Figure:
    """Each class's weights as an image, a row for each lambda, on one symmetric scale a row (4b)."""
    with plt.style.context(STYLE):
        figure, rows = plt.subplots(len(models), figsize=(WIDTH, 0.65 * len(models)), squeeze=False)
        for (ax,), (lam, w) in zip(rows, models.items(), strict=True):
            top = np.abs(w[:784]).max()
            for digit, image in enumerate(w[:784].T.reshape(-1, 28, 28)):
                drawn = tile(ax, image, 32 * digit, 0, cmap="RdBu_r", vmin=-top, vmax=top)
                if ax is rows[0, 0]:
                    ax.text(32 * digit + 14, -3, str(digit), size=9.5, ha="center")
            frame(ax, 316, 28)
            text = np.format_float_positional(lam, trim="-")
            ax.set_ylabel(f"λ = {text}", rotation=0, ha="right", va="center")
            bar = figure.colorbar(drawn, cax=ax.inset_axes((1.012, 0, 0.011, 1)), ticks=[-top, 0, top])
            bar.ax.set_yticklabels([f"−{top:.2g}", "0", f"{top:.2g}"])
            bar.outline.set_linewidth(0.4)
    return figure


def tile(ax: Axes, image: Array, left: float, top: float, **options: Any) -> AxesImage:
    """Draw an image (28, 28), one unit a pixel, from (left, top) on; `options` of imshow give its scale.

    Many images on one axes take a third of the time that an axes for each takes.
    """
    ax.add_patch(Rectangle((left, top), 28, 28, fill=False, edgecolor="0.8", linewidth=0.4))
    large = np.kron(image, np.ones((8, 8), image.dtype))  # so that no viewer blurs the pixels
    return ax.imshow(large, interpolation="none", extent=(left, left + 28, top + 28, top), **options)


def frame(ax: Axes, width: float, height: float) -> None:
    """Show so many units of an axes of tiles, and nothing around them."""
    ax.set(xticks=[], yticks=[], xlim=(-0.5, width + 0.5), ylim=(height + 0.5, -0.5))
    ax.spines[:].set_visible(False)


def norms(series: Mapping[str, Mapping[float, float]]) -> Figure:
    """The weights' length (Euclidean norm) against lambda: a curve for each name in `series` (4e)."""
    lambdas = sorted({lam for values in series.values() for lam in values})
    with plt.style.context(STYLE):
        figure, ax = plt.subplots(figsize=(WIDTH, 2.9))
        for (title, values), colour, marker in zip(
            series.items(), (BLUE, BLACK, ORANGE), "os^", strict=False
        ):
            x, y = [lambdas.index(lam) for lam in values], list(values.values())
            ax.plot(x, y, marker, color=colour, linestyle=":", linewidth=0.8, markersize=4)
            label(ax, x[0], y[0], title, colour, xytext=(8, 7))
        last = series[next(iter(series))][1.0]
        ax.plot([lambdas.index(lam) for lam in (0.1, 1.0)], [last * 10, last], color="0.6", linewidth=0.8)
        ax.annotate(
            "slope of 1/λ", (lambdas.index(0.1), last * 10), (6, 0), textcoords="offset points", color="0.35"
        )
        ax.set(xlabel="λ", ylabel="length of the weights, |w|", yscale="log")
        ax.set_yticks([0.5, 1, 2, 5, 10, 20], ["0.5", "1", "2", "5", "10", "20"])
        ax.minorticks_off()
        ax.set_xticks(range(len(lambdas)), [f"{lam:g}" for lam in lambdas])
    return figure


# What the model gets wrong


def confusion(counts: NDArray[np.intp], low: Array, high: Array) -> Figure:
    """How many images of each digit are read as each other one, beside each digit's accuracy and interval."""
    with plt.style.context(STYLE):
        figure, (ax, side) = plt.subplots(
            1, 2, figsize=(WIDTH, 3.3), sharey=True, gridspec_kw={"width_ratios": [1.75, 1]}
        )
        errors = counts - np.diag(np.diag(counts))
        ax.pcolormesh(errors, cmap="Greys", vmin=0, vmax=2 * errors.max(), edgecolor="white", linewidth=0.5)
        for row, column in np.argwhere(counts > 0):
            colour = BLUE if row == column else BLACK
            ax.text(
                column + 0.5, row + 0.5, counts[row, column], color=colour, ha="center", va="center_baseline"
            )
        digits = np.arange(10)
        ax.set(xlabel="read as", ylabel="digit", xticks=digits + 0.5, yticks=digits + 0.5, ylim=(10, 0))
        ax.set(xticklabels=digits, yticklabels=digits)
        ax.grid(False)
        share = np.diag(counts) / counts.sum(axis=1)
        side.errorbar(
            share, digits + 0.5, xerr=(share - low, high - share), fmt="o", color=BLUE, markersize=3
        )
        side.set(xlabel="accuracy, with 95% interval")
        side.grid(axis="x")
        side.margins(x=0.05)
    return figure


def costly(images: NDArray[np.uint8], seen: Readings, which: NDArray[np.intp]) -> Figure:
    """Some `images` in two rows: above each the digit and what it is read as, below it the loss."""
    with plt.style.context(STYLE):
        figure, ax = plt.subplots(figsize=(WIDTH, 2.2))
        columns = len(which) // 2
        for place, i in enumerate(which):
            left, top = 36 * (place % columns), 56 * (place // columns)
            tile(ax, images[i], left, top, cmap="Greys", vmin=0, vmax=255)
            ax.text(left + 14, top - 2, f"{seen.digit[i]} → {seen.read[i]}", size=9, ha="center")
            ax.text(left + 14, top + 31, f"{seen.loss[i]:.1f}", size=9, ha="center", va="top")
        frame(ax, 36 * columns - 8, 84)
    return figure


def reliability(groups: Reliability, low: Array, high: Array) -> Figure:
    """The share read rightly against the mean confidence, for each group of images, with its interval."""
    with plt.style.context(STYLE):
        figure, ax = plt.subplots(figsize=(WIDTH, 2.9))
        ax.plot((0, 1), (0, 1), color="0.5", linewidth=0.8, linestyle=DASHED)
        right = groups.hits / groups.n
        ax.errorbar(
            groups.confidence, right, yerr=(right - low, high - right), fmt="o", color=BLUE, markersize=3.5
        )
        for x, y, n in zip(groups.confidence, high, groups.n, strict=True):
            label(ax, x, y, f"{n:,}", BLUE, xytext=(0, 3), ha="center", va="bottom")
        label(ax, 0.62, 0.62, "as right as it is sure", "0.35", xytext=(8, -8))
        ax.set(
            xlabel="probability given to the digit that is read",
            ylabel="share read rightly",
            xlim=(0.2, 1),
            ylim=(0, 1.1),
        )
        ax.set_yticks((0, 0.25, 0.5, 0.75, 1))
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
        figure, ax = plt.subplots(figsize=(WIDTH, 0.85 * len(rows)))
        for row, (name, (images, texts)) in enumerate(rows.items()):
            top = 50 * row
            ax.text(0, top - 3, name, fontsize=8)
            for column, (image, text) in enumerate(zip(images, texts, strict=True)):
                tile(ax, image.reshape(28, 28), 32 * column, top, cmap="gray_r", vmin=-1, vmax=1)
                ax.text(32 * column + 14, top + 30, text, fontsize=8, ha="center", va="top")
        frame(ax, 316, 50 * len(rows) - 22)
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
        ax.set_xlim(0, 1.05 * max(sizes.max() for sizes in arms.values()))
        ax.grid(axis="y", visible=False)
    return figure


def parting(
    curves: Sequence[tuple[Array, Array]],
    image_error: float,
    step_3000: float,
    far: Array,
    train_loss: Array,
    validation_loss: Array,
) -> Figure:
    """The accuracy gap of several seeds, and both losses as training goes on far beyond (3d).

    Each of the `curves` is epochs (checks,) and gaps (seeds, checks), the mean is that of the first; the band
    is two standard errors of finite image sets, the losses are at the epochs `far`.
    """
    with plt.style.context(STYLE):
        figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 2.4))
        epoch, mean = curves[0][0], curves[0][1].mean(axis=0)
        left.axhline(0, color="0.5", linewidth=0.6)
        left.fill_between(epoch, mean - 2 * image_error, mean + 2 * image_error, color="0.88", linewidth=0)
        for at, gaps in curves:
            left.plot(at, gaps.T, color=SKY, linewidth=0.3)
        left.plot(epoch, mean, color=BLACK)
        left.axvline(step_3000, color="0.4", linewidth=0.7, linestyle=":")
        label(left, step_3000, -0.012, "step 3000", "0.3")
        left.set(xlabel="epochs", ylabel="training less validation accuracy", ylim=(-0.015, 0.016))
        lowest = int(validation_loss.argmin())
        right.plot(far, train_loss, "o-", color=BLUE, markersize=2.5)
        right.plot(far, validation_loss, "s", linestyle=DASHED, color=ORANGE, markersize=2.5)
        right.plot(far[lowest], validation_loss[lowest], "o", color=ORANGE, markersize=8, fillstyle="none")
        middle = len(far) // 2
        label(right, far[middle], train_loss[middle] + 0.008, "training", BLUE)
        label(right, far[middle], validation_loss[middle] + 0.008, "validation", ORANGE)
        right.set(xlabel="epochs", ylabel="cross-entropy (nats)")
    return figure


# Evidence of task 4d


def plane(
    training: Mapping[float, tuple[float, float]],
    validation: Mapping[float, tuple[float, float]],
    descent: Mapping[int, tuple[float, float]],
    ends: Mapping[float, tuple[float, float]],
) -> Figure:
    """Length of the weights against loss: optima, a descent without penalty, and where five runs ended (4d).

    Each point is (|w|, loss in nats): of the optima, by lambda, on both splits; of the descent, by epoch, and
    of the ends, by lambda, on validation.
    """
    with plt.style.context(STYLE):
        figure, ax = plt.subplots(figsize=(WIDTH, 3.7))
        ax.set(xscale="log", yscale="log", xlim=(1.15, 70), ylim=(0.105, 0.8))
        ax.plot(*zip(*training.values(), strict=True), color=BLUE, marker=".", markersize=4, linewidth=0.8)
        dashes = dict(color=ORANGE, linestyle=DASHED, marker="s", markersize=3.5)
        ax.plot(*zip(*validation.values(), strict=True), **dashes)  # type: ignore[arg-type]
        ax.plot(*zip(*descent.values(), strict=True), color=BLACK, marker="o", markersize=3, linewidth=1)
        for lam, end in ends.items():
            ax.plot(*end, "o", mfc="none", mec=LAMBDA_COLOURS[lam], markersize=8)
            if lam in validation and validation[lam][0] > 1.2 * end[0]:
                arrow = dict(arrowstyle="->", color=LAMBDA_COLOURS[lam], linewidth=0.8, shrinkA=5, shrinkB=3)
                arrow |= dict(connectionstyle="arc3,rad=-0.35")
                ax.annotate("", validation[lam], end, arrowprops=arrow)  # type: ignore[arg-type]
        inside = [lam for lam, (length, _) in validation.items() if length > ax.get_xlim()[0]]
        for lam in inside:
            text = np.format_float_positional(lam, trim="-")
            text = f"λ = {text}" if lam == inside[0] else text
            shift, ha = ((3, 13), "left") if lam > 0.001 else ((6, 10), "right")
            shift, ha = {0.001: ((0, 10), "left"), 0.0003: ((0, 10), "center")}.get(lam, (shift, ha))
            label(ax, *validation[lam], text, ORANGE, xytext=shift, ha=ha)
        for epoch, point in descent.items():
            x, y, ha = (-4, -9, "right") if epoch < 50 else (2, -10, "center")
            label(ax, *point, f"{epoch}", BLACK, xytext=(x, y), ha=ha)
        label(ax, 1.25, 0.25, "validation, λ = 0\nafter 1 to 600 epochs", BLACK)
        label(ax, 5, 0.5, "validation, at the optimum of each λ", ORANGE)
        label(ax, 4.4, 0.16, "training, at the\nsame optima", BLUE)
        ax.set(xlabel="length of the weights, |w|", ylabel="cross-entropy (nats)")
        ax.set_xticks([2, 5, 10, 20, 50], ["2", "5", "10", "20", "50"])
        ax.set_yticks([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7], [f"0.{tenths}" for tenths in range(1, 8)])
        ax.minorticks_off()
        ax.set_ylim(0.105, 0.8)  # again, for ticks widen it
    return figure
