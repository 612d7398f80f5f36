"""The colours and looks that the figures share, their panels, scales and keys, and names beside curves."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.textpath import TextPath
from scipy.optimize import isotonic_regression

from assignment1.models import Array

Range = tuple[float, float]
Limits = Range | None  # None: the data's own
Look = dict[str, Any]  # options of a line, or of an artist that is not one
Entries = dict[str, Any]  # of a key, by name: the look of a line, or an artist of another kind

STYLE = ["default", str(Path(__file__).parent / "report.mplstyle")]
LOCK = RLock()  # Matplotlib's settings are the process's: two threads would leave each other's
WIDTH = 5.25  # inches; the report's text is 5.56 wide
LINE = 11.5  # points from one line of type to the next

# After the palette of Okabe and Ito, for colour-blind readers, darkened until type has a contrast of 4.5 : 1
# with white, and blue and black further, until they differ from orange in grey too.
BLUE = "#004C85"
ORANGE = "#C04F00"
BLACK = "#000000"
GREEN = "#007D5B"
PURPLE = "#A8517F"
GREY = "0.35"
TRAINING = BLUE
VALIDATION = ORANGE

SOLID = "-"
DASHED = "--"
DOTTED = ":"
DASH_DOTTED = "-."
LONG_DASHED = (0, (9, 2))
DASHES: tuple[Any, ...] = (SOLID, DASHED, DOTTED, DASH_DOTTED, LONG_DASHED)
COLOURS = (ORANGE, BLACK, BLUE, GREEN, PURPLE)

# A curve of few points, which its markers tell apart too, and the ring that marks one of them
VALIDATION_POINTS = Look(color=VALIDATION, marker="s", markersize=3, linestyle=DASHED)
OPEN = Look(marker="o", markerfacecolor="none", linestyle="none")
RING = OPEN | dict(markersize=7, markeredgecolor=BLACK, markeredgewidth=1)


@contextmanager
def report_style() -> Iterator[None]:
    """Draw in the report's style, a thread at a time."""
    with LOCK, plt.style.context(STYLE):
        yield


in_style = report_style()  # decorates a function that draws


def run_look(i: int) -> tuple[str, Any]:
    """Return the colour and the dash of run i of those that are compared.

    Of 25 no two are alike. Neighbours differ in grey; the first two are solid.
    """
    turn, place = divmod(i, 5)
    dash = max(place - 1, 0) + turn
    return COLOURS[place], DASHES[dash % 5]


def panels(
    heights: Sequence[float],
    *,
    columns: int = 1,
    left: float = 0.68,
    right: float = 1.07,
    top: float = 0.36,
    between: float = 0.3,
    beside: float = 0.7,
) -> tuple[Figure, list[Axes]]:
    """Return a figure of the text's width and its panels of these heights, row by row from the top.

    Heights and margins are in inches, so that figures that are compared have axes of one size.
    """
    bottom = 0.46
    total = top + sum(heights) + between * (len(heights) - 1) + bottom
    figure = plt.figure(figsize=(WIDTH, total))
    room = WIDTH - left - right - beside * (columns - 1)
    wide = room / columns
    axes = []
    foot = total - top
    for height in heights:
        foot -= height
        for column in range(columns):
            x = left + column * (wide + beside)
            ax = place(figure, x, foot, wide, height)
            axes.append(ax)
        foot -= between
    return figure, axes


