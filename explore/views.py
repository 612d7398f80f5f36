"""Compact views of the package's objects in Jupyter, and short errors for arguments that cannot be right."""

import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from html import escape
from types import TracebackType
from typing import Any

import numpy as np
from IPython.core.getipython import get_ipython

from assignment1.mnist import MNIST, Dataset, Split
from assignment1.models import Regression
from assignment1.run import History, Run
from explore.paths import targets
from explore.pictures import curves, strip

# The modules where a call's arguments, or a text's templates, are refused
REFUSING = """
assignment1.arguments
assignment1.fast.sweep
assignment1.mnist
assignment1.run
explore.bench
explore.pad
nbtypst.authoring.answers
nbtypst.authoring.parts
nbtypst.authoring.templates
nbtypst.authoring.writing
study.cache
"""
IMAGES = 12  # at most, in one view
MADE: Any = defaultdict(list)  # widgets by the cell that made them


def register() -> None:
    """Have IPython show objects of the package by their views, and what is refused in a few lines.

    A cell that is run again closes the widgets that it made before: a saved notebook has all that are open.
    Outside IPython nothing happens.
    """
    shell = get_ipython()
    if shell is None:
        return
    formatters: Any = shell.display_formatter
    for kind, view in VIEWS.items():
        formatters.formatters["text/html"].for_type(kind, partial(_view, view))
    shell.set_custom_exc((FloatingPointError, TypeError, ValueError), _show_error)
    shell.events.register("pre_run_cell", _renew)


def _renew(cell: Any) -> None:
    """Close what was made since a cell was run before, and note what is made from now on."""
    if cell.cell_id:  # which JupyterLab gives, where an execution of all has none
        for widget in MADE.pop(cell.cell_id, ()):
            widget.close()
    if "ipywidgets" in sys.modules:
        from ipywidgets import Widget

        Widget.on_widget_constructed(MADE[cell.cell_id].append if cell.cell_id else None)


def _view(view: Callable[[Any], str], thing: object) -> str | None:
    """Return an object's text above its view, or None, for its text, if its fields are of another kind."""
    try:
        return words(thing) + view(thing)
    except Exception:
        return None


def of_mnist(mnist: MNIST) -> str:
    """Show the first image of each digit, and how many there are."""
    training = np.bincount(mnist.train_labels)
    test = np.bincount(mnist.test_labels)
    images = []
    captions = []
    for digit in range(10):
        images.append(mnist.test_images[mnist.test_labels == digit][0])
        captions.append(f"{digit}: {training[digit]:,} for training, {test[digit]:,} for testing")
    return strip(images, captions)


def of_split(split: Split) -> str:
    """Show the first images, each with its target."""
    images = split.X[:IMAGES, :784].reshape(-1, 28, 28)
    captions = [f"target {target}" for target in targets(split.Y[:IMAGES])]
    return strip(images, captions, -1, 1)


def of_model(model: Regression, classes: Sequence[str] = ()) -> str:
    """Show the weights of each output as an image, on one scale; `classes` are the names as for a pad."""
    limit = np.abs(model.w[:-1]).max()
    if not limit:
        return "All weights are zero."
    names = list(classes) or list(map(str, range(model.K)))
    scale = f"Blue {-limit:.3g}, white 0, red {limit:.3g}: where there is ink, red speaks for a class."
    if model.K == 1:
        one, other = classes or ("target 1", "target 0")
        names = [f"red for {one}, blue for {other}"]
    images = model.w[:-1].T.reshape(-1, 28, 28)
    return scale + strip(images, names, -limit, limit, "RdBu_r")


def of_history(history: History) -> str:
    """Show the curves over the steps."""
    return curves([("this run", history, 1)], unit="step")


def of_run(run: Run) -> str:
    """Show the curves over the epochs."""
    return curves([("this run", run.history, run.batches_per_epoch)])


def words(thing: object) -> str:
    """Return the text of an object as HTML."""
    return f"<pre style='white-space:pre-wrap'>{escape(repr(thing))}</pre>"


VIEWS: dict[type, Callable[[Any], str]] = {
    Dataset: lambda data: of_split(data.train),
    History: of_history,
    MNIST: of_mnist,
    Regression: of_model,
    Run: of_run,
    Split: of_split,
}


def _show_error(shell: Any, kind: type, error: Any, frames: TracebackType, tb_offset: Any = None) -> None:
    """Show an error of a call or of a text with the cell's own lines alone; `sys.last_value` keeps all."""
    stack = [frames]
    while stack[-1].tb_next:
        stack.append(stack[-1].tb_next)
    if stack[-1].tb_frame.f_globals.get("__name__") not in REFUSING.split():
        shell.showtraceback((kind, error, frames), tb_offset=tb_offset)
        return
    shown = None
    for one in reversed(stack):
        if one.tb_frame.f_globals is shell.user_ns:
            shown = TracebackType(shown, one.tb_frame, one.tb_lasti, one.tb_lineno)
    shell.showtraceback((kind, error, shown), tb_offset=0)
