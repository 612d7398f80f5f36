"""The figure of norms against lambda: lambda 0 apart, what is not there is not drawn, and a key that fits."""

import numpy as np
import pytest

from looks import assert_readable, box, shown_texts
from study import figures

pytestmark = pytest.mark.slow

MINIMA = {0.0: np.inf, 0.00001: 47.0, 0.1: 1.66, 1.0: 0.6}
NORMS = {0.0: 4.87, 0.001: 4.6, 0.01: 3.25, 0.1: 1.66, 1.0: 0.6}


def test_lambda_0_stands_apart_and_an_infinite_norm_has_no_point():
    figure = figures.norms({"run": NORMS, "minimum": MINIMA})
    (ax,) = figure.axes
    x = {tick.get_text(): at for tick, at in zip(ax.get_xticklabels(), ax.get_xticks(), strict=True)}
    assert x["0"] < x["0.00001"] - 0.5
    points = [np.atleast_2d(line.get_xydata()) for line in ax.lines if line.get_marker() != "None"]
    assert all(xy[:, 0].min() >= x["0.00001"] for xy in points if len(xy) > 1)
    assert [xy.tolist() for xy in points if len(xy) == 1] == [[[x["0"], 4.87]]]


def test_lambda_0_is_drawn_for_those_alone_that_have_it():
    some = {lam: norm for lam, norm in NORMS.items() if lam}
    for series, zeros in (({"a": some, "b": some}, 0), ({"a": NORMS, "b": some}, 1)):
        figure = figures.norms(series)
        (ax,) = figure.axes
        ticks = [tick.get_text() for tick in ax.get_xticklabels()]
        assert ticks == ["0"] * zeros + ["0.001", "0.01", "0.1", "1"]
        points = [np.atleast_2d(line.get_xydata()) for line in ax.lines if line.get_marker() != "None"]
        assert [len(xy) for xy in points if len(xy) != 4] == [1] * zeros
        assert_readable("norms", figure, shown_texts(figure))


def test_a_key_has_as_many_columns_as_fit():
    for length, lines in ((6, 1), (20, 2), (44, 3)):
        names = [f"{letter * length} of run {letter}" for letter in "abc"]
        figure = figures.norms(dict.fromkeys(names, NORMS))
        texts = shown_texts(figure)
        assert len({round(box(text).y0) for text in texts if text.get_text() in names}) == lines
        assert_readable("key", figure, texts)


def test_the_guide_falls_as_one_over_lambda_from_the_highest_norm():
    figure = figures.norms({"run": NORMS, "minimum": MINIMA})
    (ax,) = figure.axes
    (guide,) = [line for line in ax.lines if line.get_linewidth() == 0.8 and np.size(line.get_xdata()) == 5]
    x, y = np.asarray(guide.get_xydata()).T
    np.testing.assert_allclose(10**x * y, 0.00001 * 47)
    np.testing.assert_allclose(10**x, [0.00001, 0.001, 0.01, 0.1, 1])
    low, high = ax.get_ylim()
    assert 0.3 < low < 0.6 and 47 < high < 100  # the limits are those of the norms
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["run", "minimum", "slope of 1/𝜆"]


@pytest.mark.parametrize("series", ({}, {"minimum": {}}, {"minimum": {0.0: 4.87}}))
def test_norms_without_a_penalty_are_an_error_that_says_so(series):
    with pytest.raises(ValueError, match=r"^series is \{.*expected norms for one lambda above 0 or more"):
        figures.norms(series)
