"""Many training runs: over penalties, learning rates, seeds and data sets, on any number of workers."""

from __future__ import annotations

import math
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

STACK = 10  # runs trained as one at most: more gain nothing

Data = Dataset | Callable[[], Dataset]
Point = tuple[Any, float, float]  # a run's key, lam and learning rate
Job = tuple[Any, Plan, list[Point]]  # the name of the data, and runs by one plan


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
    backend, ambient = get_active_backend()
    n_jobs = effective_n_jobs(workers or ambient or -1)
    keys, jobs = _jobs(sets, settings, n_jobs)
    outcomes: dict[Any, Run | Exception | None] = dict.fromkeys(keys)
    n_jobs = min(n_jobs, len(jobs))

    stream = "generator" if backend.supports_return_generator else "list"
    tasks = (  # data in a tuple goes with each task: Dask would keep it in one worker, and lose it with that
        delayed(_train)((kind, _light(sets[name])), plan, points, progress and len(jobs) == 1)
        for name, plan, points in jobs
    )
    results = Parallel(n_jobs=n_jobs, return_as=stream)(tasks)
    with Progress(len(outcomes), "run", progress and len(jobs) > 1) as bar:
        for (_, _, points), group in zip(jobs, results, strict=True):
            for (key, _, _), run in zip(points, group, strict=True):
                outcomes[key] = run
                bar.advance()
    runs = Runs(outcomes)
    for key, error in runs.failed.items():
        warnings.warn(f"run {key!r} failed: {error}", RuntimeWarning, stacklevel=2)
    return runs


def _jobs(sets: Mapping[Any, Data], settings: dict[str, Any], workers: int) -> tuple[list[Any], list[Job]]:
    """The keys of all runs, in the order asked, and the runs as jobs: stacks that share their batches."""
    several = {name: _listed(value) for name, value in settings.items() if _listed(value) is not None}
    keys: list[Any] = []
    groups: dict[tuple[Any, Plan], list[Point]] = {}
    for point in product(sets, *several.values()):
        given = {"lam": 0.0} | settings | dict(zip(several, point[1:], strict=True))
        lam, rate = given.pop("lam"), given.pop("learning_rate")
        key = point if None not in sets else point[1:]
        keys.append(key[0] if len(key) == 1 else key)
        groups.setdefault((point[0], Plan(**given)), []).append((keys[-1], lam, rate))
    size = min(STACK, math.ceil(len(keys) / workers))
    jobs: list[Job] = []
    for group, points in groups.items():
        count = math.ceil(len(points) / size)
        # With a larger penalty a run stops sooner: dealt out there and back, the stacks end together.
        points.sort(key=lambda point: point[1])
        for i in range(count):
            there, back = points[i :: 2 * count], points[2 * count - 1 - i :: 2 * count]
            jobs.append((*group, there + back))
    return keys, jobs


def _listed(value: Any) -> list[Any] | None:
    """The values of a setting that was given several, else None."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    return list(value) if isinstance(value, list | tuple | range) else None


Splits = tuple[Split, Split]


def _light(data: Data) -> Splits | Callable[[], Dataset]:
    """What a worker needs of a data set: the test set stays here."""
    return (data.train, data.validation) if isinstance(data, Dataset) else data


def _splits(data: Splits | Callable[[], Dataset]) -> Splits:
    if callable(data):
        made = data()
        return made.train, made.validation
    return data


def _train(
    task: tuple[Callable[[float], Regression], Splits | Callable[[], Dataset]],
    plan: Plan,
    points: list[Point],
    progress: bool,
) -> list[Run | Exception]:
    """The run at each point, or its error."""

    def failed(error: Exception, lam: float, rate: float) -> ValueError:
        return ValueError(f"{error}; with {asdict(plan) | dict(learning_rate=rate, lam=lam)}")

    try:
        kind, splits = task[0], _splits(task[1])
        models, rates = [], []
        errors: list[ValueError | None] = []
        for _, lam, rate in points:
            try:
                plan.check(len(splits[0].X), rate)
                models.append(kind(lam))
                rates.append(rate)
                errors.append(None)
            except (TypeError, ValueError) as error:
                errors.append(failed(error, lam, rate))
        runs = iter(train_stack(models, rates, *splits, plan, progress) if models else [])
        return [error or next(runs) for error in errors]
    except Exception as error:  # whatever it is, it takes no other run with it
        return [failed(error, lam, rate) for _, lam, rate in points]
