"""The pad against the models and MNIST, and explore.ipynb as it is committed."""

import os
import re
import signal
import threading
import time
from base64 import b64decode, b64encode
from hashlib import sha256
from html import unescape
from itertools import combinations, islice
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import nbformat
import numpy as np
import pytest
from scipy import ndimage, optimize

from assignment1 import LogisticRegression, SoftmaxRegression, load_mnist
from assignment1.mnist import preprocess
from assignment1.run import History, Settings
from assignment1.training import gradient_descent
from browser import javascript
from conftest import ROOT
from explore import pad, page, paths, pictures
from explore.bench import Bench
from explore.pad import draw, penalty
from nbtypst.authoring import parts, templates
from nbtypst.reading.widgets import hashes
from study.optima import load_optima

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def mnist():
    return load_mnist()


DRAWINGS = 100


@pytest.fixture(scope="module")
def drawings(mnist):
    """Move and scale the first test images at random; return the drawings, (N, 280, 280)."""
    rng = np.random.default_rng(0)
    found = []
    for image in mnist.test_images[:DRAWINGS]:
        large = np.kron(image.astype(float), np.ones((10, 10)))
        ink = np.argwhere(large > 0)
        low = ink.min(axis=0)
        high = ink.max(axis=0) + 1
        scale = rng.uniform(0.5, 1.25)
        corner = rng.uniform(4, 276 - (high - low) * scale)  # so that no ink is lost
        warped = ndimage.affine_transform(large, [1 / scale] * 2, low - corner / scale, order=1)
        found.append(np.clip(np.rint(warped), 0, 255).astype(np.uint8))
    return np.array(found)


def text(array):
    return b64encode(np.ascontiguousarray(array).tobytes()).decode()


IMAGES = """(pad, given) => given.map((text) => {
    const bytes = decoded(text);
    const ink = bytes.length === 784 ? pad.enlarge(bytes) : bytes;
    const moved = (by) => {
        const found = new Uint8Array(ink.length);
        found.set(ink.subarray(Math.max(-by, 0), ink.length - Math.max(by, 0)), Math.max(by, 0));
        return found;
    };
    return [%s].map((image) => Array.from(image));
})"""


def images(inputs, folder, *expressions):
    """Return what JavaScript expressions of a drawing, `ink`, make of each input, a square image for each."""
    found = javascript(IMAGES % ", ".join(expressions), [text(image) for image in inputs], folder)
    side = round(len(found[0][0]) ** 0.5)
    return np.array(found, np.uint8).swapaxes(0, 1).reshape(len(expressions), len(inputs), side, side)


PROBABILITIES = """(pad, { weights, scales, K, images }) => {
    const W = pad.decode(decoded(weights).buffer, K, scales);
    return W.map((w) => images.map((text) => pad.probabilities(decoded(text), w, K)));
}"""


def probabilities(weights, scales, K, shown, folder):
    given = {"weights": text(weights), "scales": scales, "K": K, "images": [text(image) for image in shown]}
    return np.array(javascript(PROBABILITIES, given, folder))


def test_the_pads_probabilities_are_the_models(mnist, tmp_path):
    models, shown = list(load_optima().values()), mnist.test_images[:200]
    found = probabilities(np.stack([m.w for m in models]), [], 10, shown, tmp_path)
    expected = np.stack([m.forward(preprocess(shown)) for m in models])
    assert np.abs(found - expected).max() < 1e-12


def test_of_a_logistic_regression_the_pad_shows_both_classes(mnist, tmp_path):
    model, shown = LogisticRegression(), mnist.test_images[:200]
    model.w = np.random.default_rng(0).normal(0, 0.05, (785, 1))
    found = probabilities(paths.columns(model), [], 2, shown, tmp_path)[0]
    P = model.forward(preprocess(shown))
    assert np.abs(found - np.hstack([P, 1 - P])).max() < 1e-12


def test_what_the_pixels_say_adds_up_to_the_logit(mnist, tmp_path):
    model, image = load_optima()[0.001], mnist.test_images[0]
    run = """(pad, { weights, image }) => {
        const w = Float64Array.from(weights), sum = (c) => c.reduce((a, b) => a + b, 0);
        return [false, true].map((ink) => sum(pad.contributions(image, w, 10, 7, ink)));
    }"""
    given = {"weights": model.w.ravel().tolist(), "image": image.ravel().tolist()}
    every, ink = javascript(run, given, tmp_path)
    black = model.logits(preprocess(np.zeros((28, 28), int)))[0, 7]
    logit = model.logits(preprocess(image))[0, 7]
    assert every == pytest.approx(logit - model.w[784, 7]) and ink == pytest.approx(logit - black)


