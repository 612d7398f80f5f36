"""What the objects show of themselves: short whatever they hold, and true."""

import re
from typing import Any

import numpy as np
import pytest

from assignment1 import LogisticRegression, SoftmaxRegression, load_mnist, sweep, train

pytestmark = pytest.mark.slow

SETTINGS: dict[str, Any] = dict(learning_rate=0.05, epochs=2, progress=False)


@pytest.fixture(scope="module")
def things():
    mnist = load_mnist()
    digits = mnist.binary(2, 3)
    run = train(LogisticRegression(), digits, **SETTINGS)
    with pytest.warns(RuntimeWarning, match="failed"):
        runs = sweep(LogisticRegression, digits, seed=range(15), batch_size=(128, 4006), **SETTINGS)
    images = mnist.softmax()
    models = [
        SoftmaxRegression(0.1),
        SoftmaxRegression().copy(np.random.default_rng(0).normal(size=(785, 10))),
    ]
    bare = train(LogisticRegression(), digits, train_accuracy_every=None, **SETTINGS)
    return [
        mnist,
        digits,
        digits.train,
        images,
        images.validation,
        run,
        run.history,
        run.best,
        bare,
        runs,
        *models,
    ]


def test_no_summary_is_long_and_no_view_is_large(things):
    for thing in things:
        lines = repr(thing).splitlines()
        assert 1 <= len(lines) <= 20 and max(map(len, lines)) <= 200, thing
        assert len(thing._repr_html_()) < 40_000, thing
        assert "<script" not in thing._repr_html_() and "nan" not in repr(thing)


def test_a_run_says_why_and_where_it_ended_and_its_numbers(things):
    run = things[5]
    shown = repr(run)
    assert f"in epoch {run.epoch} after {run.steps:,} updates" in shown
    assert f"{run.history.validation_loss[-1]:.5f}" in shown and "learning_rate=0.05" in shown
    assert "polyline" in run._repr_html_() and "all epochs done" in shown
    assert "training accuracy" in shown and "training accuracy" not in repr(things[8])


def test_a_data_set_says_how_many_images_each_class_has(things):
    digits, images = things[1], things[3]
    assert f"{int(digits.train.Y.sum()):,} of target 1" in repr(digits)
    counts = re.findall(r"by class (.*)", repr(images))[0].split(", ")
    assert [int(n.replace(",", "")) for n in counts] == images.train.Y.sum(axis=0).tolist()


def test_of_a_run_of_one_check_the_numbers_are_shown_and_no_curve(things):
    run = train(LogisticRegression(), things[1], checks_per_epoch=1, **SETTINGS | dict(epochs=1))
    shown = run._repr_html_()
    assert shown is not None and f"validation loss {run.history.validation_loss[0]:.5f}" in shown
    assert "<svg" not in shown and "<svg" in things[5]._repr_html_()


def test_images_are_taken_as_they_come():
    mnist, rng = load_mnist(), np.random.default_rng(0)
    data = mnist.softmax()
    model = train(SoftmaxRegression(), data, **SETTINGS | dict(epochs=1)).best
    images = mnist.test_images[:50]
    found = model.predict(images)
    np.testing.assert_array_equal(found, model.predict(data.validation.X[:50]))
    assert (
        (found == mnist.test_labels[:50]).mean() == model.accuracy(*(a[:50] for a in data.validation)) > 0.7
    )
    assert model.predict(images[0]).tolist() == found[:1].tolist()
    np.testing.assert_allclose(model.probabilities(images).sum(axis=1), 1)
    logistic = LogisticRegression().copy(rng.normal(size=(785, 1)))
    assert set(logistic.predict(images).tolist()) == {0, 1}
    with pytest.raises(ValueError, match="images have shape"):
        model.predict(np.zeros((14, 14), int))


def test_an_interrupt_ends_a_run_and_keeps_it():
    import os
    import signal
    import threading

    digits, settings = load_mnist().binary(2, 3), dict[str, Any](learning_rate=0.01, progress=False)
    ways: tuple[Any, ...] = ("plain", "fast")
    for method in ways:
        timer = threading.Timer(0.4, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        run = train(
            LogisticRegression(), digits, learning_rate=0.01, epochs=10**6, method=method, progress=False
        )
        timer.join()
        assert run.interrupted and not run.stopped_early and "interrupted, in epoch" in repr(run)
        whole = train(LogisticRegression(), digits, epochs=run.epoch, **settings)
        np.testing.assert_allclose(
            run.history.validation_loss, whole.history.validation_loss[: len(run.history.step)], rtol=1e-9
        )
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
