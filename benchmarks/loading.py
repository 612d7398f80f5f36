"""Reading, verifying and pre-processing MNIST, the plain way and this project's."""

import gzip
import hashlib
from time import perf_counter

import kernels  # noqa: F401

import numpy as np

from assignment1 import load_mnist
from assignment1.mnist import DATA, FILES

ROUNDS = 9


def plain():
    """Return both splits of training as one writes it: read all, check all, then scale and append ones."""
    raw = []
    for name, known in FILES.items():
        with gzip.open(DATA / f"{name}.gz") as file:
            content = file.read()
        assert hashlib.sha256(content).hexdigest() == known.contents
        pixels = np.frombuffer(content, np.uint8, offset=4 + 4 * len(known.shape))
        raw.append(pixels.reshape(known.shape))
    images, labels, val_images, val_labels = raw
    return [prepare(images[:20_000], labels[:20_000]), prepare(val_images, val_labels)]


def prepare(images, labels):
    """Return inputs (N, 785) and one-hot targets (N, 10)."""
    X = images.reshape(len(images), -1) / 255 * 2 - 1
    return np.hstack([X, np.ones((len(X), 1))]), np.eye(10)[labels]


WAYS = {
    "reference": plain,
    "this project": lambda: load_mnist().softmax(),  # the test set when asked for
}


def measure():
    """Return the seconds of each contestant; they take turns, and the first round does not count."""
    rows = {name: dict(seconds=[]) for name in WAYS}
    for turn in range(ROUNDS + 1):
        for name, way in WAYS.items():
            start = perf_counter()
            made = way()
            if turn:
                rows[name]["seconds"].append(perf_counter() - start)
            del made  # giving the memory back is not loading
    return dict(contestants=rows)
