"""How a figure's colours and type look: to readers with colour blindness, in grey, on the page."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from study import figures

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
    """Return a colour's linear RGB."""
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(colour, blindness):
    """Return CIE L*a*b* of a colour as a reader with that blindness sees it."""
    seen = np.clip(np.array(BLINDNESS[blindness]) @ linear(colour), 0, 1)
    xyz = TO_XYZ @ seen / TO_XYZ.sum(axis=1)
    x, y, z = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / 3 / (6 / 29) ** 2 + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def contrast_with_white(colour):
    """Return the contrast ratio that WCAG defines: 1 to 21."""
    luminance = TO_XYZ[1] @ linear(colour)
    return 1.05 / (luminance + 0.05)


def shown_texts(figure):
    """Draw a figure and return the texts that appear."""
    texts: list[Text] = []
    draw = Text.draw

    def record(text, renderer):
        texts.append(text)
        draw(text, renderer)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Text, "draw", record)
        figure.canvas.draw()
    return [text for text in texts if text.get_text().strip() and text.get_visible()]


def box(text):
    """Return the place of a text on the page, whose type is wider."""
    found = Text.get_window_extent(text)
    left, right = {"left": (0, WIDER), "right": (WIDER, 0)}.get(text.get_ha(), (WIDER / 2, WIDER / 2))
    if text.get_rotation():
        low, high = left * found.height, right * found.height
        return Bbox([[found.x0, found.y0 - low], [found.x1, found.y1 + high]])
    low, high = left * found.width, right * found.width
    return Bbox([[found.x0 - low, found.y0], [found.x1 + high, found.y1]])


def assert_readable(name, figure, texts):
    """Fail if a text is cut, or lies on another."""
    assert figure.get_figwidth() == figures.WIDTH, name
    boxes = [box(text) for text in texts]
    for text, at in zip(texts, boxes, strict=True):
        assert at.x0 >= 0 and at.y0 >= 0, (name, text)
        assert at.x1 <= figure.bbox.x1 and at.y1 <= figure.bbox.y1, (name, text)
    for (one, place), (other, elsewhere) in combinations(zip(texts, boxes, strict=True), 2):
        assert not place.overlaps(elsewhere), (name, one, other)


def curves(ax):
    """Yield the lines of an axes that show data, each with its path on the page."""
    for line in ax.lines:
        if max(to_rgb(line.get_color())) < 0.85:  # not a halo, nor a grid's line
            yield line, line.get_transform().transform_path(line.get_path())
