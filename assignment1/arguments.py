"""What a right input is, in one place: public functions pass what they are given through here first.

Each function returns its argument in the form that is worked with, or raises ValueError, for an object of
another class TypeError, in one line: the name, the value, what was expected and, where it helps, what to do.
"""

from __future__ import annotations

import math
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

if TYPE_CHECKING:
    from assignment1.mnist import Dataset
    from assignment1.models import Regression
    from assignment1.training import Settings

Floats = NDArray[np.floating]
T = TypeVar("T")


def shown(value: object) -> str:
    """A value for an error: in one line, and not long, whatever it is."""
    try:
        said = " ".join(repr(value).split())
    except Exception:  # of another's object, or of an integer of thousands of digits
        said = ""
    kind = type(value).__name__
    return said if 0 < len(said) <= 100 else f"{said[:60]}... (of type {kind})" if said else f"a {kind}"


def instance(name: str, value: object, kind: type[T], such_as: str) -> T:
    """An object of a class; TypeError for another."""
    if isinstance(value, kind):
        return value
    raise TypeError(f"{name} is {shown(value)}; expected a {kind.__name__}, such as {such_as}")


def path(name: str, value: Any) -> Path:
    """Text or a Path; TypeError for anything else."""
    try:
        return Path(value)
    except TypeError:
        raise TypeError(f"{name} is {shown(value)}; expected a path, as text or as a Path") from None


def flag(name: str, value: object) -> bool:
    """True or False, NumPy's too."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    raise ValueError(f"{name} is {shown(value)}; expected True or False")


def whole(name: str, value: object, low: int = 1, high: int | None = None, unit: str = "") -> int:
    """A whole number from `low` to `high`; True and False are no counts."""
    if isinstance(value, Integral) and not isinstance(value, bool | np.bool_):
        number = int(value)
        if low <= number and (high is None or number <= high):
            return number
    span = f"{low} or more" if high is None else f"{low} to {high:,}"
    raise ValueError(f"{name} is {shown(value)}; expected a whole number, {span}{unit}")


def real(name: str, value: object, *, zero: bool = False) -> float:
    """A finite number above 0, or with `zero` at least 0."""
    if isinstance(value, Real) and not isinstance(value, bool | np.bool_):
        try:
            number = float(value)
        except OverflowError:  # of an integer, where a float is infinite
            number = math.inf
        if math.isfinite(number) and (number > 0 or (zero and value == 0)):
            return number
    raise ValueError(
        f"{name} is {shown(value)}; expected a finite number {'of at least' if zero else 'above'} 0"
    )


def order(value: object) -> Any:
    """What `shuffle` can be: True, False or "once"."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, str) and value == "once":
        return "once"
    raise ValueError(f"shuffle is {shown(value)}; expected True, False or 'once'")


def way(value: object) -> str:
    """What `method` can be: "fast" or "plain"."""
    if isinstance(value, str) and value in ("fast", "plain"):
        return value
    raise ValueError(f"method is {shown(value)}; expected 'fast' or 'plain'")


def setting(name: str, value: Any) -> Any:
    """What one of the settings of `training.Settings` can be."""
    if name == "learning_rate":
        return real(name, value)
    if name == "shuffle":
        return order(value)
    none = value is None and name in ("patience", "train_accuracy_every")
    return None if none else whole(name, value, low=0 if name == "seed" else 1)


def float_dtype(dtype: DTypeLike) -> np.dtype:
    """float32 or float64, as this machine keeps them."""
    try:
        found = np.dtype(dtype)
    except (TypeError, ValueError):
        raise ValueError(f"dtype is {shown(dtype)}; expected float32 or float64") from None
    if found not in (np.float32, np.float64):
        raise ValueError(f"dtype is {found}; expected float32 or float64")
    return found


def array(name: str, values: ArrayLike) -> NDArray[Any]:
    """What NumPy makes of `values`: not of rows of several lengths, nor without a masked array's mask."""
    if isinstance(values, np.ma.MaskedArray):
        raise ValueError(f"{name} is a masked array; expected one without gaps: its filled() makes it")
    try:
        return np.asarray(values)
    except (TypeError, ValueError):
        raise ValueError(f"{name} is {shown(values)}; expected an array, all rows of one length") from None


