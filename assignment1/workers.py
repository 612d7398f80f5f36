"""Worker processes that end with the process they work for."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from functools import cache, partial
from typing import Any


def guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, for joblib's `delayed`: the worker that runs it ends when this process is gone."""
    return partial(_guarded, os.getpid(), function)


def _guarded(parent: int, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    if os.getppid() == parent:  # not in a thread of the process itself, nor on another machine
        _end_with(parent)
    return function(*arguments, **named)


@cache
def _end_with(parent: int) -> None:
    """Once for each worker: look twice a second whether the parent is there, and end when it is not."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
