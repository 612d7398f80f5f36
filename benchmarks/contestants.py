"""This project's own contestants: the report's code, and the reference and the floor beside it."""

from functools import partial

import kernels

import floor as bare
import numpy as np
import reference as plain

from assignment1 import LogisticRegression, SoftmaxRegression, sweep, train


def prepare(data):
    """Return the data set as it is."""
    return data


def reference(data, runs, settings):
    """Return the histories of the student's runs."""
    return [plain.train((data.train, data.validation), **run, **settings) for run in runs]


def floor(data, runs, settings):
    """Do the bare matrix work of a run; return no histories."""
    bare.run(data.train.X, data.validation.X)
    return []


def ours_single(data, runs, settings):
    """Return the histories of runs one after another."""
    kind = _kind(data)
    trained = [train(kind(run["lam"]), data, seed=run["seed"], **settings, progress=False) for run in runs]
    return list(map(_history, trained))


def ours_sweep(data, runs, settings, workers=None):
    """Return the histories of the runs of one sweep."""
    lams = sorted({run["lam"] for run in runs})
    seeds = sorted({run["seed"] for run in runs})
    found = sweep(_kind(data), data, lam=lams, seed=seeds, **settings, workers=workers, progress=False)
    return [_history(found[run["lam"], run["seed"]]) for run in runs]


ours_sweep_one_worker = partial(ours_sweep, workers=1)


def version():
    """Return the versions that ran, in words."""
    return f"NumPy {np.__version__}, {kernels.architectures()}"


def _kind(data):
    return LogisticRegression if data.train.Y.shape[1] == 1 else SoftmaxRegression


def _history(run):
    return vars(run.history) | dict(steps=run.steps, best_step=run.best_step)
