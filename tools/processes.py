"""Processes take turns, and none outlives the one that started it.

    python -m tools.processes PARENT MODULE ...    runs a module until its end, a signal, or the end of PARENT

PARENT is make or Python. bootstrap.py uses this file: standard library only, in a syntax for old Pythons.
"""

import fcntl
import os
import runpy
import signal
import sys
import threading
import time
import traceback
from contextlib import contextmanager


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


def blocked(process):
    """Return those signals, as bits, that a process blocks; make does from the one on that ends it.

    make waits then for what it started, and passes on SIGTERM only. Return 0 without /proc (macOS).
    """
    try:
        with open("/proc/" + str(process) + "/status") as status:
            mask = status.read().partition("SigBlk:")[2].split()[0]
    except OSError:
        return 0
    return int(mask, 16) & 0b100000000000011  # SIGTERM, SIGINT, SIGHUP: numbers 15, 2 and 1


def end(*_):
    """End this process at once, with an error of one line."""
    try:
        os.write(2, b"\nerror: interrupted; the next make does it again\n")
    finally:  # the terminal may be gone
        os._exit(130)


def end_with(parent):
    """End when `parent` does, from now on; a process that leads a group takes the group with it."""

    def poll():
        times = 0  # two in a row: make blocks signals for moments of its own, too
        while os.getppid() == parent and times < 2:
            times = times + 1 if blocked(parent) else 0
            time.sleep(0.4)
        if os.getpgrp() == os.getpid():
            os.killpg(0, signal.SIGTERM)  # at which joblib's resource tracker clears its folder, and ends
            time.sleep(1)
            os.killpg(0, signal.SIGKILL)
        end()

    threading.Thread(target=poll, daemon=True).start()


def recompile(said):
    """Remove all compiled modules here and exit with an error, if what was said means that one is cut off.

    Python does not notice that a full disk took only a part of one, and every later start would read it.
    """
    if "marshal data" in said or "EOF read where object expected" in said:
        os.system("find . -path '*/__pycache__/*.pyc' -exec rm -f {} +")
        sys.exit(
            "error: a compiled module of Python was cut off, as by a full disk; "
            "all in this folder are removed, and made again as needed: run make again"
        )


if __name__ == "__main__":
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) != signal.SIG_IGN:  # as under nohup
            signal.signal(number, end)
    end_with(int(sys.argv[1]))
    del sys.argv[:2]
    try:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    except OSError as problem:
        sys.exit("error: {}: {}".format(problem.filename or "build", problem.strerror))
    except Exception:
        recompile(traceback.format_exc())
        raise
