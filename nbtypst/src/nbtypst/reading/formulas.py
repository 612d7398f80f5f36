"""LaTeX math as a notebook has it, made ready for pandoc, and pandoc's Typst for it."""

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from pandocfilters import Math, Para, Str

from nbtypst.reading.markdown import Match, printable, replaced, written
from nbtypst.reading.names import names

TAG = re.compile(r"\s*\\tag\*?\s*\{([^{}]*)\}")
_LABEL = re.compile(r"\\label\s*\{([^{}]*)\}")
_LABELLED = re.compile(rf"{_LABEL.pattern}(.*?)(?=(?:\\end\{{[^{{}}]*\}}\s*)?\Z)", re.S)
_NUMBERED = r"\2\\qquad \\eqref{\1}"
_MATH = re.compile(r"\$(?:[^$#]|#(?:scale|box|hide|h|none)\b)*\$")  # of no code but what pandoc writes
_COMMAND = re.compile(r"\\(?:([A-Za-z]+)|.)", re.S)
_BRACE = re.compile(r"(?<!\\)[{}]")
_TOKEN = re.compile(r"\\[A-Za-z]+|\\?.|", re.S)
_PART = re.compile(
    r"\\(?:left|right|begin|end)(?![A-Za-z])\s*(?:\{[^{}]*\}|\\[A-Za-z]+|\\?.)|\\[A-Za-z]+|\\?.", re.S
)
_OPENING = re.compile(r"\{|\\(?:left|begin)(?![A-Za-z])")
_CLOSING = re.compile(r"\}|\\(?:right|end)(?![A-Za-z])")
_DEFINITION = re.compile(
    r"\\((?:re|provide)?newcommand|[egx]?def|DeclareMathOperator|DeclarePairedDelimiter|let)(?![A-Za-z])(\*?)"
    r"\s*\{?\s*\\([A-Za-z]+)\s*\}?\s*(?:\[(\d)\]\s*(?:\[([^]]*)\])?|((?:#\d)*))\s*=?\s*"
)
_INNERMOST = re.compile(r"\\begin\{([^{}]*)\}(?:(?!\\begin).)*?\\end\{\1\}", re.S)
_NAMES = names("math.ini")
_SWITCHES = _NAMES["switches"]
_SWITCH = re.compile(rf"(?<!(?<!\\)\\)\\({'|'.join([*_SWITCHES, 'atop', 'over'])})(?![A-Za-z])\s*")
_INFIX = {
    "atop": r"\begin{matrix}%s\\%s\end{matrix}",
    "limit": r"\substack{%s\\%s}",  # where it is all of a limit
    "over": r"\frac{%s}{%s}",
}
_SPACE = (
    r"\\(?:[hm](?:skip|space)|m?kern)\*?\s*(\{)?\s*(-?(?>\d+\.?\d*|\.\d+))\s*"
    rf"({'|'.join(_NAMES['ems'])})\s*(?(1)\}})"
)
# What pandoc cannot read or gets wrong, and what it reads rightly, in the order in which they are replaced.
_PLAIN: dict[str, Any] = {
    r"\\begin\{(equation|displaymath|math)(\*?)\}(.*?)\\end\{\1\2\}": r"\3",
    r"\\(?:label|cite)\s*\{[^{}]*\}|\\(?:nonumber|notag|displaystyle|limits)(?![A-Za-z])": "",
    r"\\begin\{(\w*matrix)\*\}\s*\[\w\]": r"\\begin{\1*}",
    r"\\(begin|end)\{(\w+)\*?\}": lambda m: rf"\{m[1]}{{{_NAMES['environments'].get(m[2], m[2])}}}",
    r"\\begin\{subarray\}\s*\{\w\}(.*?)\\end\{subarray\}": r"\\substack{\1}",
    r"\\begin\{rcases\}(.*?)\\end\{rcases\}": r"\\left.\\begin{matrix}\1\\end{matrix}\\right\\}",
    r"(\\\\\s*)+(?=\\end\{)": "",
    r"\\begin\{vmatrix\}(.*?)\\end\{vmatrix\}": r"\\left|\\begin{matrix}\1\\end{matrix}\\right|",
    r"\\begin\{Vmatrix\}(.*?)\\end\{Vmatrix\}": r"\\left\\|\\begin{matrix}\1\\end{matrix}\\right\\|",
    # pandoc loses the gap between the columns of cases
    r"\\begin\{cases\}.*?\\end\{cases\}": lambda m: re.sub(r"(?<!\\)&", r"&\\quad ", m[0]),
    r"\\(rm|bf|it|cal|sf|tt)\b\s*(?=\{)": r"\\math\1",
    r"\\[bB]igg?[lr]?\s*\.": "",
    r"\\([bB]igg?)m\s*(\\?[^\w\s\\]|\\[A-Za-z]+)": r"\\,\\\1\2\\,",
    r"\\[;:>]": r"\\,",  # pandoc makes nothing of them
    r"\\!": "",
    _SPACE: lambda m: rf"\hspace{{{round(float(m[2]) * float(_NAMES['ems'][m[3]]), 3)}em}}",
    r"(\\operatorname\*?\s*\{[^{}]*)\\hspace\{[^{}]*\}": r"\1\\,",
    r"\\(?:raise|lower|move(?:left|right))\s*\{?-?[\d.]+\s*[a-z]{2}\}?": "",
    r"\\rule\s*(?:\[.*?\]\s*)?(?:\{0.*?\}\s*\{.*?\}|\{.*?\}\s*\{0.*?\})": "",
    r"\\rule\s*(?:\[.*?\]\s*)?\{.*?\}\s*\{.*?\}": r"\\blacksquare ",
    r"\\unicode\s*(?:\[.*?\]\s*)?\{\s*([xX]?)([\da-fA-F]{1,5})\s*\}": lambda m: _character(m[2], m[1]),
    r"\\root\s*(.*?)\\of(?![A-Za-z])": r"\\sqrt[\1]",
    r"\\above\s*-?[\d.]+\s*[a-z]{2}": r"\\over ",
    r"\\buildrel\s*(.*?)\\over(?![A-Za-z])": r"\\overset{\1}",
    r"\\verb([^\w\s])(.*?)\1": r"\\texttt{\2}",
    r"\n\s*\n": "\n",
}
_NEXT = "\ufdd5"  # before each formula that pandoc converts: no formula has it
MOST_SWITCHES = 200  # of a formula
LONGEST = 5_000  # characters of a formula with its macros expanded
MOST_READ = 200_000  # characters of the calls of macros in it, each of which counts as so many more:
CALL = 40


