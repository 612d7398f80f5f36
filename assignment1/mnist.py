"""MNIST from its four IDX files: verified, split and pre-processed as the assignment asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from assignment1 import arguments, files
from assignment1.shown import Shown

TRAIN = 20_000  # the assignment trains on the first 20,000 of the 60,000 training images


class Split(NamedTuple):
    """Inputs `X` (N, 785) in [-1, 1] with a last column of ones, and targets `Y` (N, K) in {0, 1}."""

    X: NDArray[np.floating]
    Y: NDArray[np.floating]
    __repr__, _repr_html_ = Shown.__repr__, Shown._repr_html_  # type: ignore[misc]


@dataclass(frozen=True, repr=False)
class Dataset(Shown):
    """Three splits; `test`, which the assignment never touches, is pre-processed only when asked for."""

    train: Split
    validation: Split
    make_test: Callable[[], Split]

    @cached_property
    def test(self) -> Split:
        """The training images from number 20,000 on: an untouched test set."""
        return self.make_test()


def preprocess(images: ArrayLike, dtype: DTypeLike = np.float64) -> NDArray[np.floating]:
    """Map pixels [0, 255] to [-1, 1] and append the bias column of ones (task 2a).

    `images` is (28, 28), (N, 28, 28) or (N, 784), of integers; the result is (N, 785), of float32 or float64.
    Raises ValueError on any other shape or dtype, and on pixels outside [0, 255].
    """
    pixels, dtype = arguments.array("images", images), arguments.float_dtype(dtype)
    shape = pixels.shape[1:] if pixels.ndim > 1 and pixels.shape != (28, 28) else pixels.shape
    if shape not in ((28, 28), (784,)) or pixels.ndim == 1:
        raise ValueError(f"images have shape {pixels.shape}; expected (28, 28), (N, 28, 28) or (N, 784)")
    if pixels.dtype.kind not in "iu":
        raise ValueError(f"images have dtype {pixels.dtype}; expected integers 0 to 255, not yet scaled")
    if pixels.size and not 0 <= pixels.min() <= pixels.max() <= 255:
        raise ValueError(f"pixels lie in {pixels.min()} to {pixels.max()}; expected 0 to 255")
    flat = pixels.reshape(-1, 784)
    X = np.ones((len(flat), 785), dtype)
    for start in range(0, len(flat), 50):  # as many images at a time as the cache holds: twice as fast
        X[start : start + 50, :784] = flat[start : start + 50] / 255 * 2 - 1
    return X


def one_hot(labels: ArrayLike, K: int = 10, dtype: DTypeLike = np.float64) -> NDArray[np.floating]:
    """Labels (N,) as rows of Y (N, K): 1 in the label's column, else 0. ValueError outside 0 to K - 1."""
    labels, dtype, K = (
        arguments.array("labels", labels),
        arguments.float_dtype(dtype),
        arguments.whole("K", K),
    )
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise ValueError(f"labels have shape {labels.shape}, dtype {labels.dtype}; expected (N,) integers")
    if labels.size and not 0 <= labels.min() <= labels.max() < K:
        raise ValueError(f"labels lie in {labels.min()} to {labels.max()}; expected 0 to {K - 1}")
    Y = np.zeros((len(labels), K), dtype)
    Y[np.arange(len(labels)), labels] = 1
    return Y


@dataclass(frozen=True, repr=False)
class MNIST(Shown):
    """The four files, verified; images (N, 28, 28) and labels (N,), uint8, are unpacked when asked for."""

    files: dict[str, bytes]  # raw or gzipped

    @cached_property
    def train_images(self) -> NDArray[np.uint8]:
        """The 60,000 training images."""
        return self._array("train-images-idx3-ubyte")

    @cached_property
    def train_labels(self) -> NDArray[np.uint8]:
        """Their labels."""
        return self._array("train-labels-idx1-ubyte")

    @cached_property
    def test_images(self) -> NDArray[np.uint8]:
        """The 10,000 images of MNIST's test set, on which the assignment validates."""
        return self._array("t10k-images-idx3-ubyte")

    @cached_property
    def test_labels(self) -> NDArray[np.uint8]:
        """Their labels."""
        return self._array("t10k-labels-idx1-ubyte")

    def _array(self, name: str, count: int | None = None) -> NDArray[np.uint8]:
        """The contents of a file, or its first `count` images: these alone take a third of the time."""
        return files.unpack(self.files[name], files.MNIST[name].shape, count)

    def softmax(self, dtype: DTypeLike = np.float64) -> Dataset:
        """All ten digits, Y one-hot (N, 10): tasks 3 and 4.
        >>> load_mnist().softmax().validation.Y.shape
        (10000, 10)"""
        return self._dataset(lambda x, labels: Split(preprocess(x, dtype), one_hot(labels, dtype=dtype)))

    def binary(self, positive: int, negative: int, dtype: DTypeLike = np.float64) -> Dataset:
        """Two digits, Y (N, 1) with target 1 for `positive` and 0 for `negative`: task 2.
        >>> load_mnist().binary(2, 3).train.X.shape
        (4005, 785)"""
        positive, negative = (arguments.whole("digit", digit, 0, 9) for digit in (positive, negative))
        if positive == negative:
            raise ValueError(f"both digits are {positive}; expected two different ones, such as 2 and 3")

        def make(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> Split:
            keep = (labels == positive) | (labels == negative)
            return Split(preprocess(images[keep], dtype), (labels[keep] == positive)[:, None].astype(dtype))

        return self._dataset(make)

    def _dataset(self, make: Callable[[NDArray[np.uint8], NDArray[np.uint8]], Split]) -> Dataset:
        return Dataset(
            train=make(self._array("train-images-idx3-ubyte", TRAIN), self.train_labels[:TRAIN]),
            validation=make(self.test_images, self.test_labels),
            make_test=lambda: make(self.train_images[TRAIN:], self.train_labels[TRAIN:]),
        )


def load_mnist(folder: str | Path = files.DATA) -> MNIST:
    """MNIST from the gzipped (or raw) IDX files in `folder`, each verified by shape and SHA-256.

    FileNotFoundError for a missing file, ValueError for a wrong one, TypeError for no path. Never downloads.
    >>> load_mnist().train_images.shape
    (60000, 28, 28)"""
    return MNIST({name: files.read_mnist(folder, name) for name in files.MNIST})
