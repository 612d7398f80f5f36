"""Figures of images of 28 by 28 pixels: weights, and digits with a line of text each."""

from collections.abc import Mapping, Sequence
from string import ascii_lowercase
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from assignment1.mnist import Bytes
from assignment1.models import Array, Ints
from study.figures.style import WIDTH, Range, decimal, in_style, letter, math, place

POINT = 1 / 72  # inches


@in_style
def weights(models: Mapping[float | str, Array]) -> Figure:
    """Draw each output's weights as an image, side by side, a panel for each lambda or title (4b).

    `models` has weights (785, K), the bias's last, which is not shown. Red is positive, blue negative, white
    zero. Each panel has one symmetric scale, up to its largest weight, which its title names.
    Raise ValueError if there is no model, or more than there are letters.
    """
    if not models:
        raise ValueError("models is empty; expected weights (785, K) for one lambda or more")
    letters = lettered(models)
    (K,) = {w.shape[1] for w in models.values()}
    head = 0.3  # inches, like all sizes below
    gap = 0.06
    digit = 0.04
    pitch = (WIDTH - digit) / max(K, 5)
    side = pitch - digit
    width = K * pitch
    block = side + gap
    unit = side / 28  # a pixel
    panel = head + block
    total = len(models) * panel
    figure = plt.figure(figsize=(WIDTH, total))
    for number, (lam, w) in enumerate(models.items()):
        images = w[:-1].T.reshape(-1, 28, 28)
        top = float(np.abs(images).max())
        bottom = total - number * panel - head - block
        ax = place(figure, 0, bottom, width, block)
        for k, image in enumerate(images):
            left = (k * pitch + digit) / unit
            tile(ax, image, left, 0, cmap="RdBu_r", vmin=-top, vmax=top)
            if K > 1:
                ax.text(left + 1, 1, str(k), size=9, va="top")
        right = width / unit + 0.5
        foot = block / unit
        frame(ax, (0, right), (foot, -0.5))
        title = lam if isinstance(lam, str) else f"𝜆 = {decimal(lam)}"
        title += f"; scale ±{top:.2g}"
        letter(ax, letters[number], title, x=0.03 / width)
    return figure


@in_style
def image_rows(rows: Mapping[str, tuple[Array, Sequence[str]]]) -> Figure:
    """Draw rows of images with a line of text under each, and a lettered name over each row (2e).

    Each row is images (n, 784), from -1 for black to 1 for white, drawn dark on light, and n texts. Raise
    ValueError if there is no row, or more than there are letters.
    """
    if not rows:
        raise ValueError("rows is empty; expected (images, texts) for one name or more")
    widest = max(len(images) for images, _ in rows.values())
    width = 32 * max(5, widest)
    unit = WIDTH / width
    head = 16 * POINT / unit
    below = 28 + 3 * POINT / unit
    pitch = 28 + head + 13 * POINT / unit + 2
    figure, ax = sheet(width, pitch * len(rows), margin=2)
    top = head
    for name, (title, (images, texts)) in zip(lettered(rows), rows.items(), strict=True):
        ax.text(0, top - 4 * POINT / unit, math(f"({name}) {title}"))
        left = 0
        for image, text in zip(images, texts, strict=True):
            tile(ax, image.reshape(28, 28), left, top, cmap="gray_r", vmin=-1, vmax=1)
            line(ax, left, top + below, text, "top")
            left += 32
        top += pitch
    return figure


@in_style
def costly(images: Bytes, seen: Any, which: Ints) -> Figure:
    """Draw some images, eight in a row: above each its digit and the predicted one, below it its loss.

    `images` are (N, 28, 28), from 0 for black to 255 for white, drawn dark on light; `seen` says how they are
    classified (`appendix_errors.Readings`), and `which` are the indices of those to show.
    """
    width = 8 * 36
    unit = WIDTH / width
    height = 13 * POINT / unit
    pitch = 28 + 2 * height + 4
    above = 2.5 * POINT / unit
    below = 28 + 2 * POINT / unit
    rows = -(-len(which) // 8)
    figure, ax = sheet(width, pitch * rows, margin=4)
    for at, i in enumerate(which):
        row, column = divmod(at, 8)
        left = 36 * column
        top = pitch * row + height
        tile(ax, images[i], left, top, cmap="Greys", vmin=0, vmax=255)
        line(ax, left, top - above, f"{seen.digit[i]} → {seen.read[i]}")
        line(ax, left, top + below, f"{seen.loss[i]:.1f}", "top")
    return figure


def lettered(panels: Mapping[Any, Any]) -> str:
    """Return a letter for each panel. Raise ValueError if there are not as many."""
    if len(panels) > len(ascii_lowercase):
        raise ValueError(f"{len(panels)} panels; expected {len(ascii_lowercase)} at most, each with a letter")
    return ascii_lowercase[: len(panels)]


def line(ax: Axes, left: float, y: float, text: str, va: str = "baseline") -> None:
    """Write a line of text at y, in the middle of a tile that begins at `left`."""
    ax.text(left + 14, y, text, size=9, ha="center", va=va)


def sheet(width: float, height: float, margin: float) -> tuple[Figure, Axes]:
    """Return a figure of the text's width and its only axes, of so many units, and a margin at the left."""
    figure = plt.figure(figsize=(WIDTH, WIDTH / width * height))
    ax = figure.add_axes((0, 0, 1, 1))
    frame(ax, (-margin, width - margin), (height, 0))
    return figure, ax


def frame(ax: Axes, xlim: Range, ylim: Range) -> None:
    """Set the limits of axes of tiles, and draw nothing around the tiles."""
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_xlim(xlim)
    ax.set_ylim(ylim)
    ax.spines[:].set_visible(False)


def tile(ax: Axes, image: Array, left: float, top: float, **options: Any) -> None:
    """Draw an image (28, 28), one unit a pixel, from (left, top) on; `options` of imshow give its scale.

    Many images on one axes take a third of the time that an axes for each takes.
    """
    edge = Rectangle((left, top), 28, 28, fill=False, edgecolor="0.75", linewidth=0.4)
    ax.add_patch(edge)
    large = image.repeat(8, axis=0).repeat(8, axis=1)  # so that no viewer blurs the pixels
    extent = (left, left + 28, top + 28, top)
    ax.imshow(large, interpolation="none", extent=extent, aspect="auto", **options)
