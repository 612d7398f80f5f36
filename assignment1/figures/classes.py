"""Figures of what a softmax model classifies as what, and of how sure it is."""

from __future__ import annotations

from typing import Any, Protocol

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from assignment1.figures.style import BLACK, BLUE, DASHED, STYLE, WIDTH, key, letter, panels
from assignment1.models import Array


def confusion(counts: NDArray[np.intp], low: Array, high: Array) -> Figure:
    """(a) How many images of each digit are classified as each digit; (b) each digit's accuracy and interval.

    `counts` is (K, K), a row for each true digit; `low` and `high` are (K,), the ends of the intervals. Grey
    grows with the number of errors; the diagonal, in blue, is classified correctly.
    """
    K = len(counts)
    with plt.style.context(STYLE):
        tall, top, bottom, left = 0.26 * K + 0.1, 0.28, 0.46, 0.5
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


class Groups(Protocol):
    """Images grouped by the probability of the predicted class: number, mean probability, correct ones."""

    @property
    def n(self) -> NDArray[np.intp]: ...
    @property
    def confidence(self) -> Array: ...
    @property
    def hits(self) -> NDArray[np.intp]: ...


def reliability(groups: Groups, low: Array, high: Array) -> Figure:
    """The accuracy of groups of images against their mean predicted probability, and the number in each.

    `groups` are those of `errors.reliability`; `low` and `high` are (groups,), the ends of the accuracy's
    interval. Below the diagonal the model is overconfident, above it underconfident.
    """
    confidence, accuracy = groups.confidence, groups.hits / groups.n
    with plt.style.context(STYLE):
        figure, (ax,) = panels([1.9], right=0.2, top=0.12)
        ax.plot((0, 1), (0, 1), color="0.45", linewidth=0.9, linestyle=DASHED)
        off = np.maximum((accuracy - low, high - accuracy), 0)
        ax.errorbar(confidence, accuracy, yerr=off, fmt="o", color=BLUE, markersize=3.5)
        for x, y, images in zip(confidence, high, groups.n, strict=True):
            above: dict[str, Any] = dict(
                xytext=(0, 3), textcoords="offset points", ha="center", va="bottom", fontsize=9
            )
            ax.annotate(f"{images:,}", (x, y), color=BLUE, **above)
        left = max(0.0, np.floor(10 * confidence.min() - 0.5) / 10)
        ax.set(xlabel="predicted probability of the predicted digit", ylabel="accuracy")
        ax.set(xlim=(left, 1.03), ylim=(0, 1.12), yticks=(0, 0.25, 0.5, 0.75, 1))
        points = Line2D([], [], color=BLUE, marker="o", markersize=3.5)
        line = Line2D([], [], color="0.45", linewidth=0.9, linestyle=DASHED)
        key(figure, ax, [(points, "group, number of images, 95% interval"), (line, "perfect calibration")])
    return figure
