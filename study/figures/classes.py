"""Figures of what a softmax model classifies as what, and of how sure it is."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from assignment1.models import Array
from study.figures.style import BLACK, BLUE, STYLE, WIDTH, letter


def confusion(counts: NDArray[np.intp], low: Array, high: Array) -> Figure:
    """(a) How many images of each digit are classified as each digit; (b) each digit's accuracy and interval.

    `counts` is (K, K), a row for each true digit; `low` and `high` are (K,), the ends of the intervals. Grey
    grows with the number of errors; the diagonal, in blue, is classified correctly.
    """
    K = len(counts)
    with plt.style.context(STYLE):
        tall, top, bottom, left = 0.22 * K + 0.1, 0.28, 0.46, 0.5
        total = top + tall + bottom
        figure = plt.figure(figsize=(WIDTH, total))
        ax = figure.add_axes((left / WIDTH, bottom / total, 2.6 / WIDTH, tall / total))
        side = figure.add_axes(((left + 3.15) / WIDTH, bottom / total, 1.48 / WIDTH, tall / total))
        errors = counts - np.diag(np.diag(counts))
        ax.pcolormesh(
            errors, cmap="Greys", vmin=0, vmax=2 * max(int(errors.max()), 1), edgecolor="white", linewidth=0.5
        )
        for row, column in np.argwhere(counts > 0):
            colour, text = BLUE if row == column else BLACK, f"{counts[row, column]:,}"
            ax.text(column + 0.5, row + 0.5, text, color=colour, size=9, ha="center", va="center_baseline")
        digits = np.arange(K)
        ax.set(xlabel="classified as", xticks=digits + 0.5, xticklabels=digits)
        n = counts.sum(axis=1)
        share = np.diag(counts) / np.where(n > 0, n, np.nan)
        off = np.maximum((share - low, high - share), 0)
        side.errorbar(share, digits + 0.5, xerr=off, fmt="o", color=BLUE, markersize=3.5, linewidth=1.2)
        side.set(xlabel="accuracy, 95% interval")
        side.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
        side.margins(x=0.07)
        for panel, name, title in ((ax, "a", "number of images"), (side, "b", "share of each digit")):
            panel.set(ylabel="digit", yticks=digits + 0.5, yticklabels=digits, ylim=(K, 0))
            letter(panel, name, title)
        ax.grid(False)
        side.grid(axis="x")
    return figure
