"""Begin in a process beside this one what takes long, before the cell that asks for it."""

from functools import cache
from typing import Any

from joblib.externals.loky import ProcessPoolExecutor
from threadpoolctl import threadpool_limits

from assignment1.fast.workers import guarded


@cache
def beside() -> Any:
    """Return the process; no process that only imports this module has one."""
    pool = ProcessPoolExecutor(1, env={"OPENBLAS_NUM_THREADS": "1"})
    pool._flags.kill_workers = True  # or the notebook's end would wait for what nobody asked for
    return pool


def begin(function: Any, *arguments: Any) -> Any:
    """Begin a call after those begun before; return its future, whose `result` waits for it.

    BLAS has one thread from then on, here too: the other core is busy, and products this small gain nothing.
    """
    threadpool_limits(1)
    return beside().submit(guarded(function), *arguments)
