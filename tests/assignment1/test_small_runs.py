"""Training on a hundred small images, exactly: both ways, and sweeps, against a student's code."""

import runpy
import signal
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from joblib import effective_n_jobs, parallel_config

from assignment1 import LogisticRegression, Run, SoftmaxRegression, sweep, train
from assignment1.fast import engine, evaluation
from assignment1.fast.engine import DEFERRED, LOGGED, fast_descent, prepare
from assignment1.fast.train import descend
from assignment1.gradcheck import gradient_errors
from assignment1.mnist import MNIST, Dataset, Split, one_hot, preprocess
from assignment1.run import Settings
from assignment1.training import batches, gradient_descent
from small import KINDS, RNG, SETS, SETTINGS, WAYS, dataset, images

pytestmark = pytest.mark.slow

student = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "reference.py"))


@pytest.fixture(params=[1, 2])
def blas(request):
    """Evaluate in this thread, and in a second one, as the fast way does where BLAS has several."""
    with engine.BLAS.limit(limits=request.param):
        yield


def expected_run(kind: Any, data: Dataset, lam: float, order: Any, **settings: Any) -> dict[str, Any]:
    """Return a student's run; `order` (epochs, N) has the images in the order of each epoch."""

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
        np.random.default_rng = before


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


@pytest.mark.usefixtures("blas")
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


@pytest.mark.usefixtures("blas")
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
        losses = runs[1].history.train_loss
        assert (losses != losses.astype(np.float32)).any()  # means of float64
        np.testing.assert_allclose(runs[1].last.w, runs[0].last.w, atol=1e-5)
        np.testing.assert_allclose(runs[1].history.train_loss, runs[0].history.train_loss, rtol=1e-4)


@pytest.mark.usefixtures("blas")
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


@pytest.mark.usefixtures("blas")
@pytest.mark.parametrize("lams", [(0.0, 0.5), (0.0, 1e300, 0.5)])
@pytest.mark.parametrize("kind", KINDS)
def test_models_trained_together_are_each_as_alone_and_none_where_it_diverges(kind, lams):
    """Without the sweep, which would train again apart what fails together."""
    data = SETS[kind]
    models = [kind(lam) for lam in lams]
    settings = [Settings(0.02 * rate, 8, 10, patience=2) for rate in (1, 3, 2)[: len(lams)]]
    with np.errstate(all="ignore"):
        runs = fast_descent(models, prepare(models, data, settings[0]), settings, shown=False)
    assert [run is None for run in runs] == [lam > 1 for lam in lams]
    for run, model, own in zip(runs, models, settings, strict=True):
        if run is not None:
            alone = gradient_descent(model, data, own)
            assert (run.steps, run.settings) == (alone.steps, alone.settings)
            np.testing.assert_allclose(run.last.w, alone.last.w, rtol=1e-8, atol=1e-12)
            np.testing.assert_allclose(run.history.train_accuracy, alone.history.train_accuracy)


@pytest.mark.usefixtures("blas")
def test_a_run_whose_last_loss_overflows_and_whose_weights_do_not_is_left_to_the_plain_way():
    with np.errstate(all="ignore"):
        model, data = SoftmaxRegression(), SETS[SoftmaxRegression]
        settings = Settings(1e306, 1, 151)
        found = fast_descent([model], prepare([model], data, settings), [settings], shown=False)
    assert found == [None]


def test_the_seeds_of_a_sweep_share_what_is_prepared_for_them_and_are_the_runs_of_train(monkeypatch):
    prepared: list[Any] = []

    def counted(models, data, settings):
        prepared.append(len(models))
        return prepare(models, data, settings)

    data, settings = SETS[SoftmaxRegression], SETTINGS | dict(patience=2, learning_rate=0.3)
    singles = [train(SoftmaxRegression(), data, **settings | dict(seed=seed)) for seed in range(40)]
    monkeypatch.setattr("assignment1.fast.train.prepare", counted)
    runs = sweep(SoftmaxRegression, data, workers=1, **settings | dict(seed=range(40)))
    assert prepared == [10] * 4 and list(runs) == list(range(40))
    for single, run in zip(singles, runs.values(), strict=True):
        assert (run.steps, run.settings) == (single.steps, single.settings)
        np.testing.assert_array_equal(run.last.w, single.last.w)
        np.testing.assert_array_equal(run.history.validation_loss, single.history.validation_loss)


