"""What the figures share: colours, panels of a known size, scales, and names that find their place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath
from matplotlib.ticker import FuncFormatter
from scipy.optimize import isotonic_regression

from assignment1.models import Array

STYLE = ["default", str(Path(__file__).parent / "report.mplstyle")]
WIDTH = 5.25  # inches: the report's text width
# After the palette of Okabe and Ito, for colour-blind readers, darkened until type has a contrast of 4.5 : 1
# with white, and blue and black further, until they differ from orange in grey too.
BLUE, ORANGE, BLACK, GREEN, PURPLE = "#004C85", "#C04F00", "#000000", "#007D5B", "#A8517F"
SKY, GREY = "#3D8FC6", "0.35"  # sky for thin lines beside a bold one, never for type
SOLID, DASHED = "-", (0, (4, 1.2))
# Curves of few points, told apart by their markers too, and the ring that marks one of them
TRAINING: dict[str, Any] = dict(color=BLUE, marker="o", markersize=3)
VALIDATION: dict[str, Any] = dict(color=ORANGE, marker="s", markersize=3, linestyle=DASHED)
RING: dict[str, Any] = dict(
    marker="o",
    markersize=7,
    markerfacecolor="none",
    markeredgecolor=BLACK,
    markeredgewidth=1,
    linestyle="none",
)
DASHES: tuple[Any, ...] = (SOLID, (0, (4, 1.2)), (0, (1.2, 1.2)), (0, (6, 1.2, 1.2, 1.2)), (0, (9, 2)))
COLOURS = (ORANGE, BLACK, BLUE, GREEN, PURPLE)
# Of runs that are compared: no two alike, and neighbours apart in grey, of which the first two are solid.
LOOKS = [(colour, DASHES[(max(i - 1, 0) + r) % 5]) for r in range(5) for i, colour in enumerate(COLOURS)]
LINE = 11.5  # points from one line of type to the next


def panels(
    heights: Sequence[float],
    *,
    columns: int = 1,
    left: float = 0.68,
    right: float = 1.07,
    top: float = 0.5,
    bottom: float = 0.46,
    between: float = 0.3,
    beside: float = 0.7,
) -> tuple[Figure, list[Axes]]:
    """A figure of the text's width with panels of these heights, and its margins, in inches; from the top.

    Figures that are compared thereby have axes of one size.
    """
    total = top + sum(heights) + between * (len(heights) - 1) + bottom
    wide = (WIDTH - left - right - beside * (columns - 1)) / columns
    figure, drawn, y = plt.figure(figsize=(WIDTH, total)), [], total - top
    for height in heights:
        y -= height
        for column in range(columns):
            x = left + column * (wide + beside)
            where = (x / WIDTH, y / total, wide / WIDTH, height / total)
            drawn.append(figure.add_axes(where))
        y -= between
    return figure, drawn


def step_axes(
    ylabel: str, ylim: tuple[float, float] | None, batches: int, height: float = 1.5, **margins: Any
) -> tuple[Figure, Axes]:
    """One panel with gradient steps below, epochs of so many batches above, and room at its right."""
    figure, (ax,) = panels([height], **margins)
    ax.set(ylabel=ylabel, ylim=ylim)
    steps_below(ax)
    epochs_above(ax, batches)
    return figure, ax


def steps_below(ax: Axes) -> None:
    """A scale of gradient steps, which is updates made, with commas."""
    ax.set_xlabel("gradient steps")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))


def epochs_above(ax: Axes, batches: int) -> None:
    """A second scale at the top that counts epochs of so many batches."""
    to_epochs, to_steps = (lambda s: np.asarray(s) / batches), (lambda e: np.asarray(e) * batches)
    top = ax.secondary_xaxis("top", functions=(to_epochs, to_steps))
    top.set_xlabel("epochs")
    top.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.4g}"))


def letter(ax: Axes, name: str, title: str = "", **options: Any) -> None:
    """Name a panel: (a) and what it shows."""
    ax.set_title(math(f"({name}) {title}".rstrip()), **options)


def end_names(ax: Axes, names: Sequence[tuple[float, str, Any]]) -> None:
    """Name curves at the right edge of the axes, each (y, text, colour), moved apart where they would
    collide.

    Call it when the limits are set: a name keeps as near to its y as the others allow.
    """
    low, high = ax.get_ylim()
    points = ax.get_position().height * ax.figure.get_figheight() * 72  # type: ignore[union-attr]
    y = np.array([np.clip((value - low) / (high - low), 0, 1) * points for value, _, _ in names])
    order = np.argsort(np.nan_to_num(y, nan=points / 2), kind="stable")
    heights = np.array([LINE * (1 + names[i][1].count("\n")) for i in order])
    centres = np.cumsum(heights) - heights / 2  # of names stacked without a gap
    spread = isotonic_regression(np.nan_to_num(y, nan=points / 2)[order] - centres).x
    lowest, highest = 0.0, max(points - heights.sum(), 0.0)
    places = np.clip(spread, lowest - LINE / 2, highest + LINE / 2) + centres
    for i, place in zip(order, places, strict=True):
        where: dict[str, Any] = dict(
            xycoords="axes fraction", textcoords="offset points", va="center", linespacing=1.1
        )
        ax.annotate(math(names[i][1]), (1, place / points), (6, 0), color=names[i][2], **where)


def key(figure: Figure, ax: Axes, entries: Sequence[tuple[Artist, str]], columns: int | None = None) -> None:
    """A key below, where nothing can be in its way; the figure grows by the lines that it takes.

    It has so many columns, or as many as fit; its left is that of `ax`, or as far left as it must be.
    """
    handles, names = zip(*((handle, math(name)) for handle, name in entries), strict=True)
    widths = [width(name, 9) for name in names]
    apart = 12 + 0.12 * max(widths)  # points between columns; a handle with its space takes 24
    most = columns or len(names)
    while True:
        across = [max(widths[i::most]) + 24 for i in range(min(most, len(names)))]
        wide = sum(across) + apart * len(across)
        if wide <= 72 * WIDTH or most == 1:
            break
        most -= 1
    lines = -(-len(names) // most)
    grow(figure, lines * 13 / 72 + 0.1)
    left = min(ax.get_position().x0, max(0, WIDTH - wide / 72) / WIDTH)
    order = [i for column in range(most) for i in range(column, len(names), most)]  # a legend fills columns
    figure.legend(
        [handles[i] for i in order],
        [names[i] for i in order],
        loc="lower left",
        bbox_to_anchor=(left, 0),
        ncols=most,
        columnspacing=apart / 9,
    )


def width(text: str, size: float) -> float:
    """The width of a line of type in points; in the page's own type it is up to an eighth more."""
    type_here = FontProperties(family="STIXGeneral")
    return float(TextPath((0, 0), text, size, prop=type_here).get_extents().width)