def place(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Add axes to the figure at a place and of a size in inches, and return the axes."""
    across, up = figure.get_size_inches()
    return figure.add_axes((left / across, bottom / up, width / across, height / up))


def around(values: Array, below: float = 0.04, above: float = 0.04) -> Range:
    """Return limits around the finite values, with margins in parts of their range."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        finite = np.array([0, 1])
    low = float(finite.min())
    high = float(finite.max())
    part = high - low or abs(high) or 1.0
    return low - below * part, high + above * part


def step_scales(axes: Sequence[Axes], batches: int) -> None:
    """Count gradient steps below the last of the panels, and epochs of so many batches above the first."""
    *others, last = axes
    for ax in others:
        ax.tick_params(labelbottom=False)
    last.set_xlabel("gradient steps")
    last.xaxis.set_major_formatter("{x:,.0f}")
    to_epochs_and_back = (lambda steps: steps / batches, lambda epochs: epochs * batches)
    top = axes[0].secondary_xaxis("top", functions=to_epochs_and_back)
    top.xaxis.set_major_formatter("{x:,.4g}")
    top.tick_params(pad=5)
    axes[0].annotate("epochs", (0, 1), (-9, 9), "axes fraction", "offset points", ha="right")


def few_ticks(ax: Axes, steps: Sequence[int] = (1, 2, 5, 10), integer: bool = False) -> None:
    """Put a few ticks on the axis below, these steps apart or a power of ten times that."""
    ax.locator_params(axis="x", nbins=4, steps=steps, integer=integer)


def letter(ax: Axes, name: str, title: str = "", **options: Any) -> None:
    """Give a panel its letter, in brackets, and a title that says what it shows."""
    ax.set_title(math(f"({name}) {title}".rstrip()), **options)


def end_names(ax: Axes, names: Sequence[tuple[float, str, str]]) -> None:
    """Name curves, each (y, text, colour), at the right of the axes, moved apart where names would collide.

    Call this function when the limits are set. A name keeps as near to its y as the others allow.
    """
    height = 72 * ax.bbox.height / ax.figure.dpi  # points
    low, high = ax.get_ylim()
    y = np.array([y for y, _, _ in names])
    share = np.clip((y - low) / (high - low), 0, 1)
    wanted = np.nan_to_num(share * height, nan=height / 2)
    order = np.argsort(wanted, kind="stable")
    lines = np.array([1 + text.count("\n") for _, text, _ in names])
    heights = LINE * lines[order]
    stacked = np.cumsum(heights) - heights / 2  # centres of names without a gap
    shifts = isotonic_regression(wanted[order] - stacked).x
    room = max(height - heights.sum(), 0)
    centres = np.clip(shifts, -LINE / 2, room + LINE / 2) + stacked
    for i, centre in zip(order, centres, strict=True):
        _, text, colour = names[i]
        beside(ax, text, centre / height, (6, 0), color=colour, linespacing=1.1)


def beside(ax: Axes, text: str, y: float, offset: Range, va: str = "center", **options: Any) -> None:
    """Write text at the right of the axes, at a share of their height, with an offset in points."""
    ax.annotate(math(text), (1, y), offset, "axes fraction", "offset points", va=va, **options)


def key(figure: Figure, ax: Axes, entries: Entries) -> None:
    """Add a key below the panels: a name for each look of a line, or for an artist of another kind.

    The figure grows by the lines of the key. The key has as many columns as fit; its left is that of `ax`, or
    as far left as it must be.
    """
    handles: list[Artist] = []
    widths = []
    for name, look in entries.items():
        handle = Line2D([], [], **look) if isinstance(look, dict) else look
        text = math(name)
        handle.set_label(text)
        handles.append(handle)
        path = TextPath((0, 0), text, 9)
        widths.append(path.get_extents().width)  # the page's own type is up to an eighth wider
    apart = 12 + 0.12 * max(widths)  # points between columns
    for most in range(len(handles), 0, -1):
        parts = [max(widths[column::most]) + 24 for column in range(most)]  # each with its handle
        across = sum(parts) + apart * most
        if across <= 72 * WIDTH:
            break
    lines = -(-len(handles) // most)
    grow(figure, lines * 13 / 72 + 0.1)
    spare = max(0, WIDTH - across / 72)
    left = min(ax.get_position().x0, spare / WIDTH)
    in_columns = []  # which a legend fills one by one
    for column in range(most):
        in_columns += handles[column::most]
    figure.legend(
        handles=in_columns,
        loc="lower left",
        bbox_to_anchor=(left, 0),
        ncols=most,
        columnspacing=apart / 9,
    )


def grow(figure: Figure, inches: float) -> None:
    """Make the figure taller at its foot by so many inches; the panels keep their size."""
    old = figure.get_figheight()
    new = old + inches
    figure.set_figheight(new)
    for ax in figure.axes:
        at = ax.get_position()
        foot = (at.y0 * old + inches) / new
        height = at.height * old / new
        ax.set_position((at.x0, foot, at.width, height))


def fit(figure: Figure) -> None:
    """Make the panels narrower where a scale's or a curve's name would be cut."""
    page = figure.bbox.width
    left = 3.0
    right = page - 3
    for ax in figure.axes:
        scale: Any = ax.yaxis.get_tightbbox()
        left = min(left, scale.x0)
        for text in ax.texts:
            name = text.get_window_extent()
            right = max(right, name.x0 + 1.12 * name.width)
    for ax in figure.axes:
        at = ax.get_position()
        x0 = at.x0 + (3 - left) / page
        x1 = at.x1 - (right - page + 3) / page
        ax.set_position((x0, at.y0, x1 - x0, at.height))


SYMBOLS = {r"\lambda": "𝜆", r"\alpha": "𝛼", r"\infty": "∞", r"\|": "‖"}
ITALIC = str.maketrans(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-",
    "𝐴𝐵𝐶𝐷𝐸𝐹𝐺𝐻𝐼𝐽𝐾𝐿𝑀𝑁𝑂𝑃𝑄𝑅𝑆𝑇𝑈𝑉𝑊𝑋𝑌𝑍𝑎𝑏𝑐𝑑𝑒𝑓𝑔ℎ𝑖𝑗𝑘𝑙𝑚𝑛𝑜𝑝𝑞𝑟𝑠𝑡𝑢𝑣𝑤𝑥𝑦𝑧−",
)


def math(text: str) -> str:
    """Return text with its mathematics, between dollar signs, in Unicode's letters: $w$ becomes 𝑤.

    Matplotlib would place each of a formula's letters by the widths of its own type; so the page's can.
    """
    return re.sub(r"\$(.+?)\$", _italic, text)


def _italic(found: re.Match[str]) -> str:
    formula = found[1]
    for command, symbol in SYMBOLS.items():
        formula = formula.replace(command, symbol)
    return formula.translate(ITALIC)


def shades(n: int) -> list[tuple[float, float, float]]:
    """Return n colours from black to orange that grow lighter: those of values that have an order.

    All have a contrast of 4.5 : 1 with white; up to six differ in grey as well.
    """
    inferno = matplotlib.colormaps["inferno"]
    places = np.linspace(0, 0.54, n)
    return [inferno(place)[:3] for place in places]


def decimal(x: float) -> str:
    """Return a number without an exponent: 0.00001."""
    return np.format_float_positional(x, trim="-")


def in_steps(number: int) -> str:
    """Return a number of steps in words: 1 step, 1,039 steps."""
    return "1 step" if number == 1 else f"{number:,} steps"
