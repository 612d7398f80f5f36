"""The report's derivations (tasks 1a, 1b and 4a), read from its own equations and checked with SymPy.

Every relation in the text of these tasks is read as LaTeX and evaluated in symbols: three classes, two inputs
and two examples, where each entry of w, x and y is a symbol, and SymPy takes each derivative of what
`Quantities` defines. What cannot be read raises ValueError, so that no relation goes unchecked.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import sympy as sp

from study.algebra.formulas import INDICES, TOKEN, evaluate
from study.cache import kept

REPORT = Path(__file__).resolve().parents[2] / "report.ipynb"
TASKS = ("1a", "1b", "4a")


class Step(NamedTuple):
    """One relation of a derivation: does it hold for each of the `instances` values of its free indices?"""

    task: str
    latex: str
    instances: int
    holds: bool


def steps(report: Path = REPORT) -> list[Step]:
    """Every relation that the notebook writes in tasks 1a, 1b and 4a, with its verdict."""
    return [check(task, *parts) for task in TASKS for parts in relations(section(report, task))]


def section(report: Path, task: str) -> str:
    """The notebook's text between the heading of `task` and the next heading."""
    cells = json.loads(report.read_text(encoding="utf-8"))["cells"]
    text = "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    found = re.search(rf"^### Task {task}(?:: [^\n]*)?$(.*?)(?=^##|\Z)", text, re.DOTALL | re.MULTILINE)
    if found is None:
        raise ValueError(f"{report} has no heading '### Task {task}'")
    return found[1]


def relations(markdown: str) -> Iterator[tuple[str, str, str]]:
    """Each relation (left, sign, right) in the text's mathematics; a chain a = b = c gives two."""
    for _, latex in re.findall(r"(\${1,2})(.+?)\1", markdown, re.DOTALL):
        latex = re.sub(r"\\boxed\{(.*)\}", r"\1", re.sub(r"\\tag\{.*?\}", "", latex.strip()), flags=re.DOTALL)
        if r"\begin{aligned}" in latex:
            latex = re.sub(r"\\(?:begin|end)\{aligned\}|&|\\\\", " ", latex)
        for formula in re.split(r",\s*\\quad", latex.strip().rstrip(".,")):
            formula = formula.split(r"\leftarrow")[-1]
            inner = r"\\begin\{cases\}.*?\\end\{cases\}|\{[^{}]*\}"  # has signs that relate nothing
            bare = re.sub(inner, lambda m: " " * len(m[0]), formula, flags=re.DOTALL)
            signs = list(re.finditer(r"[=<>]|\\(?:ne|le|ge)q?\b|\\(?:approx|equiv|sim|propto)\b", bare))
            edges = zip([0, *(m.end() for m in signs)], [*(m.start() for m in signs), len(bare)], strict=True)
            parts = [formula[start:end].strip() for start, end in edges]
            for left, sign, right in zip(parts, signs, parts[1:], strict=False):
                if not {left, right} <= set(INDICES):  # k' = k only names the case that is meant
                    yield left, sign[0], right


@kept
def check(task: str, left: str, sign: str, right: str) -> Step:
    """Does the relation between two pieces of LaTeX hold, for all values of their free indices?"""
    bound = set(re.findall(r"\\sum_\{?([a-z]'?)", left + right))
    free = sorted(set(TOKEN.findall(left + right)) & set(INDICES) - bound)
    values = list(itertools.product(*(range(1, INDICES[index] + 1) for index in free)))

    def holds(at: dict[str, int]) -> bool:
        return _holds(evaluate(task, left, at), evaluate(task, right, at), sign)

    verdict = all(holds(dict(zip(free, value, strict=True))) for value in values)
    return Step(task, f"{left} {sign} {right}", len(values), verdict)


def _holds(left: Any, right: Any, sign: str) -> bool:
    if sign not in "=<>":
        raise ValueError(f"the relation {sign} cannot be checked; expected =, < or >")
    if isinstance(left, sp.MatrixBase) != isinstance(right, sp.MatrixBase):
        raise ValueError("one side is a matrix and the other is a number")
    if isinstance(left, sp.MatrixBase):
        return left.shape == right.shape and all(_is_zero(d) for d in left - right)
    if sign == "=":
        return _is_zero(left - right)
    difference = left - right if sign == ">" else right - left
    return bool(sp.expand_log(sp.together(difference)).is_positive)


def _is_zero(expression: sp.Expr) -> bool:
    """Is it 0 as a rational function of its symbols, exponentials and logarithms?"""
    numerator, _ = sp.together(sp.expand_log(expression)).as_numer_denom()
    return sp.expand(numerator) == 0
