"""The figures: nothing cut, overprinted or struck, type to read, looks to tell apart, for any run."""

import inspect
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import combinations
from types import SimpleNamespace
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.path import Path
from matplotlib.text import Annotation, Text
from test_figures_norms import MINIMA, NORMS

from assignment1 import LogisticRegression, SoftmaxRegression, load_mnist, sweep, train
from looks import BLINDNESS, assert_readable, contrast_with_white, curves, lab, shown_texts
from study import figures
from study.figures import style
from study.figures.runs import over_an_epoch

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def digits():
    return load_mnist().binary(2, 3)


@pytest.fixture(scope="module")
def ordered(digits):
    settings: dict[str, Any] = dict(learning_rate=0.05, epochs=500, patience=10, progress=False)
    return train(LogisticRegression(), digits, shuffle=False, **settings)


@pytest.fixture(scope="module")
def penalties():
    """Return a short run for each of nine lambdas; that of 1 is unsteady, as in the report."""
    lams = (0.0, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 1.0)
    settings: dict[str, Any] = dict(learning_rate=0.01, epochs=2, seed=0)
    return sweep(SoftmaxRegression, load_mnist().softmax(), lam=lams, **settings)


def spikes(rng):
    before = rng.normal(np.tile((3, -3), 1000), 2)
    two = np.tile((True, False), 1000)
    step: Any = np.arange(310, 1023)
    raw = 0.07 + rng.normal(0, 0.001, len(step)) + 0.07 * (step % 31 == 18)
    return figures.spikes(before, before - 2, two, step, raw, np.linspace(0.072, 0.068, len(step)), 31)


def parting(rng):
    epoch = np.array([1, 2, 5, 10, 15, 20, 30, 40, 50.0])
    far = np.arange(50, 601, 50.0)
    mean = 0.012 * np.log(epoch) / 4 - 0.006 + rng.normal(0, 0.001, 9)
    half = np.full(9, 0.004)
    gaps = {"training − validation": (epoch, mean, half), "training − held-out": (epoch, mean + 0.01, half)}
    turning = 0.28 + 1e-8 * (far - 200.0) ** 2
    return figures.parting(gaps, far, dict(zip(gaps, (turning, turning + 0.02), strict=True)))


def shares():
    bands = {"1–10": 0.16, "11–30": 0.049, "31–100": 0.0113, "101–300": 0.0015, "301–784": 0.00011}
    return figures.shares((0.001, 0.01, 0.1, 1.0), (546, 3900, 93600), 0.01, bands)


def reliability():
    confidence = np.linspace(0.35, 0.98, 7)
    reach = np.linspace(0.08, 0.005, 7)
    trained = confidence + np.array([0.04, 0.05, 0.02, 0.05, 0.07, 0.07, 0.01])
    scaled = confidence + np.array([0.0, 0.01, 0.0, -0.03, 0.0, 0.03, 0.0])
    found = {"as trained": trained, "weights × 1.19": scaled}
    return figures.reliability({name: (confidence, y, y - reach, y + reach) for name, y in found.items()})


FIGURES = {
    "plot": lambda s: figures.plot(s.ordered),
    "2b": lambda s: figures.loss(s.ordered, (0, 0.2)),
    "2c": lambda s: figures.accuracy(s.ordered, (0.93, 0.99)),
    "2e": lambda s: figures.compare({"file order": s.ordered, "shuffled": s.shuffled}, (0.93, 0.99)),
    "2e spikes": lambda s: spikes(s.rng),
    "2e arms": lambda s: figures.spike_sizes(
        {"file order": np.array([0.087]), "batches 19 and 20": s.rng.normal(0.01, 0.002, 10)}
    ),
    "2e batches": lambda s: figures.by_batch(s.rng.normal(0, 0.03, 31), s.rng.uniform(0.2, 1.8, 31)),
    "2e images": lambda s: figures.image_rows(
        {"batch 19": (s.images, ["2.62"] * 10), r"at the minimum of $J$": (s.images, ["13.05"] * 10)}
    ),
    "3b": lambda s: figures.loss(s.penalties[0.0]),
    "3d": lambda s: parting(s.rng),
    "4b": lambda s: figures.weights({lam: s.penalties[lam].last.w for lam in (0.0, 1.0)}),
    "4b titles": lambda s: figures.weights(
        {
            "𝜆 = 0": s.penalties[0.0].last.w,
            "𝜆 = 1": s.penalties[1.0].last.w,
            "𝜆 = 0 after 25 steps": s.penalties[1.0].best.w / 9,
        }
    ),
    "4b shares": lambda s: shares(),
    "4b one": lambda s: figures.weights({0.0: s.ordered.last.w}),
    "4c": lambda s: figures.lambdas({lam: s.penalties[lam] for lam in (0.0, 0.001, 0.01, 0.1, 1.0)}),
    "4c nine": lambda s: figures.lambdas(s.penalties),
    "4e": lambda s: figures.norms(
        {
            "when early stopping ended the run": NORMS,
            r"at the minimum of $J$": MINIMA,
        }
    ),
    "5 reliability": lambda s: reliability(),
    "5a": lambda s: figures.confusion(s.counts, *s.interval),
    "5b": lambda s: figures.costly(s.images.reshape(-1, 28, 28), s.cases, np.arange(10)),
}


