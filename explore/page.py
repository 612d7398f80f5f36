"""The pad for a page of HTML: one fragment with its script, its style, the stored optima and some images.

`fragment` is the entry point "drawing-pad" of the group "nbtypst.widgets" (see there): the exporter
report_html puts it where a cell of the report names it. Such a page must allow this one script, by
`script_hash()`, and styles and data: images:
`default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-...'`.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from html import escape

import numpy as np
from numpy.typing import NDArray

from assignment1.mnist import load_mnist
from assignment1.models import Array, Regression
from explore import paths, pictures
from explore.pad import DIGITS, HERE, configuration, starts

RANDOM, COSTLY = 20, 12  # images to start from
NAME = "drawing-pad"  # the id of the element that the pad is put into

START = """
const root = document.getElementById("%s"), own = JSON.parse(root.dataset.pad);
const unpack = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
mount(root, { ...own, weights: unpack(own.weights), images: unpack(own.images) });
"""


def rounded(models: Sequence[Regression]) -> tuple[NDArray[np.int16], Array]:
    """Weights (models, 785, K) as whole numbers of 16 bits, and each model's unit (models,).

    What is rounded are sums of weights, from the first pixel on: so the errors cancel over any stretch of
    equal pixels, such as the black border, where errors of the weights themselves would add up.
    """
    W = np.stack([paths.columns(model) for model in models])
    scales = np.abs(W).max(axis=(1, 2)) / 32766
    sums = np.rint(np.cumsum(W / scales[:, None, None], axis=1))
    return np.diff(sums, axis=1, prepend=0).astype("<i2"), scales


@cache
def script() -> str:
    """The one script of the fragment: pad.js, and its start."""
    source = (HERE / "pad.js").read_text(encoding="utf-8")
    return source + START % NAME


def script_hash() -> str:
    """What a content security policy names the script by: `sha256-...`, to stand in single quotes."""
    return "sha256-" + b64encode(sha256(script().encode()).digest()).decode()


@cache
def fragment() -> str:
    """The pad along the stored optima, for a page's body; in print, and without script, a still picture.

    It asks nothing of a network. Its size is under 300 kB.
    """
    data = load_mnist().softmax(np.float32)
    along = paths.entries(paths.optima(), paths.PENALTY, data)
    middle = len(along) // 2
    images = starts(along[middle].model, data.validation, DIGITS, RANDOM, COSTLY)
    weights, scales = rounded([entry.model for entry in along])
    own = configuration(along, DIGITS, images) | {
        "weights": b64encode(weights.tobytes()).decode(),
        "scales": scales.tolist(),
        "images": b64encode(images.images.tobytes()).decode(),
        "at": middle,
        "gallery": True,
    }
    picture = pictures.still(along[middle].model, images.images[0], DIGITS, along[middle].name)
    words = (
        "The drawing pad: an image of a handwritten digit, the pixels that speak for and against the most "
        "probable digit, ten probabilities, and the weights of each digit as images. To draw, allow scripts."
    )
    still = f'<img class="pad-still" src="{pictures.uri(picture)}" alt="{escape(words)}">'
    style = (HERE / "pad.css").read_text(encoding="utf-8")
    text = escape(json.dumps(own, ensure_ascii=False, separators=(",", ":")))
    root = f'<div id="{NAME}" role="group" aria-label="Drawing pad" data-pad="{text}"></div>'
    return f'<style>{style}</style>\n{root}\n{still}\n<script type="module">{script()}</script>\n'
