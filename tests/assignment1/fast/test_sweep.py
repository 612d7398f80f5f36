"""Sweeps: the numbers of single runs, in the order asked, whatever fails and whoever works."""

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest

from assignment1 import LogisticRegression, Run, SoftmaxRegression, load_mnist, sweep, train
from assignment1.fast.sweep import Point, Runs, _train
from assignment1.mnist import Dataset, Split
from assignment1.models import Regression
from assignment1.run import Settings

pytestmark = pytest.mark.slow

SETTINGS: dict[str, Any] = dict(learning_rate=0.05, epochs=12, patience=3, progress=False)


@pytest.fixture(scope="module")
def mnist():
    return load_mnist()


def assert_same(run: Run, other: Run) -> None:
    assert (run.steps, run.epoch, run.stopped_early) == (other.steps, other.epoch, other.stopped_early)
    assert (run.best_step, run.settings) == (other.best_step, other.settings)
    for name, measured in vars(run.history).items():
        np.testing.assert_allclose(measured, getattr(other.history, name), rtol=1e-8)
    for mine, theirs in ((run.last, other.last), (run.best, other.best)):
        assert type(mine) is type(theirs) and mine.lam == theirs.lam
        np.testing.assert_allclose(mine.w, theirs.w, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_sweep_gives_the_numbers_of_single_runs_in_the_order_asked(mnist, workers):
    sets = {"2 or 3": mnist.binary(2, 3), "4 or 9": lambda: load_mnist().binary(4, 9)}
    runs = sweep(LogisticRegression, sets, lam=(0.1, 0.0), seed=range(2), workers=workers, **SETTINGS)
    assert list(runs) == [(d, lam, seed) for d in sets for lam in (0.1, 0.0) for seed in (0, 1)]
    pairs = {"2 or 3": (2, 3), "4 or 9": (4, 9)}
    for (digits, lam, seed), run in runs.items():
        assert_same(run, train(LogisticRegression(lam), mnist.binary(*pairs[digits]), seed=seed, **SETTINGS))
    assert len({run.steps for run in runs.values()}) > 2  # they stopped apart, so runs left the others


@pytest.mark.parametrize("shuffle", [True, False, "once"])
@pytest.mark.parametrize("kind", [LogisticRegression, SoftmaxRegression])
def test_a_sweep_gives_the_numbers_of_single_runs_whatever_the_order_of_the_images(mnist, kind, shuffle):
    whole = mnist.binary(2, 3) if kind is LogisticRegression else mnist.softmax()
    part = Split(*(each[:1200] for each in whole.train))
    few = Dataset(part, Split(*(each[:500] for each in whole.validation)), lambda: whole.test)
    settings = SETTINGS | dict(shuffle=shuffle, seed=3, patience=8, epochs=20)
    runs = sweep(kind, few, lam=(0.0, 1.0, 0.01), workers=1, **settings)
    assert len({run.steps for run in runs.values()}) > 1
    for lam, run in runs.items():
        assert_same(run, train(kind(lam), few, **settings))


def test_a_run_that_fails_names_its_settings_and_loses_no_other(mnist):
    settings = SETTINGS | dict(epochs=2, learning_rate=0.05, seed=0)
    with pytest.warns(RuntimeWarning, match="failed") as warned:
        runs = sweep(LogisticRegression, mnist.binary(2, 3), lam=(0.0, 1e300), **settings)
    assert warned[0].filename == __file__
    assert list(runs) == [0.0] and len(repr(runs).splitlines()) < 20
    assert_same(runs[0.0], train(LogisticRegression(), mnist.binary(2, 3), **settings))
    with pytest.raises(FloatingPointError, match=r"diverged.*'lam': 1e\+300"):
        runs[1e300]
    with pytest.raises(KeyError, match="no run of this sweep"):
        runs[5.0]
    sets = {"broken": lambda: load_mnist("nowhere").binary(2, 3), "whole": mnist.binary(2, 3)}
    with pytest.warns(RuntimeWarning, match=r"run 'broken' failed.*nowhere.*missing"):
        assert list(sweep(LogisticRegression, sets, **settings)) == ["whole"]
    with pytest.warns(RuntimeWarning, match=r"run 5000 failed: batch_size is 5000"):
        assert list(sweep(LogisticRegression, sets["whole"], **settings, batch_size=(128, 5000))) == [128]

    def odd(lam: float) -> LogisticRegression:
        if lam == 0.5:
            raise RuntimeError("no model for this lam")
        return LogisticRegression(lam)

    with pytest.warns(RuntimeWarning, match=r"run 0.5 failed: RuntimeError: no model for this lam; with"):
        assert list(sweep(odd, sets["whole"], lam=(0.0, 0.5, 1.0), workers=1, **settings)) == [0.0, 1.0]


def test_a_sweep_whose_runs_all_fail_is_an_error(mnist):
    with pytest.raises(ValueError, match="batch_size is 5000"):
        sweep(LogisticRegression, mnist.binary(2, 3), learning_rate=0.1, epochs=1, batch_size=5000)


@pytest.mark.parametrize(
    "change, error, message",
    [
        (dict(epoch=3), TypeError, "sweep\\(\\) has no setting 'epoch'; it has .*epochs"),
        (dict(learning_rate=None), TypeError, "needs learning_rate"),
        (dict(epochs=None), TypeError, "needs epochs"),
        (dict(lam=(0.0, -1.0)), ValueError, "lam is -1.0; expected"),
        (dict(lam=()), ValueError, "lam is empty"),
        (dict(seed=(0, 1.5)), ValueError, "seed is 1.5"),
        (dict(seed=np.array([[1, 2]])), ValueError, r"seed is \[1, 2\]; expected a whole number"),
        (dict(lam=(0.0, 0.0)), ValueError, "the run 0.0 is asked for twice"),
        (dict(workers=0), ValueError, "workers is 0"),
    ],
)
def test_a_setting_that_cannot_be_right_is_named_before_anything_starts(change, error, message):
    def never() -> Dataset:
        raise AssertionError("started")

    settings = {name: v for name, v in (dict(learning_rate=0.1, epochs=1) | change).items() if v is not None}
    with pytest.raises(error, match=message):
        sweep(LogisticRegression, never, **settings)


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory):
    """Return the file of a Dask scheduler with two workers, none of which is a child of its clients."""
    pytest.importorskip("distributed", reason="needs `pip install distributed`")
    folder = tmp_path_factory.mktemp("dask")
    file = str(folder / "scheduler.json")
    worker = ["worker", "--nthreads", "1", "--local-directory", str(folder)]
    commands = [["scheduler", "--host", "127.0.0.1", "--port", "0"], worker, worker]
    processes = []
    for command in commands:
        whole = [sys.executable, "-m", "dask", *command, "--scheduler-file", file, "--no-dashboard"]
        quiet = dict[str, Any](stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        processes.append(subprocess.Popen(whole, start_new_session=True, **quiet))
    yield file
    for process in processes:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


ON_DASK = """
import contextlib, sys
import distributed, joblib
on = contextlib.ExitStack()
on.enter_context(distributed.Client(scheduler_file=sys.argv[2])).wait_for_workers(2, 60)
on.enter_context(joblib.parallel_config(backend="dask"))
"""
KILLED = """
import json, os, pathlib
from assignment1 import LogisticRegression, load_mnist, sweep
from assignment1.mnist import Dataset, Split
from assignment1.models import Regression
from assignment1.run import Settings
killed = pathlib.Path(sys.argv[1])
def digits():
    import signal
    if not killed.exists():
        killed.write_text(str(os.getpid()))
        os.kill(os.getpid(), signal.SIGKILL)
    return load_mnist().binary(2, 3)
whole = load_mnist().binary(2, 3)
few = Dataset(*(Split(X[:400], Y[:400]) for X, Y in (whole.train, whole.validation)), lambda: whole.test)
settings = dict(learning_rate=0.05, epochs=3, patience=3, progress=False)
runs = sweep(LogisticRegression, {"made": digits, "sent": few}, seed=range(4), **settings)
losses = {"made": [], "sent": []}
for (name, seed), run in runs.items():
    losses[name].append(run.history.validation_loss.tolist())
print(json.dumps([len(runs), list(runs.failed), os.getpid(), losses]))
on.close()
"""


def test_a_dask_cluster_does_the_runs_though_a_worker_is_killed(mnist, scheduler, tmp_path, tried):
    killed = tmp_path / "killed"
    command = [sys.executable, "-c", ON_DASK + KILLED, str(killed), scheduler]
    said = subprocess.run(command, capture_output=True, text=True, timeout=100)
    count, failed, pid, losses = json.loads(said.stdout or said.stderr)
    assert (count, failed) == (8, []) and int(killed.read_text()) != pid
    whole = mnist.binary(2, 3)
    parts = [Split(X[:400], Y[:400]) for X, Y in (whole.train, whole.validation)]
    sets = {"made": whole, "sent": Dataset(parts[0], parts[1], lambda: whole.test)}
    for name, of_seeds in losses.items():
        for seed, found in enumerate(of_seeds):
            run = train(LogisticRegression(), sets[name], seed=seed, **SETTINGS | dict(epochs=3))
            np.testing.assert_allclose(found, run.history.validation_loss, rtol=1e-8)
    tried("A worker of Dask, no child of the client, is killed amid a sweep", 1, "no run is lost")


INTERRUPTED = """
import json, sys
import numpy as np
from assignment1 import LogisticRegression, sweep
from assignment1.mnist import Dataset, Split
X = np.random.default_rng(0).uniform(-1, 1, (500, 785))
few = Split(X, (X[:, :1] > 0) * 1.0)
digits = Dataset(few, few, lambda: few)
workers = None if sys.argv[1] == "dask" else int(sys.argv[1])
settings = dict(learning_rate=0.05, progress=False, workers=workers)
sweep(LogisticRegression, digits, seed=(0, 1), epochs=1, **settings)  # the workers are there
print("ready", flush=True)
runs = sweep(LogisticRegression, digits, seed=range(12), epochs=(10**6,), **settings)
found = [(run.interrupted, run.steps) for run in runs.values()]
print(json.dumps([runs.interrupted, found, runs.left, list(runs.failed), repr(runs).splitlines()[0]]))
again = sweep(LogisticRegression, digits, seed=(0, 1), epochs=1, **settings)
print(json.dumps([again.interrupted, len(again), again.left]), flush=True)
"""


def interrupted(script: str, *arguments: str, whole: bool = False) -> tuple[Any, Any]:
    """Return what the script says of a sweep that is interrupted, and of the next."""
    command = [sys.executable, "-c", script, *arguments]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    time.sleep(1)  # until runs are in progress
    (os.killpg if whole else os.kill)(process.pid, signal.SIGINT)
    start = time.monotonic()
    said, complaints = process.communicate(timeout=60)
    assert complaints == "" and time.monotonic() - start < 10
    first, second = map(json.loads, said.splitlines())
    interrupted, found, left, failed, text = first
    assert interrupted and len(found) + len(left) == 12 and failed == []
    assert text == f"{len(found)} runs, 0 failed; interrupted, {len(left)} not there"
    assert second == [False, 2, []]  # the next is a whole one, and the workers are idle
    return found, left


@pytest.mark.parametrize("workers, whole", [("1", False), ("2", False), ("2", True)])
def test_an_interrupted_sweep_keeps_what_there_is(workers, whole):
    """Ctrl+C in a terminal, and Jupyter, reach the workers too; other programs do not. One is itself."""
    found, _ = interrupted(INTERRUPTED, workers, whole=whole)
    assert 1 <= len(found) <= 4 and all(marked and steps > 10 for marked, steps in found)


@pytest.mark.parametrize("kind", [Regression, SoftmaxRegression])
def test_a_method_put_into_a_class_that_workers_import_is_refused(mnist, monkeypatch, kind):
    monkeypatch.setattr(kind, "loss", lambda self, X, Y: 0.0)
    words = r"a method of (Logistic|Softmax)Regression was replaced, and workers have the class as it was"
    with pytest.raises(TypeError, match=words):
        sweep(SoftmaxRegression, mnist.softmax(), seed=range(2), **SETTINGS)


def test_an_interrupted_sweep_on_dask_keeps_what_there_is(scheduler, tried):
    """Its workers are others' children, and on another disk: the scheduler tells them."""
    found, _ = interrupted(ON_DASK + INTERRUPTED + "on.close()", "dask", scheduler)
    assert 1 <= len(found) <= 4 and all(marked and steps > 10 for marked, steps in found)
    outcome = "within 10 s what is done is kept, the rest is left, and the workers are idle"
    tried("SIGINT to the client of a sweep on Dask, whose workers are none of its children", 1, outcome)


def test_a_sweep_that_is_interrupted_before_it_has_a_run_is_a_keyboard_interrupt(mnist):
    def lost() -> Dataset:
        signal.raise_signal(signal.SIGINT)
        raise OSError("the disk went away")

    with pytest.raises(KeyboardInterrupt):
        sweep(LogisticRegression, {"lost": lost, "whole": mnist.binary(2, 3)}, workers=1, **SETTINGS)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_run_that_an_interrupted_sweep_has_not_says_so(mnist):
    run = train(LogisticRegression(), mnist.binary(2, 3), learning_rate=0.05, epochs=1, progress=False)
    runs = Runs({0: run, 1: None})
    assert runs.interrupted and runs.left == [1] and not Runs({0: run}).interrupted
    with pytest.raises(KeyError, match="1 is not there, since the sweep was interrupted"):
        runs[1]


def test_what_is_kept_of_runs_is_all_that_comes_back(mnist, tmp_path):
    data, settings = mnist.binary(2, 3), SETTINGS | dict(epochs=2)

    def kept(run: Run) -> Any:
        if run.settings["seed"] == 2:
            raise RuntimeError("nothing to keep")
        return [None, ValueError("a value"), 0, run.best_step][run.settings["seed"]]

    with pytest.warns(RuntimeWarning, match="run 2 failed: RuntimeError: nothing to keep; with .*'seed': 2"):
        runs = sweep(LogisticRegression, data, seed=range(4), keep=kept, workers=2, **settings)
    assert list(runs) == [0, 1, 3] and list(runs.failed) == [2] and not runs.interrupted
    assert runs[0] is None and str(runs[1]) == "a value" and runs[3] > 0
    assert repr(runs).splitlines()[:3] == ["3 runs, 1 failed", "  0: None", "  1: ValueError('a value')"]


def test_a_worker_sends_what_is_kept_and_nothing_of_an_unfinished_run(mnist):
    data = mnist.binary(2, 3)
    points = [Point(None, lam, Settings(0.05, 2)) for lam in (0.0, 0.1)]
    task = (LogisticRegression, lambda: data, lambda run: run.steps)
    outcomes = _train(task, points, False, bool)
    assert [outcome.value for outcome in outcomes] == [62, 62] and len(pickle.dumps(outcomes)) < 200
    stop = iter([False])
    long = [Point(None, 0.0, Settings(0.05, 10**6))]
    # nothing would tell that it is unfinished
    assert _train(task, long, False, lambda: next(stop, True)) == [None]


def test_a_worker_trains_the_others_again_where_one_of_its_runs_fails(mnist):
    def failing(lam: float) -> LogisticRegression:
        if lam:
            raise OSError("lost")
        return LogisticRegression()

    points = [Point(None, lam, Settings(0.05, 2)) for lam in (0.1, 0.0)]
    failed, run = _train((failing, lambda: mnist.binary(2, 3), None), points, False, bool)
    assert str(failed).startswith("OSError: lost; with ") and run.steps == 62
