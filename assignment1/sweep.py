"""Many training runs: over penalties, learning rates, seeds and data sets, on any number of workers."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict
from itertools import product
from typing import Any

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from joblib.parallel import get_active_backend

from assignment1.mnist import Dataset, Split
from assignment1.models import Regression
from assignment1.progress import Progress
from assignment1.training import Plan, Run, train_stack

STACK = 10  # runs trained as one at most: more gain nothing, and fewer would leave workers without work

Data = Dataset | Callable[[], Dataset]
Point = tuple[Any, float, float]  # a run's key, lam and learning rate


class Runs(dict[Any, Run]):
    """The finished runs, in the order asked; `failed` has the errors of the others, by the same keys."""

    def __init__(self, outcomes: Mapping[Any, Run | Exception | None]) -> None:
        super().__init__({key: run for key, run in outcomes.items() if isinstance(run, Run)})
        self.failed = {key: error for key, error in outcomes.items() if isinstance(error, Exception)}

    def __missing__(self, key: Any) -> Run:
        if key in self.failed:
            raise self.failed[key]
        raise KeyError(f"{key!r} is no run of this sweep; its runs are {', '.join(map(repr, self))}")


def sweep(
    kind: Callable[[float], Regression],
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
    if "learning_rate" not in settings:
        raise TypeError("sweep() needs a learning_rate, one or several")
    sets = data if isinstance(data, Mapping) else {None: data}
    several = {name: _listed(value) for name, value in settings.items() if _listed(value) is not None}
    outcomes: dict[Any, Run | Exception | None] = {}
    groups: dict[tuple[Any, Plan], list[Point]] = {}  # runs of the same data and plan share their batches
    for point in product(sets, *several.values()):
        name, values = point[0], point[1:]
        given = {"lam": 0.0} | settings | dict(zip(several, values, strict=True))
        lam, rate = given.pop("lam"), given.pop("learning_rate")
        key: Any = (name, *values) if isinstance(data, Mapping) else values
        key = key[0] if len(key) == 1 else key
        outcomes[key] = None
        groups.setdefault((name, Plan(**given)), []).append((key, lam, rate))
    jobs = [
        (name, plan, points[i : i + STACK])
        for (name, plan), points in groups.items()
        for i in range(0, len(points), STACK)
    ]

    backend, ambient = get_active_backend()
    n_jobs = min(effective_n_jobs(workers or ambient or -1), len(jobs))
    alone = len(jobs) == 1
    stream = "generator" if backend.supports_return_generator else "list"
    tasks = (
        delayed(_train)(kind, _light(sets[name]), plan, points, alone and progress)
        for name, plan, points in jobs
    )
    results = Parallel(n_jobs=n_jobs, return_as=stream)(tasks)
    with Progress(total=len(outcomes), unit="run", disable=alone or not progress) as bar:
        for (_, _, points), runs in zip(jobs, results, strict=True):
            for (key, _, _), run in zip(points, runs, strict=True):
                outcomes[key] = run
                bar.advance()
    found = Runs(outcomes)
    for key, error in found.failed.items():
        warnings.warn(f"run {key!r} failed: {error}", RuntimeWarning, stacklevel=2)
    return found


def _listed(value: Any) -> list[Any] | None:
    """The values of a setting that was given several, else None."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    return list(value) if isinstance(value, list | tuple | range) else None


def _light(data: Data) -> Any:
    """What a worker needs of a data set: the test set stays here."""
    return (data.train, data.validation) if isinstance(data, Dataset) else data


def _train(
    kind: Callable[[float], Regression],
    data: tuple[Split, Split] | Callable[[], Dataset],
    plan: Plan,
    points: list[Point],
    progress: bool,
) -> list[Run | Exception]:
    """The run at each point, or its error."""
    if callable(data):
        made = data()
        data = made.train, made.validation
    errors: list[ValueError | None] = []
    models, rates = [], []
    for _, lam, rate in points:
        try:
            plan.check(len(data[0].X), rate)
            models.append(kind(lam))
            rates.append(rate)
            errors.append(None)
        except ValueError as error:
            errors.append(ValueError(f"{error}; with {asdict(plan) | dict(learning_rate=rate, lam=lam)}"))
    runs = iter(train_stack(models, rates, *data, plan, progress) if models else [])
    return [error or next(runs) for error in errors]
