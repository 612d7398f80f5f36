"""Templates of prose: values in double braces, and checks that the text around them must pass.

    The validation loss falls from {{first:.3f}} to {{final:.3f}} when early stopping ended the run.
        check: final < first

`{{expression:format}}` is what an f-string's single braces are, so that LaTeX keeps its own. A line that
starts with `check:` belongs to the text since the check before it: plain Python whose value must be true, or
an array that is true in all places. It may go on over lines until its brackets close. A blank line starts a
new paragraph.
"""

import ast
import re
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from dis import get_instructions
from types import CodeType
from typing import Any

VALUE = re.compile(r"\{\{(.+?)\}\}(?!\})", re.DOTALL)
FALSE = "**No longer true**"
STALE = "**Run the cells above again**"
About = dict[str, Any]  # what an output keeps
Names = dict[str, Any]
Words = dict[str, str]


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

    text: str = ""
    checks: list[str] = field(default_factory=list)

    def names(self) -> set[str]:
        """Return the names that the values and the checks read."""
        values = [_as_f_string(match[1]) for match in VALUE.finditer(self.text)]
        found = set()
        for source in (*values, *self.checks):
            found |= read_by(compile(source, "<check>", "eval"))
        return found


def passages(template: str) -> list[Passage]:
    """Return a template's passages: the text up to a check, with the checks that follow it.

    Raises ValueError for a check that is no expression or has no text before it.
    """
    lines = textwrap.dedent(template).strip("\n").splitlines()
    found = [Passage()]
    while lines:
        line = lines.pop(0).rstrip()
        before, check, source = line.partition("check:")
        if before.strip() or not check:
            if line and found[-1].checks:
                found.append(Passage())
            found[-1].text += line + "\n"
            continue
        source = source.strip()
        while not _tree(source) and lines and lines[0].strip():
            source += " " + lines.pop(0).strip()
        if not found[-1].text.strip():
            raise ValueError(f"no text stands before the check {source!r}")
        if not _tree(source):
            raise ValueError(f"the check {source!r} is not a Python expression")
        found[-1].checks.append(source)
    return found


def fill(
    template: str,
    names: Names,
    stale: Callable[[set[str]], str] = lambda names: "",
    marked: bool = True,
) -> tuple[str, list[Check], Words]:
    """Return a template's text filled from `names`, the checks made, and the words of each value by source.

    `stale` says which of a set of names has a value from an older run. A passage that is not true or has such
    a value is struck, with the reason before it, unless the text is not to be `marked`.
    """
    text = ""
    checks = []
    values: Words = {}
    for passage in passages(template):
        words, found, faults = _values(passage.text, names)
        sentence = " ".join(words.split())
        old = stale(passage.names())
        seen = [(source, *_check(source, names)) for source in passage.checks] + faults
        if old and not seen:
            seen = [("", "", False)]
        made = [Check(sentence, source, value, holds and not old, old) for source, value, holds in seen]
        text += _marked(words, made, old) if marked else words
        checks += made
        values |= found
    return text.strip("\n"), checks, values


def _marked(text: str, checks: list[Check], old: str) -> str:
    """Return a passage's text, struck if a value of it is old or a check does not hold."""
    faults = [f"`{check.check}`: {check.values}" for check in checks if not check.holds]
    reason = old or "; ".join(faults)
    if not reason:
        return text
    mark = STALE if old else FALSE
    end = text[len(text.rstrip()) :]
    return f"{mark} ({reason}): ~~{' '.join(text.split())}~~{end}"


def refill(template: str, values: Words) -> tuple[str, list[tuple[str, str]]]:
    """Return a template's text with values that `fill` gave, and each check's sentence and source.

    Raises KeyError for a value that is not among them.
    """
    text = ""
    checks = []
    for passage in passages(template):
        words = VALUE.sub(lambda match: values[match[1]], passage.text)
        checks += [(" ".join(words.split()), source) for source in passage.checks]
        text += words
    return text.strip("\n"), checks


