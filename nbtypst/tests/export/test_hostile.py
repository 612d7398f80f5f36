"""Hostile notebooks: text stays text.

The suite makes 120 notebooks; NBTYPST_FUZZ=5000 makes as many (some fifteen minutes of one core). Twenty are
exported as the cells of one, since pandoc and Typst take longer to start than to run; if that one is refused,
each is exported by itself.
"""

import os
import re
import tempfile
from base64 import b64decode
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pypdfium2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

from nbtypst import ExportError, ReportHTMLExporter, ReportPDFExporter

pytestmark = pytest.mark.slow

NOTEBOOKS = int(os.environ.get("NBTYPST_FUZZ", "120"))
BATCH = 20
SECRET = "Schwarzwaldklinik"
RUN = "8641969"  # what CODE shows if it is run
CODE = '#read("/secret.txt") #(1234567*7) #eval("1234567*7") #image("secret.png")'
TEXTS = [
    CODE,
    "`x`{=typst} `" + CODE + "`{=typst}",
    "```{=typst}\n" + CODE + "\n```",
    "```{=html}\n<script>alert(1)</script>\n```",
    '[x]{typst:text:size="#read(\\"secret.txt\\")" onclick=alert(1) style="color:red"}',
    "<script>alert(1)</script><img src=x onerror=alert(1)><svg onload=alert(1)><style>*{}</style>",
    "<a href='javascript:alert(1)' onclick='alert(1)' style='x:y'>go</a> "
    "[go](javascript:alert(1)) <b onclick=x>b",
    "[file](file:///etc/passwd) [data](data:text/html,<script>alert(1)</script>) ![](file:///etc/passwd)",
    "![a](secret.txt) ![b](../secret.txt) ![c](link.png) ![d](/etc/passwd) ![e](https://evil.invalid/x.png)",
    "<iframe src='https://evil.invalid/'></iframe><object data='secret.txt'></object>"
    "<embed src='secret.txt'>",
    "<table><tr><td colspan=9999999 rowspan=-3 onclick=x>1</table><td></table></div></div></p>"
    "<ol start=99999999999>",
    r"$\text{#read(\"secret.txt\")} \input{secret.txt} \href{javascript:alert(1)}{x}$ $\unheardof{<script>}$",
    r"$$\tag{<script>alert(1)</script>} x$$ $$\def\a{\a\a}\a$$ $\newcommand{\b}[1]{#1#1}\b{\b{\b{x}}}$",
    '# <script>alert(1)</script> #read("secret.txt") ]#read("secret.txt")[',
    "// comment /* */ \\ ` * _ = - + / <label> @ref ~ $ # [ ] \" ' \u202e \u200d \ufffe \x00 \x1b[31m \ud7ff",
    '"; #read("secret.txt"); "',
    "/*0*/ /*99999*/\n/*1*/",
    "> " * 60 + "deep",
    "- " * 60 + "deep",
    "[" * 500,
    "*" * 500 + "a",
    "<div>" * 300,
    "> " * 50 + "<kbd>a<del>b<h2>c</h2></del></kbd> <q><ins><p>d</p></ins></q>",
    "<main>in it</main> <abbr>a<img>b</abbr> <kbd>a<del>b<h2>c</h2></del></kbd>",
    "🎉 中文 עברית ﷽ 👩‍👩‍👧",
    "a" * 3000,
    "|a|b|\n|-|-|\n|" + "x|" * 50,
    ":::\n::: {.x}",
    "@alice [@bob] [^1]\n\n[^1]: note",
    "Figure 1, Table A1, equation (3), task 2e, Figures 1 to 99",
    "---\ntitle: 5\n---",
]
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SVGS = [
    "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9' onload='alert(1)'>"
    "<script>alert(1)</script></svg>",
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'>"
    "<image href='secret.txt' width='9' height='9'/>"
    "<a href='javascript:alert(1)'><text style='x:url(secret.txt)'>t</text></a></svg>",
    "<!DOCTYPE svg [<!ENTITY e SYSTEM 'secret.txt'>]>"
    "<svg xmlns='http://www.w3.org/2000/svg'><text>&e;</text></svg>",
    "<svg",
    "",
    "<svg width='1e9' height='0'/>",
]

text = st.one_of(
    st.sampled_from(TEXTS),
    st.text(max_size=60),
    st.lists(st.sampled_from(TEXTS), min_size=2, max_size=3).map("".join),
    st.text("#[]{}()$\\`\"'*_<>!@~=-+/|:;%&^\n ax1", max_size=40),
)
name = st.sampled_from(["fig-1", "fig-2", "tbl-1", "x y", 'a"b', "<b>", "]#read(1)[", "", 5])
about = st.fixed_dictionaries(
    {},
    optional={
        "id": name,
        "caption": text,
        "alt": text,
        "role": st.just("x"),
        "image/png": st.just({"width": -1}),
    },
)
data = (
    st.dictionaries(
        st.sampled_from(
            ["text/plain", "text/html", "text/markdown", "text/latex", "application/json", "application/x-y"]
        ),
        text,
        max_size=3,
    )
    | st.fixed_dictionaries({"image/png": st.sampled_from([PIXEL, "AAAA", "no"])})
    | st.fixed_dictionaries({"image/svg+xml": st.sampled_from(SVGS)})
)
output = st.one_of(
    st.builds(lambda d, m: new_output("display_data", d, metadata=m), data, about),
    st.builds(lambda t: new_output("stream", name="stderr", text=t), text),
    st.builds(lambda t: new_output("error", ename=t, evalue=t, traceback=[t, t]), text),
)
attachment = st.dictionaries(
    st.sampled_from(["image/png", "image/svg+xml", "text/html"]),
    st.sampled_from([PIXEL, "no", *SVGS]),
    max_size=2,
)
tags = st.fixed_dictionaries({}, optional={"tags": st.lists(st.text("ab-"), max_size=2)})


