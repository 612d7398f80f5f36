"""Weights kept in data/, which take minutes to compute: read only if they are what was stored."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from assignment1.models import Array


class Kept(NamedTuple):
    """What a file of stored weights must be."""

    sha256: str  # of the file
    shapes: dict[str, tuple[int, ...]]  # of its arrays


KEPT = {
    "optima.npz": Kept(
        "dfb50a4c98ff2edc050f56d0b9fd2b205e122fb6dd422a0066a6793f94ba6a5a",
        {"lam": (9,), "w": (9, 785, 10), "separator": (785, 10)},
    ),
    "long_run.npz": Kept(
        "895c91629f9c825acc52ccaadca20d0453cc3387b34b47c079cf29ec9073da06",
        {"w": (12, 785, 10)},
    ),
}


def read(path: str | Path, kept: Kept | None = None) -> dict[str, Array]:
    """The arrays of a stored file, in float64, as it is in `kept`; by default what KEPT says of its name.

    Raises FileNotFoundError, or ValueError for a file with another digest or shape, or with a number that is
    not finite; each says what to do.
    """
    path = Path(path)
    kept = kept or KEPT[path.name]
    restore = "restore it with `git checkout -- data`"
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing; {restore} or `make optima`")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != kept.sha256:
        raise ValueError(
            f"{path} has the SHA-256 {digest}, expected {kept.sha256}; {restore}, or, if `make optima` "
            f"has made it again, put its digest into {__name__}.KEPT"
        )
    with np.load(path) as file:
        arrays = {name: file[name].astype(np.float64) for name in file.files}
    shapes = {name: array.shape for name, array in arrays.items()}
    if shapes != kept.shapes:
        raise ValueError(f"{path} has arrays of the shapes {shapes}, expected {kept.shapes}; {restore}")
    if bad := [name for name, array in arrays.items() if not np.isfinite(array).all()]:
        raise ValueError(f"{path} has numbers in {bad} that are not finite; {restore}")
    return arrays
