"""Parts of the HTML page that move come from installed packages alone; and its formulas have a font."""

import re
from importlib.metadata import EntryPoint, EntryPoints

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell
from traitlets.config import Config

from nbtypst import ExportError, ReportHTMLExporter, ReportPDFExporter
from nbtypst.export import exporter
from nbtypst.reading import widgets

pytestmark = pytest.mark.slow

CLOCK = (
    '<p id="clock">It is <b>late</b> ×.</p><script type="module">let math = "<math <th </style>";</script>'
)
NAMED = {"nbtypst": {"widget": "clock"}}


def clock() -> str:
    return CLOCK


def broken() -> str:
    raise FileNotFoundError("the spring is missing")


@pytest.fixture
def offered(monkeypatch):
    """Install a package that offers two widgets."""
    points = [EntryPoint(name, f"{__name__}:{name}", widgets.GROUP) for name in ("clock", "broken")]
    for point, function in zip(points, (clock, broken), strict=True):
        vars(point)["load"] = lambda function=function: function
    monkeypatch.setattr(widgets, "entry_points", lambda group: EntryPoints(points))


def made(*cells, exporter=ReportHTMLExporter, **options):
    nb = new_notebook(cells=[new_markdown_cell("# Title"), *cells, new_markdown_cell("The end: $x$.")])
    one, warned = exporter(config=Config({exporter.__name__: options})), []
    one.log.warning = lambda form, *values: warned.append(form % values)
    return one.from_notebook_node(nb)[0], warned


def policy(page):
    return re.findall(r'"Content-Security-Policy" content="([^"]*)"', page)


def test_a_widget_stands_after_its_cell_as_it_is_and_its_script_alone_is_allowed(offered):
    page, warned = made(new_markdown_cell("## The time", metadata=NAMED))
    assert not warned and page.count(CLOCK) == 1
    assert page.index("The time</h2>") < page.index(CLOCK) < page.index("The end")
    (allowed,) = widgets.hashes(CLOCK)
    assert policy(page) == [
        f"default-src 'none'; img-src data:; font-src data:; style-src 'unsafe-inline'; script-src {allowed}"
    ]


def test_paper_leaves_out_the_cell(offered, monkeypatch):
    monkeypatch.setattr(exporter, "digest", lambda nb: "")  # of a notebook that is another
    with_clock, warned = made(new_markdown_cell("## The time", metadata=NAMED), exporter=ReportPDFExporter)
    assert with_clock == made(exporter=ReportPDFExporter)[0] and not warned


def test_a_page_without_widgets_allows_no_script(offered):
    page, _ = made(new_markdown_cell("a <!-- widget clock --> b"), new_raw_cell("<!-- widget clock -->"))
    assert "script" not in policy(page)[0] and "<b>late</b>" not in page


@pytest.mark.parametrize(
    "name", ["os:system", "clock()", "Clock", "../clock", ["clock"], {"clock": 1}, "", None, 3, "a" * 51]
)
def test_what_is_no_name_is_none(offered, name):
    page, warned = made(new_markdown_cell("Here", metadata={"nbtypst": {"widget": name}}))
    assert "Here" in page and not warned and "script-src" not in page


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("sundial", "no installed package has the widget 'sundial'; there is: broken, clock"),
        ("broken", "the widget 'broken' cannot be made: FileNotFoundError: the spring is missing"),
    ],
)
def test_a_widget_that_is_not_to_be_had_is_a_warning_and_in_strict_an_error(offered, name, said):
    cell = new_markdown_cell("Here", metadata={"nbtypst": {"widget": name}})
    page, warned = made(cell)
    assert warned == [f"cell 2 'Here': {said}"] and "Here" in page and "script-src" not in page
    with pytest.raises(ExportError, match=f"^cell 2 'Here': {re.escape(said)}$"):
        made(cell, strict=True)


def test_a_widget_is_there_once_and_no_heading_takes_its_id(offered):
    page, _ = made(new_markdown_cell("## Clock", metadata=NAMED))
    assert page.count('id="clock"') == 1
    with pytest.raises(ExportError, match="clock is there twice"):
        made(new_markdown_cell("x", metadata=NAMED), new_markdown_cell("y", metadata=NAMED), strict=True)


def test_only_a_cell_of_text_has_a_widget(offered):
    output = new_output("display_data", {"text/markdown": "Here"}, metadata=NAMED)
    page, _ = made(new_code_cell("1", outputs=[output], metadata=NAMED))
    assert "Here" in page and "<b>late</b>" not in page


def test_a_page_with_formulas_has_a_font_that_stretches():
    page, _ = made()
    faces = re.findall(r"@font-face \{[^}]*\}", page)
    assert len(faces) == 1 and 100_000 < len(faces[0]) < 150_000 and "data:font/woff2;base64," in faces[0]
    none = ReportHTMLExporter().from_notebook_node(new_notebook(cells=[new_markdown_cell("no formula")]))[0]
    assert "@font-face" not in none


@pytest.mark.parametrize(
    ("latex", "wanted"),
    [
        (r"y \ln x", '</mi><mo lspace="0.167em" rspace="0.167em" movablelimits="false">ln</mo><mi>'),
        (r"-\log_2 x", '<msub><mo lspace="0" rspace="0.167em" movablelimits="false">log</mo><mn>2</mn>'),
        (r"2 \sin(x)", '</mn><mo lspace="0.167em" rspace="0" movablelimits="false">sin</mo><mo'),
        (r"\hat{y}^n", '<mover accent="true"><mi>y</mi><mo accent="true" stretchy="false">ˆ</mo></mover>'),
        (r"\dot x^2", '<msup><mpadded height="0.5em"><mover accent="true"><mi>x</mi><mo accent="true" stret'),
        (r"\dot x^2", 'stretchy="false">˙</mo></mover></mpadded><mn>2</mn>'),
        (r"\ddot\Phi", '<mi mathvariant="normal">Φ</mi><mo accent="true" stretchy="false">˙˙</mo>'),
        (r"\left\|x\right\|", '<mo stretchy="true" form="postfix">‖</mo>'),
        (r"\Bigl(x\Bigr)^2", '<msup><mrow><mo minsize="180%" maxsize="180%" stretchy="true" form="postfix"'),
        (r"f'(x)", "<mi>′</mi>"),
        (r"\overline{xy}", '</mrow><mo accent="true" class="bar">¯</mo></mover>'),
        (r"\underbrace{xy}_n", '</mrow><mo accent="true">⏟</mo></munder>'),
        (r"\cancel{x}", '<mrow class="cancel"><mi>x</mi></mrow>'),
    ],
)
def test_formulas_are_spaced_as_tex_does(latex, wanted):
    assert wanted in made(new_markdown_cell(f"${latex}$"))[0].replace("<mo>′</mo>", "<mi>′</mi>")


def test_code_in_a_sentence_keeps_its_marks():
    page, _ = made(new_markdown_cell("""Don't: `x['a'] = "b" -- ...`, <code>it's <b>"so"</b></code>"""))
    plain = page.replace("&quot;", '"').replace("&#39;", "'")
    assert """<code>x['a'] = "b" -- ...</code>""" in plain
    assert """<code>it's </code><strong><code>"so"</code></strong>""" in plain
    assert "Don’t" in page
