"""Calls that cannot be right: one line that names the argument, and never a number."""

import os
import sys
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from joblib.externals.loky import get_reusable_executor

from assignment1 import LogisticRegression, Run, SoftmaxRegression, load_mnist, sweep, train
from assignment1.fast import evaluation
from assignment1.gradcheck import gradient_errors
from assignment1.mnist import MNIST, Dataset, Split, one_hot, preprocess
from assignment1.run import History, Settings
from assignment1.training import gradient_descent

RNG = np.random.default_rng(0)
X = preprocess(RNG.integers(0, 256, (60, 28, 28)))
BINARY, Y = RNG.integers(0, 2, (60, 1)).astype(float), one_hot(RNG.integers(0, 10, 60))
SPLIT = Split(X, Y)
DATA = Dataset(SPLIT, SPLIT, lambda: SPLIT)
TWO = Dataset(Split(X, BINARY), Split(X, BINARY), lambda: SPLIT)
LOGISTIC = LogisticRegression().copy(RNG.normal(0, 0.05, (785, 1)))
MODEL = SoftmaxRegression(0.1).copy(RNG.normal(0, 0.05, (785, 10)))
SETTINGS: dict[str, Any] = dict(learning_rate=0.05, epochs=1, batch_size=20, progress=False)
ANY: Any = None


def odd(value: Any) -> Any:
    """Return a value of a kind that the types would not allow."""
    return value


class Unspeakable:
    def __repr__(self):
        raise RuntimeError("no words")


class Turned(SoftmaxRegression):
    def gradient_at(self, z, X, Y):
        return super().gradient_at(z, X, Y).T


class Narrow(SoftmaxRegression):
    def gradient_at(self, z, X, Y):
        return super().gradient_at(z, X, Y)[:, :1]


class Single(SoftmaxRegression):
    @staticmethod
    def activation(z):
        return z[:, :1]


STRANGE = [
    10**400,
    -(10**5000),
    np.zeros((100, 100)),
    np.array(2),
    Unspeakable(),
    "2",
    b"2",
    2j,
    [2],
    None,
    "x\ny" * 999,
]
NO_NUMBERS = [
    "learning_rate",
    "epochs",
    "batch_size",
    "checks_per_epoch",
    "seed",
    "shuffle",
    "method",
    "progress",
]


def one_line(error):
    message = str(error.value)
    assert "\n" not in message and len(message) < 400 and "expected" in message, message
    return message


@pytest.mark.parametrize("name", [*NO_NUMBERS, "patience", "train_accuracy_every"])
def test_a_setting_of_any_other_kind_is_named_in_one_line(name):
    for value in STRANGE:
        fits = value is None and name in ("patience", "train_accuracy_every")
        fits |= value == 10**400 if name in ("seed", "checks_per_epoch") and isinstance(value, int) else False
        fits |= (
            isinstance(value, int) and value > 0 and name in ("epochs", "patience", "train_accuracy_every")
        )
        if not fits:
            with pytest.raises(ValueError, match=f"^{name} is ") as error:
                train(MODEL, DATA, **SETTINGS | {name: value})
            one_line(error)


@pytest.mark.parametrize("name", ["patience", "train_accuracy_every", "checks_per_epoch", "seed"])
def test_a_count_may_have_any_number_of_digits(name):
    assert train(MODEL, DATA, **SETTINGS | {name: 10**400}).steps == 3


def test_a_number_too_small_or_too_large_for_a_float_is_refused():
    assert SoftmaxRegression(odd(Fraction(1, 4))).lam == 0.25
    for number in (Fraction(1, 10**400), 10**400, np.longdouble("1e4000")):
        with pytest.raises(ValueError, match=r"^lam is .*expected a finite number of at least 0"):
            SoftmaxRegression(number)  # type: ignore[arg-type]


MASKED = np.ma.masked_array(X, X > 0.9)
BAD_WEIGHTS = [
    np.zeros((10, 785)),
    np.zeros(785),
    np.zeros((785, 1)),
    np.zeros((784, 10)),
    np.zeros((785, 10), int),
    np.zeros((785, 10), complex),
    np.zeros((785, 10), np.float16),
    np.zeros((785, 10), ">f8"),
    np.zeros((785, 10)).tolist(),
    None,
]


