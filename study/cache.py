"""Results of runs, kept under build/kept for as long as nothing that they depend on has changed.

Off unless the environment says `ASSIGNMENT1_KEEP=1`, and off in CI: `make pdf` and `make lab` turn it on, so
that a change of text alone trains nothing again. The folder is named by a digest of the package's files, all
installed versions and the data, and a result by its function and arguments: a change of any of these misses.
A file that is not as it was written is not used: each starts with the SHA-256 of the rest.
"""

from __future__ import annotations

import os
import pickle
import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache, wraps
from hashlib import sha256
from importlib.metadata import distributions
from inspect import signature
from pathlib import Path
from shutil import rmtree
from tempfile import NamedTemporaryFile
from typing import Any, ParamSpec, TypeVar

import numpy as np

import assignment1
from assignment1.mnist import DATA, Dataset
from assignment1.models import Regression

PACKAGE = Path(__file__).resolve().parent
FOLDER = PACKAGE.parent / "build/kept"
SHOWN = "progress"  # an argument that changes no result

P = ParamSpec("P")
T = TypeVar("T")


def kept(function: Callable[P, T]) -> Callable[P, T]:
    """The function, whose results are kept; they depend on nothing but its arguments.

    Not kept: a run that was interrupted, an error, and results of arguments that are functions.
    """
    names = signature(function)

    @wraps(function)
    def found(*args: P.args, **kwargs: P.kwargs) -> T:
        if not on():
            return function(*args, **kwargs)
        bound = names.bind(*args, **kwargs)
        bound.apply_defaults()
        given = {name: value for name, value in bound.arguments.items() if name != SHOWN}
        try:
            name = token((f"{function.__module__}.{function.__qualname__}", given))
        except TypeError:
            return function(*args, **kwargs)
        path = FOLDER / _of_this_process() / name
        whole = _read(path)
        if whole is not None:
            return pickle.loads(whole)
        result = function(*args, **kwargs)
        if getattr(result, "interrupted", False) is not True:
            _write(path, result)
        return result

    return found


def on() -> bool:
    """Whether results are kept: as the environment says, and never in CI.

    Nor in a process whose package was edited since its start: what runs there, old or reloaded, is unknown.
    """
    asked = os.environ.get("ASSIGNMENT1_KEEP") == "1" and not os.environ.get("CI")
    return asked and stamp() == AT_START


def stamp(package: Path = PACKAGE) -> dict[str, tuple[int, int]]:
    """When each of the package's files was written, and how long it is."""
    found = ((path, path.stat()) for path in package.rglob("*.py"))
    return {str(path): (status.st_mtime_ns, status.st_size) for path, status in found}


AT_START = stamp()


def _read(path: Path) -> bytes | None:
    """What was written, or None for a file that is missing, cannot be read or is not whole."""
    try:
        found = path.read_bytes()
    except OSError:
        return None
    return found[32:] if sha256(found[32:]).digest() == found[:32] else None


def _write(path: Path, result: Any) -> None:
    """A whole file or none; a full disk, or a result that cannot be pickled, costs the file alone."""
    file = None
    try:
        whole = pickle.dumps(result, pickle.HIGHEST_PROTOCOL)
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as file:
            file.write(sha256(whole).digest() + whole)
        os.replace(file.name, path)
    except (OSError, pickle.PicklingError, AttributeError, TypeError):  # but for OSError, pickle's
        if file:
            Path(file.name).unlink(missing_ok=True)


@cache
def _of_this_process() -> str:
    """Of the files as they were at the start, or `on` would say no. The three newest such folders stay."""
    own = FOLDER / digest()
    own.mkdir(parents=True, exist_ok=True)
    own.touch()
    for old in sorted(FOLDER.iterdir(), key=lambda folder: folder.stat().st_mtime)[:-3]:
        rmtree(old, ignore_errors=True)
    return own.name


def digest(package: Path = PACKAGE, data: Path = DATA, versions: Mapping[str, str] | None = None) -> str:
    """Names the package's files, the versions of all that is installed, the machine and the data files."""
    if versions is None:
        versions = {str(one.metadata["Name"]): one.version for one in distributions()}
    parts = [f"{sys.version} {platform.platform()} {platform.machine()} {os.cpu_count()}"]
    parts += sorted(f"{name} {version}" for name, version in versions.items())
    for folder, pattern in ((package, "*.py"), (data, "*.*z")):
        for path in sorted(folder.rglob(pattern)):
            parts.append(f"{path.relative_to(folder).as_posix()} {sha256(path.read_bytes()).hexdigest()}")
    return sha256("\n".join(parts).encode()).hexdigest()[:24]


def token(value: Any) -> str:
    """Names a value by its contents, in full each time: an array may have been changed in place.

    TypeError for what has no contents to name, such as a function.
    """
    return sha256(repr(_contents(value)).encode()).hexdigest()


def _contents(value: Any) -> Any:
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    if value is None or isinstance(value, bool | int | float | complex | str | bytes):
        return kind, repr(value)
    if isinstance(value, np.ndarray | np.generic) and value.dtype.hasobject is False:
        whole = np.ascontiguousarray(value)
        return kind, str(whole.dtype), np.shape(value), sha256(whole.data.cast("B")).hexdigest()
    owner = value if isinstance(value, type) else type(value)
    if issubclass(owner, Regression) and not owner.__module__.startswith(f"{__package__}."):
        raise TypeError(f"{owner.__qualname__} may change, and its name stays")
    if isinstance(value, type):
        return "class", f"{value.__module__}.{value.__qualname__}"
    if isinstance(value, Regression):
        return kind, repr(value.lam), _contents(value.w)
    if isinstance(value, Dataset):  # the test set is made when asked for, and no run asks
        return kind, _contents(value.train), _contents(value.validation)
    if isinstance(value, tuple | list | range):
        return kind, [_contents(part) for part in value]
    if isinstance(value, Mapping):
        return kind, [(_contents(key), _contents(part)) for key, part in value.items()]
    if is_dataclass(value):
        return kind, [(one.name, _contents(getattr(value, one.name))) for one in fields(value)]
    raise TypeError(f"a {kind} cannot be named by its contents")


train = kept(assignment1.train)
sweep = kept(assignment1.sweep)
