"""LaTeX math as a notebook has it, made ready for pandoc, and pandoc's Typst for it."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from nbtypst.reading.markdown import pandoc

TAG = re.compile(r"\s*\\tag\*?\s*\{([^{}]*)\}")
_FORBIDDEN = re.compile(r"#(?!(?:scale|box|hide|h)\b)")  # code in pandoc's Typst other than what it writes
_COMMAND = re.compile(r"\\([A-Za-z]+)")
_BRACE = re.compile(r"(?<!\\)[{}]")
_TOKEN = re.compile(r"\\[A-Za-z]+|\\?.|", re.S)
_DEFINITION = re.compile(
    r"\\(?:re|provide)?newcommand\*?\s*\{?\\([A-Za-z]+)\}?\s*(?:\[(\d)\])?\s*(?=\{)"
    r"|\\def\s*\\([A-Za-z]+)\s*(?=\{)"
    r"|\\DeclareMathOperator(\*?)\s*\{\\([A-Za-z]+)\}\s*(?=\{)"
)
_INNER = {
    "align": "aligned",
    "flalign": "aligned",
    "gather": "gathered",
    "multline": "gathered",
    "split": "aligned",
}
# What pandoc cannot read or gets wrong, and what it reads rightly, in the order in which they are replaced.
_PLAIN: list[tuple[str, Any]] = [
    (r"\\begin\{(equation|displaymath|math)(\*?)\}(.*?)\\end\{\1\2\}", r"\3"),
    (r"\\(?:label|cite|eqref|ref)\s*\{[^{}]*\}|\\(?:nonumber|notag|displaystyle|limits)\b", ""),
    (r"\\(begin|end)\{eqnarray\*?\}", r"\\\1{aligned}"),
    (r"\\(begin|end)\{(\w+)\*?\}", lambda m: rf"\{m[1]}{{{_INNER[m[2]]}}}" if m[2] in _INNER else m[0]),
    (r"\\begin\{vmatrix\}(.*?)\\end\{vmatrix\}", r"\\left|\\begin{matrix}\1\\end{matrix}\\right|"),
    (r"\\begin\{Vmatrix\}(.*?)\\end\{Vmatrix\}", r"\\left\\|\\begin{matrix}\1\\end{matrix}\\right\\|"),
    # pandoc loses the gap between the columns of cases
    (r"\\begin\{cases\}.*?\\end\{cases\}", lambda m: re.sub(r"(?<!\\)&", r"&\\quad ", m[0])),
    (r"\{\s*\\(rm|bf|it|cal|sf|tt)\b\s*([^{}]*)\}", r"\\math\1{\2}"),
    (r"\\(rm|bf|it|cal|sf|tt)\b\s*(?=\{)", r"\\math\1"),
    (r"\\mathop\s*(?=\{|\\math)", ""),
    (r"\\[;:>]", r"\\,"),  # pandoc makes nothing of them
    (r"\\!", ""),
    (r"\\odot", "⊙"),
    (r"\\bm\{", r"\\mathbf{"),
    (r"\n\s*\n", "\n"),
]
LONGEST = 20_000  # characters of a formula with its macros expanded
MOST_READ = 200_000  # characters of the calls of macros in it

Macros = dict[str, tuple[int, str]]  # name: count of arguments, and body


class Formula(NamedTuple):
    """A formula, the content of a Math node: like pandoc's, its kind and its LaTeX are the first two fields.

    The LaTeX is without the box and the number that a formula may have.
    """

    display: bool  # whether the formula stands alone
    latex: str
    boxed: bool = False
    tag: str = ""  # the number


def formula(display: bool, source: str, macros: Macros) -> Formula:
    """Return LaTeX as a formula that pandoc converts rightly, and add its definitions to `macros`."""
    latex = _expand(_define(source, macros), macros)
    tags = TAG.findall(latex)
    tag = tags[0].strip() if display and len(tags) == 1 else ""
    latex = TAG.sub("" if display and len(tags) == 1 else r"\\qquad (\1)", latex)
    if "eqnarray" in latex:
        latex = latex.replace("&=&", "&=")
    for pattern, plain in _PLAIN:
        latex = re.sub(pattern, plain, latex, flags=re.S)
    latex = latex.strip()
    inside = _boxed(latex) if display else None
    if inside is not None:
        latex = inside
    if display and r"\\" in re.sub(r"\\begin\{(.*?)\}.*\\end\{\1\}", "", latex, flags=re.S):
        latex = rf"\begin{{aligned}}{latex}\end{{aligned}}"
    return Formula(display, latex, inside is not None, tag)


def untagged(formula: Formula) -> Formula:
    """Return the formula with its number as a part of it, for a number that another formula has."""
    return formula._replace(tag="", latex=rf"{formula.latex} \qquad \text{{({formula.tag})}}")


def _boxed(latex: str) -> str | None:
    """Return what is in a box that all of the formula is in, with the full stop or comma behind it."""
    box = re.match(r"\\boxed\s*(?=\{)", latex)
    if not box:
        return None
    inside, end = _argument(latex, box.end())
    rest = latex[end:].strip()
    return inside + rest if end <= len(latex) and rest in ("", ".", ",") else None


def _define(source: str, macros: Macros) -> str:
    """Return the LaTeX without its definitions of commands, and add these to `macros`."""
    done = 0
    text = ""
    while match := _DEFINITION.search(source, done):
        body, end = _argument(source, match.end())
        if end > len(source):
            break
        if match[5]:
            body = rf"\operatorname{match[4]}{{{body}}}"
        macros[match[1] or match[3] or match[5]] = (int(match[2] or 0), body)
        text += source[done : match.start()]
        done = end
    return text + source[done:]


def _expand(source: str, macros: Macros) -> str:
    """Return the LaTeX with its macros expanded, or as it is if they have no end."""
    latex = source
    start = 0
    left = MOST_READ
    while match := _COMMAND.search(latex, start):
        start = match.end()
        if match[1] not in macros:
            continue
        count, body = macros[match[1]]
        for number in range(1, count + 1):
            while latex[start : start + 1].isspace():
                start += 1
            argument, start = _argument(latex, start)
            body = body.replace(f"#{number}", argument)
        left -= start - match.start()
        latex = f"{latex[: match.start()]}{{{body}}}{latex[start:]}"
        if left < 0 or len(latex) > LONGEST:
            return source
        start = match.start()
    return latex


def _argument(text: str, start: int) -> tuple[str, int]:
    """Return the argument that starts here, which is a single token or what braces hold, and its end.

    If the braces do not close, the end is behind that of the text.
    """
    if text[start : start + 1] != "{":
        token = _TOKEN.match(text, start)
        return (token[0], token.end()) if token else ("", start)
    depth = 1
    for brace in _BRACE.finditer(text, start + 1):
        depth += 1 if brace[0] == "{" else -1
        if not depth:
            return text[start + 1 : brace.start()], brace.end()
    return text[start + 1 :], len(text) + 1


def to_typst(formulas: Iterable[Formula]) -> dict[Formula, str]:
    """Return Typst's math, without its dollars, for each formula that pandoc can convert."""
    unique = list(dict.fromkeys(formulas))
    if not unique:
        return {}
    blocks = [_paragraph({"t": "Str", "c": "nbtypst0x"})]
    for number, one in enumerate(unique, 1):
        blocks.append(_math(one.latex))
        blocks.append(_paragraph({"t": "Str", "c": f"nbtypst{number}x"}))
    text = pandoc(_document(blocks), "-f", "json", "-t", "typst", "--quiet")
    done = {}
    for one, piece in zip(unique, re.split(r"nbtypst\d+x", text)[1:-1], strict=True):
        match = re.fullmatch(r"\s*\$(.*)\$\s*", piece, re.S)
        if match:
            bare = re.sub(r'"(?:[^"\\]|\\.)*"|\\.', "", match[1], flags=re.S)
            if "$" not in bare and not _FORBIDDEN.search(bare):
                done[one] = match[1].replace("\n", " ").strip()
    return done


def unreadable(formulas: Iterable[Formula]) -> set[str]:
    """Return the LaTeX that pandoc cannot read."""
    blocks = [_math(one.latex) for one in dict.fromkeys(formulas)]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log.json"
        pandoc(_document(blocks), "-f", "json", "-t", "typst", f"--log={log}", "--quiet")
        notes = json.loads(log.read_text(encoding="utf-8")) if log.exists() else []
    return {note["contents"] for note in notes if note.get("type") == "CouldNotConvertTeXMath"}


def _math(latex: str) -> dict[str, Any]:
    return _paragraph({"t": "Math", "c": [{"t": "InlineMath"}, latex]})


def _paragraph(inline: dict[str, Any]) -> dict[str, Any]:
    return {"t": "Para", "c": [inline]}


def _document(blocks: list[Any]) -> str:
    return json.dumps({"pandoc-api-version": [1, 23, 1], "meta": {}, "blocks": blocks})
