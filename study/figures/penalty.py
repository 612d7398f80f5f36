"""Figures of the penalty: loss against the norm of the weights (4d), and the norm against lambda (4e)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from assignment1.models import Array
from study.figures.style import (
    BLACK,
    BLUE,
    DASHED,
    DOTTED,
    ORANGE,
    PURPLE,
    RING,
    SOLID,
    TRAINING_POINTS,
    VALIDATION_POINTS,
    Look,
    Range,
    decimal,
    in_style,
    key,
    letter,
    math,
    panels,
    points,
)

DESCENT: Look = dict(color=BLACK, marker="D", markersize=3)
ENDED: Look = RING | dict(markeredgecolor=PURPLE, markeredgewidth=1.4)
POINTS: Look = dict(markersize=5, linewidth=1)
DISCS = POINTS | dict(color=BLUE, marker="o", linestyle=SOLID)
SQUARES = POINTS | dict(color=BLACK, marker="s", linestyle=DASHED, markerfacecolor="none")
TRIANGLES = POINTS | dict(color=ORANGE, marker="^", linestyle=DOTTED)
SERIES = (DISCS, SQUARES, TRIANGLES)
NORM = math(r"norm of the weights, $\|w\|$")


@in_style
def plane(
    training: Mapping[float, Range],
    validation: Mapping[float, Range],
    descent: Mapping[int, Range],
    ends: Mapping[float, Range],
    xlim: Range,
    ylim: Range,
    zoom: tuple[Range, Range],
) -> Figure:
    """Draw loss against the norm of the weights: (a) minima of J, (b) a descent without penalty (4d).

    Each point is (norm, loss in nats): `training` and `validation` of the minima, by lambda; `descent` of the
    validation loss, by epoch. (b) repeats the minima's validation loss, and rings the `ends` of runs, by
    lambda. The scale above (a) has the lambdas, that above (b) the epochs, each over its point. `xlim` and
    `ylim` are the limits of (a), the two of `zoom` those of (b).
    """
    figure, (left, right) = panels([1.55], columns=2, right=0.1, top=0.48, beside=0.62)
    at_minima = _columns(validation)
    left.plot(*_columns(training), **TRAINING_POINTS)
    left.plot(*at_minima, **VALIDATION_POINTS)
    right.plot(*at_minima, **VALIDATION_POINTS)
    right.plot(*_columns(descent), **DESCENT)
    for norm, loss in ends.values():
        right.plot(norm, loss, **ENDED)
    left.set_ylabel("cross-entropy (nats)")
    left.set_xlim(xlim)
    left.set_ylim(ylim)
    right.set_xlim(zoom[0])
    right.set_ylim(zoom[1])
    for ax in (left, right):
        ax.set_xscale("log")
        ax.set_xlabel(NORM)
        _plain_ticks(ax.xaxis)
    letter(left, "a", r"minima of $J$, by $\lambda$")
    letter(right, "b", "enlarged, with the descent")
    lambdas = {decimal(lam): norm for lam, (norm, _) in validation.items()}
    epochs = {f"{epoch:,}": norm for epoch, (norm, _) in descent.items()}
    _names_above(left, lambdas)
    _names_above(right, epochs)
    looks = {
        "training, at the minima": TRAINING_POINTS,
        "validation, at the minima": VALIDATION_POINTS,
        "validation, in descent": DESCENT,
        "validation, at the end of a run": ENDED,
    }
    key(figure, left, looks, columns=2)
    return figure


def _columns(series: Mapping[Any, Range]) -> Array:
    """Return the norms and the losses of points: (2, points)."""
    points = list(series.values())
    return np.array(points).reshape(-1, 2).T


def _plain_ticks(axis: Axis) -> None:
    """Put ticks at 1, 2 and 5 times the powers of ten, in plain numbers, within the limits of the scale."""
    low, high = axis.get_view_interval()
    powers = 10.0 ** np.arange(-9, 10)
    ticks = np.outer(powers, (1, 2, 5)).ravel()
    seen = (low <= ticks) & (ticks <= high)
    axis.set_ticks(ticks[seen])
    axis.set_major_formatter("{x:,g}")
    axis.set_minor_locator(NullLocator())


def _names_above(ax: Axes, places: Mapping[str, float]) -> None:
    """Draw a logarithmic scale at the top with these names at these x, and a fine line under each.

    A name that would touch the one at its left is left out.
    """
    low, high = np.log(ax.get_xlim())
    width = points(ax)[0]
    shown: dict[str, float] = {}
    end = -np.inf
    for name in sorted(places, key=places.__getitem__):
        x = places[name]
        share = (np.log(x) - low) / (high - low)
        middle = share * width
        half = 2.6 * len(name) + 2
        if 0 <= middle <= width and middle - half > end:
            shown[name] = x
            end = middle + half
            ax.axvline(x, color="0.9", linewidth=0.5, zorder=0)
    top = ax.secondary_xaxis("top")
    top.set_xscale("log")
    top.set_xticks(list(shown.values()), list(shown))
    top.xaxis.set_minor_locator(NullLocator())


@in_style
def norms(series: Mapping[str, Mapping[float, float]]) -> Figure:
    """Draw the norm of the weights against lambda, both on logarithmic scales: a curve for each name (4e).

    Each of the `series`, three at most, has ||w|| for its lambdas; a name may hold mathematics, as "$J$".
    Lambda 0 stands by itself, left of a break in the axis, unjoined; a norm that is infinite there is an
    arrow upwards. Raise ValueError if no lambda is above 0.
    """
    lams = sorted(set[float]().union(*series.values()) - {0})
    if not lams:
        raise ValueError(f"series is {series!r}; expected norms for one lambda above 0 or more")
    figure, (ax,) = panels([1.4], right=0.2, top=0.15)
    first = np.log10(lams[0])
    last = np.log10(lams[-1])
    apart = max(0.6, 0.18 * (last - first))
    zero = first - apart  # where lambda = 0 stands
    ticks = {}
    finite = []
    room = 1.25
    for values, look in zip(series.values(), SERIES, strict=False):
        lam, norm = np.array(sorted(values.items())).reshape(-1, 2).T
        positive = lam > 0
        ax.plot(np.log10(lam[positive]), norm[positive], **look)
        finite.append(norm[np.isfinite(norm)])
        if 0 in values:
            ticks[zero] = "0"
        if np.isinf(values.get(0, 0)):
            room = 2
            _upwards(ax, zero, look["color"])
        elif 0 in values:
            ax.plot([zero], [values[0]], **look)
    seen = np.concatenate(finite)
    ax.set_xlabel("𝜆")
    ax.set_ylabel(NORM)
    ax.set_yscale("log")
    ax.set_ylim(seen.min() / 1.25, seen.max() * room)
    _plain_ticks(ax.yaxis)
    if ticks:
        _break(ax, (zero + first) / 2)
    ticks |= {np.log10(lam): decimal(lam) for lam in lams}
    start = min(ticks)
    span = last - start or 1.0
    margin = 0.06 * span
    ax.set_xlim(start - margin, last + margin)
    ax.set_xticks(list(ticks), list(ticks.values()))
    key(figure, ax, dict(zip(series, SERIES, strict=False)))
    return figure


def _upwards(ax: Axes, x: float, colour: str) -> None:
    """Draw an arrow to infinity at the top of the axes."""
    across = ("data", "axes fraction")
    arrow = dict(arrowstyle="-|>", color=colour, linewidth=1.2)
    ax.annotate("", (x, 1), (x, 0.84), across, across, arrow)
    ax.annotate("∞", (x, 0.92), (6, 0), across, "offset points", va="center", size=12, color=colour)


def _break(ax: Axes, x: float) -> None:
    """Interrupt the axis below at x: two strokes, and no line between them."""
    here: Look = dict(transform=ax.get_xaxis_transform(), clip_on=False, zorder=6)
    ends = [x - 0.03, x + 0.03]
    ax.plot(ends, [0, 0], color="white", linewidth=2.5, solid_capstyle="butt", **here)
    for middle in ends:
        stroke = [middle - 0.02, middle + 0.02]
        ax.plot(stroke, [-0.025, 0.025], color="0.25", linewidth=0.8, **here)
