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
from contextlib import contextmanager

SIGNALS = [signal.SIGHUP, signal.SIGINT, signal.SIGTERM]


@contextmanager
def turn(name, message):
    """Hold a lock in build; if another process holds it, print `message` and wait."""
    os.makedirs("build", exist_ok=True)
    with open("build/" + name, "w") as lock:
        os.set_inheritable(lock.fileno(), True)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(message, flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def is_ending(process):
    """Return whether a process blocks one of the signals, as make does from the one on that ends it.

    make waits then for what it started, and passes on SIGTERM only. Return False without /proc (macOS).
    """
    try:
        with open("/proc/" + str(process) + "/status") as status:
            blocked = status.read().partition("SigBlk:")[2].split()[0]
    except OSError:
        return False
    return any(int(blocked, 16) >> (number - 1) & 1 for number in SIGNALS)


def end(number=signal.SIGTERM, frame=None):
    """End this process at once, with an error of one line."""
    try:
        clear = "\r\033[K" if os.isatty(2) else ""
        os.write(2, (clear + "error: interrupted; the next make does it again\n").encode())
    finally:  # the terminal may be gone
        os._exit(128 + number)


def end_with(parent):
    """From now on end when `parent` does; a process that leads a group takes the group with it."""

    def poll():
        times = 0  # two in a row: make blocks signals for moments of its own, too
        while os.getppid() == parent and times < 2:
            times = times + 1 if is_ending(parent) else 0
            time.sleep(0.4)
        if os.getpgrp() == os.getpid():
            os.killpg(0, signal.SIGTERM)  # at which joblib's resource tracker clears its folder, and ends
            time.sleep(1)
            os.killpg(0, signal.SIGKILL)
        end()

    threading.Thread(target=poll, daemon=True).start()


if __name__ == "__main__":
    for number in SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:  # as under nohup
            signal.signal(number, end)
    end_with(int(sys.argv[1]))
    del sys.argv[:2]
    try:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    except OSError as problem:
        sys.exit("error: {}: {}".format(problem.filename or "build", problem.strerror))
