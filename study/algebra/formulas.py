"""The mathematics of the report as SymPy: what its symbols stand for, and a reader of its LaTeX."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

import sympy as sp

SIZES = {"N": 2, "K": 3, "I": 1}  # examples, classes, pixels
LIMITS = {"n": "N", "k": "K", "k'": "K", "i": "I+1", "j": "I+1"}  # each index runs from 1 to this,
INDICES = {"n": 2, "k": 3, "k'": 3, "i": 2, "j": 2}  # that is
END = ("", "+", "-", ")", "}", "&", ",", r"\\", r"\end{cases}")  # what can follow a product
LETTERS = {letter: sp.Symbol(letter, positive=True) for letter in ("a", "b", "u", r"\lambda", r"\alpha")}
TOKEN = re.compile(r"\\hat\{[yY]\}|\\(?:text|begin|end)\{[^{}]*\}|\\[a-zA-Z]+|\\\\|\d+|[a-zA-Z]'?|\S")
SILENT = re.compile(r"\\(?:left|right|[bB]ig[lr])(?![a-zA-Z])|\\,")


def evaluate(task: str, latex: str, indices: dict[str, int]) -> Any:
    """Return the value of a formula of `task`, an expression or a matrix, at values of its free indices.

    Raises ValueError for what it cannot read, and for symbols with the wrong indices.
    """
    try:
        return Reader(task, TOKEN.findall(SILENT.sub("", latex)), indices).read()
    except (AttributeError, IndexError, TypeError) as error:  # a matrix plus a number, an empty argument
        raise ValueError(f"{latex} means nothing in task {task}: {error}") from None


class Quantities:
    """What the symbols stand for, and what all derivatives are taken of: the assignment's definitions.

    `level` says what stays a symbol: only the weights ("w"), or also the logits ("z") or outputs ("y_hat").
    """

    examples = range(1, SIZES["N"] + 1)
    inputs = range(1, SIZES["I"] + 2)

    def __init__(self, task: str, level: str = "w") -> None:
        self.level = level
        self.binary = task == "1a"
        self.classes = range(1, 2 if self.binary else SIZES["K"] + 1)

    def w(self, k: int, i: int) -> Any:
        """Return w_ki."""
        return sp.Symbol(f"w{k}{i}", real=True)

    def x(self, n: int, i: int) -> Any:
        """Return x_i^n."""
        return sp.Symbol(f"x{n}{i}", real=True)

    def y(self, n: int, k: int) -> Any:
        """Return y_k^n."""
        if k == self.classes[-1] and not self.binary:  # an example has one class: its targets add up to 1
            return 1 - sum(self.y(n, other) for other in self.classes[:-1])
        return sp.Symbol(f"y{n}{k}", real=True)

    def z(self, n: int, k: int) -> Any:
        """Return z_k^n."""
        if self.level == "z":
            return sp.Symbol(f"z{n}{k}", real=True)
        return sum(self.w(k, i) * self.x(n, i) for i in self.inputs)

    def y_hat(self, n: int, k: int) -> Any:
        """Return y_hat_k^n."""
        if self.level == "y_hat":
            return sp.Symbol(f"y_hat{n}{k}", positive=True)
        if self.binary:
            return sigmoid(self.z(n, k))
        return sp.exp(self.z(n, k)) / sum(sp.exp(self.z(n, c)) for c in self.classes)

    def cost(self, n: int) -> Any:
        """Return C^n."""
        if self.binary:
            y = self.y(n, 1)
            y_hat = self.y_hat(n, 1)
            return -(y * sp.log(y_hat) + (1 - y) * sp.log(1 - y_hat))
        return -sum(self.y(n, k) * sp.log(self.y_hat(n, k)) for k in self.classes)

    def total(self, name: str) -> Any:
        """Return C, R or J."""
        C = sum(self.cost(n) for n in self.examples) / sp.Integer(SIZES["N"])
        R = sum(self.w(k, i) ** 2 for k in self.classes for i in self.inputs)
        return {"C": C, "R": R, "J": C + LETTERS[r"\lambda"] * R}[name]

    def matrix(self, name: str) -> sp.Matrix:
        """Return X (N, I + 1), Y and Y_hat (N, K), or w (I + 1, K)."""
        if name == "w":
            return sp.Matrix([[self.w(k, i) for k in self.classes] for i in self.inputs])
        entry = {"X": self.x, "Y": self.y, r"\hat{Y}": self.y_hat}[name]
        columns = self.inputs if name == "X" else self.classes
        return sp.Matrix([[entry(n, column) for column in columns] for n in self.examples])

    def in_weights(self, expression: Any) -> Any:
        """Return an expression with logits and outputs written out."""
        if self.level == "w":
            return expression
        symbol = getattr(self, self.level)
        whole = getattr(Quantities("1a" if self.binary else "1b"), self.level)
        pairs = product(self.examples, self.classes)
        return expression.subs({symbol(*pair): whole(*pair) for pair in pairs})


def sigmoid(z: Any) -> Any:
    """Return 1 / (1 + e^-z)."""
    return 1 / (1 + sp.exp(-z))


class Reader:
    """A recursive descent through the tokens of LaTeX that evaluates them at values of the free indices."""

    def __init__(self, task: str, tokens: list[str], indices: dict[str, int], level: str = "w") -> None:
        self.task = task
        self.tokens = tokens
        self.indices = indices
        self.at = 0
        self.quantities = Quantities(task, level)

    def read(self) -> Any:
        """Return the value of all the tokens: a SymPy expression or matrix."""
        value = self.sum()
        if self.next():
            raise self.error(f"{self.next()!r} was not expected")
        return value

    def error(self, what: str) -> ValueError:
        """Return an error that quotes the formula."""
        return ValueError(f"{what} in task {self.task}: {' '.join(self.tokens)}")

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
        return Reader(self.task, tokens, self.indices, self.quantities.level).read()

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
        if token.isdigit() or token in SIZES:
            return sp.Integer(SIZES.get(token, token))
        if token in LETTERS:
            return LETTERS[token]
        if token == "e":
            self.take("^")
            return sp.exp(self.inner(self.group()))
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
        level = {"z": "z", r"\hat{y}": "y_hat"}.get(bottom[1], "w")
        self.quantities = Quantities(self.task, level)
        by = self.inner(bottom[1:])
        of = self.inner(top[1:]) if top[1:] else self.product()
        of = sp.expand_log(of)  # its derivative is a good deal shorter
        slope = by.applyfunc(of.diff) if isinstance(by, sp.MatrixBase) else of.diff(by)
        value = self.quantities.in_weights(slope)
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
        if name in ("X", "Y", r"\hat{Y}") or (name == "w" and self.next() != "_"):
            return of.matrix(name)
        k = "" if of.binary else "k"
        kinds = {"w": f"{k}i", "x": "i", "y": k, "z": k, r"\hat{y}": k, "C": "", "R": "", "J": ""}.get(name)
        below = self.group() if self.accept("_") else []
        if kinds is None or [LIMITS.get(index) for index in below] != [LIMITS[kind] for kind in kinds]:
            raise self.error(f"{name} with the indices {below} is not known")
        example = name not in ("w", "R", "J") and self.accept("^", "n")
        self.accept("(", "w", ")")
        n = self.index("n") if example else self.indices.get("n", 1)
        if name in ("C", "R", "J"):
            return of.cost(n) if example else of.total(name)
        first, last = [1, 1, *map(self.index, below)][-2:]
        if name == "w":
            return of.w(first, last)
        return {"x": of.x, "y": of.y, "z": of.z, r"\hat{y}": of.y_hat}[name](n, last)

    def index(self, name: str) -> int:
        """Return the value of an index."""
        if name not in self.indices:
            raise self.error(f"index {name} has no value")
        return self.indices[name]
