"""Many training runs: over penalties, learning rates, seeds and data sets, on any number of workers."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from joblib.parallel import get_active_backend

from assignment1 import checks
from assignment1.engine import train_together
from assignment1.kept import kept
from assignment1.mnist import Dataset, Split
from assignment1.models import Regression
from assignment1.progress import progress as progress_bar
from assignment1.run import Run
from assignment1.shown import Shown
from assignment1.training import Settings
from assignment1.workers import guarded

TOGETHER = 10  # runs trained together at most: more gain nothing

Data = Dataset | Callable[[], Dataset]
Point = tuple[Any, float, Settings]  # a run's key, lam and settings
Job = tuple[Any, list[Point]]  # the name of the data, and runs that share their batches


class Runs(Shown, dict[Any, Run]):
    """The finished runs, in the order asked; `failed` has the errors of the others, by the same keys.

    >>> digits = load_mnist().binary(2, 3)
    >>> runs = sweep(LogisticRegression, digits, seed=range(3), learning_rate=0.05, epochs=1, progress=False)
    >>> list(runs), runs.failed, min(runs, key=lambda seed: runs[seed].history.validation_loss.min()) in runs
    ([0, 1, 2], {}, True)
    """

    def __init__(self, outcomes: Mapping[Any, Run | Exception | None]) -> None:
        super().__init__({key: run for key, run in outcomes.items() if isinstance(run, Run)})
        self.failed = {key: error for key, error in outcomes.items() if isinstance(error, Exception)}

    def __missing__(self, key: Any) -> Run:
        if key in self.failed:
            raise self.failed[key]
        raise KeyError(f"{key!r} is no run of this sweep; its runs are {', '.join(map(repr, self))}")


@kept
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
    Raises TypeError or ValueError for settings that cannot be right, before any run starts. A run that fails
    later is left out with a warning, and its error is in `failed`; if all fail, the first error is raised.

    >>> from assignment1 import LogisticRegression, load_mnist, sweep
    >>> digits = load_mnist().binary(2, 3)
    >>> runs = sweep(LogisticRegression, digits, lam=(0.0, 0.1), seed=range(2), learning_rate=0.05, epochs=2)
    >>> list(runs), runs[0.1, 1].last.lam
    ([(0.0, 0), (0.0, 1), (0.1, 0), (0.1, 1)], 0.1)
    """
    keys, points = _points(data, settings)
    sets = data if isinstance(data, Mapping) else {None: data}
    backend, ambient = get_active_backend()
    n_jobs = effective_n_jobs(checks.whole("workers", workers) if workers is not None else ambient or -1)
    jobs = _jobs(points, n_jobs)
    outcomes: dict[Any, Run | Exception | None] = dict.fromkeys(keys)
    stream = "generator" if backend.supports_return_generator else "list"
    tasks = (  # data in a tuple goes with each task: Dask would keep it in one worker, and lose it with that
        delayed(guarded(_train))((kind, _light(sets[name])), group, progress and len(jobs) == 1)
        for name, group in jobs
    )
    results = Parallel(n_jobs=min(n_jobs, len(jobs)), return_as=stream)(tasks)
    with progress_bar(len(outcomes), "run", progress and len(jobs) > 1) as advance:
        for (_, group), found in zip(jobs, results, strict=True):
            for (key, *_), run in zip(group, found, strict=True):
                outcomes[key] = run
                advance()
    runs = Runs(outcomes)
    if not runs:
        raise next(iter(runs.failed.values()))
    for key, error in runs.failed.items():
        warnings.warn(f"run {key!r} failed: {error}", RuntimeWarning, stacklevel=2)
    return runs


def _points(data: Data | Mapping[Any, Data], settings: dict[str, Any]) -> tuple[list[Any], dict[Any, Any]]:
    """The keys of all runs, in the order asked, and the runs by what they share: data, batches and checks."""
    known = {"lam", *Settings.__dataclass_fields__}
    if unknown := sorted(set(settings) - known):
        raise TypeError(f"sweep() has no setting {unknown[0]!r}; it has {', '.join(sorted(known))}")
    if missing := sorted({"learning_rate", "epochs"} - set(settings)):
        raise TypeError(f"sweep() needs {missing[0]}, one or several")
    several: dict[str, list[Any]] = {"data": list(data)} if isinstance(data, Mapping) else {}
    several |= {name: found for name, value in settings.items() if (found := _listed(value)) is not None}
    for name, values in several.items():
        if not values:
            raise ValueError(f"{name} is empty; expected one value or several")
    keys: list[Any] = []
    groups: dict[Any, list[Point]] = {}
    for point in product(*several.values()):
        given = {"data": None, "lam": 0.0} | settings | dict(zip(several, point, strict=True))
        name, lam = given.pop("data"), checks.real("lam", given.pop("lam"), zero=True)
        own = Settings(**given)
        keys.append(point[0] if len(point) == 1 else point)
        shared = (name, *(value for key, value in vars(own).items() if key != "learning_rate"))
        groups.setdefault(shared, []).append((keys[-1], lam, own))
    return keys, groups


def _jobs(groups: dict[Any, list[Point]], workers: int) -> list[Job]:
    """The runs as jobs, which share their batches and are trained together: at least one for each worker."""
    count = sum(map(len, groups.values()))
    size = min(TOGETHER, math.ceil(count / workers))
    jobs: list[Job] = []
    for (name, *_), points in groups.items():
        parts = math.ceil(len(points) / size)
        # With a larger penalty a run stops sooner: dealt out there and back, the jobs end at the same time.
        points = sorted(points, key=lambda point: point[1])
        for i in range(parts):
            there, back = points[i :: 2 * parts], points[2 * parts - 1 - i :: 2 * parts]
            jobs.append((name, there + back))
    return jobs


def _listed(value: Any) -> list[Any] | None:
    """The values of a setting that was given several, else None."""
    if isinstance(value, np.ndarray):
        return list(np.atleast_1d(value).tolist()) if value.ndim else None
    return list(value) if isinstance(value, list | tuple | range) else None


Splits = tuple[Split, Split]


def _light(data: Data) -> Splits | Callable[[], Dataset]:
    """What a worker needs of a data set: the test set stays here."""
    return (data.train, data.validation) if isinstance(data, Dataset) else data


def _train(
    task: tuple[Callable[[float], Regression], Splits | Callable[[], Dataset]],
    points: list[Point],
    shown: bool,
) -> list[Run | Exception]:
    """The run at each point, or its error."""
    try:
        kind, found = task
        made = found() if callable(found) else Dataset(*found, lambda: found[1])
        outcomes = [_made(kind, lam) for _, lam, _ in points]
        models = [model for model in outcomes if not isinstance(model, Exception)]
        settings = [own for model, (*_, own) in zip(outcomes, points, strict=True) if model in models]
        data = checks.trainable(models[0], made, settings[0].batch_size) if models else made
        runs = iter(train_together(models, settings, data, shown) if models else [])
        return [model if isinstance(model, Exception) else next(runs) for model in outcomes]
    except Exception as error:  # whatever it is, it takes no run of another job with it
        return [ValueError(f"{error}; with {vars(own) | dict(lam=lam)}") for _, lam, own in points]


def _made(kind: Callable[[float], Regression], lam: float) -> Regression | Exception:
    try:
        return kind(lam)
    except Exception as error:
        return ValueError(f"{error}; with lam {lam}")