@pytest.mark.parametrize("w", BAD_WEIGHTS, ids=lambda w: f"{getattr(w, 'dtype', '')}{np.shape(w)}")
def test_weights_that_are_none_are_refused_where_they_come_in(w):
    model: Any = SoftmaxRegression()
    with pytest.raises(ValueError, match=r"^w is .*expected an array \(785, 10\)") as error:
        model.copy(w)
    one_line(error)
    with pytest.raises(ValueError, match=r"^w is "):
        model.w = w
    with pytest.raises(ValueError, match=r"^lam is -1"):
        model.lam = -1
    assert (model.lam, model.w.shape) == (0, (785, 10))


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e308])
def test_what_is_not_finite_predicts_nothing(value):
    models = [MODEL.copy(np.full((785, 10), value)), LOGISTIC.copy(np.full((785, 1), value))]
    with np.errstate(all="ignore"):
        for model, targets in zip(models, (Y, BINARY), strict=True):
            assert np.isnan(model.accuracy(X, targets)) and not np.isfinite(model.loss(X, targets))
            assert not np.isfinite(evaluation.evaluate([model], Split(X, targets)).loss).all()
        with pytest.raises(ValueError, match="outputs are not finite"):
            models[0].predict(X)
    assert "norm" in repr(models[0])


def test_infinite_weights_of_an_epoch_are_no_start():
    class Infinite(SoftmaxRegression):
        def __init__(self, lam):
            super().__init__(lam)
            self.w = self.w + (np.inf if lam else 0)

    with pytest.warns(RuntimeWarning, match="weights have NaN or infinity"):
        assert list(sweep(Infinite, DATA, lam=(0.0, 0.1), workers=1, **SETTINGS)) == [0.0]


