"""What a right input is: every public function refuses the rest by name, or gives the numbers of floats."""

import itertools
from dataclasses import replace
from typing import Any

import mpmath
import numpy as np
import pytest

from assignment1 import LogisticRegression, SoftmaxRegression, arguments, load_mnist, train
from assignment1.gradcheck import gradient_errors
from assignment1.mnist import Dataset, Split, one_hot, preprocess

RNG = np.random.default_rng(0)
X = preprocess(RNG.integers(0, 256, (200, 28, 28)))
BINARY, ONE_HOT = RNG.integers(0, 2, (200, 1)).astype(float), one_hot(RNG.integers(0, 10, 200))
MODELS: list[Any] = [LogisticRegression().copy(RNG.normal(0, 0.05, (785, 1)))]
MODELS += [SoftmaxRegression(0.1).copy(RNG.normal(0, 0.05, (785, 10)))]
WAYS: tuple[Any, ...] = ("plain", "fast")
SETTINGS: dict[str, Any] = dict(learning_rate=0.05, epochs=2, progress=False)


def targets(model):
    return BINARY if model.w.shape[1] == 1 else ONE_HOT


@pytest.mark.parametrize("value", [True, False])
def test_a_truth_value_of_numpy_is_one(value):
    assert arguments.choice("shuffle", np.bool_(value), (True, False, "once")) is value


def both(part):
    return Dataset(part, part, lambda: part)


def with_value(array, value):
    changed = array.copy()
    changed[3, 0] = value
    return changed


@pytest.mark.parametrize("model", MODELS, ids=lambda m: type(m).__name__)
@pytest.mark.parametrize("kind", [bool, np.int8, np.uint8, np.int64, np.float32, ">f8"])
def test_targets_of_any_numeric_kind_give_the_numbers_of_floats(model, kind):
    Y = targets(model)
    for method in (model.loss, model.accuracy, model.objective, model.gradient):
        np.testing.assert_array_equal(method(X, Y.astype(kind)), method(X, Y))
    for way in WAYS:
        runs = [
            train(model, both(part), batch_size=50, method=way, **SETTINGS)
            for part in (Split(X, Y), Split(X, Y.astype(kind)))
        ]
        np.testing.assert_array_equal(runs[0].last.w, runs[1].last.w)


BAD_TARGETS = [
    (lambda Y: Y[:, 0], r"Y has shape \(200,\)"),
    (lambda Y: Y.T, r"Y has shape \(\d+, 200\)"),
    (lambda Y: Y[:100], r"Y has shape \(100, \d+\)"),
    (lambda Y: np.hstack([Y, Y]), "Y has shape"),
    (lambda Y: 1.0, r"Y has shape \(\)"),
    (lambda Y: with_value(Y, 0.5), "Y has 0.5 in row 3, column 0; expected 0 or 1"),
    (lambda Y: with_value(Y, -1), "Y has -1.0 in row 3"),
    (lambda Y: with_value(Y, np.nan), "Y has nan in row 3"),
    (lambda Y: Y.astype(complex), "Y has dtype complex128"),
    (lambda Y: Y.astype(str), "Y has dtype <U"),
]
BAD_INPUTS = [
    (lambda X: X[:, :784], r"X has shape \(200, 784\).*bias column"),
    (lambda X: X[0], r"X has shape \(785,\)"),
    (lambda X: X[:0], "X has no images"),
    (lambda X: with_value(X, np.nan), "X has nan in row 3, column 0"),
    (lambda X: with_value(X, -np.inf), "X has -inf in row 3, column 0"),
    (lambda X: X.astype(int), "X has dtype int64.*preprocess"),
    (lambda X: X.astype(complex), "X has dtype complex128"),
    (lambda X: X.tolist(), "X has type list"),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda m: type(m).__name__)
