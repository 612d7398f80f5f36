"""The committed notebook is a fresh run's, and the PDF holds what a grader looks for."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pikepdf
import pypdfium2
import pytest

ROOT = Path(__file__).resolve().parent.parent
TASKS = [
    f"Task {task}{letter}"
    for task, letters in ((1, "ab"), (2, "abcde"), (3, "abcd"), (4, "abcde"))
    for letter in letters
]
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")


def nbconvert(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "nbconvert", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=os.environ | {"TQDM_DISABLE": "1"},
    )


@pytest.fixture(scope="session")
def committed():
    return nbformat.read(ROOT / "report.ipynb", as_version=4)


@pytest.fixture(scope="session")
def fresh(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fresh")
    done = nbconvert("--to", "notebook", "--execute", "--output-dir", folder, "report.ipynb")
    assert done.returncode == 0, done.stderr
    return folder / "report.ipynb"


@pytest.fixture(scope="session")
def pdf(fresh):
    done = nbconvert("--to", "report_pdf", fresh)
    assert done.returncode == 0, done.stderr
    return fresh.with_suffix(".pdf")


def texts(notebook):
    """The Markdown and alternative texts of every output, cell by cell; not those that name versions."""
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            text = data.get("text/markdown", data.get("text/plain", ""))
            if not text.startswith("Computed with "):
                yield text


def test_executed_in_order_without_errors_warnings_or_bars(committed):
    code = [cell for cell in committed.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    for output in (output for cell in code for output in cell.outputs):
        assert output.output_type in ("display_data", "execute_result"), output
    assert "epoch/s" not in nbformat.writes(committed)


def test_code_cells_are_short(committed):
    assert max(len(c.source.splitlines()) for c in committed.cells if c.cell_type == "code") <= 5


def test_a_fresh_run_gives_the_committed_results(committed, fresh):
    new = nbformat.read(fresh, as_version=4)
    pairs = list(zip(texts(committed), texts(new), strict=True))
    assert len(pairs) > 25
    for old, again in pairs:
        assert NUMBER.sub("#", old) == NUMBER.sub("#", again)
        numbers = [np.array([float(n) for n in NUMBER.findall(text)]) for text in (old, again)]
        tiny = (np.abs(numbers[0]) < 1e-9) & (np.abs(numbers[1]) < 1e-9)  # rounding errors of gradient checks
        np.testing.assert_allclose(numbers[0][~tiny], numbers[1][~tiny], rtol=1e-6, atol=1e-12)


def test_a_false_claim_stops_the_build():
    from assignment1.claims import FalseClaimError, claim

    assert claim("Two is more than one.", 2, ">", 1) == "Two is more than one."
    with pytest.raises(FalseClaimError, match=r"no longer true: 'It is small\.'.*7 < 5"):
        claim("It is small.", 1, "<", 7, "<", 5)
    with pytest.raises(FalseClaimError):
        claim("Not a number is small.", float("nan"), "<", 5)
    with pytest.raises(ValueError, match="expected value, relation"):
        claim("No check.")


def test_another_setting_changes_the_truth_or_stops_the_build(tmp_path):
    notebook = nbformat.read(ROOT / "report.ipynb", as_version=4)
    last = next(i for i, cell in enumerate(notebook.cells) if "These are the last weights" in cell.source)
    notebook.cells = notebook.cells[: last + 1]
    for cell in notebook.cells:
        cell.source = cell.source.replace("patience=10", "patience=5")
    nbformat.write(notebook, tmp_path / "changed.ipynb")
    done = nbconvert("--to", "notebook", "--execute", "--output-dir", tmp_path, tmp_path / "changed.ipynb")
    assert done.returncode != 0
    assert "no longer true" in done.stderr


def test_pdf_holds_every_task_and_the_numbers_of_2d(pdf):
    document = pypdfium2.PdfDocument(pdf)
    text = "\n".join(page.get_textpage().get_text_range() for page in document)
    for task in TASKS:
        assert task in text
    for number in (
        "1039",
        "0.07088705555893647",
        "0.06577187753329566",
        "0.9757802746566792",
        "0.9794319294809011",
    ):
        assert number in text
    for figure in ["2b", "2c", "2e", "3b", "3c", "4b", "4c", "4e"]:
        assert f"Figure {figure}." in text
    assert "import numpy" not in text and "$" not in text
    assert {tuple(round(x) for x in page.get_size()) for page in document} == {(595, 842)}
    titles = [item.get_title() for item in document.get_toc()]
    assert [title for title in titles if title in TASKS] == TASKS


def test_pdf_is_tagged_with_embedded_fonts_and_alternative_texts(pdf):
    with pikepdf.open(pdf) as document:
        assert str(document.Root.Lang) == "en"
        assert str(document.docinfo["/Title"]).startswith("Logistic and softmax")
        assert document.Root.MarkInfo.Marked
        fonts = [
            o
            for o in document.objects
            if isinstance(o, pikepdf.Dictionary) and o.get("/Type") == "/FontDescriptor"
        ]
        assert fonts and all({"/FontFile", "/FontFile2", "/FontFile3"} & set(font.keys()) for font in fonts)
        roles = [
            o
            for o in document.objects
            if isinstance(o, pikepdf.Dictionary) and o.get("/S") in ("/Figure", "/Formula")
        ]
        assert len(roles) > 50 and all(str(role.get("/Alt", "")).strip() for role in roles)
        images = [
            o for o in document.objects if isinstance(o, pikepdf.Stream) and o.get("/Subtype") == "/Image"
        ]
        assert all(image.Width <= 256 for image in images)  # plots are vectors; only weight images are pixels


def test_two_builds_are_the_same_bytes(pdf, fresh, tmp_path):
    done = nbconvert("--to", "report_pdf", "--output-dir", tmp_path, fresh)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "report.pdf").read_bytes() == pdf.read_bytes()
