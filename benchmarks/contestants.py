"""This project's own contestants: the report's code, and the reference beside it."""

from functools import partial

import kernels

import numpy as np
import reference as plain

from assignment1 import LogisticRegression, SoftmaxRegression, sweep, train


def prepare(data):
    """Return the data set as it is."""
    return data


def reference(data, runs, settings):
    """Return the histories of the student's runs."""
    return [plain.train((data.train, data.validation), **run, **settings) for run in runs]


def ours_single(data, runs, settings):
    """Return the histories of runs of task 3 one after another."""
    found = []
    for run in runs:
        model = SoftmaxRegression(run["lam"])
        found.append(_history(train(model, data, seed=run["seed"], **settings, progress=False)))
    return found


def ours_sweep(data, runs, settings, workers=None):
    """Return the histories of the runs of one sweep."""
    lams = sorted({run["lam"] for run in runs})
    seeds = sorted({run["seed"] for run in runs})
    kind = LogisticRegression if data.train.Y.shape[1] == 1 else SoftmaxRegression
    found = sweep(kind, data, lam=lams, seed=seeds, **settings, workers=workers, progress=False)
    return [_history(found[run["lam"], run["seed"]]) for run in runs]


ours_sweep_one_worker = partial(ours_sweep, workers=1)


def version():
    """Return the versions that ran, in words."""
    return f"NumPy {np.__version__}, {kernels.architectures()}"


def _history(run):
    return vars(run.history) | dict(steps=run.steps, best_step=run.best_step)
