"""MNIST from its four IDX files: verified, split and pre-processed as the assignment asks."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from isal import isal_zlib  # inflates in less than half of zlib's time
from numpy.typing import ArrayLike, DTypeLike, NDArray

DATA = Path(__file__).resolve().parent.parent / "data"
TRAIN = 20_000  # the assignment trains on the first 20,000 of the 60,000 training images

# file: (magic number, shape, SHA-256 of the raw contents, SHA-256 of the gzip file in data/)
FILES: dict[str, tuple[int, tuple[int, ...], str, str]] = {
    "train-images-idx3-ubyte": (
        2051,
        (60_000, 28, 28),
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "0b367032e93c5d0cea0925647cfdb18614af8ee15f83e6f2fc2ad904a6835971",
    ),
    "train-labels-idx1-ubyte": (
        2049,
        (60_000,),
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "1787548bbe0bff1ec2ecdc0ef292b02df999e2d1a6002d27500982c652b17203",
    ),
    "t10k-images-idx3-ubyte": (
        2051,
        (10_000, 28, 28),
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "1a1a05eab793c14bb050b398624a11b0ffd1a2953baed553b1b9bd079e2a20be",
    ),
    "t10k-labels-idx1-ubyte": (
        2049,
        (10_000,),
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        "b91679a0acfe4ba0e50a2437a903084cba1f5f92592b016a25a7dfd00455798b",
    ),
}
GZIP = b"\x1f\x8b"  # how a gzip file starts, and no IDX file
RESTORE = "restore it with `git checkout -- data`, or as data/README.md says"


class Split(NamedTuple):
    """Inputs `X` (N, 785) in [-1, 1] with a last column of ones, and targets `Y` (N, K) in {0, 1}."""

    X: NDArray[np.floating]
    Y: NDArray[np.floating]


@dataclass(frozen=True)
class Dataset:
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

    `images` is (N, 28, 28) or (N, 784), of integers; the result is (N, 785) of `dtype`.
    Raises ValueError on any other shape, on pixels that are no integers or lie outside [0, 255].
    """
    pixels = np.asarray(images)
    flat = pixels.reshape(len(pixels), -1) if pixels.ndim > 1 else pixels
    if flat.ndim != 2 or flat.shape[1] != 784:
        raise ValueError(f"images have shape {pixels.shape}; expected (N, 28, 28) or (N, 784)")
    if not np.issubdtype(pixels.dtype, np.integer):
        raise ValueError(f"images have dtype {pixels.dtype}; expected integers 0 to 255, not yet scaled")
    if pixels.dtype != np.uint8 and flat.size and not 0 <= flat.min() <= flat.max() <= 255:
        raise ValueError(f"pixels lie in [{flat.min()}, {flat.max()}]; expected [0, 255]")
    X = np.empty((len(flat), 785), dtype)
    X[:, 784] = 1
    values = (np.arange(256) / 255 * 2 - 1).astype(dtype)
    # A table of all pairs of pixels: one look-up for two of them, a fifth less time than for each.
    pairs = np.stack(np.broadcast_arrays(values, values[:, None]), axis=-1).view(f"V{2 * X.itemsize}")
    numbers = np.ascontiguousarray(flat, np.uint8).view("<u2")  # of pairs, whose first pixel is the low byte
    for start in range(0, len(flat), 50):  # as many images as the cache holds
        part = slice(start, start + 50)
        X[part, :784] = np.take(pairs.ravel(), numbers[part], mode="clip").view(dtype)
    return X


def one_hot(labels: ArrayLike, K: int = 10, dtype: DTypeLike = np.float64) -> NDArray[np.floating]:
    """Labels (N,) as rows of Y (N, K): 1 in the label's column, else 0. ValueError outside 0 to K - 1."""
    labels = np.asarray(labels)
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(f"labels have shape {labels.shape}, dtype {labels.dtype}; expected (N,) integers")
    if labels.size and not 0 <= labels.min() <= labels.max() < K:
        raise ValueError(f"labels lie in {labels.min()} to {labels.max()}; expected 0 to {K - 1}")
    Y = np.zeros((len(labels), K), dtype)
    Y[np.arange(len(labels)), labels] = 1
    return Y


@dataclass(frozen=True)
class MNIST:
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
        shape = (count or FILES[name][1][0], *FILES[name][1][1:])
        start, raw = 4 + 4 * len(shape), self.files[name]
        if raw.startswith(GZIP):
            raw = isal_zlib.decompressobj(wbits=31).decompress(raw, start + int(np.prod(shape)))
        return np.frombuffer(raw, np.uint8, int(np.prod(shape)), start).reshape(shape)

    def softmax(self, dtype: DTypeLike = np.float64) -> Dataset:
        """All ten digits, Y one-hot (N, 10): tasks 3 and 4."""
        return self._dataset(
            lambda images, labels: Split(preprocess(images, dtype), one_hot(labels, dtype=dtype))
        )

    def binary(self, positive: int, negative: int, dtype: DTypeLike = np.float64) -> Dataset:
        """Two digits, Y (N, 1) with target 1 for `positive` and 0 for `negative`: task 2."""
        for digit in (positive, negative):
            if digit not in range(10):
                raise ValueError(f"digit {digit!r} is not in 0 to 9")
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


def load_mnist(folder: str | Path = DATA) -> MNIST:
    """MNIST from the gzipped (or raw) IDX files in `folder`, each verified by shape and SHA-256.

    Raises FileNotFoundError for a missing file and ValueError for a wrong one. Never downloads.
    """
    return MNIST({name: _read(Path(folder), name) for name in FILES})


def _read(folder: Path, name: str) -> bytes:
    zipped, plain = folder / f"{name}.gz", folder / name
    path = zipped if zipped.exists() or not plain.exists() else plain
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing; {RESTORE}")
    file = path.read_bytes()
    known = hashlib.sha256(file).hexdigest() in FILES[name][2:]
    return file if known else _verified(file, name, path)


def _verified(file: bytes, name: str, path: Path) -> bytes:
    """The contents of a file that is not that in data/: they are right if it is only compressed otherwise."""
    (magic, shape, sha256, _), raw = FILES[name], file
    if path.suffix == ".gz":
        try:
            raw = gzip.decompress(file)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"{path} is not a whole gzip file ({error}); {RESTORE}") from None
    header = np.frombuffer(raw[: len(raw) // 4 * 4][: 4 + 4 * len(shape)], ">i4").tolist()
    if header[:1] != [magic]:
        raise ValueError(f"{path} starts with magic number {header[:1]}, expected {magic}; {RESTORE}")
    if tuple(header[1:]) != shape or len(raw) != 4 + 4 * len(shape) + np.prod(shape):
        raise ValueError(
            f"{path} has shape {tuple(header[1:])} in {len(raw)} bytes, expected {shape}; {RESTORE}"
        )
    digest = hashlib.sha256(raw).hexdigest()
    if digest != sha256:
        raise ValueError(f"{path} has SHA-256 {digest}, expected {sha256}; {RESTORE}")
    return raw
