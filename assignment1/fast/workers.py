"""Worker processes: they end with the process that they work for, and their runs when a file appears."""

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

from joblib import disk

disk.RM_SUBDIRS_RETRY_TIME = 0.01  # s between looks, at a sweep's end, whether its files are deleted


class Asked(threading.Event):
    """A flag in a worker: `ask` tells whether the sweep was interrupted.

    Ctrl+C reaches workers in some environments and not in others, so that they ignore it and ask.
    """

    def __init__(self, ask: Callable[[], bool]) -> None:
        super().__init__()
        self.ask = ask
        self.next_look = 0.0

    def is_set(self) -> bool:
        """Return whether there was an interrupt; ask at most twice a second."""
        now = time.monotonic()
        if now >= self.next_look:
            self.next_look = now + 0.5
            with suppress(OSError):  # the next time, perhaps
                if self.ask():
                    self.set()
        return super().is_set()


def sign(backend: Any, folder: str) -> tuple[Any, Any]:
    """Return how workers ask for an interrupt, and how they are told: by a file, or by Dask's scheduler."""
    client = getattr(backend, "client", None)
    if client:  # its workers may have another disk
        from distributed import Event

        event = Event(client=client)
        return event.is_set, threading.Thread(target=event.set).start  # what is interrupted may hold a lock
    path = Path(folder, "stop")
    return path.exists, path.touch


def guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function`, for joblib's `delayed`: the worker that runs it ends when this process is gone."""
    return partial(_run, os.getpid(), function)


def _run(parent: int, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    if os.getppid() == parent:  # else in a thread of the process itself, or on another machine
        _end_with(parent)
    return function(*arguments, **named)


@cache
def _end_with(parent: int) -> None:
    """Start to look, once for each worker, whether the parent is there; end when it is not."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
