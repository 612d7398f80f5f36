"""Wide tables are set in smaller type, then in blocks of columns, but never so small that one cannot read."""

import re
from importlib.resources import files
from itertools import combinations

import pypdfium2
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from pypdfium2 import raw

from nbtypst import ReportHTMLExporter, ReportPDFExporter

pytestmark = pytest.mark.slow


def frame(heads: list[str], rows: int = 3) -> str:
    """Return a data frame as pandas writes it, its index a to z, each number once."""
    text = "<thead><tr><th></th>" + "".join(f"<th>{head}</th>" for head in heads) + "</tr></thead><tbody>"
    for row in range(rows):
        cells = "".join(f"<td>{row + 1}{column:02}.125</td>" for column in range(len(heads)))
        text += f"<tr><th>{'abc'[row]}</th>{cells}</tr>"
    return f"<table>{text}</tbody></table>"


def pages(html: str) -> list[str]:
    """Return the text of each page, and hold that none of its letters is under 7 points."""
    cell = new_code_cell("", outputs=[new_output("display_data", {"text/html": html})])
    made = []
    for page in pypdfium2.PdfDocument(ReportPDFExporter().from_notebook_node(new_notebook(cells=[cell]))[0]):
        content = page.get_textpage()
        text = content.get_text_range()
        sizes = [raw.FPDFText_GetFontSize(content, index) for index, char in enumerate(text) if char > " "]
        assert min(sizes) > 6.99
        made.append(text)
    return made


@pytest.mark.parametrize("count, blocks", [(9, 1), (13, 2), (20, 3), (30, 5)])
def test_a_wide_table_is_set_in_blocks_of_columns_with_the_index_before_the_type_is_too_small(count, blocks):
    heads = [f"value_{number:02}" for number in range(count)]
    words = "\n".join(pages(frame(heads))).split()
    cells = [f"{row}{column:02}.125" for row in (1, 2, 3) for column in range(count)]
    assert all(words.count(word) == 1 for word in [*heads, *cells])  # none is over another, or twice
    assert [words.count(label) for label in "abc"] == [blocks] * 3


def test_heads_over_several_columns_and_rows_stay_over_them():
    groups = "".join(f"<th colspan=6>group {group}</th>" for group in "pqr")
    html = frame([f"long_name_{number:02}" for number in range(18)]).replace("<th></th>", "", 1)
    (text,) = pages(html.replace("<tr>", f"<tr><th rowspan=2></th>{groups}</tr><tr>", 1))
    lines = [line.split() for line in text.splitlines()]
    starts = [number for number, line in enumerate(lines) if line[:1] == ["group"]]
    assert len(starts) > 2
    for start in starts:
        over = {"pqr"[int(head.rpartition("_")[2]) // 6] for head in lines[start + 1]}
        assert set(lines[start]) == {"group", *over} and lines[start + 2][0] == "a"


def test_a_head_reaches_into_a_row_of_data():
    head = "<tr><th rowspan=2>place</th><th colspan=2>depth</th></tr>"
    html = f"<table>{head}<tr><td>10 m</td><td>20 m</td></tr><tr><td>A</td><td>3</td><td>4</td></tr></table>"
    cell = new_code_cell("", outputs=[new_output("display_data", {"text/html": html})])
    page = ReportHTMLExporter().from_notebook_node(new_notebook(cells=[cell]))[0]
    assert 'rowspan="2">place</th>' in page


@pytest.mark.parametrize("count", [3, 20])
def test_a_table_with_links_in_its_head_may_go_on_overleaf(count):
    """What Typst repeats there is an artifact, in which PDF/UA-1 allows no link."""
    heads = [f"<a href='https://a.b/'>value_{number:02}</a>" for number in range(count)]
    html = frame(heads)
    made = pages(
        html.replace("</tbody>", html.partition("<tbody>")[2].partition("</tbody>")[0] * 40 + "</tbody>")
    )
    assert len(made) > 1 and "value_02" in made[0]


def test_a_column_of_prose_in_a_wide_table_is_wrapped():
    prose = "Some words that go on for a while, as remarks in a data set of reviews do, until they end. " * 2
    html = frame([f"key_{number}" for number in range(9)] + ["review"]).replace("<td>109.125", f"<td>{prose}")
    text = "\n".join(pages(html))
    assert " ".join(prose.split()) in " ".join(text.split())


CODE = "| a | b | c |\n|---|---|---|\n" + "| `df.sort_values(['Commune','Agriculture'])` " * 3 + "|"
FRACTIONS = r"""
| name | of all the positive predictions that there are |
|---|---|
| precision | $\frac{TP + FN}{TP + FP}$ |
| recall | $\frac{TP + FP}{TP + FN}$ |
"""


NAMES = """
| Parameter | Description | Default |
|---|---|---|
| learning_rate_scheduler_warmup_steps | The number of steps for which the learning rate is increased | None |
| sklearn.ensemble.RandomForestClassifier | A forest of randomised trees that averages all of them | auto |
"""


WORDS = "some words that go on for a while in this cell"
DIGESTS = f"""
| file | digest | remarks | more | other |
|---|---|---|---|---|
| a | 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 | {WORDS} | {WORDS} | {WORDS} |
"""


@pytest.mark.parametrize(
    "source, kerned", [(CODE, 0.3), (FRACTIONS, 0.3), (NAMES, 0.5), (DIGESTS, 0.5)]
)  # points
def test_no_letter_of_a_table_is_over_another(source, kerned):
    cell = new_markdown_cell(source)
    (page,) = pypdfium2.PdfDocument(ReportPDFExporter().from_notebook_node(new_notebook(cells=[cell]))[0])
    content = page.get_textpage()
    boxes = {content.get_charbox(index) for index in range(content.count_chars())}
    for (left, low, right, high), other in combinations(boxes, 2):
        across = min(right, other[2]) - max(left, other[0])
        assert across < kerned or min(high, other[3]) - max(low, other[1]) < 0.3


def test_all_blocks_of_columns_are_as_wide_as_the_page():
    """Hold it in the source: of other widths they are set twice, in 4.9 s and 344 MB for 3.1 s and 267 MB."""
    source = (files("nbtypst.export") / "page.typ").read_text(encoding="utf-8")
    (block,) = re.findall(r"for columns in parts \{ block\(([^()]*)", source)
    assert "width: 100%" in block.split(", ")
