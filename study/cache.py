"""Keep results of runs under build/kept, so that a new value or figure trains nothing again.

Results are kept if the environment says `ASSIGNMENT1_KEEP=1`, as for `make pdf` and `make lab`, and never in
CI. A file's name is the digest of all that its result depends on: the function, its arguments, the code of
our packages as it is in memory, and the versions of the packages that compute. The file holds arrays and
JSON, which run no code when they are read, after a digest of its name and of these.
"""

import json
import os
import platform
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache, wraps
from hashlib import sha256
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from secrets import token_hex
from types import CodeType, FunctionType
from typing import Any, ParamSpec, TypeVar

import numpy as np

import assignment1
from assignment1.mnist import DATA, Dataset

FOLDER = DATA.parent / "build/kept"
NEWEST = 80  # files that stay, some three executions of the report
PACKAGES = ("assignment1", "study")
CONTAINERS = ("builtins:dict", "builtins:range", "builtins:tuple")
COMPUTING = ("joblib", "numpy", "scipy", "sympy", "threadpoolctl")  # the packages that results depend on
WRAPPED = ("__wrapped__", "fget", "fset", "func")  # the functions in methods, caches and properties
SIGNATURE = ("argcount", "flags", "kwonlyargcount", "posonlyargcount")
BODY = ("cellvars", "code", "consts", "exceptiontable", "freevars", "names", "varnames")

P = ParamSpec("P")
T = TypeVar("T")


def kept(function: Callable[P, T]) -> Callable[P, T]:
    """Return the function with its results kept; these must depend on nothing but its arguments.

    Errors and interrupted runs are not kept, nor results of arguments without contents, such as functions.
    """

    @wraps(function)
    def found(*args: P.args, **kwargs: P.kwargs) -> T:
        if os.environ.get("ASSIGNMENT1_KEEP") != "1" or os.environ.get("CI") or FOLDER.is_symlink():
            return function(*args, **kwargs)
        path = None
        with suppress(Exception):  # whatever is wrong with a file, its result is computed anew
            path = FOLDER / f"{key(function, args, kwargs)}.kept"
            return read(path)
        result = function(*args, **kwargs)
        if path is not None:
            with suppress(Exception):  # nor does keeping make a call fail
                write(path, result)
        return result

    return found


def key(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """Return the digest of a call. Raises TypeError for an argument that has no contents to name."""
    arguments = {name: value for name, value in kwargs.items() if name != "progress"}
    arrays: list[np.ndarray] = []
    call = [function.__module__, function.__qualname__, code(function), encoded((args, arguments), arrays)]
    modules = {name: members(sys.modules[name]) for name in sorted(sys.modules) if is_ours(name)}
    versions = [sys.version, platform.platform(), *map(version, COMPUTING)]
    for array in arrays:  # each time: it may have been changed in place
        contents: Any = np.ascontiguousarray(array)  # its .data is none for dates
        call += [array.dtype.str, array.shape, sha256(contents).hexdigest()]
    return sha256(repr([call, modules, versions]).encode()).hexdigest()


def is_ours(module: str) -> bool:
    """Return whether a module, by its name, belongs to our packages."""
    return module.partition(".")[0] in PACKAGES


def members(owner: Any) -> list[Any]:
    """Return the functions, classes and constants of a module or class, without notes on the file."""
    found: list[Any] = [repr(getattr(owner, "__bases__", ()))]
    for name, value in sorted(vars(owner).items()):
        if isinstance(value, type) and value.__module__ == vars(owner).get("__name__"):
            found.append((name, members(value)))
        elif callable(value) or not name.startswith("__"):
            found.append((name, code(value)))
    return found


def code(value: Any) -> Any:
    """Return what a function does, or a constant, without its place in a file or in memory."""
    if value is None or isinstance(value, bytes | int | str):
        return value
    if isinstance(value, CodeType):
        return compiled(value)
    if isinstance(value, FunctionType):
        enclosed = [cell.cell_contents for cell in value.__closure__ or ()]
        value = [value.__code__, value.__defaults__, value.__kwdefaults__, enclosed]
    if isinstance(value, np.ndarray):
        value = [value.dtype.str, value.tolist()]  # its repr leaves out elements and digits
    if isinstance(value, dict):
        value = list(value.items())
    if isinstance(value, set | frozenset):
        value = sorted(value, key=repr)
    if isinstance(value, list | tuple):
        return [code(part) for part in value]
    wrapped = [getattr(value, name, None) for name in WRAPPED]
    functions = [code(part) for part in wrapped if isinstance(part, FunctionType)]
    return re.sub(" at 0x[0-9a-f]+", "", repr(value)), functions


@cache
def compiled(value: CodeType) -> str:
    """Return the digest of compiled code, which cannot change, without its place in a file."""
    parts = [code(getattr(value, f"co_{name}")) for name in SIGNATURE + BODY]
    return sha256(repr(parts).encode()).hexdigest()


def encoded(value: Any, arrays: list[np.ndarray]) -> Any:
    """Return a value as JSON has it, and append its arrays to `arrays`.

    Raises TypeError for a run that did not come to its end, and for anything but numbers, strings, arrays,
    containers, and objects of our packages that are made of these.
    """
    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) is list:
        return [encoded(part, arrays) for part in value]
    if type(value) is np.ndarray or isinstance(value, np.generic):
        if value.dtype.hasobject:
            raise TypeError("an array of objects has no contents to name")
        arrays.append(np.asarray(value))
        return {"array": len(arrays) - 1}
    if isinstance(value, Dataset):  # no kept function asks for the test set, without which it is none
        return {"data set": encoded([value.train, value.validation], arrays)}
    if getattr(value, "interrupted", False) or getattr(value, "failed", False):
        raise TypeError("a run did not come to its end")
    kind = value if isinstance(value, type) else type(value)
    name = f"{kind.__module__}:{kind.__qualname__}"
    if named(name) is not kind:
        raise TypeError(f"{name} has another type of this name")
    if kind is value:
        return {"type": name}
    items = list(value) if isinstance(value, tuple | range) else []
    if isinstance(value, dict):
        items = [list(pair) for pair in value.items()]
    state = [list(pair) for pair in getattr(value, "__dict__", {}).items()]
    return {name: encoded([items, state], arrays)}


