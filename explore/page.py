"""The pad and the trainer for a page of HTML: one fragment with its script, style, weights and images.

`fragment` is the entry point "drawing-pad" of the group "nbtypst.widgets" (see there): the exporter
report_html puts the fragment where a cell of the report names it. Such a page must allow this one script, by
its hash (`nbtypst.reading.widgets.hashes` gives it), and styles and data: images:
`default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-...'`.
"""

import json
import re
import zlib
from base64 import b64encode
from collections.abc import Iterable
from functools import cache
from html import escape
from typing import Any

import numpy as np

from assignment1.mnist import MNIST, TRAIN, Bytes, load_mnist
from explore import paths, pictures
from explore.pad import DIGITS, HERE, configuration, starts

RANDOM = 20  # images to start from
COSTLY = 12
PAIR = (2, 3)  # the digits of task 2: all their images are there
FIRST = {"train": 3000, "validation": 1000}  # so many images of a file serve the task of ten digits
STILL = (
    "The drawing pad: an image of a handwritten digit, the pixels that speak for and against the most "
    "probable digit, ten probabilities, and the weights of each digit as images. To draw, allow scripts."
)
START = """
const root = document.getElementById("drawing-pad"), own = JSON.parse(root.dataset.pad);
const decoded = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
let follow = () => {};
const given = { ...own, weights: decoded(own.weights), images: decoded(own.images) };
given.why = given.gallery = true;
given.example = own.random; // the costliest mistake
given.second = 0; // the strongest penalty
const pad = mount(root, given, (state) => follow(state));
const below = document.getElementById("trainer");
({ follow } = teach(below, JSON.parse(below.dataset.trainer), pad));
const contents = document.getElementById("contents"), part = below.closest("section");
const entry = part && contents?.querySelector(`a[href="#${part.id}"]`);
entry?.after(h("ul", {}, h("li", {}, h("a", { href: "#trainer" }, "Watch it learn"))));
if (contents) guide(contents);
"""


def modules() -> str:
    """Return pad.js, trainer.js, which imports from pad.js, and contents.js as one module."""
    sources = [(HERE / f"{name}.js").read_text(encoding="utf-8") for name in ("pad", "trainer", "contents")]
    return re.sub(r"^import .*$", "", "".join(sources), flags=re.M)


@cache
def fragment() -> str:
    """Return the pad along the stored optima and the trainer; in print and without script, a still.

    The fragment asks nothing of a network. Its size is under 1.6 MB.
    """
    mnist = load_mnist()
    data = mnist.softmax(np.float32)
    along = paths.minima(data)
    middle = len(along) // 2
    model = along[middle].model
    images = starts(model, data.validation, DIGITS, RANDOM, COSTLY)
    own = configuration(along, DIGITS, images, _text) | {"at": middle}
    still = pictures.uri(pictures.still(model, images.opens, DIGITS, along[middle].name))
    style = (HERE / "pad.css").read_text(encoding="utf-8")
    return (
        f"<style>{style}</style>\n"
        f'<div id="drawing-pad" role="group" aria-label="Drawing pad" data-pad="{_json(own)}"></div>\n'
        '<figure class="pad-rest">'
        f'<img class="pad-still" src="{still}" alt="{escape(STILL)}">'
        f"<figcaption>The pad as it opens in a browser: {images.titles[RANDOM]}.</figcaption></figure>\n"
        '<div id="trainer" role="group" aria-label="Trainer" '
        f'data-trainer="{_json(training(mnist))}"></div>\n'
        f'<script type="module">{modules()}{START}</script>\n'
    )


def training(mnist: MNIST) -> paths.Data:
    """Return what `teach` of trainer.js asks for: labels, and images at 4 bits a pixel, deflated.

    Of either split these are all images of the pair, and then the others among the first of the file.
    """
    splits = {
        "train": (mnist.train_images[:TRAIN], mnist.train_labels[:TRAIN]),
        "validation": (mnist.test_images, mnist.test_labels),
    }
    labels = {}
    chosen = []
    for name, (images, digits) in splits.items():
        first = FIRST[name]
        pairs = np.isin(digits, PAIR)
        chosen += [images[pairs], images[:first][~pairs[:first]]]
        labels[name] = {"pairs": _letters(digits[pairs]), "first": _letters(digits[:first])}
    deflated = zlib.compress(packed(np.concatenate(chosen)).tobytes(), 7)  # 9: six times as long for 2%
    return {"pair": _letters(PAIR), "labels": labels, "images": _text(deflated)}


def packed(images: Bytes) -> Bytes:
    """Return images (N, 28, 28) as (N, 14, 28): a byte has 16 shades of a pixel, and of the one below."""
    grey = np.rint(images / 17).astype(np.uint8)
    return 16 * grey[:, ::2] + grey[:, 1::2]


def _letters(digits: Iterable[object]) -> str:
    return "".join(map(str, digits))


def _json(value: object) -> str:
    """Return a value as JSON for an attribute."""
    return escape(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _text(data: Any) -> str:
    """Return the bytes of an object in base64."""
    return b64encode(data).decode()
