"""The PDF: its contents, its page, its tags for readers who listen."""

import json
import re
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pdfua
import pikepdf
import pypdfium2
import pytest

import pages
from nbtypst.reading.references import nodes

pytestmark = pytest.mark.slow

TASKS = [
    f"Task {name}"
    for name in [
        "1a",
        "1b",
        "2a",
        "2b",
        "2c",
        "2d",
        "2e",
        "3a",
        "3b",
        "3c",
        "3d",
        "4a",
        "4b",
        "4c",
        "4d",
        "4e",
    ]
]
OUTLOUD = shutil.which("outloud", path=str(Path(sys.executable).parent)) or shutil.which("outloud")


@pytest.fixture(scope="module")
def elements(pdf):
    """List every structure element in reading order: its type, its depth, its dictionary."""

    def walk(element, depth):
        children = element.get("/K", [])
        for child in children if isinstance(children, pikepdf.Array) else [children]:
            if isinstance(child, pikepdf.Dictionary) and "/S" in child:
                yield str(child.S)[1:], depth, child
                yield from walk(child, depth + 1)

    with pikepdf.open(pdf) as document:
        yield list(walk(document.Root.StructTreeRoot, 0))


def test_every_task_figure_and_number_of_2d_is_there(pdf):
    document = pypdfium2.PdfDocument(pdf)
    text = "\n".join(page.get_textpage().get_text_range() for page in document)
    for number in ("1039", "0.07088705555893647", "0.06577187753329566", "0.9757802746566792"):
        assert number in text
    for figure in [*range(1, 13), *(f"A{n}" for n in range(1, 5))]:
        assert f"Figure {figure}." in text
    assert "import numpy" not in text and "$" not in text
    titles = [item.get_title()[:7] for item in document.get_toc()]
    assert [title for title in titles if title in TASKS] == TASKS


def test_the_tasks_have_twelve_pages_and_the_appendix_four(pdf):
    """Each part begins its own page, so that no line of one is left over on a page of the next."""
    document = pypdfium2.PdfDocument(pdf)
    starts = {item.get_title(): item.get_dest().get_index() for item in document.get_toc()}
    beyond, appendix = starts["Beyond the assignment"], starts["Appendix"]
    for part, taken, limit in (
        ("the tasks have", beyond - starts["Notation and data"], 12),
        ("the appendix has", len(document) - appendix, 4),
    ):
        assert taken <= limit, f"{part} {taken} pages of {limit}: shorten, or raise the limit here"
    for part, page in (("Beyond the assignment", beyond), ("Appendix", appendix)):
        _, first, *_ = document[page].get_textpage().get_text_range().split("\r\n")  # after the running head
        assert first.startswith(part)


def test_a_figure_stands_in_sight_of_a_mention(pdf):
    """Pages 2 and 3 face each other, 4 and 5, and so on."""
    document = pypdfium2.PdfDocument(pdf)
    texts = [page.get_textpage().get_text_range() for page in document]
    captions = [re.findall(r"^Figure (\d+)\. ", text, re.MULTILINE) for text in texts]
    shown = {int(number): page for page, found in enumerate(captions, 1) for number in found}
    assert list(shown) == list(range(1, len(shown) + 1)) and len(shown) > 12
    for number, page in shown.items():
        mention = re.compile(rf"Figure\s+{number}\b(?!\. )")
        mentioned = [other for other, text in enumerate(texts, 1) if mention.search(text)]
        assert page // 2 in {other // 2 for other in mentioned}, (
            f"Figure {number} stands on page {page}, its mentions on {mentioned}: move one of them"
        )


def test_nothing_lies_outside_the_type_area(pdf):
    assert {tuple(round(x) for x in page.get_size()) for page in pypdfium2.PdfDocument(pdf)} == {(595, 842)}
    assert pages.outside(pdf, left=97.6 - 2, right=97.6 - 5, top=32, bottom=46) == []


def test_figures_fit_the_text_so_that_their_type_has_its_own_size(document):
    for picture in document.pictures:
        assert picture.kind == "svg" and picture.width <= 378, picture.alt


def test_language_title_and_embedded_fonts(pdf):
    with pikepdf.open(pdf) as document:
        assert str(document.Root.Lang) == "en"
        assert str(document.docinfo["/Title"]).startswith("Logistic and softmax")
        assert document.Root.ViewerPreferences.DisplayDocTitle and document.Root.MarkInfo.Marked
        objects = [o for o in document.objects if isinstance(o, pikepdf.Dictionary | pikepdf.Stream)]
        fonts = [o for o in objects if o.get("/Type") == "/FontDescriptor"]
        assert fonts and all({"/FontFile", "/FontFile2", "/FontFile3"} & set(font.keys()) for font in fonts)
        images = [o for o in objects if o.get("/Subtype") == "/Image"]
        assert all(image.Width <= 256 for image in images)  # plots are vectors; only weight images are pixels


def test_headings_follow_each_other_without_a_gap(elements):
    kinds = [kind for kind, _, _ in elements]
    levels = [int(kind[1]) for kind in kinds if kind in {"H1", "H2", "H3", "H4"}]
    assert levels[0] == 1 and levels.count(1) >= 5 and levels.count(2) >= len(TASKS)
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))
    assert kinds[0] == "Document" and kinds[1] == "Title"
    assert kinds.index("TOC") < kinds.index("H1")


def test_equations_and_figures_have_alternative_texts_in_words(elements, document):
    math = sum(node["t"] == "Math" for node in nodes([block for _, block in document.blocks]))
    spoken = [str(element.get("/Alt", "")) for kind, _, element in elements if kind in {"Formula", "Figure"}]
    assert len(spoken) == math + len(document.pictures)
    assert all(text.strip() and "\\" not in text and "$" not in text for text in spoken)


def test_tables_have_header_cells_and_figures_their_captions(elements):
    kinds = [kind for kind, _, _ in elements]
    tables = [i for i, kind in enumerate(kinds) if kind == "Table"]
    assert len(tables) >= 4
    for start in tables:
        depth = elements[start][1]
        inside = []
        for kind, level, _ in elements[start + 1 :]:
            if level <= depth:
                break
            inside.append(kind)
        assert "TH" in inside and inside.index("TH") < inside.index("TD")
    assert kinds.count("Caption") >= 8


def test_each_mention_links_to_its_place(pdf):
    with pikepdf.open(pdf) as document:
        links = [
            note for page in document.pages for note in page.get("/Annots", []) if note.Subtype == "/Link"
        ]
        assert len(links) > len(TASKS)
        assert all("/A" in note or "/Dest" in note for note in links)
        assert all(str(note.get("/Contents", "")).strip() for note in links)


def test_pdfua_finds_no_error(pdf):
    report = pdfua.validate(str(pdf))
    assert [finding.message for finding in report.findings if finding.severity.name == "ERROR"] == []


@pytest.mark.skipif(not OUTLOUD, reason="outloud is not installed: pip install -e '.[optional]'")
def test_outloud_finds_no_error(pdf, tmp_path):
    subprocess.run([str(OUTLOUD), str(pdf), "--json", str(tmp_path / "found.json")], capture_output=True)
    found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert [f for f in found["results"][0]["findings"] if f["severity"] == "error"] == []
