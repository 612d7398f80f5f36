"""How the package's objects show themselves: text of at most 20 lines, and a compact HTML view in Jupyter."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Sequence
from functools import singledispatch
from html import escape

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import ArrayLike

from assignment1.fast.sweep import Runs
from assignment1.mnist import MNIST, Dataset, Split
from assignment1.models import Array, Regression
from assignment1.run import History, Run

IMAGES, RUNS = 12, 12  # at most, in one view
TRAINING, VALIDATION = "#0072B2", "#BF5000"


@singledispatch
def text(thing: object) -> str:
    """A summary of at most 20 lines."""
    return object.__repr__(thing)


@singledispatch
def html(thing: object) -> str:
    """A compact view, of the summary unless there is more to see."""
    return f"<pre>{escape(text(thing))}</pre>"


@text.register
def _(mnist: MNIST) -> str:
    return (
        "MNIST: 60,000 training and 10,000 test images of handwritten digits, 28 by 28 pixels\n"
        "data sets: .softmax() of all ten digits, .binary(2, 3) of two\n"
        "arrays: .train_images, .train_labels, .test_images, .test_labels"
    )


@html.register
def _(mnist: MNIST) -> str:
    rows = [("training", mnist.train_labels), ("test", mnist.test_labels)]
    counts = [[name, *(f"{n:,}" for n in np.bincount(labels, minlength=10))] for name, labels in rows]
    first = [mnist.test_images[np.flatnonzero(mnist.test_labels == digit)[0]] for digit in range(10)]
    return _paragraphs(text(mnist)) + _table(["images", *map(str, range(10))], counts) + _strip(first)


@text.register
def _(split: Split) -> str:
    shapes = f"X {split.X.shape}, {split.X.dtype}; targets Y {split.Y.shape}"
    return f"{len(split.X):,} images: {shapes}; {_counts(split)}"


@html.register
def _(split: Split) -> str:
    return _paragraphs(text(split)) + _strip(_pictures(split))


@text.register
def _(data: Dataset) -> str:
    return (
        f"train:      {text(data.train)}\nvalidation: {text(data.validation)}\n"
        "test:       the training images from number 20,000 on, made when asked for"
    )


@html.register
def _(data: Dataset) -> str:
    return _paragraphs(text(data)) + _strip(_pictures(data.train))


@text.register
def _(model: Regression) -> str:
    with np.errstate(over="ignore"):
        size = f"weights {model.w.shape}, norm {np.linalg.norm(model.w):.4g}"
    return f"{type(model).__name__}(lam={model.lam:g}): {size}"


@html.register
def _(model: Regression) -> str:
    limit = np.abs(model.w[:-1]).max()
    scale = f"; blue {-limit:.3g}, white 0, red {limit:.3g}" if limit else "; all weights are zero"
    images = [w.reshape(28, 28) for w in model.w[:-1].T] if limit else []
    return _paragraphs(text(model) + scale) + _strip(images, "RdBu_r", -limit, limit)


@text.register
def _(history: History) -> str:
    lines = [f"{len(history.train_loss):,} steps and {len(history.step):,} checks"]
    for name, values in vars(history).items():
        lines.append(f"  {name:20} {values.shape!s:9} {values[0]:10.6g} to {values[-1]:.6g}")
    return "\n".join(lines)


@html.register
def _(history: History) -> str:
    return html.dispatch(object)(history) + _curves(history)


@text.register
def _(run: Run) -> str:
    history, check = run.history, int(np.searchsorted(run.history.step, run.best_step))
    settings = ", ".join(f"{name}={value!r}" for name, value in run.settings.items())
    rows = [("best", check, run.best_step), ("last", -1, int(history.step[-1]))]
    lines = [f"{type(run.last).__name__}: {_ending(run)}"]
    for name, at, step in rows:
        loss, accuracy = history.validation_loss[at], history.validation_accuracy[at]
        taken = history.train_accuracy[at]
        training = f"; training accuracy {taken:.4f}" if np.isfinite(taken) else ""
        where = f"  {name} check, after {step + 1:,} updates"
        lines.append(f"{where}: validation loss {loss:.5f}, accuracy {accuracy:.4f}{training}")
    return "\n".join([*lines, f"  settings: {settings}"])


@html.register
def _(run: Run) -> str:
    return html.dispatch(object)(run) + _curves(run.history)


@text.register
def _(runs: Runs) -> str:
    lines = [_how_many(runs)]
    lines += [f"  {key!r}: {_ending(run)}; {_best(run)}" for key, run in list(runs.items())[:RUNS]]
    lines += [f"  and {len(runs) - RUNS} more"] if len(runs) > RUNS else []
    lines += [f"  {key!r} failed: {str(error)[:80]}" for key, error in list(runs.failed.items())[:4]]
    return "\n".join(lines)


@html.register
def _(runs: Runs) -> str:
    rows = [
        [repr(key), f"{run.steps:,}", str(run.epoch), _why(run), *_numbers(run)]
        for key, run in list(runs.items())[:RUNS]
    ]
    header = ["run", "updates", "epoch", "ending", "lowest validation loss", "accuracy there"]
    more = f"and {len(runs) - RUNS} more; " if len(runs) > RUNS else ""
    return _table(header, rows) + _paragraphs(more + _how_many(runs))


def _how_many(runs: Runs) -> str:
    ended = f"; interrupted, {len(runs.left)} not there" if runs.interrupted else ""
    return f"{len(runs)} runs, {len(runs.failed)} failed{ended}"


def _why(run: Run) -> str:
    return "interrupted" if run.interrupted else "stopped early" if run.stopped_early else "all epochs done"


def _ending(run: Run) -> str:
    return f"{_why(run)}, in epoch {run.epoch} after {run.steps:,} updates"


def _numbers(run: Run) -> tuple[str, str]:
    check = int(np.searchsorted(run.history.step, run.best_step))
    return f"{run.history.validation_loss[check]:.5f}", f"{run.history.validation_accuracy[check]:.4f}"


def _best(run: Run) -> str:
    loss, accuracy = _numbers(run)
    return f"lowest validation loss {loss}, accuracy {accuracy}"


def _counts(split: Split) -> str:
    if split.Y.shape[1] == 1:
        ones = int(split.Y.sum())
        return f"{ones:,} of target 1, {len(split.Y) - ones:,} of target 0"
    return "by class " + ", ".join(f"{int(n):,}" for n in split.Y.sum(axis=0))


def _pictures(split: Split) -> list[Array]:
    return [x[:784].reshape(28, 28) for x in split.X[:IMAGES]]


def _paragraphs(words: str) -> str:
    return "".join(f"<div>{escape(line)}</div>" for line in words.splitlines())


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head, *body = [
        "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells)
        for tag, cells in [("th", header), *(("td", row) for row in rows)]
    ]
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in body)}</table>"


def _strip(
    images: Sequence[ArrayLike], colours: str = "gray", low: float | None = None, high: float | None = None
) -> str:
    """Images side by side, as one picture."""
    if not len(images):
        return ""
    tiles = [np.pad(np.asarray(image, float), 1, constant_values=np.nan) for image in images]
    file = io.BytesIO()
    plt.imsave(file, np.hstack(tiles), cmap=colours, vmin=low, vmax=high, format="png")
    source = b64encode(file.getvalue()).decode()
    style = f"height:56px;width:{56 * len(images)}px;image-rendering:pixelated"
    return f'<img alt="{len(images)} images" style="{style}" src="data:image/png;base64,{source}">'


def _curves(history: History) -> str:
    """The loss so far, training (mean between checks) and validation, as a small drawing."""
    if len(history.step) < 2:
        return ""
    parts = np.split(history.train_loss, history.step[1:])
    train = np.array([part.mean() for part in parts])
    high = float(max(np.percentile(train, 95), np.percentile(history.validation_loss, 95)))
    low = float(min(train.min(), history.validation_loss.min()))
    x = history.step / history.step[-1] * 236 + 2

    def line(y: Array, colour: str, dash: str) -> str:
        height = 78 - 76 * np.clip((y - low) / ((high - low) or 1), -0.02, 1.02)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, height, strict=True))
        return f'<polyline fill="none" stroke="{colour}" stroke-width="1.5"{dash} points="{points}"/>'

    few = slice(None, None, max(len(x) // 120, 1))
    x = x[few]
    lines = line(train[few], TRAINING, "") + line(
        history.validation_loss[few], VALIDATION, ' stroke-dasharray="4 2"'
    )
    label = f"loss, {low:.3g} to {high:.3g}: training solid, validation dashed"
    return f'<svg role="img" aria-label="{label}" width="240" height="80">{lines}</svg><div>{label}</div>'
