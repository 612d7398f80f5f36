"""The pad for a page of HTML: one fragment with its script, its style, the stored optima and some images.

`fragment` is the entry point "drawing-pad" of the group "nbtypst.widgets" (see there): the exporter
report_html puts the fragment where a cell of the report names it. Such a page must allow this one script, by
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

RANDOM = 20  # images to start from
COSTLY = 12
NAME = "drawing-pad"  # the id of the element that the pad is put into
STILL = (
    "The drawing pad: an image of a handwritten digit, the pixels that speak for and against the most "
    "probable digit, ten probabilities, and the weights of each digit as images. To draw, allow scripts."
)
START = """
const root = document.getElementById("%s"), own = JSON.parse(root.dataset.pad);
const unpack = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
mount(root, { ...own, weights: unpack(own.weights), images: unpack(own.images) });
"""


def rounded(models: Sequence[Regression]) -> tuple[NDArray[np.int16], Array]:
    """Return weights (models, 785, K) as whole numbers of 16 bits, and each model's unit (models,).

    Sums of weights are rounded, from the first pixel on: so the errors cancel over any stretch of equal
    pixels, such as the black border, where errors of the weights themselves would add up.
    """
    W = np.stack([paths.columns(model) for model in models])
    scales = np.abs(W).max(axis=(1, 2)) / 32766
    sums = np.rint(np.cumsum(W / scales[:, None, None], axis=1))
    return np.diff(sums, axis=1, prepend=0).astype("<i2"), scales


@cache
def script() -> str:
    """Return the one script of the fragment: pad.js, and its start."""
    source = (HERE / "pad.js").read_text(encoding="utf-8")
    return source + START % NAME


def script_hash() -> str:
    """Return the script's name in a content security policy: `sha256-...`, to stand in single quotes."""
    return f"sha256-{_text(sha256(script().encode()).digest())}"


@cache
def fragment() -> str:
    """Return the pad along the stored optima, for a page's body; in print, and without script, a still.

    The fragment asks nothing of a network. Its size is under 300 kB.
    """
    data = load_mnist().softmax(np.float32)
    along = paths.entries(paths.optima(), paths.PENALTY, data)
    middle = len(along) // 2
    model = along[middle].model
    images = starts(model, data.validation, DIGITS, RANDOM, COSTLY)
    weights, scales = rounded([entry.model for entry in along])
    own = configuration(along, DIGITS, images) | {
        "weights": _text(weights.tobytes()),
        "scales": scales.tolist(),
        "images": _text(images.images.tobytes()),
        "at": middle,
        "gallery": True,
    }
    text = escape(json.dumps(own, ensure_ascii=False, separators=(",", ":")))
    picture = pictures.still(model, images.images[0], DIGITS, along[middle].name)
    style = (HERE / "pad.css").read_text(encoding="utf-8")
    return (
        f"<style>{style}</style>\n"
        f'<div id="{NAME}" role="group" aria-label="Drawing pad" data-pad="{text}"></div>\n'
        f'<img class="pad-still" src="{pictures.uri(picture)}" alt="{escape(STILL)}">\n'
        f'<script type="module">{script()}</script>\n'
    )


def _text(data: bytes) -> str:
    return b64encode(data).decode()
