"""One progress bar, for epochs or for runs."""

from __future__ import annotations

import sys
from typing import Any

from tqdm import tqdm


class Progress:
    """A tqdm bar that leaves nothing behind in a terminal or a notebook's outputs."""

    def __init__(self, total: int, unit: str, shown: bool) -> None:
        self.stream = Cell() if "ipykernel" in sys.modules else sys.stderr
        off = {} if shown else {"disable": True}  # left unsaid, TQDM_DISABLE decides
        self.bar = tqdm(total=total, unit=unit, leave=False, delay=0.5, file=self.stream, **off)

    def __enter__(self) -> Progress:
        return self

    def advance(self) -> None:
        """One more is done."""
        self.bar.update()

    def __exit__(self, *exception: object) -> None:
        self.bar.close()
        if isinstance(self.stream, Cell):
            self.stream.clear()


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
