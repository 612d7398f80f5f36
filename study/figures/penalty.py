"""Figures of the penalty: what it leaves of the weights (4b), and the norm against lambda (4e)."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from study.figures.style import (
    BLACK,
    DASHED,
    DASHES,
    DOTTED,
    GREEN,
    GREY,
    PURPLE,
    SOLID,
    Look,
    decimal,
    in_steps,
    in_style,
    key,
    panels,
    shades,
)

MARK = Look(color=GREY, linestyle=DOTTED, linewidth=0.8)
ABOVE = Look(xycoords=("data", "axes fraction"), size=9, ha="center", va="bottom")
GUIDE = Look(color="0.55", linewidth=0.8, linestyle=DOTTED)
POINTS = Look(markersize=5, linewidth=1)
DISCS = POINTS | dict(color=PURPLE, marker="o", linestyle=SOLID)
SQUARES = POINTS | dict(color=BLACK, marker="s", linestyle=DASHED, markerfacecolor="none")
TRIANGLES = POINTS | dict(color=GREEN, marker="^", linestyle=DOTTED)
SERIES = (DISCS, SQUARES, TRIANGLES)


@in_style
def shares(lams: Sequence[float], steps: Sequence[int], rate: float, bands: Mapping[str, float]) -> Figure:
    """Draw the share of a quadratic cost's minimum that penalties leave and that steps fit, dashed (4b).

    Along a direction of curvature h a penalty leaves h / (h + 2 lam) and T steps of a learning rate fit
    1 - (1 - rate h)^T. Dotted lines mark the curvatures of the `bands`, by name.
    """
    figure, (ax,) = panels([1.4], right=0.15, top=0.32)
    names = {}
    h = np.geomspace(3e-5, 10, 300)
    for lam, colour in zip(lams, shades(len(lams)), strict=True):
        look = Look(color=colour)
        left_over = h / (h + 2 * lam)
        ax.plot(h, left_over, **look)
        names[f"𝜆 = {decimal(lam)}"] = look
    for number, dash in zip(steps, DASHES[1:], strict=False):
        look = Look(color=GREY, linestyle=dash)
        left = np.clip(1 - rate * h, -1, 1)  # beyond, descent diverges
        ax.plot(h, 1 - left**number, **look)
        names[in_steps(number)] = look
    for name, curvature in bands.items():
        ax.axvline(curvature, **MARK)
        ax.annotate(name, (curvature, 1.02), **ABOVE)
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter("{x:g}")
    ax.set_xlim(h[0], h[-1])
    ax.set_ylim(0, 1)
    ax.set_xlabel("curvature ℎ of the cost along the direction")
    ax.set_ylabel("share of 𝑔/ℎ")
    key(figure, ax, names)
    return figure


@in_style
def norms(series: Mapping[str, Mapping[float, float]]) -> Figure:
    """Draw the norm of the weights against lambda, both on logarithmic scales: a curve for each name (4e).

    Each of the `series`, three at most, has ||w|| for its lambdas; a name may hold mathematics, as "$J$".
    A dotted line falls as 1 / lambda does. Lambda 0 stands by itself, left of a break in the axis, unjoined;
    a norm that is infinite there is an arrow upwards. Raise ValueError if no lambda is above 0.
    """
    lams = sorted(set[float]().union(*series.values()) - {0})
    if not lams:
        raise ValueError(f"series is {series!r}; expected norms for one lambda above 0 or more")
    figure, (ax,) = panels([1.7], right=0.2, top=0.25)
    first = np.log10(lams[0])
    last = np.log10(lams[-1])
    apart = max(0.6, 0.18 * (last - first))
    zero = first - apart  # where lambda = 0 stands
    ticks = {}
    room = 1.25
    for values, look in zip(series.values(), SERIES, strict=False):
        lam, norm = np.array(sorted(values.items())).reshape(-1, 2).T
        positive = lam > 0
        ax.plot(np.log10(lam[positive]), norm[positive], **look)
        if 0 in values:
            ticks[zero] = "0"
        if np.isinf(values.get(0, 0)):
            room = 2
            _upwards(ax, zero, look["color"])
        elif 0 in values:
            ax.plot([zero], [values[0]], **look)
    known = np.concatenate([list(values.values()) for values in series.values()])
    seen = known[np.isfinite(known)]
    ax.set_xlabel("𝜆")
    ax.set_ylabel("norm of the weights, ‖𝑤‖")
    ax.set_yscale("log")
    ax.set_ylim(seen.min() / 1.25, seen.max() * room)
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter("{x:,g}")
    ax.yaxis.set_minor_locator(NullLocator())
    positive = np.array(lams)
    guide = seen.max() * lams[0] / positive
    ax.plot(np.log10(positive), guide, scaley=False, **GUIDE)
    if ticks:
        _break(ax, (zero + first) / 2)
    ticks |= {np.log10(lam): decimal(lam) for lam in lams}
    start = min(ticks)
    span = last - start or 1.0
    margin = 0.06 * span
    ax.set_xlim(start - margin, last + margin)
    ax.set_xticks(list(ticks), list(ticks.values()))
    key(figure, ax, dict(zip(series, SERIES, strict=False)) | {"slope of 1/𝜆": GUIDE})
    return figure


def _upwards(ax: Axes, x: float, colour: str) -> None:
    """Draw an arrow to infinity at the top of the axes."""
    across = ("data", "axes fraction")
    arrow = dict(arrowstyle="-|>", color=colour, linewidth=1.2)
    ax.annotate("", (x, 1), (x, 0.84), across, across, arrow)
    ax.annotate("∞", (x, 0.92), (6, 0), across, "offset points", va="center", size=12, color=colour)


def _break(ax: Axes, x: float) -> None:
    """Interrupt the axis below at x: two strokes, and no line between them."""
    here = Look(transform=ax.get_xaxis_transform(), clip_on=False, zorder=6)
    ends = [x - 0.03, x + 0.03]
    ax.plot(ends, [0, 0], color="white", linewidth=2.5, solid_capstyle="butt", **here)
    for middle in ends:
        stroke = [middle - 0.02, middle + 0.02]
        ax.plot(stroke, [-0.025, 0.025], color="0.25", linewidth=0.8, **here)
