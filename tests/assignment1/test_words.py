"""What is refused is told in these very words, and what is documented is so."""

import inspect
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from test_hostile_calls import (
    ANY,
    BINARY,
    DATA,
    LOGISTIC,
    MODEL,
    SETTINGS,
    SPLIT,
    TWO,
    Unspeakable,
    X,
    Y,
    odd,
)

from assignment1 import LogisticRegression, SoftmaxRegression, arguments, sweep, train
from assignment1.fast.evaluation import evaluate
from assignment1.fast.sweep import Kept, Runs
from assignment1.gradcheck import gradient_errors
from assignment1.mnist import MNIST, Dataset, Split, one_hot
from assignment1.run import History, Run, Settings
from assignment1.training import gradient_descent, trainable

MODEL_SAID = "expected a Regression, such as SoftmaxRegression()"
DATA_SAID = "expected a Dataset, such as load_mnist().softmax()"
KNOWN = (
    "batch_size, checks_per_epoch, epochs, lam, learning_rate, patience, seed, shuffle, train_accuracy_every"
)
ONE_LENGTH = "expected an array, all rows of one length"
FLOATS = "expected an array (785, 10) of float32 or float64"
WORDS: list[tuple[Any, str]] = [
    (lambda: gradient_errors(ANY, X, Y), f"model is None; {MODEL_SAID}"),
    (lambda: train(ANY, DATA, **SETTINGS), f"model is None; {MODEL_SAID}"),
    (lambda: evaluate([ANY], SPLIT), f"a model is None; {MODEL_SAID}"),
    (lambda: train(MODEL, ANY, **SETTINGS), f"data is None; {DATA_SAID}"),
    (
        lambda: gradient_descent(MODEL, DATA, ANY),
        "settings is None; expected a Settings, such as Settings(learning_rate=0.01, epochs=50)",
    ),
    (lambda: sweep(SoftmaxRegression, {"a": ANY}, **SETTINGS), f"data['a'] is None; {DATA_SAID}"),
    (
        lambda: sweep(SoftmaxRegression, DATA, keep=odd(5), **SETTINGS),
        "keep is 5; expected a function of a Run",
    ),
    (lambda: sweep(SoftmaxRegression, ANY, **SETTINGS), f"data is None; {DATA_SAID}"),
    (
        lambda: sweep(SoftmaxRegression, DATA, rate=1, zoo=2, **SETTINGS),
        f"sweep() has no setting 'rate'; it has {KNOWN}",
    ),
    (lambda: sweep(SoftmaxRegression, DATA), "sweep() needs epochs, one or several"),
    (lambda: sweep(SoftmaxRegression, DATA, epochs=1), "sweep() needs learning_rate, one or several"),
    (
        lambda: MODEL.copy(np.full((785, 10), np.nan)).predict(X),
        "the model's outputs are not finite; expected finite weights, not as large",
    ),
    (
        lambda: train(MODEL.copy(np.full((785, 10), np.nan)), DATA, **SETTINGS),
        "the model's weights have NaN or infinity in them; expected finite numbers",
    ),
    (
        lambda: train(MODEL, Dataset(odd(5), SPLIT, ANY), **SETTINGS),
        "the training data is of type int; expected a pair X, Y",
    ),
    (
        lambda: MODEL.loss(X, np.where(np.arange(60)[:, None] == 7, 0, Y)),
        f"Y's row 7 is {0 * Y[7]}; expected a single 1, the rest 0: one_hot() makes it",
    ),
    (
        lambda: MODEL.loss(X, BINARY),
        "Y has shape (60, 1); expected (60, 10): 60 images, and a model of 10 outputs",
    ),
    (
        lambda: LOGISTIC.loss(X, Y),
        "Y has shape (60, 10); expected (60, 1): 60 images, and a model of 1 output",
    ),
    (lambda: MODEL.loss(X[:0], Y), "X has no images; expected at least one"),
    (lambda: MODEL.loss(X, odd([[1], [1, 2]])), f"Y is [[1], [1, 2]]; {ONE_LENGTH}"),
    (lambda: MODEL.copy(odd([1])), f"w is [1]; {FLOATS}"),
    (lambda: MODEL.copy(np.zeros((785, 9))), f"w is float64 of shape (785, 9); {FLOATS}"),
    (
        lambda: MODEL.copy(np.ma.zeros((785, 10))),
        "w is a masked array; expected one without gaps: its filled() makes it",
    ),
    (lambda: SoftmaxRegression(-1), "lam is -1; expected a finite number of at least 0"),
    (lambda: Settings(0, 1), "learning_rate is 0; expected a finite number above 0"),
    (lambda: Settings(1, 1, patience=0), "patience is 0; expected a whole number, 1 or more, or None"),
    (lambda: Settings(1, 1, seed=-1), "seed is -1; expected a whole number, 0 or more"),
]


