"""The figures: nothing cut, overprinted or struck, type to read, looks to tell apart, for any run."""

from itertools import combinations
from types import SimpleNamespace
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from assignment1 import LogisticRegression, SoftmaxRegression, figures, load_mnist, sweep, train
from assignment1.figures import style
from assignment1.figures.runs import over_an_epoch
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex, to_rgb
from matplotlib.path import Path
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

# Machado, Oliveira and Fernandes (2009): simulation of colour blindness, severity 1, on linear RGB.
BLINDNESS = {
    "none": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
    "grey": [[0.2126, 0.7152, 0.0722]] * 3,
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WIDER = 0.1  # the page's type beside the one that the figures are laid out in


def linear(colour):
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(colour, blindness):
    """CIE L*a*b* of a colour as a reader with that blindness sees it."""
    xyz = TO_XYZ @ np.clip(np.array(BLINDNESS[blindness]) @ linear(colour), 0, 1) / TO_XYZ.sum(axis=1)
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / 3 / (6 / 29) ** 2 + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast_with_white(colour):
    return 1.05 / (TO_XYZ[1] @ linear(colour) + 0.05)


@pytest.fixture(scope="module")
def digits():
    return load_mnist().binary(2, 3)


@pytest.fixture(scope="module")
def ordered(digits):
    settings: dict[str, Any] = dict(learning_rate=0.05, epochs=500, patience=10, progress=False)
    return train(LogisticRegression(), digits, shuffle=False, **settings)


@pytest.fixture(scope="module")
def penalties():
    """A short run for each of nine lambdas; that of 1 is unsteady, as in the report."""
    lams = (0.0, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 1.0)
    settings: dict[str, Any] = dict(learning_rate=0.01, epochs=2, seed=0)
    return sweep(SoftmaxRegression, load_mnist().softmax(), lam=lams, **settings)


def plane():
    """The figure of 4d from about the report's numbers: norm of the weights and loss."""
    lams = (1.0, 0.1, 0.01, 0.003, 0.001, 0.0003, 0.0001, 0.00003, 0.00001)
    lengths = (0.6, 1.65, 3.34, 4.78, 6.85, 10.8, 17.2, 29.1, 47.0)
    training = (1.31, 0.60, 0.339, 0.276, 0.235, 0.198, 0.169, 0.140, 0.117)
    validation = (1.30, 0.59, 0.343, 0.300, 0.285, 0.289, 0.311, 0.361, 0.442)
    descent = {1: (1.4, 0.694), 2: (1.87, 0.536), 5: (2.56, 0.413), 20: (3.82, 0.325), 50: (5.1, 0.295)}
    descent |= {51: (5.11, 0.295), 200: (7.4, 0.286), 600: (10.7, 0.293)}
    at_train, at_validation = (
        dict(zip(lams, zip(lengths, y, strict=True), strict=True)) for y in (training, validation)
    )
    return figures.plane(at_train, at_validation, descent)


def parting(rng):
    epoch, far = np.arange(1, 51.0), np.arange(50, 601, 50.0)
    gaps = 0.012 * np.log(epoch) / 4 - 0.006 + rng.normal(0, 0.001, (4, 50))
    turning = 0.28 + 1e-8 * (far - 200.0) ** 2
    return figures.parting([(epoch, gaps)], 0.003, 3000 / 156, far, 0.28 - 0.0001 * far, turning)


def every_step(rng):
    step: Any = np.arange(310, 1023)
    loss = 0.07 + rng.normal(0, 0.001, len(step)) + 0.07 * (step % 31 == 18)
    return figures.every_step(step, loss, 6, 31)


MINIMA = {0.0: np.inf, 0.00001: 47.0, 0.1: 1.66, 1.0: 0.6}
NORMS = {0.0: 4.87, 0.001: 4.6, 0.01: 3.25, 0.1: 1.66, 1.0: 0.6}
FIGURES = {
    "plot": lambda s: figures.plot(s.ordered),
    "2b": lambda s: figures.loss(s.ordered, (0, 0.2)),
    "2c": lambda s: figures.accuracy(s.ordered, (0.93, 0.99)),
    "2e": lambda s: figures.compare({"file order": s.ordered, "shuffled": s.shuffled}, (0.93, 0.99)),
    "2e steps": lambda s: every_step(s.rng),
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
    "4b four": lambda s: figures.weights({lam: s.penalties[lam].last.w for lam in (1.0, 0.1, 0.01, 0.0001)}),
    "4b one": lambda s: figures.weights({0.0: s.ordered.last.w}),
    "4c": lambda s: figures.lambdas({lam: s.penalties[lam] for lam in (0.0, 0.001, 0.01, 0.1, 1.0)}),
    "4c nine": lambda s: figures.lambdas(s.penalties),
    "4d": lambda s: plane(),
    "4e": lambda s: figures.norms(
        {
            "when early stopping ended the run": NORMS,
            r"at the minimum of $J$": MINIMA,
        }
    ),
    "5a": lambda s: figures.confusion(s.counts, *s.interval),
    "5b": lambda s: figures.costly(
        s.images.reshape(-1, 28, 28), np.arange(10), np.arange(10)[::-1], np.linspace(13, 7.6, 10)
    ),
    "5c": lambda s: figures.reliability(
        np.linspace(0.28, 0.98, 8), np.linspace(0.3, 0.99, 8), np.arange(22, 8000, 1000), *s.calibrated
    ),
}


@pytest.fixture(scope="module")
def seen(digits, ordered, penalties):
    """What the figures are drawn from."""
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
        calibrated=(np.linspace(0.2, 0.98, 8), np.linspace(0.5, 0.995, 8)),
    )


