"""Pictures before they reach a page: SVG is drawing alone, and what no page can hold is text."""

import io
import re
import time
from base64 import b64encode
from html import unescape
from pathlib import Path

import pytest
import typst
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image

from nbtypst import ReportHTMLExporter
from nbtypst.reading import pictures
from nbtypst.reading.svg import sanitise_svg

SVG = "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'>{}</svg>"


def drawn(inside: str, folder: Path) -> Image.Image:
    """Return what Typst draws of a drawing."""
    (folder / "a.svg").write_text(sanitise_svg(SVG.format(inside)))
    (folder / "a.typ").write_text('#set page(width: 9pt, height: 9pt, margin: 0pt)\n#image("a.svg")')
    made = typst.compile(folder / "a.typ", format="png")
    assert isinstance(made, bytes)
    return Image.open(io.BytesIO(made)).convert("RGB")


@pytest.mark.parametrize(
    "style, wanted",
    [
        ("font: 10px 'DejaVu Sans'", {"font": '10px "DejaVu Sans"'}),  # as Matplotlib writes it
        ("font: italic bold 9.5pt/1.2 serif", {"font": "italic bold 9.5pt serif"}),
        ("font: italic bold 9.5pt / 1.2 serif", {"font": "italic bold 9.5pt serif"}),
        ("fill: blue; behavior: x", {"fill": "blue"}),
        ("stroke: url(#g); fill: url(https://evil.invalid/)", {"stroke": "url(#g)"}),
        ("stroke: JavaScript:alert(1)", {}),
    ],
)
def test_the_style_of_a_drawing_keeps_what_draws_and_nothing_else(style, wanted):
    made = sanitise_svg(SVG.format(f'<text style="{style}">x</text>'))
    (kept,) = re.findall(r'<text style="([^"]*)">x</text>', made)
    assert dict(part.split(": ") for part in unescape(kept).split("; ") if part) == wanted


@pytest.mark.parametrize(
    "short, long",
    [
        ("font: 10px 'DejaVu Sans Mono'", "font-size: 10px; font-family: 'DejaVu Sans Mono'"),
        (
            "font: italic bold 9.5pt/1.2 serif",
            "font-size: 9.5pt; font-family: serif; font-style: italic; font-weight: bold",
        ),
        ("font: normal 700 12px a, b", "font-size: 12px; font-family: a, b; font-weight: 700"),
    ],
)
def test_a_font_in_short_is_the_same_as_at_length(short, long, tmp_path):
    text = '<text y="8" style="{}">x</text>'
    assert drawn(text.format(short), tmp_path) == drawn(text.format(long), tmp_path)


def test_long_numbers_in_a_style_are_read_in_no_time():
    numbers = f"{'1' * 4000} " * 20
    start = time.perf_counter()
    sanitise_svg(SVG.format(f'<text style="font: {numbers}">x</text>'))
    assert time.perf_counter() - start < 2


def test_of_a_drawings_style_sheet_the_rules_of_a_medium_are_left_out():
    sheet = "@media print { rect { fill: red } } rect, .x { stroke: blue } #y { fill: green }"
    made = sanitise_svg(SVG.format(f"<style>{sheet}</style><rect/><path class='x'/><path id='y'/>"))
    assert "<style>rect, .x {stroke: blue}#y {fill: green}</style>" in made
    assert '<rect /><path class="x" /><path id="y" /></svg>' in made
    assert "evil" not in sanitise_svg(SVG.format("<style>@import 'evil'; rect { fill: url(evil) }</style>"))


@pytest.mark.parametrize(
    "selector, applies",
    [
        ("#m .node rect", True),
        (".node .label .node rect", False),
        (".label, .node.default rect.box", True),
        (".node.other rect", False),
        ("rect .node", False),
        (".node > rect", False),
        ("#m rect:hover", False),
    ],
)
def test_a_rule_for_elements_in_others_is_of_those_alone(selector, applies, tmp_path):
    style = f"<style>{selector}{{fill: red}}</style>"
    rect = "<rect class='box' width='9' height='9'/>"
    inside = f"{style}<g id='m'><g class='node default'><g>{rect}</g></g></g>"
    assert drawn(inside, tmp_path).getpixel((4, 4)) == ((255, 0, 0) if applies else (0, 0, 0))


def test_the_words_in_a_box_of_html_are_lines_in_its_middle():
    """As Mermaid writes the labels of a diagram; draw.io has text of SVG beside such a box, in a switch."""
    words = "<p>A &amp; B</p>two<br/>three"
    html = f"<div xmlns='http://www.w3.org/1999/xhtml'>{words}</div>"
    box = f"<foreignObject width='70' height='30'>{html}</foreignObject>"
    made = sanitise_svg(SVG.format(box))
    lines = [("-1.5em", "A &amp; B"), ("0.0em", "two"), ("1.5em", "three")]
    assert re.findall(r'<text x="50%" y="50%" dy="([^"]*)">([^<]*)</text>', made) == lines
    assert '<svg width="70" height="30" dominant-baseline="central"' in made
    assert "two" not in sanitise_svg(SVG.format(f"<switch>{box}<text>A</text></switch>"))


def wide() -> str:
    out = io.BytesIO()
    Image.new("1", (8000, 8000)).save(out, "PNG")
    return b64encode(out.getvalue()).decode()


@pytest.mark.parametrize(
    "kind, data, most, fault",
    [
        ("image/png", wide(), 40_000_000, "the picture has 8000 x 8000 pixels"),
        ("image/png", wide(), 5000, r"the picture has \d,\d+ bytes, more than 5,000"),
        ("image/png", "AAAA", 100, "it is no picture that can be read"),
        ("image/svg+xml", "<html><svg/></html>", 100, "no SVG: its first element is another"),
        (
            "image/svg+xml",
            SVG.format("<g>" * 2000 + "</g>" * 2000),
            20_000,
            "its elements are nested too deep",
        ),
        ("image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg'/>", 100, "the SVG has no size"),
    ],
)
def test_an_output_that_no_page_can_hold_is_its_text_and_a_warning(kind, data, most, fault, monkeypatch):
    monkeypatch.setattr(pictures, "MOST_BYTES", most)
    output = new_output("display_data", {kind: data, "text/plain": "<A plot>"})
    exporter, warned = ReportHTMLExporter(), []
    exporter.log.warning = lambda form, *values: warned.append(form % values)
    nb = new_notebook(cells=[new_code_cell("x", outputs=[output])])
    page, _ = exporter.from_notebook_node(nb)
    assert "<code>&lt;A plot&gt;</code>" in page and "<img" not in page
    (line,) = warned
    assert re.match(rf"cell 1 'x': its {re.escape(kind)} cannot be shown: {fault}", line)


def test_a_drawing_that_repeats_itself_without_end_is_no_picture():
    use = '<use href="#g{}"/>'
    groups = "".join(f'<g id="g{n}">{use.format(n - 1) * 10}</g>' for n in range(1, 9))
    for inside in (f'<g id="g0"/>{groups}{use.format(8)}', f'<g id="g0">{use.format(0)}</g>'):
        with pytest.raises(ValueError, match=r"draws more than 200,000 shapes|nested too deeply"):
            sanitise_svg(SVG.format(inside))
    assert sanitise_svg(SVG.format('<path id="g0"/>' + use.format(0) * 1000)).count("#g0") == 1000
