"""Stills of what moves, images side by side, and curves of runs: PNG and SVG, in HTML."""

import io
from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape
from itertools import cycle, product
from typing import Any
from urllib.parse import quote

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator
from numpy.typing import ArrayLike
from PIL import Image

from assignment1.mnist import Bytes, preprocess
from assignment1.models import Array, Regression, SoftmaxRegression
from assignment1.run import History, Log
from explore.paths import Data, columns

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8A6D00", "#56B4E9")  # on light and on dark
DASHES = {  # of the thick lines, with their signs in the key, once the colours begin again
    "": "&#9644;",
    ' stroke-dasharray="9 4"': "&#9644; &#9644;",
    ' stroke-dasharray="3 3"': "&#9642; &#9642; &#9642;",
}
WIDTH = 760  # of the curves, in pixels
HEIGHT = 230
LEAST = 620  # in a narrow window they scroll, where no letter could be read

Curve = tuple[Array, Array, str]  # x, y and the look


def still(model: Regression, image: Bytes, classes: Sequence[str], title: str) -> bytes:
    """Draw the pad as a PNG: an image (28, 28), its map, the probabilities and the weights."""
    w = columns(model)
    (P,) = SoftmaxRegression.activation(preprocess(image) @ w)
    best = int(P.argmax())
    figure = Figure(figsize=(7.6, 3.7), dpi=90, layout="constrained")
    parts: Any = figure.subfigures(2, 1, height_ratios=(2, 1.1))
    above, below = parts
    seen, heat, bars = above.subplots(1, 3, width_ratios=(1, 1, 1.5))
    seen.set_title("what the model sees", fontsize=9)
    seen.imshow(image, cmap="gray", vmin=0, vmax=255)
    heat.set_title(f"red for {classes[best]}, blue against", fontsize=9)
    says = w[:784, best] * image.ravel()
    heat.imshow(says.reshape(28, 28), **_signed(says))
    bars.set_title("probabilities", fontsize=9)
    bars.barh(classes, P, color="#6F93B8")[best].set_color("#D97706")
    bars.invert_yaxis()
    bars.set_xlim(0, 1)
    bars.tick_params(labelsize=8)
    below.suptitle(f"weights, {title}", fontsize=9)
    tiles = below.subplots(1, len(classes))
    for name, ax, weights in zip(classes, tiles, w[:784].T, strict=True):
        ax.imshow(weights.reshape(28, 28), **_signed(w[:784]))
        ax.set_xlabel(name, fontsize=8, labelpad=2)
    for ax in (seen, heat, *tiles):
        ax.set(xticks=[], yticks=[])
    file = io.BytesIO()
    figure.savefig(file)
    return _png(Image.open(file).convert("RGB").quantize(64))


def _signed(values: Array) -> Data:
    """Return imshow's options for values whose 0 is white, red above and blue below."""
    limit = np.abs(values).max()
    return {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}


def strip(
    images: Iterable[ArrayLike],
    captions: Iterable[str],
    low: float = 0,
    high: float = 255,
    colours: str = "gray",
) -> str:
    """Return HTML of images (28, 28) side by side, each with a caption, on one scale from `low` to `high`."""
    cells = []
    for image, caption in zip(images, captions, strict=True):
        shares = (np.asarray(image, float) - low) / (high - low)
        pixels = colormaps[colours](shares, bytes=True)[..., :3]
        source = uri(_png(Image.fromarray(pixels)))
        words = escape(caption)
        picture = f'<img alt="{words}" src="{source}" style="width:64px;image-rendering:pixelated">'
        cells.append(f'<div style="width:76px">{picture}<br>{words}</div>')
    style = "display:flex;flex-wrap:wrap;gap:6px;text-align:center;font-size:12px;line-height:1.2"
    return f'<div style="{style}">{"".join(cells)}</div>'


def uri(png: bytes) -> str:
    """Return a picture as an address that needs no network."""
    return f"data:image/png;base64,{b64encode(png).decode()}"


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, format="PNG", optimize=True)
    return file.getvalue()


