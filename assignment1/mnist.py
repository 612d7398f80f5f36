"""MNIST from its four IDX files: verified, split and pre-processed as the assignment asks."""

import gzip
import io
import math
import os
import stat
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np
from isal import isal_zlib  # inflates in less than half of zlib's time
from numpy.typing import ArrayLike, DTypeLike, NDArray

from assignment1 import arguments

Bytes = NDArray[np.uint8]
Floats = arguments.Floats

DATA = Path(__file__).resolve().parent.parent / "data"
RESTORE = "restore it with `git checkout -- data`, unpack the zip again, or do as data/README.md says"
LARGEST = 100_000_000  # bytes; no file of data/ has as many
TRAIN = 20_000  # the assignment trains on the first 20,000 of the 60,000 training images


class Known(NamedTuple):
    """An IDX file of MNIST: its contents, and the SHA-256 of these and of the gzip file in data/."""

    shape: tuple[int, ...]
    contents: str
    file: str


FILES = {
    "train-images-idx3-ubyte": Known(
        (60_000, 28, 28),
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "0b367032e93c5d0cea0925647cfdb18614af8ee15f83e6f2fc2ad904a6835971",
    ),
    "train-labels-idx1-ubyte": Known(
        (60_000,),
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "1787548bbe0bff1ec2ecdc0ef292b02df999e2d1a6002d27500982c652b17203",
    ),
    "t10k-images-idx3-ubyte": Known(
        (10_000, 28, 28),
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "1a1a05eab793c14bb050b398624a11b0ffd1a2953baed553b1b9bd079e2a20be",
    ),
    "t10k-labels-idx1-ubyte": Known(
        (10_000,),
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        "b91679a0acfe4ba0e50a2437a903084cba1f5f92592b016a25a7dfd00455798b",
    ),
}


class Split(NamedTuple):
    """Inputs `X` (N, 785) in [-1, 1] with a last column of ones, and targets `Y` (N, K) in {0, 1}."""

    X: Floats
    Y: Floats

    def __repr__(self) -> str:
        if np.ndim(self.X) != 2 or np.ndim(self.Y) != 2:
            return f"Split{tuple.__repr__(self)}"
        ones = ", ".join(f"{n:,.0f}" for n in self.Y.sum(axis=0))
        shapes = f"X {self.X.shape}, {self.X.dtype}; targets Y {self.Y.shape}"
        return f"{len(self.X):,} images: {shapes}, of 1 in each column: {ones}"


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Three splits; `test`, which the assignment never touches, is pre-processed when asked for.

    The report calls its images the held-out ones; those of MNIST's own test set are `validation`.
    """

    train: Split
    validation: Split
    make_test: Callable[[], Split]

    @cached_property
    def test(self) -> Split:
        """An untouched test set, here the training images from number 20,000 on."""
        return self.make_test()

    def __repr__(self) -> str:
        later = "made when asked for"
        return f"Dataset\ntrain:      {self.train!r}\nvalidation: {self.validation!r}\ntest:       {later}"


def preprocess(images: ArrayLike, dtype: DTypeLike = np.float64) -> Floats:
    """Map pixels [0, 255] to [-1, 1] and append the bias column of ones (task 2a).

    `images` is (28, 28), (N, 28, 28) or (N, 784), of integers; the result is (N, 785), of float32 or float64.
    Raises ValueError on any other shape or dtype, and on pixels outside [0, 255].
    """
    pixels = arguments.array("images", images)
    dtype = arguments.float_dtype(dtype)
    shape = pixels.shape if pixels.shape == (28, 28) else pixels.shape[1:]
    if shape not in ((28, 28), (784,)):
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


def one_hot(labels: ArrayLike, K: int = 10, dtype: DTypeLike = np.float64) -> Floats:
    """Return labels (N,) as rows of Y (N, K): 1 in the label's column, else 0.

    Raises ValueError for labels outside 0 to K - 1.
    """
    labels = arguments.array("labels", labels)
    dtype = arguments.float_dtype(dtype)
    K = arguments.whole("K", K)
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise ValueError(f"labels have shape {labels.shape}, dtype {labels.dtype}; expected (N,) integers")
    if labels.size and not 0 <= labels.min() <= labels.max() < K:
        raise ValueError(f"labels lie in {labels.min()} to {labels.max()}; expected 0 to {K - 1}")
    Y = np.zeros((len(labels), K), dtype)
    Y[np.arange(len(labels)), labels] = 1
    return Y


@dataclass(frozen=True, eq=False, repr=False)
class MNIST:
    """The four files, verified; images (N, 28, 28) and labels (N,), uint8, are unpacked when asked for."""

    files: dict[str, bytes]  # raw or gzipped

    @cached_property
    def train_images(self) -> Bytes:
        """The 60,000 training images."""
        return self._array("train-images-idx3-ubyte")

    @cached_property
    def train_labels(self) -> Bytes:
        """The labels of the training images."""
        return self._array("train-labels-idx1-ubyte")

    @cached_property
    def test_images(self) -> Bytes:
        """The 10,000 images of MNIST's test set, on which the assignment validates."""
        return self._array("t10k-images-idx3-ubyte")

    @cached_property
    def test_labels(self) -> Bytes:
        """The labels of the test images."""
        return self._array("t10k-labels-idx1-ubyte")

    def softmax(self, dtype: DTypeLike = np.float64) -> Dataset:
        """Return all ten digits, Y one-hot (N, 10): tasks 3 and 4.

        >>> load_mnist().softmax().validation.Y.shape
        (10000, 10)
        """
        return self._dataset((), dtype)

    def binary(self, positive: int, negative: int, dtype: DTypeLike = np.float64) -> Dataset:
        """Return two digits, Y (N, 1) with target 1 for `positive` and 0 for `negative`: task 2.

        >>> load_mnist().binary(2, 3).train.X.shape
        (4005, 785)
        """
        digits = tuple(arguments.whole("digit", digit, 0, 9) for digit in (positive, negative))
        if digits[0] == digits[1]:
            raise ValueError(f"both digits are {positive}; expected two different ones, such as 2 and 3")
        return self._dataset(digits, dtype)

    def _dataset(self, digits: tuple[int, ...], dtype: DTypeLike) -> Dataset:
        first = self._array("train-images-idx3-ubyte", TRAIN)
        return Dataset(
            train=_split(first, self.train_labels[:TRAIN], digits, dtype),
            validation=_split(self.test_images, self.test_labels, digits, dtype),
            make_test=partial(self._held_out, digits, dtype),
        )

    def _held_out(self, digits: tuple[int, ...], dtype: DTypeLike) -> Split:
        images = self._array("train-images-idx3-ubyte")[TRAIN:]  # `train_images` would be kept
        return _split(images, self.train_labels[TRAIN:], digits, dtype)

    def _array(self, name: str, count: int | None = None) -> Bytes:
        """Return the contents of a file, or its first `count` images, in a third of the time."""
        return unpack(self.files[name], FILES[name].shape, count)

    def __repr__(self) -> str:
        return (
            "MNIST: 60,000 training and 10,000 test images of handwritten digits, 28 by 28 pixels\n"
            "data sets: .softmax() of all ten digits, .binary(2, 3) of two\n"
            "arrays: .train_images, .train_labels, .test_images, .test_labels"
        )


