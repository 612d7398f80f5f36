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
    names = ["report.ipynb", "untrue.ipynb"]  # converted one after the other
    for name, text in zip(names, (source, source.replace("best == 45", "best == 40")), strict=True):
        (tmp_path / name).write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "nbconvert", "--execute", "--to", "report_pdf", *names]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (tmp_path / "report.pdf").exists() and done.returncode != 0, done.stderr
    assert not (tmp_path / "untrue.pdf").exists()
    assert "not true: 'By equation (1) the ball flies farthest, 40.8 m, at 45°" in done.stderr
    (page,) = pypdfium2.PdfDocument(tmp_path / "report.pdf")
    words = page.get_textpage().get_text_range()
    assert words.startswith("How far a ball flies\r\nAda Lovelace, Alan Turing")
    assert "(Galilei 1638).1" in words and "References" in words and "Figure 1. Half a right" in words
