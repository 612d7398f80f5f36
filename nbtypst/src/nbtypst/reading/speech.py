"""LaTeX math read aloud, in the subset that converts rightly."""

import re
from functools import cache

from nbtypst.reading.names import names

_NAMES = names("speech.ini")
_CHARACTERS = _NAMES["characters"] | dict.fromkeys(_NAMES["silent characters"], "")
_COMMANDS = _NAMES["commands"] | dict.fromkeys([" ", *_NAMES["silent commands"]], "")
_AFTER = _NAMES["after"] | {"boxed": ""}
_BEFORE = _NAMES["before"]
_WITH_LIMITS = ("int", "lim", "max", "min", "prod", "sum")
_ENVIRONMENTS = ("aligned", "cases", "pmatrix", "bmatrix")
_CASES = {"begin": "cases:", "end": "end cases"}
_STRETCHED = ("(", ")", "[", "]", r"\{", r"\}", "|", r"\|", ".")
_TOKEN = re.compile(
    r"\\(?:begin|end|text|mathrm|operatorname\*?)\s*\{[^{}]*\}|\\[a-zA-Z]+|\\.|\d+(?:\.\d+)?|\S", re.S
)
_BRACED = re.compile(r"\\(begin|end|text|mathrm|operatorname\*?)\s*\{(.*)\}", re.S)


@cache
def read_aloud(latex: str) -> str:
    """Return LaTeX math in words, or its source if a command has no words here."""
    if unspoken(latex):
        return "LaTeX: " + " ".join(latex.split())
    return speak(latex)


def unspoken(latex: str) -> str:
    """Return why LaTeX math cannot be read in words; "" if it can."""
    try:
        return "" if speak(latex) else f"there are no words for {latex}"
    except (ValueError, RecursionError) as error:
        return str(error)


def speak(latex: str) -> str:
    """Return LaTeX math in words; raise ValueError for a command outside the subset."""
    words = re.sub(r"\s+([,;.])", r"\1", _Reader(latex).sequence(""))
    return re.sub(r",(?=[,;.])", "", words).strip(" ,;.")


class _Reader:
    """A reader of one formula; the next token is the last of its list, whose first, "", is the end."""

    def __init__(self, latex: str) -> None:
        self.latex = latex
        # each of two digits is an argument
        braced = re.sub(r"(frac|binom)\s*(\d)\s*(\d)", r"\1{\2}{\3}", latex)
        self.tokens = ["", *_TOKEN.findall(braced)[::-1]]

    def sequence(self, end: str) -> str:
        """Read up to the token `end`, or all that is left for ""."""
        words = []
        while self.tokens[-1] not in (end, ""):
            if self.tokens[-1] in ("_", "^"):
                words.append(self.script(self.tokens.pop()))
            else:
                words.append(self.atom())
        if self.tokens.pop() != end:
            raise ValueError(f"LaTeX lacks a closing brace: {self.latex}")
        return " ".join(" ".join(words).split())

    def script(self, mark: str) -> str:
        """Read what stands below or above the line."""
        part = " ".join(self.atom().split())
        if mark == "_":
            return f"sub {self.ended(part, 'sub')}"
        if part in _NAMES["powers"]:
            return _NAMES["powers"][part]
        if part.startswith("open paren"):
            return f"superscript {part}"
        return f"to the {self.ended(part, 'exponent')}"

    def ended(self, part: str, name: str) -> str:
        """Return a part of the formula with its end in words, if it could seem to go on in what follows."""
        return f"{part} end {name}" if " " in part and self.tokens[-1] else part

    def atom(self) -> str:
        """Read a character, a group in braces, or a command with its arguments."""
        token = self.tokens.pop()
        if not token:
            raise ValueError(f"Unfinished LaTeX, an argument is missing at the end of: {self.latex}")
        if token == "{":
            return self.sequence("}")
        if not token.startswith("\\"):
            return _CHARACTERS.get(token, token)
        braced = _BRACED.match(token)
        return self.braced(braced[1], braced[2]) if braced else self.command(token[1:])

    def braced(self, kind: str, content: str) -> str:
        """Read upright text, or the beginning or the end of an environment."""
        if kind not in _CASES:
            return content.replace(r"\,", " ").replace("\\", "")
        if content not in _ENVIRONMENTS:
            raise ValueError(f"LaTeX environment {content!r} is not one of {_ENVIRONMENTS}: {self.latex}")
        return _CASES[kind] if content == "cases" else ""

    def command(self, name: str) -> str:
        """Read a command with its arguments."""
        if name in _NAMES["pairs"]:
            return self.pair(*_NAMES["pairs"][name].split())
        if name == "sqrt" and self.tokens[-1] == "[":
            self.tokens.pop()
            return f"the root of order {self.sequence(']')} of {self.ended(self.atom(), 'root')}"
        if name in _AFTER:
            return f"{self.atom()} {_AFTER[name]}"
        if name in _BEFORE:
            words, _, end = _BEFORE[name].partition(" ... ")
            part = self.atom()
            return f"{words} {self.ended(part, end) if end else part}"
        if name in ("left", "right"):
            if self.tokens[-1] not in _STRETCHED:
                raise ValueError(f"Only brackets stretch rightly after \\{name}: {self.latex}")
            if self.tokens[-1] == ".":
                self.tokens.pop()
        if name not in _COMMANDS:
            raise ValueError(
                f"LaTeX command \\{name} is not known to convert rightly; write it with a supported one, "
                "or, once its Typst output has been looked at, add it to the words in "
                f"nbtypst/reading/speech.ini. Found in: {self.latex}"
            )
        return _COMMANDS[name] + self.limits() if name in _WITH_LIMITS else _COMMANDS[name]

    def pair(self, kind: str, between: str) -> str:
        """Read what stands above and what stands below, as in a fraction."""
        top = self.atom()
        bottom = self.atom()
        if max(len(top.split()), len(bottom.split())) <= 2:
            return f"{top} {between} {bottom}"
        return f"the {kind} {top} {between} {bottom}, end {kind},"

    def limits(self) -> str:
        """Read the limits of a sum and the like, of which there may be none."""
        limits = {"_": "", "^": ""}
        while self.tokens[-1] in limits:
            side = self.tokens.pop()
            limits[side] = self.atom()
        below = limits["_"].replace(" equals ", " from ", 1)
        return (below and f" over {below}") + (limits["^"] and f" to {limits['^']}") + " of"