def decoded(tree: Any, arrays: list[np.ndarray]) -> Any:
    """Return the value that `encoded` made `tree` and `arrays` of, without a call of its `__init__`."""
    if isinstance(tree, list):
        return [decoded(part, arrays) for part in tree]
    if not isinstance(tree, dict):
        return tree
    ((name, content),) = tree.items()
    if name == "array":
        return arrays[content][()]  # a scalar, if it was one
    kind = named(name)
    items, state = decoded(content, arrays)
    if issubclass(kind, tuple):
        return tuple.__new__(kind, items)
    value = kind.__new__(kind)
    if items:
        value.update(items)
    if state:  # a dict has none
        vars(value).update(state)
    return value


def named(name: str) -> Any:
    """Return a container or a type of our packages by its name. Raises TypeError for any other."""
    module, _, member = name.partition(":")
    if name not in CONTAINERS and not is_ours(module):
        raise TypeError(f"a {name} has no contents to name")
    return getattr(sys.modules[module], member)


def read(path: Path) -> Any:
    """Return a kept result. Raises OSError for a missing file, ValueError for one not as it was written."""
    if path.is_symlink() or not path.is_file():
        raise FileNotFoundError(path)
    found = path.read_bytes()
    if found[:32] != digest(path, found[32:]):
        raise ValueError(f"{path} is not as it was written")
    with np.load(BytesIO(found[32:]), allow_pickle=False) as stored:
        tree, *arrays = stored.values()
    return decoded(json.loads(tree.item()), arrays)


def write(path: Path, result: Any) -> None:
    """Write a whole file or none, and delete all but the newest files.

    Raises TypeError for a result that is not kept, OSError where there can be no file.
    """
    arrays: list[np.ndarray] = []
    tree = encoded(result, arrays)
    decoded(tree, arrays)  # what cannot be read again is not written
    content = BytesIO()
    np.savez(content, json.dumps(tree), *arrays, allow_pickle=False)
    part = path.with_name(f"{token_hex(32)}.kept")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        part.write_bytes(digest(path, content.getvalue()) + content.getvalue())
        if not path.is_symlink():
            part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    own = [file for file in path.parent.glob(f"{'[0-9a-f]' * 64}.kept") if file.is_file()]
    own.sort(key=lambda file: file.stat().st_mtime)
    for old in own[:-NEWEST]:
        old.unlink()


def digest(path: Path, content: bytes) -> bytes:
    """Return the digest of a file's name and contents."""
    return sha256(path.name.encode() + content).digest()


train = kept(assignment1.train)
sweep = kept(assignment1.sweep)