def read_by(code: CodeType) -> set[str]:
    """Return the names that code reads from around it, with what the functions in it read."""
    read = {step.argval for step in get_instructions(code) if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            read |= read_by(inner)
    return read


def _tree(source: str) -> Any:
    """Return the tree of an expression; None for what is none."""
    try:
        return ast.parse(source, mode="eval")
    except SyntaxError:
        return None


def _as_f_string(value: str) -> Any:
    """Return the tree of the f-string that a value stands for. Raises ValueError for one that is none."""
    tree = _tree(f"f'''{{ {value.strip()}}}'''")  # a space would be a part of the format
    if not tree:
        raise ValueError(f"{{{{{value}}}}} is not a Python expression with a format")
    return tree


def _values(text: str, names: Names) -> tuple[str, Words, list[tuple[str, str, bool]]]:
    """Return the text with its values, these by source, and those not computed, with why, as false checks."""
    faults = []
    found = {}

    def value(match: re.Match[str]) -> str:
        tree = _as_f_string(match[1]).body
        try:
            words = _evaluate(tree, names)
            negative = words.startswith("-") and not isinstance(_evaluate(tree.values[0].value, names), str)
        except Exception as error:
            faults.append((match[1], f"cannot be computed, {type(error).__name__}: {error}", False))
            return "…"
        if negative:
            words = words.replace("-", "\N{MINUS SIGN}", 1)
        found[match[1]] = words
        return words

    return VALUE.sub(value, text), found, faults


def _check(source: str, names: Names) -> tuple[str, bool]:
    """Return the values that a check compares, and whether it is true: all of it, of an array."""
    tree = _tree(source).body
    parts = tree.values if isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And) else [tree]
    try:
        seen, holds = zip(*(_compare(part, names) for part in parts), strict=True)
    except Exception as error:
        return f"cannot be computed, {type(error).__name__}: {error}", False
    return " and ".join(seen), all(holds)


def _compare(part: ast.expr, names: Names) -> tuple[str, bool]:
    """Return the values on the sides of a comparison, or the one of another expression; and its truth."""
    if not isinstance(part, ast.Compare):
        value = _evaluate(part, names)
        return brief(value), _all(value)
    left = _evaluate(part.left, names)
    words = brief(left)
    holds = True
    for operator, comparator in zip(part.ops, part.comparators, strict=True):
        right = _evaluate(comparator, names)
        pair = ast.unparse(ast.Compare(ast.Name("left"), [operator], [ast.Name("right")]))
        words += pair.removeprefix("left").replace("right", brief(right))
        holds = holds and _all(eval(pair, {"left": left, "right": right}))
        left = right
    return words, holds


def _evaluate(part: ast.expr, names: Names) -> Any:
    """Return the value of an expression; raise a warning, such as for the mean of nothing, as an error."""
    with warnings.catch_warnings(action="error", category=RuntimeWarning):
        return eval(compile(ast.Expression(part), "<check>", "eval"), names)


def _all(value: Any) -> bool:
    """Return whether a check's value is true; raise TypeError for one that would be true of anything."""
    if isinstance(value, bool):
        return value
    if str(getattr(value, "dtype", "")) == "bool" and value.size:
        return bool(value.all())
    raise TypeError(
        f"{brief(value)} is no check; expected true or false, or an array of them that is not empty"
    )


def kept(checks: Iterable[Check], parts: Words, values: Words) -> About:
    """Return what an output keeps: its checks and, since a part may be edited, the parts and their values."""
    pairs = list(map(list, parts.items()))  # a notebook's file would sort names
    about = {"checks": list(map(asdict, checks)), "parts": pairs, "values": values}
    return {name: one for name, one in about.items() if one}


def names_of_caller() -> Names:
    """Return the names of the cell or function that called the function that called this."""
    frame = sys._getframe(2)
    return {**frame.f_globals, **frame.f_locals}


def cell(value: object) -> str:
    """Return a value as a cell of a table."""
    return " ".join(str(value).split()).replace("|", r"\|")


def brief(value: Any) -> str:
    """Return a value in a few words: a number, an array's smallest and largest, or at most 80 characters."""
    if hasattr(value, "dtype") and getattr(value, "size", 1) > 1 and value.dtype.kind in "iuf":
        return f"{value.min():.6g} to {value.max():.6g}"
    if type(value).__name__ in ("bool", "bool_"):  # and NumPy's
        return "true" if value else "false"
    try:
        return f"{value:.6g}"
    except (TypeError, ValueError):
        return textwrap.shorten(str(value), 80, placeholder=" …")
