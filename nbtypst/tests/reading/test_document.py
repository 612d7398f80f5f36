"""What the exporters make of a notebook: links, captions, refusals."""

import re
import time
from collections.abc import Mapping

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from pandocfilters import stringify

from nbtypst import ExportError
from nbtypst.export.typst_writer import Writer
from nbtypst.reading.cells import terminal
from nbtypst.reading.document import collect
from nbtypst.reading.markdown import from_markdown, sanitise, text_of
from nbtypst.reading.references import nodes

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="72pt" height="36pt"><path d="M0 0h72"/></svg>'


def shown(data: dict[str, str], about: Mapping[str, object]):
    output = new_output("display_data", data, metadata=about)
    return new_code_cell("show()", outputs=[output])


def figure(**changed: str):
    about = {"id": "fig-2b", "caption": "**Figure 2b.** **Loss.** As Table A.", "alt": "A line."} | changed
    return shown({"image/svg+xml": SVG}, about)


def data_table():
    about = {"id": "tbl-a", "caption": "**Table A.** Numbers."}
    return shown({"text/markdown": "| a | b |\n|---|--:|\n| 1 | $x$ |"}, about)


def notebook(*cells: str, **metadata: object):
    made = [new_markdown_cell("# Title")]
    for cell in cells:
        made.append(new_markdown_cell(cell) if isinstance(cell, str) else cell)
    return nbformat.v4.new_notebook(cells=made, metadata={"nbtypst": metadata})


def links(report) -> dict[str, str]:
    found: dict[str, str] = {}
    for _, block in report.blocks:
        for node in nodes(block):
            if node["t"] == "Link":
                _, inlines, (address, _) = node["c"]
                words = stringify(inlines).replace("\xa0", " ")
                found[words] = address
    return found


def test_mentions_become_links():
    text = "(Figure 2b), *see Figures 2b and 2b*; Table A's rows, equations (3) and (4), task 2b. Task 2."
    equations = r"$$x = 1 \tag{3}$$ $$x = 2 \tag{4}$$"
    report = collect(notebook("## Task 2\n\n### Task 2b: the loss", text, equations, figure(), data_table()))
    assert report.title == "Title"
    assert links(report) == {
        "Figure 2b": "#fig-2b",
        "Figures 2b": "#fig-2b",
        "2b": "#fig-2b",
        "Table A": "#tbl-a",
        "equations (3)": "#eq-3",
        "(4)": "#eq-4",
        "task 2b": "#task-2b",
    }


def test_a_table_of_html_has_the_number_in_its_caption():
    table = "<table><caption>Table 2: Means.</caption><tr><th>a</th></tr><tr><td>1</td></tr></table>"
    assert links(collect(notebook(table, "See Table 2."))) == {"Table 2": "#tbl-2"}


def test_the_number_of_an_equation_may_have_parts():
    text = r"By equations (2.1) and (A.3), equation (e.g.) the last. $$x \tag{2.1}$$ $$y \tag{A.3}$$"
    report = collect(notebook(text))
    assert links(report) == {"equations (2.1)": "#eq-2.1", "(A.3)": "#eq-a.3"}
    assert not report.problems.warnings


def test_mentions_in_norwegian_become_links():
    text = "Se figur 2b, likning (3), ligningene over, tabell A og oppgave 2b; likninger (3) eller (4)."
    equations = r"$$x = 1 \tag{3}$$ $$x = 2 \tag{4}$$"
    report = collect(notebook("## Oppgave 2b: tapet", text, equations, figure(), data_table()))
    assert links(report) == {
        "figur 2b": "#fig-2b",
        "likning (3)": "#eq-3",
        "tabell A": "#tbl-a",
        "Table A": "#tbl-a",  # in the figure's caption
        "oppgave 2b": "#task-2b",
        "likninger (3)": "#eq-3",
        "(4)": "#eq-4",
    }


def test_a_panel_and_a_range_link_to_their_figures():
    one = figure(id="fig-1", caption="**Figure 1.** Loss.")
    two = figure(id="fig-2", caption="**Figure 2.** Loss.")
    report = collect(notebook("Figure 1a, then Figures 1–2; Figure 1 (b).", one, two))
    assert links(report) == {
        "Figure 1a": "#fig-1",
        "Figures 1": "#fig-1",
        "2": "#fig-2",
        "Figure 1": "#fig-1",
    }


MENTIONS = {
    "Figure 9z": "'Figure 9z' is mentioned and is not there; there is: none",
    "Tables A and 3b": "'3b' is mentioned and is not there; there is: Table A",
    "equation (7)": "is mentioned and is not there; there is: none",
    "task 4e": "is mentioned and is not there",
    "[here](#nowhere)": "a link leads to #nowhere, which is not there",
}


