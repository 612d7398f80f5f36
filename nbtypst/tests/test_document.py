"""What the exporters make of a notebook: links, captions, refusals."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from pandocfilters import stringify, walk

from nbtypst.document import collect

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="72pt" height="36pt"><path d="M0 0h72"/></svg>'


def figure(**changed: str):
    about = {"id": "fig-2b", "caption": "**Figure 2b.** **Loss.** As Table A.", "alt": "A line."} | changed
    output = new_output("display_data", {"image/svg+xml": SVG}, metadata=about)
    return new_code_cell("show()", outputs=[output])


def data_table():
    about = {"id": "tbl-a", "caption": "**Table A.** Numbers."}
    output = new_output(
        "display_data", {"text/markdown": "| a | b |\n|---|--:|\n| 1 | $x$ |"}, metadata=about
    )
    return new_code_cell("table()", outputs=[output])


def notebook(*cells: str):
    given = [new_markdown_cell(cell) if isinstance(cell, str) else cell for cell in cells]
    return nbformat.v4.new_notebook(cells=[new_markdown_cell("# Title"), *given])


def links(report) -> dict[str, str]:
    found: dict[str, str] = {}

    def keep(key, value, *_):
        if key == "Link":
            found[stringify({"t": "Plain", "c": value[1]}).replace("\xa0", " ")] = value[2][0]

    walk(report.blocks, keep, "", {})
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


@pytest.mark.parametrize(
    "mention",
    ["Figure 9z", "Tables A and 3b", "equation (7)", "task 4e", "[here](#nowhere)"],
)
def test_a_mention_of_nothing_stops_the_build(mention):
    with pytest.raises(ValueError, match="is not in the report; there is: "):
        collect(notebook("## Task 2", data_table(), f"In {mention} we see."))


@pytest.mark.parametrize(
    "cells, message",
    [
        ([figure(alt="")], "needs an id, a caption and an alternative text"),
        ([figure(), figure()], "'fig-2b' is used twice"),
        (["a <b>bold</b> word"], "HTML has no place"),
        ([r"$x \tag{1}$"], "Only a display equation takes a"),
        ([r"$$x = \boxed{1}$$"], "must hold the whole"),
        (
            [new_code_cell("1/0", outputs=[new_output("error", ename="E", evalue="v", traceback=[])])],
            "run it again",
        ),
    ],
)
def test_what_has_no_place_stops_the_build(cells, message):
    with pytest.raises(ValueError, match=message):
        collect(notebook(*cells))
