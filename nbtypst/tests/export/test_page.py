"""The page of a report: where figures go, what is refused and how it is said, what was checked."""

import copy
import itertools
import re
import shutil
import subprocess
import sys
from base64 import b64encode
from html import unescape

import nbformat
import pypdfium2
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from nbtypst import ReportHTMLExporter, ReportPDFExporter, check
from nbtypst.export import pdf
from nbtypst.reading.document import digest

pytestmark = pytest.mark.slow

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="300pt" height="{}pt"><rect width="300" height="9"/></svg>'
)
WORDS = "These are the words of a paragraph that fills the page line by line until it is full. " * 4
TRUE = {"sentence": "It is small.", "check": "x < 9", "values": "2 < 9", "holds": True, "stale": ""}


def figure(number: int, height: int):
    about = {"id": f"fig-{number}", "caption": f"**Figure {number}.** Here.", "alt": "A bar."}
    data = {"image/svg+xml": SVG.format(height)}
    return new_code_cell("show()", outputs=[new_output("display_data", data, metadata=about)])


def said(**changed):
    output = new_output(
        "display_data", {"text/markdown": "It is small."}, metadata={"checks": [TRUE | changed]}
    )
    return new_code_cell("say()", outputs=[output], execution_count=1)


def where(document, text: str) -> tuple[int, float]:
    """Return page and negated height of a text's last place, which grow as one reads on."""
    places = []
    for number, page in enumerate(document):
        content = page.get_textpage()
        search = content.search(text, match_case=True)
        while found := search.get_next():
            places.append((number, -content.get_charbox(found[0])[3]))
    return places[-1]


LONG_SUM = "f(x) = " + " + ".join(f"a_{{{power}}} x^{{{power}}}" for power in range(40))


@pytest.mark.parametrize(
    "latex",
    [
        LONG_SUM,
        rf"{LONG_SUM} \tag{{1}}",
        rf"\boxed{{{LONG_SUM}}} \tag{{1}}",
        rf"\frac{{{LONG_SUM}}}{{2}}",
        rf"\text{{{'The words of it. ' * 8}}}",
        rf"\text{{{'The words of it. ' * 20}}}",
    ],
)
def test_no_formula_is_cut_by_the_edge_of_the_page(latex):
    nb = new_notebook(cells=[new_markdown_cell(f"# Title\n\nBy equation (1)\n\n$${latex}$$")])
    (page,) = pypdfium2.PdfDocument(ReportPDFExporter().from_notebook_node(nb)[0])
    content = page.get_textpage()
    boxes = [content.get_charbox(number) for number in range(content.count_chars())]
    assert min(box[0] for box in boxes) > 90 and max(box[2] for box in boxes) < 505
    of = {
        sign: [box for number, box in enumerate(boxes) if content.get_text_range(number, 1) == sign]
        for sign in "+("
    }
    if "tag" in latex:
        assert max(box[2] for box in of["+"]) < max(box[0] for box in of["("])


@pytest.mark.parametrize("title", ["A_very_long_name_of_a_file_that_has_no_blanks_at_all_v2", "x" * 90])
def test_a_long_word_in_the_title_is_broken(title):
    nb = new_notebook(cells=[new_markdown_cell("text")])
    (page,) = pypdfium2.PdfDocument(ReportPDFExporter(title=title).from_notebook_node(nb)[0])
    content = page.get_textpage()
    assert max(content.get_charbox(number)[2] for number in range(content.count_chars())) < 505


@pytest.mark.parametrize("font, count", [("Libertinus Serif", 0), ("No Such Type", 1)])
def test_a_font_that_is_not_there_is_a_warning(font, count):
    warned: list[str] = []
    exporter = ReportPDFExporter(font=font)
    exporter.log.warning = lambda form, *values: warned.append(form % values)
    exporter.from_notebook_node(new_notebook(cells=[new_markdown_cell("Text")]))
    assert [line.partition(";")[0] for line in warned] == [f"the settings: there is no font {font!r}"] * count


def test_a_date_in_a_table_is_not_broken():
    source = "| time | T |\n|---|--:|\n| 2003-01-01 | 2003-02-01 00:00 |"
    page = ReportHTMLExporter().from_notebook_node(new_notebook(cells=[new_markdown_cell(source)]))[0]
    assert len(re.findall(r'<t[hd][^>]* class="kept">2003-0', page)) == 2 and page.count('class="kept"') == 2


