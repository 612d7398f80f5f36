"""What the objects show of themselves: short whatever they hold, and true."""

import io
import re
import subprocess
import sys
from base64 import b64decode
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter
from ipywidgets import HTML, Widget
from PIL import Image

from assignment1 import LogisticRegression, SoftmaxRegression, load_mnist, sweep, train
from assignment1.mnist import Split
from conftest import ROOT
from explore import views

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


@pytest.fixture(scope="module")
def html():
    """Register the views with a formatter of IPython; return it, which gives the view of an object."""
    shell = SimpleNamespace(
        display_formatter=DisplayFormatter(),
        set_custom_exc=lambda *wanted: None,
        events=SimpleNamespace(register=lambda *wanted: None),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(views, "get_ipython", lambda: shell)
        views.register()
    return shell.display_formatter.formatters["text/html"]


def grey(view):
    """Return the images of a view, (n, 28, 28), which are grey."""
    found = []
    for source in re.findall(r'src="data:image/png;base64,([^"]*)"', view):
        pixels = np.asarray(Image.open(io.BytesIO(b64decode(source))).convert("RGB"))
        assert np.ptp(pixels, axis=2).max() == 0
        found.append(pixels[..., 0])
    return np.array(found, int)


def test_no_summary_is_long_and_no_view_is_large(things, html):
    for thing in things:
        lines = repr(thing).splitlines()
        assert 1 <= len(lines) <= 20 and max(map(len, lines)) <= 200, thing
        shown = html(thing) or ""
        assert len(shown) < 40_000, thing
        words = re.sub(r'base64,[^"]*', "", shown) + repr(thing)
        assert "<script" not in words and "nan" not in words


def test_the_images_of_data_are_seen_as_they_are(things, html):
    mnist, digits, train_split = things[:3]
    first = [mnist.test_images[mnist.test_labels == digit][0] for digit in range(10)]
    rows = np.rint((digits.train.X[:12, :784] + 1) / 2 * 255).reshape(-1, 28, 28)
    for thing, expected in ((mnist, np.array(first)), (digits, rows), (train_split, rows)):
        found = grey(html(thing))
        assert np.abs(found - expected).max() <= 1
        assert (found < 5).any() and (found > 250).any()


def test_images_of_weights_are_red_above_0_and_blue_below(html):
    w = np.zeros((785, 1))
    w[0] = 2
    w[1] = -2
    (source,) = re.findall(r"base64,([^\"]*)", html(LogisticRegression().copy(w)))
    red, blue, white = np.asarray(Image.open(io.BytesIO(b64decode(source))), int)[0, :3]
    assert red[0] > red[2] + 50 and blue[2] > blue[0] + 50 and white.min() > 240


def test_an_object_whose_fields_are_of_another_kind_shows_its_text(html):
    assert html(Split(1, 2)) is None  # type: ignore[arg-type]


def test_the_views_need_no_widgets_and_outside_ipython_change_nothing():
    code = "import sys; from explore import views; views.register(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"ipywidgets", "anywidget"} & set(done.stdout.split())


def test_a_cell_that_is_run_again_closes_what_it_made_and_nothing_else():
    made = []
    for cell in ("a", None, "b", None, "a"):
        views._renew(SimpleNamespace(cell_id=cell))
        made.append(HTML())
    Widget.on_widget_constructed(None)
    assert [widget.comm is None for widget in made] == [True, False, False, False, False]


def test_a_run_says_why_and_where_it_ended_and_its_numbers(things, html):
    run = things[5]
    shown = repr(run)
    assert f"in epoch {run.epoch}, at step {run.steps:,}" in shown
    assert f"{run.history.validation_loss[-1]:.5f}" in shown and "learning_rate=0.05" in shown
    assert "polyline" in html(run) and "polyline" in html(run.history) and "all epochs done" in shown
    assert "training accuracy" in shown and "training accuracy" not in repr(things[8])


def test_a_data_set_says_how_many_images_each_class_has(things):
    digits, images = things[1], things[3]
    for data in (digits, images):
        counts = re.findall(r"of 1 in each column: (.*)", repr(data))[0].split(", ")
        assert [int(n.replace(",", "")) for n in counts] == data.train.Y.sum(axis=0).tolist()


def test_mnist_says_how_many_images_each_digit_has(things, html):
    mnist = things[0]
    for digit in range(10):
        number = (mnist.train_labels == digit).sum()
        assert f"{digit}: {number:,} for training, {(mnist.test_labels == digit).sum():,} for" in html(mnist)


def test_of_a_run_of_one_check_the_numbers_are_shown_and_no_curve(things, html):
    run = train(LogisticRegression(), things[1], checks_per_epoch=1, **SETTINGS | dict(epochs=1))
    shown = html(run)
    assert f"validation loss {run.history.validation_loss[0]:.5f}" in shown
    assert "polyline" not in shown and "polyline" in html(things[5])


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


def test_after_an_interrupt_waiting_cells_do_not_run_and_a_run_alone_is_kept():
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(cwd=str(ROOT))
    try:
        client.execute(
            "from assignment1 import *\ndigits = load_mnist().binary(2, 3)", reply=True, timeout=60
        )
        call = "run = train(LogisticRegression(), digits, learning_rate=0.05, epochs=10**7)"
        for queued in (2, 0):
            asked = [client.execute(code) for code in (call, *["run.steps"] * queued)]
            shown = ""
            while shown != asked[0]:  # the bar: it trains
                message = client.get_iopub_msg(timeout=60)
                if message["msg_type"] == "display_data":
                    shown = message["parent_header"]["msg_id"]
            manager.interrupt_kernel()
            replies = [client.get_shell_msg(timeout=60) for _ in asked]
            assert [reply["content"]["status"] for reply in replies] == ["ok", *["aborted"] * queued]
            after = client.execute("assert run.interrupted; del run", reply=True, timeout=60)
            assert after["content"]["status"] == "ok"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


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
