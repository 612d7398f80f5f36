"""The mathematics of the report as SymPy: what its symbols stand for, and a reader of its LaTeX."""

import re
from functools import cache
from typing import Any

import sympy as sp

SIZES = {"N": 2, "K": 3, "I": 1}  # examples, classes, pixels
LIMITS = {"n": "N", "k": "K", "k'": "K", "i": "I+1", "j": "I+1"}  # each index runs from 1 to this,
INDICES = {"n": 2, "k": 3, "k'": 3, "i": 2, "j": 2}  # that is
MATRICES = {"X": "X", "Y": "Y", r"\hat{Y}": "Y_hat", "w": "w"}
ENTRIES = {"w": "w", "x": "X", "y": "Y", "z": "Z", r"\hat{y}": "Y_hat"}  # the matrix that has them,
BELOW = {"C": "", "J": "", "R": "", "w": "ki", "x": "i", "y": "k", "z": "k", r"\hat{y}": "k"}  # their indices
END = ("", "+", "-", ")", "}", "&", ",", r"\\", r"\end{cases}")  # what can follow a product
LETTERS = {name: sp.Symbol(name, positive=True) for name in ("a", "b", "u", r"\lambda", r"\alpha", *SIZES)}
LETTERS["e"] = sp.E
TOKEN = re.compile(r"\\hat\{[yY]\}|\\(?:text|begin|end)\{[^{}]*\}|\\[a-zA-Z]+|\\\\|\d+|[a-zA-Z]'?|\S")
SILENT = re.compile(r"\\(?:left|right|[bB]ig[lr])(?![a-zA-Z])|\\,")


def evaluate(task: str, latex: str, indices: dict[str, int]) -> Any:
    """Return the value of a formula of `task`, an expression or a matrix, at values of its free indices.

    Raises ValueError for what it cannot read, and for symbols with the wrong indices.
    """
    try:
        return Reader(quantities(task), TOKEN.findall(SILENT.sub("", latex)), indices).read()
    except (AttributeError, IndexError, TypeError) as error:  # a matrix plus a number, an empty argument
        raise ValueError(f"{latex} means nothing in task {task}: {error}") from None


class Quantities:
    """What the symbols stand for, and what all derivatives are taken of: the assignment's definitions.

    `by` is what a derivative is taken by: logits or outputs then stay symbols, and `meaning` has
    their values in weights.
    """

    def __init__(self, task: str, by: str = "w") -> None:
        self.task = task
        self.binary = task == "1a"
        N = SIZES["N"]
        K = 1 if self.binary else SIZES["K"]
        inputs = SIZES["I"] + 1
        self.X = symbols("x", N, inputs, real=True)
        self.Y = targets(N, K)
        self.w = symbols("w", inputs, K, real=True)
        self.Z = self.X * self.w
        self.meaning: dict[Any, Any] = {}
        if by == "z":
            self.Z = self.named("z", self.Z, real=True)
        self.Y_hat = outputs(self.Z)
        if by == r"\hat{y}":
            self.Y_hat = self.named("y_hat", self.Y_hat, positive=True)

    def named(self, name: str, values: sp.Matrix, **assumptions: bool) -> sp.Matrix:
        """Return symbols in place of the values, and note their meaning."""
        names = symbols(name, *values.shape, **assumptions)
        self.meaning = dict(zip(names, values, strict=True))
        return names

    def cost(self, n: int) -> Any:
        """Return C^n."""
        y = list(self.Y.row(n - 1))
        y_hat = list(self.Y_hat.row(n - 1))
        if self.binary:
            y.append(1 - y[0])
            y_hat.append(1 - y_hat[0])
        return -sum(target * sp.log(output) for target, output in zip(y, y_hat, strict=True))

    def total(self, name: str) -> Any:
        """Return C, R or J."""
        C = sum(self.cost(n + 1) for n in range(SIZES["N"])) / LETTERS["N"]
        R = sum(weight**2 for weight in self.w)
        return {"C": C, "R": R, "J": C + LETTERS[r"\lambda"] * R}[name]