@pytest.mark.parametrize("size", [6, 11, 30])
def test_the_title_is_larger_than_the_text(size):
    nb = new_notebook(cells=[new_markdown_cell("Text")])
    (page,) = pypdfium2.PdfDocument(
        ReportPDFExporter(font_size=size, title="Title").from_notebook_node(nb)[0]
    )
    content = page.get_textpage()
    title, text = (content.get_charbox(content.search(word).get_next()[0]) for word in ("Title", "Text"))
    assert title[3] - title[1] > 1.3 * (text[3] - text[1])


def test_the_number_of_a_long_equation_has_the_size_of_any_other():
    wide = rf"\begin{{aligned}} f &= {' + '.join('x' * 22)} \\ g &= y \end{{aligned}}"
    nb = new_notebook(cells=[new_markdown_cell(rf"$$a = b \tag{{6}}$$ $${wide} \tag{{7}}$$")])
    (page,) = pypdfium2.PdfDocument(ReportPDFExporter().from_notebook_node(nb)[0])
    content = page.get_textpage()
    places = [content.search(number).get_next()[0] for number in ("(6)", "(7)")]
    small, large = (content.get_charbox(place) for place in places)
    assert large[3] - large[1] == pytest.approx(small[3] - small[1], abs=0.5)


def test_words_after_a_formula_are_not_indented_and_formulas_follow_one_another():
    text = "Let\n$$a = b$$\nwhere\n\nLet\n$$c = d$$\n$$e = f$$\n\n$$g = h$$\n\nwhere"
    nb = new_notebook(cells=[new_markdown_cell(f"# Title\n\n{text}")])
    (page,) = pypdfium2.PdfDocument(ReportPDFExporter().from_notebook_node(nb)[0])
    content = page.get_textpage()
    boxes: dict[str, list[tuple[float, ...]]] = {}
    for number in range(content.count_chars()):
        boxes.setdefault(content.get_text_range(number, 1), []).append(content.get_charbox(number))
    assert len({round(box[0], 1) for box in boxes["w"]}) == 1
    equals = [box[1] for box in boxes["="]]
    assert equals[1] - equals[2] == pytest.approx(equals[2] - equals[3], abs=5)


def test_the_contents_break_no_word_and_set_page_numbers_apart():
    """Use headings that grow by a narrow letter: one of them just fills its line."""
    headings = [f"# Adding external Clojure depend{'i' * more}" for more in range(24)]
    long = "# Different ways to ignore output differences"
    nb = new_notebook(cells=[new_markdown_cell("\n\n".join(["# Title", *headings, long]))])
    (page, *_) = pypdfium2.PdfDocument(ReportPDFExporter().from_notebook_node(nb)[0])
    content = page.get_textpage()
    gaps = []
    for match in re.finditer(r"([di])[ \u2060]*\d\r", content.get_text_range()):
        left, number = content.get_charbox(match.start()), content.get_charbox(match.end() - 2)
        gaps.append(number[0] - left[2])
    assert len(gaps) == len(headings) and min(gaps) > 3, gaps
    assert "ignore output \r\ndifferences" in content.get_text_range()


