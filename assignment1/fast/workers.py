"""Worker processes: they end with the process they work for, and their runs with its interruption."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

from assignment1.progress import STOP

OFTEN = 0.1  # seconds between two looks whether runs are to end


def guarded(function: Callable[..., Any], stop: Path | None = None) -> Callable[..., Any]:
    """`function`, for joblib's `delayed`: the worker that runs it ends when this process is gone.

    Once there is a file `stop`, runs that are trained in a worker end, and keep what they have. It is by this
    file alone that a worker is interrupted: Ctrl+C reaches it in some environments, and not in others.
    """
    return partial(_guarded, os.getpid(), stop, function)


def _guarded(
    parent: int, stop: Path | None, function: Callable[..., Any], *arguments: Any, **named: Any
) -> Any:
    if os.getppid() != parent:  # in a thread of the process itself, or on another machine
        return function(*arguments, **named)
    _end_with(parent)
    with _interrupted_by(stop):
        return function(*arguments, **named)


@cache
def _end_with(parent: int) -> None:
    """Once for each worker: look twice a second whether the parent is there, and end when it is not."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _interrupted_by(stop: Path | None) -> Iterator[None]:
    """Inside, STOP is set as soon as there is the file."""
    done = threading.Event()
    if stop is not None and stop.exists():
        STOP.set()

    def watch() -> None:
        while stop is not None and not done.is_set():
            if stop.exists():
                STOP.set()
                return
            done.wait(OFTEN)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
        STOP.clear()
