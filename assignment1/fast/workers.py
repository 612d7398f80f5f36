"""Worker processes: they end with the process that they work for, and their runs when a file appears."""

import os
import signal
import threading
import time
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

from assignment1.progress import Interrupt


class StopFile(Interrupt):
    """An interrupt that worker processes see, since it is a file.

    Ctrl+C reaches workers in some environments and not in others, so that they ignore it and look here.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.next_look = 0.0

    def set(self) -> None:
        """Set the flag and make the file."""
        super().set()
        self.path.touch()

    def is_set(self) -> bool:
        """Return whether the file is there; look for it at most ten times a second."""
        now = time.monotonic()
        if now >= self.next_look:
            self.next_look = now + 0.1
            if self.path.exists():
                super().set()
        return super().is_set()


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
