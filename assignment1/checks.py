"""What a right input is, in one place: public functions pass what they are given through here first.

Each function returns its argument in the form that is worked with, or raises ValueError with the name, the
value, what was expected and, where it helps, what to do.
"""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

if TYPE_CHECKING:
    from assignment1.mnist import Dataset
    from assignment1.models import Regression

Floats = NDArray[np.floating]


def whole(name: str, value: object, low: int = 1, high: int | None = None, unit: str = "") -> int:
    """A whole number from `low` to `high`; True and False are no counts."""
    if isinstance(value, Integral) and not isinstance(value, bool | np.bool_):
        number = int(value)
        if low <= number and (high is None or number <= high):
            return number
    span = f"{low} or more" if high is None else f"{low} to {high:,}"
    raise ValueError(f"{name} is {value!r}; expected a whole number, {span}{unit}")


def real(name: str, value: object, *, zero: bool = False) -> float:
    """A finite number above 0, or with `zero` at least 0."""
    if isinstance(value, Real) and not isinstance(value, bool | np.bool_):
        number = float(value)
        if math.isfinite(number) and (number > 0 or (zero and number == 0)):
            return number
    raise ValueError(f"{name} is {value!r}; expected a finite number {'of at least' if zero else 'above'} 0")


def order(value: object) -> Any:
    """What `shuffle` can be: True, False or "once"."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, str) and value == "once":
        return "once"
    raise ValueError(f"shuffle is {value!r}; expected True, False or 'once'")


def float_dtype(dtype: DTypeLike) -> np.dtype:
    """float32 or float64, as this machine keeps them."""
    found = np.dtype(dtype)
    if found not in (np.float32, np.float64):
        raise ValueError(f"dtype is {found.str}; expected float32 or float64")
    return found


def inputs(X: Floats, width: int, name: str = "X") -> Floats:
    """Inputs X (N, width), N >= 1, float32 or float64, all finite."""
    if not isinstance(X, np.ndarray) or X.dtype not in (np.float32, np.float64):
        kind = f"dtype {X.dtype}" if isinstance(X, np.ndarray) else f"type {type(X).__name__}"
        raise ValueError(f"{name} has {kind}; expected an array of float32 or float64: preprocess() makes it")
    if X.ndim != 2 or X.shape[1] != width:
        raise ValueError(
            f"{name} has shape {X.shape}; expected (N, {width}): preprocess() adds the bias column"
        )
    if not len(X):
        raise ValueError(f"{name} has no images; expected at least one")
    if not all_finite(X):
        row, column = np.argwhere(~np.isfinite(X))[0]
        raise ValueError(
            f"{name} has {X[row, column]} in row {row}, column {column}; expected finite numbers"
        )
    return X


def targets(Y: ArrayLike, N: int, K: int, dtype: DTypeLike = np.float64, name: str = "Y") -> Floats:
    """Targets Y (N, K) of 0 and 1 as `dtype`; for K > 1 each row one-hot. Booleans and integers are taken."""
    Y = np.asarray(Y)
    if Y.shape != (N, K):
        outputs = f"{K} outputs" if K > 1 else "1 output"
        raise ValueError(
            f"{name} has shape {Y.shape}; expected {(N, K)}: {N} images, and a model of {outputs}"
        )
    if Y.dtype.kind not in "biuf":
        raise ValueError(f"{name} has dtype {Y.dtype}; expected numbers, 0 and 1")
    if not ((Y == 0) | (Y == 1)).all():
        row, column = np.argwhere((Y != 0) & (Y != 1))[0]
        raise ValueError(f"{name} has {Y[row, column]} in row {row}, column {column}; expected 0 or 1")
    if K > 1 and not (Y.sum(axis=1) == 1).all():
        row = int(np.flatnonzero(Y.sum(axis=1) != 1)[0])
        raise ValueError(
            f"{name}'s row {row} is {Y[row]}; expected a single 1, the rest 0: one_hot() makes it"
        )
    return Y.astype(dtype, copy=False)


def split(part: Any, width: int, K: int, name: str = "the data") -> tuple[Floats, Floats]:
    """A pair of inputs X (N, width) and targets Y (N, K)."""
    try:
        X, Y = part
    except (TypeError, ValueError):
        raise ValueError(f"{name} is {type(part).__name__}; expected a pair X, Y") from None
    X = inputs(X, width, f"X of {name}")
    return X, targets(Y, len(X), K, X.dtype, f"Y of {name}")


def all_finite(array: Floats) -> bool:
    """Whether an array has no NaN and no infinity: by its sum, which reads it once, or else one by one."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(array.sum()) or np.isfinite(array).all())


def trainable(model: Regression, data: Dataset, batch_size: int) -> Dataset:
    """`data` as what `model` can be trained on, with batches of that size."""
    from assignment1.mnist import Dataset, Split  # which is built on this module

    width, K = model.w.shape
    train = Split(*split(data.train, width, K, "the training data"))
    validation = Split(*split(data.validation, width, K, "the validation data"))
    whole("batch_size", batch_size, 1, len(train.X), ", the number of training images")
    if not all_finite(model.w):
        raise ValueError("the model's weights have NaN or infinity in them; expected finite numbers")
    return Dataset(train, validation, data.make_test)
