"""Figures of images of 28 by 28 pixels: weights, and digits with a line of text each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from assignment1.models import Array
from study.figures.style import STYLE, WIDTH, lambda_is, letter, math

PIXELS = 28 * 28
SMALLEST = 14 / 25.4  # inches: a tile of weights in which strokes are seen


def weights(models: Mapping[float, Array]) -> Figure:
    """Each output's weights as an image, five in a row, a panel for each lambda (4b).

    `models` has weights (785, K) for each lambda, the bias's last, which is not shown. Red is positive, blue
    negative, white zero. Each panel has one symmetric scale, up to its largest weight, which the bar at its
    right names; the title tells how it compares with that of (a). Tiles use the text's width, or, where
    there are more than two panels, have 14 mm and more.
    """
    if not models:
        raise ValueError("models is empty; expected weights (785, K) for one lambda or more")
    tops = [float(np.abs(w[:PIXELS]).max()) for w in models.values()]
    (K,) = {w.shape[1] for w in models.values()}
    columns, lines = min(K, 5), -(-K // 5)
    bar, digit, head, gap, between = 0.72, 0.2 if K > 1 else 0.04, 0.3, 0.06, 0.12  # inches
    widest = (WIDTH - bar) / 5
    side = min(widest - digit, max(SMALLEST + 0.03, (4.6 / len(models) - head - between) / lines - gap))
    pitch = min(side + digit + 0.3, widest)
    block = lines * (side + gap)
    total = len(models) * (head + block + between)
    with plt.style.context(STYLE):
        figure = plt.figure(figsize=(WIDTH, total))
        for row, ((lam, w), top) in enumerate(zip(models.items(), tops, strict=True)):
            width = (columns - 1) * pitch + digit + side
            bottom = total - row * (head + block + between) - head - block
            ax = figure.add_axes((0, bottom / total, width / WIDTH, block / total))
            unit = side / 28  # inches a pixel
            for k, image in enumerate(w[:PIXELS].T.reshape(-1, 28, 28)):
                left, upper = (k % 5 * pitch + digit) / unit, k // 5 * (side + gap) / unit
                drawn = tile(ax, image, left, upper, cmap="RdBu_r", vmin=-top, vmax=top)
                if K > 1:
                    ax.text(left - 0.05 / unit, upper + 14, str(k), ha="right", va="center")
            frame(ax, width / unit, block / unit)
            scale = f"; colour scale {times(top / tops[0])} (a)’s" if row else ""
            letter(ax, _letter(row), lambda_is(lam) + scale, x=0.03 / width)
            where = ((width + 0.1) / WIDTH, (bottom + gap) / total, 0.1 / WIDTH, (block - gap) / total)
            colours = figure.colorbar(drawn, cax=figure.add_axes(where), ticks=[-top, 0, top])
            colours.ax.set_yticklabels([f"−{top:.2g}", "0", f"{top:.2g}"])
            colours.outline.set_linewidth(0.4)  # type: ignore[operator]
    return figure


def times(ratio: float) -> str:
    """A ratio in words: 1/9 of for 0.112, 2.3 times for 2.3."""
    if ratio < 0.8:
        return f"{ratio:.2g} of" if ratio > 0.4 else f"1/{1 / ratio:.0f} of"
    return f"{ratio:.2g} times"


def image_rows(rows: Mapping[str, tuple[Array, Sequence[str]]]) -> Figure:
    """Rows of images with a line of text under each, and a lettered name over each row (2e).

    Each row is images (n, 784), from -1 for black to 1 for white, drawn dark on light, and n texts.
    """
    if not rows:
        raise ValueError("rows is empty; expected (images, texts) for one name or more")
    with plt.style.context(STYLE):
        columns = max(5, *(len(images) for images, _ in rows.values()))
        unit = WIDTH / (32 * columns)  # inches a pixel
        head, foot = 16 / 72 / unit, 13 / 72 / unit
        step = 28 + head + foot + 2
        figure = plt.figure(figsize=(WIDTH, unit * step * len(rows)))
        ax = figure.add_axes((0, 0, 1, 1))
        for row, (name, (images, texts)) in enumerate(rows.items()):
            top = head + step * row
            ax.text(0, top - 4 / 72 / unit, math(f"({_letter(row)}) {name}"))
            for column, (image, text) in enumerate(zip(images, texts, strict=True)):
                tile(ax, image.reshape(28, 28), 32 * column, top, cmap="gray_r", vmin=-1, vmax=1)
                ax.text(32 * column + 14, top + 28 + 3 / 72 / unit, text, size=9, ha="center", va="top")
        ax.set(xticks=[], yticks=[], xlim=(-2, 32 * columns - 2), ylim=(step * len(rows), 0))
        ax.spines[:].set_visible(False)
    return figure


class Cases(Protocol):
    """Classified images."""

    @property
    def digit(self) -> NDArray[np.intp]:
        """The true digits (N,)."""

    @property
    def read(self) -> NDArray[np.intp]:
        """The predicted digits (N,)."""

    @property
    def loss(self) -> Array:
        """The losses (N,) in nats."""


def costly(images: NDArray[np.uint8], seen: Cases, which: NDArray[np.intp]) -> Figure:
    """Some images, eight in a row: above each its digit and the predicted one, below it its loss.

    `images` are (N, 28, 28), from 0 for black to 255 for white, drawn dark on light; `seen` says how they are
    classified (`errors.readings`), and `which` are the indices of those to show.
    """
    with plt.style.context(STYLE):
        unit, lines = WIDTH / (8 * 36), -(-len(which) // 8)
        line = 13 / 72 / unit
        step = 28 + 2 * line + 4
        figure = plt.figure(figsize=(WIDTH, unit * step * lines))
        ax = figure.add_axes((0, 0, 1, 1))
        for place, i in enumerate(which):
            left, top = 36 * (place % 8), step * (place // 8) + line
            tile(ax, images[i], left, top, cmap="Greys", vmin=0, vmax=255)
            ax.text(
                left + 14, top - 2.5 / 72 / unit, f"{seen.digit[i]} → {seen.read[i]}", size=9, ha="center"
            )
            ax.text(left + 14, top + 28 + 2 / 72 / unit, f"{seen.loss[i]:.1f}", size=9, ha="center", va="top")
        ax.set(xticks=[], yticks=[], xlim=(-4, 8 * 36 - 4), ylim=(step * lines, 0))
        ax.spines[:].set_visible(False)
    return figure


def tile(ax: Axes, image: Array, left: float, top: float, **options: Any) -> AxesImage:
    """Draw an image (28, 28), one unit a pixel, from (left, top) on; `options` of imshow give its scale.

    Many images on one axes take a third of the time that an axes for each takes.
    """
    ax.add_patch(Rectangle((left, top), 28, 28, fill=False, edgecolor="0.75", linewidth=0.4))
    large = np.kron(image, np.ones((8, 8), image.dtype))  # so that no viewer blurs the pixels
    return ax.imshow(
        large, interpolation="none", extent=(left, left + 28, top + 28, top), aspect="auto", **options
    )


def frame(ax: Axes, width: float, height: float) -> None:
    """Show so many units of an axes of tiles, and nothing around them."""
    ax.set(xticks=[], yticks=[], xlim=(0, width + 0.5), ylim=(height, -0.5))
    ax.spines[:].set_visible(False)


def _letter(i: int) -> str:
    return chr(ord("a") + i)