def test_an_image_is_fooled_by_the_smallest_change(mnist, tmp_path):
    model, shown = load_optima()[0.001], mnist.test_images[:40]
    rivals = model.forward(preprocess(shown)).argsort(axis=1)[:, ::-1][:, [0, 1, 9]]  # best, next, least
    pairs = [(i, a, b) for i, (a, b, c) in enumerate(rivals.tolist()) for b in (b, c)]
    run = """(pad, { weights, images, pairs }) => {
        const w = Float64Array.from(weights);
        return pairs.map(([i, a, b]) => Array.from(pad.fool(images[i], w, 10, a, b)));
    }"""
    given = {"weights": model.w.ravel().tolist(), "images": shown.reshape(-1, 784).tolist(), "pairs": pairs}
    found = np.array(javascript(run, given, tmp_path), np.uint8)
    for image, (i, a, b) in zip(found, pairs, strict=True):
        before = shown[i].ravel().astype(float)
        least = smallest(before, model, a, b)
        assert lead(image, model, a, b) > 0 > lead(before, model, a, b)
        assert np.linalg.norm(image - before) <= 1.05 * np.linalg.norm(least - before) + 1


def lead(pixels, model, a, b):
    """Return by how much the logit of class b is above that of class a."""
    z = model.logits(np.append(pixels / 127.5 - 1, 1)[None])[0]
    return z[b] - z[a]


def smallest(pixels, model, a, b):
    """Return the nearest image that is undecided, in no whole shades, by its optimality conditions."""

    def moved(far):
        return np.clip(pixels + far * (model.w[:784, b] - model.w[:784, a]), 0, 255)

    return moved(optimize.brentq(lambda far: lead(moved(far), model, a, b), 0, 1e6))


def test_an_image_is_enlarged_pixel_by_pixel(mnist, tmp_path):
    (enlarged,) = images(mnist.test_images[:8], tmp_path, "ink")
    assert (enlarged == np.kron(mnist.test_images[:8], np.ones((10, 10), np.uint8))).all()


def test_centring_leaves_mnist_as_it_is_wherever_it_was_moved(mnist, tmp_path):
    shown = mnist.test_images[:80]
    up, right = 30, 37  # also by parts of a pixel
    moves = f"pad.centre(moved({-280 * up}))", f"pad.centre(moved({right}))"
    found = images(shown, tmp_path, "pad.shrink(ink)", "pad.centre(ink)", *moves)
    shrunk, centred, higher, further = found
    assert (shrunk == shown).all() and (centred == shown).all()
    top = shown.any(axis=2).argmax(axis=1) * 10
    end = 280 - shown[:, :, ::-1].any(axis=1).argmax(axis=1) * 10
    for found, whole in ((higher, top >= up), (further, end <= 280 - right)):  # no ink left the pad
        assert whole.sum() > 60
        assert (found[whole] == shown[whole]).all()


def test_centring_finds_images_again_that_were_moved_and_scaled(mnist, drawings, tmp_path):
    shown = mnist.test_images[:DRAWINGS]
    centred, as_drawn = images(drawings, tmp_path, "pad.centre(ink)", "pad.shrink(ink)")
    model = load_optima()[0.001]
    right, right_centred, right_as_drawn = (
        (model.predict(some) == mnist.test_labels[:DRAWINGS]).mean() for some in (shown, centred, as_drawn)
    )
    assert np.abs(centred.astype(float) - shown).mean() < 8  # of 255; as drawn, some 50
    assert right_centred > right - 0.03 and right_as_drawn < right - 0.3


def test_a_drawing_that_is_empty_or_a_dot_is_no_error(tmp_path):
    run = """(pad) => {
        const ink = new Uint8Array(280 * 280), none = pad.centre(ink);
        pad.stroke(ink, [3, 3], [3, 3], 12);
        return [none, pad.centre(ink), pad.shrink(ink)].map((image) => Array.from(image));
    }"""
    none, dot, corner = np.array(javascript(run, None, tmp_path)).reshape(3, 28, 28)
    assert (
        not none.any()
        and 10 < (dot > 0).any(axis=0).sum() <= 20
        and corner[0, 0] > 200
        and not corner[4:].any()
    )