@pytest.mark.parametrize("call, words", WORDS, ids=list(map(str, range(len(WORDS)))))
def test_what_is_refused_is_told_in_these_words(call, words):
    with pytest.raises((TypeError, ValueError)) as error:
        call()
    assert str(error.value) == words


def test_a_check_gives_what_it_was_given_and_no_copy():
    assert arguments.targets(Y, 60, 10) is Y and arguments.inputs(X, 785) is X
    single = arguments.split((X.astype(np.float32), Y), 785, 10, "the data")
    assert single[0].dtype == single[1].dtype == np.float32
    assert trainable(MODEL, DATA, Settings(0.1, 1, 20)).make_test is DATA.make_test
    odd(MODEL).note = "mine"  # another attribute is anyone's
    assert odd(MODEL).note == "mine"


def test_the_largest_numbers_are_finite_and_no_warning():
    assert arguments.all_finite(np.full(3, 1e308)) and arguments.all_finite(np.array([1e308, -1e308]))
    for array in ([np.inf, -np.inf], [1e308, 1e308, np.inf], [np.nan, 0]):
        assert not arguments.all_finite(np.array(array))


def test_a_value_is_shown_in_one_line_and_not_long():
    class Said:
        def __init__(self, words):
            self.words = words

        def __repr__(self):
            return self.words

    assert arguments.shown(Unspeakable()) == "a Unspeakable" and arguments.shown(Said(" ")) == "a Said"
    assert arguments.shown(Said("a" * 100)) == "a" * 100 and arguments.shown(Said("a\n b")) == "a b"
    assert arguments.shown(Said("a" * 101)) == "a" * 60 + "... (of type Said)"


def test_the_error_of_a_run_of_a_sweep_has_its_kind_unless_it_names_a_value():
    def failing(error):
        def kind(lam):
            if lam:
                raise error
            return SoftmaxRegression()

        with pytest.warns(RuntimeWarning, match="run 1.0 failed"):
            runs = sweep(kind, DATA, lam=(0.0, 1.0), workers=1, **SETTINGS)
        with pytest.raises(ValueError) as failed:
            runs[1.0]
        said, _, settings = str(failed.value).partition("; with ")
        assert settings.startswith("{'learning_rate': 0.05, ") and settings.endswith("'lam': 1.0}")
        return said

    assert failing(ValueError("lam is 1;\n  expected 0")) == "lam is 1; expected 0"
    assert failing(KeyError("x")) == "KeyError: 'x'"
    assert failing(ValueError("y" * 600)) == "y" * 500
    with pytest.raises(ValueError, match=f"^TypeError: the model is 3; {re.escape(MODEL_SAID)}; with "):
        sweep(odd(lambda lam: 3), DATA, workers=1, **SETTINGS)


def test_defaults_are_those_that_are_documented():
    given = inspect.signature(train).parameters
    assert {name: one.default for name, one in given.items() if one.default is not one.empty} == {
        "batch_size": 128,
        "shuffle": True,
        "seed": 0,
        "patience": None,
        "checks_per_epoch": 5,
        "train_accuracy_every": 1,
        "method": "fast",
        "progress": True,
    }
    for name in set(given) & set(Settings.__dataclass_fields__) - {"learning_rate", "epochs"}:
        assert getattr(Settings(0.1, 1), name) == given[name].default
    assert Settings(0.1, 1, patience=None, train_accuracy_every=None).train_accuracy_every is None
    swept = inspect.signature(sweep).parameters
    assert [swept[name].default for name in ("keep", "workers", "progress")] == [None, None, True]
    run = train(MODEL, DATA, **SETTINGS | dict(train_accuracy_every=None))
    assert np.isnan(run.history.train_accuracy).all()


def test_weights_are_evaluated_in_the_precision_of_the_images():
    loss = evaluate([MODEL], Split(X.astype(np.float32), Y)).loss
    assert (loss == loss.astype(np.float32)).all()


def test_ties_are_a_one_and_the_first_class():
    zero = LogisticRegression()
    assert zero.accuracy(X, BINARY) == BINARY.mean() and (zero.forward(X) == 0.5).all()
    assert SoftmaxRegression().accuracy(X, Y) == Y[:, 0].mean()


