"""What the fast way is made of, part by part, on a hundred small images: inputs, batches, checks, jobs."""

import importlib
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from assignment1 import LogisticRegression, Run, SoftmaxRegression, sweep, train
from assignment1.fast import engine, evaluation
from assignment1.fast import train as fast_train
from assignment1.fast.engine import DEFERRED, CompactInputs, as_whole_numbers, training_accuracies
from assignment1.fast.sweep import TOGETHER, Point, Runs, _jobs, _points, _train
from assignment1.mnist import Dataset, Split
from assignment1.run import Settings
from assignment1.training import batches, gradient_descent
from small import KINDS, RNG, SETS, SETTINGS, WAYS

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("method", WAYS)
def test_the_bar_advances_once_an_epoch_at_its_last_step(method, monkeypatch):
    bars: list[Any] = []
    took: list[int] = []

    @contextmanager
    def bar(total, unit, shown):
        bars.append([(total, unit, shown)])
        yield lambda: bars[-1].append(len(took))

    def counted(function):
        def step(*arguments):
            took.append(1)
            return function(*arguments)

        return step

    for name in ("training", "fast.engine"):
        monkeypatch.setattr(importlib.import_module(f"assignment1.{name}"), "progress", bar)
    monkeypatch.setattr(engine.Trainer, "update", counted(engine.Trainer.update))
    monkeypatch.setattr(LogisticRegression, "gradient_at", counted(LogisticRegression.gradient_at))
    monkeypatch.setattr(fast_train, "suits", lambda model: True)
    without = {name: value for name, value in SETTINGS.items() if name != "progress"}
    train(LogisticRegression(), SETS[LogisticRegression], method=method, **without)
    assert bars == [[(8, "epoch", True), *range(15, 8 * 15 + 1, 15)]]
    if method == "plain":  # and not where a run ends before; a bar is shown where it is asked for
        with pytest.raises(FloatingPointError), np.errstate(all="ignore"):
            gradient_descent(LogisticRegression(1e200), SETS[LogisticRegression], Settings(0.1, 8, 10))
        assert bars[1:] == [[(8, "epoch", False)]]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_inputs_are_compact_and_stand_for_all_of_them(dtype):
    data = SETS[SoftmaxRegression].train
    X = data.X.astype(dtype)
    start = np.zeros((785, 10, 2), dtype)
    for column, (low, high) in {300: (-0.6, 0.2), 301: (-0.2, 0.6), 302: (0.2, 0.6)}.items():
        X[:, column] = np.clip(X[:, column], low, high)
    varies = X.std(axis=0) > 1e-6
    inputs = CompactInputs(X, start)
    assert inputs.largest[[(varies[:n]).sum() for n in (300, 301, 302)]].tolist() == [153, 153, 153]
    assert inputs.unit == 255 and inputs.varying.dtype == np.int16
    np.testing.assert_array_equal(inputs.fixed, ~varies)
    np.testing.assert_array_equal(inputs.varying, np.rint(255 * X[:, varies]))
    assert inputs.varying.flags.c_contiguous  # or a batch takes ten times as long to gather
    one = 255 * np.sqrt((~varies).sum())  # the column of those that never vary, of the same length
    np.testing.assert_allclose(inputs.largest, [*np.abs(inputs.varying).max(axis=0), one], rtol=1e-6)
    taken = inputs.take(slice(3, 9), dtype)
    assert taken.dtype == dtype and inputs.take([1, 2], np.float32).dtype == np.float32
    W = RNG.normal(size=(len(inputs.largest), 10, 2)).astype(dtype)
    full = inputs.expand(W)
    assert full.dtype == dtype and full.shape == (785, 10, 2)
    here = np.tensordot(taken, W, 1)
    there = np.tensordot(X[3:9], full, 1)
    bound = np.tensordot(np.abs(X[3:9]), np.abs(full), 1)  # of rounding, whatever is added first
    assert (np.abs(here - there) < 20 * np.finfo(dtype).eps * bound).all()
    start[varies] = RNG.normal(size=(varies.sum(), 10, 2))
    np.testing.assert_allclose(inputs.expand(inputs.compress(start)), start, rtol=1e-6)
    start[:] = 0
    start[5, 0, 1] = 1  # a weight that is not in step
    assert CompactInputs(X, start).fixed.tolist() == [*~varies[:5], False, *~varies[6:]]
    in_order = CompactInputs(X, start, False)
    assert in_order.unit == 1 and in_order.varying is X and not in_order.fixed.any()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("N", [149, 150, 151])
