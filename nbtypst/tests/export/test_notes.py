"""What authors know from Quarto and GitHub is read where it is meant: boxes, notes, citations and more."""

import re
from typing import Any

import nbformat
import pypdfium2
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

from nbtypst import ReportHTMLExporter, ReportPDFExporter
from nbtypst.problems import ExportError

pytestmark = pytest.mark.slow

BOOKS = "@book{knuth_84, author={Knuth, Donald}, title={Literate Programming}, year=1984, publisher={CSLI}}"


@pytest.fixture
def pages(tmp_path):
    """Return a function that exports a notebook: the text of each page of the PDF, the HTML, the warnings."""

    def export(*cells: Any, bib: str = "", metadata: Any = None) -> tuple[list[str], str, list[str]]:
        if bib:
            (tmp_path / "books.bib").write_text(bib, encoding="utf-8")
        made = [new_markdown_cell(cell) if isinstance(cell, str) else cell for cell in cells]
        nbformat.write(new_notebook(cells=made, metadata=metadata or {}), tmp_path / "a.ipynb")
        warned: list[str] = []
        found: list[Any] = []
        for exporter in (ReportPDFExporter(), ReportHTMLExporter()):
            exporter.log.warning = lambda form, *values: warned.append(form % values)
            found.append(exporter.from_filename(str(tmp_path / "a.ipynb"))[0])
        document = pypdfium2.PdfDocument(found[0])
        texts = [page.get_textpage().get_text_range().replace("\r", "") for page in document]
        return texts, found[1].partition("<main")[2], warned

    return export


@pytest.mark.parametrize("kind", ["note", "tip", "important", "warning", "caution"])
def test_an_alert_is_a_box_with_its_kind_at_the_top(kind, pages):
    (text,), html, warned = pages(f"# T\n\n> [!{kind.upper()}]\n> Mind *this*.\n>\n> - and that")
    assert f"{kind.capitalize()}\nMind this.\n• and that" in text
    assert f'<div class="alert {kind}">\n<p><strong>{kind.capitalize()}</strong></p>\n<p>Mind <em>' in html
    assert warned == []


@pytest.mark.parametrize(
    "fence, kind",
    [
        (":::{note}\n%s\n:::", "note"),
        ("::::{hint}\n:class: dropdown\n%s\n::::", "tip"),
        ("```{warning}\n%s\n```", "warning"),
        ("::: {.callout-important collapse=true}\n%s\n:::", "important"),
        (":::{admonition} By the way\n%s\n:::", "note"),
        ('::: {.callout-tip title="By the way"}\n%s\n:::', "tip"),
    ],
)
def test_a_fence_of_myst_or_quarto_is_a_box(fence, kind, pages):
    (text,), html, warned = pages("# T\n\n" + fence % "Mind *this*.\n\n- and that" + "\n\nAfter it.")
    title = "By the way\n" * ("By the way" in fence)
    assert f"{kind.capitalize()}\n{title}Mind this.\n• and that\nAfter it." in text and ":::" not in text
    assert f'<div class="alert {kind}">\n<p><strong>{kind.capitalize()}</strong></p>' in html
    assert warned == []


def test_a_box_of_options_alone_shows_none_and_code_in_a_box_is_no_end_of_it(pages):
    code = "```\n:::{note}\nx\n:::\n```"
    (text,), html, _ = pages(f"# T\n\n:::{{tip}}\n:class: dropdown\n:::\n\n:::{{note}}\n{code}\nend\n:::")
    assert "dropdown" not in text and ":::{note}\nx\n:::\nend" in text
    assert html.count('<div class="alert') == 2


def test_boxes_stand_in_one_another_also_by_fences_of_one_length(pages):
    (text,), html, _ = pages("# T\n\n:::{note}\na\n:::{tip}\nb\n:::\nc\n:::\n\nd")
    assert "Note\na\nTip\nb\nc\nd" in text and ":::" not in text
    assert html.count('<div class="alert') == 2


