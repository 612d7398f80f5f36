"""One progress bar, for epochs or for runs, and a way to interrupt that loses nothing."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Self

from tqdm import tqdm


@contextmanager
def progress(total: int, unit: str, shown: bool) -> Iterator[Callable[..., Any]]:
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


class Interrupt(threading.Event):
    """A flag that the first Ctrl+C, or interrupt of the kernel, sets: no step is left half done.

    It listens between `with` and the end of the block, and calls `tell` for others to know. A second
    interrupt raises KeyboardInterrupt. Where SIGINT is ignored, or in another thread than the main one,
    nothing changes. Notebook cells that wait are not run, as after an error: what they do is meant for a
    whole run.
    """

    before: Any = None

    def __init__(self, tell: Callable[[], Any] = bool) -> None:
        super().__init__()
        self.tell = tell

    def __enter__(self) -> Self:
        main = threading.current_thread() is threading.main_thread()
        if main and signal.getsignal(signal.SIGINT) not in (None, signal.SIG_IGN):
            self.before = signal.signal(signal.SIGINT, self._first)
        return self

    def _first(self, number: int, frame: Any) -> None:
        signal.signal(signal.SIGINT, self.before)
        self.set()
        self.tell()

    def __exit__(self, *error: object) -> None:
        if self.before is not None:  # SIG_DFL is 0
            signal.signal(signal.SIGINT, self.before)
        if self.is_set() and "ipykernel" in sys.modules:
            from IPython import get_ipython

            kernel = getattr(get_ipython(), "kernel", None)
            getattr(kernel, "_abort_queues", int)()  # of ipykernel's own; without it the others run on


def interrupt(stop: threading.Event | None) -> AbstractContextManager[threading.Event]:
    """Return `stop`, or without one an Interrupt, for a `with` statement."""
    return Interrupt() if stop is None else nullcontext(stop)


class Cell:
    """A stream whose last line is shown below the running notebook cell, until it is cleared."""

    handle: Any = None

    def write(self, text: str) -> None:
        """Show `text` in place of the line before."""
        from IPython.display import DisplayHandle

        line = text.strip("\r\n ")
        if not line:
            return
        shown = {"text/plain": line}
        if self.handle is None:
            self.handle = DisplayHandle()
            self.handle.display(shown, raw=True)
        else:
            self.handle.update(shown, raw=True)

    def flush(self) -> None:
        """Do nothing: no text is buffered."""

    def clear(self) -> None:
        """Take the line away."""
        if self.handle is not None:
            self.handle.update({}, raw=True)
