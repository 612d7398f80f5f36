"""The mathematics of the report as SymPy: what its symbols stand for, and a reader of its LaTeX."""

from __future__ import annotations

import itertools
import re
from typing import Any

import sympy as sp

SIZES = {"N": 2, "K": 3, "I": 1}  # examples, classes, pixels
LIMITS = {"n": "N", "k": "K", "k'": "K", "i": "I+1", "j": "I+1"}  # each index runs from 1 to this,
INDICES = {"n": 2, "k": 3, "k'": 3, "i": 2, "j": 2}  # that is
LETTERS = {letter: sp.Symbol(letter, positive=True) for letter in ("a", "b", "u", r"\lambda", r"\alpha")}
TOKEN = re.compile(r"\\hat\{[yY]\}|\\(?:text|begin|end)\{[^{}]*\}|\\[a-zA-Z]+|\\\\|\d+|[a-zA-Z]'?|\S")
SILENT = re.compile(r"\\(?:left|right|[bB]ig[lr])(?![a-zA-Z])|\\,")


def evaluate(task: str, latex: str, indices: dict[str, int]) -> Any:
    """The value of a formula of `task`, an expression or a matrix, with the given values of its free indices.

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

    def __init__(self, task: str, level: str = "w") -> None:
        self.level, self.binary = level, task == "1a"
        self.classes = range(1, 2 if self.binary else SIZES["K"] + 1)
        self.examples, self.inputs = range(1, SIZES["N"] + 1), range(1, SIZES["I"] + 2)

    def w(self, k: int, i: int) -> Any:
        return sp.Symbol(f"w{k}{i}", real=True)

    def x(self, n: int, i: int) -> Any:
        return sp.Symbol(f"x{n}{i}", real=True)

    def y(self, n: int, k: int) -> Any:
        if k == self.classes[-1] and not self.binary:  # an example has one class: its targets add up to 1
            return 1 - sum(self.y(n, other) for other in self.classes[:-1])
        return sp.Symbol(f"y{n}{k}", real=True)

    def z(self, n: int, k: int) -> Any:
        if self.level == "z":
            return sp.Symbol(f"z{n}{k}", real=True)
        return sum(self.w(k, i) * self.x(n, i) for i in self.inputs)

    def y_hat(self, n: int, k: int) -> Any:
        if self.level == "y_hat":
            return sp.Symbol(f"y_hat{n}{k}", positive=True)
        if self.binary:
            return sigmoid(self.z(n, k))
        return sp.exp(self.z(n, k)) / sum(sp.exp(self.z(n, c)) for c in self.classes)

    def cost(self, n: int) -> Any:
        """C^n."""
        if self.binary:
            y, y_hat = self.y(n, 1), self.y_hat(n, 1)
            return -(y * sp.log(y_hat) + (1 - y) * sp.log(1 - y_hat))
        return -sum(self.y(n, k) * sp.log(self.y_hat(n, k)) for k in self.classes)

    def total(self, name: str) -> Any:
        """C, R or J."""
        C = sum(self.cost(n) for n in self.examples) / sp.Integer(SIZES["N"])
        R = sum(self.w(k, i) ** 2 for k in self.classes for i in self.inputs)
        return {"C": C, "R": R, "J": C + LETTERS[r"\lambda"] * R}[name]

    def matrix(self, name: str) -> sp.Matrix:
        """X (N, I + 1), Y and Y_hat (N, K), or w (I + 1, K)."""
        entry = {"X": self.x, "Y": self.y, r"\hat{Y}": self.y_hat, "w": lambda i, k: self.w(k, i)}[name]
        rows = self.inputs if name == "w" else self.examples
        columns = self.inputs if name == "X" else self.classes
        return sp.Matrix([[entry(row, column) for column in columns] for row in rows])

    def in_weights(self, expression: Any) -> Any:
        """The expression with logits and outputs written out."""
        if self.level == "w":
            return expression
        whole = Quantities("1a" if self.binary else "1b")
        pairs = itertools.product(self.examples, self.classes)
        return expression.subs({getattr(self, self.level)(*p): getattr(whole, self.level)(*p) for p in pairs})


def sigmoid(z: Any) -> Any:
    return 1 / (1 + sp.exp(-z))


class Reader:
    """Evaluates LaTeX, as tokens, by recursive descent, with the given values of its free indices."""

    def __init__(self, task: str, tokens: list[str], indices: dict[str, int], level: str = "w") -> None:
        self.task, self.tokens, self.indices, self.at = task, tokens, indices, 0
        self.quantities = Quantities(task, level)

    def read(self) -> Any:
        """The value of all the tokens: a SymPy expression or matrix."""
        value = self.sum()
        if self.at < len(self.tokens):
            raise self.error(f"{self.next()!r} was not expected")
        return value

    def error(self, what: str) -> ValueError:
        return ValueError(f"{what} in task {self.task}: {' '.join(self.tokens)}")

    def next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, *expected: str) -> str:
        token = self.next()
        if not token or (expected and token not in expected):
            raise self.error(f"{' or '.join(expected) or 'something'} is missing")
        self.at += 1
        return token

    def group(self) -> list[str]:
        """The tokens of an argument: one token, or those between braces."""
        if self.take() != "{":
            return [self.tokens[self.at - 1]]
        start, depth = self.at, 1
        while depth:
            depth += {"{": 1, "}": -1}.get(self.take(), 0)
        return self.tokens[start : self.at - 1]

    def inner(self, tokens: list[str]) -> Any:
        return Reader(self.task, tokens, self.indices, self.quantities.level).read()

    def sum(self) -> Any:
        value = -self.product() if self.next() == "-" and self.take() else self.product()
        while self.next() in ("+", "-"):
            value = value + self.product() if self.take() == "+" else value - self.product()
        return value

    def product(self) -> Any:
        value = self.factor()
        while self.next() not in ("", "+", "-", ")", "}", "&", ",", r"\\", r"\end{cases}"):
            if self.next() == r"\cdot":
                self.take()
            value = value * self.factor()
        return value

    def factor(self) -> Any:
        value = self.atom()
        if self.next() != "^":
            return value
        self.take()
        power = self.group()
        return value.T if power == [r"\top"] else value ** self.inner(power)

    def atom(self) -> Any:
        token = self.take()
        if token.isdigit():
            return sp.Integer(token)
        if token in SIZES:
            return sp.Integer(SIZES[token])
        if token in LETTERS:
            return LETTERS[token]
        if token == "(":
            value = self.sum()
            self.take(")")
            return value
        if token == "e":
            self.take("^")
            return sp.exp(self.inner(self.group()))
        if token in ("f", "f'"):
            self.take("(")
            z, value = sp.Dummy(), self.sum()
            self.take(")")
            return (sigmoid(z) if token == "f" else sp.diff(sigmoid(z), z)).subs(z, value)
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
        self.take("_")
        index, *start = self.group()
        limit = self.group() if self.next() == "^" and self.take() else [LIMITS.get(index, "")]
        if (start and start != ["=", "1"]) or "".join(limit) != LIMITS.get(index):
            raise self.error(f"a sum over {index} does not run from 1 to {LIMITS.get(index)}")
        outer, begin, total = self.indices, self.at, sp.Integer(0)
        for value in range(1, INDICES[index] + 1):
            self.indices, self.at = outer | {index: value}, begin
            total += self.product()
        self.indices = outer
        return total

    def fraction(self, top: list[str], bottom: list[str]) -> Any:
        if bottom[0] not in ("d", r"\partial"):
            return self.inner(top) / self.inner(bottom)
        if top[0] != bottom[0]:
            raise self.error(f"the derivative by {' '.join(bottom)} has no {bottom[0]} above")
        outer, level = self.quantities, {"z": "z", r"\hat{y}": "y_hat"}.get(bottom[1], "w")
        self.quantities = inner = Quantities(self.task, level)
        by, of = self.inner(bottom[1:]), self.inner(top[1:]) if top[1:] else self.product()
        self.quantities = outer
        of = sp.expand_log(of)  # its derivative is a good deal shorter
        return inner.in_weights(by.applyfunc(of.diff) if isinstance(by, sp.MatrixBase) else of.diff(by))

    def cases(self) -> Any:
        """The value of the first row whose condition, such as k' = k, holds for the indices."""
        chosen = None
        while self.tokens[self.at - 1] != r"\end{cases}":
            value, holds = self.sum(), True
            self.take("&")
            while (token := self.take()) not in (r"\\", r"\end{cases}"):
                if self.next() in ("=", r"\ne"):
                    sign, other = self.take(), self.take()
                    holds &= (self.index(token) == self.index(other)) == (sign == "=")
            chosen = value if chosen is None and holds else chosen
        if chosen is None:
            raise self.error(f"no case is left for {self.indices}")
        return chosen

    def quantity(self, name: str) -> Any:
        """w, x, y, y_hat, z, C, R, J or a matrix, with its indices; `(w)` after it is passed over."""
        of, k = self.quantities, "" if self.quantities.binary else "k"
        if name in ("X", "Y", r"\hat{Y}") or (name == "w" and self.next() != "_"):
            return of.matrix(name)
        kinds = {"w": f"{k}i", "x": "i", "y": k, "z": k, r"\hat{y}": k, "C": "", "R": "", "J": ""}.get(name)
        below = self.group() if self.next() == "_" and self.take() else []
        if kinds is None or [LIMITS.get(index) for index in below] != [LIMITS[kind] for kind in kinds]:
            raise self.error(f"{name} with the indices {below} is not known")
        example = name not in ("w", "R", "J") and self.tokens[self.at : self.at + 2] == ["^", "n"]
        self.at += 2 * example
        self.at += 3 * (self.tokens[self.at : self.at + 3] == ["(", "w", ")"])
        n = self.index("n") if example else self.indices.get("n", 1)
        first, last = [1, 1, *map(self.index, below)][-2:]
        if name in ("C", "R", "J"):
            return of.cost(n) if example else of.total(name)
        if name == "w":
            return of.w(first, last)
        return {"x": of.x, "y": of.y, "z": of.z}.get(name, of.y_hat)(n, last)

    def index(self, name: str) -> int:
        if name not in self.indices:
            raise self.error(f"index {name} has no value")
        return self.indices[name]