def test_a_fence_that_is_no_box_is_shown_as_jupyter_shows_it(pages):
    (text,), html, _ = pages(
        "# T\n\n:::{note}\nnever closed\n\n```python\n:::{tip}\nx\n:::\n```\n\n```{code}\ny\n```"
    )
    assert ":::{note} never closed" in text and ":::{tip}\nx\n:::" in text and "alert" not in html


def test_boxes_of_bootstrap_are_boxes_and_other_quotations_are_none(pages):
    _, html, _ = pages("# T\n\n<div class='alert alert-block alert-info'><b>Tip</b></div>\n\n> [!OTHER]\n> a")
    assert '<div class="alert info">' in html and "<blockquote>\n<p>[!OTHER] a" in html


DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PICTURE = f"![seen](data:image/png;base64,{DOT})"
TABLE = "| a | b |\n|---|---|\n| 1 | 2 |"


@pytest.mark.parametrize(
    "body, name",
    [
        (f"{PICTURE}\n\n**Figure 1.** The *words*.", "fig-1"),
        (f"{PICTURE}\n*Figure 1: The words.*", "fig-1"),
        (f"Table 1: The words.\n\n{TABLE}", "tbl-1"),
        (f"{TABLE}\n\nTable 1. The words.", "tbl-1"),
    ],
)
def test_a_caption_in_markdown_belongs_to_its_figure_or_table_and_mentions_lead_there(body, name, pages):
    kind = "Figure" if name == "fig-1" else "Table"
    texts, html, warned = pages(f"# T\n\n{kind} 1 shows it.\n\n{body}")
    assert re.search(
        rf"<figure id='{name}'>(?:(?!</figure>).)*<figcaption>(?:(?!</figcaption>).)*words", html, re.S
    )
    assert f'<a href="#{name}">{kind} 1</a> shows it' in html and warned == []
    assert "".join(texts).count("words") == 1


def test_words_about_a_figure_that_stand_elsewhere_are_no_caption(pages):
    page_break = "\\newpage"
    for body in (
        f"{PICTURE}\n\nFigure 1 shows it.",
        f"{PICTURE}\n\n{page_break}\n\nFigure 1: it.",
        "Table 1: it.",
    ):
        assert "<figure id" not in pages(f"# T\n\n{body}")[1]


def test_footnotes_stand_where_they_are_defined_and_their_numbers_run_on(pages):
    (text,), html, warned = pages(
        "# T\n\n## H[^h]\n\n"
        "One[^a], two[^b][^a], `[^a]` and [^none].\n\n[^a]: First\nline, $x$.\n[^b]: Second.\n"
        "\n    Its end.\n\n```\n[^c]: code\n```",
        "Three[^a] and four[^loop].\n\n[^a]: Of this cell.\n\n[^h]: Below.\n[^loop]: Again[^loop].",
    )
    assert "H\nBelow.\n" in text and "[^none]" in text and "[^c]: code" in text
    assert re.search(r"1First line, .*\n2Second.\nIts end.\n3Of this cell.\n4Again4", text)
    assert html.count('role="doc-noteref"') == 4 and html.count('role="doc-backlink"') == 4
    assert warned == []


def test_the_number_of_a_footnote_stands_in_its_line_where_the_words_lead_to_an_equation(pages):
    (text,), *_ = pages("# T\n\nThe words[^a] are:\n\n$$x = 1$$\n\n[^a]: The note.")
    assert "1The note." in text


def test_what_is_cited_from_a_bib_file_is_listed(pages):
    said = new_output("display_data", {"text/markdown": "By @knuth_84."})
    cells = ["# T\n\nSee [@knuth_84, p. 3], not [@none] or me@d.org.", new_code_cell("", outputs=[said])]
    (text,), html, _ = pages(*cells)
    assert "[@knuth_84, p. 3]" in text and "References" not in text
    assert pages(*cells)[2] == []
    (text,), html, warned = pages(*cells, bib=BOOKS)
    assert "See (Knuth 1984, 3), not [@none] or me@d.org." in text and "By Knuth (1984)." in text
    assert "References\nKnuth, Donald. 1984. Literate Programming. CSLI." in text
    assert '(<a href="#ref-knuth_84">Knuth 1984, 3</a>)' in html and 'id="ref-knuth_84"' in html
    fault = "'@none' is in no .bib file; correct the key, or add what it names"
    assert [line.partition(": ")[2] for line in warned] == [fault, fault]
    for below in (["## References", "## Annex"], ["## References\n\n## Annex\n\nMore."]):
        (text,), html, _ = pages(*cells, *below, bib=BOOKS)
        assert text.index("References\nKnuth") < text.rindex("Annex") and html.count(">References</h") == 1