class Macro(NamedTuple):
    """A command that LaTeX defines."""

    arguments: int
    body: str
    first: str | None = None  # the first argument where it is left out, if it may be


Macros = dict[str, Macro]


def _own(words: str) -> Macro:
    """Return a macro of math.ini."""
    bracket, count, body = re.fullmatch(r"(\[?)(\d) ?(.*)", words).groups()  # type: ignore[union-attr]
    return Macro(int(count), f" {body} ", "" if bracket else None)


_OWN = {name: _own(words) for name, words in _NAMES["macros"].items()}
_BOX = {"boxed": Macro(1, r"\left|\overline{\underline{#1}}\right|")}  # around a part of a formula
# In Typst alone, by signs as those of `_SIGNED`: pandoc would set these words beside the letter
_BRACES = {
    "boxed": Macro(1, "\\overbrace{\ue000#1}^{}"),
    "overset": Macro(2, "\\overbrace{\ue000#2}^{#1}"),
    "stackrel": Macro(2, "\\overbrace{\ue000#2}^{#1}"),
    "underset": Macro(2, "\\underbrace{\ue000#2}_{#1}"),
}


class Formula(NamedTuple):
    """A formula, the content of a Math node: like pandoc's, its kind and its LaTeX are the first two fields.

    The LaTeX is without the box and the number that a formula may have.
    """

    display: bool  # whether the formula stands alone
    latex: str
    boxed: bool = False
    tag: str = ""  # the number
    labels: tuple[tuple[str, str], ...] = ()  # each with the number that stands in its line
    tags: tuple[str, ...] = ()  # the numbers of all its lines

    @property
    def name(self) -> str:
        """Return the target of mentions, such as eq-3; "" without a number."""
        return f"eq-{self.tag.lower()}" if self.tag else ""