@pytest.mark.parametrize("height", [120, 230, 350])
def test_figures_stand_between_their_headings_in_order_and_leave_no_great_holes(height):
    cells = [new_markdown_cell("# Report")]
    for number in range(1, 9):
        cells += [new_markdown_cell(f"## Section {number} of eight\n\n{WORDS}"), figure(number, height)]
        cells += [new_markdown_cell("\n\n".join([WORDS] * (number % 4 + 2)))]
    nb = new_notebook(
        cells=cells, metadata={"nbtypst": {"contents": False, "running_head": False, "hide_code": True}}
    )
    pdf, _ = ReportPDFExporter().from_notebook_node(nb)
    document = pypdfium2.PdfDocument(pdf)
    order = [
        where(document, text.format(n)) for n in range(1, 9) for text in ("Section {} of", "Figure {}. ")
    ]
    assert all(a < b for a, b in itertools.pairwise(order)), order
    holes = []
    for page in list(document)[:-1]:
        boxes = [o.get_bounds() for o in page.get_objects(max_depth=4)]
        holes.append(min(bottom for _, bottom, _, _ in boxes if bottom > 0) - 88)
    assert sorted(holes)[len(holes) // 2] < 842 / 6, holes


def test_no_figure_overtakes_one_that_waits_for_the_next_page():
    for lines in range(10, 30, 4):
        filler = "\n\n".join(["A line."] * lines)
        cells = [new_markdown_cell(f"# T\n\n{filler}"), figure(1, 350), figure(2, 60), figure(3, 60)]
        made, _ = ReportPDFExporter().from_notebook_node(new_notebook(cells=cells))
        document = pypdfium2.PdfDocument(made)
        order = [where(document, f"Figure {number}. ") for number in (1, 2, 3)]
        assert all(a < b for a, b in itertools.pairwise(order)), (lines, order)


def test_figures_that_are_not_yet_placed_when_the_passes_end_are_all_there(monkeypatch):
    monkeypatch.setattr(pdf, "PASSES", 1)
    cells = [new_markdown_cell(f"# Report\n\n{WORDS}"), *(figure(number, 350) for number in range(1, 6))]
    made, _ = ReportPDFExporter().from_notebook_node(new_notebook(cells=cells))
    text = "".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(made))
    assert [text.count(f"Figure {number}. ") for number in range(1, 6)] == [1] * 5


def test_an_equation_stays_with_the_words_that_lead_to_it():
    lead = "The words that lead to it are here:\n\n$$x = 1$$"
    for lines in range(24, 40):
        filler = "\n\n".join(["A line."] * lines)
        nb = new_notebook(
            cells=[new_markdown_cell(f"# T\n\n{filler}\n\n{lead.replace(chr(10) * 2, chr(10))}")]
        )
        document = pypdfium2.PdfDocument(ReportPDFExporter().from_notebook_node(nb)[0])
        pages = [page.get_textpage().get_text_range() for page in document]
        (with_words,) = [page for page in pages if "lead to it" in page]
        assert any(mark in with_words for mark in ("=", "\ufffe")), lines


