"""Figures of the penalty: loss against the norm of the weights (4d), and the norm against lambda (4e)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from study.figures.runs import Limits
from study.figures.style import (
    BLACK,
    BLUE,
    DASHED,
    ORANGE,
    PURPLE,
    RING,
    STYLE,
    TRAINING,
    VALIDATION,
    decimal,
    key,
    letter,
    math,
    panels,
)

Point = tuple[float, float]
Looks = dict[str, Any]
ENDED: Looks = RING | dict(markeredgecolor=PURPLE, markeredgewidth=1.4)
DESCENT: Looks = dict(color=BLACK, marker="D", markersize=3)
SERIES: tuple[Looks, ...] = (
    dict(color=BLUE, marker="o", markersize=5, linestyle="-", linewidth=1),
    dict(color=BLACK, marker="s", markersize=5, linestyle=DASHED, linewidth=1, markerfacecolor="none"),
    dict(color=ORANGE, marker="^", markersize=5, linestyle=(0, (1.2, 1.2)), linewidth=1),
)
NORM = math(r"norm of the weights, $\|w\|$")
STEPS = [digit * 10.0**power for power in range(-9, 10) for digit in (1, 2, 5)]


def plane(
    training: Mapping[float, Point],
    validation: Mapping[float, Point],
    descent: Mapping[int, Point],
    ends: Mapping[float, Point] | None = None,
    xlim: Limits = None,
    ylim: Limits = None,
    zoom: tuple[Limits, Limits] = (None, None),
) -> Figure:
    """Loss against the norm of the weights: (a) minima of J, (b) a descent without penalty (4d).

    Each point is (norm, loss in nats): `training` and `validation` of the minima, by lambda; `descent` of the
    validation loss, by epoch. (b) repeats the minima's validation loss, and rings the `ends` of runs, by
    lambda, if they are given. The scale above (a) has the lambdas, that above (b) the epochs, each over its
    point. Limits follow the data unless given: `xlim` and `ylim`, and for (b) alone both of `zoom`.
    """
    with plt.style.context(STYLE):
        margins: Any = dict(right=0.1, top=0.48, beside=0.62)
        figure, (left, right) = panels([1.55], columns=2, **margins)
        left.plot(*zip(*training.values(), strict=True), **TRAINING)
        for ax in (left, right):
            ax.plot(*zip(*validation.values(), strict=True), **VALIDATION)
        right.plot(*zip(*descent.values(), strict=True), **DESCENT)
        rings = list((ends or {}).values())
        for norm, loss in rings:
            right.plot(norm, loss, **ENDED)
        x, y = np.array([*training.values(), *validation.values(), *descent.values(), *rings]).T
        xlim = xlim or (float(x.min()) / 1.08, float(x.max()) * 1.08)
        ylim = ylim or (float(y.min() - 0.05 * np.ptp(y)), float(y.max() + 0.05 * np.ptp(y)))
        titles = (r"minima of $J$, by $\lambda$", "enlarged, with the descent")
        limits = (xlim, ylim), (zoom[0] or xlim, zoom[1] or ylim)
        for ax, (across, up), name, title in zip((left, right), limits, "ab", titles, strict=True):
            ax.set(xscale="log", xlim=across, ylim=up, xlabel=NORM)
            _plain_ticks(ax.xaxis, across)
            letter(ax, name, title)
        _names_above(left, {decimal(lam): norm for lam, (norm, _) in validation.items()})
        _names_above(right, {f"{epoch:,}": norm for epoch, (norm, _) in descent.items()})
        left.set_ylabel("cross-entropy (nats)")
        names = ["training, at the minima", "validation, at the minima", "validation, in descent"]
        names.append("validation, at the end of a run")
        looks = (TRAINING, VALIDATION, DESCENT, ENDED)[: 4 if rings else 3]
        handles = [Line2D([], [], **look) for look in looks]
        key(figure, left, list(zip(handles, names, strict=False)), columns=2)
    return figure


def _plain_ticks(axis: Axis, limits: tuple[float, float]) -> None:
    """Ticks at 1, 2 and 5 times the powers of ten, in plain numbers, on a logarithmic scale."""
    axis.set_major_locator(FixedLocator([t for t in STEPS if limits[0] <= t <= limits[1]]))
    axis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,g}"))
    axis.set_minor_locator(NullLocator())


def _names_above(ax: Axes, places: Mapping[str, float]) -> None:
    """A logarithmic scale at the top with these names at these x, and a fine line under each.

    A name that would touch the one at its left is left out.
    """
    low, high = np.log(ax.get_xlim())
    width = ax.get_position().width * ax.figure.get_figwidth() * 72  # type: ignore[union-attr]
    shown: dict[str, float] = {}
    end = -np.inf
    for name, x in sorted(places.items(), key=lambda place: place[1]):
        middle, half = (np.log(x) - low) / (high - low) * width, 2.6 * len(name) + 2
        if 0 <= middle <= width and middle - half > end:
            shown[name], end = x, middle + half
    top = ax.secondary_xaxis("top")
    top.set_xscale("log")
    top.set_xticks(list(shown.values()), list(shown))
    top.xaxis.set_minor_locator(NullLocator())
    for x in shown.values():
        ax.axvline(x, color="0.9", linewidth=0.5, zorder=0)


def norms(series: Mapping[str, Mapping[float, float]]) -> Figure:
    """The norm of the weights against lambda, both on logarithmic scales: a curve for each name (4e).

    Each of the `series`, three at most, has ||w|| for its lambdas; a name may hold mathematics, as "$J$".
    Lambda 0 stands by itself, left of a break in the axis, unjoined; a norm that is infinite there is an
    arrow upwards.
    """
    lams = sorted({lam for values in series.values() for lam in values if lam > 0})
    finite = [norm for values in series.values() for norm in values.values() if np.isfinite(norm)]
    if not lams:
        raise ValueError(f"series is {series!r}; expected norms for one lambda above 0 or more")
    with plt.style.context(STYLE):
        figure, (ax,) = panels([1.4], right=0.2, top=0.15)
        first, last = np.log10(lams[0]), np.log10(lams[-1])
        zero = first - max(0.6, 0.18 * (last - first))  # where lambda = 0 stands
        endless = any(np.isinf(values.get(0, 0)) for values in series.values())
        limits = (min(finite) / 1.25, max(finite) * (2 if endless else 1.25))  # room for the arrow
        handles = []
        for values, look in zip(series.values(), SERIES, strict=False):
            points = sorted((lam, norm) for lam, norm in values.items() if lam > 0)
            ax.plot([np.log10(lam) for lam, _ in points], [norm for _, norm in points], **look)
            if np.isinf(values.get(0, 0)):
                _upwards(ax, zero, look["color"])
            elif 0 in values:
                ax.plot([zero], [values[0]], **look)
            handles.append(Line2D([], [], **look))
        ax.set(xlabel="𝜆", ylabel=NORM, yscale="log", ylim=limits)
        _plain_ticks(ax.yaxis, limits)
        ticks = {np.log10(lam): decimal(lam) for lam in lams}
        if any(0 in values for values in series.values()):
            ticks = {zero: "0"} | ticks
            _break(ax, (zero + first) / 2)
        span = last - min(ticks) or 1.0
        ax.set_xlim(min(ticks) - 0.06 * span, last + 0.06 * span)
        ax.set_xticks(list(ticks), list(ticks.values()))
        key(figure, ax, list(zip(handles, series, strict=False)))
    return figure


def _upwards(ax: Axes, x: float, colour: str) -> None:
    """An arrow to infinity at the top of the axes."""
    place: Looks = dict(xycoords=("data", "axes fraction"))
    arrow = dict(arrowstyle="-|>", color=colour, linewidth=1.2)
    ax.annotate("", (x, 1), (x, 0.84), textcoords=place["xycoords"], arrowprops=arrow, **place)
    offset: Looks = dict(textcoords="offset points", va="center", size=12, color=colour)
    ax.annotate("∞", (x, 0.92), (6, 0), **offset, **place)


def _break(ax: Axes, x: float) -> None:
    """Interrupt the axis below at x: two strokes, and no line between them."""
    place: Looks = dict(transform=ax.get_xaxis_transform(), clip_on=False, zorder=6)
    ax.plot([x - 0.03, x + 0.03], [0, 0], color="white", linewidth=2.5, solid_capstyle="butt", **place)
    for stroke in (x - 0.03, x + 0.03):
        ax.plot([stroke - 0.02, stroke + 0.02], [-0.025, 0.025], color="0.25", linewidth=0.8, **place)