def test_a_formula_in_a_title_of_a_bib_file_is_set(pages):
    bib = BOOKS.replace("Literate Programming", r"On the $\beta^2$-plane")
    (text,), html, warned = pages("# T\n\nWell known [@knuth_84].", bib=bib)
    assert "β2" in text.replace("\n", "").replace("𝛽", "β")
    assert "<msup><mi>β</mi><mn>2</mn></msup>" in html
    assert warned == []


def test_a_strict_page_refuses_a_citation_of_what_no_bib_file_has(pages):
    cells = ["# T\n\nSee [@knuth_84; @knuth_48], **not [see @kunth, p. 3]**, `[@x]`, @alice or [me@d.org]."]
    with pytest.raises(ExportError) as refused:
        pages(*cells, bib=BOOKS, metadata={"nbtypst": {"strict": True}})
    assert re.findall(r"'@(\w+)' is in no", str(refused.value)) == ["knuth_48", "kunth"]


FRONT = '---\ntitle: "Waves: two"\nauthor:\n- name: Ada\n- Alan\ndate: 1 May\nlang: nb\n---'


@pytest.mark.parametrize("cell", [new_raw_cell(FRONT), FRONT])
def test_front_matter_in_the_first_cell_is_the_first_page(cell, pages):
    (text,), html, _ = pages(cell, "## A")
    assert text.startswith("Waves: two\nAda, Alan\n1 May\n") and "title:" not in text + html
    (text,), *_ = pages(cell, "## A", metadata={"nbtypst": {"title": "Mine"}})
    assert text.startswith("Mine\nAda, Alan")
    (text,), *_ = pages("---\n\nno: *matter*\n\n---", "# A")
    assert "no: matter" in text


def test_the_abstract_of_front_matter_stands_on_the_page(pages):
    front = FRONT.replace("date", "abstract: We *derive* $x^2$, <b>5</b> % of it\ndate")
    for cell in (front, new_raw_cell(front)):
        (text,), html, warned = pages(cell, "## A\n\n[b](c.txt)")
        assert "1 May\nWe derive" in text
        assert re.search("<p>We <em>derive</em> .*<msup><mi>x</mi><mn>2</mn></msup>.* <strong>5<", html)
        assert all(one.startswith("cell 2 '## A'") for one in warned) and warned


def test_a_title_keeps_its_quotation_marks(pages):
    (text,), html, _ = pages('# The "best" \'fit\'\n\nSee [it](#A-"part").', '## A "part"')
    assert text.startswith("The “best” ‘fit’\n")
    assert '<a href="#a-part">it</a>' in html


def test_front_matter_that_is_no_yaml_is_named_and_left(pages):
    front = "---\ntitle: Waves: two\n---"
    (text,), _, (one, other) = pages(front, "# A")
    assert "Waves: two" in text and one == other
    assert re.match(r"cell 1: its front matter cannot be read: .*parsing YAML.*; it is left", one)
    with pytest.raises(ExportError, match=r"^cell 1: its front matter"):
        pages(front, metadata={"nbtypst": {"strict": True}})


def test_a_page_ends_where_it_is_asked_to(pages):
    texts, html, _ = pages(
        "# T\n\none",
        '<div style="page-break-after: always;"></div>',
        "two",
        new_raw_cell("\\newpage"),
        "three\n\n\\pagebreak\n\nfour\n\n```\n\\newpage\n```\n\n<p style='break-before: page'>five</p>",
        "> \\newpage\n\nend",
    )
    assert [text.split("\n")[-1 if number == 0 else 1] for number, text in enumerate(texts)][1:] == [
        "two",
        "three",
        "four",
        "five",
    ]
    assert html.count('<div class="page" style="break-after: page">') == 4


