"""A build's kernel: IPython's, which ends, and takes all it started with it, when its build is gone."""

import logging
import os
import signal
import sys
import threading
import time


def watch(build: int) -> None:
    """End with the build; SIGTERM first, at which joblib's resource tracker clears its folder and ends."""
    while os.getppid() == build:
        time.sleep(0.3)
    os.killpg(0, signal.SIGTERM)
    time.sleep(1)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    del sys.path[0]  # this folder
    build = int(os.environ["JPY_PARENT_PID"])
    os.environ["JPY_PARENT_PID"] = "1"  # ipykernel looks for no parent: it would end alone
    threading.Thread(target=watch, args=[build], daemon=True).start()

    # A machine with many fonts would say so once, in whichever cell is the first that needs them.
    fonts = logging.getLogger("matplotlib.font_manager")
    fonts.addFilter(lambda record: "building the font cache" not in record.getMessage())

    from ipykernel import kernelapp

    kernelapp.launch_new_instance([*sys.argv[1:], "--HistoryManager.enabled=False"])
