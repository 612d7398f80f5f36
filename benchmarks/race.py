"""Contestants in processes of their own take turns at a task, and their histories are compared."""

import sys
import warnings
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from functools import cache, partial
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

import kernels  # noqa: F401

import numpy as np

from assignment1 import load_mnist

HERE = Path(__file__).resolve().parent
ROUNDS = 3
TASK_2 = dict(learning_rate=0.05, epochs=500, batch_size=128, patience=10)
TASK_3 = dict(learning_rate=0.01, epochs=50, batch_size=128, patience=10)
LAMBDAS = (0.0, 1.0, 0.1, 0.01, 0.001)

CONTESTANTS = {
    "JAX, one compiled loop": "peer_jax.compiled",
    "PyTorch": "peer_torch.eager",
    "PyTorch, evaluated lazily": "peer_torch.lazy",
    "floor": "floor.run",
    "reference": "contestants.reference",
    "sweep()": "contestants.ours_sweep",
    "sweep(), one worker": "contestants.ours_sweep_one_worker",
    "this project": "contestants.ours_single",
}

process = partial(ProcessPoolExecutor, 1, get_context("spawn"))


@cache
def prepared(module, kind, *arguments):
    """Return MNIST as a contestant's module takes it, made once in a process."""
    data = getattr(load_mnist(), kind)(*arguments)
    return module.prepare(data)


def measure(contestant, data, runs, settings):
    """Return the seconds that a contestant takes, its histories and its version."""
    warnings.simplefilter("ignore")
    sys.path += map(str, HERE.glob(".venv/lib/*/site-packages"))  # the peers, after all that is here
    module, _, function = contestant.partition(".")
    module = import_module(module)
    images = prepared(module, *data)
    start = perf_counter()
    histories = getattr(module, function)(images, runs, settings)
    seconds = perf_counter() - start
    return round(seconds, 4), histories, module.version()


def race(labels, data, runs, settings, tolerance=1e-8):
    """Return the seconds of each contestant in each round, with the contestants left out and why.

    `data` is a method of MNIST and its arguments. Raises AssertionError if the histories of the last round do
    not agree with those of the first contestant.
    """
    turns = {}
    rows = {}
    left_out = {}
    histories = {}
    with ExitStack() as stack:
        for label in labels:
            worker = stack.enter_context(process())
            turn = partial(worker.submit, measure, CONTESTANTS[label], data, runs, settings)
            try:
                *_, version = turn().result()  # a first call is slower: it compiles, and starts threads
            except Exception as error:
                left_out[label] = str(error)
                print(f"  left out: {label} ({error})", flush=True)
            else:
                turns[label] = turn
                rows[label] = dict(seconds=[], version=version)
        for _ in range(ROUNDS):
            for label, turn in turns.items():
                seconds, histories[label], _ = turn().result()
                rows[label]["seconds"].append(seconds)
                print(f"  {label}: {seconds:.2f} s", flush=True)
    (_, expected), *others = histories.items()
    for label, theirs in others:
        rows[label]["agreement"] = agreement(theirs, expected, tolerance)
    return dict(settings=settings, runs=len(runs), contestants=rows, left_out=left_out)


def agreement(histories, expected, tolerance):
    """Return in words how far histories are from those of the first contestant.

    Raises AssertionError when they are too far.
    """
    if not histories:  # the floor
        return ""
    worst = max(map(partial(difference, tolerance=tolerance), histories, expected))
    return f"{worst:.0e}"


def difference(history, expected, tolerance):
    """Return the largest relative difference of two histories; raise AssertionError when it is too large."""
    worst = 0.0
    for name, wanted in expected.items():
        allowed = 0 if name.endswith(("step", "steps")) else tolerance
        np.testing.assert_allclose(history[name], wanted, allowed, err_msg=name)
        apart = np.abs(np.subtract(history[name], wanted))
        relative = apart / np.maximum(np.abs(wanted), 1e-300)
        worst = max(worst, relative.max())
    return worst