@pytest.mark.parametrize("change, message", BAD_TARGETS)
def test_wrong_targets_are_named_by_every_method(model, change, message):
    Y = change(targets(model))
    for method in (model.loss, model.accuracy, model.objective, model.gradient):
        with pytest.raises(ValueError, match=message):
            method(X, Y)
    with pytest.raises(ValueError, match=message):
        gradient_errors(model, X, Y)


@pytest.mark.parametrize("change, message", BAD_INPUTS)
def test_wrong_inputs_are_named_by_every_method(change, message):
    model = MODELS[1]
    for of_inputs in (model.logits, model.forward):
        with pytest.raises(ValueError, match=message):
            of_inputs(change(X))
    for of_both in (model.loss, model.accuracy, model.objective, model.gradient):
        with pytest.raises(ValueError, match=message):
            of_both(change(X), ONE_HOT)


@pytest.mark.parametrize("part", ["train", "validation"])
@pytest.mark.parametrize("method", WAYS)
@pytest.mark.parametrize("bad, message", [(BAD_TARGETS[5], "Y of the"), (BAD_INPUTS[3], "X of the")])
def test_training_says_which_split_is_wrong_before_it_starts(part, method, bad, message):
    whole = Split(X, ONE_HOT)
    wrong = Split(X, bad[0](ONE_HOT)) if "Y" in message else Split(bad[0](X), ONE_HOT)
    splits: dict[str, Any] = {part: wrong}
    data = replace(both(whole), **splits)
    word = {"train": "training", "validation": "validation"}[part]
    with pytest.raises(ValueError, match=f"{message} {word} data has"):
        train(MODELS[1], data, batch_size=50, method=method, **SETTINGS)


def test_a_model_and_data_of_another_number_of_outputs_are_refused():
    mnist = load_mnist()
    with pytest.raises(ValueError, match=r"shape \(4005, 1\); expected \(4005, 10\).*10 outputs"):
        train(SoftmaxRegression(), mnist.binary(2, 3), **SETTINGS)
    with pytest.raises(ValueError, match=r"shape \(20000, 10\); expected \(20000, 1\).*1 output$"):
        train(LogisticRegression(), mnist.softmax(), **SETTINGS)


def test_no_validation_images_and_weights_that_are_not_finite_are_refused():
    whole = Split(X, ONE_HOT)
    with pytest.raises(ValueError, match="X of the validation data has no images"):
        train(MODELS[1], Dataset(whole, Split(X[:0], ONE_HOT[:0]), lambda: whole), batch_size=50, **SETTINGS)
    broken = MODELS[1].copy(with_value(MODELS[1].w, np.nan))
    with pytest.raises(ValueError, match="weights have NaN"):
        train(broken, Dataset(whole, whole, lambda: whole), batch_size=50, **SETTINGS)


@pytest.mark.parametrize("method", WAYS)
def test_a_run_of_one_step_that_overflows_is_an_error_and_no_run(method):
    part = Split(X, ONE_HOT)
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match="at step 0"):
        settings = SETTINGS | dict(learning_rate=1e308, epochs=1, batch_size=200, method=method)
        train(MODELS[1], both(part), **settings)


def test_numpys_numbers_count_as_pythons():
    part = Split(X, ONE_HOT)
    data, plain = both(part), SETTINGS | dict(batch_size=50, shuffle=False, patience=3)
    kinds = dict[str, Any](learning_rate=np.float32(0.05), epochs=np.int64(2), batch_size=np.uint8(50))
    kinds |= dict(shuffle=np.False_, patience=np.int8(3), seed=np.int32(0))
    run = train(MODELS[1], data, **SETTINGS | kinds)
    assert (
        run.settings == train(MODELS[1], data, **plain | dict(learning_rate=float(np.float32(0.05)))).settings
    )
    assert {type(value) for value in run.settings.values()} == {int, float, bool}
    assert SoftmaxRegression(np.float64(0.1)).lam == 0.1


