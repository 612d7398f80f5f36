"""Validate arguments. Every public function checks its arguments here, once, where they enter.

Each function but `alike`, `all_finite` and `shown` returns the argument in the form that the rest of the
package works with. It raises ValueError, or TypeError for an object of another class, in one line: the name,
the value, what was expected and what to do.
"""

import math
from collections.abc import Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

Floats = NDArray[np.floating]
T = TypeVar("T")


def shown(value: object) -> str:
    """Return a value as text for an error: one line of at most some hundred characters."""
    kind = type(value).__name__
    try:
        words = " ".join(repr(value).split())
    except Exception:  # of another's object, or of an integer of thousands of digits
        words = ""
    if not words:
        return f"a {kind}"
    if len(words) > 100:
        return f"{words[:60]}... (of type {kind})"
    return words


def instance(name: str, value: object, kind: type[T], such_as: str) -> T:
    """Return an object of the class `kind`; raise TypeError for another."""
    if isinstance(value, kind):
        return value
    raise TypeError(f"{name} is {shown(value)}; expected a {kind.__name__}, such as {such_as}")


def path(name: str, value: Any) -> Path:
    """Convert text or a Path to a Path; raise TypeError for anything else."""
    try:
        return Path(value)
    except TypeError:
        raise TypeError(f"{name} is {shown(value)}; expected a path, as text or as a Path") from None


def choice(name: str, value: Any, options: Sequence[bool | str]) -> Any:
    """Return one of the `options`, which are texts, True or False."""
    if isinstance(value, np.bool_):
        value = bool(value)
    if isinstance(value, bool | str) and value in options:
        return value
    *most, last = map(repr, options)
    raise ValueError(f"{name} is {shown(value)}; expected {', '.join(most)} or {last}")


def whole(name: str, value: object, low: int = 1, high: int | None = None, unit: str = "") -> int:
    """Return a whole number from `low` to `high`; True and False are no counts."""
    if isinstance(value, Integral) and not isinstance(value, bool):
        number = int(value)
        if low <= number and (high is None or number <= high):
            return number
    span = f"{low} or more" if high is None else f"{low} to {high:,}"
    raise ValueError(f"{name} is {shown(value)}; expected a whole number, {span}{unit}")


def real(name: str, value: object, *, zero: bool = False) -> float:
    """Return a finite number above 0, or with `zero` at least 0."""
    if isinstance(value, Real) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:  # of an integer, where a float is infinite
            number = math.inf
        if math.isfinite(number) and (number > 0 or (zero and value == 0)):
            return number
    least = "of at least" if zero else "above"
    raise ValueError(f"{name} is {shown(value)}; expected a finite number {least} 0")


def float_dtype(dtype: DTypeLike) -> np.dtype:
    """Return float32 or float64, in this machine's byte order."""
    found: Any
    try:
        found = np.dtype(dtype)
    except (TypeError, ValueError):
        found = shown(dtype)
    if found not in (np.float32, np.float64):
        raise ValueError(f"dtype is {found}; expected float32 or float64")
    return found


def array(name: str, values: ArrayLike) -> NDArray[Any]:
    """Convert to an array; reject ragged rows and masked arrays."""
    if isinstance(values, np.ma.MaskedArray):
        raise ValueError(f"{name} is a masked array; expected one without gaps: its filled() makes it")
    try:
        return np.asarray(values)
    except (TypeError, ValueError):
        raise ValueError(f"{name} is {shown(values)}; expected an array, all rows of one length") from None


def weights(w: Floats, K: int) -> Floats:
    """Return weights w (785, K), float32 or float64. Those of a diverged run may be infinite or NaN."""
    if not isinstance(w, np.ndarray) or w.dtype not in (np.float32, np.float64) or w.shape != (785, K):
        found = f"{w.dtype} of shape {w.shape}" if isinstance(w, np.ndarray) else shown(w)
        raise ValueError(f"w is {found}; expected an array (785, {K}) of float32 or float64")
    return array("w", w)


