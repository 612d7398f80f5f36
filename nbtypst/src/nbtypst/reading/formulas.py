"""LaTeX math as a notebook has it, made ready for pandoc, and pandoc's Typst for it."""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nbtypst.reading.markdown import pandoc

TAG = re.compile(r"\s*\\tag\*?\s*\{([^{}]*)\}")
_OUTER = re.compile(r"\\begin\{(equation|displaymath|math)(\*?)\}(.*?)\\end\{\1\2\}", re.S)
_INNER = {
    "align": "aligned",
    "gather": "gathered",
    "multline": "gathered",
    "split": "aligned",
    "flalign": "aligned",
}
_FONTS = {"rm": "mathrm", "bf": "mathbf", "it": "mathit", "cal": "mathcal", "sf": "mathsf", "tt": "mathtt"}
_FORBIDDEN = re.compile(r"#(?!(?:scale|box|hide|h)\b)")  # code in pandoc's Typst other than what it writes
_MACRO = re.compile(
    r"\\(?:re|provide)?newcommand\*?\s*\{?\\([A-Za-z]+)\}?\s*(?:\[(\d)\])?\s*(?=\{)"
    r"|\\def\s*\\([A-Za-z]+)\s*(?=\{)"
    r"|\\DeclareMathOperator(\*?)\s*\{\\([A-Za-z]+)\}\s*(?=\{)"
)
MOST = 20_000  # characters of a formula with its macros expanded


@dataclass(frozen=True)
class Formula:
    """A formula: whether it stands alone, whether in a box, its number or "", and its LaTeX without those."""

    display: bool
    boxed: bool
    tag: str
    latex: str


def formula(display: bool, source: str, macros: dict[str, tuple[int, str]]) -> Formula:
    """A notebook's LaTeX as a formula that pandoc converts rightly; it adds the macros that it defines."""
    latex = _expand(define(source, macros), macros)
    tags = TAG.findall(latex) if display else []
    if len(tags) == 1:
        latex = TAG.sub("", latex)
    else:
        latex, tags = TAG.sub(r"\\qquad (\1)", latex), []
    latex = _plain(latex).strip()
    box = re.match(r"\\boxed\s*(?=\{)", latex) if display else None
    inside, end = _braced(latex, box.end()) if box else ("", 0)
    boxed = 0 < end <= len(latex) and bool(re.fullmatch(r"\s*[.,]?", latex[end:]))
    latex = inside + latex[end:].strip() if boxed else latex
    if display and re.search(r"\\\\", re.sub(r"\\begin\{(.*?)\}.*\\end\{\1\}", "", latex, flags=re.S)):
        latex = rf"\begin{{aligned}}{latex}\end{{aligned}}"
    return Formula(display, boxed, tags[0].strip() if tags else "", latex)


def untagged(formula: Formula) -> Formula:
    """The formula with its number as a part of it, for one whose number another has."""
    return replace(formula, tag="", latex=rf"{formula.latex} \qquad \text{{({formula.tag})}}")


def _plain(latex: str) -> str:
    """LaTeX without what pandoc cannot read or gets wrong."""
    latex = _OUTER.sub(r"\3", latex)
    latex = re.sub(
        r"\\(?:label|cite|eqref|ref)\s*\{[^{}]*\}|\\(?:nonumber|notag|displaystyle|limits)\b", "", latex
    )
    latex = (
        re.sub(r"\\(begin|end)\{eqnarray\*?\}", r"\\\1{aligned}", latex.replace("&=&", "&="))
        if "eqnarray" in (latex)
        else latex
    )
    for name, inner in _INNER.items():
        latex = re.sub(rf"\\(begin|end)\{{{name}\*?\}}", rf"\\\1{{{inner}}}", latex)
    latex = re.sub(
        r"\\begin\{vmatrix\}(.*?)\\end\{vmatrix\}",
        r"\\left|\\begin{matrix}\1\\end{matrix}\\right|",
        latex,
        flags=re.S,
    )
    latex = re.sub(
        r"\\begin\{Vmatrix\}(.*?)\\end\{Vmatrix\}",
        r"\\left\\|\\begin{matrix}\1\\end{matrix}\\right\\|",
        latex,
        flags=re.S,
    )
    latex = re.sub(  # pandoc loses the gap between the columns of cases
        r"\\begin\{cases\}.*?\\end\{cases\}",
        lambda m: re.sub(r"(?<!\\)&", r"&\\quad ", m[0]),
        latex,
        flags=re.S,
    )
    latex = re.sub(
        r"\{\s*\\(rm|bf|it|cal|sf|tt)\b\s*([^{}]*)\}", lambda m: f"\\{_FONTS[m[1]]}{{{m[2]}}}", latex
    )
    latex = re.sub(r"\\(rm|bf|it|cal|sf|tt)\b\s*(?=\{)", lambda m: f"\\{_FONTS[m[1]]}", latex)
    latex = re.sub(r"\\mathop\s*(?=\{|\\math)", "", latex)
    latex = re.sub(r"\\[;:>]", r"\\,", latex)  # pandoc makes nothing of them
    latex = latex.replace(r"\!", "").replace(r"\odot", "⊙").replace(r"\bm{", r"\mathbf{")
    return re.sub(r"\n\s*\n", "\n", latex)