def test_the_looks_of_every_figure_are_tested():
    above, *_ = inspect.getsource(sys.modules[__name__]).partition("def test_")
    functions = {name for name, value in vars(figures).items() if inspect.isfunction(value)}
    assert sorted(functions - set(re.findall(r"figures\.(\w+)", above))) == [], "draw each in FIGURES"


@pytest.fixture(scope="module")
def seen(digits, ordered, penalties):
    """Return the data that the figures are drawn from."""
    rng = np.random.default_rng(0)
    settings: dict[str, Any] = dict(learning_rate=0.05, epochs=500, patience=10, progress=False)
    shuffled = train(LogisticRegression(), digits, seed=0, **settings)
    counts = rng.integers(0, 40, (10, 10)) + np.diag(np.full(10, 1000))
    share = np.diag(counts) / counts.sum(axis=1)
    return SimpleNamespace(
        rng=rng,
        ordered=ordered,
        shuffled=shuffled,
        penalties=penalties,
        images=digits.validation.X[:10, :784],
        counts=counts,
        interval=(share - 0.02, share + 0.02),
        cases=SimpleNamespace(digit=np.arange(10), read=np.arange(10)[::-1], loss=np.linspace(13, 7.6, 10)),
    )


@pytest.fixture(scope="module", params=FIGURES)
def drawn(request, seen):
    """Return a figure, and the texts that it shows."""
    with plt.rc_context({"figure.max_open_warning": 0}):
        figure = FIGURES[request.param](seen)
    yield request.param, figure, shown_texts(figure)
    plt.close(figure)


def test_nothing_is_cut_and_no_text_lies_on_another(drawn):
    name, figure, texts = drawn
    assert_readable(name, figure, texts)


def has_ground(text):
    """Return whether a text stands on an opaque white ground of its own, which hides the curves below."""
    ground = text.get_bbox_patch()
    return ground is not None and to_hex(ground.get_facecolor(), keep_alpha=True) == "#ffffffff"


def test_no_text_is_struck_by_a_curve(drawn):
    name, figure, texts = drawn
    for ax in figure.axes:
        paths = [path for line, path in curves(ax) if len(path) > 1 and line.get_linestyle() != "None"]
        for lines in ax.collections:
            if isinstance(lines, LineCollection):
                paths += [ax.transData.transform_path(path) for path in lines.get_paths()]
        for text in texts:
            at = Text.get_window_extent(text)
            if ax.bbox.overlaps(at) and not has_ground(text):
                for path in paths:
                    inside = Path(path.vertices[np.isfinite(path.vertices).all(axis=1)])
                    assert not inside.intersects_bbox(at, filled=False), (name, text)


def test_no_line_leads_from_a_name_to_a_curve(drawn):
    name, figure, _ = drawn
    arrows = [t for ax in figure.axes for t in ax.texts if isinstance(t, Annotation) and t.arrow_patch]
    assert len(arrows) == (name == "4e"), name  # the one to infinity
    assert all(not t.get_text() for t in arrows)


def test_type_is_large_and_has_the_contrast_that_wcag_asks_for(drawn):
    name, _, texts = drawn
    for text in texts:
        assert float(text.get_fontsize()) >= 9, (name, text)
        assert contrast_with_white(text.get_color()) >= 4.5, (name, text)
    assert contrast_with_white("#777777") == pytest.approx(4.48, abs=0.01)  # WebAIM's checker says so


def test_the_ground_is_white_and_opaque_and_mathematics_left_to_the_page(drawn):
    name, figure, texts = drawn
    for patch in (figure.patch, *(ax.patch for ax in figure.axes)):
        assert to_hex(patch.get_facecolor(), keep_alpha=True) == "#ffffffff", name
    assert not [t for t in texts if "$" in t.get_text() or "'" in t.get_text()], name


