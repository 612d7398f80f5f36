"""The files of data/: each is verified before anything in it is used; nothing is downloaded."""

from __future__ import annotations

import gzip
import hashlib
import io
import math
import os
import stat
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
from isal import isal_zlib  # inflates in less than half of zlib's time
from numpy.typing import NDArray

from assignment1 import arguments

DATA = Path(__file__).resolve().parent.parent / "data"
RESTORE = "restore it with `git checkout -- data`, or as data/README.md says"
LARGEST = 100_000_000  # bytes: no file here has as many


class Known(NamedTuple):
    """What an IDX file of MNIST holds, and the SHA-256 of that and of the gzip file in data/."""

    magic: int
    shape: tuple[int, ...]
    contents: str
    file: str


MNIST = {
    "train-images-idx3-ubyte": Known(
        2051,
        (60_000, 28, 28),
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "0b367032e93c5d0cea0925647cfdb18614af8ee15f83e6f2fc2ad904a6835971",
    ),
    "train-labels-idx1-ubyte": Known(
        2049,
        (60_000,),
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "1787548bbe0bff1ec2ecdc0ef292b02df999e2d1a6002d27500982c652b17203",
    ),
    "t10k-images-idx3-ubyte": Known(
        2051,
        (10_000, 28, 28),
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "1a1a05eab793c14bb050b398624a11b0ffd1a2953baed553b1b9bd079e2a20be",
    ),
    "t10k-labels-idx1-ubyte": Known(
        2049,
        (10_000,),
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        "b91679a0acfe4ba0e50a2437a903084cba1f5f92592b016a25a7dfd00455798b",
    ),
}


def read_mnist(folder: str | Path, name: str) -> bytes:
    """An IDX file's bytes, as gzipped as they lie in `folder` (`name`.gz, else `name`), verified.

    Raises FileNotFoundError for a missing file, ValueError for one that does not hold what it should.
    """
    plain = arguments.path("folder", folder) / name
    zipped = plain.with_name(f"{name}.gz")
    # unlike Path.exists, this raises nothing where a folder cannot be searched
    path = zipped if os.path.exists(zipped) or not os.path.exists(plain) else plain
    file, known = read(path), MNIST[name]
    if hashlib.sha256(file).hexdigest() in known[2:]:
        return file
    return _verified(file, known, path)  # right all the same if it is only compressed otherwise


def read(path: Path) -> bytes:
    """The bytes of a regular file. FileNotFoundError if there is none, ValueError if it cannot be read."""
    try:
        found = path.stat()
        if stat.S_ISREG(found.st_mode) and found.st_size <= LARGEST:
            return path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"{path} is missing; {RESTORE}") from None
    except (OSError, ValueError) as error:  # ValueError: of a name with a NUL
        raise ValueError(f"{path} cannot be read ({getattr(error, 'strerror', error)}); {RESTORE}") from None
    if stat.S_ISREG(found.st_mode):
        raise ValueError(f"{path} has {found.st_size:,} bytes, expected at most {LARGEST:,}; {RESTORE}")
    raise ValueError(f"{path} is not a regular file; {RESTORE}")


def _verified(file: bytes, known: Known, path: Path) -> bytes:
    raw, size = file, 4 + 4 * len(known.shape) + math.prod(known.shape)
    if path.suffix == ".gz":
        try:
            raw = gzip.GzipFile(fileobj=io.BytesIO(file)).read(size + 1)  # no more, whatever it inflates to
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"{path} is not a whole gzip file ({error}); {RESTORE}") from None
    header = np.frombuffer(raw[: len(raw) // 4 * 4][: 4 + 4 * len(known.shape)], ">i4").tolist()
    if header[:1] != [known.magic]:
        raise ValueError(f"{path} starts with magic number {header[:1]}, expected {known.magic}; {RESTORE}")
    if tuple(header[1:]) != known.shape or len(raw) != size:
        raise ValueError(
            f"{path} has shape {tuple(header[1:])} in {len(raw)} bytes, expected {known.shape}; {RESTORE}"
        )
    digest = hashlib.sha256(raw).hexdigest()
    if digest != known.contents:
        raise ValueError(f"{path} has SHA-256 {digest}, expected {known.contents}; {RESTORE}")
    return raw


def read_arrays(path: str | Path, sha256: str, shapes: dict[str, tuple[int, ...]]) -> dict[str, NDArray]:
    """The arrays of an .npz file, verified by its SHA-256, their shapes and that all numbers are finite."""
    path = arguments.path("path", path)
    file = read(path)
    digest = hashlib.sha256(file).hexdigest()
    if digest != sha256:
        raise ValueError(f"{path} has SHA-256 {digest}, expected {sha256}; {RESTORE}")
    try:
        with np.load(io.BytesIO(file), allow_pickle=False) as stored:
            arrays = dict(stored)
    except Exception as error:  # np.load and zipfile have many
        raise ValueError(f"{path} is not a whole .npz file ({error}); {RESTORE}") from None
    found = {name: array.shape for name, array in arrays.items()}
    if found != shapes:
        raise ValueError(f"{path} has arrays of the shapes {found}, expected {shapes}; {RESTORE}")
    for name, array in arrays.items():
        if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
            raise ValueError(f"{path} has entries in {name!r} that are no finite numbers; {RESTORE}")
    return arrays


def unpack(raw: bytes, shape: tuple[int, ...], count: int | None = None) -> NDArray[np.uint8]:
    """The array in an IDX file, gzipped or not, or its first `count` items: they alone take less time."""
    shape = (count or shape[0], *shape[1:])
    start, size = 4 + 4 * len(shape), math.prod(shape)
    if raw.startswith(b"\x1f\x8b"):  # as a gzip file does, and no IDX file
        raw = isal_zlib.decompressobj(wbits=31).decompress(raw, start + size)
    return np.frombuffer(raw, np.uint8, size, start).reshape(shape)
