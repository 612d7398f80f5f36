"""Processes take turns, and none outlives the one that started it.

    python -m tools.processes PARENT MODULE ...    runs a module until its end, a signal, or the end of PARENT

PARENT is make or Python. bootstrap.py uses this file: standard library only, in a syntax for old Pythons.
"""

import fcntl
import logging
import os
import re
import runpy
import signal
import sys
import threading
import time
import traceback
from contextlib import contextmanager, suppress
from pathlib import Path
from textwrap import shorten

LOG = Path("build/log.txt")  # of what was made last: the environment, or a page


@contextmanager
def turn():
    """Hold the lock of this folder, and say so where another process has to end first."""
    os.makedirs("build", exist_ok=True)
    with open("build/.lock", "w") as lock:
        os.set_inheritable(lock.fileno(), True)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Waiting for another make in this folder to end", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def ending(process):
    """Return whether a process blocks SIGHUP or SIGINT, but not SIGQUIT: make does from that one on.

    Make ends by it, but waits for what it started, and passes on SIGTERM only. Without /proc (macOS) nobody
    knows.
    """
    with suppress(OSError), open("/proc/" + str(process) + "/status") as status:
        return re.search("SigBlk:.*[123]\n", status.read())  # for moments of its own make blocks all three


def end(*_):
    """End this process at once, with an error of one line."""
    try:
        os.write(2, b"\nerror: interrupted; the next make does it again\n")
    finally:  # the terminal may be gone
        os._exit(130)


def end_with(parent):
    """End when `parent` does, from now on; a process that leads a group takes the group with it."""

    def poll():
        while os.getppid() == parent and not ending(parent):
            time.sleep(0.4)
        if os.getpgrp() == os.getpid():
            os.killpg(0, signal.SIGTERM)  # at which joblib's resource tracker clears its folder, and ends
            time.sleep(1)
            os.killpg(0, signal.SIGKILL)
        end()

    threading.Thread(target=poll, daemon=True).start()


def load_ipython_extension(shell):
    """End the kernel of a build, and all that it started, with the build."""
    end_with(int(os.environ["JPY_PARENT_PID"]))
    # A machine with many fonts would say so once, in whichever cell is the first that needs them.
    logging.getLogger("matplotlib.font_manager").addFilter(
        lambda record: "building the font cache" not in record.msg
    )


def fail(problem, advice=""):
    """Exit with an error of one line; the exception that is handled goes to the log.

    Python does not notice that a full disk took only a part of a compiled module, and every later start would
    read it: if the log says so, all of them here are removed.
    """
    try:
        with LOG.open("a+", encoding="utf-8", errors="replace") as log:
            traceback.print_exc(file=log)
            log.seek(0)
            said = log.read()
        if re.search("marshal data|EOF read where object expected", said):
            os.system("find . -path '*/__pycache__/*.pyc' -exec rm -f {} +")
            problem = "a compiled module was cut off, as by a full disk; it is removed: run make again"
        advice += "; the whole of it is in build/log.txt"
    except OSError as another:
        advice += "; " + str(another)
    sys.exit("error: " + shorten(problem, 400) + advice)


if __name__ == "__main__":
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) != signal.SIG_IGN:  # as under nohup
            signal.signal(number, end)
    end_with(int(sys.argv[1]))
    del sys.argv[:2]
    try:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    except Exception as problem:
        fail(type(problem).__name__ + ": " + str(problem))