def curves(runs: Sequence[tuple[str, Log | History, int]], unit: str = "epoch") -> str:
    """Return losses and accuracies as an image, validation thick, training thin and dashed, and a key.

    Each run is a name, its measurements and the number of steps in a `unit`. Runs of fewer than two checks
    are left out, and without others there is no image. It is an SVG in its address, which stays where inline
    SVG is taken out, in greys for light and for dark.
    """
    loss: list[Curve] = []
    right: list[Curve] = []
    key = "<div>Thick: validation. Thin, dashed: training.</div>"
    seen = [run for run in runs if len(run[1].step) > 1]
    looks = cycle(product(DASHES, COLOURS))
    for (name, record, steps), (dash, colour) in zip(seen, looks, strict=False):
        thick = f'stroke="{colour}" stroke-width="2.2"{dash}'
        thin = f'stroke="{colour}" stroke-width="1" stroke-dasharray="5 2"'
        x = (np.array(record.step) + 1) / steps
        parts = np.split(record.train_loss, record.step[1:])  # from one check to the next
        means = [part.mean() for part in parts]
        loss.append((x, _log(record.validation_loss), thick))
        loss.append((x, _log(means), thin))
        right.append((x, 100 * np.array(record.validation_accuracy), thick))
        training = 100 * np.array(record.train_accuracy)
        taken = np.isfinite(training)
        right.append((x[taken], training[taken], thin))
        key += f'<div><span style="color:{colour}">{DASHES[dash]}</span> {escape(name)}</div>'
    if not seen:
        return ""
    label = f"Losses and accuracies; runs: {len(seen)}"
    panels = _panel("loss (nats, logarithmic)", unit, loss, (0, 100), 0, log=True)
    panels += _panel("accuracy (%)", unit, right, (6, 100), WIDTH // 2)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'fill="#777" font-size="11" font-family="sans-serif">{panels}</svg>'
    )
    source = f"data:image/svg+xml,{quote(svg, safe=' ,/:=')}"
    style = f"display:block;width:100%;min-width:{LEAST}px;max-width:{WIDTH}px"
    return (
        f'<div style="overflow-x:auto"><img alt="{label}" src="{source}" style="{style}"></div>'
        f'<div style="font-size:12px;line-height:1.4">{key}</div>'
    )


def _log(loss: ArrayLike) -> Array:
    return np.log10(np.maximum(loss, 1e-6))


def _panel(
    title: str, unit: str, curves: list[Curve], ends: tuple[float, float], at: int, log: bool = False
) -> str:
    """Return axes with curves on them; `ends` are the percentiles of y that the axes show."""
    left = at + 44
    right = at + WIDTH // 2 - 10
    top = 22
    bottom = HEIGHT - 30
    values = np.concatenate([y for _, y, _ in curves])
    low, high = np.percentile(values, ends)
    span = max(high - low, 1e-6)
    last = max(x[-1] for x, _, _ in curves if len(x))
    parts = [
        f'<text x="{left}" y="14">{title}</text>',
        f'<text x="{right}" y="{HEIGHT - 4}" text-anchor="end">{unit}</text>',
    ]
    for number in _ticks(0, last, False):
        across = left + number / last * (right - left)
        parts.append(f'<text x="{across:.1f}" y="{bottom + 14}" text-anchor="middle">{number:g}</text>')
    for number in _ticks(low, high, log):
        value = np.log10(number) if log else number
        height = bottom - (value - low) / span * (bottom - top)
        parts.append(f'<path d="M{left} {height:.1f}H{right}" stroke="#777" stroke-opacity=".3"/>')
        parts.append(f'<text x="{left - 4}" y="{height + 4:.1f}" text-anchor="end">{number:g}</text>')
    for x, y, style in curves:
        few = slice(None, None, len(x) // 200 + 1)
        across = left + x[few] / last * (right - left)
        up = bottom - np.clip((y[few] - low) / span, -0.02, 1.04) * (bottom - top)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(across, up, strict=True))
        parts.append(f'<polyline fill="none" {style} points="{points}"/>')
    return "".join(parts)


def _ticks(low: float, high: float, log: bool) -> Array:
    """Return round numbers between two numbers, or logarithms: such as 0.5, 1, 2 if far apart."""
    if log:
        low = 10**low
        high = 10**high
    found: Any = MaxNLocator(5, steps=(1, 2, 5, 10)).tick_values(low, high)
    if log and high > 10 * low:
        digits = (1, 2, 5) if high < 200 * low else (1,)
        found = LogLocator(subs=digits).tick_values(low, high)
    return found[(low <= found) & (found <= high)].round(9)
