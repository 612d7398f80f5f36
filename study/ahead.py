"""Begin in a process beside this one what takes long, before the cell that asks for it."""

import signal
from collections.abc import Callable
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from joblib.externals.loky import ProcessPoolExecutor
from threadpoolctl import threadpool_limits

from assignment1.fast.workers import guarded


@cache
def beside() -> Any:
    """Return the process; no process that only imports this module has one."""
    ignored = (signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the notebook's
    pool = ProcessPoolExecutor(
        1, initializer=signal.signal, initargs=ignored, env={"OPENBLAS_NUM_THREADS": "1"}
    )
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
            beside.cache_clear()
            return self.call()
        return self.future.result()


def begin(function: Any, *arguments: Any) -> Begun:
    """Begin a call after those begun before; return what waits for its result.

    BLAS has one thread from then on, here too: the other core is busy, and products this small gain nothing.
    """
    threadpool_limits(1)
    future = beside().submit(guarded(function), *arguments)
    return Begun(partial(function, *arguments), future)