def test_batches_are_whole_and_those_of_the_plain_way(dtype, N):
    data = SETS[SoftmaxRegression].train
    part = Split(data.X[:N].astype(dtype), data.Y[:N].astype(dtype))
    for shuffle in (True, "once", False):
        settings = Settings(0.1, 2, 10, seed=3, shuffle=shuffle)
        inputs = CompactInputs(part.X, np.zeros((785, 10, 1)), shuffle)
        fast = engine.compact_batches(inputs, np.ascontiguousarray(part.Y.T), settings)
        number = 0
        for (X, Y), plain in zip(fast, batches(part, settings), strict=True):
            assert X.dtype == Y.dtype == plain.X.dtype == dtype and len(X) == len(plain.X) == 10
            np.testing.assert_array_equal(Y[..., 0], plain.Y)
            varying = plain.X[:, ~inputs.fixed] * inputs.unit
            np.testing.assert_allclose(X[:, :-1], varying, atol=1e-4)
            number += 1
        assert number == 2 * (N // 10)


def test_what_waits_to_be_evaluated_is_bounded_and_in_the_precision_of_the_data(monkeypatch):
    """Or a long run would need ever more memory."""
    waited: list[int] = []
    evaluate = engine.Trainer.evaluate

    def measured(self):
        waited.append(len(self.noted) * self.W[0].size)
        assert len(self.unscored) * self.kind.K < DEFERRED
        assert {self.W.dtype, self.decay.dtype, self.rate.dtype} == {np.dtype(np.float32)}
        evaluate(self)

    monkeypatch.setattr(engine.Trainer, "evaluate", measured)
    data = SETS[SoftmaxRegression]
    parts = [Split(X.astype(np.float32), Y.astype(np.float32)) for X, Y in (data.train, data.validation)]
    single = Dataset(parts[0], parts[1], data.make_test)
    given = SETTINGS | dict(epochs=10, checks_per_epoch=15)
    sweep(SoftmaxRegression, single, lam=(0.0, 0.1), workers=1, **given)
    assert DEFERRED / 2 < max(waited) <= DEFERRED


@pytest.mark.parametrize("method", WAYS)
def test_checks_that_do_not_divide_an_epoch_come_at_whole_steps(method):
    data, given = SETS[LogisticRegression], SETTINGS | dict(epochs=2, method=method)
    for times, every in ((1, 15), (4, 3), (7, 2), (15, 1), (16, 1)):
        run = train(LogisticRegression(), data, **given | dict(checks_per_epoch=times))
        assert run.history.step.tolist() == list(range(0, 30, every))
        assert run.interrupted is False
    run = train(LogisticRegression(), data, learning_rate=0.1, epochs=1, progress=False, method=method)
    assert run.settings["batch_size"] == 128 and run.steps == 1


def test_a_watcher_sees_the_log_of_a_plain_run_and_a_flag_ends_it():
    seen: list[int] = []
    stop = threading.Event()

    def watch(log, model):
        seen.append(len(log.train_loss))
        if len(log.train_loss) == 4:
            stop.set()

    settings = Settings(0.02, 8, 10)
    run = gradient_descent(LogisticRegression(), SETS[LogisticRegression], settings, stop=stop, watch=watch)
    assert seen == [1, 2, 3, 4] and run.interrupted is True and run.steps == 4
    model, data = LogisticRegression(), SETS[LogisticRegression]
    ready = engine.prepare([model], data, settings)
    (fast,) = engine.fast_descent([model], ready, [settings], shown=False, stop=stop)
    assert isinstance(fast, Run) and fast.steps == 1


@pytest.mark.parametrize("threads", [1, 2])
def test_checks_are_evaluated_in_another_thread_where_blas_has_several_and_each_has_one(threads, monkeypatch):
    seen: list[Any] = []

    def measured(*arguments):
        seen.append((threading.current_thread(), engine.BLAS.info()[0]["num_threads"], np.geterr()["over"]))
        return evaluation.measured(*arguments)

    monkeypatch.setattr(engine, "measured", measured)
    with engine.BLAS.limit(limits=threads):
        train(SoftmaxRegression(), SETS[SoftmaxRegression], **SETTINGS | dict(patience=2))
        assert engine.BLAS.info()[0]["num_threads"] == threads
    assert len(seen) >= 2
    for thread, blas, over in seen:
        assert (thread is threading.main_thread()) == (threads == 1) and blas == 1 and over == "ignore"
        assert thread.is_alive() == (threads == 1)


@pytest.mark.parametrize("late", ["measured", "training_accuracies"])
def test_a_second_thread_that_is_late_changes_no_bit(late, monkeypatch):
    given = SETTINGS | dict(learning_rate=0.3, epochs=40, patience=2, checks_per_epoch=15)
    function = getattr(engine, late)

    def slow(*arguments):
        time.sleep(0.01)
        return function(*arguments)

    with engine.BLAS.limit(limits=2):
        prompt = train(SoftmaxRegression(), SETS[SoftmaxRegression], **given)
        monkeypatch.setattr(engine, late, slow)
        run = train(SoftmaxRegression(), SETS[SoftmaxRegression], **given)
    np.testing.assert_array_equal(run.last.w, prompt.last.w)
    for name, measured in vars(run.history).items():
        np.testing.assert_array_equal(measured, getattr(prompt.history, name), err_msg=name)


@pytest.mark.parametrize("threads", [1, 2])
def test_of_a_run_that_has_ended_the_checks_of_two_patiences_are_dropped_at_most(threads, monkeypatch):
    groups: list[int] = []
    updates: list[int] = []
    update = engine.Trainer.update

    def measured(kinds, *arguments):
        groups.append(len(kinds))
        return evaluation.measured(kinds, *arguments)

    def counted(self, *batch):
        updates.append(1)
        update(self, *batch)

    monkeypatch.setattr(engine, "measured", measured)
    monkeypatch.setattr(engine.Trainer, "update", counted)
    patience = 2
    given = SETTINGS | dict(learning_rate=0.3, epochs=40, patience=patience, checks_per_epoch=15)
    with engine.BLAS.limit(limits=threads):
        run = train(SoftmaxRegression(), SETS[SoftmaxRegression], **given)
    assert run.stopped_early and run.steps < len(updates) <= run.steps + 2 * patience
    assert set(groups) == {2 * patience // threads} and sum(groups) == len(updates)


def test_pixels_are_whole_numbers_and_what_is_no_pixel_stays_as_it_is():
    X = SETS[SoftmaxRegression].train.X
    for dtype in (np.float64, np.float32):
        numbers, unit = as_whole_numbers(X.astype(dtype))
        assert numbers.dtype == np.int16 and unit == 255
        np.testing.assert_array_equal(numbers, np.rint(255 * X))
    for change in (1e-3, np.nan, 1e9):
        other = X.copy()
        other[-1, 3] += change
        with np.errstate(invalid="ignore"):
            assert as_whole_numbers(other)[0] is other and as_whole_numbers(other)[1] == 1


@pytest.mark.parametrize("kind", KINDS)
def test_training_accuracies_are_exact_also_where_float32_sees_a_tie(kind, monkeypatch):
    """Margins of 1e-9, in several blocks of images, on both sides of the border."""
    monkeypatch.setattr(evaluation, "ROWS", 40)
    rng, N, R = np.random.default_rng(3), 151, 3
    data = SETS[kind].train
    inputs = CompactInputs(data.X, np.zeros((785, kind.K, R)))
    W = rng.normal(size=(inputs.largest.size, kind.K, R)) * 0.01
    X = inputs.take(slice(None), np.float64)
    for i in range(R):  # two images of each block are put near the border, all at once
        rows = np.arange(5 + i, 151, 20)
        z, y = X[rows] @ W[..., i], data.Y[rows].argmax(axis=1)
        others = np.where(data.Y[rows] > 0, -np.inf, z).max(axis=1) if kind.K > 1 else np.zeros(len(rows))
        wanted = z.copy()
        wanted[np.arange(len(rows)), y if kind.K > 1 else 0] = others + rng.choice([-1e-9, 1e-9], len(rows))
        W[..., i] -= np.linalg.pinv(X[rows]) @ (z - wanted)
    found = training_accuracies(kind, W, inputs, np.ascontiguousarray(data.Y.T))
    exact = [kind.correct(X @ W[..., i], data.Y).mean() for i in range(R)]
    assert found == exact and len(X) == N
    single = X.astype(np.float32)
    rough = [kind.correct(single @ W[..., i].astype(np.float32), data.Y).mean() for i in range(R)]
    assert rough != exact


@pytest.mark.parametrize("shuffle, unit", [(True, 255), ("once", 255), (False, 1)])
def test_runs_in_file_order_read_the_images_as_they_are(shuffle, unit):
    settings = Settings(0.1, 1, shuffle=shuffle)
    ready = engine.prepare([SoftmaxRegression()], SETS[SoftmaxRegression], settings)
    assert ready.inputs.unit == unit


def test_a_softmax_of_one_output_is_trained_the_plain_way():
    class One(SoftmaxRegression):
        K = 1

    class Two(SoftmaxRegression):
        K = 2

    assert not engine.suits(One()) and engine.suits(Two())


@pytest.mark.parametrize("images", [50, 2000])
def test_logits_have_an_example_next_to_an_example_in_memory(images):
    assert evaluation.logits(np.ones((images, 7)), np.ones((7, 10))).flags.f_contiguous


@pytest.mark.parametrize("kind", KINDS)
def test_training_accuracies_of_weights_too_small_for_float32_are_exact(kind):
    data = SETS[kind].train
    inputs = CompactInputs(data.X, np.zeros((785, kind.K, 1)))
    W = np.random.default_rng(3).normal(size=(inputs.largest.size, kind.K, 1)) * 2e-45
    exact, rough = (
        kind.correct(inputs.take(slice(None), dtype) @ W[..., 0].astype(dtype), data.Y).mean()
        for dtype in (np.float64, np.float32)
    )
    assert training_accuracies(kind, W, inputs, np.ascontiguousarray(data.Y.T)) == [exact] != [rough]


@pytest.mark.parametrize("kind", KINDS)
def test_hardly_an_image_is_decided_again_in_full_precision(kind, monkeypatch):
    decided: list[int] = []
    correct = kind.correct

    def counted(z, Y):
        decided.append(len(z))
        return correct(z, Y)

    monkeypatch.setattr(kind, "correct", counted)
    data = SETS[kind].train
    inputs = CompactInputs(data.X, np.zeros((785, kind.K, 2)))
    W = np.random.default_rng(3).normal(size=(inputs.largest.size, kind.K, 2))
    training_accuracies(kind, W, inputs, np.ascontiguousarray(data.Y.T))
    assert len(decided) == 1 and decided[0] < 5


def test_the_runs_of_a_sweep_are_dealt_to_all_workers_and_each_once():
    data, lams = SETS[LogisticRegression], tuple(map(float, range(25)))
    points = _points(data, dict(lam=lams, learning_rate=0.01, epochs=1, seed=[0, 1]))
    for workers in (1, 2, 7):
        jobs = _jobs(points, workers)
        assert sorted(key for keys in jobs for key in keys) == sorted(points)
        assert len(jobs) >= workers and max(map(len, jobs)) <= TOGETHER
        assert len(jobs) <= 2 * -(-25 // min(TOGETHER, -(-50 // workers)))
        for keys in jobs:  # a job as large as these has one seed, and so shares its batches
            assert len({seed for _, seed in keys}) == 1
        by_weight = [sum(lam for lam, _ in keys) / len(keys) for keys in jobs]
        assert max(by_weight) - min(by_weight) < 8
    for count, workers in product(range(1, 12), range(1, 6)):
        few = _points(data, dict(lam=lams[:count], learning_rate=0.01, epochs=1))
        jobs = _jobs(few, workers)
        assert sorted(key for keys in jobs for key in keys) == sorted(few)
        assert len(jobs) >= min(count, workers)
    both = _points({"a": data, "b": data}, dict(learning_rate=0.01, epochs=1, seed=range(5)))
    for keys in _jobs(both, 1):  # a job has one data set
        assert len({name for name, _ in keys}) == 1
    rates = _points(data, dict(learning_rate=[0.1, 0.2], epochs=1, lam=(0.0, 1.0)))
    lengths = _points(data, dict(learning_rate=0.1, epochs=[1, 2]))
    assert (len(_jobs(rates, 1)), len(_jobs(lengths, 1))) == (1, 2)


def test_dealt_out_each_job_has_small_and_large_penalties_whatever_the_keys_start_with():
    data, lams = SETS[LogisticRegression], [3.0, 1.0, 0.0, 2.0]
    jobs = _jobs(_points(data, dict(learning_rate=np.linspace(0.1, 1, 10), lam=lams, epochs=1)), 4)
    means = [sum(lam for _, lam in keys) / len(keys) for keys in jobs]
    assert [len(keys) for keys in jobs] == [10] * 4 and means == [1.5] * 4


def test_the_runs_of_an_interrupted_sweep_say_what_is_left(tmp_path):
    settings: dict[str, Any] = SETTINGS | dict(epochs=1)
    run = train(LogisticRegression(), SETS[LogisticRegression], **settings)
    error = ValueError("failed")
    whole, left, all_ended = Runs({1: run, 2: error}), Runs({1: run, 2: None}), Runs({1: run})
    assert (whole.left, whole.interrupted, whole.failed) == ([], False, {2: error})
    assert (left.left, left.interrupted, left.failed) == ([2], True, {})
    assert (all_ended.left, all_ended.interrupted) == ([], False)
    with pytest.raises(KeyError) as missing:
        left[2]
    assert missing.value.args == ("2 is not there, since the sweep was interrupted; sweep again",)
    with pytest.raises(KeyError) as missing:
        Runs({1: run, "b": run})[3]
    assert missing.value.args == ("3 is no run of this sweep; its runs are 1, 'b'",)
    ended = Runs({1: replace(run, interrupted=True)})
    assert ended.interrupted is True and ended.left == []
    data = SETS[LogisticRegression]
    stop = tmp_path / "stop"
    stop.touch()  # in a worker: nothing is begun any more
    task = (LogisticRegression, lambda: data, None)
    point = Point(None, 0.5, Settings(0.1, 1, 10))
    assert _train(task, [point, point], False, stop.exists) == [None, None]