def _split(images: Bytes, labels: Bytes, digits: tuple[int, ...], dtype: DTypeLike) -> Split:
    """Pre-process all images with one-hot targets, or those of two `digits` with target 1 for the first."""
    if not digits:
        return Split(preprocess(images, dtype), one_hot(labels, dtype=dtype))
    kept = np.isin(labels, digits)
    targets = labels[kept] == digits[0]
    return Split(preprocess(images[kept], dtype), targets[:, None].astype(dtype))


def load_mnist(folder: str | Path = DATA) -> MNIST:
    """Load MNIST from the gzipped (or raw) IDX files in `folder`, each verified by its SHA-256.

    Raises FileNotFoundError for a missing file, ValueError for a wrong one, TypeError for no path.

    >>> load_mnist().train_images.shape
    (60000, 28, 28)
    """
    return MNIST({name: read_idx(folder, name) for name in FILES})


def read_idx(folder: str | Path, name: str) -> bytes:
    """Return the bytes of an IDX file, as gzipped as it lies in `folder` (`name`.gz, else `name`), verified.

    Raises FileNotFoundError for a missing file, ValueError for one with other contents.
    """
    plain = arguments.path("folder", folder) / name
    zipped = plain.with_name(f"{name}.gz")
    # unlike Path.exists, os.path.exists raises nothing where a folder cannot be searched
    path = zipped if os.path.exists(zipped) or not os.path.exists(plain) else plain
    file = read(path)
    known = FILES[name]
    if sha256(file).hexdigest() in (known.contents, known.file):
        return file
    return _verified(file, known, path)  # right all the same if it is only compressed otherwise


def read(path: Path) -> bytes:
    """Return the bytes of a regular file.

    Raises FileNotFoundError for a missing file, ValueError for one that cannot be read.
    """
    try:
        found = path.stat()
        if stat.S_ISREG(found.st_mode) and found.st_size <= LARGEST:
            return path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"{path} is missing; {RESTORE}") from None
    except (OSError, ValueError) as error:  # ValueError: of a name with a NUL
        reason = getattr(error, "strerror", error)
        raise ValueError(f"{path} cannot be read ({reason}); {RESTORE}") from None
    if stat.S_ISREG(found.st_mode):
        raise ValueError(f"{path} has {found.st_size:,} bytes, expected at most {LARGEST:,}; {RESTORE}")
    raise ValueError(f"{path} is not a regular file; {RESTORE}")


def _verified(file: bytes, known: Known, path: Path) -> bytes:
    """Return the contents of an IDX file; raise ValueError if they are not the known ones."""
    raw = file
    if path.suffix == ".gz":
        try:
            raw = gzip.GzipFile(fileobj=io.BytesIO(file)).read(LARGEST)  # no more, whatever it inflates to
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"{path} is not a whole gzip file ({error}); {RESTORE}") from None
    digest = sha256(raw).hexdigest()
    if digest != known.contents:
        found = f"{len(raw):,} bytes of SHA-256 {digest}"
        raise ValueError(f"{path} has {found}, expected those of {known.contents}; {RESTORE}")
    return raw


def unpack(raw: bytes, shape: tuple[int, ...], count: int | None = None) -> Bytes:
    """Return the array in an IDX file, gzipped or not, or its first `count` items."""
    shape = (count or shape[0], *shape[1:])
    start = 4 + 4 * len(shape)
    size = math.prod(shape)
    if raw.startswith(b"\x1f\x8b"):  # as a gzip file does, and no IDX file
        raw = isal_zlib.decompressobj(wbits=31).decompress(raw, start + size)
    return np.frombuffer(raw, np.uint8, size, start).reshape(shape)
