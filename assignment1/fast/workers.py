"""Worker processes: they end with the process that they work for, and their runs when a file appears."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

OFTEN = 0.1  # seconds between two looks for the file that ends runs


class StopFile:
    """A flag that worker processes see, since it is a file.

    Ctrl+C reaches workers in some environments and not in others, so that they ignore it and look here.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.found = False
        self.next_look = 0.0

    def set(self) -> None:
        """Make the file."""
        self.found = True
        self.path.touch()

    def is_set(self) -> bool:
        """Return whether the file is there; look for it at most every OFTEN seconds."""
        now = time.monotonic()
        if not self.found and now >= self.next_look:
            self.found = self.path.exists()
            self.next_look = now + OFTEN
        return self.found


def guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function`, for joblib's `delayed`: the worker that runs it ends when this process is gone."""
    return partial(_guarded, os.getpid(), function)


def _guarded(parent: int, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
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
