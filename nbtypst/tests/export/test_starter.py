"""The starter notebook of the README: executed and exported as it says."""

import subprocess
import sys
from pathlib import Path

import pypdfium2
import pytest

pytestmark = pytest.mark.slow

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_starter_becomes_a_page_and_refuses_a_sentence_that_is_not_true(tmp_path):
    pytest.importorskip("ipykernel")
    source = (DOCS / "starter.ipynb").read_text(encoding="utf-8")
    (tmp_path / "report.bib").write_bytes((DOCS / "starter.bib").read_bytes())
    command = [sys.executable, "-m", "nbconvert", "--execute", "--to", "report_pdf", "report.ipynb"]
    for text, works in ((source, True), (source.replace("best == 45", "best == 40"), False)):
        (tmp_path / "report.ipynb").write_text(text, encoding="utf-8")
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert (done.returncode == 0) == works, done.stderr
    assert "not true: 'By equation (1) the ball flies farthest, 40.8 m, at 45°" in done.stderr
    (page,) = pypdfium2.PdfDocument(tmp_path / "report.pdf")
    words = page.get_textpage().get_text_range()
    assert words.startswith("How far a ball flies\r\nAda Lovelace, Alan Turing")
    assert "(Galilei 1638).1" in words and "References" in words and "Figure 1. Half a right" in words