TWO_ONES = np.outer(np.arange(60) == 3, np.arange(10) < 2)
CALLS: list[tuple[Any, type[Exception], str]] = [
    (
        lambda: train(ANY, DATA, **SETTINGS),
        TypeError,
        r"model is None; expected a Regression, such as Softmax",
    ),
    (lambda: train(odd(SoftmaxRegression), DATA, **SETTINGS), TypeError, "model is <class"),
    (
        lambda: train(MODEL, ANY, **SETTINGS),
        TypeError,
        "data is None; expected a Dataset, such as load_mnist",
    ),
    (lambda: train(MODEL, odd(load_mnist()), **SETTINGS), TypeError, "data is MNIST: "),
    (lambda: train(MODEL, odd((SPLIT, SPLIT)), **SETTINGS), TypeError, r"data is \("),
    (
        lambda: train(MODEL, Dataset(ANY, SPLIT, ANY), **SETTINGS),
        ValueError,
        "the training data is of type None",
    ),
    (lambda: train(MODEL, Dataset(SPLIT, odd(X), ANY), **SETTINGS), ValueError, "the validation data is"),
    (lambda: gradient_descent(MODEL, DATA, ANY), TypeError, "settings is None; expected a Settings"),
    (lambda: gradient_descent(MODEL, TWO, Settings(0.1, 1, 20)), ValueError, r"shape \(60, 1\)"),
    (lambda: gradient_descent(MODEL, DATA, Settings(0.1, 1, 61)), ValueError, "batch_size is 61.*1 to 60"),
    (lambda: Settings(1, 1, patience=odd("a")), ValueError, "patience is 'a'"),
    (lambda: Settings(1, 1, patience=0), ValueError, "patience is 0"),
    (lambda: MODEL.loss(MASKED, Y), ValueError, "X is a masked array"),
    (lambda: MODEL.loss(X, np.ma.masked_array(Y, Y > 0)), ValueError, "Y is a masked array"),
    (lambda: MODEL.loss(X, odd([[1], [1, 2]])), ValueError, "Y is .*all rows of one length"),
    (lambda: MODEL.predict(odd([[1], [1, 2]])), ValueError, "images is .*all rows of one length"),
    (lambda: MODEL.predict(np.zeros((2, 785), int)), ValueError, "X has dtype int64"),
    (lambda: MODEL.loss(X, 0 * Y), ValueError, r"Y's row 0 is \[0\. .*expected a single 1, .*one_hot"),
    (lambda: MODEL.loss(X, odd(Y.astype(int) | TWO_ONES)), ValueError, r"Y's row 3 is \[1 1 .*a single 1"),
    (lambda: LOGISTIC.cross_entropy(X @ LOGISTIC.w, BINARY[:, 0]), ValueError, r"\(60, 1\) and Y \(60,\)"),
    (lambda: LOGISTIC.cross_entropy(X @ MODEL.w, Y), ValueError, r"expected \(N, 1\) for both"),
    (lambda: LOGISTIC.correct((X @ LOGISTIC.w)[:, 0], BINARY[:, 0]), ValueError, r"expected \(N, 1\)"),
    (lambda: LOGISTIC.correct(X @ LOGISTIC.w, BINARY[:, 0]), ValueError, "z has shape"),
    (lambda: MODEL.cross_entropy(X @ MODEL.w, BINARY), ValueError, r"expected \(N, K\) for both"),
    (lambda: MODEL.correct(X @ MODEL.w, Y[:30]), ValueError, r"\(60, 10\) and Y \(30, 10\)"),
    (lambda: MODEL.correct(X @ MODEL.w, BINARY), ValueError, "z has shape"),
    (lambda: evaluation.evaluate([MODEL], TWO.train), ValueError, r"Y of the split has shape \(60, 1\)"),
    (lambda: evaluation.evaluate([MODEL], Split(X, 2 * Y)), ValueError, "Y of the split has 2.0"),
    (lambda: evaluation.evaluate([MODEL], Split(X[:0], Y[:0])), ValueError, "no images"),
    (lambda: evaluation.evaluate([MODEL], ANY), ValueError, "the split is of type NoneType; expected a pair"),
    (lambda: evaluation.evaluate([], SPLIT), ValueError, "models is empty; expected one model or several"),
    (
        lambda: evaluation.evaluate([MODEL, Turned()], SPLIT),
        ValueError,
        "SoftmaxRegression, Turned; .*of one kind",
    ),
    (lambda: evaluation.evaluate(odd([1]), SPLIT), TypeError, "a model is 1; expected a Regression"),
    (lambda: one_hot([1], 0), ValueError, "K is 0; expected a whole number, 1 or more"),
    (lambda: one_hot([1], odd(2.5)), ValueError, "K is 2.5"),
    (lambda: one_hot([1], True), ValueError, "K is True"),
    (lambda: one_hot([3], 3), ValueError, "labels lie in 3 to 3; expected 0 to 2"),
    (lambda: one_hot([-1]), ValueError, "labels lie in -1"),
    (lambda: one_hot([[1]]), ValueError, r"labels have shape \(1, 1\)"),
    (lambda: one_hot([True]), ValueError, "dtype bool"),
    (lambda: one_hot([1.0]), ValueError, "dtype float64"),
    (lambda: one_hot(odd([[1], [1, 2]])), ValueError, "labels is .*all rows of one length"),
    (lambda: one_hot(np.ma.masked_array([1, 2], [False, True])), ValueError, "labels is a masked array"),
    (lambda: one_hot([1], 10, "foo"), ValueError, "dtype is 'foo'; expected float32 or float64"),
    (lambda: preprocess(np.ma.zeros((2, 28, 28), int)), ValueError, "images is a masked array"),
    (lambda: preprocess(np.zeros((2, 28, 28), bool)), ValueError, "images have dtype bool"),
    (lambda: preprocess(np.full((2, 28, 28), -1)), ValueError, "pixels lie in -1 to -1"),
    (lambda: preprocess(np.full((2, 28, 28), 2**63, np.uint64)), ValueError, "pixels lie in 9"),
    (lambda: preprocess(np.zeros((2, 28, 28), int), odd([3])), ValueError, r"dtype is \[3\]"),
    (lambda: load_mnist().binary(odd("2"), 3), ValueError, "digit is '2'; expected a whole number, 0 to 9"),
    (lambda: load_mnist().binary(3, -1), ValueError, "digit is -1"),
    (lambda: load_mnist().binary(10, 3), ValueError, "digit is 10"),
    (lambda: load_mnist().binary(True, False), ValueError, "digit is True"),
    (lambda: load_mnist().binary(2, 2), ValueError, "both digits are 2"),
    (lambda: load_mnist().binary(2, 3, int), ValueError, "dtype is int64; expected float32 or float64"),
    (lambda: load_mnist().softmax("foo"), ValueError, "dtype is 'foo'"),
    (lambda: load_mnist(ANY), TypeError, "folder is None; expected a path"),
    (lambda: load_mnist(odd(5)), TypeError, "folder is 5; expected a path"),
    (lambda: gradient_errors(MODEL, X, Y, 0), ValueError, "epsilon is 0; expected"),
    (lambda: gradient_errors(MODEL, X, Y, np.nan), ValueError, "epsilon is nan"),
    (lambda: gradient_errors(MODEL, X, Y, True), ValueError, "epsilon is True"),
    (lambda: gradient_errors(ANY, X, Y), TypeError, "model is None"),
    (
        lambda: train(Narrow(), DATA, **SETTINGS),
        ValueError,
        r"gradient has shape \(785, 1\); expected \(785, 10\)",
    ),
    (lambda: train(Single(), DATA, **SETTINGS), ValueError, r"Y_hat has shape \(20, 1\) and Y \(20, 10\)"),
    (lambda: gradient_errors(Turned(), X, Y), ValueError, r"shape \(10, 785\); expected \(785, 10\)"),
    (lambda: sweep(odd(5), DATA, **SETTINGS), TypeError, "kind is 5; expected a class of models"),
    (lambda: sweep(odd(MODEL), DATA, **SETTINGS), TypeError, "kind is SoftmaxRegression"),
    (lambda: sweep(SoftmaxRegression, ANY, **SETTINGS), TypeError, "data is None; expected a Dataset"),
    (lambda: sweep(SoftmaxRegression, odd(SPLIT), **SETTINGS), TypeError, "data is 60 images"),
    (lambda: sweep(SoftmaxRegression, {"a": DATA, "b": ANY}, **SETTINGS), TypeError, r"data\['b'\] is None"),
    (lambda: sweep(SoftmaxRegression, {}, **SETTINGS), ValueError, "data is empty"),
    (lambda: sweep(SoftmaxRegression, DATA, lam={0.0, 1.0}, **SETTINGS), ValueError, r"lam is \{"),
    (lambda: sweep(SoftmaxRegression, DATA, lam=np.zeros((2, 2)), **SETTINGS), ValueError, r"lam is \[0"),
    (lambda: sweep(SoftmaxRegression, DATA, workers=odd(True), **SETTINGS), ValueError, "workers is True"),
    (lambda: sweep(SoftmaxRegression, DATA, **SETTINGS | dict(progress=1)), ValueError, "progress is 1"),
]