def test_long_formulas_and_pictures_in_lines_make_no_page_wider_than_a_phone(tmp_path):
    browser = shutil.which("chromium") or shutil.which("google-chrome") or pytest.skip("no Chromium")
    formula = f"$x{' + y' * 40}$"
    picture = f"![wide](data:image/svg+xml;base64,{b64encode(SVG.format(9).encode()).decode()})"
    source = f"# T\n\nHere {formula} and {picture} is.\n\n- One {formula}\n\n> Two {formula}."
    page, _ = ReportHTMLExporter().from_notebook_node(new_notebook(cells=[new_markdown_cell(source)]))
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    script = "document.body.textContent = frames[0].document.documentElement.scrollWidth"
    probe = tmp_path / "probe.html"
    probe.write_text(
        f"<iframe src='page.html' width=320 height=2000></iframe><script>onload = () => {script}</script>"
    )
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files")
    command = [browser, *options, f"--user-data-dir={tmp_path / 'user'}", "--dump-dom", probe.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert "<body>320</body>" in done.stdout


def test_the_html_page_and_a_file_list_what_was_checked(tmp_path):
    nb = new_notebook(cells=[new_markdown_cell("# T"), said()])
    page, _ = ReportHTMLExporter().from_notebook_node(nb)
    assert '<details class="evidence">' in page and "2 &lt; 9" in page
    nbformat.write(nb, tmp_path / "a.ipynb")
    assert check.main([str(tmp_path / "a.ipynb")]) == 0
    assert list(tmp_path.iterdir()) == [tmp_path / "a.ipynb"]
    assert check.main([str(tmp_path / "a.ipynb"), "--evidence", str(tmp_path / "evidence.txt")]) == 0
    text = (tmp_path / "evidence.txt").read_text(encoding="utf-8")
    *lines, where = text.splitlines()
    assert lines[-3:] == ["1. It is small.", "     check:    x < 9", "     measured: 2 < 9"]
    assert where == "     where:    cell 2 In [1] 'say()'" and f"({where[15:]})" in unescape(page)


def test_the_pages_and_the_evidence_name_the_notebook_that_they_are_made_from():
    nb = new_notebook(cells=[new_markdown_cell("# T"), said()])
    named = digest(nb)
    page, _ = ReportHTMLExporter().from_notebook_node(copy.deepcopy(nb))
    pdf, _ = ReportPDFExporter().from_notebook_node(copy.deepcopy(nb))
    assert f'<meta name="keywords" content="notebook {named}">' in page
    assert pypdfium2.PdfDocument(pdf).get_metadata_value("Keywords") == f"notebook {named}"
    assert f"Notebook {named}" in check.evidence(nb).splitlines()
    nb.cells[1].outputs[0].metadata["checks"] = [{"holds": True}]  # by others: all there is, is shown
    assert "     check:    None" in check.evidence(nb).splitlines()
    nb.cells[1] = said()
    nb.cells[1].outputs.append(new_output("display_data"))  # of a progress bar that has cleared its line
    assert digest(nb) == named
    nb.cells[1].outputs[0].data["text/markdown"] = "It is larger."
    assert digest(nb) != named


def test_a_false_notebook_is_refused_in_lines_without_traceback_and_older_files_stay(tmp_path, capsys):
    nb = new_notebook(cells=[said(holds=False), said(holds=False, sentence="Again.")])
    nbformat.write(nb, tmp_path / "a.ipynb")
    (tmp_path / "a.pdf").write_bytes(b"older")
    command = [sys.executable, "-m", "nbconvert", "--to", "report_pdf", "a.ipynb"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode != 0 and "Traceback" not in done.stderr
    first = "the notebook: it is no report yet; sentences that are not true: 2"
    lines = [
        "cell 1 In [1] 'say()': not true: 'It is small.'; check: x < 9; measured: 2 < 9",
        "cell 2 In [1] 'say()': not true: 'Again.'; check: x < 9; measured: 2 < 9",
    ]
    assert done.stderr.splitlines()[-3:] == [first, *lines] and (tmp_path / "a.pdf").read_bytes() == b"older"
    checked = subprocess.run(
        [sys.executable, "-m", "nbtypst.check", "a.ipynb"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 1
    assert checked.stderr.splitlines() == ["a.ipynb is no report yet:", *lines] and not checked.stdout
    (tmp_path / "evidence.txt").write_text("older", encoding="utf-8")
    assert check.main([str(tmp_path / "a.ipynb"), "--evidence", str(tmp_path / "evidence.txt")]) == 1
    assert capsys.readouterr().err.splitlines()[1:] == lines
    assert (tmp_path / "evidence.txt").read_text(encoding="utf-8") == "older"
    traced = subprocess.run(
        [*command, "--debug"], cwd=tmp_path, capture_output=True, text=True, encoding="utf-8"
    )
    assert "Traceback" in traced.stderr


def sizes(pdf: bytes) -> dict[str, set[float]]:
    """Return the height of each word of the first page, in points."""
    text = pypdfium2.PdfDocument(pdf)[0].get_textpage()
    found: dict[str, set[float]] = {}
    for i in range(text.count_rects()):
        left, bottom, right, top = text.get_rect(i)
        found.setdefault(text.get_text_bounded(left, bottom, right, top).strip(), set()).add(
            round(top - bottom, 1)
        )
    return found


def test_the_head_of_a_wide_table_stands_in_lines_and_not_in_smaller_type():
    heads = [f"{measure}: validation" for measure in ("loss", "accuracy", "precision", "recall", "deviation")]
    rows = [heads, ["---"] * 5, ["0.9123"] * 5]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    nb = new_notebook(cells=[new_markdown_cell(f"# Report\n\n| a |\n|---|\n| 0.9123 |\n\n{table}")])
    pdf, _ = ReportPDFExporter().from_notebook_node(nb)
    text = pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_bounded()
    assert text.count("validation") == 5 and "\ufffe" not in text  # no word is broken
    assert len(sizes(pdf)["0.9123"]) == 1


@pytest.mark.parametrize("rows", [3, 300])
def test_a_table_wider_than_the_page_is_set_smaller_however_long_it_is(rows):
    row = "".join(f"<td>{number}.5</td>" for number in range(10, 21)) + "<td>rightmost</td>"
    html = f"<table>{f'<tr>{row}</tr>' * rows}</table>"
    output = new_output("display_data", {"text/html": html})
    nb = new_notebook(cells=[new_code_cell("x", outputs=[output])])
    document = pypdfium2.PdfDocument(ReportPDFExporter().from_notebook_node(nb)[0])
    content = document[0].get_textpage()
    place = content.search("rightmost").get_next()
    assert content.get_charbox(place[0] + place[1] - 1)[2] < document[0].get_width() - 60