def tagged(cell: Any, about: dict[str, Any]) -> Any:
    cell.metadata.update(about)
    return cell


cell = st.one_of(
    text.map(new_markdown_cell),
    st.builds(
        lambda s, a, k: new_markdown_cell(f"{s} ![{k}](attachment:a.png)", attachments={"a.png": a}),
        text,
        attachment,
        text,
    ),
    st.builds(
        lambda s, o, m: tagged(new_code_cell(s, outputs=o), m), text, st.lists(output, max_size=3), tags
    ),
    st.builds(
        lambda s, k: new_raw_cell(s, metadata={"raw_mimetype": k}), text, st.sampled_from(["", "text/html"])
    ),
)


def titled(cells: list[Any], title: Any, own: dict[str, Any], about: dict[str, Any]) -> Any:
    nb = new_notebook()
    nb.cells = cells
    nb.metadata.update({"title": title, "nbtypst": own} | about)
    return nb


notebook = st.builds(
    titled,
    st.lists(cell, min_size=1, max_size=5),
    text | st.integers(),
    st.fixed_dictionaries(
        {},
        optional={
            "authors": st.lists(text | st.none(), max_size=2),
            "language": text,
            "font": text,
            "date": text,
            "paper": text,
            "font_size": st.integers() | text,
            "contents": st.booleans() | text,
        },
    ),
    st.fixed_dictionaries(
        {},
        optional={
            "language_info": st.fixed_dictionaries({"name": text}),
            "kernelspec": st.fixed_dictionaries({"name": text, "display_name": text}),
            "authors": text | st.lists(st.fixed_dictionaries({"name": text}), max_size=2),
            "widgets": st.dictionaries(text, text, max_size=1),
        },
    ),
)


class Page(HTMLParser):
    """Every element of a page."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, Any]]] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.elements.append((tag, dict(attrs)))


def folder() -> Path:
    """Return the notebook's folder, with secrets in it and around it, and links to them."""
    top = Path(tempfile.gettempdir()) / f"nbtypst-hostile-{os.getpid()}"
    place = top / "notebooks"
    place.mkdir(parents=True, exist_ok=True)
    for path in (top / "secret.txt", place / "secret.txt"):
        path.write_text(SECRET, encoding="utf-8")
    if not (place / "link.png").is_symlink():
        (place / "link.png").symlink_to(top / "secret.txt")
    return place


def check_html(page: str) -> None:
    assert SECRET not in page
    for tag, attributes in Page(page).elements:
        assert tag not in ("script", "iframe", "object", "embed", "form", "svg", "base"), tag
        assert not [key for key in attributes if key.startswith("on")], attributes
        assert "style" not in attributes or tag in ("col", "th", "td", "tr", "span", "ol"), (tag, attributes)
        for address in (attributes.get("href"), attributes.get("src")):
            allowed = r"#|https?://|mailto:|data:image/(png|jpeg|svg\+xml);base64,"
            assert address is None or re.match(allowed, address), address
        if (source := attributes.get("src") or "").startswith("data:image/svg"):
            svg = b64decode(source.partition(",")[2]).decode()
            assert not re.search(r"<script|\son\w+=|style=|javascript:|secret", svg), svg


def export(nb: Any) -> str:
    """Export and inspect both pages of a hostile notebook; return why it is refused, or ""."""
    resources = {"metadata": {"path": str(folder()), "name": "hostile"}}
    nb = nbformat.from_dict(nb)
    try:
        page, _ = ReportHTMLExporter().from_notebook_node(nb, resources)
        check_html(page)
        pdf, _ = ReportPDFExporter().from_notebook_node(nb, resources)
        words = "".join(one.get_textpage().get_text_range() for one in pypdfium2.PdfDocument(pdf))
        assert SECRET not in words and RUN not in words
    except ExportError as error:
        return str(error)
    return ""


@pytest.mark.filterwarnings("ignore")
def test_no_notebook_runs_code_reads_files_or_crashes():
    """Make as many notebooks as NBTYPST_FUZZ says; see the top of this file."""
    made = 0

    @settings(
        max_examples=-(-NOTEBOOKS // BATCH),
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=NOTEBOOKS < 1000,
        database=None,
    )
    @given(st.lists(notebook, min_size=BATCH, max_size=BATCH))
    def try_all(batch: list[Any]) -> None:
        nonlocal made
        made += len(batch)
        one = titled([cell for nb in batch for cell in nb.cells], "", {}, batch[0].metadata)
        if export(one):
            assert [refused for nb in batch if (refused := export(nb))] == []

    try_all()
    assert made >= NOTEBOOKS


@pytest.mark.parametrize("source", TEXTS, ids=range(len(TEXTS)))
def test_each_hostile_text_gives_both_pages(source):
    resources = {"metadata": {"path": str(folder()), "name": "hostile"}}
    nb = new_notebook(cells=[new_markdown_cell(source), new_markdown_cell("The end.")])
    page, _ = ReportHTMLExporter().from_notebook_node(nb, resources)
    check_html(page)
    assert "The end." in page
    pdf, _ = ReportPDFExporter().from_notebook_node(nb, resources)
    words = "".join(one.get_textpage().get_text_range() for one in pypdfium2.PdfDocument(pdf))
    assert SECRET not in words and "The end." in words