@pytest.mark.parametrize("blindness", BLINDNESS)
def test_curves_of_one_panel_differ_in_dash_marker_or_for_everybody_in_colour(drawn, blindness):
    name, figure, _ = drawn
    for ax in figure.axes:
        looks = {
            (to_hex(line.get_color()), str(line._dash_pattern[1]), line.get_marker())
            for line, path in curves(ax)
            if len(path) > 1
        }
        for one, other in combinations(looks, 2):
            distance = np.linalg.norm(lab(one[0], blindness) - lab(other[0], blindness))
            assert one[0] == other[0] or one[1:] != other[1:] or distance > 10, (name, one, other)


def test_curves_contrast_with_the_ground(drawn):
    name, figure, _ = drawn
    for ax in figure.axes:
        for line, _ in curves(ax):
            assert contrast_with_white(line.get_color()) >= 3, (name, line)


@pytest.mark.parametrize("n", (1, 2, 5, 9))
def test_shades_grow_lighter_and_stay_readable(n):
    lightness = [lab(colour, "grey")[0] for colour in style.shades(n)]
    assert np.all(np.diff(lightness) > (10 if n <= 5 else 3))
    assert all(contrast_with_white(colour) >= 4.5 for colour in style.shades(n))


def test_looks_of_runs_are_all_different():
    assert len({style.run_look(i) for i in range(25)}) == 25


def test_the_mean_over_an_epoch_is_free_of_what_repeats_in_it():
    epoch = np.random.default_rng(0).normal(size=31)
    steps, mean, low, high = over_an_epoch(np.tile(epoch, 40), 31)
    full = steps >= 15
    np.testing.assert_allclose(mean[full], epoch.mean())
    assert np.all(low <= mean) and np.all(mean <= high)
    assert low[-1] == pytest.approx(np.percentile(epoch, 10))


def key_of(figure):
    """Return the names in a figure's key."""
    (legend,) = figure.legends
    return {text.get_text() for text in legend.get_texts()}


def test_a_short_run_says_over_how_many_batches_its_mean_is(digits):
    for epochs, name in ((1, "mean of 3 batches"), (12, "mean of an epoch")):
        run = train(LogisticRegression(), digits, learning_rate=0.05, epochs=epochs, seed=0, progress=False)
        ring = f"lowest validation loss, after {run.best_step + 1} steps"
        curves = {f"training, {name}", "middle 80% of the batches", "validation"}
        for draw in (figures.loss, figures.plot):
            assert key_of(draw(run)) == {*curves, ring}


def test_one_step_is_no_steps(digits):
    run = train(LogisticRegression(), digits, learning_rate=30.0, epochs=2, patience=1, progress=False)
    assert run.best_step == 0 and "lowest validation loss, after 1 step" in key_of(figures.loss(run))


def test_a_figure_of_one_run_says_how_it_ended(ordered):
    for run in (ordered, replace(ordered, stopped_early=False, interrupted=True)):
        (settings,) = figures.plot(run).texts
        assert settings.get_text().endswith(f"\n{run.ending}")


def test_the_key_of_an_accuracy_names_what_is_drawn(digits):
    for every, names in ((1, {"training", "validation"}), (None, {"validation"})):
        settings: dict[str, Any] = dict(learning_rate=0.05, epochs=2, train_accuracy_every=every)
        run = train(LogisticRegression(), digits, **settings)
        ring = f"lowest validation loss, after {run.best_step + 1} steps"
        assert key_of(figures.accuracy(run)) == {*names, ring}


ODD: dict[str, dict[str, Any]] = {
    "two checks": dict(epochs=1, checks_per_epoch=2),
    "one epoch": dict(epochs=1),
    "no training accuracy": dict(epochs=3, train_accuracy_every=None),
    "nearly diverging": dict(epochs=4, learning_rate=30.0),
    "batches of one epoch": dict(epochs=3, batch_size=3500),
    "tiny steps": dict(epochs=2, learning_rate=1e-6),
}


@pytest.mark.parametrize("odd, pair", [*zip(ODD, 2 * [(2, 3), (0, 1), (4, 9)], strict=True)])
def test_any_run_has_its_figures(odd, pair):
    settings = dict(learning_rate=0.05, shuffle=False, progress=False) | ODD[odd]
    run = train(LogisticRegression(), load_mnist().binary(*pair), **settings)
    runs = {f"run {i}": run for i in range(3)}
    drawn = [draw(run) for draw in (figures.plot, figures.loss, figures.accuracy)]
    for figure in (*drawn, figures.compare(runs), figures.lambdas({0.0: run, 0.1: run})):
        assert_readable(odd, figure, shown_texts(figure))
        plt.close(figure)
    shown = [line for line in drawn[2].axes[0].lines if np.size(line.get_xdata())]
    assert len(shown) == (3 if odd == "no training accuracy" else 4)