CASES = {  # what is there, what of it is in the PDF's text and in HTML, and a warning
    "nested details": (
        "<details><summary>A</summary>\n\nin\n\n<details><summary>B</summary>deep</details></details>\n\nout",
        "A\nin\nB\ndeep\nout",
        "<summary>\n<p><strong>B</strong></p>\n</summary>\ndeep\n</details>\n</details>\n<p>out",
        "",
    ),
    "a local video": (
        "<video controls><source src='clip.mp4'>No video here.</video>\n\nafter",
        "[video: clip.mp4]\nafter",
        "<p>[video: clip.mp4]</p>",
        "a page cannot show <video>; its address clip.mp4 stands there",
    ),
    "a picture that links": (
        "[![Watch](https://a.b/0.jpg)](https://a.b/watch)",
        "Watch",
        '<p><a href="https://a.b/watch">Watch</a>',
        "the picture https://a.b/0.jpg is on the network; it is a link; store it beside the notebook",
    ),
    "a diagram": (
        "```mermaid\ngraph LR\n```",
        "Diagram, in the words of Mermaid:\ngraph LR",
        "<em>Diagram, in the words of Mermaid:</em>",
        "a diagram of Mermaid is shown as its source; a picture of it would be shown",
    ),
    "a link to the title": (
        "[up](#T) and [up](#t)",
        "up and up",
        '<a href="#t">up</a> and <a href="#t">',
        "",
    ),
    "from right to left": ("- בנד", "•", '<ul dir="auto">', ""),
}


@pytest.mark.parametrize("case", CASES)
def test_html_keeps_its_meaning(case, pages):
    source, wanted, tags, warning = CASES[case]
    (text,), html, warned = pages("# T", source)
    assert wanted in text and tags in html, html
    assert [line.partition(": ")[2] for line in warned] == [warning] * 2 * bool(warning)


def test_an_output_of_a_diagram_is_marked_and_a_thumbnail_has_its_address(pages):
    frame = "<iframe src='https://a.b/embed/1'></iframe>"
    svg = "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><rect width='9' height='9'/></svg>"
    outputs = [
        new_output("display_data", {"text/vnd.mermaid": "graph TD", "text/plain": "<M>"}),
        new_output("display_data", {"text/html": frame, "image/svg+xml": svg}, metadata={"alt": "a box"}),
        new_output("display_data", {"text/html": frame, "text/plain": "<IFrame>"}),
    ]
    (text,), html, _ = pages("# T", new_code_cell("", outputs=outputs))
    assert "Mermaid:\ngraph TD" in text and "<IFrame>" not in text and "<M>" not in text
    assert html.count('<a href="https://a.b/embed/1">') == 2
    within = '<iframe srcdoc="&lt;script src=&quot;https://a.b/map.js&quot;&gt;" src="map.html"></iframe>'
    (text,), *_ = pages("# T\n\n" + within)  # as folium writes it
    assert text.endswith("[iframe: map.html]")


def test_the_bullets_of_a_list_from_right_to_left_stand_at_the_right(tmp_path):
    nb = new_notebook(cells=[new_markdown_cell("# T\n\n- אחת שתיים\n\n## שלוש")])
    page = pypdfium2.PdfDocument(ReportPDFExporter().from_notebook_node(nb)[0])[0]
    content = page.get_textpage()
    text = content.get_text_range()
    assert content.get_charbox(text.index("•"))[0] > page.get_width() / 2
    assert content.get_charbox(text.rindex("\u05e9"))[0] > page.get_width() / 2


def test_the_contents_are_cut_to_a_page_and_left_out_where_the_notebook_has_its_own(pages):
    parts = [f"# Part {i}\n\n" + "\n\n".join(f"## Section {i}.{j}" for j in range(9)) for i in range(30)]
    texts, *_ = pages("# All of it\n\nHello", *parts)
    assert texts[0].count("Part") == 30 and "Section" not in texts[0] and "Hello" in texts[0]
    own = "# T\n\n- [A](#A)\n- [B](#B)\n- [C](#C)\n\n## A\n\n## B\n\n## C"
    (text,), html, _ = pages(own)
    assert text.count("A\n") == 2 and "<nav" not in html
