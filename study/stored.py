"""Weights kept in data/, which take minutes to compute: read only if they are what was stored."""

import io
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from assignment1 import mnist
from assignment1.models import Array

KEPT = {  # the SHA-256 of each file, which says all of it: its arrays, their shapes and their numbers
    "optima.npz": "dfb50a4c98ff2edc050f56d0b9fd2b205e122fb6dd422a0066a6793f94ba6a5a",
    "long_run.npz": "aecd71b63a522d8d77111529923ee10ca324c1513ff16ea5ffa3a82f4f21681e",
}


def read(path: Path) -> dict[str, Array]:
    """Return the arrays of a stored file in float64, if its SHA-256 is that in KEPT.

    Raises FileNotFoundError, or ValueError for a file that is not what it should be; each says what to do.
    """
    file = mnist.read(path)
    digest = sha256(file).hexdigest()
    expected = KEPT[path.name]
    if digest != expected:
        remade = f"if `make optima` has made it again, its digest belongs into {__name__}.KEPT"
        raise ValueError(f"{path} has SHA-256 {digest}, expected {expected}; {mnist.RESTORE}; {remade}")
    with np.load(io.BytesIO(file), allow_pickle=False) as archive:
        return {name: array.astype(np.float64) for name, array in archive.items()}


def write(path: Path, **arrays: Any) -> None:
    """Store arrays, in a whole file or none, and print the digest by which `read` is to know the file."""
    content = io.BytesIO()
    np.savez(content, **arrays)
    new = path.with_name(f"{path.name}.new")
    try:
        new.write_bytes(content.getvalue())
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    digest = sha256(content.getvalue()).hexdigest()
    print(f"{path} has the SHA-256 {digest}, which goes into {__name__}.KEPT")
