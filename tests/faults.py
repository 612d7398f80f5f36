"""The page docs/faults.md: what was done to the project that can go wrong, how often, and what came of it.

A test ends with `tried(fault, cases, outcome)`, a fixture of conftest.py, and fails if the page does not say
so. With WRITE_FAULTS=1 in the environment, what the tests say that passed is written into the page. A test
whose number of cases the environment can raise names that as `by`; such runs stand in a column of their own.
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

    def line(self) -> str:
        """As Markdown."""
        return f"| {self.fault} | {self.cases} | {self.outcome} | {self.longer} | `{self.test}` |"


def said(test: str, fault: str, cases: int, outcome: str, by: str = "") -> Row:
    """The line for what a test says; one for a longer run leaves the number of cases of `make test` open."""
    if not fault or not outcome or cases < 1 or "|" in fault + outcome + by:
        raise ValueError(f"expected a fault, cases and an outcome, got {fault!r}, {cases!r}, {outcome!r}")
    if by:
        return Row(fault, "", outcome, f"{cases:,} by `{by}`", test)
    return Row(fault, f"{cases:,}", outcome, "", test)


def read() -> list[Row]:
    """The lines of the page."""
    page = PAGE.read_text("utf-8") if PAGE.exists() else ""
    found = re.findall(r"^\| (.+?) \| (.*?) \| (.+?) \| (.*?) \| `(.+?)` \|$", page, re.M)
    return [Row(*cells) for cells in found]


def stands(row: Row, rows: Iterable[Row]) -> bool:
    """Whether the page says the same, of its runs by `make test`."""
    return any(replace(row, longer="") == replace(one, longer="") for one in rows)


def merged(old: Iterable[Row], new: list[Row], tests: Iterable[str]) -> list[Row]:
    """The page's lines after a run of `tests`, which said `new`; tests that are gone go too.

    A test's lines go where it no longer says so; a longer run says nothing of others, nor others of it.
    """
    before = {(row.test, row.fault): row for row in old}
    ran = set(tests) - {row.test for row in new if row.longer}
    now: dict[tuple[str, str], Row] = {}
    for row in new:
        key = (row.test, row.fault)
        other = now.get(key) or before.get(key)
        if other and row.longer:
            row = replace(row, cases=other.cases)
        elif other:
            row = replace(row, longer=other.longer)
        now[key] = row
    kept = {key: row for key, row in before.items() if exists(key[0]) and not (key[0] in ran and row.cases)}
    return sorted({**kept, **now}.values(), key=lambda row: (row.test.partition("::")[0], row.fault))


def exists(test: str) -> bool:
    """Whether there is such a test."""
    name, _, function = test.partition("::")
    return (ROOT / name).exists() and f"def {function}(" in (ROOT / name).read_text("utf-8")


def text(rows: Iterable[Row]) -> str:
    """The page, with a table for each file of tests under what its docstring says first."""
    parts, file = [HEAD], ""
    for row in rows:
        name = row.test.partition("::")[0]
        if name != file:
            file = name
            about = ast.get_docstring(ast.parse((ROOT / file).read_text("utf-8"))) or file
            parts += [f"\n## {about.splitlines()[0].rstrip('.')}\n", f"| {' | '.join(COLUMNS)} |"]
            parts += ["|---|---:|---|---|---|"]
        parts.append(row.line())
    return "\n".join([*parts, ""])