# The page's fragment


def test_the_fragments_weights_change_no_probability_by_more_than_two_thousandths(mnist, tmp_path):
    models = list(load_optima().values())
    W, scales = paths.rounded(models)
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 2, (200, 28, 28)) * 255  # as far from MNIST as a drawing gets
    for shown in (mnist.test_images, noise):
        X = preprocess(shown)
        for model, w, scale in zip(models, W, scales, strict=True):
            assert np.abs(model.forward(X) - model.copy(w * scale).forward(X)).max() < 0.002
    found = probabilities(W, scales.tolist(), 10, mnist.test_images[:50], tmp_path)
    expected = np.stack([model.forward(preprocess(mnist.test_images[:50])) for model in models])
    assert np.abs(found - expected).max() < 0.002


def test_the_fragment_is_small_and_its_hash_is_that_of_its_only_script():
    fragment = page.fragment()
    assert len(fragment.encode()) < 1_600_000  # all that moves in the page
    (script,) = re.findall(r"<script[^>]*>(.*?)</script>", fragment, re.S)
    digest = b64encode(sha256(script.encode()).digest()).decode()
    assert hashes(fragment) == [f"'sha256-{digest}'"]
    assert "</script" not in script and not re.search(r"https?://|url\(", fragment)
    (still,) = re.findall(r'<img class="pad-still" src="data:image/png;base64,([^"]*)" alt="[^"]+"', fragment)
    assert b64decode(still).startswith(b"\x89PNG")
    assert " taken for " in unescape(fragment)


# What the pad is given


def test_a_pads_images_are_validation_images_and_the_costliest_mistakes(mnist):
    model = load_optima()[0.001]
    shown = draw(model, mnist)
    assert shown.image.shape == (28, 28) and model.predict(shown.image).shape == (1,)
    random, costly = shown.starts.images[: pad.RANDOM], shown.starts.images[pad.RANDOM :]
    everything = {image.tobytes() for image in mnist.test_images}
    assert all(image.tobytes() in everything for image in random)
    said = model.predict(costly)
    assert [int(title[-1]) for title in shown.titles[pad.RANDOM :]] == said.tolist()
    data = mnist.softmax()
    loss = model.cross_entropy(model.logits(data.validation.X), data.validation.Y)
    assert (costly[0] == mnist.test_images[loss.argmax()]).all()
    with pytest.raises(ValueError, match="2 names; expected 10"):
        draw(model, mnist, classes=("2", "3"))


def test_a_pad_gives_the_model_that_its_slider_shows(mnist):
    data = mnist.softmax()
    entries = paths.minima(data)
    models = [entry.model for entry in entries]
    images = pad.starts(models[1], data.validation, pad.DIGITS)
    slider = pad.Pad(entries, pad.DIGITS, images, at=1)
    assert slider.model is models[1]
    slider.at = 2
    assert slider.model is models[2]


@pytest.mark.parametrize("fresh", [True, False])
def test_a_pad_shares_a_drawing_as_what_it_is(mnist, fresh):
    """An example makes room for the first stroke, and a drawing does not."""
    drawn = draw(load_optima()[0.001], mnist)
    drawn.fresh = fresh
    shared = draw(load_optima()[0.01], mnist).share(drawn)
    assert shared.fresh == fresh and shared.ink == drawn.ink


def test_the_facts_beside_the_slider_are_the_models(mnist):
    data = mnist.softmax()
    model = load_optima()[0.01]
    (entry,) = paths.entries({"it": model}, "", data)
    norm, training, validation = entry.facts
    assert norm[1] == f"{np.linalg.norm(model.w):.3g}"
    for (_, value), split in ((training, data.train), (validation, data.validation)):
        assert value == f"{model.loss(*split):.4f}, {100 * model.accuracy(*split):.2f}%"


# Training in the background