def finite_weights(w: Floats) -> Floats:
    """Return weights that training can start from: all finite."""
    if all_finite(w):
        return w
    raise ValueError("the model's weights have NaN or infinity in them; expected finite numbers")


def alike(z: NDArray[Any], Y: NDArray[Any], K: int | None = None, name: str = "z") -> None:
    """Raise ValueError unless logits z and targets Y are both (N, K, ...): others would be broadcast."""
    if z.ndim != Y.ndim or z.shape[:2] != Y.shape[:2] or z.ndim < 2 or z.shape[1] != (K or z.shape[1]):
        raise ValueError(f"{name} has shape {z.shape} and Y {Y.shape}; expected (N, {K or 'K'}) for both")


def gradient(found: Floats, w: Floats) -> Floats:
    """Return a gradient; raise ValueError unless it has the shape of w: another would be broadcast."""
    if np.shape(found) == w.shape:
        return found
    raise ValueError(f"the gradient has shape {np.shape(found)}; expected {w.shape}, that of w")


def inputs(X: Floats, width: int, name: str = "X") -> Floats:
    """Return inputs X (N, width), N >= 1, float32 or float64, all finite."""
    if not isinstance(X, np.ndarray) or X.dtype not in (np.float32, np.float64):
        kind = f"dtype {X.dtype}" if isinstance(X, np.ndarray) else f"type {type(X).__name__}"
        raise ValueError(f"{name} has {kind}; expected an array of float32 or float64: preprocess() makes it")
    X = array(name, X)
    if X.ndim != 2 or X.shape[1] != width:
        raise ValueError(
            f"{name} has shape {X.shape}; expected (N, {width}): preprocess() adds the bias column"
        )
    if not len(X):
        raise ValueError(f"{name} has no images; expected at least one")
    if not all_finite(X):
        row, column = np.argwhere(~np.isfinite(X))[0]
        where = f"{X[row, column]} in row {row}, column {column}"
        raise ValueError(f"{name} has {where}; expected finite numbers")
    return X


def targets(Y: ArrayLike, N: int, K: int, dtype: DTypeLike = np.float64, name: str = "Y") -> Floats:
    """Return targets Y (N, K) of 0 and 1 as `dtype`, for K > 1 one-hot; booleans and integers too."""
    Y = array(name, Y)
    if Y.shape != (N, K):
        expected = f"{(N, K)}: {N} images, and a model of {K} output{'s' if K > 1 else ''}"
        raise ValueError(f"{name} has shape {Y.shape}; expected {expected}")
    if Y.dtype.kind not in "biuf":
        raise ValueError(f"{name} has dtype {Y.dtype}; expected numbers, 0 and 1")
    wrong = (Y != 0) & (Y != 1)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise ValueError(f"{name} has {Y[row, column]} in row {row}, column {column}; expected 0 or 1")
    several = Y.sum(axis=1) != 1
    if K > 1 and several.any():
        row = f"{name}'s row {several.argmax()} is {Y[several.argmax()]}"
        raise ValueError(f"{row}; expected a single 1, the rest 0: one_hot() makes it")
    return Y.astype(dtype, copy=False)


def split(part: Any, width: int, K: int, name: str) -> tuple[Floats, Floats]:
    """Return a pair of inputs X (N, width) and targets Y (N, K)."""
    try:
        X, Y = part
    except (TypeError, ValueError):
        raise ValueError(f"{name} is of type {type(part).__name__}; expected a pair X, Y") from None
    X = inputs(X, width, f"X of {name}")
    return X, targets(Y, len(X), K, X.dtype, f"Y of {name}")


def all_finite(array: Floats) -> bool:
    """Return whether an array is free of NaN and infinity: by its sum, which reads it once, or one by one."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(array.sum()) or np.isfinite(array).all())
