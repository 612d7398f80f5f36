"""LaTeX math read aloud, in the subset that converts rightly."""

import re
from functools import cache

# The LaTeX commands that convert rightly: those read as they are written, in other words, and as silence.
_SAME = """alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau
upsilon phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega exp sin cos tan tanh max min
det dim sup inf log partial nabla prime ell in to implies times"""
_WORDED = """varepsilon: epsilon; varphi: phi; ln: natural log; lim: limit; infty: infinity; top:
transpose; circ: circle; le: is at most; leq: is at most; ge: is at least; geq: is at least; ne: is not
equal to; neq: is not equal to; approx: is approximately; sim: is distributed as; equiv: is identical to;
propto: is proportional to; ll: is much less than; gg: is much greater than; notin: not in; subset: is a
subset of; cup: union; forall: for all; exists: there exists; mid: given; rightarrow:
right arrow; leftarrow: left arrow; mapsto: maps to; Rightarrow: implies; iff: if and only if; cdot:
times; pm: plus or minus; dots: and so on; ldots: and so on; cdots: and so on; vdots: and so on; lVert:
the norm of; rVert: end norm; sum: the sum; prod:
the product; int: the integral; {: open brace; }: close brace; %: percent; _: underscore; #: number"""
_SILENT = [",", " ", "quad", "qquad", "left", "right", "bigl", "bigr", "Bigl", "Bigr"]
_WORDS = {name: name for name in _SAME.split()} | dict.fromkeys(_SILENT, "") | {"\\": ";"}
_WORDS |= {name: " ".join(words.split()) for name, words in re.findall(r"(\S+):\s([^;]+)", _WORDED)}
_AFTER = {"hat": "hat", "bar": "bar", "tilde": "tilde", "vec": "vector", "dot": "dot", "boxed": ""}
_BEFORE = {"sqrt": "the square root of", "mathbf": "bold", "mathbb": "blackboard", "mathcal": "script"}
_ENVIRONMENTS = ("aligned", "cases", "pmatrix", "bmatrix")
_CHARS = {"=": "equals", "+": "plus", "-": "minus", "<": "is less than", ">": "is greater than", "~": ""}
_CHARS |= {"*": "star", "|": "vertical bar", "'": "prime", "!": "factorial", "&": "", ":": "colon"}
_CHARS |= {"/": "divided by"}
_CHARS |= {"(": "open paren", ")": "close paren", "[": "open bracket", "]": "close bracket"}
_TOKEN = re.compile(
    r"\\(?:begin|end|text|mathrm|operatorname)\s*\{[^{}]*\}|\\[a-zA-Z]+|\\.|\d+(?:\.\d+)?|\S", re.DOTALL
)


@cache
def read_aloud(latex: str) -> str:
    """LaTeX math in words, else, where a command has no words here, its source."""
    try:
        words = speak(latex)
    except (ValueError, RecursionError):
        words = ""
    return words or "LaTeX: " + " ".join(latex.split())


@cache
def unspoken(latex: str) -> str:
    """Why LaTeX math cannot be read in words; "" if it can."""
    try:
        return "" if speak(latex) else f"there are no words for {latex}"
    except (ValueError, RecursionError) as error:
        return str(error)


def speak(latex: str) -> str:
    """Read LaTeX math in words; a command outside the subset that converts rightly raises ValueError."""
    tokens = _TOKEN.findall(latex)[::-1]

    def atom() -> str:
        if not tokens:
            raise ValueError(f"Unfinished LaTeX, an argument is missing at the end of: {latex}")
        token = tokens.pop()
        if token == "{":
            return sequence("}")
        if not token.startswith("\\"):
            return _CHARS.get(token, token)
        if braced := re.match(r"\\(begin|end|text|mathrm|operatorname)\s*\{(.*)\}", token, re.DOTALL):
            kind, content = braced.groups()
            if kind not in ("begin", "end"):
                return content
            if content not in _ENVIRONMENTS:
                raise ValueError(f"LaTeX environment {content!r} is not one of {_ENVIRONMENTS}: {latex}")
            return "" if content != "cases" else "cases:" if kind == "begin" else "end cases"
        name = token[1:]
        if name == "frac":
            top, bottom = atom(), atom()
            simple = max(len(top.split()), len(bottom.split())) <= 2
            return f"{top} over {bottom}" if simple else f"the fraction {top} over {bottom}, end fraction,"
        if name in _AFTER:
            return f"{atom()} {_AFTER[name]}"
        if name in _BEFORE:
            return f"{_BEFORE[name]} {atom()}"
        if name in ("left", "right") and tokens[-1:] not in (["("], [")"], ["["], ["]"], ["\\{"], ["\\}"]):
            raise ValueError(f"Only brackets stretch rightly after {token}: {latex}")
        if name in ("sum", "prod", "int", "max", "min", "lim"):
            limits = {}
            while tokens and tokens[-1] in "_^":
                side = tokens.pop()
                limits[side] = atom()
            lower = " over " + limits["_"].replace(" equals ", " from ", 1) if "_" in limits else ""
            return _WORDS[name] + lower + (f" to {limits['^']}" if "^" in limits else "") + " of"
        if name not in _WORDS:
            hint = (
                r"\lVert and \rVert"
                if name == "|"
                else r"\, or \quad"
                if name in ";:!"
                else "a supported one"
            )
            raise ValueError(
                f"LaTeX command {token} is not known to convert rightly; write it with {hint}, or, once its "
                f"Typst output has been looked at, add it to the words in {__name__}. Found in: {latex}"
            )
        return _WORDS[name]

    def sequence(end: str) -> str:
        words: list[str] = []
        while tokens and tokens[-1] != end:
            if tokens[-1] not in ("_", "^"):
                words.append(atom())
                continue
            raised = tokens.pop() == "^"
            part = " ".join(atom().split())
            short = {"2": "squared", "transpose": "transpose", "prime": "prime", "star": "star"}.get(part)
            power = "superscript" if part.startswith("open paren") else "to the"
            words.append(f"sub {part}" if not raised else short or f"{power} {part}")
        if end and not tokens:
            raise ValueError(f"LaTeX lacks a closing brace: {latex}")
        if end:
            tokens.pop()
        return " ".join(" ".join(words).split())

    words = re.sub(r"\s+([,;.])", r"\1", sequence(""))
    return re.sub(r",(?=[,;.])", "", words).strip(" ,;.")