@pytest.mark.parametrize("lam", [-1, np.nan, np.inf, "1", None, True])
def test_a_penalty_that_is_no_number_of_at_least_0_is_refused(lam):
    with pytest.raises(ValueError, match=r"lam is .*; expected a finite number of at least 0"):
        SoftmaxRegression(lam)


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS, ids=lambda m: type(m).__name__)
def test_a_gradient_check_never_passes_what_is_not_finite(model):
    class Broken(type(model)):  # type: ignore[misc]
        def gradient_at(self, z, X, Y):
            return with_value(super().gradient_at(z, X, Y), np.nan)

    broken = Broken(model.lam).copy(model.w)
    infinite = model.copy(with_value(model.w, np.nan))
    for wrong in (broken, infinite):
        with np.errstate(all="ignore"):
            errors = gradient_errors(wrong, X[:20], targets(model)[:20])
        assert not errors.central < 1 and not errors.complex_step < 1
    assert gradient_errors(model, X[:20], targets(model)[:20]).central < 1e-4


@pytest.mark.parametrize("dtype", [">f8", int, np.float16, complex])
def test_only_float32_and_float64_are_made(dtype):
    for make in (lambda: preprocess(np.zeros((2, 784), int), dtype), lambda: one_hot([1], 10, dtype)):
        with pytest.raises(ValueError, match="expected float32 or float64"):
            make()


@pytest.mark.parametrize("shape", [(5, 14, 56), (784,), (28,), (3, 783), (28, 28, 1), (2, 28, 28, 1)])
def test_only_images_of_28_by_28_are_prepared(shape):
    with pytest.raises(ValueError, match="images have shape"):
        preprocess(np.zeros(shape, int))
    image = RNG.integers(0, 256, (28, 28))
    np.testing.assert_array_equal(preprocess(image), preprocess(image.reshape(1, 784)))


SCALES: list[tuple[Any, float]] = [(np.float64, scale) for scale in (1e-300, 1e-8, 1, 30, 1e6, 1e150, 1e300)]
SCALES += [(np.float32, scale) for scale in (1e-30, 1e-4, 1, 30, 1e6, 1e30)]


@pytest.mark.slow
def test_losses_and_probabilities_of_any_logits_agree_with_sixty_digits(tried):
    """In both precisions, to some units in the last place; neither overflows nor takes the logarithm of 0."""
    cases = 0
    for kind, (dtype, scale) in itertools.product((LogisticRegression, SoftmaxRegression), SCALES):
        K, eps, tiny = kind.K, float(np.finfo(dtype).eps), float(np.finfo(dtype).tiny)
        z = (RNG.normal(size=(20, K)) * scale).astype(dtype)
        z[0] = np.abs(z).max()  # a tie
        Y = np.eye(10)[RNG.integers(0, 10, 20)] if K > 1 else RNG.integers(0, 2, (20, 1)).astype(float)
        Y = Y.astype(dtype)
        with np.errstate(all="raise", under="ignore"):
            losses, shares = kind.cross_entropy(z, Y), kind.activation(z)
        assert losses.dtype == shares.dtype == dtype
        with mpmath.workdps(60):
            for logits, y, loss, P in zip(z, Y, losses, shares, strict=True):
                exact = [mpmath.mpf(float(value)) for value in logits]
                all_of_them = exact if K > 1 else [*exact, mpmath.mpf(0)]
                top = max(all_of_them)
                total = sum(mpmath.exp(value - top) for value in all_of_them)
                right = mpmath.log(total) + (top - sum(value for value, t in zip(exact, y, strict=True) if t))
                assert abs(float(loss) - right) <= 16 * eps * max(1, abs(right))
                for value, p in zip(exact, P, strict=True):
                    share = mpmath.exp(value - top) / total
                    unit = eps * (
                        16 + min(abs(value - top), 1000)
                    )  # the difference's rounding is in its power
                    assert abs(float(p) - share) <= unit * share + tiny
                cases += 1
    tried("Logits of 1e-300 to 1e300, in float32 to 1e30", cases, "losses and probabilities as to 60 digits")
