"""Many training runs: over penalties, learning rates, seeds and data sets, on any number of workers."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from joblib.parallel import get_active_backend

from assignment1 import arguments
from assignment1.fast.engine import train_together
from assignment1.fast.workers import guarded
from assignment1.mnist import Dataset, Split
from assignment1.models import Regression
from assignment1.progress import STOP, interruptible
from assignment1.progress import progress as progress_bar
from assignment1.run import Run
from assignment1.shown import Shown
from assignment1.training import Settings

TOGETHER = 10  # runs trained together at most: more gain nothing

Data = Dataset | Callable[[], Dataset]
Point = tuple[Any, float, Settings]  # a run's key, lam and settings
Job = tuple[Any, list[Point]]  # the name of the data, and runs that share their batches


class Runs(Shown, dict[Any, Run]):
    """The finished runs, in the order asked; `failed` has the errors of the others, by the same keys.

    Of a sweep that was `interrupted`, those in progress are marked so, and `left` has the keys of those that
    are not there.

    >>> digits = load_mnist().binary(2, 3)
    >>> runs = sweep(LogisticRegression, digits, seed=range(3), learning_rate=0.05, epochs=1, progress=False)
    >>> list(runs), runs.failed, min(runs, key=lambda seed: runs[seed].history.validation_loss.min()) in runs
    ([0, 1, 2], {}, True)
    """

    def __init__(self, outcomes: Mapping[Any, Run | Exception | None]) -> None:
        super().__init__({key: run for key, run in outcomes.items() if isinstance(run, Run)})
        self.failed = {key: error for key, error in outcomes.items() if isinstance(error, Exception)}
        self.left = [key for key, outcome in outcomes.items() if outcome is None]
        self.interrupted = bool(self.left) or any(run.interrupted for run in self.values())

    def __missing__(self, key: Any) -> Run:
        if key in self.failed:
            raise self.failed[key]
        if key in self.left:
            raise KeyError(f"{key!r} is not there, since the sweep was interrupted; sweep again")
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
    Raises TypeError or ValueError for settings that cannot be right, before any run starts. A run that fails
    later, or whose worker ends, is left out with a warning, and its error is in `failed`; if all fail, the
    first error is raised. Interrupted, it returns the runs that there are, the last of them unfinished.

    >>> from assignment1 import LogisticRegression, load_mnist, sweep
    >>> digits = load_mnist().binary(2, 3)
    >>> runs = sweep(LogisticRegression, digits, lam=(0.0, 0.1), seed=range(2), learning_rate=0.05, epochs=2)
    >>> list(runs), runs[0.1, 1].last.lam
    ([(0.0, 0), (0.0, 1), (0.1, 0), (0.1, 1)], 0.1)
    """
    sets, shown = _sets(kind, data), arguments.flag("progress", progress)
    keys, points = _points(data, settings)
    backend, ambient = get_active_backend()
    n_jobs = effective_n_jobs(arguments.whole("workers", workers) if workers is not None else ambient or -1)
    jobs = _jobs(points, n_jobs)
    outcomes: dict[Any, Run | Exception | None] = dict.fromkeys(keys)
    stream = "generator" if backend.supports_return_generator else "list"
    with (
        TemporaryDirectory() as folder,
        interruptible(then=(stop := Path(folder, "stop")).touch) as interrupted,
        progress_bar(len(outcomes), "run", shown and len(jobs) > 1) as advance,
    ):

        def tasks(some: list[Job]) -> Iterator[Any]:
            for name, group in some:
                if interrupted() or stop.exists():
                    return
                # data in a tuple goes with each task: Dask would keep it in one worker, and lose it so
                task = (kind, _light(sets[name]))
                yield delayed(guarded(_train, stop))(task, group, shown and len(jobs) == 1)

        def work(some: list[Job], workers: int) -> None:
            results = Parallel(n_jobs=workers, return_as=stream)(tasks(some))
            for (_, group), found in zip(some, results, strict=False):  # fewer where it was interrupted
                for (key, *_), run in zip(group, found, strict=True):
                    outcomes[key] = run
                    if isinstance(run, Run) and run.interrupted:
                        stop.touch()
                    advance()

        try:
            work(jobs, min(n_jobs, len(jobs)))
        except Exception:  # a worker ended, or what it was to be sent or to return cannot be pickled
            left = [(name, point) for name, group in jobs for point in group if not outcomes[point[0]]]
            for name, point in left:  # each alone, so that it costs no other
                try:
                    work([(name, [point])], n_jobs)
                except Exception as ended:
                    outcomes[point[0]] = _failure(ended, point)
    runs = Runs(outcomes)
    if not runs and runs.interrupted:
        raise KeyboardInterrupt
    if not runs:
        raise next(iter(runs.failed.values()))
    for key, error in runs.failed.items():
        warnings.warn(f"run {key!r} failed: {error}", RuntimeWarning, stacklevel=2)
    return runs