def formula(display: bool, source: str, macros: Macros) -> Formula:
    """Return LaTeX as a formula that pandoc converts rightly, and add its definitions to `macros`."""
    latex = _expand(_define(source, macros), _OWN | macros)
    tags = tuple(map(str.strip, TAG.findall(latex)))
    labels = []
    lines = latex.split(r"\\")
    for line in lines:
        numbers = [*TAG.findall(line), ""]
        labels += [(label, numbers[0].strip()) for label in _LABEL.findall(line)]
    several = display and len(labels) > 1
    if several:  # the number of each in its line
        latex = r"\\".join(line if TAG.search(line) else _LABELLED.sub(_NUMBERED, line) for line in lines)
    numbered = display and len(tags) == 1 and not several
    tag = tags[0] if numbered else ""
    latex = TAG.sub("" if numbered else r"\\qquad (\1)", latex)
    if "eqnarray" in latex:
        latex = re.sub(r"&((?:[^&\\]|\\[A-Za-z])*)&", r"&\1", latex)
    latex = _regrouped(replaced(latex, _PLAIN)).strip()
    inside = _unboxed(latex) if display else latex
    boxed = inside != latex
    if r"\\" in _outside(inside):
        inside = rf"\begin{{aligned}}{inside}\end{{aligned}}"
    return Formula(display, inside, boxed, tag, tuple(labels), tags)


def _unboxed(latex: str) -> str:
    """Return a formula without the box that all of it but a full stop or comma is in, if there is one."""
    box = re.match(r"\\boxed\s*(?=\{)", latex)
    if not box:
        return latex
    inside, end = _argument(latex, box.end())
    rest = latex[end:].strip()
    return inside + rest if end <= len(latex) and rest in ("", ".", ",") else latex