def test_a_watched_run_is_the_same_and_may_be_ended_in_any_thread(mnist):
    digits = mnist.binary(2, 3)
    settings = Settings(learning_rate=0.05, epochs=3)
    stop = threading.Event()
    seen, found = [], []

    def watch(log, model):
        if len(log.step) == 4:
            stop.set()

    def work():
        found.append(gradient_descent(LogisticRegression(), digits, settings, stop=stop, watch=watch))

    whole = gradient_descent(LogisticRegression(), digits, settings)
    same = gradient_descent(
        LogisticRegression(), digits, settings, watch=lambda log, model: seen.append(len(log.train_loss))
    )
    assert seen == list(range(1, whole.steps + 1)) and not same.interrupted
    assert (same.last.w == whole.last.w).all()
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found[0].interrupted and len(found[0].history.step) == 4
    assert (found[0].history.validation_loss == whole.history.validation_loss[:4]).all()


def test_the_bench_keeps_what_was_stopped_and_goes_on_after_a_failure(mnist):
    bench = Bench(mnist)
    with pytest.raises(ValueError, match="press Train"):
        _ = bench.chosen
    bench.what.value = "two digits"
    bench.train(epochs=1000, patience=None)
    while not bench.chart.value.count("polyline"):
        time.sleep(0.01)
    bench.stop()
    run = bench.wait()
    assert run.interrupted and bench.chosen is run and "interrupted" in bench.status.value
    assert bench.pad().classes == ["4", "9"] and " taken for " in bench.details.value
    bench.train(learning_rate=0.01, epochs=2)
    assert not bench.wait().interrupted and len(bench.runs) == 2
    bench.negative.value = "4"
    bench.go.click()
    assert "both digits are 4" in bench.status.value and len(bench.runs) == 2
    with pytest.raises(ValueError, match="both digits are 4"):
        bench.train()
    bench.negative.value = "9"
    seen = bench.details.value
    bench.train(learning_rate=100, lam=10)
    for _ in range(2):
        with pytest.raises(FloatingPointError, match="diverged") as told:  # and no older run in its place
            bench.wait()
        assert len(told.traceback) == 2
    assert "diverged" in bench.status.value and len(bench.runs) == 2 and not bench.go.disabled
    assert bench.details.value == seen  # of the run that the choice names
    bench.train(learning_rate=0.01, lam=0)
    assert bench.wait() is bench.chosen


