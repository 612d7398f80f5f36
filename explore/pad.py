"""The drawing pad of pad.js as a Jupyter widget."""

import zlib
from base64 import b64encode
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import anywidget
import numpy as np
import traitlets

from assignment1 import arguments
from assignment1.fast.evaluation import evaluate
from assignment1.mnist import MNIST, Bytes, Dataset, Split
from assignment1.models import Regression
from explore import paths, pictures
from explore.paths import Data, Entry

HERE = Path(__file__).parent
DIGITS = tuple("0123456789")
RANDOM = 200  # images to start from
COSTLY = 30


class Starts(NamedTuple):
    """Images (N, 28, 28) to start from, with a title each; the first `random` are any images."""

    images: Bytes
    titles: list[str]
    random: int

    @property
    def opens(self) -> Bytes:
        """Return the image that a pad opens with: the costliest mistake, or any image if there is none."""
        return self.images[self.random % len(self.images)]


def _list() -> Any:
    return traitlets.List().tag(sync=True)


class Pad(anywidget.AnyWidget):
    """A pad to draw on; `image` is what the model sees of the drawing, ready for `model.predict`."""

    _esm = HERE / "pad.js"
    _css = HERE / "pad.css"
    classes = _list()
    weights = traitlets.Bytes().tag(sync=True)  # (models, 785, K), as paths.rounded has them; deflated
    scales = _list()
    models = _list()
    at = traitlets.Int(0).tag(sync=True)
    images = traitlets.Bytes().tag(sync=True)  # deflated
    titles = _list()
    random = traitlets.Int(0).tag(sync=True)
    ink = traitlets.CBytes().tag(sync=True)  # 280 by 280, 0 to 255, deflated; it arrives as a view of memory
    fresh = traitlets.Bool(True).tag(sync=True)  # whether `ink` makes room for the first stroke
    pixels = traitlets.CBytes().tag(sync=True)
    centred = traitlets.Bool(True).tag(sync=True)
    gallery = traitlets.Bool(False).tag(sync=True)

    def __init__(self, entries: Sequence[Entry], classes: Sequence[str], starts: Starts, **more: Any) -> None:
        self.entries = entries
        self.starts = starts
        opens = starts.opens
        large = opens.repeat(10, axis=0).repeat(10, axis=1)
        super().__init__(
            **configuration(entries, classes, starts, _deflated),
            ink=_deflated(large),
            pixels=opens.tobytes(),
            **more,
        )

    def share(self, other: "Pad") -> "Pad":
        """Have one drawing with another pad, from now on, and return this pad."""
        self.fresh = arguments.instance("other", other, Pad, "draw(model, mnist)").fresh
        traitlets.link((other, "ink"), (self, "ink"))
        return self

    def __repr__(self) -> str:
        models = len(self.entries)
        many = "s" * (models > 1)
        names = ", ".join(self.classes)
        return f"Pad: {models} model{many} of {names}"

    @property
    def image(self) -> Bytes:
        """What the model sees, (28, 28), 0 to 255."""
        pixels = np.frombuffer(self.pixels, np.uint8)
        return pixels.reshape(28, 28)

    @property
    def model(self) -> Regression:
        """The model that is shown."""
        return self.entries[self.at].model

    def _repr_mimebundle_(self, **arguments: Any) -> tuple[Data, Data]:
        """Return the widget and, for where there is no kernel, a still picture of it as it opens."""
        found: Any = super()._repr_mimebundle_(**arguments)
        data, metadata = found
        entry = self.entries[self.at]
        title = f"{entry.group} {entry.name}".strip()
        png = pictures.still(entry.model, self.starts.opens, self.classes, title)
        words = "A drawing pad with the probabilities of each class: run the notebook to draw"
        encoded = b64encode(png).decode()
        return data | {"image/png": encoded, "text/plain": words}, metadata


def _deflated(array: Any) -> bytes:
    return zlib.compress(array.tobytes())


def configuration(
    entries: Sequence[Entry], classes: Sequence[str], starts: Starts, sent: Callable[[Any], Any]
) -> Data:
    """Return what `mount` of pad.js asks for, the arrays of weights and of images as `sent` makes them."""
    weights, scales = paths.rounded([entry.model for entry in entries])
    models = [{"name": entry.name, "group": entry.group, "facts": entry.facts} for entry in entries]
    return {
        "classes": list(classes),
        "models": models,
        "titles": starts.titles,
        "random": starts.random,
        "weights": sent(weights),
        "scales": scales.tolist(),
        "images": sent(starts.images),
    }


def draw(
    model: Regression, data: MNIST | Dataset, classes: Sequence[str] = DIGITS, name: str = "", **more: Any
) -> Pad:
    """Return a pad for one model. Its images to start from are validation images of `data`.

    `classes` are the names of the outputs; of a logistic regression, those of target 1 and target 0. Raise
    TypeError for objects of other kinds, ValueError for another number of names.
    """
    arguments.instance("model", model, Regression, "SoftmaxRegression()")
    if isinstance(data, MNIST):
        data = data.softmax(np.float32)
    arguments.instance("data", data, Dataset, "load_mnist()")
    outputs = max(model.K, 2)
    if len(classes) != outputs:
        raise ValueError(f"classes has {len(classes)} names; expected {outputs}, one for each output")
    entry = Entry(name or f"lambda = {model.lam:g}", "", model, [])
    return Pad([entry], classes, starts(model, data.validation, classes), **more)


def penalty(mnist: MNIST) -> Pad:
    """Return a pad with a slider along the stored minima and along runs stopped early, its weights shown."""
    data = arguments.instance("mnist", mnist, MNIST, "load_mnist()").softmax(np.float32)
    along = paths.minima(data)
    middle = len(along) // 2
    along += paths.stopped(data)
    images = starts(along[middle].model, data.validation, DIGITS)
    return Pad(along, DIGITS, images, at=middle, gallery=True)


def starts(
    model: Regression, split: Split, classes: Sequence[str], random: int = RANDOM, costly: int = COSTLY
) -> Starts:
    """Return some images of `split`, and those that cost `model` most among the misclassified."""
    (correct,), (loss,) = evaluate([model], split)
    chosen = np.random.default_rng(0).permutation(len(loss))[:random]
    wrong = np.flatnonzero(~correct)
    worst = wrong[np.argsort(-loss[wrong], kind="stable")][:costly]
    rows = np.concatenate([chosen, worst])
    X = split.X[rows]
    names = classes if model.K > 1 else classes[::-1]  # by target
    titles = [f"{names[target]}" for target in paths.targets(split.Y[rows])]
    predictions = model.predict(X)
    for i in range(len(chosen), len(rows)):
        titles[i] += f" taken for {names[predictions[i]]}"
    pixels = np.rint((X[:, :784] + 1) / 2 * 255).astype(np.uint8)
    return Starts(pixels.reshape(-1, 28, 28), titles, len(chosen))