@pytest.mark.parametrize("draw", ["accuracy", "compare", "loss"])
def test_limits_that_would_hide_a_run_are_not_taken(ordered, draw):
    what = {"a run": ordered} if draw == "compare" else ordered
    measure = "validation_loss" if draw == "loss" else "validation_accuracy"
    figure = getattr(figures, draw)(what, (5, 6))
    low, high = figure.axes[0].get_ylim()
    assert low < getattr(ordered.history, measure)[-1] < high


def test_limits_hold_what_comes_after_the_first_epoch(ordered):
    h = ordered.history
    later = h.step >= ordered.batches_per_epoch
    figure = figures.loss(ordered)
    low, high = figure.axes[0].get_ylim()
    assert low < h.validation_loss.min() and high > h.validation_loss[later].max()
    assert high < h.validation_loss[0]  # the first fall does not press the rest flat
    plt.close(figure)


def test_many_runs_are_named_without_collision(digits):
    runs = sweep(LogisticRegression, digits, seed=range(20), learning_rate=0.05, epochs=1)
    figure = figures.compare({f"seed {seed}": run for seed, run in runs.items()}, measure="validation_loss")
    texts = shown_texts(figure)
    assert {f"seed {i}" for i in range(20)} <= {t.get_text() for t in texts}
    assert_readable("seeds", figure, texts)
    plt.close(figure)


def test_the_epochs_above_are_those_of_the_steps_below(ordered):
    figure = figures.loss(ordered)
    (top,) = figure.axes[0].child_axes
    figure.canvas.draw()
    assert top.get_xlim()[1] == pytest.approx(ordered.steps / 31)
    plt.close(figure)


def test_figures_that_are_compared_have_axes_alike(seen):
    drawn = [FIGURES[name](seen) for name in ("2b", "2c", "3b")]
    sizes = {tuple(np.round(figure.axes[0].bbox.size, 6)) for figure in drawn}
    assert len(sizes) == 1
    plt.close("all")


@pytest.mark.parametrize(
    "draw, panel", [(figures.image_rows, (np.zeros((1, 784)), ["a"])), (figures.weights, np.ones((785, 1)))]
)
def test_more_panels_than_letters_are_an_error(draw, panel):
    with pytest.raises(ValueError, match="27 panels; expected 26 at most, each with a letter"):
        draw({str(number): panel for number in range(27)})


def test_runs_of_a_sweep_are_compared_as_they_come(digits):
    runs = sweep(LogisticRegression, digits, seed=range(2), learning_rate=0.05, epochs=1)
    texts = [text.get_text() for text in figures.compare(runs).findobj(Text)]
    assert {"0", "1"} <= set(texts)


def test_runs_whose_epochs_differ_have_no_common_scale(digits):
    runs = sweep(LogisticRegression, digits, batch_size=(40, 400), learning_rate=0.05, epochs=1)
    for draw in (figures.compare, figures.lambdas):
        with pytest.raises(ValueError, match=r"epochs of \[10, 100\] batches have no common scale"):
            draw(runs)


@pytest.mark.parametrize(
    "wrong", (figures.compare, figures.lambdas, figures.weights, figures.image_rows, figures.spike_sizes)
)
def test_nothing_to_draw_is_an_error_that_says_so(wrong):
    with pytest.raises(ValueError, match="is empty; expected"):
        wrong({})


@pytest.mark.parametrize(
    "draw", [figures.accuracy, figures.compare, figures.lambdas, figures.loss, figures.plot]
)
@pytest.mark.parametrize("what", [None, 3, "a run", {"a": 3}])
def test_what_is_no_run_is_named(draw, what):
    with pytest.raises(TypeError, match=r"^runs? is .*; expected (a run|runs by name)"):
        draw(what)


def test_runs_by_lambda_and_seed_are_told_how_lambdas_takes_them(digits):
    runs = sweep(LogisticRegression, digits, lam=(0.0, 0.1), seed=(1, 2), learning_rate=0.05, epochs=1)
    with pytest.raises(TypeError, match=r"^runs has the key \(0\.0, 1\); expected each run under its lambda"):
        figures.lambdas(runs)
    run = runs[0.0, 1]
    with pytest.raises(TypeError, match=r"^runs has the key x; expected each run under its lambda"):
        figures.lambdas(dict[Any, Any]({0.1: run, "x": run}))


