"""Begin in a process beside this one what takes long, before the cell that asks for it."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from joblib import parallel_config
from joblib.externals.loky import ProcessPoolExecutor

from assignment1.fast.workers import guarded

BESIDE = ProcessPoolExecutor(
    1,
    initializer=parallel_config,
    initargs=("sequential",),
    env={"OPENBLAS_NUM_THREADS": "1"},
)  # no process yet


def begin(function: Callable[..., Any], *arguments: Any) -> Future[Any]:
    """Begin a call after those begun before; return its future, whose `result` waits for it."""
    return BESIDE.submit(guarded(function), *arguments)
