"""The still pictures that stand in for what moves, and the curves that grow: PNG and SVG, as data."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from assignment1.mnist import preprocess
from assignment1.models import Array, Regression, SoftmaxRegression
from assignment1.run import Log
from explore.paths import columns

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8A6D00", "#56B4E9")
WIDTH, HEIGHT = 760, 230  # of the curves, in pixels
Curves = list[tuple[Array, Array]]  # of one run, each x and y


def still(model: Regression, image: NDArray[np.uint8], classes: Sequence[str], title: str) -> bytes:
    """The pad as a PNG: an image (28, 28), what speaks for its winner, the probabilities and the weights."""
    w = columns(model)
    P = SoftmaxRegression.activation(preprocess(image) @ w)
    best = int(P[0].argmax())
    figure = Figure(figsize=(7.6, 3.7), dpi=90, layout="constrained")
    top, below = np.ravel(np.asarray(figure.subfigures(2, 1, height_ratios=(2, 1.1))))
    seen, says, bars = top.subplots(1, 3, width_ratios=(1, 1, 1.5))
    seen.imshow(image, cmap="gray", vmin=0, vmax=255)
    part = (w[:784, best] * image.ravel() / 255 * 2).reshape(28, 28)
    says.imshow(part, cmap="RdBu_r", vmin=-np.abs(part).max(), vmax=np.abs(part).max())
    seen.set_title("what the model sees", fontsize=9)
    says.set_title(f"red for {classes[best]}, blue against", fontsize=9)
    bars.barh(classes, P[0], color=["#D97706" if k == best else "#6F93B8" for k in range(len(classes))])
    bars.invert_yaxis()
    bars.set(xlim=(0, 1), title="probabilities")
    bars.title.set_fontsize(9)
    bars.tick_params(labelsize=8)
    limit = np.abs(w[:784]).max()
    axes = np.atleast_1d(below.subplots(1, len(classes)))
    for k, ax in enumerate(axes):
        ax.imshow(w[:784, k].reshape(28, 28), cmap="RdBu_r", vmin=-limit, vmax=limit)
        ax.set_xlabel(classes[k], fontsize=8, labelpad=2)
    below.suptitle(f"weights, {title}", fontsize=9)
    for ax in (seen, says, *axes):
        ax.set(xticks=[], yticks=[])
    file = io.BytesIO()
    figure.savefig(file)
    return _png(Image.open(file).convert("RGB").quantize(64))


def strip(images: Sequence[ArrayLike], captions: Sequence[str]) -> str:
    """Images (28, 28) of 0 to 255 side by side, each with words below it, as HTML."""
    cells = []
    for image, words in zip(images, captions, strict=True):
        source = uri(_png(Image.fromarray(np.asarray(image, np.uint8))))
        picture = f'<img alt="{escape(words)}" src="{source}" style="width:64px;image-rendering:pixelated">'
        style = "width:84px;text-align:center;font-size:12px;line-height:1.2"
        cells.append(f'<div style="{style}">{picture}<br>{escape(words)}</div>')
    return f'<div style="display:flex;flex-wrap:wrap;gap:6px">{"".join(cells)}</div>'


def picture(svg: str) -> str:
    """A drawing of `curves` as an image, for where inline SVG is taken out; readable on light and dark."""
    source = svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1).replace(
        "currentColor", "#777"
    )
    data = b64encode(source.encode()).decode()
    return f'<img alt="the curves" src="data:image/svg+xml;base64,{data}" style="width:{WIDTH}px">'


def uri(png: bytes) -> str:
    """A picture as an address that needs no network."""
    return f"data:image/png;base64,{b64encode(png).decode()}"


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, format="PNG", optimize=True)
    return file.getvalue()


def curves(logs: Mapping[str, Log], per_epoch: Mapping[str, int], scored: int) -> str:
    """The losses and accuracies of several runs so far, as SVG: validation thick, training thin and dashed.

    Of `scored` checks, one took the training accuracy.
    """
    logs = {name: log for name, log in logs.items() if len(log.step) > 1}
    loss: list[Curves] = []
    right: list[Curves] = []
    for name, log in logs.items():
        validation = np.array(log.validation_loss)
        x = (np.array(log.step)[: len(validation)] + 1) / per_epoch[name]
        some = x[::scored]
        loss.append([(x, validation), (x, _between_checks(log))])
        right.append(
            [(x, np.array(log.validation_accuracy)), (some, np.array(log.train_accuracy[: len(some)]))]
        )
    panels = _panel("loss (nats, logarithmic)", loss, (0, 100), 0, log=True)
    panels += _panel("accuracy", right, (6, 100), WIDTH // 2)
    keys = "".join(
        f'<div><span style="color:{COLOURS[i % 6]}">&#9644;</span> {escape(name)}</div>'
        for i, name in enumerate(logs)
    )
    words = f"Losses and accuracies of {len(logs)} runs" if logs else "No run yet"
    drawing = (
        f'<svg role="img" aria-label="{words}" viewBox="0 0 {WIDTH} {HEIGHT}" width="100%" '
        f'style="max-width:{WIDTH}px" fill="currentColor" font-size="11" font-family="sans-serif">'
        f"{panels}</svg>"
    )
    said = "<div>Thick: validation. Thin, dashed: training.</div>" if logs else ""
    return f'{drawing}<div style="font-size:12px;line-height:1.4">{said}{keys}</div>'


def _between_checks(log: Log) -> Array:
    """The mean training loss between one check and the next, (checks,)."""
    parts = np.split(np.array(log.train_loss), log.step[1:])
    return np.array([part.mean() if len(part) else np.nan for part in parts])


def _panel(title: str, runs: list[Curves], ends: tuple[float, float], at: int, log: bool = False) -> str:
    """One pair of axes with all runs' curves, x (epochs) and y; `ends` are the percentiles that it shows."""
    left, right, top, bottom = at + 44, at + WIDTH // 2 - 10, 22, HEIGHT - 26
    if log:
        runs = [[(x, np.log10(np.maximum(y, 1e-6))) for x, y in run] for run in runs]
    every = [curve for run in runs for curve in run] or [(np.array([1.0]), np.array([0.0, 1.0]))]
    y_all = np.concatenate([y for _, y in every])
    low, high = np.percentile(y_all[np.isfinite(y_all)], ends)
    high, last = max(high, low + 1e-6), max(x[-1] for x, _ in every)
    parts = [
        f'<text x="{left}" y="14">{title}</text>'
        f'<text x="{right}" y="{HEIGHT - 6}" text-anchor="end">epoch {last:.1f}</text>'
    ]
    for value in np.linspace(low, high, 4):
        y = bottom - (value - low) / (high - low) * (bottom - top)
        parts.append(f'<path d="M{left} {y:.1f}H{right}" stroke="currentColor" stroke-opacity=".18"/>')
        parts.append(
            f'<text x="{left - 4}" y="{y + 4:.1f}" text-anchor="end">{10**value if log else value:.3f}</text>'
        )
    styles = ('stroke-width="2.2"', 'stroke-width="1" stroke-dasharray="5 2"')
    for i, run in enumerate(runs):
        for (x, y), style in zip(run, styles, strict=True):
            few = slice(None, min(len(x), len(y)), max(len(x) // 200, 1))
            across = left + x[few] / last * (right - left)
            up = bottom - np.clip((y[few] - low) / (high - low), -0.02, 1.04) * (bottom - top)
            points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(across, up, strict=True) if np.isfinite(b))
            parts.append(f'<polyline fill="none" stroke="{COLOURS[i % 6]}" {style} points="{points}"/>')
    return "".join(parts)