@pytest.mark.parametrize("mention", MENTIONS)
def test_a_mention_of_nothing_stays_text_or_stops_a_strict_build(mention):
    cells = ("## Task 2", data_table(), f"In {mention} we see.")
    place = f"cell 4 'In {mention} we see.': "
    with pytest.raises(ExportError, match=re.escape(place)) as caught:
        collect(notebook(*cells, strict=True))
    assert MENTIONS[mention] in str(caught.value)
    document = collect(notebook(*cells))
    assert all(target == "#tbl-a" for target in links(document).values())
    warned = len(document.problems.warnings)
    assert warned == (mention[0] in "T[")  # where there is none of its kind, another text's is meant


def test_a_link_to_an_equation_that_has_no_number_is_its_text():
    assert links(collect(notebook(r"$$x \label{a}$$", "See [it](#a)."))) == {}


def test_a_label_that_is_there_twice_is_a_warning():
    cells = [r"$$x \label{a}$$", r"$$y \label{a} \tag{7}$$ See \eqref{a}."]
    (problem,) = collect(notebook(*cells)).problems.warnings
    assert problem.what == "the label 'a' is there twice" and problem.place.startswith("cell 3")


def test_a_link_to_a_cell_is_its_text_and_stops_no_strict_build():
    document = collect(notebook("No longer true, in [2b](a.ipynb#cell-id=c1).", strict=True))
    assert links(document) == {} and not document.problems.warnings
    with pytest.raises(ExportError, match=re.escape("a link leads to the file a.ipynb#c1;")):
        collect(notebook("See [it](a.ipynb#c1).", strict=True))


ERROR = new_code_cell("1/0", outputs=[new_output("error", ename="E", evalue="v", traceback=["E: v"])])


@pytest.mark.parametrize(
    "cells, message",
    [
        ([figure(alt="")], "a picture has no alternative text"),
        ([figure(id="fig-1"), figure(id="fig-3")], "Figure 3 stands where Figure 2 is due"),
        ([figure(id="fig-1"), figure(id="fig-a2")], "Figure A2 stands where Figure A1 is due"),
        ([r"$$x \tag{2}$$"], r"equation (2) stands where equation (1) is due"),
        ([r"$\unheardof{x}$"], r"LaTeX command \unheardof is not known"),
        ([ERROR], "it shows an error, E: v; run it again"),
        (
            ["<iframe src='https://a.b/'></iframe>"],
            "a page cannot show <iframe>; its address https://a.b/ stands there",
        ),
        (["![](no.png)"], "no file 'no.png' is in the notebook's folder"),
    ],
)
def test_what_a_page_cannot_show_stops_a_strict_build_alone(cells, message):
    with pytest.raises(ExportError, match=re.escape(message)):
        collect(notebook(*cells, strict=True), folder=".")
    collect(notebook(*cells), folder=".")


def test_an_error_that_its_cell_is_to_raise_stops_no_strict_build():
    cell = ERROR | {"metadata": nbformat.from_dict({"tags": ["raises-exception"]})}
    document = collect(notebook(nbformat.from_dict(cell), strict=True))
    classes = [block["c"][0][1] for _, block in document.blocks]
    assert classes == [["input"], ["error"]]


def test_an_output_that_no_page_can_show_keeps_its_caption():
    cell = shown({"application/x-strange": "1"}, {"caption": "Its words."})
    *_, (_, block) = collect(notebook(cell)).blocks
    assert stringify(block["c"][1]) == "Its words."


def test_code_that_is_nested_too_deeply_is_plain_text_in_a_pdf():
    quotes = "<blockquote>" * 14
    document = collect(notebook(f"{quotes}<p><code>some</code> code</p><pre><code>in a block</code></pre>"))
    assert '[#"some codein a block";]' in Writer(document, {}).write()
    (problem,) = document.problems.warnings
    assert "nested too deeply; what is deeper is plain text" in str(problem)


def test_all_problems_are_told_at_once_each_in_a_line_with_its_cell():
    false = {"sentence": "It is small.", "check": "x < 1", "values": "2 < 1", "holds": False}
    old = false | {"stale": "x is from In [3]"}
    said = []
    for check in (false, old):
        said.append(new_output("display_data", {"text/markdown": "It."}, metadata={"checks": [check]}))
    cell = new_code_cell("say('It is small.')", outputs=said, execution_count=7)
    with pytest.raises(ExportError) as caught:
        collect(notebook(cell, figure(), figure()))
    assert str(caught.value).splitlines() == [
        "cell 2 In [7] \"say('It is small.')\": not true: 'It is small.'; check: x < 1; measured: 2 < 1",
        "cell 2 In [7] \"say('It is small.')\": 'It is small.' is out of date, x is from In [3]; "
        "run the cells above again",
    ]
    long = false | {"sentence": "It is small. " * 50, "check": "x < " + "1 + " * 60 + "1"}
    about = {"checks": [long], "parts": [["caption", "3b.loss"], ["alt", "3b.loss.alt"]]}
    cell.outputs = [new_output("display_data", {"text/markdown": "It."}, metadata=about)]
    with pytest.raises(ExportError) as caught:
        collect(notebook(cell))
    line = str(caught.value)
    assert line.startswith("3b.loss, cell 2 In [7]") and len(line) < 500
    assert line.endswith(f" …'; check: {long['check']}; measured: 2 < 1")
    twice = r"cell 3 'show.*Figure 2b is there twice; give each its own number"
    with pytest.raises(ExportError, match=twice):
        collect(notebook(figure(), figure(), strict=True))