@pytest.mark.parametrize("call, kind, message", CALLS, ids=list(map(str, range(len(CALLS)))))
def test_a_call_that_cannot_be_right_is_refused_in_one_line(call, kind, message):
    with pytest.raises(kind, match=message) as error:
        call()
    assert type(error.value) is kind
    assert "\n" not in str(error.value)


def test_gradient_checks_of_what_overflows_are_not_finite():
    with np.errstate(all="ignore"):
        errors = gradient_errors(MODEL, X[:5] * 1e308, Y[:5])
    assert not errors.central < 1 and not errors.complex_step < 1
    assert gradient_errors(MODEL, X[:5], odd(Y[:5].tolist())).complex_step < 1e-12


def test_what_is_put_together_wrongly_still_says_what_it_is():
    for thing in (
        Split(ANY, ANY),
        Split(X[0], Y[0]),
        MNIST({}),
        Split(odd([]), odd([])),
        Dataset(ANY, ANY, ANY),
    ):
        assert type(thing).__name__ in repr(thing) or "MNIST" in repr(thing) or "NoneType" in repr(thing)
    assert "History" in repr(History(*[np.array([])] * 5))


class Exits(SoftmaxRegression):
    def __init__(self, lam):
        if lam == 1:
            sys.exit("no model")
        super().__init__(lam)