def _define(source: str, macros: Macros) -> str:
    """Return the LaTeX without its definitions of commands, and add these to `macros`."""
    done = 0
    text = ""
    while match := _DEFINITION.search(source, done):
        kind, star, name, count, _, signs = match.groups("")
        body, end = _argument(source, match.end())
        alone = _COMMAND.fullmatch(body.strip())  # which may wait for an argument
        macro = Macro(int(count or len(signs) // 2), alone[0] if alone else f"{{{body}}}", match[5])
        match kind:
            case "DeclareMathOperator":
                macro = Macro(0, rf"{{\operatorname{star}{{{body}}}}}")
            case "DeclarePairedDelimiter":
                right, end = _argument(source, end)
                macro = Macro(1, rf"{{\left{body} #1 \right{right}}}")
            case "let":
                macro = macros.get(body[1:], macro)
        if end > len(source):
            break
        macros[name] = macro
        text += source[done : match.start()]
        done = end
    return text + source[done:]


def _expand(source: str, macros: Macros) -> str:
    """Return the LaTeX with macros expanded, or as it is if they have no end."""
    latex = source
    start = 0
    left = MOST_READ
    while match := _COMMAND.search(latex, start):
        start = match.end()
        macro = macros.get(match[1])
        if not macro:
            continue
        body = re.sub(r"\\[A-Za-z]+(?=#)", r"\g<0> ", macro.body)
        for number in range(1, macro.arguments + 1):
            while latex[start : start + 1].isspace():
                start += 1
            argument = macro.first or ""
            optional = number == 1 and macro.first is not None
            bracket = re.compile(r"\[([^]]*)\]").match(latex, start) if optional else None
            if bracket:
                argument = bracket[1]
                start = bracket.end()
            elif not optional:
                argument, start = _argument(latex, start)
            body = body.replace(f"#{number}", argument)
        left -= CALL + start - match.start()
        latex = f"{latex[: match.start()]}{body}{latex[start:]}"
        if left < 0 or len(latex) > LONGEST:
            return source
        start = match.start()
    return latex


def _regrouped(latex: str) -> str:
    r"""Return LaTeX in which what rules the rest of its group, as \over and \bf do, takes arguments."""
    for _ in range(MOST_SWITCHES):
        found = _SWITCH.search(latex)
        if not found:
            return latex
        before = _PART.findall(latex[: found.start()])
        after = _PART.findall(latex[found.end() :])
        end = _reach(after, 1)
        inner = "".join(after[:end])
        begin = len(before)
        if found[1] in _INFIX:
            begin -= _reach(before[::-1], -1)
            limit = found[1] == "atop" and "".join(before[:begin]).endswith(("_{", "^{"))
            inner = _INFIX["limit" if limit else found[1]] % ("".join(before[begin:]), inner)
        else:
            inner = rf"\{_SWITCHES[found[1]]}{{{inner}}}"
        latex = "".join([*before[:begin], inner, *after[end:]])
    return latex


def _reach(parts: list[str], way: int) -> int:
    """Return how many parts there are up to the end of the group, the cell or the line that they begin in.

    `way` is 1 for parts from left to right, -1 for parts from right to left.
    """
    depth = 0
    for number, part in enumerate(parts):
        depth += way * (bool(_OPENING.match(part)) - bool(_CLOSING.match(part)))
        if depth < 0 or (not depth and part in ("&", r"\\")):
            return number
    return len(parts)


def _character(digits: str, hexadecimal: str) -> str:
    """Return the character of a number, "" if a page cannot hold it."""
    code = int(digits, 16) if hexadecimal or not digits.isdigit() else int(digits)
    return printable(chr(code))


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
    blocks = []
    for one in unique:
        latex = _expand(replaced(one.latex, _SIGNED), _BRACES)
        blocks += [Para([Str(_NEXT)]), Para([Math({"t": "InlineMath"}, latex)])]
    _, *converted = written(blocks, "typst").split(_NEXT)
    done = {}
    for one, math in zip(unique, map(str.strip, converted), strict=True):
        bare = re.sub(r'"(?:[^"\\]|\\.)*"|\\.', "", math, flags=re.S)
        if _MATH.fullmatch(bare):
            done[one] = replaced(math[1:-1].replace("\n", " ").strip(), _UNSIGNED)
    return done


def _outside(latex: str) -> str:
    """Return what of LaTeX is in no environment."""
    rest = re.sub(r"\\substack\{.*?\}", "", latex, flags=re.S)
    found = 1
    while found:  # the innermost first
        rest, found = _INNERMOST.subn("", rest)
    return rest


def _system(found: Match) -> str:
    """Return a system of equations as a matrix; pandoc sets its brace before the first line alone."""
    body = found[2]
    if found[1] == "array":
        body = re.sub(r"\A\s*(?:\[\w\]\s*)?\{(?:[^{}]|\{[^{}]*\})*\}", "", body)
    else:
        body = re.sub(r"(?<!\\)&", "\ue002 ", body)
    return f"\\begin{{pmatrix}}\ue001 {body}\\end{{pmatrix}}"


def _apart(found: Match) -> str:
    """Return aligned equations that stand side by side with the gaps between them, which pandoc loses."""
    lines = found[0].split(r"\\")
    for number, line in enumerate(lines):
        first, *rest = re.split(r"(?<!\\)&", line)
        rest[:-1:2] = [rf"{cell}\qquad " for cell in rest[:-1:2]]
        lines[number] = "&".join([first, *rest])
    return r"\\".join(lines)


def _sized(found: Match) -> str:
    """Return a delimiter of a size of its own, which pandoc scales as text, the names of signs too."""
    sign = {"{": r"\{", "}": r"\}", "parallel": "‖"}.get(found[2], found[2])
    made = f"stretch({sign}, size: #{found[1]})"
    return f'class("normal", {made})' if sign in (r"\|", "‖") else made


# Signs by which `_UNSIGNED` knows what pandoc has no Typst for, in the order in which they are set.
_SIGNED: dict[str, Any] = {
    r"(?<!\\)((?:\\\\)*)\\&": "\\1\ue003",
    # a system of equations, with one brace before all
    r"\\left\\\{\s*\\begin\{(aligned|array|gathered)\}((?:(?!\\begin\{\1\}).)*?)\\end\{\1\}\s*\\right\s*\.": (
        _system
    ),
    r"\\begin\{aligned\}(?:(?!\\begin).)*?\\end\{aligned\}": _apart,
    # a matrix without bars around it
    r"(?<!\\left\|)(?<!\\left\\\|)\\begin\{((?:small)?matrix)\}((?:(?!\\begin).)*?)\\end\{\1\}": (
        "\\\\begin{pmatrix}\ue000 \\2\\\\end{pmatrix}"
    ),
    # an array, by the first letter of its columns
    r"\\begin\{array\}\s*(?:\[\w\]\s*)?\{l(?:[^{}]|\{[^{}]*\})*\}": "\\\\begin{pmatrix}\ue005 ",
    r"\\begin\{array\}\s*(?:\[\w\]\s*)?\{(?:[^{}]|\{[^{}]*\})*\}": "\\\\begin{pmatrix}\ue000 ",
    r"\\end\{array\}": r"\\end{pmatrix}",
    # pandoc sets cases in their brace if their first line has two columns
    r"(\\begin\{cases\}(?:(?!\\\\|\\begin)[^&])*)(?=\\\\)": r"\1&",
    r"\\left\s*\.": "\\\\left|\ue004 ",
    r"\\operatorname\*\s*\{": "\\g<0>\ue006",
    r"\\hspace\{(-?[\d.]+)em\}": "\\\\operatorname{\ue007\\1}",  # pandoc rounds it
    # the bars of a norm, which pandoc takes for a sign between two things
    r"(?<!\\)((?:\\\\)*)(?<!matrix\}\\right)(?:\\\|(?!\\begin)|(?<=left)\\lVert|(?<=right)\\rVert)": (
        r"\1\\Vert "
    ),
}
# pandoc's Typst, and how this version of Typst reads it
_UNSIGNED: dict[str, Any] = {
    '"\\(", \ue000': "#none, ",
    "vec\\(\ue000": "vec(delim: #none, ",
    r'"\|\|"': '"‖"',
    '"\\(", \ue001': '#("{", none), align: #left, column-gap: #1em, ',
    "vec\\(\ue001": "nb.system(",
    "\ue002": "&",
    "\ue003": r"\\u{26}",
    "\\\\\\|\ue004 ": "",
    "\\|\ue004 ": "",
    '"\\(", \ue005': "#none, align: #left, column-gap: #1em, ",
    "vec\\(\ue005": "vec(delim: #none, align: #left, ",
    r"bar\.v\.double": "‖",
    r"#scale\(x: (\d+%), y: \1\)\[(\\.|[^\\\]]+)\]": _sized,
    "(over|under)brace\\(\ue000 ?": r"nb.\1(",
    "[√∛∜]": r"\\\g<0>",  # else the root of what follows
    '"\ue006([^"]*)"': r'op("\1", limits: #true)',
    '"\ue007(-?[\\d.]+)"': r"#h(\1em)",
    r"(?<![\\ ]) +(?=\\\||‖)": "",  # a space beside a bar is seen
    r"(\\\||‖) +": r"\1",
    r'"(?:[^"\\]|\\.)*"|\\.|[A-Za-z][A-Za-z.]*[A-Za-z]': lambda m: _NAMES["typst"].get(m[0], m[0]),
}


def framed(latex: str) -> str:
    """Return LaTeX with lines around its boxes, which pandoc cannot read."""
    return _expand(latex, _BOX)