@pytest.mark.parametrize(
    "sources, metadata, title, levels",
    [
        (["# One", "## A", "#### B", "## C"], {}, "One", [1, 2, 1]),
        (["# One", "### A", "# Two"], {}, "One", [1, 1]),
        (["# One", "## A"], {"title": "Given"}, "Given", [1, 2]),
        ([r"# The $\chi^2$ test", "## A"], {}, "The chi squared test", [1]),
        ([r"# On $\unheardof{x}$", "## A"], {}, r"On \unheardof{x}", [1]),
        (["# Given", "## A"], {"title": "Given"}, "Given", [1]),
        (["### A", "## B"], {}, "A", [1]),
        (["# Introduction", "# B"], {}, "file", [1, 1]),
        (["text"], {}, "file", []),
        (["###### By me", "# Motion", "## A"], {}, "Motion", [1, 1]),
        (["## A", "# B"], {}, "A", [1]),
        (["# Table of Contents", "# Text", "## A", "# B"], {}, "Text", [1, 2, 1]),
        (["#### 18.06 Spring", "# 1", "# 2"], {}, "18.06 Spring", [1, 1]),
        (["# 1. Data", "# 2. Results"], {}, "file", [1, 1]),
    ],
)
def test_title_and_levels_of_headings(sources, metadata, title, levels):
    cells = [new_markdown_cell(source) for source in sources]
    nb = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    document = collect(nb, name="file")
    assert document.title == title
    headings = [block for _, block in document.blocks if block["t"] == "Header"]
    assert [heading["c"][0] for heading in headings] == levels


def test_a_drawing_in_a_raw_cell_of_html_is_a_picture():
    cell = nbformat.v4.new_raw_cell(SVG, metadata={"raw_mimetype": "text/html"})
    assert [picture.kind for picture in collect(notebook(cell)).pictures] == ["svg"]


def cells_of(source: str) -> list[list[str]]:
    """Return the words of each cell of Markdown's table, row by row."""
    rows = re.findall("<tr>(.*?)</tr>", from_markdown(source), re.S)
    return [[text_of(cell) for cell in re.findall("<t[hd].*?>(.*?)</t[hd]>", row, re.S)] for row in rows]


@pytest.mark.parametrize(
    "row, cells",
    [
        ("| 1 | 2 | 3 |", ["1", "2"]),
        ("| 1 |", ["1", ""]),
        ("| $|x|$ | y |", ["|x|", "y"]),
        ("$P(A|B)$ | `c|d`", ["P(A|B)", "c|d"]),
        ("| $5 | $6 |", ["$5", "$6"]),
        ("| a \\| b | |", ["a | b", ""]),
    ],
)
def test_a_row_of_markdown_is_as_long_as_its_head(row, cells):
    for head in ("| a | b |\n|---|:-:|", "a | b\n--|--"):
        assert cells_of(f"{head}\n{row}\n| 1 | 2 |\n\nafter | it")[1:] == [cells, ["1", "2"]]
    assert cells_of(f"```\n| a | b |\n|---|---|\n{row}\n```\n") == []


def test_a_table_in_a_fence_is_code_as_it_is_written():
    assert "|a|b|\n|-|-|\n|1|" in from_markdown("```\n|a|b|\n|-|-|\n|1|\n```")


@pytest.mark.parametrize(
    "rows, head",
    [
        ("<tr><td rowspan=2>m</td><td>a</td></tr><tr><td>x</td></tr><tr><td>1</td><td>2</td></tr>", 2),
        ("<tr><td rowspan=2>m</td><td>a</td></tr><tr><td rowspan=2>x</td></tr><tr><td>1</td></tr>", 3),
        ("<tr><td>m</td><td>a</td></tr><tr><td>1</td><td>2</td></tr>", 1),
    ],
)
def test_the_head_of_a_table_without_one_is_as_deep_as_its_cells(rows, head):
    nb = new_notebook(cells=[new_markdown_cell(f"<table>{rows}</table>")])
    (table,) = [block for _, block in collect(nb).blocks]
    assert len(table["c"][3][1]) == head


@pytest.mark.parametrize("rows", ["<tr>{}</tr><tr><th>b</th></tr>", "<tr>{}", "{}</tr><tr>"])
def test_many_heads_that_reach_down_take_no_time(rows):
    start = time.perf_counter()
    sanitise(f"<table><tbody>{rows.format('<th rowspan=2>a</th>' * 20_000)}</table>")
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize("words", ["\b" * 200_000, "a" * 200_000 + "\b" * 200_001, "ab\b\b" * 100_000])
def test_many_backspaces_rub_out_what_stands_before_them_in_no_time(words):
    start = time.perf_counter()
    assert terminal(f"first\n{words}last") == "first\nlast"
    assert time.perf_counter() - start < 2
