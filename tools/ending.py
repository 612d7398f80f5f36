"""How a build ends: with its make, as it is asked to, or with an error of a line for each problem."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

LOG = Path("build/log.txt")
AT_END: list[Callable[[], None]] = []  # to be done before this process ends, whatever ends it
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


class BuildError(Exception):
    """What the user has to know, a line for each problem."""


def end(number: int, frame: Any = None) -> None:
    """Leave nothing behind, and end."""
    for number_ in SIGNALS:
        with suppress(ValueError):  # not the main thread, which has done it
            signal.signal(number_, signal.SIG_IGN)
    for last in AT_END:
        last()
    with suppress(OSError):  # the terminal may be gone
        os.write(2, b"\rerror: interrupted; files of before are as they were\n")
    os._exit(128 + number)


def end_with_make() -> None:
    """From now on end as asked to, and when make, or whatever started this, is gone or was asked to end.

    A make that gets a signal waits for what it started, and tells it of SIGTERM only.
    """
    parent, make = os.getppid(), int(os.environ.get("MAKE_PID", os.getppid()))

    def gone() -> bool:
        try:
            os.kill(make, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass
        return os.getppid() != parent

    def asked() -> bool:
        """Whether make is in its handler: the signal that it got is blocked there (where /proc says so)."""
        with suppress(OSError):
            found = Path(f"/proc/{make}/status").read_text().partition("SigBlk:")[2].split()
            return any(int(found[0], 16) >> (number - 1) & 1 for number in SIGNALS) if found else False
        return False

    def watch() -> None:
        before = False
        while not gone():
            now = asked()  # twice: make blocks signals for moments of its own, too
            if now and before and "MAKE_PID" in os.environ:
                break
            before = now
            time.sleep(0.5)
        end(signal.SIGTERM)

    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, end)
    threading.Thread(target=watch, daemon=True).start()
