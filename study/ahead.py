"""Begin in a process beside this one what takes long, before the cell that asks for it."""

import os
import signal
from collections.abc import Callable
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from typing import Any

from joblib.externals.loky import ProcessPoolExecutor, process_executor
from threadpoolctl import threadpool_limits

from assignment1.fast.workers import guarded
from assignment1.mnist import Dataset, load_mnist

MADE: dict[str, Dataset] = {}  # the data of tasks 3 and 4 here, by their precision


@lru_cache(1)  # the process beside holds one at a time, for the sake of its memory
def latest(dtype: str) -> Dataset:
    """Make the data of tasks 3 and 4, unless they are those of the call before: read-only arrays."""
    data = load_mnist().softmax(dtype)
    for array in (*data.train, *data.validation):
        array.flags.writeable = False
    return data


def softmax_data(dtype: str) -> Dataset:
    """Return the data of tasks 3 and 4, float32 or float64, the same each time."""
    if dtype not in MADE:
        MADE[dtype] = latest(dtype)
    return MADE[dtype]


def sent(data: Dataset) -> tuple[Any, ...]:
    """Return how a data set goes to the process: what `softmax_data` returned is made there, and not sent."""
    dtype = data.train.X.dtype.name
    if data is MADE.get(dtype):
        return latest, (dtype,)
    return Dataset, (data.train, data.validation, data.make_test)


def start() -> None:
    """Prepare the process: Ctrl+C is the notebook's, and data that stay are no leak that would end it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    getattr(os, "nice", int)(10)  # what somebody waits for goes before
    process_executor._MAX_MEMORY_LEAK_SIZE = 1e12


@cache
def beside() -> Any:
    """Return the process; no process that only imports this module has one."""
    env = {"OPENBLAS_NUM_THREADS": "1", "TQDM_DISABLE": "1"}  # a bar would stand in whichever cell is running
    pool = ProcessPoolExecutor(1, job_reducers={Dataset: sent}, initializer=start, env=env)
    pool._flags.kill_workers = True  # or the notebook's end would wait for what nobody asked for
    return pool


@dataclass
class Begun:
    """A call that is made in the process beside this one."""

    call: Callable[[], Any]
    future: Any

    def result(self) -> Any:
        """Wait for the call and return its result; if its process was ended meanwhile, make it here."""
        problem = self.future.exception()
        if isinstance(problem, KeyboardInterrupt | BrokenExecutor):
            return self.call()
        return self.future.result()


def begin(function: Any, *arguments: Any, **named: Any) -> Begun:
    """Begin a call after those begun before; return what waits for its result.

    BLAS has one thread from then on, here too: the other core is busy, and products this small gain nothing.
    """
    threadpool_limits(1)
    call = partial(function, *arguments, **named)
    try:
        future = beside().submit(guarded(call))
    except BrokenExecutor:  # the process was ended; a new one takes its place
        beside.cache_clear()
        future = beside().submit(guarded(call))
    return Begun(call, future)
