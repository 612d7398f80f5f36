"""One progress bar, for epochs or for runs, and a way to interrupt that loses nothing."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from tqdm import tqdm


@contextmanager
def progress(total: int, unit: str, shown: bool) -> Iterator[Callable[[], Any]]:
    """Show a tqdm bar and yield its update; afterwards a terminal or a notebook is as it was."""
    stream = Cell() if "ipykernel" in sys.modules else sys.stderr
    off = {} if shown else {"disable": True}  # left unsaid, TQDM_DISABLE decides
    bar = tqdm(total=total, unit=unit, leave=False, delay=0.5, file=stream, **off)
    try:
        yield bar.update
    finally:
        bar.close()
        if isinstance(stream, Cell):
            stream.clear()


class Flag(Protocol):
    """A flag that ends a run: a threading.Event, or a file (`fast.workers.StopFile`)."""

    def set(self) -> None:
        """Ask for the end."""

    def is_set(self) -> bool:
        """Return whether the end was asked for."""


@contextmanager
def interruptible(flag: Flag | None = None) -> Iterator[Flag]:
    """Yield `flag`, or without one a new flag that an interrupt sets (see `on_interrupt`)."""
    if flag is not None:
        yield flag
        return
    flag = threading.Event()
    with on_interrupt(flag):
        yield flag


@contextmanager
def on_interrupt(flag: Flag) -> Iterator[None]:
    """Set `flag` at the first Ctrl+C, or interrupt of the kernel, so that no step is left half done.

    A second interrupt raises KeyboardInterrupt. Where SIGINT is ignored, or in another thread than the main
    one, nothing changes.
    """
    before = signal.getsignal(signal.SIGINT)
    main = threading.current_thread() is threading.main_thread()
    if not main or before is None or before is signal.SIG_IGN:
        yield
        return

    def first(number: int, frame: Any) -> None:
        signal.signal(signal.SIGINT, before)
        flag.set()

    signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class Cell:
    """A stream whose last line is shown below the running notebook cell, until it is cleared."""

    def __init__(self) -> None:
        self.handle: Any = None

    def write(self, text: str) -> None:
        """Show `text` in place of the line before."""
        from IPython.display import DisplayHandle

        line = text.strip("\r\n ")
        if not line:
            return
        if self.handle is None:
            self.handle = DisplayHandle()
            self.handle.display({"text/plain": line}, raw=True)
        else:
            self.handle.update({"text/plain": line}, raw=True)

    def flush(self) -> None:
        """Do nothing: no text is buffered."""

    def clear(self) -> None:
        """Take the line away."""
        if self.handle is not None:
            self.handle.update({}, raw=True)
