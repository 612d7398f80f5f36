"""The page on the student report's errors: its algebra is evaluated anew and its tasks exist."""

import re

import nbformat
import pytest

from conftest import ROOT
from study.algebra.derivations import REPORT, check, relations

pytestmark = pytest.mark.slow
CHECKED = {"algebra, by SymPy", "checks in the report", "the figure", "tests", "–"}


@pytest.fixture(scope="module")
def tables():
    """Return the rows of the page's two tables: lines of algebra, and all errors."""
    page = (ROOT / "docs/errata.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if re.match(r"\| \d", line)]
    return rows[:8], rows[8:]


def verdict(task, latex):
    """Return "true" or "false" for the relations in the LaTeX, "void" if one has no meaning."""
    try:
        held = [check(task, *parts).holds for parts in relations(latex)]
    except ValueError:
        return "void"
    assert held
    return "true" if all(held) else "false"


def test_the_student_reports_algebra_fails_and_the_right_one_passes(tables):
    lines, errors = tables
    assert [(number, whose) for number, whose, _, _ in lines] == [
        (number, whose) for number in ("4", "5", "17", "19") for whose in ("student report", "here")
    ]
    found = []
    for number, _, latex, written in lines:
        task = errors[int(number) - 1][2].partition(":")[0]
        found.append(verdict(task, latex))
        assert found[-1] == written, latex
    assert found == ["false", "true", "false", "true", "void", "true", "false", "true"]


def test_every_row_is_answered_in_a_task_that_exists(tables):
    text = "\n".join(cell.source for cell in nbformat.read(REPORT, as_version=4).cells)
    tasks = set(re.findall(r"^### Task (\w+)", text, re.MULTILINE))
    assert [row[0] for row in tables[1]] == [str(number) for number in range(1, 32)]
    for _, wrong, right, by in tables[1]:
        named = set(re.findall(r"\b[1-4][a-e]\b", right))
        assert wrong and named <= tasks and (named or right.startswith(("notation:", "all tasks:")))
        assert by in CHECKED
        assert not re.search(
            r"\d\.\d{2}|\d{3}", right
        )  # results stand in the report, where they are computed