def test_figures_drawn_in_threads_leave_matplotlibs_settings_as_they_were(ordered):
    before = dict(matplotlib.rcParams)
    with ThreadPoolExecutor(4) as pool:
        assert len(list(pool.map(figures.loss, [ordered] * 4))) == 4
    assert dict(matplotlib.rcParams) == before


def test_mathematics_becomes_letters_of_its_own():
    assert style.math(r"at $\lambda$ = 0.1, $\|w\|$ of $J$") == "at 𝜆 = 0.1, ‖𝑤‖ of 𝐽"
    assert style.math("no mathematics, $5") == "no mathematics, $5"


def test_a_measure_that_no_run_has_is_an_error_that_names_it(ordered):
    with pytest.raises(ValueError, match="'loss'; expected one of validation_accuracy"):
        figures.compare({"run": ordered}, measure="loss")


def test_the_second_panel_of_4c_comes_only_where_it_enlarges(penalties):
    for lams, panels in (((0.0, 1.0), 2), ((1.0,), 1)):
        figure = figures.lambdas({lam: penalties[lam] for lam in lams})
        assert len(figure.axes) == panels
        low, high = figure.axes[0].get_ylim()
        last = penalties[1.0].history.validation_accuracy[-1]
        assert low < last < high  # an unsteady run is seen
        plt.close(figure)


def test_tiles_of_weights_stand_ten_across_with_one_scale_a_panel(seen):
    figure = FIGURES["4b titles"](seen)
    figure.canvas.draw()
    panels = [ax for ax in figure.axes if ax.images]
    titles = ["(a) 𝜆 = 0", "(b) 𝜆 = 1", "(c) 𝜆 = 0 after 25 steps"]
    for ax, title in zip(panels, titles, strict=True):
        assert ax.get_title("left").partition(";")[0] == title
        assert len({tile.get_clim() for tile in ax.images}) == 1
        low, high = ax.images[0].get_clim()
        assert low == -high
        places = [tile.get_window_extent() for tile in ax.images]
        assert len(places) == 10 and len({round(place.y0, 3) for place in places}) == 1
        assert min(place.width for place in places) / figure.dpi * 25.4 >= 10
    assert len({ax.images[0].get_clim() for ax in panels}) == 3
    plt.close(figure)


def test_scales_of_small_weights_are_not_cut(seen):
    w = seen.penalties[0.0].last.w
    small: dict[float | str, Any] = {10.0**-e: w / np.abs(w[:784]).max() * 1.8 * 10.0**-e for e in range(6)}
    figure = figures.weights(small)
    assert_readable("small", figure, shown_texts(figure))
    plt.close(figure)


def test_shares_are_those_of_a_penalty_and_of_steps(seen):
    figure = FIGURES["4b shares"](seen)
    (ax,) = figure.axes
    lines = [line for line in ax.lines if np.size(line.get_xdata()) > 2]
    assert len(lines) == 4 + 3
    h, left = np.asarray(lines[1].get_xydata()).T
    np.testing.assert_allclose(left, h / (h + 2 * 0.01))
    h, fitted = np.asarray(lines[4].get_xydata()).T
    share = np.zeros_like(h)
    for _ in range(546):
        share += 0.01 * h * (1 - share)  # a step on a quadratic cost whose minimum is 1
    np.testing.assert_allclose(fitted, share, rtol=1e-9)
    assert [line.is_dashed() for line in lines] == [False] * 4 + [True] * 3
    plt.close(figure)


def test_the_spikes_show_the_logits_on_both_sides_and_steps_from_1(seen):
    figure = FIGURES["2e spikes"](seen)
    upper, lower, right = figure.axes
    assert [ax.get_ylabel() for ax in figure.axes] == ["before", "after", "loss (nats)"]
    assert upper.get_xlim() == lower.get_xlim()
    raw, centred = right.lines
    assert raw.get_xydata()[0, 0] == centred.get_xydata()[0, 0] == 311
    assert key_of(figure) == {"2s", "3s", "images as they are", "mean image subtracted"}
    plt.close(figure)


def test_parting_rings_the_lowest_loss_of_each_kind_of_images(seen):
    figure = FIGURES["3d"](seen)
    left, right = figure.axes
    rings = [line.get_xydata().tolist() for line in right.lines if np.size(line.get_xdata()) == 1]
    assert np.allclose(rings, [[[200, 0.28]], [[200, 0.30]]])
    assert len(left.collections) == 2  # the bands
    names = {"training − validation", "training − held-out"}
    assert key_of(figure) == {*names, "95% interval", "lowest loss"}
    plt.close(figure)
