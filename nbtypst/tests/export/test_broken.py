"""Notebooks that are not quite right, and what others put in them: they come out whole, with a warning."""

import copy
import io
import json
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any

import nbformat
import pypdfium2
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from nbtypst import ExportError, ReportHTMLExporter, ReportPDFExporter, check
from nbtypst.export import pdf
from nbtypst.reading import markdown

pytestmark = pytest.mark.slow

VALID: dict[str, Any] = {
    "nbformat": 4,
    "nbformat_minor": 5,
    "metadata": {},
    "cells": [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# Hello\nthere"}],
}
BROKEN: dict[str, Any] = {
    "id": lambda nb: nb["cells"][0].update(id="$ x"),
    "metadata": lambda nb: nb["cells"][0].pop("metadata"),
    "kind": lambda nb: nb["cells"].append({"cell_type": "heading", "source": "H", "metadata": {}}),
    "tags": lambda nb: nb["cells"][0].update(metadata={"tags": "remove-cell"}),
    "kernel": lambda nb: nb["metadata"].update(kernelspec="python", language_info=None),
    "output": lambda nb: nb["cells"].append({"cell_type": "code", "source": [], "outputs": [{"text": "x"}]}),
    "count": lambda nb: nb["cells"].append({"cell_type": "code", "source": "x", "execution_count": True}),
    "a cell that is text": lambda nb: nb["cells"].append("words"),
    "JSON that is none": lambda nb: nb["cells"].append(
        {"cell_type": "code", "source": "x", "outputs": [{"data": {"text/json": {"a": 1}}}]}
    ),
}


def both(nb: Any, tmp_path: Any) -> tuple[str, str, list[str]]:
    """Return the PDF's words, the HTML and the warnings of a notebook's file."""
    path, warned, made = tmp_path / "some.ipynb", [], []
    path.write_text(nb if isinstance(nb, str) else json.dumps(nb), encoding="utf-8")
    for exporter in (ReportPDFExporter, ReportHTMLExporter):
        one = exporter()
        one.log.warning = lambda form, *values: warned.append(form % values)
        made.append(one.from_filename(str(path))[0])
    return "".join(p.get_textpage().get_text_range() for p in pypdfium2.PdfDocument(made[0])), made[1], warned


@pytest.mark.parametrize("way", ["fails", "takes too long"])
def test_html_that_pandoc_cannot_read_costs_nothing_beside_it(way, tmp_path, monkeypatch):
    """Show its text, and the rest as ever, if pandoc fails at it or takes too long."""
    real, asked = subprocess.run, []

    def run(command: Any, *others: Any, **options: Any) -> Any:
        if "knot" not in options.get("input", "") or command[-1] != "json":  # what reads HTML
            return real(command, *others, **options)
        asked.append(command)
        if way == "takes too long":
            raise subprocess.TimeoutExpired(command, options["timeout"])
        return subprocess.CompletedProcess(command, 64, "", "peeking failed")

    monkeypatch.setattr(markdown.subprocess, "run", run)
    nb = new_notebook(cells=[new_markdown_cell("# Title"), new_markdown_cell("A *knot* & more")])
    text, page, warned = both(nbformat.writes(nb), tmp_path)
    assert "Title" in text and "A knot & more" in text
    assert "<h1>Title</h1>" in page and "<p>A knot &amp; more" in page
    assert len(asked) == 4, "for each page: with the rest, then by itself"
    place = "cell 2 'A *knot* & more'"
    assert warned == [f"{place}: its HTML cannot be read; its text alone is shown"] * 2


def test_front_matter_that_takes_pandoc_too_long_is_left_as_it_is(tmp_path, monkeypatch):
    real = subprocess.run

    def run(command: Any, *others: Any, **options: Any) -> Any:
        if any("meta.txt" in str(part) for part in command):
            raise subprocess.TimeoutExpired(command, options["timeout"])
        return real(command, *others, **options)

    monkeypatch.setattr(markdown.subprocess, "run", run)
    nb = new_notebook(cells=[new_markdown_cell("---\ntitle: A title\n---"), new_markdown_cell("Words")])
    text, page, warned = both(nbformat.writes(nb), tmp_path)
    assert "A title" in text and "Words" in page
    fault = "cell 1: its front matter cannot be read: pandoc took more than 30 s; it is left as it is"
    assert warned == [fault] * 2


def test_html_that_pandoc_leaves_words_out_of_is_its_text(tmp_path):
    nb = new_notebook(cells=[new_markdown_cell("<dl>before<dt>a</dt><dd>b</dd></dl>")])
    text, page, warned = both(nbformat.writes(nb), tmp_path)
    assert "before a b" in text and "<p>before a b" in page
    place = "cell 1 '<dl>before<dt>a</dt><dd>b</dd></dl>'"
    assert f"{place}: its HTML cannot be read; its text alone is shown" in warned


@pytest.mark.parametrize("case", BROKEN)
@pytest.mark.filterwarnings("ignore")
def test_a_notebook_that_is_not_valid_comes_out_with_a_warning(case, tmp_path):
    nb = copy.deepcopy(VALID)
    BROKEN[case](nb)
    text, page, warned = both(nb, tmp_path)
    assert "Hello" in text and "there" in text and "<h1>Hello</h1>" in page
    assert any(line.startswith("the notebook: it is no valid notebook") for line in warned)
    assert check.main([str(tmp_path / "some.ipynb")]) == 0


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", BROKEN)
def test_the_check_of_a_strict_notebook_says_that_it_is_not_valid(case, tmp_path, capsys):
    nb = copy.deepcopy(VALID) | {"metadata": {"nbtypst": {"strict": True}}}
    BROKEN[case](nb)
    (tmp_path / "some.ipynb").write_text(json.dumps(nb), encoding="utf-8")
    assert check.main([str(tmp_path / "some.ipynb")]) == 1
    first, second, *_ = capsys.readouterr().err.splitlines()
    assert first.endswith("some.ipynb is no report yet:")
    assert second.startswith("the notebook: it is no valid notebook: ")


FAULTS = [
    (b"<<<<<<< HEAD", "it cannot be read: Notebook does not appear to be JSON"),
    (b"\xff", "it is not in UTF-8: 'utf-8' codec"),
    (b"[1]", "it has no list of cells"),
]


@pytest.mark.parametrize("exporter", [ReportPDFExporter, ReportHTMLExporter])
@pytest.mark.parametrize("content, fault", FAULTS)
def test_an_export_of_a_file_that_is_no_notebook_is_a_line(content, fault, exporter, tmp_path):
    (tmp_path / "some.ipynb").write_bytes(content)
    with pytest.raises(ExportError, match=f"^the notebook: {fault}[^\n]*$"):
        exporter().from_filename(str(tmp_path / "some.ipynb"))


def test_an_export_of_a_file_that_is_no_notebook_is_said_without_traceback(tmp_path):
    content, fault = FAULTS[0]
    (tmp_path / "some.ipynb").write_bytes(content)
    command = [sys.executable, "-m", "nbconvert", "--to", "report_html", str(tmp_path / "some.ipynb")]
    said = subprocess.run(command, capture_output=True, text=True).stderr.splitlines()
    assert len(said) == 3 and said[2].startswith(f"the notebook: {fault}")


def test_a_notebook_with_a_byte_order_mark_is_read(tmp_path):
    assert "Hello" in both("\ufeff" + json.dumps(VALID), tmp_path)[0]


@pytest.mark.parametrize(
    "content, fault",
    [
        (None, "cannot be read: [Errno 2]"),
        (b"\xff", "cannot be read: 'utf-8' codec"),
        (b"{}", "is no report yet:\nthe notebook: it has no list of cells"),
    ],
)
def test_the_check_of_a_file_that_is_no_notebook_is_said_without_traceback(content, fault, tmp_path, capsys):
    if content is not None:
        (tmp_path / "some.ipynb").write_bytes(content)
    assert check.main([str(tmp_path / "some.ipynb")]) == 1
    assert f"some.ipynb {fault}" in capsys.readouterr().err


def test_a_preprocessor_that_makes_a_notebook_invalid_is_a_line():
    def spoil(nb, resources):
        nb.cells[0].source = 5
        return nb, resources

    exporter = ReportHTMLExporter(preprocessors=[spoil])
    with pytest.raises(ExportError, match=r"^the notebook: it is no valid notebook: .* at source$"):
        exporter.from_notebook_node(new_notebook(cells=[new_markdown_cell("x")]))


def test_without_a_pandoc_of_version_3_the_page_is_refused_in_a_line(monkeypatch, tmp_path):
    (tmp_path / "pandoc").write_text("#!/bin/sh\necho pandoc 2.19.2\n", encoding="utf-8")
    (tmp_path / "pandoc").chmod(0o755)
    monkeypatch.setattr(markdown, "pandoc_path", markdown.pandoc_path.__wrapped__)
    for found in (str(tmp_path / "pandoc"), None):
        monkeypatch.setattr(
            markdown.shutil, "which", lambda name, path=None, found=found: None if path else found
        )
        for exporter in (ReportPDFExporter, ReportHTMLExporter):
            with pytest.raises(ExportError, match=r"^the notebook: No pandoc >= 3 found"):
                exporter().from_notebook_node(made("text"))


def test_one_pandoc_starts_for_text_and_one_for_its_formulas(monkeypatch):
    started = []
    real = subprocess.run

    def run(command, **kw):
        started.append(command)
        return real(command, **kw)

    monkeypatch.setattr(markdown, "pandoc_path", markdown.pandoc_path.__wrapped__)
    monkeypatch.setattr(subprocess, "run", run)
    ReportPDFExporter().from_notebook_node(made("# T\n\nIt is $x^2$."))
    assert [command[command.index("-t") + 1] for command in started] == ["json", "typst"]


def test_python_m_nbtypst_export_is_nbconvert_without_its_list_of_formats(tmp_path):
    nbformat.write(made("# T"), tmp_path / "a.ipynb")
    command = [sys.executable, "-X", "importtime", "-m", "nbtypst.export", "a.ipynb", "--output=b"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (tmp_path / "b.pdf").read_bytes().startswith(b"%PDF")
    loaded = [line.rpartition(" ")[2] for line in done.stderr.splitlines() if line.startswith("import time")]
    assert "nbtypst.export.typst_writer" in loaded
    assert not {"nbtypst.export.mathml", "PIL.Image", "pypandoc"} & set(loaded)


@pytest.mark.parametrize("text", ["", "5", "{}", '{"nbformat": 3, "worksheets": [{}], "metadata": {}}'])
def test_a_file_that_is_no_notebook_is_one_line(text, tmp_path):
    with pytest.raises(ExportError, match=r"^the notebook: it .*open it in Jupyter and save it$"):
        both(text, tmp_path)


def made(*cells: Any) -> Any:
    return new_notebook(cells=[new_markdown_cell(c) if isinstance(c, str) else c for c in cells])


def test_a_table_of_latex_is_a_table_and_reads_no_file(tmp_path):
    latex = r"\begin{tabular}{r|c} & year\\ \hline 1 & $\pi$ \\ \end{tabular} \input{/etc/hostname}"
    nb = made(
        new_code_cell("x", outputs=[new_output("display_data", {"text/latex": latex, "text/plain": "p"})])
    )
    text, page, warned = both(nb, tmp_path)
    assert "year" in text and page.count("<table") == 1 and "<math" in page and not warned
    assert (Path("/etc/hostname").read_text().strip() or "x") not in text.split()


def test_a_number_that_is_there_twice_stays_as_text_with_a_warning(tmp_path):
    _, page, warned = both(made("$$a = b \\tag{1}$$\n\n$$c = d \\tag{1}$$\n\nBy equation (1)."), tmp_path)
    assert page.count('id="eq-1"') == 1 and page.count("(1)") == 4
    assert len(warned) == 2 and all("equation (1) is there twice" in line for line in warned)


def test_anchors_links_and_pictures_in_headings_stay(tmp_path):
    svg = "<svg width='9' height='9'><title>A box</title><rect width='9' height='9'/></svg>"
    headings = (
        f"# Top {svg}\n\n[to it](#here)\n\n## Part [a](https://example.org) <a id='here'></a>\n\n## End"
    )
    text, page, warned = both(made(headings + "\n\nlong text\n\n" * 90), tmp_path)
    assert '<a href="#here">to it</a>' in page and page.count('id="here"') == 1 and "Part" in text
    assert 'alt="A box"' in page and not warned


def cut(colour: int) -> str:
    """Return a PNG without its last chunk, which browsers and Pillow show and Typst does not."""
    out = io.BytesIO()
    Image.new("RGB", (4, 4), (colour, 0, 0)).save(out, "PNG")
    return b64encode(out.getvalue()[:-12]).decode()


def drawn(colour: int, **about: str):
    output = new_output("display_data", {"image/png": cut(colour)}, metadata=about)
    return new_code_cell("x", outputs=[output])


def test_pictures_and_formulas_that_typst_cannot_set_are_their_text_and_a_warning(tmp_path):
    figure = drawn(0, id="fig-1", caption="**Figure 1.** Words.", alt="A plot")
    inline = f"In ![a box](data:image/png;base64,{cut(1)}) and $\\sqrt{{}}$, see Figure 1 and equation (1):"
    cells = [figure, inline, "$$\\underline{} \\tag{1}$$", *(drawn(i, alt=f"box {i}") for i in range(2, 50))]
    text, page, warned = both(made(*cells), tmp_path)
    shown = " ".join(text.split()).replace("\N{NO-BREAK SPACE}", " ")
    assert "[A plot] Figure 1. Words. In [a box] and \\sqrt{}, see Figure 1 and equation (1):" in shown
    assert "\\underline{} \\tag{1}" in shown and "[box 49]" in shown and page.count("<img") == 50
    assert [line.partition("': ")[2] for line in warned[:3]] == [
        "the formula '\\\\sqrt{}' cannot be set; its source is shown",
        "the formula '\\\\underline{}' cannot be set; its source is shown",
        "the picture 'A plot' cannot be shown; its text is",
    ]
    assert len(warned) == 2 + 50


@pytest.mark.parametrize("letters", ["\u6709", "\u0928\u092e\u0938\u094d\u0924\u0947"])
def test_a_drawing_with_letters_that_no_font_has_is_its_text_and_names_the_extra(letters, monkeypatch):
    monkeypatch.setattr(pdf, "PACKAGED", {})
    svg = (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='99' height='50'><text y='30'>{letters}</text></svg>"
    )
    plain = svg.replace(letters, "\u00e9")
    outputs = [
        new_output("display_data", {"image/svg+xml": one}, metadata={"alt": "A"}) for one in (svg, plain)
    ]
    warned: list[str] = []
    exporter = ReportPDFExporter(system_fonts=False)
    exporter.log.warning = lambda form, *values: warned.append(form % values)
    page = pypdfium2.PdfDocument(exporter.from_notebook_node(made(new_code_cell("", outputs=outputs)))[0])[0]
    assert page.get_textpage().get_text_range().split()[1:] == ["[A]", "\u00e9"]
    assert len(warned) == 1 and "the picture 'A' cannot be shown; its text is" in warned[0]
    assert "'nbtypst[fonts,emoji]'" in warned[0]


def test_a_formula_that_typst_cannot_set_is_found_below_separators_of_lines(tmp_path):
    text, _, warned = both(made("One\u2028two\u2029three", "of main.typ:99999: $\\sqrt{}$"), tmp_path)
    assert "of main.typ:99999: \\sqrt{}" in text
    assert [line.partition("': ")[2] for line in warned] == [
        "the formula '\\\\sqrt{}' cannot be set; its source is shown"
    ]


def test_what_typst_cannot_set_for_another_reason_is_a_line(monkeypatch):
    monkeypatch.setattr(pdf, "_head", lambda writer: "#panic()\n")
    with pytest.raises(ExportError, match=r"^the notebook: Typst could not set the page: panicked"):
        ReportPDFExporter().from_notebook_node(made("text"))


@pytest.mark.parametrize("title, name", [("In fig 1", "in-fig-1"), ("nb figures", "nb-figures")])
def test_no_heading_has_a_name_of_the_page_design(title, name, tmp_path):
    svg = "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><rect width='9' height='9'/></svg>"
    about = {"id": "fig-1", "caption": "**Figure 1.** Words.", "alt": "A plot"}
    plot = new_code_cell("x", outputs=[new_output("display_data", {"image/svg+xml": svg}, metadata=about)])
    text, page, warned = both(made(plot, f"## {title}\n\nto [it](#{name})"), tmp_path)
    assert "to it" in text and f'<a href="#{name}">it</a>' in page and warned == []


def test_a_script_from_right_to_left_and_a_row_header(tmp_path):
    html = "<table><thead><tr><th></th><th>x</th></tr></thead><tr><th>0</th><td>1</td></tr></table>"
    cell = new_code_cell("x", outputs=[new_output("display_data", {"text/html": html})])
    _, page, _ = both(made("שלום", cell), tmp_path)
    assert "שלום" in page and '<th scope="row"' in page


def test_what_only_a_later_format_has_is_its_text_or_a_warning(tmp_path):
    nb = VALID | {"nbformat_minor": 99, "cells": copy.deepcopy(VALID["cells"])}
    nb["cells"][0]["later"] = 1
    nb["cells"].append({"cell_type": "later cell", "id": "b", "metadata": {}, "source": "its words"})
    nb["cells"].append({"cell_type": "later cell", "id": "c", "metadata": {}, "key": "value"})
    later = {"output_type": "later output", "key": ["value"]}
    code = {"cell_type": "code", "id": "d", "metadata": {}, "execution_count": 1, "source": "x"}
    nb["cells"].append(code | {"outputs": [later]})
    text, page, warned = both(nb, tmp_path)
    assert "its words" in text and "its words" in page
    said = [
        "cell 2 'its words': no page has cells of the kind 'later cell'; its text is shown",
        "cell 3: no page has cells of the kind 'later cell'; its text is shown",
        "cell 4 In [1] 'x': a page cannot show an output of the kind nothing; store its text or a picture "
        "with it, as pio.renderers.default = 'png' does for Plotly",
    ]
    assert warned == said * 2
