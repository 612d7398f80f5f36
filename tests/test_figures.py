"""The figures: nothing cut or overprinted, readable type, colours that everybody can tell apart."""

from itertools import combinations
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from assignment1 import LogisticRegression, SoftmaxRegression, figures, load_mnist, train
from assignment1.evidence import errors
from assignment1.mnist import Dataset, Split
from matplotlib.colors import to_rgb
from matplotlib.text import Text
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


def plane():
    """The figure of 4d from about the report's numbers: length of the weights and loss."""
    lams = (1.0, 0.1, 0.01, 0.003, 0.001, 0.0003, 0.0001, 0.00003, 0.00001)
    lengths = (0.6, 1.65, 3.34, 4.78, 6.85, 10.8, 17.2, 29.1, 47.0)
    training = (1.31, 0.60, 0.339, 0.276, 0.235, 0.198, 0.169, 0.140, 0.117)
    validation = (1.30, 0.59, 0.343, 0.300, 0.285, 0.289, 0.311, 0.361, 0.442)
    descent = {1: (1.4, 0.694), 2: (1.87, 0.536), 5: (2.56, 0.413), 20: (3.82, 0.325), 50: (5.1, 0.295)}
    descent |= {200: (7.4, 0.286), 600: (10.7, 0.293)}
    ends = {0.0: (4.87, 0.299), 0.001: (4.6, 0.303), 0.01: (3.25, 0.348), 0.1: (1.66, 0.59), 1.0: (0.6, 1.31)}
    at_train, at_validation = (
        dict(zip(lams, zip(lengths, y, strict=True), strict=True)) for y in (training, validation)
    )
    return figures.plane(at_train, at_validation, descent, ends)


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


@pytest.mark.parametrize("blindness", BLINDNESS)
def test_curves_that_share_a_figure_differ_in_colour_or_in_dashes(blindness):
    lines = [(c, figures.LAMBDA_DASHES[lam]) for lam, c in figures.LAMBDA_COLOURS.items()]
    pairs = [*combinations(lines, 2), ((figures.BLUE, "-"), (figures.ORANGE, figures.DASHED))]
    for (one, dash), (other, other_dash) in pairs:
        distance = np.linalg.norm(lab(one, blindness) - lab(other, blindness))
        assert dash != other_dash or distance > 10, (one, other, blindness)


def test_coloured_type_has_the_contrast_that_wcag_asks_for():
    for colour in {figures.BLUE, figures.ORANGE, *figures.LAMBDA_COLOURS.values()}:
        assert contrast_with_white(colour) >= 4.5, colour
    assert contrast_with_white("#777777") == pytest.approx(4.48, abs=0.01)  # WebAIM's checker says so


@pytest.fixture(scope="module")
def drawn():
    """Each kind of figure, from real runs on fewer images."""
    mnist = load_mnist()
    digits, images = mnist.binary(2, 3), mnist.softmax()
    images = Dataset(
        Split(*(a[:2000] for a in images.train)),
        Split(*(a[:1000] for a in images.validation)),
        lambda: images.test,
    )
    binary: dict[str, Any] = dict(learning_rate=0.05, epochs=500, patience=10, progress=False)
    ordered = train(LogisticRegression(), digits, shuffle=False, **binary)
    shuffled = train(LogisticRegression(), digits, seed=0, **binary)
    soft: dict[str, Any] = dict(learning_rate=0.05, epochs=30, patience=10, seed=0, progress=False)
    runs = {lam: train(SoftmaxRegression(lam), images, **soft) for lam in (0.0, 0.001, 0.01, 0.1, 1.0)}
    lengths = {lam: float(np.linalg.norm(run.last.w)) for lam, run in runs.items()}
    seen = errors.readings(runs[0.0].best, images.validation)
    counts, worst, groups = errors.confusion(seen), errors.costliest(seen, 16), errors.reliability(seen)
    return {
        "2b": figures.loss(ordered, (0, 0.2), names_at=0.08),
        "2c": figures.accuracy(ordered, (0.93, 0.99)),
        "2e": figures.validation_accuracies(ordered, shuffled, (0.93, 0.99)),
        "4b": figures.weights({lam: runs[lam].last.w for lam in (0.0, 1.0)}),
        "4c": figures.lambdas(runs, (0.6, 0.93)),
        "4d": plane(),
        "4e": figures.norms({"at the stop": lengths}),
        "5a": figures.confusion(counts, *errors.wilson(np.diag(counts), counts.sum(axis=1))),
        "5b": figures.costly(mnist.test_images, seen, worst),
        "5c": figures.reliability(groups, *errors.wilson(groups.hits, groups.n)),
    }


def test_type_is_large_enough_and_nothing_is_cut_or_overprinted(drawn, monkeypatch):
    texts: list[Text] = []
    draw = Text.draw

    def record(text, renderer):
        texts.append(text)
        draw(text, renderer)

    monkeypatch.setattr(Text, "draw", record)
    for name, figure in drawn.items():
        assert figure.get_figwidth() == figures.WIDTH
        figure.canvas.draw()
        texts.clear()
        figure.canvas.draw()
        boxes = [
            (t.get_text(), Text.get_window_extent(t))
            for t in texts
            if t.get_text().strip() and t.get_visible()
        ]
        assert len(boxes) > 10
        assert min(float(text.get_fontsize()) for text in texts) >= 9, name
        for text, box in boxes:
            assert box.x0 >= 0 and box.y0 >= 0, (name, text)
            assert box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1, (name, text)
        for (one, box), (other, other_box) in combinations(boxes, 2):
            assert not box.overlaps(other_box), (name, one, other)
        plt.close(figure)


def widened(box):
    return Bbox([[box.x0 - 0.05 * box.width, box.y0], [box.x1 + 0.05 * box.width, box.y1]])