def define(source: str, macros: dict[str, tuple[int, str]]) -> str:
    """The LaTeX without its definitions of commands, which go into `macros`."""
    done, text = 0, ""
    while match := _MACRO.search(source, done):
        body, end = _braced(source, match.end())
        if end > len(source):
            break
        if match[5]:
            body = rf"\operatorname{match[4]}{{{body}}}"
        macros[match[1] or match[3] or match[5]] = (int(match[2] or 0), body)
        text += source[done : match.start()]
        done = end
    return text + source[done:]


def _expand(latex: str, macros: dict[str, tuple[int, str]]) -> str:
    for _ in range(10):  # macros of macros, but not without end
        match = (
            re.search(r"\\(" + "|".join(map(re.escape, macros)) + r")(?![A-Za-z])", latex) if macros else None
        )
        count = 0
        while match and count < 200 and len(latex) < MOST:
            number, body = macros[match[1]]
            end = match.end()
            for i in range(number):
                while latex[end : end + 1].isspace():
                    end += 1
                argument, end = _braced(latex, end)
                body = body.replace(f"#{i + 1}", argument)
            latex = latex[: match.start()] + f"{{{body}}}" + latex[end:]
            start = match.start() + len(body) + 2
            match = re.compile(match.re.pattern).search(latex, start)
            count += 1
        if not count:
            break
    return latex


def _braced(text: str, start: int) -> tuple[str, int]:
    """The argument that starts here: what its braces hold or a single token; and where it ends.

    One whose braces do not close ends after the text.
    """
    if text[start : start + 1] != "{":
        token = re.compile(r"\\[A-Za-z]+|\\?.|", re.S).match(text, start)
        return (token[0], token.end()) if token else ("", start)
    depth = 0
    for end in range(start, len(text)):
        escaped = text[end - 1 : end] == "\\"
        depth += 0 if escaped else {"{": 1, "}": -1}.get(text[end], 0)
        if not depth:
            return text[start + 1 : end], end + 1
    return text[start + 1 :], len(text) + 1


def to_typst(formulas: list[Formula]) -> dict[Formula, str]:
    """Typst's math for each formula that pandoc can convert, between dollars."""
    good = list(dict.fromkeys(formulas))
    if not good:
        return {}
    marks = [f"nbtypst{i}x" for i in range(len(good) + 1)]
    blocks: list[Any] = [{"t": "Para", "c": [{"t": "Str", "c": marks[0]}]}]
    for one, mark in zip(good, marks[1:], strict=True):
        math = {"t": "Math", "c": [{"t": "InlineMath"}, one.latex]}
        blocks += [{"t": "Para", "c": [math]}, {"t": "Para", "c": [{"t": "Str", "c": mark}]}]
    text = pandoc(_document(blocks), "-f", "json", "-t", "typst", "--quiet")
    pieces = [piece.strip() for piece in re.split(r"nbtypst\d+x", text)[1:-1]]
    done = {}
    for one, piece in zip(good, pieces, strict=True):
        match = re.fullmatch(r"\$(.*)\$", piece, re.S)
        bare = re.sub(r'"(?:[^"\\]|\\.)*"|\\.', "", match[1], flags=re.S) if match else "$"
        if match and "$" not in bare and not _FORBIDDEN.search(bare):
            done[one] = " ".join(match[1].split("\n")).strip()
    return done


def unreadable(formulas: list[Formula]) -> set[str]:
    """The LaTeX that pandoc cannot read."""
    blocks = [{"t": "Para", "c": [{"t": "Math", "c": [{"t": "InlineMath"}, one.latex]}]} for one in formulas]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log.json"
        pandoc(_document(blocks), "-f", "json", "-t", "typst", f"--log={log}", "--quiet")
        notes = json.loads(log.read_text(encoding="utf-8")) if log.exists() else []
    return {note["contents"] for note in notes if note.get("type") == "CouldNotConvertTeXMath"}


def _document(blocks: list[Any]) -> str:
    return json.dumps({"pandoc-api-version": [1, 23, 1], "meta": {}, "blocks": blocks})
