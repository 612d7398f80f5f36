"""This project's own contestants: the report's code, and the reference and floor it is held against."""

import floor as bare
import numpy as np
import reference as plain

from assignment1 import LogisticRegression, SoftmaxRegression, sweep, train
from assignment1.mnist import Dataset, Split


def prepare(data):
    splits = [Split(*part) for part in data]
    return Dataset(*splits, lambda: splits[1])


def _history(run):
    return vars(run.history) | dict(steps=run.steps, best_step=run.best_step)


def _kind(data):
    return LogisticRegression if data.train.Y.shape[1] == 1 else SoftmaxRegression


def reference(data, runs, settings):
    return [plain.train((data.train, data.validation), **run, **settings) for run in runs]


def floor(data, runs, settings):
    bare.run((data.train, data.validation))
    return []


def ours_single(data, runs, settings):
    kind = _kind(data)
    return [
        _history(train(kind(run["lam"]), data, seed=run["seed"], **settings, progress=False)) for run in runs
    ]


def ours_sweep(data, runs, settings, workers=None):
    lams, seeds = (list(dict.fromkeys(run[name] for run in runs)) for name in ("lam", "seed"))
    found = sweep(_kind(data), data, lam=lams, seed=seeds, **settings, workers=workers, progress=False)
    return [_history(found[run["lam"], run["seed"]]) for run in runs]


def ours_sweep_one_worker(data, runs, settings):
    return ours_sweep(data, runs, settings, workers=1)


def version():
    return f"NumPy {np.__version__}"