def test_a_stop_among_seeds_of_a_job_keeps_the_run_in_progress_and_leaves_the_rest():
    stop = Event()

    class Stopping(SoftmaxRegression):
        @staticmethod
        def activation(z):
            stop.set()
            return SoftmaxRegression.activation(z)

    settings = [Settings(0.02, 8, 10, seed=seed) for seed in range(3)]
    found = descend([Stopping()] * 3, SETS[SoftmaxRegression], settings, shown=False, stop=stop)
    assert found[0].interrupted and found[0].steps == 1 and found[1:] == [None, None]


def test_a_sweeps_keys_have_what_was_given_several_times_in_that_order():
    data = SETS[LogisticRegression]
    short = dict[str, Any](learning_rate=0.02, epochs=1, progress=False, workers=1)
    runs = sweep(LogisticRegression, {"a": data, "b": data}, seed=[1, 2], batch_size=(10, 20), **short)
    assert list(runs) == [(name, seed, size) for name in "ab" for seed in (1, 2) for size in (10, 20)]
    assert runs["b", 2, 20].settings | dict(seed=2, batch_size=20, lam=0.0) == runs["b", 2, 20].settings
    assert list(sweep(LogisticRegression, data, lam=np.array([0.0, 0.5]), **short)) == [0.0, 0.5]
    assert list(sweep(LogisticRegression, data, seed=7, **short)) == [()]


@pytest.mark.parametrize(
    "sets, bars",
    [
        ("a", [(3, "run", False, [3]), (8, "epoch", True, [1] * 8)]),
        ("ab", [(6, "run", True, [3, 3]), *[(8, "epoch", False, [1] * 8)] * 2]),
    ],
)
def test_one_bar_is_shown_of_the_runs_or_of_the_epochs_of_a_single_job(sets, bars, monkeypatch):
    made = []

    @contextmanager
    def bar(total, unit, shown):
        advances: list[int] = []
        made.append((total, unit, shown, advances))
        yield lambda n=1: advances.append(n)

    monkeypatch.setattr("assignment1.fast.sweep.progress_bar", bar)
    monkeypatch.setattr("assignment1.fast.engine.progress", bar)
    data = dict.fromkeys(sets, SETS[LogisticRegression])
    settings = {name: value for name, value in SETTINGS.items() if name != "progress"}
    sweep(LogisticRegression, data, lam=(0.0, 0.1, 0.2), workers=1, **settings)
    assert made == bars


@pytest.mark.parametrize("ambient, expected", [({}, min(effective_n_jobs(-1), 4)), ({"n_jobs": 3}, 3)])
def test_a_sweep_has_a_worker_for_each_core_or_as_many_as_joblib_is_told(ambient, expected, monkeypatch):
    made = []

    def parallel(**named):
        made.append(named)
        return lambda tasks: [function(*args, **more) for function, args, more in tasks]

    monkeypatch.setattr("assignment1.fast.sweep.Parallel", parallel)
    with parallel_config(backend="loky", **ambient):
        runs = sweep(LogisticRegression, SETS[LogisticRegression], lam=(0.0, 0.1, 0.2, 0.3), **SETTINGS)
    assert list(runs) == [0.0, 0.1, 0.2, 0.3]
    assert made == [{"n_jobs": expected, "return_as": "generator"}]


@pytest.mark.parametrize("backend", ["multiprocessing", "threading"])
def test_the_runs_of_a_sweep_go_to_joblibs_other_backends(backend):
    data = SETS[LogisticRegression]
    with parallel_config(backend=backend):
        runs = sweep(LogisticRegression, data, workers=2, **SETTINGS | dict(seed=range(3)))
    for seed, run in runs.items():
        alone = train(LogisticRegression(), data, **SETTINGS | dict(seed=seed))
        np.testing.assert_allclose(run.last.w, alone.last.w, rtol=1e-9, atol=1e-13)
    assert list(runs) == [0, 1, 2]


@pytest.mark.parametrize("method", WAYS)
def test_a_run_goes_the_way_that_is_asked_for(method, monkeypatch):
    calls: list[Any] = []

    def counted(models, data, settings, **named):
        calls.append(models)
        return [None]

    monkeypatch.setattr("assignment1.fast.train.fast_descent", counted)
    train(LogisticRegression(), SETS[LogisticRegression], method=method, **SETTINGS)
    assert len(calls) == (method == "fast")


def test_an_interrupt_between_runs_keeps_those_that_are_done_and_starts_no_other():
    data = SETS[LogisticRegression]

    def interrupting() -> Dataset:
        signal.raise_signal(signal.SIGINT)
        return data

    sets: dict[str, Any] = {"done": data, "last": interrupting, "left": data}
    runs = sweep(LogisticRegression, sets, keep=lambda run: run.steps, workers=1, **SETTINGS)
    assert runs == {"done": 120, "last": 120} and runs.left == ["left"] and runs.interrupted


