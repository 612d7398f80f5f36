"""Training on a hundred small images, exactly: both ways, and sweeps, against a student's code."""

import importlib
import runpy
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from assignment1 import LogisticRegression, SoftmaxRegression, engine, evaluation, sweep, train
from assignment1.engine import DEFERRED, LOGGED, CompactInputs, as_whole_numbers, training_accuracies
from assignment1.gradcheck import central_difference_error, complex_step_error
from assignment1.mnist import Dataset, Split, one_hot, preprocess
from assignment1.progress import STOP, watched
from assignment1.sweep import TOGETHER, Runs, _jobs, _points, _train
from assignment1.training import Settings, batches, gradient_descent

student = runpy.run_path(str(Path(__file__).parent.parent / "benchmarks" / "reference.py"))
RNG = np.random.default_rng(4)


def images(count: int, K: int, dtype: Any = np.float64) -> Split:
    """Images of K kinds that differ in noise, with the border of MNIST's."""
    labels = RNG.integers(0, max(K, 2), count)
    shapes = np.random.default_rng(K).integers(0, 256, (10, 20, 20))
    found = np.zeros((count, 28, 28), int)
    found[:, 4:24, 4:24] = np.clip(shapes[labels] + RNG.integers(-300, 300, (count, 20, 20)), 0, 255)
    return Split(preprocess(found, dtype), one_hot(labels, dtype=dtype) if K > 1 else labels[:, None] * 1.0)


def dataset(K: int) -> Dataset:
    train, validation = images(151, K), images(83, K)
    return Dataset(train, validation, lambda: validation)


SETS = {LogisticRegression: dataset(1), SoftmaxRegression: dataset(10)}
KINDS: list[Any] = list(SETS)
SETTINGS: dict[str, Any] = dict(learning_rate=0.02, epochs=8, batch_size=10, seed=5, progress=False)
WAYS: Any = ("plain", "fast")


def expected_run(kind: Any, data: Dataset, lam: float, order: Any, **settings: Any) -> dict[str, Any]:
    """A student's run; `order` (epochs, N) has the images in the order of each epoch."""

    class Order:
        epoch = 0

        def shuffle(self, indices):
            indices[:] = order[self.epoch]
            self.epoch += 1

    before = np.random.default_rng
    np.random.default_rng = lambda seed: Order()  # type: ignore[assignment, misc]
    try:
        return student["train"]((data.train, data.validation), lam, **settings)
    finally:
        np.random.default_rng = before  # type: ignore[misc]


def orders(shuffle: Any, seed: int, N: int, epochs: int) -> list[list[int]]:
    rng, order, found = np.random.default_rng(seed), np.arange(N), []
    for epoch in range(epochs):
        if shuffle is True or (shuffle == "once" and not epoch):
            rng.shuffle(order)
        found.append(order.tolist())
    return found


def assert_history(run: Any, expected: dict[str, Any], rtol: float = 1e-9) -> None:
    assert (run.steps, run.best_step) == (expected["steps"], expected["best_step"])
    for name, measured in vars(run.history).items():
        np.testing.assert_allclose(measured, expected[name], rtol=rtol, err_msg=name)


