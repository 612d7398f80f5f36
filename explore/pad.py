"""The drawing pad of pad.js as a Jupyter widget."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import anywidget
import numpy as np
import traitlets
from numpy.typing import NDArray

from assignment1 import arguments
from assignment1.mnist import MNIST, Dataset, Split
from assignment1.models import Regression
from explore import paths, pictures
from explore.paths import Entry

HERE = Path(__file__).parent
DIGITS = tuple(map(str, range(10)))
RANDOM, COSTLY = 200, 30  # images to start from


class Starts(NamedTuple):
    """Images (N, 28, 28) to start from, with a title each; the first `random` are any images."""

    images: NDArray[np.uint8]
    titles: list[str]
    random: int


def _bytes(value: Any, widget: Any) -> bytes:
    """What arrives from the browser as a view of memory."""
    return bytes(value)


class Pad(anywidget.AnyWidget):
    """A pad to draw on; `image` is what the model sees of the drawing, ready for `model.predict`."""

    _esm = HERE / "pad.js"
    _css = HERE / "pad.css"
    classes = traitlets.List[Any]().tag(sync=True)
    weights = traitlets.Bytes().tag(sync=True)  # float64, (models, 785, K)
    scales = traitlets.List[Any]().tag(sync=True)  # none: they are not rounded
    models = traitlets.List[Any]().tag(sync=True)
    at = traitlets.Int(0).tag(sync=True)
    images = traitlets.Bytes().tag(sync=True)
    titles = traitlets.List[Any]().tag(sync=True)
    random = traitlets.Int(0).tag(sync=True)
    ink = traitlets.Bytes().tag(sync=True, from_json=_bytes)  # 280 by 280, 0 to 255
    pixels = traitlets.Bytes(bytes(784)).tag(sync=True, from_json=_bytes)
    centred = traitlets.Bool(True).tag(sync=True)
    gallery = traitlets.Bool(False).tag(sync=True)

    def __init__(self, entries: Sequence[Entry], classes: Sequence[str], starts: Starts, **more: Any) -> None:
        self.entries, self.starts = entries, starts
        super().__init__(
            **configuration(entries, classes, starts),
            weights=np.stack([paths.columns(entry.model) for entry in entries]).astype("<f8").tobytes(),
            images=starts.images.tobytes(),
            **more,
        )

    def share(self, other: Pad) -> Pad:
        """Have one drawing with another pad, from now on; gives this pad."""
        traitlets.link((other, "ink"), (self, "ink"))
        return self

    def __repr__(self) -> str:
        return f"Pad: {len(self.entries)} model{'s' * (len(self.entries) > 1)} of {', '.join(self.classes)}"

    @property
    def image(self) -> NDArray[np.uint8]:
        """What the model sees, (28, 28), 0 to 255."""
        return np.frombuffer(self.pixels, np.uint8).reshape(28, 28)

    @property
    def model(self) -> Regression:
        """The model that is shown."""
        return self.entries[self.at].model

    def _repr_mimebundle_(self, **arguments: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The widget; and, for where there is no kernel, a still picture of it."""
        found: Any = super()._repr_mimebundle_(**arguments)
        words = "A drawing pad with the probabilities of each class: run the notebook to draw"
        return found[0] | {"image/png": b64encode(self.still()).decode(), "text/plain": words}, found[1]

    def still(self) -> bytes:
        """A picture of the pad with its first image, as PNG."""
        entry = self.entries[self.at]
        return pictures.still(
            entry.model, self.starts.images[0], self.classes, f"{entry.group} {entry.name}".strip()
        )


def configuration(entries: Sequence[Entry], classes: Sequence[str], starts: Starts) -> dict[str, Any]:
    """What `mount` of pad.js asks for, without the weights and the images."""
    return {
        "classes": list(classes),
        "models": [
            {"name": e.name, "group": e.group, "facts": [list(fact) for fact in e.facts]} for e in entries
        ],
        "titles": starts.titles,
        "random": starts.random,
        "scales": [],
    }


def draw(
    model: Regression, data: MNIST | Dataset, classes: Sequence[str] = DIGITS, name: str = "", **more: Any
) -> Pad:
    """A pad for one model. Its images to start from are validation images of `data`.

    `classes` are the names of the outputs; of a logistic regression, those of target 1 and target 0.
    """
    arguments.instance("model", model, Regression, "SoftmaxRegression()")
    data = data.softmax(np.float32) if isinstance(data, MNIST) else data
    arguments.instance("data", data, Dataset, "load_mnist()")
    if len(classes) != max(model.K, 2):
        raise ValueError(f"classes has {len(classes)} names; expected {max(model.K, 2)}, one for each output")
    entry = Entry(name or f"lambda = {model.lam:g}", "", model, [])
    return Pad([entry], classes, starts(model, data.validation, classes), **more)


def penalty(mnist: MNIST, **more: Any) -> Pad:
    """A pad with a slider along the stored minima and along runs stopped early, its weights shown."""
    data = arguments.instance("mnist", mnist, MNIST, "load_mnist()").softmax(np.float32)
    along = paths.entries(paths.optima(), paths.PENALTY, data)
    along += paths.entries(paths.stopped(data), paths.STOPPED, data)
    middle = len(paths.optima()) // 2
    images = starts(along[middle].model, data.validation, DIGITS)
    return Pad(along, DIGITS, images, at=middle, gallery=True, **more)


def starts(
    model: Regression,
    split: Split,
    classes: Sequence[str],
    random: int = RANDOM,
    costly: int = COSTLY,
    seed: int = 0,
) -> Starts:
    """Some images of `split`, and those that cost `model` most among the misclassified."""
    truth, said, loss = judged(model, split)
    any_ones = np.random.default_rng(seed).permutation(len(truth))[:random]
    wrong = np.flatnonzero(truth != said)
    worst = wrong[np.argsort(-loss[wrong], kind="stable")][:costly]
    titles = [f"a {classes[truth[i]]}" for i in any_ones]
    titles += [f"a {classes[truth[i]]} taken for a {classes[said[i]]}" for i in worst]
    return Starts(pixels(split, np.concatenate([any_ones, worst])), titles, len(any_ones))


def judged(
    model: Regression, split: Split
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.floating]]:
    """Of each image the column of its class, that of the likeliest one, and its loss in nats, all (N,)."""
    z = model.logits(split.X)
    loss = model.cross_entropy(z, split.Y)
    if model.K > 1:
        return split.Y.argmax(axis=1), z.argmax(axis=1), loss
    return (split.Y[:, 0] < 0.5).astype(np.intp), (z[:, 0] < 0).astype(np.intp), loss  # target 1 comes first


def pixels(split: Split, rows: NDArray[np.intp]) -> NDArray[np.uint8]:
    """The images (n, 28, 28), 0 to 255, that some rows of X were made from."""
    return np.rint((split.X[rows, :784] + 1) / 2 * 255).astype(np.uint8).reshape(-1, 28, 28)
