"""The assignment's other way: nbconvert's own PDF via LaTeX."""

import os
import re
import shutil

import pypandoc
import pypdfium2
import pytest

import pages
from conftest import ROOT, nbconvert

no_latex = pytest.mark.skipif(shutil.which("xelatex") is None, reason="xelatex is not on this machine")
pytestmark = [pytest.mark.slow, no_latex]


@pytest.fixture(params=["on PATH", "of pypandoc"])
def path(request, tmp_path):
    """Return PATH with the pandoc that is on it, which may be old, or with that of pypandoc, which is new."""
    if request.param == "on PATH":
        if not shutil.which("pandoc"):
            pytest.skip("no pandoc is on PATH")
        return os.environ["PATH"]
    (tmp_path / "pandoc").symlink_to(pypandoc.get_pandoc_path())
    return os.pathsep.join([str(tmp_path), os.environ["PATH"]])


def test_every_word_figure_and_table_is_in_the_pdf_via_latex(path, pdf, committed, tmp_path):
    """The words are there after LaTeX's first pass; of one of the two, a second reads what that wrote."""
    shutil.copy(ROOT / "report.ipynb", tmp_path)
    passes = 2 if path == os.environ["PATH"] else 1
    count = f"--PDFExporter.latex_count={passes}"
    done = nbconvert(tmp_path, "--to", "pdf", "report.ipynb", count, PATH=path)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    texts = [pages.text(file) for file in (pdf, tmp_path / "report.pdf")]
    ours, theirs = map(pages.words, texts)
    everything = "".join(texts[1].split())
    everything += everything.replace("-", "")  # a hyphen at a line's end is taken for one of hyphenation
    assert {word for word in ours if word not in everything} == set()
    signs = {c for c in texts[0] if not c.isascii() and not c.isspace() and c != "\N{WORD JOINER}"}
    assert signs <= set(texts[1]), "a sign that TeX's font lacks: write it as math"
    numbers = [word for word in ours if re.fullmatch(r"\d+\.\d{3,}", word)]
    assert len(numbers) > 50
    assert {n: (ours[n], theirs[n]) for n in numbers if theirs[n] < ours[n]} == {}
    document = pypdfium2.PdfDocument(tmp_path / "report.pdf")
    forms = [o for page in document for o in page.get_objects(max_depth=1) if o.type == 5]
    figures = sum(
        "image/svg+xml" in o.get("data", {}) for cell in committed.cells for o in cell.get("outputs", [])
    )
    assert len(forms) >= figures > 7
