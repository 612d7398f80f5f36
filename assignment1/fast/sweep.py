"""Many training runs: over penalties, learning rates, seeds and data sets, on any number of workers."""

import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import replace
from functools import cache, partial
from itertools import product
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from joblib import Parallel, delayed, effective_n_jobs
from joblib.parallel import get_active_backend

from assignment1 import arguments
from assignment1.fast.engine import KNOWN, written
from assignment1.fast.train import descend
from assignment1.fast.workers import Asked, guarded, sign
from assignment1.mnist import Dataset
from assignment1.models import Regression
from assignment1.progress import Interrupt
from assignment1.progress import progress as progress_bar
from assignment1.run import Run, Settings

LISTED = 12  # runs at most, in a summary
TOGETHER = 10  # runs trained together at most: more gain nothing

Data = Dataset | Callable[[], Dataset]


class Point(NamedTuple):
    """The settings of one run of a sweep."""

    data: Any  # its name
    lam: float
    settings: Settings


class Kept(NamedTuple):
    """What is kept of a run."""

    value: Any


class Runs(dict[Any, Any]):
    """The finished runs, in the order asked; `failed` has the errors of the others, by the same keys.

    Of a sweep that was `interrupted`, those in progress are marked so, and `left` has the keys of those that
    are not there. Where only something of each run was kept, that is in its place, and `left` has the keys of
    those in progress as well.

    >>> digits = load_mnist().binary(2, 3)
    >>> runs = sweep(LogisticRegression, digits, seed=range(3), learning_rate=0.05, epochs=1, progress=False)
    >>> list(runs), runs.failed, min(runs, key=lambda seed: runs[seed].history.validation_loss.min()) in runs
    ([0, 1, 2], {}, True)
    """

    def __init__(self, outcomes: Mapping[Any, Any]) -> None:
        super().__init__()
        self.failed: dict[Any, Exception] = {}
        self.left = []
        self.interrupted = False
        for key, outcome in outcomes.items():
            if outcome is None:
                self.left.append(key)
            elif isinstance(outcome, Exception):
                self.failed[key] = outcome
            else:
                self[key] = outcome.value if isinstance(outcome, Kept) else outcome
                self.interrupted |= isinstance(outcome, Run) and outcome.interrupted
        self.interrupted |= bool(self.left)

    def __missing__(self, key: Any) -> Any:
        if key in self.failed:
            raise self.failed[key]
        if key in self.left:
            raise KeyError(f"{key!r} is not there, since the sweep was interrupted; sweep again")
        raise KeyError(f"{key!r} is no run of this sweep; its runs are {', '.join(map(repr, self))}")

    copy = copy  # with `failed` and `left`

    def __repr__(self) -> str:
        lines = [f"{len(self)} runs, {len(self.failed)} failed"]
        if self.interrupted:
            lines[0] += f"; interrupted, {len(self.left)} not there"
        for key, run in list(self.items())[:LISTED]:
            words = arguments.shown(run)
            if isinstance(run, Run):
                ending, best, *_ = repr(run).splitlines()
                words = f"{ending};{best[1:]}"
            lines.append(f"  {key!r}: {words}")
        if len(self) > LISTED:
            lines.append(f"  and {len(self) - LISTED} more")
        for key, error in list(self.failed.items())[:4]:
            lines.append(f"  {key!r} failed: {str(error)[:80]}")
        return "\n".join(lines)


