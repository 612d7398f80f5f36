"""Begin in a process beside this one what takes long, before the cell that asks for it."""

from collections.abc import Callable
from typing import Any

from joblib.externals.loky import ProcessPoolExecutor

from assignment1.fast.workers import guarded

ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
BESIDE = ProcessPoolExecutor(1, env=ONE_THREAD)
BESIDE._flags.kill_workers = True  # or the end of the notebook's process would wait for what nobody asked for


def begin(function: Callable[..., Any], *arguments: Any) -> Any:
    """Begin a call after those begun before; return its future, whose `result` waits for it."""
    return BESIDE.submit(guarded(function), *arguments)
