"""The report's derivations (tasks 1a, 1b and 4a), read from its own equations and checked with SymPy.

Every relation in the text of these tasks is read as LaTeX and evaluated in symbols: three classes, two inputs
and two examples, where each entry of w, x and y is a symbol, and SymPy takes each derivative of what
`Quantities` defines. What cannot be read raises ValueError, so that no relation goes unchecked.
"""

import json
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import sympy as sp

from study.algebra.formulas import INDICES, TOKEN, evaluate
from study.cache import kept

REPORT = Path(__file__).resolve().parents[2] / "report.ipynb"
TASKS = ("1a", "1b", "4a")
SIGN = re.compile(r"[=<>]|\\(?:ne|le|ge)q?\b|\\(?:approx|equiv|sim|simeq|cong|propto|ll|gg|[lg]eqslant|to)\b")
INNER = re.compile(r"\\begin\{cases\}.*?\\end\{cases\}|_\{[^{}]*\}", re.DOTALL)  # its signs relate nothing


class Step(NamedTuple):
    """One relation of a derivation, with its verdict."""

    task: str
    latex: str
    holds: bool  # for all values of the free indices


def steps(report: Path = REPORT) -> list[Step]:
    """Return every relation that the notebook writes in tasks 1a, 1b and 4a, with its verdict."""
    return verdicts({task: section(report, task) for task in TASKS})


@kept
def verdicts(texts: dict[str, str]) -> list[Step]:
    """Return every relation in the text of each task, with its verdict."""
    found = []
    for task, text in texts.items():
        found += [check(task, *parts) for parts in relations(text)]
    return found


def section(report: Path, task: str) -> str:
    """Return the text below the heading of `task`. Raises ValueError for a notebook without one."""
    cells = json.loads(report.read_text(encoding="utf-8"))["cells"]
    text = "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    found = re.search(rf"^### Task {task}(?:: [^\n]*)?$(.*?)(?=^##|\Z)", text, re.DOTALL | re.MULTILINE)
    if found is None:
        raise ValueError(f"{report} has no heading '### Task {task}'")
    return found[1]


def relations(markdown: str) -> Iterator[tuple[str, str, str]]:
    """Yield each relation (left, sign, right) in the text's mathematics; a chain a = b = c gives two."""
    for _, latex in re.findall(r"(\${1,2})(.+?)\1", markdown, re.DOTALL):
        latex = re.sub(r"\\tag\{.*?\}", "", latex.strip())
        latex = re.sub(r"\\boxed\{(.*)\}", r"\1", latex, flags=re.DOTALL)
        if r"\begin{aligned}" in latex:
            latex = re.sub(r"\\(?:begin|end)\{aligned\}|&|\\\\", " ", latex)
        for formula in re.split(r",\s*\\quad|\\qquad", latex.strip().rstrip(".,")):
            yield from chained(formula.split(r"\leftarrow")[-1])


def chained(formula: str) -> Iterator[tuple[str, str, str]]:
    """Yield the relations in a chain such as a = b = c."""
    bare = INNER.sub(lambda found: " " * len(found[0]), formula)
    parts = []
    start = 0
    for found in SIGN.finditer(bare):
        parts += [formula[start : found.start()].strip(), found[0]]
        start = found.end()
    parts.append(formula[start:].strip())
    for at in range(0, len(parts) - 2, 2):
        left, sign, right = parts[at : at + 3]
        if not {left, right} <= set(INDICES):  # k' = k only names the case that is meant
            yield left, sign, right


def check(task: str, left: str, sign: str, right: str) -> Step:
    """Evaluate the relation between two pieces of LaTeX for all values of their free indices.

    Raises ValueError for a relation that cannot be read.
    """
    bound = re.findall(r"\\sum_\{?([a-z]'?)", left + right)
    free = sorted(set(TOKEN.findall(left + right)) & set(INDICES) - set(bound))
    ranges = [range(1, INDICES[index] + 1) for index in free]
    held = []
    for values in product(*ranges):
        at = dict(zip(free, values, strict=True))
        one = evaluate(task, left, at)
        other = evaluate(task, right, at)
        held.append(_holds(one, other, sign))
    return Step(task, f"{left} {sign} {right}", all(held))


def _holds(left: Any, right: Any, sign: str) -> bool:
    if sign not in "=<>":
        raise ValueError(f"the relation {sign} cannot be checked; expected =, < or >")
    shapes = [getattr(side, "shape", None) for side in (left, right)]
    if None in shapes and shapes[0] != shapes[1]:
        raise ValueError("one side is a matrix and the other is a number")
    if shapes[0] != shapes[1]:
        return False
    difference = right - left if sign == "<" else left - right
    if sign == "=":
        return all(map(_is_zero, sp.flatten([difference])))
    if shapes[0]:
        raise ValueError(f"matrices have no order, as {sign} says; expected =")
    return bool(sp.expand_log(sp.together(difference)).is_positive)


def _is_zero(expression: sp.Expr) -> bool:
    """Return whether an expression is 0 as a rational function of symbols, exponentials and logarithms."""
    numerator, _ = sp.expand_log(expression).as_numer_denom()
    return sp.expand(numerator) == 0