def sweep(
    kind: Callable[[float], Regression],
    data: Data | Mapping[Any, Data],
    *,
    keep: Callable[[Run], Any] | None = None,
    workers: int | None = None,
    progress: bool = True,
    **settings: Any,
) -> Runs:
    """Train `kind` once for each combination of `settings`: `lam` and those of `train`, one or several.

    `sweep(SoftmaxRegression, images, lam=(0.0, 0.1), seed=range(3), learning_rate=0.01, epochs=50)` makes six
    runs, `runs[0.1, 2]` the last: a run's key has its value of each setting that was given several, in the
    order written, without a tuple if it is only one. A mapping of `data` sets comes first in the keys; a data
    set may be a function that makes it, which then runs in the worker and ships nothing. With `keep`, a
    function that is called there too, only what it returns of each run comes back.

    The numbers are those of `train`, but for rounding, whatever the `workers`: processes, by default one a
    core with its share of the BLAS threads. Under `joblib.parallel_config(backend=...)` the runs go there
    instead. A run that fails, or whose worker ends, is left out with a warning, and its error is in `failed`.
    An interrupted sweep returns the runs that there are, the last of them unfinished.

    Raises TypeError or ValueError for what cannot be right, before any run starts, and the first
    error if all runs fail.

    >>> from assignment1 import LogisticRegression, load_mnist, sweep
    >>> digits = load_mnist().binary(2, 3)
    >>> runs = sweep(LogisticRegression, digits, lam=(0.0, 0.1), seed=range(2), learning_rate=0.05, epochs=2)
    >>> list(runs), runs[0.1, 1].last.lam
    ([(0.0, 0), (0.0, 1), (0.1, 0), (0.1, 1)], 0.1)
    >>> steps = lambda run: run.steps
    >>> sweep(LogisticRegression, digits, keep=steps, seed=range(2), learning_rate=0.05, epochs=(1, 2))
    4 runs, 0 failed
      (0, 1): 31
      (0, 2): 62
      (1, 1): 31
      (1, 2): 62
    """
    if not callable(kind):
        shown = arguments.shown(kind)
        raise TypeError(f"kind is {shown}; expected a class of models, such as SoftmaxRegression")
    _refuse_replaced()
    if not (keep is None or callable(keep)):
        raise TypeError(f"keep is {arguments.shown(keep)}; expected a function of a Run")
    recipes = _recipes(data)
    bar = arguments.choice("progress", progress, (True, False))
    points = _points(data, settings)
    backend, ambient = get_active_backend()
    asked = ambient or -1 if workers is None else arguments.whole("workers", workers)
    n_jobs = min(effective_n_jobs(asked), len(points))
    jobs = _jobs(points, n_jobs)
    alone = len(jobs) == 1
    # of each a run, what is kept of one, an exception, or None while there is nothing
    outcomes: dict[Any, Any] = dict.fromkeys(points)
    with (
        TemporaryDirectory() as folder,
        progress_bar(len(points), "run", bar and not alone) as advance,
    ):
        ask, tell = sign(backend, folder)
        stop = Interrupt(tell)

        def tasks(jobs: list[Any]) -> Iterator[Any]:
            for keys in jobs:
                if stop.is_set():
                    return
                # data in a tuple goes with each task: Dask would keep it in one worker, and lose it so
                task = (kind, recipes[points[keys[0]].data], keep)
                some = [points[key] for key in keys]
                yield delayed(guarded(_train))(task, some, bar and alone, ask)

        def work(jobs: list[Any]) -> None:
            try:
                results = Parallel(
                    n_jobs=n_jobs, return_as="generator" if backend.supports_return_generator else "list"
                )(tasks(jobs))
                for keys, found in zip(jobs, results, strict=False):  # fewer where it was interrupted
                    outcomes.update(zip(keys, found, strict=True))
                    advance(len(keys))
            except Exception as error:  # a worker ended, or its arguments or its result cannot be pickled
                left = [key for keys in jobs for key in keys if outcomes[key] is None]
                if len(left) < 2:
                    outcomes.update((key, _failure(error, points[key])) for key in left)
                    return
                middle = len(left) // 2
                for half in (left[:middle], left[middle:]):  # until each is alone that costs others
                    work([[key] for key in half])

        try:
            with stop:
                work(jobs)
        except KeyboardInterrupt:  # the second, which waits for nobody
            if not stop.is_set():
                raise
    runs = Runs(outcomes)
    if not runs:
        raise KeyboardInterrupt if runs.interrupted else next(iter(runs.failed.values()))
    for key, error in runs.failed.items():
        warnings.warn(f"run {key!r} failed: {error}", RuntimeWarning, stacklevel=2)
    return runs


def _refuse_replaced() -> None:
    """Raise TypeError if a method of a class of ours was replaced: workers import the class as it was."""
    for kind, known in KNOWN.items():
        if written(kind) != known:
            words = f"a method of {kind.__name__} was replaced, and workers have the class as it was"
            raise TypeError(f"{words}; write a subclass with a method of its own")


