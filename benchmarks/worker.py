"""One contestant in its own process: `worker.py MODULE FUNCTION ARRAYS.npz`, then a task a line.

A task is JSON: {"runs": ..., "settings": ..., "keep": where the histories go, or null}. The first is only
warmed up for, and answered with the version; each other with the seconds that it took.
"""

import importlib
import json
import sys
import time
import warnings

import kernels  # noqa: F401

import numpy as np


def main(module, function, arrays):
    """Answer each task on stdin by a line of JSON on stdout."""
    module = importlib.import_module(module)
    contest = getattr(module, function)
    with np.load(arrays) as saved:
        X, Y, X_val, Y_val = saved.values()
    data = module.prepare(((X, Y), (X_val, Y_val)))
    task = json.loads(sys.stdin.readline())
    warm_up(module, contest, data, task)
    print(json.dumps(module.version()), flush=True)
    for line in sys.stdin:
        print(json.dumps(measure(contest, data, json.loads(line))), flush=True)


def warm_up(module, contest, data, task):
    """Do what makes a first call slower than the others: compile, start threads, touch memory."""
    if hasattr(module, "warm"):
        module.warm(data, task["runs"], task["settings"])
    else:
        contest(data, task["runs"], task["settings"] | dict(epochs=1))


def measure(contest, data, task):
    """Return the seconds of a contest; write its histories where the task says."""
    start = time.perf_counter()
    histories = contest(data, task["runs"], task["settings"])
    seconds = time.perf_counter() - start
    if task["keep"]:
        kept = {}
        for i, history in enumerate(histories):
            kept |= {f"{i} {name}": values for name, values in history.items()}
        np.savez(task["keep"], **kept)
    return round(seconds, 4)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(*sys.argv[1:])