def test_the_advice_fits_the_cause():
    with np.errstate(all="ignore"):
        with pytest.raises(FloatingPointError, match="weights at the start, or the inputs X, are too large"):
            train(MODEL.copy(np.full((785, 10), 1e308)), DATA, **SETTINGS)
        with pytest.raises(
            FloatingPointError, match=r"the loss is nan at step 0 .*; try a smaller learning_rate or lam$"
        ):
            train(MODEL, DATA, **SETTINGS | dict(learning_rate=1e308))
        with pytest.raises(FloatingPointError, match=r"; try a smaller learning_rate$"):
            train(LOGISTIC, TWO, **SETTINGS | dict(learning_rate=1e308))


THREE = Split(np.ones((3, 785)), one_hot([0, 2, 2], 3))
THREE_SAID = "3 images: X (3, 785), float64; targets Y (3, 3), of 1 in each column: 1, 0, 2"
HISTORY = History(
    np.arange(1234.0),
    np.array([0, 620, 1233]),
    np.array([0.75, 0.125, 1e6]),
    np.array([0.5, 0.98765, 0.25]),
    np.array([0.5, np.nan, 0.125]),
)
RUN = Run(1234, 3, False, False, MODEL, MODEL, 620, HISTORY, 500, {"learning_rate": 0.1, "shuffle": "once"})
FIRST = "SoftmaxRegression: all epochs done, in epoch 3, at step 1,234"
BEST = "best check, at step 621: validation loss 0.12500, accuracy 0.9877"
MANY = {i: RUN for i in range(13)} | {f"x{i}": ValueError("ab" * 60) for i in range(5)}
SAID: list[tuple[Any, list[str]]] = [
    (
        Split(np.ones((1500, 785), np.float32), np.ones((1500, 1))),
        ["1,500 images: X (1500, 785), float32; targets Y (1500, 1), of 1 in each column: 1,500"],
    ),
    (Split(odd(1), np.zeros((1, 1))), ["Split(1, array([[0.]]))"]),
    (Split(np.zeros((1, 1)), odd(2)), ["Split(array([[0.]]), 2)"]),
    (
        Dataset(THREE, THREE, ANY),
        [
            "Dataset",
            f"train:      {THREE_SAID}",
            f"validation: {THREE_SAID}",
            "test:       made when asked for",
        ],
    ),
    (
        MNIST({}),
        [
            "MNIST: 60,000 training and 10,000 test images of handwritten digits, 28 by 28 pixels",
            "data sets: .softmax() of all ten digits, .binary(2, 3) of two",
            "arrays: .train_images, .train_labels, .test_images, .test_labels",
        ],
    ),
    (
        HISTORY,
        [
            "History of 1,234 steps and 3 checks",
            "  train_loss           (1234,)   [0.] to [1233.]",
            "  step                 (3,)      [0] to [1233]",
            "  validation_loss      (3,)      [0.75] to [1000000.]",
            "  validation_accuracy  (3,)      [0.5] to [0.25]",
            "  train_accuracy       (3,)      [0.5] to [0.125]",
        ],
    ),
    (
        RUN,
        [
            FIRST,
            f"  {BEST}",
            "  last check, at step 1,234: validation loss 1e+06, accuracy 0.2500; training accuracy 0.1250",
            "  settings: learning_rate=0.1, shuffle='once'",
        ],
    ),
    ({1: Kept([2]), 2: RUN}, ["2 runs, 0 failed", "  1: [2]", f"  2: {FIRST}; {BEST}"]),
    (
        {1: replace(RUN, interrupted=True), 2: RUN},
        [
            "2 runs, 0 failed; interrupted, 0 not there",
            f"  1: {FIRST.replace('all epochs done', 'interrupted')}; {BEST}",
            f"  2: {FIRST}; {BEST}",
        ],
    ),
    (
        MANY | {"left": None},
        [
            "13 runs, 5 failed; interrupted, 1 not there",
            *(f"  {i}: {FIRST}; {BEST}" for i in range(12)),
            "  and 1 more",
            *(f"  'x{i}' failed: {'ab' * 40}" for i in range(4)),
        ],
    ),
    ({i: Kept(i) for i in range(12)}, ["12 runs, 0 failed", *(f"  {i}: {i}" for i in range(12))]),
]


@pytest.mark.parametrize("thing, lines", SAID, ids=[type(thing).__name__ for thing, _ in SAID])
def test_a_result_says_what_it_is_in_these_words(thing, lines):
    found = Runs(thing) if isinstance(thing, dict) else thing
    assert repr(found).split("\n") == lines


def test_a_run_says_how_it_ended():
    stopped = replace(RUN, stopped_early=True)
    assert stopped.ending == "stopped early, in epoch 3, at step 1,234"
    assert replace(stopped, interrupted=True).ending == "interrupted, in epoch 3, at step 1,234"