@pytest.fixture(scope="module", params=FIGURES)
def drawn(request, seen):
    """A figure, and the texts that it shows."""
    with plt.rc_context({"figure.max_open_warning": 0}):
        figure = FIGURES[request.param](seen)
    yield request.param, figure, shown_texts(figure)
    plt.close(figure)


def shown_texts(figure):
    texts: list[Text] = []
    draw = Text.draw

    def record(text, renderer):
        texts.append(text)
        draw(text, renderer)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Text, "draw", record)
        figure.canvas.draw()
    return [t for t in texts if t.get_text().strip() and t.get_visible()]


def box(text):
    """Where a text stands on the page, whose type is wider."""
    found = Text.get_window_extent(text)
    along = found.height if text.get_rotation() else found.width
    left, right = {"left": (0, WIDER), "right": (WIDER, 0)}.get(text.get_ha(), (WIDER / 2, WIDER / 2))
    if text.get_rotation():
        return Bbox([[found.x0, found.y0 - left * along], [found.x1, found.y1 + right * along]])
    return Bbox([[found.x0 - left * along, found.y0], [found.x1 + right * along, found.y1]])


def curves(ax):
    """The lines of an axes that show data: colour, dash, marker and path on the page."""
    for line in ax.lines:
        if max(to_rgb(line.get_color())) < 0.85:  # not a halo, nor a grid's line
            yield line, line.get_transform().transform_path(line.get_path())


def test_nothing_is_cut(drawn):
    name, figure, texts = drawn
    assert figure.get_figwidth() == figures.WIDTH, name
    for text in texts:
        at = box(text)
        assert at.x0 >= 0 and at.y0 >= 0, (name, text)
        assert at.x1 <= figure.bbox.x1 and at.y1 <= figure.bbox.y1, (name, text)


def test_no_text_lies_on_another(drawn):
    name, _, texts = drawn
    boxes = [(t.get_text(), box(t)) for t in texts]
    for (one, here), (other, there) in combinations(boxes, 2):
        assert not here.overlaps(there), (name, one, other)


def test_no_text_is_struck_by_a_curve(drawn):
    name, figure, texts = drawn
    for ax in figure.axes:
        paths = [path for line, path in curves(ax) if len(path) > 1 and line.get_linestyle() != "None"]
        for lines in ax.collections:
            if isinstance(lines, LineCollection):
                paths += [ax.transData.transform_path(path) for path in lines.get_paths()]
        for text in texts:
            at = Text.get_window_extent(text)
            if ax.bbox.overlaps(at):
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
    assert len(set(style.LOOKS)) == 25


def test_the_mean_over_an_epoch_is_free_of_what_repeats_in_it():
    epoch = np.random.default_rng(0).normal(size=31)
    steps, mean, low, high = over_an_epoch(np.tile(epoch, 40), 31)
    full = steps >= 15
    np.testing.assert_allclose(mean[full], epoch.mean())
    assert np.all(low <= mean) and np.all(mean <= high)
    assert low[-1] == pytest.approx(np.percentile(epoch, 10))


ODD: dict[str, dict[str, Any]] = {
    "two checks": dict(epochs=1, checks_per_epoch=2),
    "one epoch": dict(epochs=1),
    "no training accuracy": dict(epochs=3, train_accuracy_every=None),
    "nearly diverging": dict(epochs=4, learning_rate=30.0),
    "batches of one epoch": dict(epochs=3, batch_size=3500),
    "tiny steps": dict(epochs=2, learning_rate=1e-6),
}


@pytest.mark.parametrize("pair", ((2, 3), (0, 1), (4, 9)))
@pytest.mark.parametrize("odd", ODD)
def test_any_run_has_its_figures(odd, pair):
    settings = dict(learning_rate=0.05, shuffle=False, progress=False) | ODD[odd]
    run = train(LogisticRegression(), load_mnist().binary(*pair), **settings)
    runs = {f"run {i}": run for i in range(3)}
    drawn = [draw(run) for draw in (figures.plot, figures.loss, figures.accuracy)]
    for figure in (*drawn, figures.compare(runs), figures.lambdas({0.0: run, 0.1: run})):
        texts = shown_texts(figure)
        test_nothing_is_cut((odd, figure, texts))
        test_no_text_lies_on_another((odd, figure, texts))
        plt.close(figure)
    assert len(drawn[2].axes[0].lines) == (3 if odd == "no training accuracy" else 4)


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
    test_no_text_lies_on_another(("seeds", figure, texts))
    test_nothing_is_cut(("seeds", figure, texts))
    plt.close(figure)


def test_the_epochs_above_are_those_of_the_steps_below(ordered):
    figure = figures.loss(ordered)
    (top,) = figure.axes[0].child_axes
    figure.canvas.draw()
    assert top.get_xlim()[1] == pytest.approx(ordered.steps / 31)
    plt.close(figure)


def test_figures_that_are_compared_have_axes_alike(seen):
    drawn = [FIGURES[name](seen) for name in ("2b", "2c", "2e")]
    sizes = {tuple(np.round(figure.axes[0].bbox.size, 6)) for figure in drawn}
    assert len(sizes) == 1
    plt.close("all")


@pytest.mark.parametrize("wrong", (figures.compare, figures.lambdas, figures.weights, figures.image_rows))
def test_nothing_to_draw_is_an_error_that_says_so(wrong):
    with pytest.raises(ValueError, match="is empty; expected"):
        wrong({})


def test_mathematics_becomes_letters_of_its_own():
    assert style.math(r"at $\lambda$ = 0.1, $\|w\|$ of $J$") == "at 𝜆 = 0.1, ‖𝑤‖ of 𝐽"
    assert style.math("no mathematics, $5") == "no mathematics, $5"