quantities = cache(Quantities)  # made once for each derivative: a third of the time


def symbols(name: str, rows: int, columns: int, **assumptions: bool) -> sp.Matrix:
    """Return a matrix of symbols."""
    return sp.Matrix(rows, columns, sp.symbols(f"{name}:{rows}:{columns}", **assumptions))


def targets(N: int, K: int) -> sp.Matrix:
    """Return Y: an example has one class of several, so that its targets add up to 1."""
    Y = symbols("y", N, K, real=True)
    if K > 1:
        for n in range(N):
            Y[n, -1] = 1 - sum(Y[n, :-1])
    return Y


def outputs(Z: sp.Matrix) -> sp.Matrix:
    """Return Y_hat: the sigmoid of a single logit, the softmax of several."""
    if Z.cols == 1:
        return Z.applyfunc(sigmoid)
    powers = Z.applyfunc(sp.exp)
    return sp.Matrix(*Z.shape, lambda n, k: powers[n, k] / sum(powers.row(n)))


def sigmoid(z: Any) -> Any:
    """Return 1 / (1 + e^-z)."""
    return 1 / (1 + sp.exp(-z))


class Reader:
    """A recursive descent through the tokens of LaTeX that evaluates them at values of the free indices."""

    def __init__(self, quantities: Quantities, tokens: list[str], indices: dict[str, int]) -> None:
        self.quantities = quantities
        self.tokens = tokens
        self.indices = indices
        self.at = 0

    def read(self) -> Any:
        """Return the value of all the tokens: a SymPy expression or matrix."""
        value = self.sum()
        if self.next():
            raise self.error(f"{self.next()!r} was not expected")
        return value

    def error(self, what: str) -> ValueError:
        """Return an error that quotes the formula."""
        return ValueError(f"{what} in task {self.quantities.task}: {' '.join(self.tokens)}")

    def next(self) -> str:
        """Return the next token, "" at the end."""
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def accept(self, *expected: str) -> bool:
        """Pass over some tokens if they are the next ones; return whether they are."""
        end = self.at + len(expected)
        found = self.tokens[self.at : end] == list(expected)
        if found:
            self.at = end
        return found

    def take(self, *expected: str) -> str:
        """Return the next token, of those expected if there are any, and pass over it."""
        token = self.next()
        if not token or (expected and token not in expected):
            raise self.error(f"{' or '.join(expected) or 'something'} is missing")
        self.at += 1
        return token

    def group(self) -> list[str]:
        """Return the tokens of an argument: one token, or those between braces."""
        first = self.take()
        if first != "{":
            return [first]
        start = self.at
        depth = 1
        while depth:
            depth += {"{": 1, "}": -1}.get(self.take(), 0)
        return self.tokens[start : self.at - 1]

    def inner(self, tokens: list[str]) -> Any:
        """Return the value of an argument's tokens."""
        return Reader(self.quantities, tokens, self.indices).read()

    def sum(self) -> Any:
        """Return the value of a sum of products."""
        value = -self.product() if self.accept("-") else self.product()
        while self.next() in ("+", "-"):
            value = value + self.product() if self.take() == "+" else value - self.product()
        return value

    def product(self) -> Any:
        """Return the value of a product of factors."""
        value = self.factor()
        while self.next() not in END:
            self.accept(r"\cdot")
            value = value * self.factor()
        return value

    def factor(self) -> Any:
        """Return the value of an atom, with its power or transposed."""
        value = self.atom()
        if not self.accept("^"):
            return value
        power = self.group()
        return value.T if power == [r"\top"] else value ** self.inner(power)

    def parenthesis(self) -> Any:
        """Return the value of a sum in parentheses."""
        self.take("(")
        value = self.sum()
        self.take(")")
        return value

    def atom(self) -> Any:
        """Return the value of what has no operator."""
        if self.next() == "(":
            return self.parenthesis()
        token = self.take()
        if token.isdigit():
            return sp.Integer(token)
        if token in LETTERS:
            return LETTERS[token]
        if token in ("f", "f'"):
            z = sp.Dummy()
            function = sigmoid(z) if token == "f" else sp.diff(sigmoid(z), z)
            return function.subs(z, self.parenthesis())
        if token == r"\ln":
            return sp.log(self.product() if self.next() == r"\sum" else self.factor())
        if token == r"\sum":
            return self.summation()
        if token == r"\frac":
            return self.fraction(self.group(), self.group())
        if token == r"\begin{cases}":
            return self.cases()
        return self.quantity(token)

    def summation(self) -> Any:
        """Return the value of a sum over all values of an index."""
        self.take("_")
        index, *start = self.group()
        limit = LIMITS.get(index, "")
        end = "".join(self.group()) if self.accept("^") else limit
        if start not in ([], ["=", "1"]) or not limit or end != limit:
            raise self.error(f"a sum over {index} does not run from 1 to {LIMITS.get(index)}")
        outer = self.indices
        begin = self.at
        total = sp.Integer(0)
        for value in range(1, INDICES[index] + 1):
            self.indices = outer | {index: value}
            self.at = begin
            total += self.product()
        self.indices = outer
        return total

    def fraction(self, top: list[str], bottom: list[str]) -> Any:
        """Return the value of a fraction or of a derivative."""
        sign = bottom[0]
        if sign not in ("d", r"\partial"):
            return self.inner(top) / self.inner(bottom)
        if top[0] != sign:
            raise self.error(f"the derivative by {' '.join(bottom)} has no {sign} above")
        outer = self.quantities
        self.quantities = quantities(outer.task, bottom[1])
        by = self.inner(bottom[1:])
        of = self.inner(top[1:]) if top[1:] else self.product()
        of = sp.expand_log(of)  # its derivative is a good deal shorter
        slope = by.applyfunc(of.diff) if isinstance(by, sp.MatrixBase) else of.diff(by)
        value = slope.subs(self.quantities.meaning)
        self.quantities = outer
        return value

    def cases(self) -> Any:
        """Return the value of the first row whose condition, such as k' = k, holds for the indices."""
        chosen = None
        ended = False
        while not ended:
            value = self.sum()
            self.take("&")
            holds, ended = self.condition()
            if chosen is None and holds:
                chosen = value
        if chosen is None:
            raise self.error(f"no case is left for {self.indices}")
        return chosen

    def condition(self) -> tuple[bool, bool]:
        """Return whether the condition of a case holds, and whether it is the last case."""
        holds = True
        token = self.take()
        while token not in (r"\\", r"\end{cases}"):
            if self.next() in ("=", r"\ne"):
                equal = self.take() == "="
                holds &= (self.index(token) == self.index(self.take())) == equal
            token = self.take()
        return holds, token == r"\end{cases}"

    def quantity(self, name: str) -> Any:
        """Return w, x, y, y_hat, z, C, R, J or a matrix, with its indices; `(w)` after it is passed over."""
        of = self.quantities
        if name in MATRICES and not (name == "w" and self.next() == "_"):
            return getattr(of, MATRICES[name])
        kinds = BELOW.get(name, "?")
        if of.binary:
            kinds = kinds.replace("k", "")
        below = self.group() if self.accept("_") else []
        if [LIMITS.get(index) for index in below] != [LIMITS.get(kind, kind) for kind in kinds]:
            raise self.error(f"{name} with the indices {below} is not known")
        example = name not in ("w", "R", "J") and self.accept("^", "n")
        self.accept("(", "w", ")")
        row = self.index("n") if example else self.indices.get("n", 1)
        if name not in ENTRIES:
            return of.cost(row) if example else of.total(name)
        *others, column = [1, *map(self.index, below)]
        if name == "w":
            row = column
            column = others[-1]
        return getattr(of, ENTRIES[name])[row - 1, column - 1]

    def index(self, name: str) -> int:
        """Return the value of an index."""
        if name not in self.indices:
            raise self.error(f"index {name} has no value")
        return self.indices[name]
