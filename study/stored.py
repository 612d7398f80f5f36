"""Weights kept in data/, which take minutes to compute: read only if they are what was stored."""

import io
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from assignment1 import arguments, mnist
from assignment1.models import Array


class Kept(NamedTuple):
    """The digest of a file of stored weights, and the shapes of its arrays."""

    sha256: str
    shapes: dict[str, tuple[int, ...]]


KEPT = {
    "optima.npz": Kept(
        "dfb50a4c98ff2edc050f56d0b9fd2b205e122fb6dd422a0066a6793f94ba6a5a",
        {"lam": (9,), "w": (9, 785, 10), "separator": (785, 10)},
    ),
    "long_run.npz": Kept(
        "aecd71b63a522d8d77111529923ee10ca324c1513ff16ea5ffa3a82f4f21681e",
        {"w": (4, 12, 785, 10)},
    ),
}


def read(path: str | Path) -> dict[str, Array]:
    """Return the arrays of a stored file in float64, as KEPT describes the file of this name.

    Raises FileNotFoundError, or ValueError for a file that is not what it should be; each says what to do.
    """
    path = arguments.path("path", path)
    if path.name not in KEPT:
        expected = " or ".join(KEPT)
        raise ValueError(f"{arguments.shown(str(path))} is no file of stored weights; expected {expected}")
    try:
        arrays = read_arrays(path, *KEPT[path.name])
    except (FileNotFoundError, ValueError) as error:
        remade = f"if `make optima` has made it again, its digest belongs into {__name__}.KEPT"
        raise type(error)(f"{error}; {remade}") from None
    return {name: array.astype(np.float64) for name, array in arrays.items()}


def read_arrays(
    path: str | Path, expected: str, shapes: dict[str, tuple[int, ...]]
) -> dict[str, NDArray[Any]]:
    """Return the arrays of an .npz file, verified by its SHA-256 and their shapes, all numbers finite."""
    path = arguments.path("path", path)
    file = mnist.read(path)
    digest = sha256(file).hexdigest()
    if digest != expected:
        raise ValueError(f"{path} has SHA-256 {digest}, expected {expected}; {mnist.RESTORE}")
    try:
        with np.load(io.BytesIO(file), allow_pickle=False) as archive:
            arrays = dict(archive)
    except Exception as error:  # np.load and zipfile have many
        raise ValueError(f"{path} is not a whole .npz file ({error}); {mnist.RESTORE}") from None
    found = {name: array.shape for name, array in arrays.items()}
    if found != shapes:
        raise ValueError(f"{path} has arrays of the shapes {found}, expected {shapes}; {mnist.RESTORE}")
    for name, array in arrays.items():
        if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
            raise ValueError(f"{path} has entries in {name!r} that are no finite numbers; {mnist.RESTORE}")
    return arrays


def write(path: Path, **arrays: Any) -> None:
    """Store arrays, and print the digest by which `read` is to know the file."""
    np.savez(path, **arrays)
    digest = sha256(path.read_bytes()).hexdigest()
    print(f"{path} has the SHA-256 {digest}, which goes into {__name__}.KEPT")
