"""The figures of what a softmax model classifies as what, and of how sure it is."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from assignment1.models import Array, Ints
from study.figures.style import (
    BLACK,
    BLUE,
    GREY,
    PURPLE,
    WIDTH,
    Look,
    end_names,
    few_ticks,
    in_style,
    letter,
    panels,
    place,
)

DOT = Look(linestyle="none", markersize=3.5)
DOTS = (DOT | dict(color=PURPLE, marker="o"), DOT | dict(color=BLACK, marker="s"))


@in_style
def confusion(counts: Ints, low: Array, high: Array) -> Figure:
    """Draw (a) how many images of each digit are classified as each, and (b) each digit's accuracy.

    `counts` is (K, K), a row for each true digit; `low` and `high` are (K,), the ends of the accuracies'
    intervals. Grey grows with the number of errors; the diagonal, in blue, is classified correctly.
    """
    K = len(counts)
    digits = np.arange(K)
    centres = digits + 0.5
    tall = 0.22 * K + 0.1
    left = 0.5
    bottom = 0.46
    figure = plt.figure(figsize=(WIDTH, 0.28 + tall + bottom))
    table = place(figure, left, bottom, 2.6, tall)
    right = np.diag(counts)
    errors = counts - np.diag(right)
    most = max(int(errors.max()), 1)
    table.pcolormesh(errors, cmap="Greys", vmin=0, vmax=2 * most, edgecolor="white", linewidth=0.5)
    for row, column in np.argwhere(counts > 0):
        colour = BLUE if row == column else BLACK
        number = f"{counts[row, column]:,}"
        table.text(column + 0.5, row + 0.5, number, color=colour, size=9, ha="center", va="center_baseline")
    table.set_xlabel("classified as")
    table.set_xticks(centres, digits)
    table.grid(False)
    side = place(figure, left + 3.15, bottom, 1.48, tall)
    images = counts.sum(axis=1)
    known = np.where(images > 0, images, np.nan)
    share = right / known
    reach = np.maximum((share - low, high - share), 0)
    side.errorbar(share, centres, xerr=reach, fmt="o", color=BLUE, markersize=3.5, linewidth=1.2)
    side.set_xlabel("accuracy, 95% interval")
    few_ticks(side)
    side.margins(x=0.07)
    side.grid(axis="x")
    letter(table, "a", "number of images")
    letter(side, "b", "accuracy of each digit")
    for ax in (table, side):
        ax.set_ylabel("digit")
        ax.set_yticks(centres, digits)
        ax.set_ylim(K, 0)
    return figure


@in_style
def reliability(groups: Mapping[str, tuple[Array, Array, Array, Array]]) -> Figure:
    """Draw accuracy minus confidence against confidence, for groups of images and up to two models by name.

    Of each model, confidence, accuracy, and the low and high ends of its 95% interval: all (groups,). Above 0
    a model is right more often than it says.
    """
    figure, (ax,) = panels([0.95], left=0.85, right=1.15, top=0.1)
    ax.axhline(0, color=GREY, linewidth=0.6)
    ends = []
    for (name, group), look, shift in zip(groups.items(), DOTS, (-0.004, 0.004), strict=False):
        confidence, accuracy, low, high = group
        lacking = accuracy - confidence
        reach = accuracy - low, high - accuracy
        end = lacking[-1] if len(lacking) else np.nan
        ends.append((end, name, look["color"]))
        ax.errorbar(confidence + shift, lacking, reach, linewidth=1.2, **look)
    ax.set_xlabel("confidence")
    ax.set_ylabel("accuracy minus\nconfidence")
    ax.margins(x=0.03)
    few_ticks(ax)
    end_names(ax, ends)
    return figure
