"""One contestant in its own process: `worker.py MODULE FUNCTION ARRAYS.npz`, then a task a line.

A task is JSON: {"runs": ..., "settings": ..., "keep": where the histories go, or null}. The first is only
warmed up for. Each answer is a line of JSON with wall-clock and processor seconds and the peak memory in MB.
"""

import importlib
import json
import resource
import sys
import time
import warnings

import numpy as np


def warm_up(module, contest, data, runs, settings):
    """What a first call costs more than the others: compilation, threads, pages of memory."""
    if hasattr(module, "warm"):
        module.warm(data, runs, settings)
    else:
        contest(data, runs, settings | dict(epochs=1))


def measure(contest, data, task):
    wall, processor = time.perf_counter(), time.process_time()
    histories = contest(data, task["runs"], task["settings"])
    answer = dict(seconds=time.perf_counter() - wall, processor=time.process_time() - processor)
    answer["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if task["keep"]:
        kept = {
            f"{i} {name}": value for i, history in enumerate(histories) for name, value in history.items()
        }
        np.savez(task["keep"], **kept)
    return answer


if __name__ == "__main__":
    module = importlib.import_module(sys.argv[1])
    contest = getattr(module, sys.argv[2])
    warnings.simplefilter("ignore")
    with np.load(sys.argv[3]) as arrays:
        data = (arrays["X"], arrays["Y"]), (arrays["X_val"], arrays["Y_val"])
    data = module.prepare(data)
    first = json.loads(sys.stdin.readline())
    warm_up(module, contest, data, first["runs"], first["settings"])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(dict(version=module.version(), peak=peak)), flush=True)
    for line in sys.stdin:
        print(json.dumps(measure(contest, data, json.loads(line))), flush=True)
