"""Figures of the experiments: why shuffling takes the spikes away (2e), and overfitting (3d)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from assignment1.models import Array
from study.figures.style import (
    BLACK,
    BLUE,
    GREY,
    OPEN,
    ORANGE,
    RING,
    SKY,
    TRAINING_POINTS,
    VALIDATION_POINTS,
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

STEP: Look = dict(color="0.55", linewidth=0.8)
CHECK: Look = dict(marker="o", markersize=2.6, color=BLUE, linestyle="none")
HIT: Look = OPEN | dict(markersize=7, markeredgecolor=ORANGE, markeredgewidth=1.2)
BAR: Look = dict(facecolor="0.7", edgecolor="0.45", linewidth=0.5)
SEED: Look = OPEN | dict(markersize=4, markeredgecolor=BLUE, markeredgewidth=0.9)
MEAN: Look = dict(marker="|", markersize=17, markeredgewidth=2, color=ORANGE, linestyle="none")
GAP: Look = dict(color=SKY, linewidth=0.6)
MEAN_GAP: Look = dict(color=BLACK, linewidth=1.4)
BAND = "0.87"


@in_style
def every_step(step: Array, loss: Array, check_every: int, batches: int) -> Figure:
    """Draw the validation loss after every step, and what a check now and then sees of it (2e).

    `step` and `loss` are (steps,), steps counted from 0; a check is made at each multiple of `check_every`;
    an epoch has so many `batches`. Rings mark the checks that fall on a spike: 0.02 nats above the median.
    """
    figure, (ax,) = panels([1.5], right=0.2)
    seen = step % check_every == 0
    spike = np.median(loss) + 0.02
    hit = seen & (loss > spike)
    ax.plot(step + 1, loss, **STEP)
    ax.plot(step[seen] + 1, loss[seen], **CHECK)
    ax.plot(step[hit] + 1, loss[hit], **HIT)
    ax.set_ylabel("validation loss (nats)")
    ax.set_xlim(step[0], step[-1] + 1)
    ax.set_ylim(around(loss, 0.05, 0.1))
    step_scales([ax], batches)
    checks = f"at a check, every {check_every} steps"
    key(figure, ax, {"after every step": STEP, checks: CHECK, "check on a spike": HIT})
    return figure


@in_style
def by_batch(rise: Array, norm: Array) -> Figure:
    """Draw (a) what each batch's update does to the validation loss, and (b) the norm of its gradient (2e).

    Both are (batches,), means over epochs. The batch that raises the loss most and the one that lowers it
    most are coloured and named.
    """
    figure, (left, right) = panels([1.45], columns=2, left=0.8, right=0.1, top=0.28, beside=0.65)
    batches = np.arange(1, len(rise) + 1)
    worst = int(rise.argmax())
    cure = int(rise.argmin())
    for ax, values in ((left, rise), (right, norm)):
        bars = ax.bar(batches, values, **BAR)
        bars[worst].set_color(ORANGE)
        bars[cure].set_color(BLUE)
        ax.set_xlabel("batch of the epoch")
        few_ticks(ax, (1, 5, 10), integer=True)
    left.set_ylabel("change of validation loss (nats)")
    right.set_ylabel("norm of the gradient")
    letter(left, "a")
    letter(right, "b")
    entries = {
        f"batch {batches[worst]}, raises it most": Patch(color=ORANGE),
        f"batch {batches[cure]}, lowers it most": Patch(color=BLUE),
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
    figure, (ax,) = panels([0.25 * n], left=left, right=1.5, top=0.3)
    beside(ax, "mean ± 95% interval", 1, (10, 6), "baseline")
    for row, sizes in enumerate(arms.values()):
        mean = np.mean(sizes)
        spread = np.zeros(1)
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
    ax.set_xlim(0, 1.06 * highest)
    ax.set_ylim(n - 0.5, -0.5)
    ax.set_yticks(range(n), [math(name) for name in arms])
    few_ticks(ax)
    ax.grid(axis="x")
    ax.grid(axis="y", visible=False)
    key(figure, ax, {"one seed": SEED, "mean of the seeds": MEAN})
    return figure


@in_style
def parting(
    curves: Sequence[tuple[Array, Array]],
    image_half: float,
    far: Array,
    train_loss: Array,
    validation_loss: Array,
) -> Figure:
    """Draw (a) the accuracy gap of several seeds, and (b) both losses as training goes on far beyond (3d).

    Each of the `curves` is epochs (checks,) and gaps (seeds, checks), training minus validation accuracy; the
    bold line is the mean of the first, its band reaches `image_half` to either side. The losses (points,) are
    at the epochs `far` (points,); a ring marks the lowest validation loss.
    """
    figure, (left, right) = panels([1.5], columns=2, right=0.15, top=0.28, beside=0.68)
    epoch, first = curves[0]
    mean = first.mean(axis=0)
    left.axhline(0, color=GREY, linewidth=0.6)
    low = mean - image_half
    high = mean + image_half
    left.fill_between(epoch, low, high, color=BAND, linewidth=0)
    for at, gaps in curves:
        left.plot(at, gaps.T, **GAP)
    left.plot(epoch, mean, **MEAN_GAP)
    left.set_xlabel("epochs")
    left.set_ylabel("training − validation")
    left.set_xlim(0, epoch[-1])
    letter(left, "a", f"accuracy, epochs {_span(epoch)}")
    lowest = int(np.argmin(validation_loss))
    right.plot(far, train_loss, **TRAINING_POINTS)
    right.plot(far, validation_loss, **VALIDATION_POINTS)
    right.plot(far[lowest], validation_loss[lowest], **RING)
    right.set_xlabel("epochs")
    right.set_ylabel("cross-entropy (nats)")
    right.margins(x=0.04)
    letter(right, "b", f"loss, epochs {_span(far)}")
    entries: dict[str, Any] = {
        "mean gap": MEAN_GAP,
        "one run": GAP,
        "95% interval over images": Patch(color=BAND),
        "training": TRAINING_POINTS,
        "validation": VALIDATION_POINTS,
        "lowest validation loss": RING,
    }
    key(figure, left, entries, columns=3)
    return figure


def _span(epochs: Array) -> str:
    return f"{max(0, int(epochs[0])):,} to {round(epochs[-1]):,}"