def weights(w: Floats, K: int) -> Floats:
    """Weights w (785, K), float32 or float64. They may be infinite or NaN, as those of a diverged run are."""
    if not isinstance(w, np.ndarray) or w.dtype not in (np.float32, np.float64) or w.shape != (785, K):
        found = f"{w.dtype} of shape {w.shape}" if isinstance(w, np.ndarray) else shown(w)
        raise ValueError(f"w is {found}; expected an array (785, {K}) of float32 or float64")
    return array("w", w)


def of_model(name: str, value: Any, K: int) -> Any:
    """What an attribute of a model can be: its `lam` and its `w` are checked."""
    return real("lam", value, zero=True) if name == "lam" else weights(value, K) if name == "w" else value


def finite_weights(w: Floats) -> None:
    """Weights to start from: all finite."""
    if not all_finite(w):
        raise ValueError("the model's weights have NaN or infinity in them; expected finite numbers")


def alike(z: NDArray[Any], Y: NDArray[Any], K: int | None = None) -> None:
    """Logits (N, K) and targets (N, K): of another shape they would be broadcast. Both may have more axes."""
    if z.ndim != Y.ndim or z.shape[:2] != Y.shape[:2] or z.ndim < 2 or z.shape[1] != (K or z.shape[1]):
        expected = f"(N, {K or 'K'})"
        raise ValueError(f"z has shape {z.shape} and Y {Y.shape}; expected {expected} for both")


def inputs(X: Floats, width: int, name: str = "X") -> Floats:
    """Inputs X (N, width), N >= 1, float32 or float64, all finite."""
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
        raise ValueError(
            f"{name} has {X[row, column]} in row {row}, column {column}; expected finite numbers"
        )
    return X


def targets(Y: ArrayLike, N: int, K: int, dtype: DTypeLike = np.float64, name: str = "Y") -> Floats:
    """Targets Y (N, K) of 0 and 1 as `dtype`; for K > 1 each row one-hot. Booleans and integers are taken."""
    Y = array(name, Y)
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


def split(part: Any, width: int, K: int, name: str) -> tuple[Floats, Floats]:
    """A pair of inputs X (N, width) and targets Y (N, K)."""
    try:
        X, Y = part
    except (TypeError, ValueError):
        raise ValueError(f"{name} is of type {type(part).__name__}; expected a pair X, Y") from None
    X = inputs(X, width, f"X of {name}")
    return X, targets(Y, len(X), K, X.dtype, f"Y of {name}")


def all_finite(array: Floats) -> bool:
    """Whether an array has no NaN and no infinity: by its sum, which reads it once, or else one by one."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(array.sum()) or np.isfinite(array).all())


def trainable(model: Regression, data: Dataset, settings: Settings) -> Dataset:
    """`data` as what `model` can be trained on by `settings`; TypeError or ValueError if it cannot."""
    from assignment1.mnist import Dataset, Split  # which are built on this module
    from assignment1.models import Regression
    from assignment1.training import Settings

    instance("model", model, Regression, "SoftmaxRegression()")
    instance("data", data, Dataset, "load_mnist().softmax()")
    instance("settings", settings, Settings, "Settings(learning_rate=0.01, epochs=50)")
    width, K = model.w.shape
    train = Split(*split(data.train, width, K, "the training data"))
    validation = Split(*split(data.validation, width, K, "the validation data"))
    whole("batch_size", settings.batch_size, 1, len(train.X), ", the number of training images")
    finite_weights(model.w)
    return Dataset(train, validation, data.make_test)


def gradient(model: Regression, X: Floats, Y: Floats) -> Floats:
    """The gradient that a model gives, of the shape of its weights; ValueError for another."""
    from assignment1.models import Regression  # which is built on this module

    found = instance("model", model, Regression, "SoftmaxRegression()").gradient(X, Y)
    if np.shape(found) != model.w.shape:
        raise ValueError(f"the gradient has shape {np.shape(found)}; expected {model.w.shape}, that of w")
    return found
