"""The page on the student report's errors: its algebra is checked and its tasks exist."""

import re
import runpy

import nbformat
import pytest

from study.algebra import derivations, errata
from study.algebra.derivations import REPORT

pytestmark = pytest.mark.slow


def test_the_student_reports_algebra_fails_and_the_right_one_passes():
    rows = errata.slips()
    assert [row[0] for row in rows] == [4, 4, 5, 5, 17, 17, 19, 19]
    assert [row[3] for row in rows[::2]] == ["false", "false", "void", "false"]
    assert [row[3] for row in rows[1::2]] == ["true"] * 4


def test_every_row_is_answered_in_a_task_that_exists():
    rows = errata.errata()
    text = "\n".join(cell.source for cell in nbformat.read(REPORT, as_version=4).cells)
    tasks = set(re.findall(r"^### Task (\w+)", text, re.MULTILINE))
    assert [row[0] for row in rows] == list(range(1, 32))
    for _, wrong, right, by in rows:
        named = set(re.findall(r"\b[1-4][a-e]\b", right))
        assert wrong and named <= tasks and (named or right.startswith(("notation:", "all tasks:")))
        assert by in errata.CHECKED.values()
        assert not re.search(
            r"\d\.\d{2}|\d{3}", right
        )  # results stand in the report, where they are computed


def test_the_page_that_is_committed_is_what_the_program_writes(tmp_path, monkeypatch):
    monkeypatch.setattr(derivations, "REPORT", tmp_path / "report.ipynb")
    (tmp_path / "docs").mkdir()
    runpy.run_path(errata.__file__, run_name="__main__")
    page = (tmp_path / "docs/errata.md").read_text(encoding="utf-8")
    assert page == errata.PAGE.read_text(encoding="utf-8") and page.count("\n| ") == 31 + 8 + 4
