"""Many training runs: over penalties, learning rates, seeds and data sets, on any number of workers."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from joblib.parallel import get_active_backend

from assignment1.mnist import Dataset, Split
from assignment1.models import Regression
from assignment1.training import Progress, Run, check_settings, train, train_stack

STACK = 10  # runs trained as one at most: more gain nothing, and fewer would leave workers without work

Data = Dataset | Callable[[], Dataset]


class Runs(dict[Any, Run]):
    """The finished runs, in the order asked; `failed` has the errors of the others, by the same keys."""

    def __init__(self, outcomes: Mapping[Any, Run | Exception]) -> None:
        super().__init__({key: run for key, run in outcomes.items() if isinstance(run, Run)})
        self.failed = {key: error for key, error in outcomes.items() if isinstance(error, Exception)}

    def __missing__(self, key: Any) -> Run:
        if key in self.failed:
            raise self.failed[key]
        raise KeyError(f"{key!r} is no run of this sweep; its runs are {', '.join(map(repr, self))}")


def sweep(
    kind: type[Regression],
    data: Data | Mapping[Any, Data],
    *,
    workers: int | None = None,
    progress: bool = True,
    **settings: Any,
) -> Runs:
    """Train `kind` once for each combination of `settings`: `lam` and those of `train`, one or several.

    `sweep(SoftmaxRegression, images, lam=(0.0, 0.1), seed=range(3), learning_rate=0.01, epochs=50)` makes six
    runs, `runs[0.1, 2]` the last: a run's key has its value of each setting that was given several, in the
    order written, without a tuple if it is only one. A mapping of `data` sets comes first in the keys; a data
    set may be a function that makes it, which then runs in the worker and ships nothing.

    The numbers are those of `train`, to rounding, whatever the `workers`: processes, by default one a core
    with its share of the BLAS threads. Under `joblib.parallel_config(backend=...)` the runs go there instead.
    A run that fails is left out with a warning, and its error is in `failed`.
    """
    sets = data if isinstance(data, Mapping) else {None: data}
    plan = inspect.signature(train).bind(None, None, **{k: v for k, v in settings.items() if k != "lam"})
    plan.apply_defaults()  # names a setting that is unknown or missing, as a call of train does
    several = {name: _listed(value) for name, value in settings.items() if _listed(value) is not None}
    outcomes: dict[Any, Run | Exception] = {}
    groups: dict[tuple[Any, ...], list[tuple[Any, dict[str, Any]]]] = {}
    for point in product(sets, *several.values()):
        name, values = point[0], point[1:]
        full = plan.kwargs | {"lam": 0.0} | settings | dict(zip(several, values, strict=True))
        full.pop("progress", None)
        key: Any = (name, *values) if isinstance(data, Mapping) else values
        key = key[0] if len(key) == 1 else key
        outcomes[key] = RuntimeError("not run")
        alike = (name, *(full[part] for part in sorted(full) if part not in ("lam", "learning_rate")))
        groups.setdefault(alike, []).append((key, full))
    jobs = [(alike[0], part) for alike, all_ in groups.items() for part in _slices(all_, STACK)]

    backend, ambient = get_active_backend()
    n_jobs = min(effective_n_jobs(workers or ambient or -1), len(jobs))
    alone = len(jobs) == 1
    stream = "generator" if backend.supports_return_generator else "list"
    tasks = (
        delayed(_train)(kind, _light(sets[name]), [full for _, full in part], alone and progress)
        for name, part in jobs
    )
    results = Parallel(n_jobs=n_jobs, return_as=stream)(tasks)
    with Progress(total=len(outcomes), unit="run", disable=alone or not progress) as bar:
        for (_, part), runs in zip(jobs, results, strict=True):
            for (key, _), run in zip(part, runs, strict=True):
                outcomes[key] = run
                bar.advance()
    runs = Runs(outcomes)
    for key, error in runs.failed.items():
        warnings.warn(f"run {key!r} failed: {error}", RuntimeWarning, stacklevel=2)
    return runs


def _listed(value: Any) -> list[Any] | None:
    """The values of a setting that was given several, else None."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    return list(value) if isinstance(value, list | tuple | range) else None


def _slices(items: list[Any], size: int) -> list[list[Any]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def _light(data: Data) -> Any:
    """What a worker needs of a data set: the test set stays here."""
    return (data.train, data.validation) if isinstance(data, Dataset) else data


def _train(
    kind: type[Regression],
    data: tuple[Split, Split] | Callable[[], Dataset],
    points: list[dict[str, Any]],
    progress: bool,
) -> list[Run | Exception]:
    """The runs at `points`, which differ in lam and learning_rate alone, or the error of each."""
    if callable(data):
        made = data()
        data = made.train, made.validation
    outcomes: list[Run | Exception | None] = []
    models, rates = [], []
    for point in points:
        try:
            check_settings(len(data[0].X), **{k: v for k, v in point.items() if k != "lam"})
            models.append(kind(point["lam"]))
            rates.append(point["learning_rate"])
            outcomes.append(None)
        except ValueError as error:
            outcomes.append(ValueError(f"{error}; with {point}"))
    shared = {k: v for k, v in points[0].items() if k not in ("lam", "learning_rate")}
    trained = iter(train_stack(models, rates, *data, progress=progress, **shared) if models else [])
    return [outcome or next(trained) for outcome in outcomes]