class Zero(SoftmaxRegression):
    @staticmethod
    def activation(z):
        return 0 * z


def kinds(lam: float) -> Any:
    return {0: SoftmaxRegression, 1: Zero, 2: LogisticRegression}.get(int(lam), lambda lam: lam)(lam)


def test_a_sweep_over_several_kinds_trains_each_as_its_own():
    with pytest.warns(RuntimeWarning, match="failed"):
        runs = sweep(kinds, DATA, lam=(0.0, 1.0, 2.0, 3.0), workers=1, **SETTINGS)
    assert list(runs) == [0.0, 1.0]
    for lam, kind in ((0.0, SoftmaxRegression), (1.0, Zero)):
        np.testing.assert_allclose(runs[lam].last.w, train(kind(lam), DATA, **SETTINGS).last.w, rtol=1e-9)
    assert "10 outputs" not in str(runs.failed[2.0]) and "1 output" in str(runs.failed[2.0])
    assert "the model is 3.0; expected a Regression" in str(runs.failed[3.0])


def test_a_model_or_data_that_would_end_the_process_costs_no_other_run():
    with pytest.warns(RuntimeWarning, match="run 1.0 failed: SystemExit: no model; with .*'lam': 1.0"):
        assert list(sweep(Exits, DATA, lam=(0.0, 1.0), workers=1, **SETTINGS)) == [0.0]
    sets: dict[str, Any] = {"whole": DATA, "ends": lambda: sys.exit(1)}
    with pytest.warns(RuntimeWarning, match="run 'ends' failed: SystemExit: 1"):
        assert list(sweep(SoftmaxRegression, sets, workers=1, **SETTINGS)) == ["whole"]


class MuteError(Exception):
    def __str__(self):
        raise RuntimeError("no words")


def test_an_error_without_words_costs_no_other_run():
    def failing(lam: float) -> SoftmaxRegression:
        if lam == 1:
            raise MuteError
        return SoftmaxRegression(lam)

    with pytest.warns(RuntimeWarning, match="run 1.0 failed: RuntimeError: no words; with .*'lam': 1.0"):
        runs = sweep(failing, DATA, lam=(0.0, 1.0, 2.0, 3.0), workers=1, **SETTINGS)
    assert list(runs) == [0.0, 2.0, 3.0]


def test_an_interrupt_that_no_signal_announced_is_no_result():
    def interrupted() -> Dataset:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(SoftmaxRegression, {"whole": DATA, "not": interrupted}, workers=1, **SETTINGS)


@pytest.mark.slow
def test_a_worker_that_is_killed_and_data_that_cannot_be_sent_cost_no_other_run(request):
    request.addfinalizer(lambda: get_reusable_executor().shutdown(wait=True, kill_workers=True))
    main, unsendable = os.getpid(), sys.stderr

    def deadly(lam: float) -> SoftmaxRegression:
        if lam == 1 and os.getpid() != main:
            os._exit(9)
        return SoftmaxRegression(lam)

    with pytest.warns(RuntimeWarning, match="run 1.0 failed: TerminatedWorkerError"):
        runs = sweep(deadly, DATA, lam=(0.0, 1.0, 2.0), workers=2, **SETTINGS)
    assert list(runs) == [0.0, 2.0] and all(isinstance(run, Run) for run in runs.values())
    sets: dict[str, Any] = {"sent": DATA, "not": lambda: unsendable and DATA}
    with pytest.warns(RuntimeWarning, match="run 'not' failed: .*pickle"):
        assert list(sweep(SoftmaxRegression, sets, workers=2, **SETTINGS)) == ["sent"]


class Mixin:
    def loss(self, X, Y):
        return 0.0


@pytest.mark.parametrize("bases", [(SoftmaxRegression,), (Mixin, SoftmaxRegression)])
def test_a_model_of_ones_own_does_not_define_what_training_never_calls(bases):
    words = "Own defines loss, which training does not use; define loss_at, gradient_at or accuracy_at"
    with pytest.raises(TypeError, match=words):
        type("Own", bases, {} if Mixin in bases else dict(loss=Mixin.loss))
