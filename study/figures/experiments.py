"""Figures of the experiments: why shuffling takes the spikes away (2e), and overfitting (3d)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from scipy.special import stdtrit

from assignment1.models import Array
from study.figures.style import (
    BLACK,
    BLUE,
    GREY,
    ORANGE,
    RING,
    SKY,
    STYLE,
    TRAINING,
    VALIDATION,
    key,
    letter,
    math,
    panels,
    step_axes,
)

Looks = dict[str, Any]
CHECK: Looks = dict(marker="o", markersize=2.6, color=BLUE, linestyle="none")
HIT: Looks = RING | dict(markersize=7, markeredgecolor=ORANGE, markeredgewidth=1.2)
SEED: Looks = RING | dict(markersize=4, markeredgecolor=BLUE, markeredgewidth=0.9)
BAR: Looks = dict(facecolor="0.7", edgecolor="0.45", linewidth=0.5)
MEAN: Looks = dict(marker="|", markersize=17, markeredgewidth=2, color=ORANGE, linestyle="none")


def every_step(step: Array, loss: Array, check_every: int, batches: int) -> Figure:
    """The validation loss after every step, and what a check now and then sees of it (2e).

    `step` and `loss` are (steps,), steps counted from 0; a check is made at each multiple of `check_every`;
    an epoch has so many `batches`. Rings mark the checks that fall on a spike: 0.02 nats above the median.
    """
    with plt.style.context(STYLE):
        margin = 0.05 * float(np.ptp(loss))
        limits = (float(loss.min()) - margin, float(loss.max()) + 2 * margin)
        figure, ax = step_axes("validation loss (nats)", limits, batches, right=0.2)
        seen = step % check_every == 0
        hit = seen & (loss > np.median(loss) + 0.02)
        line: Looks = dict(color="0.55", linewidth=0.8)
        ax.plot(step + 1, loss, **line)
        ax.plot(step[seen] + 1, loss[seen], **CHECK)
        ax.plot(step[hit] + 1, loss[hit], **HIT)
        ax.set_xlim(step[0], step[-1] + 1)
        names = ("after every step", f"at a check, every {check_every} steps", "check on a spike")
        handles = (Line2D([], [], **look) for look in (line, CHECK, HIT))
        key(figure, ax, list(zip(handles, names, strict=True)))
    return figure


def by_batch(rise: Array, norm: Array) -> Figure:
    """(a) What each batch's update does to the validation loss; (b) the norm of its gradient (2e).

    Both are (batches,), means over epochs. The batch that raises the loss most and the one that lowers it
    most are coloured and named.
    """
    with plt.style.context(STYLE):
        margins: Any = dict(left=0.8, right=0.1, top=0.28, beside=0.65)
        figure, axes = panels([1.45], columns=2, **margins)
        worst, cure = int(rise.argmax()), int(rise.argmin())
        ylabels = ("change of validation loss (nats)", "norm of the gradient")
        for ax, values, name, ylabel in zip(axes, (rise, norm), "ab", ylabels, strict=True):
            bars = ax.bar(np.arange(1, len(values) + 1), values, **BAR)
            for i, colour in ((worst, ORANGE), (cure, BLUE)):
                bars[i].set_color(colour)
            ax.set(xlabel="batch of the epoch", ylabel=ylabel)
            ax.xaxis.set_major_locator(MaxNLocator(4, integer=True, steps=[1, 5, 10]))
            letter(ax, name)
        handles = (Patch(color=ORANGE), Patch(color=BLUE), Patch(**BAR))
        names = (f"batch {worst + 1}, raises it most", f"batch {cure + 1}, lowers it most", "others")
        key(figure, axes[0], list(zip(handles, names, strict=True)))
    return figure


def spike_sizes(arms: Mapping[str, Array]) -> Figure:
    """The height of the spikes in each arm of an experiment, a row each, which its key names (2e).

    Each arm has heights (seeds,) in nats, drawn as circles; the bar is their mean, which stands at the right
    with half of its 95% interval over the seeds (Student's t).
    """
    if not arms:
        raise ValueError("arms is empty; expected heights (seeds,) for one name or more")
    with plt.style.context(STYLE):
        widest = max(len(line) for name in arms for line in name.split("\n"))
        margins: Any = dict(left=0.2 + 0.066 * widest, right=1.5, top=0.3)
        figure, (ax,) = panels([0.25 * len(arms)], **margins)
        beside: Looks = dict(xycoords="axes fraction", textcoords="offset points")
        ax.annotate("mean ± 95% interval", (1, 1), (10, 6), **beside)
        for y, sizes in enumerate(arms.values()):
            n = len(sizes)
            ax.plot(sizes, y + (np.linspace(-0.2, 0.2, n) if n > 1 else np.zeros(n)), **SEED)
            ax.plot([np.mean(sizes)], [y], **MEAN)
            half = stdtrit(n - 1, 0.975) * np.std(sizes, ddof=1) / np.sqrt(n) if n > 1 else np.nan
            error = f" ± {half:.4f}" if n > 1 else ""
            place = (1, 1 - (y + 0.5) / len(arms))
            ax.annotate(f"{np.mean(sizes):.4f}{error}", place, (10, 0), va="center", **beside)
        ax.set_yticks(range(len(arms)), list(map(math, arms)))
        ax.set(xlabel="height of the spikes (nats)", ylim=(len(arms) - 0.5, -0.5))
        ax.set_xlim(0, 1.06 * max(float(np.max(sizes)) for sizes in arms.values()))
        ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
        ax.grid(axis="x")
        ax.grid(axis="y", visible=False)
        for edge in np.arange(len(arms) - 1) + 0.5:
            ax.axhline(edge, color="0.9", linewidth=0.5)
        handles = [Line2D([], [], **SEED), Line2D([], [], **MEAN)]
        key(figure, ax, list(zip(handles, ("one seed", "mean of the seeds"), strict=True)))
    return figure


def parting(
    curves: Sequence[tuple[Array, Array]],
    image_half: float,
    far: Array,
    train_loss: Array,
    validation_loss: Array,
) -> Figure:
    """(a) The accuracy gap of several seeds; (b) both losses as training goes on far beyond (3d).

    Each of the `curves` is epochs (checks,) and gaps (seeds, checks), training minus validation accuracy; the
    bold line is the mean of the first, its band reaches `image_half` to either side. The losses (points,) are
    at the epochs `far` (points,); a ring marks the lowest validation loss.
    """
    with plt.style.context(STYLE):
        margins: Any = dict(left=0.68, right=0.15, top=0.28, beside=0.68)
        figure, (left, right) = panels([1.5], columns=2, **margins)
        mean_line, seed_line = dict(color=BLACK, linewidth=1.4), dict(color=SKY, linewidth=0.6)
        epoch, mean = curves[0][0], curves[0][1].mean(axis=0)
        left.axhline(0, color=GREY, linewidth=0.6)
        left.fill_between(epoch, mean - image_half, mean + image_half, color="0.87", linewidth=0)
        for at, gaps in curves:
            left.plot(at, gaps.T, **seed_line)  # type: ignore[arg-type]
        left.plot(epoch, mean, **mean_line)  # type: ignore[arg-type]
        left.set(ylabel="training − validation")
        lowest = int(np.argmin(validation_loss))
        right.plot(far, train_loss, **TRAINING)
        right.plot(far, validation_loss, **VALIDATION)
        right.plot(far[lowest], validation_loss[lowest], **RING)
        right.set(ylabel="cross-entropy (nats)")
        for ax, name, what, epochs in ((left, "a", "accuracy", epoch), (right, "b", "loss", far)):
            letter(ax, name, f"{what}, epochs {max(0, int(epochs[0])):,} to {round(epochs[-1]):,}")
            ax.set(xlabel="epochs")
        left.set_xlim(0, epoch[-1])
        right.margins(x=0.04)
        band = Patch(color="0.87")
        looks: list[Any] = [mean_line, seed_line, TRAINING, VALIDATION, RING]
        lines = [Line2D([], [], **look) for look in looks]
        names = ("mean gap", "one run", "95% interval over images", "training", "validation")
        handles = (*lines[:2], band, *lines[2:])
        entries = list(zip(handles, (*names, "lowest validation loss"), strict=True))
        key(figure, left, entries, columns=3)
    return figure