def test_an_interrupt_of_a_wait_ends_the_run_and_keeps_it(mnist):
    bench = Bench(mnist)
    bench.train(epochs=1000, patience=None)
    timer = threading.Timer(0.4, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    run = bench.wait()
    timer.join()
    assert run.interrupted and bench.chosen is run and not bench.thread.is_alive()


def test_a_bench_that_is_closed_trains_no_longer(mnist):
    bench = Bench(mnist)
    bench.train(epochs=1000, patience=None)
    bench.close()
    bench.thread.join(60)
    assert not bench.thread.is_alive()


def test_a_bench_says_when_there_is_no_run_or_setting_and_when_one_is_in_progress(mnist):
    bench = Bench(mnist)
    for asked in (bench.wait, bench.pad, lambda: bench.chosen):
        with pytest.raises(ValueError, match="no run is there yet; press Train"):
            asked()
    for name, value, words in (
        ("learning_rate", True, "learning rate is True"),
        ("lam", 11, "lambda .penalty. is 11"),
        ("epochs", np.inf, "epochs is inf"),
        ("seed", None, "seed is None"),
        ("shuffle", "never", "shuffle is 'never'"),
        ("rate", 1, "there is no setting rate"),
    ):
        with pytest.raises(ValueError, match=f"{words}; expected"):
            bench.train(batch_size=64, **{name: value})
    assert bench.thread.ident is None and bench.settings["batch_size"].value == 128
    bench.train(epochs=1000, patience=None)
    with pytest.raises(ValueError, match=r"a run is in progress; stop\(\) it"):
        bench.train(epochs=1)
    bench.stop()
    run = bench.wait()
    assert run.interrupted and run.settings["epochs"] == 1000 and list(bench.runs.values()) == [run]


def test_a_number_in_a_field_that_no_run_can_have_is_named_and_not_changed(mnist):
    bench = Bench(mnist)
    for name, value, words in (
        ("learning_rate", 1000, "learning rate is 1000; expected 1e-06 to 100"),
        ("learning_rate", -1, "learning rate is -1; expected 1e-06 to 100"),
        ("lam", -1, "lambda (penalty) is -1; expected 0 to 10"),
        ("batch_size", 0, "batch size is 0; expected a whole number, 1 to 4,000"),
        ("epochs", 1e9, "epochs is 1000000000; expected a whole number, 1 to 1,000"),
        ("epochs", 1.5, "epochs is 1.5; expected a whole number, 1 to 1,000"),
    ):
        control = bench.settings[name]
        usual = control.value
        control.value = value
        bench.go.click()
        assert words in bench.status.value and control.value == value
        control.value = usual
    assert bench.thread.ident is None and bench.count == 0


def test_a_bench_forgets_its_runs_and_goes_on(mnist):
    bench = Bench(mnist)
    bench.what.value = "two digits"
    for rate in (0.05, 0.01):
        bench.train(learning_rate=rate, epochs=1)
        bench.wait()
    assert bench.choice.options == tuple(bench.runs) and bench.details.value
    assert bench.chart.value.count("polyline") == 8
    bench.forget.click()
    assert not bench.runs and not bench.choice.options and not bench.details.value
    assert not bench.chart.value and "Press Train" in bench.status.value
    with pytest.raises(ValueError, match="no run is there yet"):
        _ = bench.chosen
    bench.train(learning_rate=0.02)
    assert bench.wait() is bench.chosen and list(bench.runs) == ["3: 4 and 9, learning rate 0.02, epochs 1"]


def test_a_run_is_named_by_what_differs_and_seen_with_the_digit_for_which_red_speaks(mnist):
    model = load_optima()[0.001]
    drawing = draw(model, mnist)
    drawing.pixels = mnist.test_images[0].tobytes()  # a 7
    drawing.fresh = False
    bench = Bench(mnist, drawing)
    bench.train(epochs=2, lam=0.01, seed=3)
    assert bench.wait() is bench.runs["1: all digits, learning rate 0.05, lambda 0.01, epochs 2, seed 3"]
    assert "Your drawing: 7 with" in bench.details.value
    bench.what.value = "two digits"
    bench.train(lam=0)
    bench.wait()
    assert "2: 4 and 9, learning rate 0.05, epochs 2, seed 3" in bench.runs
    assert "red for 4, blue for 9" in bench.details.value
    said = "named by its learning rate and by the settings that are not the first ones"
    assert said in (ROOT / "explore.ipynb").read_text(encoding="utf-8")


def test_the_verdict_follows_the_pad_whose_example_is_no_drawing(mnist):
    drawing = draw(load_optima()[0.001], mnist)
    bench = Bench(mnist, drawing)
    bench.train(epochs=2)
    bench.wait()
    assert "The example on the pad: " in bench.details.value
    drawing.fresh = False
    for image, digit in ((mnist.test_images[0], 7), (mnist.test_images[1], 2)):
        drawing.pixels = image.tobytes()
        assert f"Your drawing: {digit} with" in bench.details.value
    bench.close()
    drawing.pixels = mnist.test_images[0].tobytes()
    assert "Your drawing: 2 with" in bench.details.value


def test_the_weights_and_the_verdict_are_shown_while_a_run_trains(mnist):
    drawing = draw(load_optima()[0.001], mnist)
    drawing.pixels = mnist.test_images[0].tobytes()
    drawing.fresh = False
    bench = Bench(mnist, drawing)
    seen = set()
    bench.details.observe(lambda change: seen.add(change["new"]), "value")
    bench.train(epochs=1000, patience=None)
    while len(seen) < 3:
        assert bench.thread.is_alive() and bench.choice.disabled
        time.sleep(0.05)
    bench.stop()
    bench.wait()
    assert not bench.choice.disabled
    assert all("Your drawing: " in text and text.count("data:image/png") >= 10 for text in seen)


def test_no_two_of_eighteen_runs_look_alike_in_the_curves_or_in_the_key():
    half = np.array([0.5, 1])
    steps: Any = np.arange(2)
    record = History(half, steps, half, half, half)
    shown = unquote(pictures.curves([(f"run {number}", record, 1) for number in range(18)]))
    thick = re.findall(r'<polyline fill="none" (stroke="\S+" stroke-width="2.2"[^p]*)points', shown)
    signs = re.findall(r'<div>(<span style="color:.*?</span>) run', shown)
    assert (len(thick), len(set(thick))) == (36, 18) and len(set(signs)) == 18


def test_in_a_narrow_window_the_curves_scroll_and_no_button_loses_its_name(mnist):
    bench = Bench(mnist)
    assert {button.layout.width for button in (bench.go, bench.halt, bench.forget)} == {"auto"}
    bench.train(epochs=1)
    bench.wait()
    assert re.search('<div style="overflow-x:auto"><img [^>]*;min-width:620px;', bench.chart.value)


@pytest.mark.parametrize(
    "low, high, log, ticks",
    [
        (98.13, 99.58, False, [98.5, 99, 99.5]),
        (95.2, 98.4, False, [96, 97, 98]),
        (77.3, 99, False, [80, 85, 90, 95]),
        (0, 100, False, [0, 20, 40, 60, 80, 100]),
        (np.log10(0.27), np.log10(2.3), True, [0.5, 1, 1.5, 2]),
        (np.log10(0.05), np.log10(2.3), True, [0.05, 0.1, 0.2, 0.5, 1, 2]),
        (np.log10(0.004), np.log10(7e3), True, [0.01, 0.1, 1, 10, 100, 1000]),
    ],
)
def test_the_marks_of_an_axis_are_round_numbers(low, high, log, ticks):
    assert pictures._ticks(low, high, log).tolist() == pytest.approx(ticks)


# explore.ipynb as it is committed


def test_an_answer_of_an_interrupted_sweep_is_struck():
    shares = dict.fromkeys(combinations(range(10), 2), 0.9)
    names = {"np": np, "error": shares, "hardest": (0, 1), "second": (0, 2), "easiest": (0, 3)}
    text = parts.read(ROOT / parts.FOLDER)["explore.pairs"]
    for interrupted, right in ((False, shares), (True, shares), (False, dict(islice(shares.items(), 7)))):
        runs = SimpleNamespace(interrupted=interrupted)
        shown, *_ = templates.fill(text, names | {"runs": runs, "right": right})
        assert ("No longer true" in shown) == (interrupted or len(right) < 45)


def test_the_notebook_is_short_lines_and_was_run_and_shows_stills():
    notebook = nbformat.read(ROOT / "explore.ipynb", as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    lines = [cell.source.splitlines() for cell in code]
    assert max(map(len, lines)) <= 5 and max(len(line) for cell in lines for line in cell) <= 110
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert all(output.output_type not in ("error", "stream") for output in outputs)
    checks = [check for output in outputs for check in output.metadata.get("checks", ())]
    assert len(checks) == 6 and all(check["holds"] for check in checks)  # of the four answers
    shown = [set(output.data) for output in outputs if "data" in output]
    assert sum("image/png" in kinds for kinds in shown) >= 3
    assert (
        not any("widget" in kind for kinds in shown for kind in kinds) and "widgets" not in notebook.metadata
    )
    assert (ROOT / "explore.ipynb").stat().st_size < 400_000


def test_what_the_notebook_says_of_moved_images_works(mnist):
    notebook = nbformat.read(ROOT / "explore.ipynb", as_version=4)
    (asked,) = [cell.source for cell in notebook.cells if "How much is lost" in cell.source]
    (code,) = re.findall("`([^`]*)` measures it", asked)
    moved = np.roll(mnist.test_images, (1, 1), axis=(1, 2))
    names = {"images": moved, "mnist": mnist, "model": load_optima()[0.001]}
    (answer,) = [cell for cell in notebook.cells if 'say("explore.moved")' in cell.source]
    assert f", 1: {eval(code, names):.1%}" in answer.outputs[0].data["text/markdown"]


# The examples in help()


@pytest.mark.parametrize("wrong", [None, "digits", 5])
def test_what_is_no_model_or_no_data_is_refused_at_once(wrong, mnist):
    """Not at the first Train or stroke, by an attribute that it lacks."""
    digits = "expected a MNIST, such as load_mnist()"
    for call, words in (
        (lambda: Bench(wrong), f"mnist is {wrong!r}; {digits}"),
        (lambda: penalty(wrong), f"mnist is {wrong!r}; {digits}"),
        (lambda: draw(wrong, mnist), f"model is {wrong!r}; expected a Regression"),
        (lambda: draw(SoftmaxRegression(), wrong), f"data is {wrong!r}; expected a Dataset"),
    ):
        with pytest.raises(TypeError, match=re.escape(words)):
            call()
    for make in (Bench, penalty):
        with pytest.raises(TypeError, match=re.escape(f"; {digits}")):
            make(mnist.binary(2, 3))