def _recipes(data: Any) -> dict[Any, Callable[[], Dataset]]:
    """Return a function that makes each data set, by its name, for a worker: the test set stays here.

    Raises TypeError for objects that cannot be a data set.
    """
    recipes: dict[Any, Any] = {}
    no_test: Any = tuple
    sets = data if isinstance(data, Mapping) else {None: data}
    for name, found in sets.items():
        recipes[name] = found
        if not callable(found):
            label = "data" if name is None else f"data[{arguments.shown(name)}]"
            arguments.instance(label, found, Dataset, "load_mnist().softmax()")
            recipes[name] = partial(Dataset, found.train, found.validation, no_test)
    return recipes


def _points(data: Any, settings: dict[str, Any]) -> dict[Any, Point]:
    """Return the points of a sweep by their keys, in the order asked."""
    known = {"lam", *Settings.__dataclass_fields__}
    for name in sorted(settings):
        if name not in known:
            raise TypeError(f"sweep() has no setting {name!r}; it has {', '.join(sorted(known))}")
    for name in ("epochs", "learning_rate"):
        if name not in settings:
            raise TypeError(f"sweep() needs {name}, one or several")
    several = {"data": list(data)} if isinstance(data, Mapping) else {}
    for name, value in settings.items():
        if getattr(value, "ndim", 0):
            value = value.tolist()
        if isinstance(value, list | tuple | range):
            several[name] = list(value)
    for name, values in several.items():
        if not values:
            raise ValueError(f"{name} is empty; expected one value or several")
    points: dict[Any, Point] = {}
    for combination in product(*several.values()):
        given = {"data": None, "lam": 0.0} | settings | dict(zip(several, combination, strict=True))
        name = given.pop("data")
        lam = arguments.real("lam", given.pop("lam"), zero=True)
        point = Point(name, lam, Settings(**given))  # of values that can be a key
        key = combination[0] if len(combination) == 1 else combination
        if key in points:
            raise ValueError(f"the run {key!r} is asked for twice; expected each value of a setting once")
        points[key] = point
    return points


def _jobs(points: Mapping[Any, Point], workers: int) -> list[list[Any]]:
    """Return the keys as jobs, one for each worker or more, unless there are fewer keys.

    The runs of a job share the data that are prepared for them, and those of one seed their batches.
    """
    groups: dict[Any, Any] = {}
    for key in sorted(points, key=lambda key: points[key].lam):
        shared = (points[key].data, replace(points[key].settings, learning_rate=1))
        groups.setdefault(shared, []).append(key)
    few = min(TOGETHER, math.ceil(len(points) / workers / 4))
    jobs: dict[Any, Any] = {}
    for (data, settings), keys in groups.items():
        parts = math.ceil(max(len(keys) / TOGETHER, len(keys) * workers / len(points)))
        # With a larger penalty a run stops sooner: dealt out there and back, the jobs end at the same time.
        for i in range(parts):
            there = keys[i :: 2 * parts]
            back = keys[2 * parts - 1 - i :: 2 * parts]
            job = there + back
            alike = jobs.setdefault((data, replace(settings, seed=0)), [[]])
            if len(alike[-1]) + len(job) > few:
                alike.append([])
            alike[-1] += job
    return [job for alike in jobs.values() for job in alike if job]


def _train(
    task: tuple[Any, Any, Any], points: list[Point], shown: bool, ask: Callable[[], bool]
) -> list[Any]:
    """Return the run at each point, what is kept of it, its error, or None if the sweep ended before."""
    stop = Asked(ask)
    if stop.is_set():
        return [None] * len(points)
    kind, make, keep = task
    make = cache(make)
    try:
        models = [
            arguments.instance("the model", kind(point.lam), Regression, "SoftmaxRegression()")
            for point in points
        ]
        settings = [point.settings for point in points]
        runs = descend(models, make(), settings, shown=shown, stop=stop)
        return [_kept(run, keep) for run in runs]
    except (Exception, SystemExit) as error:
        if len(points) == 1:
            return [_failure(error, points[0])]
        return [outcome for point in points for outcome in _train((kind, make, keep), [point], shown, ask)]


def _kept(run: Any, keep: Callable[[Run], Any] | None) -> Any:
    """Return what is kept of a run: of an unfinished one nothing, since nothing would tell that it is."""
    if keep is None or not isinstance(run, Run):
        return run
    return None if run.interrupted else Kept(keep(run))


def _failure(error: BaseException, point: Point) -> Exception:
    """Return an error of one line that names the settings of the run."""
    words = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
    line = " ".join(words.split())[:500]
    settings = vars(point.settings) | {"lam": point.lam}
    return ValueError(f"{line}; with {settings}")
