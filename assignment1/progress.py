"""One progress bar, for epochs or for runs, and a way to interrupt that loses nothing."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from tqdm import tqdm


@contextmanager
def progress(total: int, unit: str, shown: bool) -> Iterator[Callable[[], Any]]:
    """A tqdm bar, called at each advance, that leaves nothing behind in a terminal or a notebook."""
    stream = Cell() if "ipykernel" in sys.modules else sys.stderr
    off = {} if shown else {"disable": True}  # left unsaid, TQDM_DISABLE decides
    bar = tqdm(total=total, unit=unit, leave=False, delay=0.5, file=stream, **off)
    try:
        yield bar.update
    finally:
        bar.close()
        if isinstance(stream, Cell):
            stream.clear()


Watcher = Callable[[Any], object]
STOP = threading.Event()  # in a worker: the process it works for was interrupted
WATCHER: ContextVar[Watcher | None] = ContextVar("WATCHER", default=None)


@contextmanager
def watched(by: Watcher) -> Iterator[None]:
    """Inside, in this thread, a run trained by the method "plain" is watched, and may be ended.

    `by` is called after each step with the run's log so far (`run.Log`); True ends the run, which is kept as
    an interrupted one is.
    """
    before = WATCHER.set(by)
    try:
        yield
    finally:
        WATCHER.reset(before)


@contextmanager
def interruptible(log: Any = None, then: Callable[[], object] = lambda: None) -> Iterator[Callable[[], bool]]:
    """To be called: has Ctrl+C or the kernel's interrupt come? It stops nothing by itself.

    A step is never left half done. A second interrupt raises KeyboardInterrupt, as ever. Where a run is
    `watched`, its watcher is shown the `log` and asked as well. When an interrupt comes, `then` is called.
    """
    event, watcher = threading.Event(), WATCHER.get()

    def asked() -> bool:
        if watcher is not None and log is not None and watcher(log) is True:
            event.set()
        return event.is_set() or STOP.is_set()

    if threading.current_thread() is not threading.main_thread():
        yield asked
        return

    def first(number: int, frame: Any) -> None:
        event.set()
        signal.signal(signal.SIGINT, before)
        then()

    before = signal.getsignal(signal.SIGINT)
    if before is None or before is signal.SIG_IGN:
        yield asked
        return
    signal.signal(signal.SIGINT, first)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)


class Cell:
    """A stream whose last line is shown below the running notebook cell, until it is cleared."""

    def __init__(self) -> None:
        self.handle: Any = None

    def write(self, text: str) -> None:
        """Show `text` in place of what was shown before."""
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
        """Nothing is buffered."""

    def clear(self) -> None:
        """Take the line away."""
        if self.handle is not None:
            self.handle.update({}, raw=True)
