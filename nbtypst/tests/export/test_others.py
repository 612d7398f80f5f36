"""What was wrong on pages of notebooks by others."""

import subprocess
import sys
import time
from typing import Any

import pypdfium2
import pytest
from nbformat import write
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from nbtypst import ReportHTMLExporter, ReportPDFExporter
from nbtypst.reading.document import collect
from nbtypst.reading.markdown import drawn
from nbtypst.settings import settings

ICON = '<svg xmlns="http://www.w3.org/2000/svg" height="24px"viewBox="0 0 9 9"><path d="M0 0h9"/></svg>'


def page(*cells: Any) -> tuple[str, list[str]]:
    """Return the page of HTML from its heading on, and the warnings."""
    warned: list[str] = []
    exporter = ReportHTMLExporter()
    exporter.log.warning = lambda form, *values: warned.append(form % values)
    made, _ = exporter.from_notebook_node(new_notebook(cells=cells))
    return made.partition("<main")[2], warned


def shown(**data: str) -> Any:
    named = {f"text/{kind}": text for kind, text in data.items()}
    return new_code_cell("x", outputs=[new_output("display_data", named)])


def test_a_button_that_is_an_icon_alone_is_not_shown():
    button = f'<button class="colab-df-convert" onclick="convert()">\n\n  {ICON}\n  </button>'
    made, warned = page(shown(html=f"<div><table><tr><th>a</th></tr></table>{button}</div>", plain="a"))
    assert "base64" not in made and "<img" not in made and warned == []


@pytest.mark.parametrize("part", ["<button ", "<button>", "<button><svg>", "</svg> ", "<button><svg></svg> "])
def test_many_buttons_take_no_time(part):
    began = time.process_time()
    drawn(part * 20_000)
    assert time.process_time() - began < 2


def test_latex_of_words_alone_keeps_what_stands_behind_a_percent_sign():
    made, warned = page(shown(latex="Difference (in %) of both models", plain="<Latex object>"))
    assert "Difference (in %) of both models" in made and warned == []


def test_html_that_shows_nothing_is_nothing_without_a_warning():
    made, warned = page(new_markdown_cell("text"), shown(html="\n</div>"))
    assert "cannot show" not in made and warned == []


@pytest.mark.parametrize("kind", ["caution", "important", "note", "tip", "warning"])
def test_the_boxes_that_quarto_writes_as_html_are_boxes(kind):
    head = f'<div class="callout-header"><div class="callout-title-container">\n{kind}\n</div></div>'
    box = f'<div class="callout callout-style-default callout-{kind} callout-titled">\n{head}\n'
    made, _ = page(new_markdown_cell(f"{box}\n\nThe *words*.\n\n</div>"))
    assert made.count('class="alert') == 1 and f"alert {kind}" in made


def test_seconds_are_no_date():
    about = {"title": "Kalman", "date": 1786684088.28}
    assert settings(new_notebook(metadata=about), {}).date == ""
    assert settings(new_notebook(metadata={"date": 2026}), {}).date == "2026"


@pytest.mark.parametrize(
    "words, title", [("Introduction to R", "Introduction to R"), ("Introduction", "file")]
)
def test_an_introduction_to_something_is_a_title(words, title):
    cells = [new_markdown_cell(f"# {words}"), new_markdown_cell("# 1. Data")]
    assert collect(new_notebook(cells=cells), name="file").title == title


@pytest.mark.parametrize("end", ["", r" \tag{7}"])
def test_a_long_equation_stays_on_the_page(end):
    source = f"$$ x = {' + '.join(f'a_{{{number}}} b_{{{number}}}' for number in range(18))} {end} $$"
    nb = new_notebook(cells=[new_markdown_cell(source)])
    (shown,) = pypdfium2.PdfDocument(ReportPDFExporter().from_notebook_node(nb)[0])
    content = shown.get_textpage()
    boxes = [content.get_charbox(index) for index in range(content.count_chars())]
    assert min(box[0] for box in boxes) > 90 and max(box[2] for box in boxes) < 505


def test_a_place_to_link_to_takes_no_room_before_an_equation():
    heights = []
    for anchor in ("", "<a id='there'></a>\n"):
        nb = new_notebook(
            cells=[new_markdown_cell(f"It is written so:\n\n{anchor}$$ x = 1 $$\n\n[up](#there)")]
        )
        content = pypdfium2.PdfDocument(ReportPDFExporter().from_notebook_node(nb)[0])[0].get_textpage()
        heights.append(content.get_charbox(content.get_text_range().index("=") - 1)[1])
    assert heights[1] == pytest.approx(heights[0], abs=3)


def test_characters_that_no_font_has_are_one_warning(monkeypatch):
    warned: list[str] = []
    exporter = ReportPDFExporter(system_fonts=False)
    exporter.log.warning = lambda form, *values: warned.append(form % values)
    exporter.from_notebook_node(
        new_notebook(cells=[new_markdown_cell(f"# {chr(0x4E00 + n)}") for n in range(30)])
    )
    (line,) = warned
    assert line.startswith("the title: ") and "and 10 more characters" in line


@pytest.mark.parametrize("way", [["--to", "report_html"], ["--to=report_html"]])
def test_the_command_writes_html_too(way, tmp_path):
    write(new_notebook(cells=[new_markdown_cell("# Words")]), tmp_path / "a.ipynb")
    subprocess.run([sys.executable, "-m", "nbtypst.export", "a.ipynb", *way], cwd=tmp_path, check=True)
    assert (tmp_path / "a.html").exists() and not (tmp_path / "a.pdf").exists()
