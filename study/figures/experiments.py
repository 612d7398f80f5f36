"""Figures of the experiments: why shuffling takes the spikes away (2e), and overfitting (3d)."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from assignment1.models import Array, Truths
from study.figures.style import (
    BLACK,
    DASH_DOTTED,
    GREEN,
    GREY,
    OPEN,
    PURPLE,
    RING,
    VALIDATION,
    VALIDATION_POINTS,
    Entries,
    Look,
    around,
    beside,
    few_ticks,
    in_style,
    key,
    letter,
    math,
    panels,
    step_scales,
)
from study.statistics import interval

RAW = Look(color=VALIDATION, linewidth=0.9)
CENTRED = Look(color=BLACK, linewidth=1.1)
BAR = Look(facecolor="0.7", edgecolor="0.45", linewidth=0.5)
SEED = OPEN | dict(markersize=4, markeredgecolor="0.45", markeredgewidth=0.9)
MEAN = Look(marker="|", markersize=9, markeredgewidth=2, color=BLACK, linestyle="none", zorder=3)
HELD_POINTS = Look(color=GREEN, marker="^", markersize=3, linestyle=DASH_DOTTED)
FAINT = Look(alpha=0.15, linewidth=0)
TWOS = Look(facecolor=BLACK, alpha=0.75)
THREES = Look(facecolor=PURPLE, alpha=0.55)


@in_style
def spikes(
    before: Array,
    after: Array,
    two: Truths,
    step: Array,
    raw: Array,
    centred: Array,
    batches: int,
    digits: tuple[int, int] = (2, 3),
) -> Figure:
    """Draw (a) what one step does to the validation logits, and (b) the loss with and without the mean (2e).

    `before` and `after` are (images,), `two` is true for the 2s, or the first of `digits`; an image right of
    0 is classified as one. `step` and the losses `raw` and `centred` are (steps,), steps counted from 0; an
    epoch has so many `batches`.
    """
    figure, axes = panels([0.66, 0.66], columns=2, left=0.35, right=0.15, top=0.46, between=0.12, beside=0.75)
    upper, unused, lower, small = axes
    unused.remove()
    at = small.get_position()
    top = upper.get_position().y1
    height = top - at.y0
    small.set_position((at.x0, at.y0, at.width, height))
    low, high = np.percentile([before, after], (0.2, 99.8))
    edges = np.linspace(low, high, 50).tolist()
    upper.set_ylabel("before")
    lower.set_ylabel("after")
    for ax, logits in ((upper, before), (lower, after)):
        ax.hist(logits[~two], edges, **THREES)
        ax.hist(logits[two], edges, **TWOS)
        ax.axvline(0, color=GREY, linewidth=0.8)
        ax.set_xlim(low, high)
        ax.set_yticks([])
    upper.tick_params(labelbottom=False)
    lower.set_xlabel(f"logit 𝑧; from 0 on, a {digits[0]}")
    letter(upper, "a")
    small.plot(step + 1, raw, **RAW)
    small.plot(step + 1, centred, **CENTRED)
    small.set_ylabel("loss (nats)")
    small.set_xlim(step[0], step[-1] + 1)
    small.set_ylim(around(raw, 0.05, 0.1))
    step_scales([small], batches)
    letter(small, "b", y=1.15)
    entries: Entries = {
        f"{digits[1]}s": Patch(**THREES),
        f"{digits[0]}s": Patch(**TWOS),
        "images as they are": RAW,
        "mean image subtracted": CENTRED,
    }
    key(figure, lower, entries)
    return figure


@in_style
def by_batch(residual: Array, rise: Array) -> Figure:
    """Draw (a) how many too many each batch counts, and (b) its change of the validation loss (2e).

    Both are (batches,). The batch that raises the loss most and the one that lowers it most are named.
    """
    figure, (left, right) = panels([1.3], columns=2, left=0.8, right=0.1, top=0.28, beside=0.65)
    batches = np.arange(1, len(rise) + 1)
    worst = rise.argmax()
    cure = rise.argmin()
    for ax, values in ((left, residual), (right, rise)):
        bars = ax.bar(batches, values, **BAR)
        bars[worst].set_color(BLACK)
        bars[cure].set_color(PURPLE)
        ax.set_xlabel("batch of the epoch")
        few_ticks(ax, (1, 5, 10), integer=True)
    left.set_ylabel("sum of outputs − targets")
    right.set_ylabel("change of loss (nats)")
    letter(left, "a")
    letter(right, "b")
    entries = {
        f"batch {batches[worst]}, raises the loss most": Patch(color=BLACK),
        f"batch {batches[cure]}, lowers it most": Patch(color=PURPLE),
        "others": Patch(**BAR),
    }
    key(figure, left, entries)
    return figure


@in_style
def spike_sizes(arms: Mapping[str, Array]) -> Figure:
    """Draw the height of the spikes in each arm of an experiment, a row for each, named by its key (2e).

    Each arm has heights (seeds,) in nats, drawn as circles; the bar is their mean, which stands at the right
    with half of its 95% interval over the seeds (Student's t). Raise ValueError if there is no arm.
    """
    n = len(arms)
    if not n:
        raise ValueError("arms is empty; expected heights (seeds,) for one name or more")
    lines = "\n".join(arms).split("\n")
    left = 0.2 + 0.066 * max(map(len, lines))
    figure, (ax,) = panels([0.145 * n], left=left, right=1.5, top=0.25)
    beside(ax, "mean ± 95% interval", 1, (10, 6), "baseline")
    for row, sizes in enumerate(arms.values()):
        mean = np.mean(sizes)
        result = f"{mean:.4f}"
        if len(sizes) > 1:
            spread = np.linspace(-0.2, 0.2, len(sizes))
            result += f" ± {interval(sizes).half:.4f}"
            ax.plot(sizes, row + spread, **SEED)
        ax.plot([mean], [row], **MEAN)
        height = 1 - (row + 0.5) / n
        beside(ax, result, height, (10, 0))
    for row in range(1, n):
        ax.axhline(row - 0.5, color="0.9", linewidth=0.5)
    highest = np.concatenate(list(arms.values())).max()
    ax.set_xlabel("height of the spikes (nats)")
    ax.set_xlim(-0.03 * highest, 1.06 * highest)
    ax.set_ylim(n - 0.5, -0.5)
    ax.set_yticks(range(n), [math(name) for name in arms])
    few_ticks(ax)
    ax.grid(axis="x")
    ax.grid(axis="y", visible=False)
    return figure


@in_style
def parting(
    gaps: Mapping[str, tuple[Array, Array, Array]], far: Array, losses: Mapping[str, Array]
) -> Figure:
    """Draw (a) training accuracy minus that on other images, and (b) losses as training goes on (3d).

    Each of the `gaps` is epochs, means and halves of 95% intervals (epochs,), named by the other images. Each
    of the `losses` (points,) is at the epochs `far` (points,), under the same name; rings mark the lowest.
    """
    figure, (left, right) = panels([1.25], columns=2, right=0.15, top=0.28, beside=0.68)
    looks = dict(zip(gaps, (VALIDATION_POINTS, HELD_POINTS), strict=False))
    left.axhline(0, color=GREY, linewidth=0.6)
    for (name, look), (epoch, mean, half) in zip(looks.items(), gaps.values(), strict=True):
        low = mean - half
        high = mean + half
        left.fill_between(epoch, low, high, color=look["color"], **FAINT)
        left.plot(epoch, mean, **look)
        loss = losses[name]
        lowest = np.argmin(loss)
        right.plot(far, loss, **look)
        right.plot(far[lowest], loss[lowest], **RING)
        left.set_xlim(0, 1.04 * epoch[-1])
    left.set_xlabel("epochs")
    left.set_ylabel("accuracy gap")
    letter(left, "a", f"epochs 1 to {round(epoch[-1]):,}")
    right.set_xlabel("epochs")
    right.set_ylabel("cross-entropy (nats)")
    right.margins(x=0.04)
    letter(right, "b", f"epochs {round(far[0]):,} to {round(far[-1]):,}")
    entries: Entries = {**looks, "95% interval": Patch(color="0.8"), "lowest loss": RING}
    key(figure, left, entries)
    return figure