@pytest.mark.usefixtures("blas")
@pytest.mark.parametrize("fast", [True, False])
def test_a_run_that_is_told_to_stop_ends_after_a_step(fast):
    stop, model = Event(), SoftmaxRegression()
    stop.set()
    data, settings = SETS[SoftmaxRegression], Settings(0.02, 8, 10)
    if fast:
        (run,) = descend([model], data, [settings], shown=False, stop=stop)
    else:
        run = gradient_descent(model, data, settings, stop=stop)
    assert isinstance(run, Run) and run.interrupted and run.steps == 1


def test_after_an_interrupt_no_other_run_is_begun_the_plain_way():
    stop = Event()

    class Interrupting(SoftmaxRegression):
        def gradient_at(self, z, X, Y):
            stop.set()
            return super().gradient_at(z, X, Y)

    models = [Interrupting(lam) for lam in (0.0, 0.1, 0.2)]
    first, *others = descend(
        models, SETS[SoftmaxRegression], [Settings(0.02, 8, 10)] * 3, shown=False, stop=stop
    )
    assert first.interrupted and others == [None, None]


def test_a_gradient_of_float64_leaves_a_run_in_the_precision_of_the_data():
    class Double(SoftmaxRegression):
        def gradient_at(self, z, X, Y):
            return super().gradient_at(z, X, Y).astype(np.float64)

    single = images(100, 10, np.float32)
    run = train(Double(), Dataset(single, single, lambda: single), **SETTINGS)
    assert run.last.w.dtype == run.best.w.dtype == np.float32


def test_runs_histories_and_data_are_compared_and_found_as_the_objects_that_they_are():
    data = SETS[LogisticRegression]
    run = train(LogisticRegression(), data, **SETTINGS)
    for one in (run, run.history, data, MNIST({})):
        assert one in {one} and one != copy(one)


def test_who_watches_a_run_sees_the_weights_of_each_step():
    seen: list[Any] = []
    settings = Settings(0.02, 2, 50)
    run = gradient_descent(
        SoftmaxRegression(),
        SETS[SoftmaxRegression],
        settings,
        watch=lambda log, model: seen.append((len(log.train_loss), model)),
    )
    assert [step for step, _ in seen] == [1, 2, 3, 4, 5, 6]
    np.testing.assert_array_equal(seen[-1][1].w, run.last.w)


def test_a_softmax_of_two_classes_is_one_too():
    class Two(SoftmaxRegression):
        K = 2

    split = dataset(1).train
    two = Split(split.X, one_hot(split.Y[:, 0].astype(int), 2))
    model = Two(0.1).copy(RNG.normal(0, 0.01, (785, 2)))
    assert gradient_errors(model, *two).complex_step < 1e-12
    run = train(Two(), Dataset(two, two, lambda: two), **SETTINGS)
    both = two.Y.copy()
    both[5] = 1
    with pytest.raises(ValueError, match="row 5"):
        model.loss(two.X, both)
    found = run.last.predict(two.X)
    assert found.dtype.kind == "i" and found.tolist() == run.last.forward(two.X).argmax(axis=1).tolist()
    assert (found == split.Y[:, 0]).mean() > 0.9


@pytest.mark.parametrize("kind", KINDS)
def test_many_models_at_once_are_each_model_alone(kind):
    split, rng = SETS[kind].train, np.random.default_rng(0)
    models = [kind(lam).copy(rng.normal(0, 0.05, (785, kind.K))) for lam in (0.0, 2.0)]
    found = evaluation.evaluate(models, split)
    assert found.correct.dtype == bool and found.loss.dtype == np.float64
    for model, correct, loss in zip(models, found.correct, found.loss, strict=True):
        z = split.X @ model.w
        np.testing.assert_array_equal(correct, model.correct(z, split.Y))
        np.testing.assert_allclose(loss, model.cross_entropy(z, split.Y), rtol=1e-9, atol=1e-13)


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


@pytest.mark.parametrize("kind", KINDS)
def test_predictions_are_those_that_the_accuracy_counts_where_the_outputs_tie_by_rounding(kind):
    X, Y = images(150, kind.K, np.float32)
    model = kind().copy(RNG.normal(0, 1e-9, (785, kind.K)).astype(np.float32))
    right = Y.argmax(axis=1) if kind.K > 1 else Y[:, 0]
    assert len(np.unique(model.probabilities(X))) < 5
    assert (model.predict(X) == right).mean() == model.accuracy(X, Y)


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