def grow(figure: Figure, inches: float) -> None:
    """Make the figure so much taller at its foot; what it shows keeps its size."""
    old = figure.get_figheight()
    new = old + inches
    figure.set_figheight(new)
    for ax in figure.axes:
        at = ax.get_position()
        ax.set_position((at.x0, (at.y0 * old + inches) / new, at.width, at.height * old / new))


def fit(figure: Figure) -> None:
    """Make the panels narrower where a scale's or a curve's name would be cut."""
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    edges = []
    for ax in figure.axes:
        scale: Any = ax.yaxis.get_tightbbox(renderer)
        names = [text.get_window_extent(renderer) for text in ax.texts if text.get_text()]
        edges.append((scale.x0, max([ax.bbox.x1, *(box.x0 + 1.12 * box.width for box in names)])))
    left, right = min(x0 for x0, _ in edges), max(x1 for _, x1 in edges)
    narrower = max(0.0, 3 - left), max(0.0, right - figure.bbox.x1 + 3)
    for ax in figure.axes:
        at = ax.get_position()
        x0, x1 = at.x0 + narrower[0] / figure.bbox.width, at.x1 - narrower[1] / figure.bbox.width
        ax.set_position((x0, at.y0, x1 - x0, at.height))


def math(text: str) -> str:
    """Text with its mathematics, between dollar signs, in the letters that Unicode has for it: $w$ becomes 𝑤.

    Matplotlib would place each of a formula's letters by the widths of its own type; so the page's can.
    """
    return re.sub(r"\$(.+?)\$", lambda found: "".join(map(_letter, SYMBOLS.sub(_symbol, found[1]))), text)


SYMBOLS = re.compile(r"\\lambda|\\alpha|\\infty|\\\||-")


def _symbol(found: re.Match[str]) -> str:
    return {r"\lambda": "𝜆", r"\alpha": "𝛼", r"\infty": "∞", r"\|": "‖", "-": "−"}[found[0]]


def _letter(c: str) -> str:
    """A letter in mathematical italics."""
    start = 0x1D44E - ord("a") if c.islower() else 0x1D434 - ord("A")
    return chr(start + ord(c)) if c.isascii() and c.isalpha() and c != "h" else "ℎ" if c == "h" else c


def on_white(ax: Axes, x: Array, y: Array, **options: Any) -> None:
    """A line on a white one, which keeps it apart from what it crosses."""
    ax.plot(x, y, color="white", linewidth=2.4)
    ax.plot(x, y, **options)


def shades(n: int) -> list[tuple[float, float, float]]:
    """From black to orange, in n steps that grow lighter: colours of values that have an order.

    All have a contrast of 4.5 : 1 with white; up to six differ in grey as well.
    """
    inferno = matplotlib.colormaps["inferno"]
    return [inferno(x)[:3] for x in np.linspace(0, 0.54, n)] if n > 1 else [(0, 0, 0)]


def decimal(x: float) -> str:
    """A number without an exponent: 0.00001."""
    return np.format_float_positional(x, trim="-")


def lambda_is(lam: float) -> str:
    """The text 𝜆 = 0.1."""
    return f"𝜆 = {decimal(lam)}"