def _sets(kind: Any, data: Any) -> dict[Any, Data]:
    """The data sets by name; TypeError for what cannot be a data set or a kind of model."""
    if not callable(kind):
        raise TypeError(
            f"kind is {arguments.shown(kind)}; expected a class of models, such as SoftmaxRegression"
        )
    sets = dict(data) if isinstance(data, Mapping) else {None: data}
    for name, found in sets.items():
        if not callable(found):
            said = "data" if name is None else f"data[{arguments.shown(name)}]"
            arguments.instance(said, found, Dataset, "load_mnist().softmax()")
    return sets


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
        name, lam = given.pop("data"), arguments.real("lam", given.pop("lam"), zero=True)
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
    if isinstance(value, np.ndarray) and value.ndim:
        return list(value.tolist())
    return list(value) if isinstance(value, list | tuple | range) else None


Splits = tuple[Split, Split]


def _light(data: Data) -> Splits | Callable[[], Dataset]:
    """What a worker needs of a data set: the test set stays here."""
    return (data.train, data.validation) if isinstance(data, Dataset) else data


def _train(
    task: tuple[Callable[[float], Regression], Splits | Callable[[], Dataset]],
    points: list[Point],
    shown: bool,
) -> list[Run | Exception | None]:
    """The run at each point, or its error: whatever it is, it takes no other run with it."""
    if STOP.is_set():  # interrupted before they began
        return [None] * len(points)
    kind, found = task
    outcomes: list[Any] = [_made(kind, point) for point in points]
    try:
        data = found() if callable(found) else Dataset(*found, lambda: found[1])
    except (Exception, SystemExit) as error:
        return [_failure(error, point) for point in points]
    for one in dict.fromkeys(type(made) for made in outcomes if isinstance(made, Regression)):
        places = [place for place, made in enumerate(outcomes) if type(made) is one]
        models, settings = [outcomes[place] for place in places], [points[place][2] for place in places]
        try:
            runs: Any = train_together(
                models, settings, arguments.trainable(models[0], data, settings[0]), shown
            )
        except (Exception, SystemExit) as error:
            runs = [_failure(error, points[place]) for place in places]
        for place, run in zip(places, runs, strict=True):
            outcomes[place] = run
    return outcomes


def _made(kind: Callable[[float], Regression], point: Point) -> Regression | Exception:
    try:
        model = arguments.instance("the model", kind(point[1]), Regression, "SoftmaxRegression()")
        arguments.finite_weights(model.w)
        return model
    except (Exception, SystemExit) as error:
        return _failure(error, point)


def _failure(error: BaseException, point: Point) -> Exception:
    said = f"{type(error).__name__}: {error}" if not isinstance(error, ValueError) else str(error)
    line = " ".join(said.split())[:500]
    return ValueError(f"{line}; with {vars(point[2]) | dict(lam=point[1])}")
