"""Notebooks that are not quite right, and what others put in them: they come out whole, with a warning."""

import copy
import json
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from nbtypst import ExportError, ReportHTMLExporter, ReportPDFExporter

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
}


def both(nb: Any, tmp_path: Any) -> tuple[str, str, list[str]]:
    """The PDF's words, the HTML and the warnings of a notebook's file."""
    path, warned, made = tmp_path / "some.ipynb", [], []
    path.write_text(nb if isinstance(nb, str) else json.dumps(nb), encoding="utf-8")
    for exporter in (ReportPDFExporter, ReportHTMLExporter):
        one = exporter()
        one.log.warning = lambda form, *values: warned.append(form % values)  # type: ignore[assignment]
        made.append(one.from_filename(str(path))[0])
    return "".join(p.get_textpage().get_text_range() for p in pypdfium2.PdfDocument(made[0])), made[1], warned


@pytest.mark.parametrize("case", BROKEN)
@pytest.mark.filterwarnings("ignore")
def test_a_notebook_that_is_not_valid_comes_out_with_a_warning(case, tmp_path):
    nb = copy.deepcopy(VALID)
    BROKEN[case](nb)
    text, page, warned = both(nb, tmp_path)
    assert "Hello" in text and "there" in text and "<h1>Hello</h1>" in page
    assert any(line.startswith("the notebook: it is no valid notebook") for line in warned)


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


def test_a_script_from_right_to_left_and_a_row_header(tmp_path):
    html = "<table><thead><tr><th></th><th>x</th></tr></thead><tr><th>0</th><td>1</td></tr></table>"
    cell = new_code_cell("x", outputs=[new_output("display_data", {"text/html": html})])
    _, page, _ = both(made("שלום", cell), tmp_path)
    assert "שלום" in page and '<th scope="row"' in page