@pytest.mark.parametrize("method", WAYS)
@pytest.mark.parametrize("shuffle", [True, False, "once"])
@pytest.mark.parametrize("lam, patience", [(0.0, 1000), (0.3, 2), (0.0, 1)])
@pytest.mark.parametrize("kind", KINDS)
def test_a_run_is_a_students(kind, lam, patience, shuffle, method):
    data, settings = (
        SETS[kind],
        SETTINGS | (dict(learning_rate=0.08 if kind.K == 1 else 0.3) if patience < 9 else {}),
    )
    given = {name: settings[name] for name in ("learning_rate", "epochs", "batch_size")}
    order = orders(shuffle, 5, 151, 8)
    expected = expected_run(kind, data, lam, order, patience=patience, **given)
    run = train(kind(lam), data, shuffle=shuffle, patience=patience, method=method, **settings)
    assert_history(run, expected)
    assert run.stopped_early == (patience < 9) and not run.interrupted
    assert run.batches_per_epoch == 15 and run.epoch == -(-run.steps // 15)
    at_best = run.history.validation_loss[run.history.step == run.best_step]
    assert run.best.loss(*data.validation) == pytest.approx(at_best[0], rel=1e-9)
    assert run.last.lam == run.best.lam == run.settings["lam"] == lam
    if not run.stopped_early:
        assert run.last.loss(*data.validation) != run.history.validation_loss[-1]  # 2 steps after the check


@pytest.mark.parametrize("method", WAYS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_run_checked_at_every_step_has_all_its_numbers(kind, method):
    """More checks and steps than the fast way evaluates together, and a number that divides neither."""
    data, every = SETS[kind], 3
    settings = SETTINGS | dict(epochs=7, checks_per_epoch=10**9, train_accuracy_every=every, method=method)
    run = train(kind(0.1), data, **settings)
    history, steps = run.history, 7 * 15
    assert steps % LOGGED and steps > DEFERRED / 10 and run.steps == steps and run.epoch == 7
    np.testing.assert_array_equal(history.step, np.arange(steps))
    model, rate = kind(0.1), settings["learning_rate"]
    for step, batch in enumerate(batches(data.train, Settings(rate, 7, 10, seed=5))):
        assert history.train_loss[step] == pytest.approx(model.loss(*batch), rel=1e-9)
        model = model.copy(model.w - rate * model.gradient(*batch))
        assert history.validation_loss[step] == pytest.approx(model.loss(*data.validation), rel=1e-9)
        assert history.validation_accuracy[step] == model.accuracy(*data.validation)
        if step % every:
            assert np.isnan(history.train_accuracy[step])
        else:
            assert history.train_accuracy[step] == model.accuracy(*data.train)
    np.testing.assert_allclose(run.last.w, model.w, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("start", ["zero", "not zero"])
@pytest.mark.parametrize("pixels", ["pixels", "no pixels", "none constant"])
def test_both_ways_give_the_same_weights(kind, start, pixels):
    data, model = SETS[kind], kind(0.05)
    if start == "not zero":
        model = model.copy(np.random.default_rng(1).normal(0, 0.01, model.w.shape))
    if pixels != "pixels":
        change = (lambda X: X**3) if pixels == "no pixels" else lambda X: X + RNG.normal(0, 0.1, X.shape)
        data = Dataset(Split(change(data.train.X), data.train.Y), data.validation, data.make_test)
    plain, fast = (train(model, data, method=method, **SETTINGS) for method in WAYS)
    np.testing.assert_allclose(fast.last.w, plain.last.w, rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(fast.best.w, plain.best.w, rtol=1e-9, atol=1e-14)
    assert plain.settings == fast.settings


@pytest.mark.parametrize("kind", KINDS)
def test_float32_data_give_float32_weights_near_those_of_float64(kind):
    data = SETS[kind]
    parts = [Split(X.astype(np.float32), Y.astype(np.float32)) for X, Y in (data.train, data.validation)]
    single = Dataset(parts[0], parts[1], data.make_test)
    model = kind().copy(np.random.default_rng(0).normal(0, 0.1, (785, kind.K)).astype(np.float32))
    each = model.cross_entropy(model.logits(single.train.X), single.train.Y)
    assert each.dtype == np.float32 and model.loss(*single.train) == each.mean(dtype=np.float64)
    for method in WAYS:
        runs = [train(kind(0.05), either, method=method, **SETTINGS) for either in (data, single)]
        assert [run.last.w.dtype for run in runs] == [np.float64, np.float32]
        assert [run.best.w.dtype for run in runs] == [np.float64, np.float32]
        np.testing.assert_allclose(runs[1].last.w, runs[0].last.w, atol=1e-5)
        np.testing.assert_allclose(runs[1].history.train_loss, runs[0].history.train_loss, rtol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shuffle", [True, False, "once"])
def test_a_sweeps_runs_are_those_of_train_whichever_stop(kind, shuffle):
    """Rates and penalties trained together; they stop at different times, and one diverges."""
    data, settings = SETS[kind], SETTINGS | dict(shuffle=shuffle, patience=3, train_accuracy_every=2)
    rates, lams = (0.3, 0.001, 0.02), (0.0, 0.5, 1e300)
    with pytest.warns(RuntimeWarning, match="diverged"):
        runs = sweep(kind, data, workers=1, **settings | dict(learning_rate=rates, lam=lams))
    assert list(runs) == [(rate, lam) for rate in rates for lam in lams[:2]]
    assert set(runs.failed) == {(rate, 1e300) for rate in rates}
    assert len({run.steps for run in runs.values()}) > 1
    for (rate, lam), run in runs.items():
        single = train(kind(lam), data, **settings | dict(learning_rate=rate))
        assert (run.steps, run.best_step, run.settings) == (single.steps, single.best_step, single.settings)
        for name, measured in vars(run.history).items():
            np.testing.assert_allclose(measured, getattr(single.history, name), rtol=1e-8, err_msg=name)
        np.testing.assert_allclose(run.last.w, single.last.w, rtol=1e-8, atol=1e-12)
        np.testing.assert_allclose(run.best.w, single.best.w, rtol=1e-8, atol=1e-12)


def test_a_sweeps_keys_have_what_was_given_several_times_in_that_order():
    data = SETS[LogisticRegression]
    short = dict[str, Any](learning_rate=0.02, epochs=1, progress=False, workers=1)
    runs = sweep(LogisticRegression, {"a": data, "b": data}, seed=[1, 2], batch_size=(10, 20), **short)
    assert list(runs) == [(name, seed, size) for name in "ab" for seed in (1, 2) for size in (10, 20)]
    assert runs["b", 2, 20].settings | dict(seed=2, batch_size=20, lam=0.0) == runs["b", 2, 20].settings
    assert list(sweep(LogisticRegression, data, lam=np.array([0.0, 0.5]), **short)) == [0.0, 0.5]
    assert list(sweep(LogisticRegression, data, seed=7, **short)) == [()]


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

    for name in ("training", "engine"):
        monkeypatch.setattr(importlib.import_module(f"assignment1.{name}"), "progress", bar)
    monkeypatch.setattr(engine.Trainer, "update", counted(engine.Trainer.update))
    monkeypatch.setattr(LogisticRegression, "gradient", counted(LogisticRegression.gradient))
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
    X, start = data.X.astype(dtype), np.zeros((785, 10, 2), dtype)
    for column, (low, high) in {300: (-0.6, 0.2), 301: (-0.2, 0.6), 302: (0.2, 0.6)}.items():
        X[:, column] = np.clip(X[:, column], low, high)
    varies = X.std(axis=0) > 1e-6
    inputs = CompactInputs(X, start)
    assert inputs.largest[[(varies[:n]).sum() for n in (300, 301, 302)]].tolist() == [153, 153, 153]
    assert inputs.unit == 255 and inputs.varying.dtype == np.int16
    np.testing.assert_array_equal(inputs.fixed, ~varies)
    np.testing.assert_array_equal(inputs.varying, np.rint(255 * X[:, varies]))
    one = 255 * np.sqrt((~varies).sum())  # the column of those that never vary, of the same length
    np.testing.assert_allclose(inputs.largest, [*np.abs(inputs.varying).max(axis=0), one], rtol=1e-6)
    taken = inputs.take(slice(3, 9), dtype)
    assert taken.dtype == dtype and inputs.take([1, 2], np.float32).dtype == np.float32
    W = RNG.normal(size=(len(inputs.largest), 10, 2)).astype(dtype)
    full = inputs.expand(W)
    assert full.dtype == dtype and full.shape == (785, 10, 2)
    np.testing.assert_allclose(
        np.tensordot(X[3:9], full, 1),
        np.tensordot(taken, W, 1),
        rtol=1e-3,
        atol=0.5 if dtype == np.float32 else 1e-8,
    )
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
        fast = engine.Batches(inputs, part.Y, settings)
        assert fast.gathered.dtype == inputs.varying.dtype and fast.X.dtype == dtype
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
        waited.append(len(self.pending) * self.W[0].size)
        assert {self.W.dtype, self.lam.dtype, self.rate.dtype} == {np.dtype(np.float32)}
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


def test_a_watcher_sees_the_log_of_a_plain_run_and_may_end_it():
    seen: list[int] = []

    def watcher(log):
        seen.append(len(log.train_loss))
        return len(log.train_loss) == 4

    with watched(watcher):
        run = train(LogisticRegression(), SETS[LogisticRegression], **SETTINGS | dict(method="plain"))
    assert sorted(set(seen)) == [1, 2, 3, 4] and run.interrupted is True and run.steps == 4


def test_a_softmax_of_two_classes_is_one_too():
    class Two(SoftmaxRegression):
        K = 2

    split = dataset(1).train
    two = Split(split.X, one_hot(split.Y[:, 0].astype(int), 2))
    model = Two(0.1).copy(RNG.normal(0, 0.01, (785, 2)))
    assert complex_step_error(model, *two, checks=50) < 1e-12
    run = train(Two(), Dataset(two, two, lambda: two), **SETTINGS)
    both = two.Y.copy()
    both[5] = 1
    with pytest.raises(ValueError, match="row 5"):
        model.loss(two.X, both)
    found = run.last.predict(two.X)
    assert found.dtype.kind == "i" and found.tolist() == run.last.forward(two.X).argmax(axis=1).tolist()
    assert (found == split.Y[:, 0]).mean() > 0.9


def test_pixels_are_whole_numbers_and_what_is_no_pixel_stays_as_it_is():
    X = SETS[SoftmaxRegression].train.X
    for dtype in (np.float64, np.float32):
        numbers, unit = as_whole_numbers(X.astype(dtype))
        assert numbers.dtype == np.int16 and unit == 255
        np.testing.assert_array_equal(numbers, np.rint(255 * X))
    for change in (1e-3, np.nan, 1e9):
        other = X.copy()
        other[-1, 3] += change
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


@pytest.mark.parametrize("kind", KINDS)
def test_many_models_at_once_are_each_model_alone(kind):
    split, rng = SETS[kind].train, np.random.default_rng(0)
    models = [kind(lam).copy(rng.normal(0, 0.05, (785, kind.K))) for lam in (0.0, 2.0)]
    losses, accuracies = evaluation.scores(models, split)
    np.testing.assert_allclose(losses, [model.loss(*split) for model in models], rtol=1e-12)
    assert accuracies == [model.accuracy(*split) for model in models]
    for i, model in enumerate(models):
        found = evaluation.gradients(models, split)[..., i]
        np.testing.assert_allclose(found, model.gradient(*split), rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("kind", KINDS)
def test_the_objective_and_its_gradient_are_the_equations(kind):
    """By central differences over all weights, and by a formula."""
    model, split = kind(0.7).copy(RNG.normal(0, 0.05, (785, kind.K))), SETS[kind].train
    assert model.objective(*split) == model.loss(*split) + 0.7 * np.square(model.w).sum()
    direction, h = RNG.normal(size=model.w.shape), 1e-5
    up, down = (model.copy(model.w + step * direction).objective(*split) for step in (h, -h))
    assert (up - down) / (2 * h) == pytest.approx((model.gradient(*split) * direction).sum(), rel=1e-6)


def test_predictions_are_the_likeliest_digits_of_images_as_they_come():
    pixels = RNG.integers(0, 256, (30, 28, 28))
    for kind in KINDS:
        model = kind().copy(RNG.normal(size=(785, kind.K)))
        P = model.probabilities(pixels)
        np.testing.assert_array_equal(P, model.forward(preprocess(pixels)))
        found, likeliest = model.predict(pixels), P.argmax(axis=1) if kind.K > 1 else (P[:, 0] >= 0.5) * 1
        assert found.tolist() == model.predict(preprocess(pixels)).tolist() == likeliest.tolist()
        assert len(set(found.tolist())) > 1 and found.dtype.kind == "i"
    assert LogisticRegression().predict(pixels).tolist() == [1] * 30  # a tie is a 1


def test_a_gradient_check_draws_different_weights_by_its_seed():
    class OneWrong(LogisticRegression):
        def gradient(self, X, Y):
            wrong = super().gradient(X, Y)
            wrong[7] += 1
            return wrong

    class AllWrong(LogisticRegression):
        def gradient(self, X, Y):
            return super().gradient(X, Y) + np.arange(785)[:, None]

    X, Y = (a[:3] for a in SETS[LogisticRegression].train)
    for check in (complex_step_error, central_difference_error):
        worst = [round(check(AllWrong(), X, Y, checks=5, seed=seed)) for seed in (0, 0, 1, 2)]
        assert worst[0] == worst[1] == round(check(AllWrong(), X, Y, checks=5)) and len(set(worst)) == 3
        assert check(OneWrong(), X, Y, checks=785) == pytest.approx(1, abs=1e-3)  # each weight once
        found = [check(OneWrong(), X, Y, checks=400, seed=seed) > 0.5 for seed in range(8)]
        assert set(found) == {True, False}
        assert check(OneWrong(), X, Y, checks=400) == check(OneWrong(), X, Y, checks=400, seed=0)


def test_the_runs_of_a_sweep_are_dealt_to_all_workers_and_each_once():
    data, lams = SETS[LogisticRegression], tuple(map(float, range(25)))
    given = dict(lam=lams, learning_rate=0.01, epochs=1, seed=[0, 1])
    keys, groups = _points(data, given)
    assert len(groups) == 2  # one a seed: penalties share batches, and so do rates
    assert len(_points(data, dict(learning_rate=[0.1, 0.2], epochs=1, lam=(0.0, 1.0)))[1]) == 1
    assert len(_points(data, dict(learning_rate=0.1, epochs=[1, 2]))[1]) == 2
    for workers in (1, 2, 7):
        jobs = _jobs(groups, workers)
        assert sorted(key for _, points in jobs for key, *_ in points) == sorted(keys)
        assert len(jobs) >= workers and max(len(points) for _, points in jobs) <= TOGETHER
        assert len(jobs) <= 2 * -(-25 // min(TOGETHER, -(-50 // workers)))
        by_weight = [sum(lam for _, lam, _ in points) / len(points) for _, points in jobs]
        assert max(by_weight) - min(by_weight) < 8


def test_dealt_out_each_job_has_small_and_large_penalties_whatever_the_keys_start_with():
    data, lams = SETS[LogisticRegression], [3.0, 1.0, 0.0, 2.0]
    _, groups = _points(data, dict(learning_rate=np.linspace(0.1, 1, 10), lam=lams, epochs=1))
    jobs = _jobs(groups, 4)
    means = [sum(lam for _, lam, _ in points) / len(points) for _, points in jobs]
    assert [len(points) for _, points in jobs] == [10] * 4 and means == [1.5] * 4


def test_the_runs_of_an_interrupted_sweep_say_what_is_left():
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
    points = [(1, 0.0, Settings(0.1, 1, 10)), (2, 0.5, Settings(0.1, 1, 10))]
    STOP.set()  # in a worker: nothing is begun any more
    try:
        assert _train((LogisticRegression, (data.train, data.validation)), points, False) == [None, None]
    finally:
        STOP.clear()


def test_a_failed_run_names_its_error_and_its_settings_and_other_data_are_made_in_the_worker():
    nothing: dict[str, Any] = {}
    sets: dict[str, Any] = {"made": lambda: SETS[LogisticRegression], "not": lambda: nothing["nothing"]}
    with pytest.warns(RuntimeWarning, match=r"run 'not' failed: KeyError: 'nothing'; with .*'lam': 0.25\}"):
        runs = sweep(LogisticRegression, sets, lam=0.25, workers=1, **SETTINGS)
    assert list(runs) == ["made"]
    with pytest.raises(ValueError, match="KeyError: 'nothing'"):
        runs["not"]
    with pytest.raises(KeyError, match="'other' is no run of this sweep; its runs are 'made'"):
        runs["other"]
