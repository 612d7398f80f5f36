"""Templates of prose: values in double braces, and checks that the text around them must pass.

    The validation loss falls from {{first:.3f}} to {{final:.3f}} when early stopping ended the run.
        check: final < first

`{{expression:format}}` is what an f-string's single braces are, so that LaTeX keeps its own. A line that
starts with `check:` belongs to the text since the check before it: plain Python that must be true (all of it,
of an array); it may go on over lines until its brackets close. A blank line starts a new paragraph.
"""

from __future__ import annotations

import ast
import operator
import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

VALUE = re.compile(r"\{\{(.+?)\}\}(?!\})", re.DOTALL)
OPERATORS: dict[type[ast.cmpop], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Eq: ("==", operator.eq),
    ast.NotEq: ("!=", operator.ne),
    ast.GtE: (">=", operator.ge),
    ast.Gt: (">", operator.gt),
    ast.Is: ("is", operator.is_),
    ast.IsNot: ("is not", operator.is_not),
    ast.In: ("in", lambda a, b: a in b),
    ast.NotIn: ("not in", lambda a, b: a not in b),
}


@dataclass(frozen=True)
class Check:
    """A check that was made: the text it is for, its source, the values it compared, and whether it holds.

    `stale` says which value is left from an older run, if one is: then the sentence is not to blame.
    """

    sentence: str
    check: str
    values: str
    holds: bool
    stale: str = ""


@dataclass
class Passage:
    """A text and the sources of its checks."""

    text: str
    checks: list[str]


def passages(template: str) -> list[Passage]:
    """A template's passages: the text up to a check, with the checks that follow it."""
    lines = textwrap.dedent(template).strip("\n").splitlines()
    found = [Passage("", [])]
    while lines:
        line = lines.pop(0)
        if not line.strip().startswith("check:"):
            if found[-1].checks and line.strip():
                found.append(Passage("", []))
            if found[-1].checks:  # a blank line after a check: the next passage's
                line = ""
            found[-1].text += line.rstrip() + "\n"
            continue
        source = line.strip().removeprefix("check:").strip()
        while not _compiles(source) and lines and lines[0].strip():
            source += " " + lines.pop(0).strip()
        if not found[-1].text.strip():
            raise ValueError(f"no text stands before the check {source!r}")
        if not _compiles(source):
            raise ValueError(f"the check {source!r} is not a Python expression")
        found[-1].checks.append(source)
    return found


def fill(
    template: str, names: dict[str, Any], stale: Callable[[set[str]], str] = lambda names: ""
) -> tuple[str, list[Check]]:
    """The text with its values, each sentence that is not true marked as such, and the checks made.

    `stale` says which of a set of names has a value from an older run; such a sentence is marked so.
    """
    text, checks = "", []
    for passage in passages(template):
        words, faults = _values(passage.text, names)
        plain, end = " ".join(words.split()), words[len(words.rstrip()) :]
        made = [Check(plain, *_check(source, names)) for source in passage.checks]
        made += [Check(plain, source, fault, False) for source, fault in faults]
        if old := stale(_names([*_fields(passage.text), *passage.checks])):
            made = [replace(check, holds=False, stale=old) for check in made] or [
                Check(plain, "", "", False, old)
            ]
            words = f"**Run the cells above again** ({old}): ~~{plain}~~{end}"
        elif false := "; ".join(f"`{check.check}`: {check.values}" for check in made if not check.holds):
            words = f"**No longer true** ({false}): ~~{plain}~~{end}"
        text += words
        checks += made
    return text.strip("\n"), checks


def names(template: str) -> set[str]:
    """The names that a template reads, which a linter does not see."""
    found = passages(template)
    return _names([e for passage in found for e in (*_fields(passage.text), *passage.checks)])


def _fields(text: str) -> list[str]:
    """The expressions of a text's values."""
    return [_split(match[1])[0] for match in VALUE.finditer(text)]


def _names(expressions: list[str]) -> set[str]:
    nodes = [node for source in expressions for node in ast.walk(ast.parse(source, mode="eval"))]
    bound = {n.id for n in nodes if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    bound |= {n.arg for n in nodes if isinstance(n, ast.arg)}
    return {n.id for n in nodes if isinstance(n, ast.Name)} - bound


def _compiles(source: str) -> bool:
    try:
        ast.parse(source, mode="eval")
    except SyntaxError:
        return False
    return True


def _split(field: str) -> tuple[str, str]:
    """Expression and format of a value: the expression is as much of the field as is one."""
    ends = [len(field), *(match.start() for match in re.finditer(":", field))]
    for end in ends:
        if _compiles(expression := field[:end].strip()):
            return expression, field[end + 1 :]
    raise ValueError(f"{{{{{field}}}}} is not a Python expression with a format")


def _values(text: str, names: dict[str, Any]) -> tuple[str, list[tuple[str, str]]]:
    """The text with its values, and the values that could not be computed, with why."""
    faults = []

    def value(match: re.Match[str]) -> str:
        expression, form = _split(match[1])
        try:
            form = re.sub(r"\{(.+?)\}", lambda inner: str(eval(inner[1], names)), form)
            found = eval(expression, names)
            words = format(found, form)
            return words if isinstance(found, str) else words.replace("-", "\N{MINUS SIGN}", words[:1] == "-")
        except Exception as error:
            faults.append((match[1], f"{type(error).__name__}: {error}"))
            return "…"

    return VALUE.sub(value, text), faults


def _check(source: str, names: dict[str, Any]) -> tuple[str, str, bool]:
    """A check's source, the values it compares and whether it is true: all of it, of an array."""
    tree = ast.parse(source, mode="eval").body
    both = isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And)
    values, holds = [], True
    try:
        for part in tree.values if both else [tree]:  # type: ignore[attr-defined]
            seen, true = _compare(part, names) if isinstance(part, ast.Compare) else _truth(part, names)
            values.append(seen)
            holds = holds and true
    except Exception as error:
        return source, f"{type(error).__name__}: {error}", False
    return source, " and ".join(values), holds


def _compare(part: ast.Compare, names: dict[str, Any]) -> tuple[str, bool]:
    sides = [_evaluate(side, names) for side in (part.left, *part.comparators)]
    words, true = brief(sides[0]), True
    for op, left, right in zip(part.ops, sides, sides[1:], strict=False):
        sign, relation = OPERATORS[type(op)]
        words += f" {sign} {brief(right)}"
        true = true and _all(relation(left, right))
    return words, true


def _truth(part: ast.expr, names: dict[str, Any]) -> tuple[str, bool]:
    value = _evaluate(part, names)
    return brief(value), _all(value)


def _evaluate(part: ast.expr, names: dict[str, Any]) -> Any:
    return eval(compile(ast.Expression(part), "<check>", "eval"), names)


def _all(value: Any) -> bool:
    return bool(value.all()) if hasattr(value, "all") else bool(value)


def brief(value: Any) -> str:
    """A value in a few words: a number, an array's smallest and largest, or at most 80 characters."""
    if hasattr(value, "dtype") and getattr(value, "size", 1) > 1 and value.dtype.kind in "iuf":
        return f"{value.min():.6g} to {value.max():.6g}"
    if type(value).__name__ in ("bool", "bool_"):  # and NumPy's
        return "true" if value else "false"
    try:
        return f"{value:.6g}"
    except (TypeError, ValueError):
        return textwrap.shorten(str(value), 80, placeholder=" …")
