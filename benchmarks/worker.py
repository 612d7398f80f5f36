"""One contestant in its own process: `worker.py MODULE FUNCTION ARRAYS.npz`, then its task, again and again.

A task is a line of JSON: {"runs": ..., "settings": ..., "keep": where the histories go}. The first time it is
only warmed up for, and answered with the version; then with the seconds that it took.
"""

import importlib
import json
import sys
import time
import warnings

import kernels  # noqa: F401

import numpy as np


def main(module, function, arrays):
    """Answer each line on stdin by a line of JSON on stdout."""
    module = importlib.import_module(module)
    contest = getattr(module, function)
    with np.load(arrays) as saved:
        data = module.prepare(*saved.values())
    task = json.loads(sys.stdin.readline())
    warm_up(module, contest, data, task)
    print(json.dumps(module.version()), flush=True)
    for _ in sys.stdin:
        print(json.dumps(measure(contest, data, **task)), flush=True)


def warm_up(module, contest, data, task):
    """Do what makes a first call slower than the others: compile, start threads, touch memory."""
    if hasattr(module, "warm"):
        module.warm(data, task["runs"], task["settings"])
    else:
        contest(data, task["runs"], task["settings"] | dict(epochs=1))


def measure(contest, data, runs, settings, keep):
    """Return the seconds of a contest; write its histories to the file `keep`."""
    start = time.perf_counter()
    histories = contest(data, runs, settings)
    seconds = time.perf_counter() - start
    kept = {}
    for i, history in enumerate(histories):
        kept |= {f"{i} {name}": values for name, values in history.items()}
    np.savez(keep, **kept)
    return round(seconds, 4)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(*sys.argv[1:])
