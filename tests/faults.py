"""The page docs/faults.md: what was done to the project that can go wrong, how often, and what came of it.

A test ends with `tried(fault, cases, outcome)`, a fixture of conftest.py, and fails if the page does not have
that row. With WRITE_FAULTS=1 in the environment, the rows of the tests that passed are written into the page.
A test whose number of cases the environment can raise names that as `by`; longer runs have their own column.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/faults.md"
HEAD = """# What can go wrong

What the tests do to the project on purpose, how often, and what comes of it. The tests write this page, and
fail when they would write another: `WRITE_FAULTS=1 make test`. More cases of a kind are tried with the
setting of the fourth column before `make test`, or before `.venv/bin/python -m pytest FILE`."""
COLUMNS = ("Fault", "Cases", "Outcome", "Cases in a longer run", "Test")


@dataclass(frozen=True)
class Row:
    """A line of the page; `test` is the file and the name of the function."""

    fault: str
    cases: str
    outcome: str
    longer: str
    test: str

    @property
    def file(self) -> str:
        return self.test.partition("::")[0]

    def line(self) -> str:
        """Return the row as Markdown."""
        return f"| {self.fault} | {self.cases} | {self.outcome} | {self.longer} | `{self.test}` |"


def make_row(test: str, fault: str, cases: int, outcome: str, by: str = "") -> Row:
    """Return a test's row; the row of a longer run leaves the number of cases of `make test` open."""
    if not fault or not outcome or cases < 1 or "|" in fault + outcome + by:
        raise ValueError(f"expected a fault, cases and an outcome, got {fault!r}, {cases!r}, {outcome!r}")
    if by:
        return Row(fault, "", outcome, f"{cases:,} by `{by}`", test)
    return Row(fault, f"{cases:,}", outcome, "", test)


def read() -> list[Row]:
    """Return the rows of the page."""
    page = PAGE.read_text("utf-8") if PAGE.exists() else ""
    found = re.findall(r"^\| (.+?) \| (.*?) \| (.+?) \| (.*?) \| `(.+?)` \|$", page, re.M)
    return [Row(*cells) for cells in found]


def contains(rows: Iterable[Row], wanted: Row) -> bool:
    """Tell whether a row is among others, longer runs left aside."""
    return replace(wanted, longer="") in [replace(row, longer="") for row in rows]


def merge(old: Iterable[Row], new: list[Row], tests: Iterable[str]) -> list[Row]:
    """Return the page's rows after a run of `tests`, which gave the rows `new`.

    Leave out the rows of tests that are gone, and those that a test of this run no longer gives. A longer run
    changes its own column alone.
    """
    before = {(row.test, row.fault): row for row in old}
    longer = {row.test for row in new if row.longer}
    now: dict[tuple[str, str], Row] = {}
    for row in new:
        key = (row.test, row.fault)
        other = now.get(key) or before.get(key)
        if other and row.longer:
            row = replace(row, cases=other.cases)
        elif other:
            row = replace(row, longer=other.longer)
        now[key] = row
    replaced = set(tests) - longer
    for key, row in before.items():
        outdated = row.test in replaced and row.cases
        if test_exists(row.test) and not outdated:
            now.setdefault(key, row)
    return sorted(now.values(), key=lambda row: (row.file, row.fault))


def test_exists(test: str) -> bool:
    """Tell whether there is a test of this file and name."""
    name, _, function = test.partition("::")
    path = ROOT / name
    return path.exists() and f"def {function}(" in path.read_text("utf-8")


def markdown(rows: Iterable[Row]) -> str:
    """Return the page: a table for each file of tests, under the first line of the file's docstring."""
    lines = [HEAD]
    file = ""
    for row in rows:
        if row.file != file:
            file = row.file
            about = ast.get_docstring(ast.parse((ROOT / file).read_text("utf-8"))) or file
            title = about.splitlines()[0].rstrip(".")
            lines.append(f"\n## {title}\n")
            lines.append(f"| {' | '.join(COLUMNS)} |")
            lines.append("|---|---:|---|---|---|")
        lines.append(row.line())
    return "\n".join([*lines, ""])


class Writer:
    """A plugin of pytest that writes the page: the rows of the tests that passed, in whichever process."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.tests: set[str] = set()

    def pytest_runtest_logreport(self, report):
        if report.when == "call" and report.passed:
            self.rows += [Row(**row) for name, row in report.user_properties if name == "fault"]
            self.tests.add(report.nodeid.partition("[")[0])

    def pytest_sessionfinish(self):
        if self.rows:
            PAGE.write_text(markdown(merge(read(), self.rows, self.tests)), encoding="utf-8")
